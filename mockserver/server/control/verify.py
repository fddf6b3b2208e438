"""``POST /_mock/calls/verify``: was it called? A question that no request can answer is refused."""

import string
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from mockserver.engine.bodies import integral
from mockserver.engine.call import RecordedCall, unpack_headers
from mockserver.engine.expectation import Expectation, RequestView
from mockserver.matching.compare import Difference
from mockserver.matching.explain import Explanation
from mockserver.matching.pattern import REQUEST_PARTS
from mockserver.matching.show import first_difference
from mockserver.matching.verdict import Count, Miss
from mockserver.server.checkpoint import TimeShare
from mockserver.server.control.hints import cure, missing_lines
from mockserver.server.control.names import Scope, journal_account, read_scope
from mockserver.server.control.questions import Doubts, check_pattern, check_recipient
from mockserver.server.control.requests import (
    ApiError,
    State,
    member,
    read_object,
    read_pattern,
    seconds,
    state_of,
    unknown,
    write,
)
from mockserver.server.control.shown_calls import shown
from mockserver.server.secret_shapes import PEM_BEGIN
from mockserver.server.serialize import MAX_MEMBER_SHOWN, content_type_of, moment
from mockserver.server.shown_differences import ShownDifferences
from mockserver.server.verification import Asked, Verdict, verify
from mockserver.spec.pointer import MISSING, join
from mockserver.store.store import UNCLAIMED

QUESTION_MEMBERS = (
    "account", "vendor", "operation", "answer", "accepted", "direction", "recipient", "since", "where", "when", "count",
    "within", "settle", "views",
)  # fmt: skip
MAX_WAIT_SECONDS = 60.0  # for calls, in one question
MAX_CALLS_SHOWN = 100
MAX_SECRET = 8 * 1024  # characters of a token or a key
TOKEN_CHARACTERS = f"{string.ascii_letters}{string.digits}_.-+/="


async def verify_calls(request: Request) -> Response:
    """Wait, decide, explain."""
    state = state_of(request)
    body = await read_object(request, QUESTION_MEMBERS)
    name = member(body, "account", str)
    if not name:
        raise ApiError(400, "name the account whose calls are meant", "/body/account")
    account = await journal_account(state, name, "/body/account", everybody=False)
    expectation, scope, doubts = _expectation(state, body)
    asked = Asked(
        account or UNCLAIMED,
        expectation,
        _count(member(body, "count", dict, {"at_least": 1})),
        within=seconds(body, "within", MAX_WAIT_SECONDS),
        settle=seconds(body, "settle", MAX_WAIT_SECONDS),
    )
    with_views = member(body, "views", bool, default=False)
    if doubts.impossible is not None and not await _has_happened(state, asked):
        at, why = doubts.impossible
        detail = f"no accepted call of {scope.what} has it: {why}. Ask without accepted, or for refused calls"
        raise ApiError(400, detail, at)
    verdict = await verify(state.store, asked)
    shape = await _shape(await state.as_of_now([asked.account]), asked, verdict, doubts.told(len(verdict.matched)))
    return await write({**shape, **await _views(state, _latest(verdict))} if with_views else shape)


async def _has_happened(state: State, asked: Asked) -> bool:
    """Whether there is such a call already, however unlikely it is: a pin may have forced its answer."""
    return bool((await verify(state.store, replace(asked, within=0, settle=0))).matched)


def _expectation(state: State, body: dict[str, Any]) -> tuple[Expectation, Scope, Doubts]:
    """What is asked, whose calls are meant, and what speaks against it. Raises ApiError."""
    kinds = {"vendor": str, "operation": str, "answer": str, "accepted": bool, "direction": str}
    kinds |= {"recipient": str, "since": str}
    values = {name: member(body, name, kind) for name, kind in kinds.items()}
    scope = read_scope(state, values, "body")
    since, recipient, pattern = values.pop("since"), values["recipient"], read_pattern(body)
    try:
        earliest = None if since is None else moment(since)
    except ValueError as error:
        raise ApiError(400, "must be a time as ISO 8601 has it", "/body/since") from error
    warnings = () if recipient is None else check_recipient(scope, recipient, "/body/recipient")
    doubts = check_pattern(scope, pattern)
    values["direction"] = scope.direction or "in"
    expectation = Expectation(**values, since=earliest, pattern=pattern)
    return expectation, scope, replace(doubts, warnings=warnings + doubts.warnings)


def _count(body: dict[str, Any]) -> Count:
    known = {"exactly", "at_least", "at_most"}
    body = {name: integral(value) for name, value in body.items()}
    for name, value in body.items():
        if name not in known:
            raise unknown("", name, sorted(known), join("body", "count", name))
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise ApiError(400, "must be a whole number, 0 or more", join("body", "count", name))
    if "exactly" in body:
        if len(body) > 1:
            raise ApiError(400, "exactly stands alone", "/body/count")
        return Count(body["exactly"], body["exactly"])
    count = Count(body.get("at_least", 0 if "at_most" in body else 1), body.get("at_most"))
    if count.most is not None and count.least > count.most:
        raise ApiError(400, "at_least is above at_most", "/body/count")
    return count


async def _shape(state: State, asked: Asked, verdict: Verdict, warnings: tuple[str, ...]) -> dict[str, Any]:
    matched = _latest(verdict)
    shapes = await shown(state, [*matched, *(miss.call for miss in verdict.nearest)])
    share = TimeShare()
    misses: list[Miss[Mapping[str, Any]]] = []
    for shape, miss in zip(shapes[len(matched) :], verdict.nearest, strict=True):
        misses.append(Miss(shape, tuple([one async for one in _masked_differences(state, miss, share)])))
    explanation = Explanation(
        what=asked.expectation.operation or asked.expectation.vendor or "any vendor",
        count=asked.count,
        accepted=asked.expectation.accepted,
        recipient=asked.expectation.recipient,
        matched=len(verdict.matched),
        among=f"{verdict.recorded} recorded for account {asked.account or 'unclaimed'}",
        unknown=_evicted(verdict.evicted) if verdict.verified is None else "",
        fitting=shapes[: len(matched)],
        nearest=misses,
    )
    lines = list(explanation.lines(partial(cure, state.contracts)))
    if not verdict.verified and not asked.count.is_exceeded(len(verdict.matched)):
        lines += await missing_lines(state, asked, verdict)
    lines += [f"Warning: {warning}" for warning in warnings]
    return {
        "verified": verdict.verified,
        "matched": len(verdict.matched),
        "evicted": verdict.evicted,
        "calls": shapes[: len(matched)],
        "nearest": [{"call": miss.call, "differences": _difference_shapes(miss)} for miss in misses],
        "message": "\n".join(lines),
        "warnings": list(warnings),
    }


def _latest(verdict: Verdict) -> Sequence[RecordedCall]:
    """The calls that are shown of those that fit, newest first."""
    return verdict.matched[: -MAX_CALLS_SHOWN - 1 : -1]


def _evicted(number: int) -> str:
    return (
        f"{number} calls of this account had to make room in the journal. "
        "Raise max-journal-calls or max-journal-bytes, or reset earlier"
    )


async def _masked_differences(state: State, miss: Miss[RecordedCall], share: TimeShare) -> AsyncIterator[Difference]:
    show, content_type = ShownDifferences(state.masker), content_type_of(miss.call.headers)
    for difference in map(_from_the_difference, miss.differences):
        at, expected, found = difference.pointer, difference.expected, difference.found
        yield Difference(at, show.differing(at, expected, content_type), show.differing(at, found, content_type))
        await share.checkpoint()


def _from_the_difference(difference: Difference) -> Difference:
    """Of two long texts what stands around the first difference; what begins a token or a key is not parted from it."""
    one, other = difference.expected, difference.found
    if not (isinstance(one, str) and isinstance(other, str)) or max(len(one), len(other)) <= MAX_MEMBER_SHOWN:
        return difference
    start = max(first_difference(one, other) - MAX_MEMBER_SHOWN // 2, 0)
    before = one[max(start - MAX_SECRET, 0) : start]
    begins = [len(before.rstrip(TOKEN_CHARACTERS)), before.rfind(PEM_BEGIN)]
    start -= max((len(before) - at for at in begins if at > 0), default=0)
    if not start:
        return difference
    return Difference(difference.pointer, *(f"({start} characters)…{text[start:]}" for text in (one, other)))


def _difference_shapes(miss: Miss[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"pointer": one.pointer, "expected": one.expected, "found": None if one.found is MISSING else one.found}
        for one in miss.differences
    ]


async def _views(state: State, calls: Sequence[RecordedCall]) -> dict[str, Any]:
    """The requests of these calls as patterns see them, as sent and masked; and what masks each secret of theirs."""
    share = TimeShare()
    views = []
    masks: dict[str, str] = {}
    for call in calls:
        parts = _parts(call)
        await share.checkpoint()
        sent = {**parts, "headers": unpack_headers(call.headers)}
        views.append({"sent": sent, "shown": await _masked(state, call, parts, share)})
        masks.update(state.masker.quotes(call).masks)
        await share.checkpoint()
    return {"views": views, "masks": masks}


def _parts(call: RecordedCall) -> dict[str, Any]:
    """A request as patterns see it, without its headers."""
    view = RequestView(call, call.reads)
    values: dict[str, Any] = {part: view.get(part) for part in ("recipient", *REQUEST_PARTS) if part != "headers"}
    values["answer"] = call.answer or MISSING
    return {part: value for part, value in values.items() if value is not MISSING}


async def _masked(state: State, call: RecordedCall, parts: Mapping[str, Any], share: TimeShare) -> dict[str, Any]:
    """These parts and the headers, as pairs, masked as they are shown; others get their turn after each."""
    show, content_type, masked = ShownDifferences(state.masker), content_type_of(call.headers), dict[str, Any]()
    for part, value in parts.items():
        masked[part] = show.differing(join(part), value, content_type)
        await share.checkpoint()
    masked["headers"] = show.at("/headers", show.headers, call.headers)
    await share.checkpoint()
    return masked
