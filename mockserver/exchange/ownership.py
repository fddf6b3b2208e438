"""Whether the values that must be owned are, and which records they bind."""

from collections.abc import Iterable
from typing import Any

from mockserver.exchange.account import Account
from mockserver.exchange.facts import Facts
from mockserver.exchange.problem import Problem
from mockserver.exchange.request import Possession
from mockserver.spec.contract import Owned
from mockserver.spec.functions import digits
from mockserver.spec.pointer import MISSING, Pointer


def check_owned(
    claimed: Iterable[Possession], account: Account | None, facts: Facts, bound: dict[str, Any]
) -> tuple[Problem, ...]:
    """The problems ``unknown`` and ``foreign``; records of the account's own values are added to ``bound``."""
    problems = []
    for one in claimed:
        place, owner = one.place, facts.owners.get(one.claim)
        if place.within is not None:
            if place.binds not in bound or _holds(bound, place, one.value):
                continue
        elif owner is not None and owner.account is account:
            bound[place.binds] = owner.record
            continue
        foreign = owner is not None and (place.within is None or owner.account is not account)
        problems.append(_problem(place, one.value, foreign=foreign))
    return tuple(problems)


def _holds(bound: dict[str, Any], place: Owned, value: Any) -> bool:
    """Whether the bound record's member is, or lists, this value."""
    inner = Pointer((place.within or place.at).tokens[1:])
    held = inner.get(bound)
    values = held if isinstance(held, list) else [] if held is MISSING else [held]
    if place.digits:
        return digits(value) in {digits(item) for item in values}
    return str(value) in {str(item) for item in values}


def _problem(place: Owned, value: Any, *, foreign: bool) -> Problem:
    if foreign:
        return Problem("foreign", str(place.at), "", "the value belongs to another account", value)
    return Problem("unknown", str(place.at), "", "nobody owns the value", value)
