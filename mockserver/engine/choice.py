"""Which answer a request gets: its problems, and what decides between the answers of its operation."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from mockserver.engine.account import AccountData
from mockserver.engine.facts import Facts
from mockserver.engine.pin import Literal
from mockserver.engine.problem import KINDS, Problem
from mockserver.engine.request import Possession
from mockserver.spec.functions import MAX_DIGITS, digits, phone_digits
from mockserver.spec.model import Answer, OperationSpec, Owned, Recipient, Rule
from mockserver.spec.pointer import MISSING, Pointer

MAGIC = "15005550"  # +1 500 555 0NNN: no customer can have such a number
MAGIC_LENGTH = len("+15005550NNN")
_PREFERENCE = re.compile(r'(?:^|[;,\s])(example|code)\s*=\s*"?([A-Za-z0-9_]+)"?')
_ORDER = {kind: number for number, kind in enumerate(KINDS)}


class Choice(msgspec.Struct, frozen=True):
    """An answer, what chose it (prefer, pin, rule, magic or default), and the problem that it answers, if any.

    A literal is a test's own response, which no contract has. ``rule`` is the place of the rule that chose.
    """

    answer: Answer | Literal
    chosen_by: str
    problem: Problem | None
    rule: str = ""


def choose(  # noqa: PLR0913 -- everything that may decide, in one place
    operation: OperationSpec,
    problems: tuple[Problem, ...],
    view: Mapping[str, Any],
    recipient: str,
    *,
    prefer: str,
    pinned: Answer | Literal | None,
) -> Choice | None:
    """The answer to a request; ``view`` is what ``when`` reads, ``pinned`` what a pin has for it.

    None where the contract has no answer: an operation that only dispatches.
    """
    first = problems[0] if problems else None
    preferred = _preferred(operation, prefer) if prefer else None
    if preferred is not None and not (preferred.accepted and problems):
        return Choice(preferred, "prefer", first)
    if pinned is not None:
        return Choice(pinned, "pin", first)
    for rule in operation.rules if problems else operation.conditions:  # without problems few rules apply: 2 us less
        problem = _met(rule, problems) if rule.on_problem else None
        if (rule.on_problem and problem is None) or not _fits(rule, view):
            continue
        return Choice(rule.answer, "rule", problem, rule.place)
    if recipient[1:9] == MAGIC and len(recipient) == MAGIC_LENGTH:
        magic = operation.magic.get(recipient[-3:])
        if magic is not None:
            return Choice(magic, "magic", None)
    return Choice(operation.success, "default", None) if operation.success else None


def _met(rule: Rule, problems: tuple[Problem, ...]) -> Problem | None:
    """The first problem that the rule is about."""
    for problem in problems:
        if rule.kinds is not None and problem.kind not in rule.kinds:
            continue
        if rule.reason is not None and rule.reason != problem.reason:
            continue
        if rule.at is None or rule.at.covers(Pointer.parse(problem.at)):
            return problem
    return None


def _fits(rule: Rule, view: Mapping[str, Any]) -> bool:
    for pointer, condition in rule.when:
        value = pointer.get(view)
        if condition is None:
            if value is not MISSING:
                return False
        elif value is MISSING or not condition.is_valid(value):
            return False
    return True


def _preferred(operation: OperationSpec, prefer: str) -> Answer | None:
    """The answer that ``Prefer: example=name`` or ``Prefer: code=429`` asks for, as Prism reads it, if there is one."""
    for key, value in _PREFERENCE.findall(prefer):
        if key == "example":
            return operation.answers.get(value)
        return next((a for a in operation.answers.values() if str(a.status) == value), None) or next(
            (a for a in operation.answers.values() if str(a.means) == value), None
        )
    return None


def recipient_of(recipient: Recipient | None, view: Mapping[str, Any]) -> str:
    """The recipient as ``+`` and digits; "" where there is none."""
    if recipient is None:
        return ""
    value = recipient.override.get(view) if recipient.override is not None else MISSING
    if value is MISSING or value is None:
        value = recipient.at.get(view)
    if not isinstance(value, str | int | float):
        return ""
    number = phone_digits(value)
    return f"+{number}" if 0 < len(number) <= MAX_DIGITS else ""


def check_owned(
    possessions: Iterable[Possession], account: AccountData | None, facts: Facts, bound: dict[str, Any]
) -> tuple[Problem, ...]:
    """The problems ``unknown`` and ``foreign``; records of the account's own values are added to ``bound``."""
    problems = []
    for possession in possessions:
        place, value, owner = possession.place, possession.value, facts.owners.get(possession.claim)
        is_own = owner is not None and account is not None and owner.account.id == account.id
        if place.within is not None:
            if place.binds not in bound or _holds(bound, place, value):
                continue
        elif owner is not None and is_own:
            bound[place.binds] = owner.record
            continue
        foreign = owner is not None and (place.within is None or not is_own)
        problems.append(_problem(place, value, foreign=foreign))
    return tuple(problems)


def _holds(bound: dict[str, Any], place: Owned, value: Any) -> bool:
    """Whether the bound record's member is this value, or lists it."""
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


def ordered(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Problems in the order in which a request meets them, at most one of a kind at a place."""
    first: dict[tuple[str, str], Problem] = {}
    for problem in problems:
        first.setdefault((problem.kind, problem.at), problem)
    return tuple(sorted(first.values(), key=lambda problem: _ORDER[problem.kind]))
