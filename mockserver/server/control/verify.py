"""``POST /_mock/calls/verify``: was it called? Always 200; the answer is in the body."""

from collections import Counter
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from mockserver.engine.bodies import integral
from mockserver.engine.call import RecordedCall, unpack_headers
from mockserver.engine.expectation import Expectation
from mockserver.server.build import BUILTIN_ACCOUNTS
from mockserver.server.checkpoint import Turns
from mockserver.server.control.calls import account_name, shown
from mockserver.server.control.requests import (
    ApiError,
    State,
    member,
    read_object,
    read_pattern,
    seconds,
    state_of,
    write,
)
from mockserver.server.messages import Stray, explain
from mockserver.server.serialize import Shown, moment
from mockserver.server.verification import Asked, Count, Near, Verdict, verify
from mockserver.spec.pointer import MISSING, join
from mockserver.store.journal import Query
from mockserver.store.store import UNCLAIMED

MEMBERS = (
    "account", "vendor", "operation", "answer", "accepted", "recipient", "since", "where", "when", "count", "within",
    "settle",
)  # fmt: skip
LONGEST = 60  # seconds that a verification may wait
SHOWN = 100
STRAYS = 1000  # latest calls of another account among which strays are looked for


async def verify_calls(request: Request) -> Response:
    """Wait, decide, explain."""
    state = state_of(request)
    body = await read_object(request, MEMBERS)
    name = member(body, "account", str)
    if not name:
        raise ApiError(400, "name the account whose calls are meant", "/body/account")
    account = account_name(name) or UNCLAIMED
    if account != UNCLAIMED and await state.store.account(account) is None:
        raise ApiError(404, "there is no such account; GET /_mock/accounts lists them", "/body/account")
    asked = Asked(
        account,
        _expectation(state, body),
        _count(member(body, "count", dict, {"at_least": 1})),
        within=seconds(body, "within", LONGEST),
        settle=seconds(body, "settle", LONGEST),
    )
    return write(await _shape(state, asked, await verify(state.store, asked)))


def _expectation(state: State, body: dict[str, Any]) -> Expectation:
    operation, vendor = member(body, "operation", str), member(body, "vendor", str)
    known = {o.id for contract in state.contracts for o in contract.operations}
    if operation is not None and operation not in known:
        raise ApiError(400, f"there is no such operation; known: {', '.join(sorted(known))}", "/body/operation")
    vendors = [contract.vendor for contract in state.contracts]
    if vendor is not None and vendor not in vendors:
        raise ApiError(400, f"there is no such vendor; known: {', '.join(vendors)}", "/body/vendor")
    answer = member(body, "answer", str)
    if answer is not None and not _is_known(state, answer):
        raise ApiError(400, "no contract has such an answer; GET /_mock/contracts lists them", "/body/answer")
    since = member(body, "since", str)
    try:
        earliest = None if since is None else moment(since)
    except ValueError as error:
        raise ApiError(400, "must be a time as ISO 8601 has it", "/body/since") from error
    return Expectation(
        vendor=vendor,
        operation=operation,
        answer=answer,
        accepted=member(body, "accepted", bool),
        recipient=member(body, "recipient", str),
        since=earliest,
        pattern=read_pattern(body),
    )


def _is_known(state: State, answer: str) -> bool:
    """Whether any operation has this answer, by name or id: a misspelt one would never be met."""
    return any(
        answer in {known.name, known.id}
        for contract in state.contracts
        for operation in contract.operations
        for known in operation.answers.values()
    )


def _count(body: dict[str, Any]) -> Count:
    known = {"exactly", "at_least", "at_most"}
    body = {name: integral(value) for name, value in body.items()}
    for name, value in body.items():
        if name not in known:
            raise ApiError(400, f"is not known here; known: {', '.join(sorted(known))}", join("body", "count", name))
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


async def _shape(state: State, asked: Asked, verdict: Verdict) -> dict[str, Any]:
    account = asked.account
    owner = await state.store.account(account)
    matched = verdict.matched[: -SHOWN - 1 : -1]
    shapes = await shown(state, [*matched, *(near.call for near in verdict.nearest)])

    def masked(call: RecordedCall) -> Shown:
        return Shown(state.masker, state.masker.of_call(call, owner))

    strays = [] if verdict.verified or account == UNCLAIMED else await _strays(state, asked)
    return {
        "verified": verdict.verified,
        "matched": len(verdict.matched),
        "evicted": verdict.evicted,
        "calls": shapes[: len(matched)],
        "nearest": [
            {"call": call, "differences": _differences(near, masked(near.call))}
            for call, near in zip(shapes[len(matched) :], verdict.nearest, strict=True)
        ],
        "message": explain(verdict, asked, strays, state.contracts, masked),
    }


def _differences(near: Near, masked: Shown) -> list[dict[str, Any]]:
    return [
        {
            "pointer": one.pointer,
            "expected": masked.value(one.expected),
            "found": None if one.found is MISSING else masked.value(one.found),
        }
        for one in near.differences
    ]


async def _strays(state: State, asked: Asked) -> list[Stray]:
    """Calls since the account was made that nobody or a built-in account got."""
    account, expectation = asked.account, asked.expectation
    born, turns = await state.store.born(account), Turns()
    found: Counter[tuple[str, str]] = Counter()
    for other in (UNCLAIMED, *BUILTIN_ACCOUNTS):
        if other == account:
            continue
        whose = "nobody" if other == UNCLAIMED else f"the built-in account {other}"
        latest = (await state.store.calls(Query(account=other, limit=STRAYS))).calls
        for call in reversed(latest):
            if call.received_at >= born and expectation.concerns(call) and call.vendor:
                found[whose, _credential(state, call)] += 1
            await turns.give()
    return [(whose, number, credential) for (whose, credential), number in found.most_common(3)]


def _credential(state: State, call: RecordedCall) -> str:
    """The credentials of a call, masked, as ``header x-api-key ***1a2b3c4d``; or that it had none."""
    carried = [
        f"{name} {state.masker.header(value)}"
        for name, value in unpack_headers(call.headers)
        if state.masker.hides_header(name)
    ]
    if carried:
        return "header " + ", header ".join(carried)
    return "credentials in its query" if state.masker.hides_any(call) else "no credential"
