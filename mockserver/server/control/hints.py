"""Likely mistakes behind a failed verification: a wrong credential, calls that went elsewhere, asked too early."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from mockserver.engine.account import BUILTIN_ACCOUNTS
from mockserver.engine.call import RecordedCall, unpack_headers
from mockserver.server.checkpoint import TimeShare
from mockserver.server.control.paths import operation_paths
from mockserver.server.control.requests import State
from mockserver.server.control.shown_calls import shown
from mockserver.server.verification import Asked, Verdict
from mockserver.spec.model import Contract
from mockserver.spec.wording import shortened
from mockserver.store.journal import Query
from mockserver.store.store import UNCLAIMED

STRAYS_SEARCHED = 1000  # the latest calls of another account
MAX_STRAYS_LISTED = 3  # kinds of calls
MAX_PENDING_SHOWN = 5  # callbacks that are to come
MAX_LOST_LISTED = 3  # calls on unknown paths, of different method or path
MAX_LOST_AGE = 300.0  # seconds
MAX_PATH_SHOWN = 200  # characters
MAX_CREDENTIALS_LISTED = 4  # of a call


def cure(contracts: Iterable[Contract], call: Mapping[str, Any], problem: Mapping[str, Any]) -> str | None:
    """What the right credential is called, where a call's was wrong or missing."""
    if problem["kind"] not in {"unauthenticated", "forbidden"}:
        return None
    for contract in contracts:
        for scheme in contract.schemes if contract.vendor == call["vendor"] else ():
            if scheme.at == problem["at"]:
                place = "header" if scheme.where == "header" else "parameter"
                form = "Bearer <token>, the token being" if scheme.bearer else "the account's"
                return f'the right {place} {scheme.key}: {form} {contract.vendor}.tokens["{scheme.name}"]'
    return None


async def missing_lines(state: State, asked: Asked, verdict: Verdict) -> list[str]:
    """Where calls are missing: what became of them, as far as that can be told."""
    if asked.expectation.direction == "out":
        return await _pending_lines(state, asked)
    lines = [*await _stray_lines(state, asked), *await _lost_lines(state, asked)]
    if not lines and not verdict.recorded and not asked.within:
        return ["No call has come yet; code that sends in the background needs within=... (seconds to wait for it)."]
    return lines


async def _pending_lines(state: State, asked: Asked) -> list[str]:
    """The callbacks of the account that are to come, and why they have not come yet."""
    expected = asked.expectation
    pending = [f"{one.operation}: {one.note}" for one in await state.courier.pending(asked.account, state.store)]
    what = expected.operation or f"{expected.vendor or ''}."
    lines = [line for line in pending if line.startswith(what) or what == "."][:MAX_PENDING_SHOWN]
    return lines or ["No callback is to come: is there an address for it, in the request or the account?"]


async def _lost_lines(state: State, asked: Asked) -> list[str]:
    """Late calls of the account, or of nobody, on paths that no operation has, which were answered 404."""
    born, now, share = await state.store.born(asked.account), state.sources.now(), TimeShare()
    earliest = max(born, asked.expectation.since or 0.0, now - MAX_LOST_AGE)
    lost: dict[tuple[str, str], RecordedCall] = {}
    for account in dict.fromkeys((asked.account, UNCLAIMED)):
        for call in (await state.store.calls(Query(account=account, limit=STRAYS_SEARCHED))).calls:
            if len(lost) == MAX_LOST_LISTED or call.received_at < earliest:
                break
            if not call.vendor and call.status == 404:
                lost.setdefault((call.method, call.path), call)
            await share.checkpoint()
    requests = [call["request"] for call in await shown(state, list(lost.values()))]
    return [
        f"{request['method']} {shortened(request['path'], MAX_PATH_SHOWN)} got a 404: no operation has this path"
        + _nearest(state, request, json.loads(call.response_body))
        for request, call in zip(requests, lost.values(), strict=True)
    ]


def _nearest(state: State, request: Mapping[str, Any], answered: Mapping[str, Any]) -> str:
    """The operation that is nearest to a path, and what the client's base URL may lack or have too much.

    ``request`` is masked, ``answered`` the 404, which names operations whose paths look like this one.
    """
    members = [(contract, operation) for contract in state.contracts for operation in contract.operations]
    for path in sorted(operation_paths(members), key=lambda path: path.operation.method != request["method"]):
        name = f"; nearest: {path.operation.method} {path.text} ({path.operation.id})"
        if (lacking := path.lacking(request["path"])) is not None:
            return f"{name}: does the base URL lack {lacking}?"
        if (surplus := path.surplus(request["path"])) is not None:
            return f"{name}: does the base URL have {shortened(surplus, MAX_PATH_SHOWN)} too much?"
    nearest = answered["nearest"]
    return f"; nearest: {nearest[0]}" if nearest else ""


async def _stray_lines(state: State, asked: Asked) -> list[str]:
    """Calls since the account was made that nobody or a built-in account received, with what they carried."""
    strays = await _strays(state, asked) if asked.account != UNCLAIMED else []
    if not strays:
        return []
    kind = asked.expectation.operation or "its vendors"
    return [
        f"Since this account was made, calls of {kind} went elsewhere:",
        *(f"  {number} to {receiver}, carrying {credential}" for (receiver, credential), number in strays),
        "  Were the credentials read before the account was made (at import, say)?",
    ]


async def _strays(state: State, asked: Asked) -> list[tuple[tuple[str, str], int]]:
    """By receiver and credential, the number of such calls; the most frequent first."""
    born, share = await state.store.born(asked.account), TimeShare()
    numbers: Counter[tuple[str, str]] = Counter()
    for account in (UNCLAIMED, *BUILTIN_ACCOUNTS):
        if account == asked.account:
            continue
        receiver = "nobody" if account == UNCLAIMED else f"the built-in account {account}"
        latest = (await state.store.calls(Query(account=account, limit=STRAYS_SEARCHED))).calls
        for call in reversed(latest):
            if call.received_at >= born and asked.expectation.concerns(call) and call.vendor:
                numbers[receiver, _credential(state, call)] += 1
            await share.checkpoint()
    return numbers.most_common(MAX_STRAYS_LISTED)


def _credential(state: State, call: RecordedCall) -> str:
    """The credentials of a call, masked, as ``header x-api-key ***1a2b3c4d``; or that it had none."""
    carried = [
        f"{name} {state.masker.header(value)}"
        for name, value in unpack_headers(call.headers)
        if state.masker.hides_header(name)
    ]
    if carried:
        return "header " + ", header ".join(carried[:MAX_CREDENTIALS_LISTED])
    return "credentials in its query" if any(state.masker.presents(call)) else "no credential"
