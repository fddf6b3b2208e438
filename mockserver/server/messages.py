"""A verdict in words, for a terminal: what was expected, what is nearest, and the likely mistake."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from mockserver.engine.call import RecordedCall, unpack_problems
from mockserver.matching.pattern import Difference
from mockserver.server.serialize import Shown
from mockserver.server.verification import Asked, Near, Verdict
from mockserver.spec.model import Contract
from mockserver.spec.pointer import MISSING

WIDTH = 300  # characters of a value that is shown
MOST_SHOWN = 10  # calls, where there are too many


Stray = tuple[str, int, str]  # whose the calls are, how many, which credential they carried


def explain(
    verdict: Verdict,
    asked: Asked,
    strays: list[Stray],
    contracts: tuple[Contract, ...],
    shown: Callable[[RecordedCall], Shown],
) -> str:
    """The text that a failed assertion prints; ``shown`` masks what a call shows."""
    expectation = asked.expectation
    lines = [_headline(verdict, asked)]
    too_many = asked.count.most is not None and len(verdict.matched) > asked.count.most
    if too_many:
        lines.append("Calls that fit, latest first:")
        lines += [_call(call, shown(call)) for call in verdict.matched[: -MOST_SHOWN - 1 : -1]]
    elif verdict.nearest and not verdict.verified:
        lines.append("Nearest calls:" if len(verdict.nearest) > 1 else "Nearest call:")
        for near in verdict.nearest:
            lines += _near(near, shown(near.call), contracts)
    if strays and not verdict.verified and not too_many:
        lines.append(f"Since this account was made, calls of {expectation.operation or 'its vendors'} went elsewhere:")
        lines += [f"  {number} to {whose}, carrying {credential}" for whose, number, credential in strays]
        lines.append("  Were the credentials read before the account was made (at import, say)?")
    return "\n".join(lines)


def _headline(verdict: Verdict, asked: Asked) -> str:
    expectation, count, account = asked.expectation, asked.count, asked.account
    kind = {None: "", True: "accepted ", False: "refused "}[expectation.accepted]
    what = expectation.operation or expectation.vendor or "any vendor"
    to = f" to {expectation.recipient}" if expectation.recipient else ""
    expected = f"{what}: expected {count} {kind}call(s){to}, found {len(verdict.matched)}"
    recorded = f" ({verdict.recorded} recorded for account {account or 'unclaimed'})"
    if verdict.verified is None:
        evicted = f"{verdict.evicted} calls of this account had to make room in the journal"
        remedy = "Raise max-journal-calls or max-journal-bytes, or reset earlier."
        return f"{expected}{recorded}. Cannot be known: {evicted}. {remedy}"
    return f"{expected}{recorded}."


def _near(near: Near, shown: Shown, contracts: tuple[Contract, ...]) -> Iterator[str]:
    call = near.call
    yield _call(call, shown)
    for difference in near.differences[:8]:
        yield f"      {_difference(difference, shown)}"
    if not call.accepted:
        for problem in unpack_problems(call.problems):
            words = " ".join(word for word in (problem["kind"], problem["reason"], problem["at"]) if word)
            yield f"      refused: {words}: {shown.text(problem['message'])}"
            cure = _cure(problem, call, contracts)
            if cure:
                yield f"      {cure}"


def _call(call: RecordedCall, shown: Shown) -> str:
    time = datetime.fromtimestamp(call.received_at, UTC).strftime("%H:%M:%S.%f")[:-3]
    answer = (call.answer or "off-contract") if call.vendor else "no operation has this path"
    chosen = f" (by {call.chosen_by})" if call.chosen_by else ""
    return f"  {call.id} {time} {call.method} {shown.text(call.path)} -> {call.status} {answer}{chosen}"


def _difference(difference: Difference, shown: Shown) -> str:
    expected, found = _value(difference.expected, shown), _value(difference.found, shown)
    return f"{difference.pointer}: expected {expected}, found {found}"


def _value(value: Any, shown: Shown) -> str:
    if value is MISSING:
        return "nothing"
    text = json.dumps(shown.value(value), ensure_ascii=False)
    return text if len(text) <= WIDTH else f"{text[:WIDTH]}… ({len(text)} characters)"


def _cure(problem: dict[str, Any], call: RecordedCall, contracts: tuple[Contract, ...]) -> str | None:
    """What the right credential is called, where one was wrong or missing."""
    if problem["kind"] not in {"unauthenticated", "forbidden"}:
        return None
    for contract in contracts:
        for scheme in contract.schemes if contract.vendor == call.vendor else ():
            if scheme.at == problem["at"]:
                where = "header" if scheme.where == "header" else "parameter"
                form = "Bearer <token>, the token being" if scheme.bearer else "the account's"
                return f'the right {where} {scheme.key}: {form} {contract.vendor}.tokens["{scheme.name}"]'
    return None
