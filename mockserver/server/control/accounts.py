"""Accounts over HTTP: list, make, show, reset, delete, their clock and their rate limits."""

import math
import secrets
from asyncio import sleep
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from mockserver.engine.account import BUILTIN_ACCOUNTS, AccountData, tokens
from mockserver.engine.bodies import integral
from mockserver.engine.clock import REAL
from mockserver.engine.facts import Limit
from mockserver.server.checkpoint import TimeShare
from mockserver.server.control.listing import parameters
from mockserver.server.control.names import known_account, known_vendor
from mockserver.server.control.requests import ApiError, State, member, origin, read_object, state_of, unknown
from mockserver.server.curl_command import sample_command
from mockserver.server.serialize import account_shape, budget_shape, clock_shape, moment
from mockserver.spec.model import OperationSpec
from mockserver.spec.pointer import join
from mockserver.store.accounts import AccountError


async def list_accounts(request: Request) -> Response:
    """``GET /_mock/accounts``. Each signs its tokens afresh: ten thousand take seconds, and a hundred megabytes.

    With ``format=summary`` there is only what is switched on for each.
    """
    form = parameters(request, ("format",)).get("format", "json")
    if form not in {"json", "summary"}:
        raise unknown("format", form, ("json", "summary"), "/query/format")
    if form == "summary":
        return JSONResponse({"accounts": await _summaries(await state_of(request).as_of_now())})
    accounts = await state_of(request).store.accounts()
    now = await state_of(request).as_of_now([account.id for account in accounts])
    share, pieces = TimeShare(), [b'{"accounts":[']
    for account in accounts:
        pieces += (b"," if len(pieces) > 1 else b"", msgspec.json.encode(await _shape(request, account, now)))
        await share.checkpoint()
    pieces.append(b"]}")
    headers = {"Content-Length": str(sum(map(len, pieces)))}
    return StreamingResponse(_each(pieces), headers=headers, media_type="application/json")


async def _each(pieces: list[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def _summaries(state: State) -> list[dict[str, Any]]:
    """``{id, pins, limits, clock}`` of each account: its numbers of pins and limits, and its clock where it was set."""
    pins = Counter(pin.account for pin in await state.store.pins(None))
    share, shapes = TimeShare(), []
    for account in await state.store.accounts():
        clock, real = await state.store.clock(account.id)
        limits = {operation for operation, _, _ in await state.store.budgets(account.id)}
        set_clock = None if clock == REAL else clock_shape(clock, real)
        shapes.append({"id": account.id, "pins": pins[account.id], "limits": len(limits), "clock": set_clock})
        await share.checkpoint()
    return shapes


async def make_account(request: Request) -> Response:
    """``POST /_mock/accounts``: given values win, the rest is fresh."""
    body = await read_object(request, ("id", "vendors", "test", "seed"))
    account_id = member(body, "id", str, f"a-{secrets.token_hex(6)}")
    vendors, test = member(body, "vendors", dict, {}), member(body, "test", str)
    for vendor in vendors:
        known_vendor(state_of(request), vendor, join("body", "vendors", vendor))
    try:
        account = await state_of(request).store.add_account(account_id, vendors, test, _seed(body))
    except AccountError as error:
        raise ApiError(409 if error.clash else 400, str(error), f"/body{error.pointer}") from error
    location = f"{origin(request)}/_mock/accounts/{account.id}"
    return JSONResponse(await _shape(request, account), 201, {"Location": location})


def _seed(body: dict[str, Any]) -> int | None:
    if "seed" not in body:
        return None
    seed = integral(body["seed"])
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= MAX_SEED:
        raise ApiError(400, f"must be a whole number from 0 to {MAX_SEED}", "/body/seed")
    return seed


async def show_account(request: Request) -> Response:
    """``GET /_mock/accounts/{id}``."""
    return JSONResponse(await _shape(request, await account_of(request)))


async def delete_account(request: Request) -> Response:
    """``DELETE /_mock/accounts/{id}``: the account and its calls. The built-in two stay."""
    account = await account_of(request)
    if account.id in BUILTIN_ACCOUNTS:
        raise ApiError(409, f"{account.id} is built in; reset it instead", "/path/id")
    await state_of(request).store.remove_account(account.id)
    state_of(request).courier.forget(account.id)
    return Response(status_code=204)


async def reset_account(request: Request) -> Response:
    """``POST /_mock/accounts/{id}/reset``: what it did is forgotten, its credentials stay."""
    account = await account_of(request)
    await state_of(request).store.reset_account(account.id)
    state_of(request).courier.forget(account.id)
    return Response(status_code=204)


async def clear_switches(request: Request) -> Response:
    """``DELETE /_mock/accounts/{id}/switches``: no pins, faults and limits, and the real time; its calls stay."""
    account, store = await account_of(request), state_of(request).store
    await store.remove_pins(account.id)
    for operation, _, _ in await store.budgets(account.id):
        await store.put_limit(account.id, operation, None)
    await store.set_clock(account.id, REAL)
    return Response(status_code=204)


async def show_token(request: Request) -> Response:
    """``GET /_mock/accounts/{id}/tokens/{vendor}/{name}``: one credential as text, a token freshly signed."""
    account, state = await account_of(request), state_of(request)
    contract = known_vendor(state, request.path_params["vendor"], "/path/vendor", status=404)
    ready = tokens(contract, account.vendors[contract.vendor], state.sources.now())
    name = request.path_params["name"]
    if name not in ready:
        raise unknown(f"token of {contract.vendor}", name, ready, "/path/name", status=404)
    return PlainTextResponse(ready[name], headers={"Cache-Control": "no-store"})


async def show_curl(request: Request) -> Response:
    """``GET /_mock/accounts/{id}/curl/{vendor}``: a command that makes a call that the vendor accepts, as text."""
    account, state = await account_of(request), state_of(request)
    contract = known_vendor(state, request.path_params["vendor"], "/path/vendor", status=404)
    command = sample_command(contract, account, state.sources.now(), origin(request))
    return PlainTextResponse(f"{command}\n", headers={"Cache-Control": "no-store"})


async def account_of(request: Request) -> AccountData:
    """The account that the path names. Raises ApiError."""
    return await known_account(state_of(request), request.path_params["id"], "/path/id")


async def _shape(request: Request, account: AccountData, now: State | None = None) -> dict[str, Any]:
    """An account as the control API shows it; ``now`` is the state that it is read from, where that is at hand."""
    state = now or await state_of(request).as_of_now([account.id])
    shape = account_shape(account, state.contracts, origin(request), state.sources.now())
    for contract in state.contracts:
        shape["vendors"][contract.vendor]["unreachable_url"] = state.unreachable.origin + contract.base_path
    clock, real = await state.store.clock(account.id)
    shape["clock"] = clock_shape(clock, real)
    shape["limits"] = [budget_shape(*one) for one in await state.store.budgets(account.id)]
    shape["callbacks"] = [asdict(one) for one in await state.courier.pending(account.id, state.store)]
    return shape


MAX_SEED = 2**63 - 1
FURTHEST = 366 * 86400.0  # seconds that a clock may be advanced at once
LATEST = datetime(9000, 1, 1, tzinfo=UTC).timestamp()
MARGIN = 0.005  # seconds that a timer may be early


async def set_clock(request: Request) -> Response:
    """``POST /_mock/accounts/{id}/clock``: ``{advance: seconds}`` or ``{freeze: true | false | time}``."""
    account, store = await account_of(request), state_of(request).store
    body = await read_object(request, ("advance", "freeze"))
    if len(body) != 1:
        raise ApiError(400, "say one of: advance, freeze", "/body")
    if not isinstance(body.get("freeze"), bool):  # time jumps
        await _await_new_tokens(state_of(request), account)
        account = await account_of(request)  # it may be gone meanwhile
    clock, real = await store.clock(account.id)
    if "advance" in body:
        seconds = body["advance"]
        fits = isinstance(seconds, int | float) and not isinstance(seconds, bool)
        if not fits or not 0 <= seconds <= FURTHEST or clock.at(real) + seconds > LATEST:
            raise ApiError(400, f"must be a number of seconds from 0 to {FURTHEST:.0f}", "/body/advance")
        clock = clock.advanced(real, seconds)
    elif body["freeze"] is False:
        clock = clock.running(real)
    else:
        clock = clock.frozen(real, None if body["freeze"] is True else _moment(body["freeze"]))
    courier = state_of(request).courier
    async with courier.holding(account.id):
        await store.set_clock(account.id, clock)
        told = await courier.settle(account.id)
    return JSONResponse({**clock_shape(clock, real), "callbacks": told})


async def _await_new_tokens(state: State, account: AccountData) -> None:
    """Wait for the next second if a new token of the account came in this one: one signed now would be the same."""
    now = state.sources.now()
    if int(await state.store.newest_token(account.id)) == int(now):
        await sleep(int(now) + 1 - now + MARGIN)


async def put_limits(request: Request) -> Response:
    """``PUT /_mock/accounts/{id}/limits``: by vendor or operation true, false, or ``{requests, seconds}``."""
    body = await read_object(request, None)
    account, state = await account_of(request), state_of(request)
    wanted: dict[str, Limit | None] = {}
    for name, value in body.items():
        for operation in _operations(state, name):
            wanted[operation.id] = _limit(operation, value, join("body", name))
    for operation_id, limit in wanted.items():
        await state.store.put_limit(account.id, operation_id, limit)
    return JSONResponse({"limits": [budget_shape(*one) for one in await state.store.budgets(account.id)]})


def _moment(value: Any) -> float:
    try:
        found = moment(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise ApiError(400, "must be true, false, or a time as ISO 8601 has it", "/body/freeze") from error
    if not 0 <= found <= LATEST:
        raise ApiError(400, "must lie between 1970 and 9000", "/body/freeze")
    return found


def _operations(state: State, name: str) -> list[OperationSpec]:
    """The operation of this name, or those of the vendor that have a limit."""
    every = [o for contract in state.contracts for o in contract.operations if o.name == o.spelling]
    limited = [o for o in every if o.rate_limit is not None]
    found = [o for o in every if o.id == name] or [o for o in limited if o.vendor == name]
    if not found:
        known = [word for operation in limited for word in (operation.vendor, operation.id)]
        raise unknown("vendor or operation with a rate limit", name, known, join("body", name))
    return found


def _limit(operation: OperationSpec, value: Any, at: str) -> Limit | None:
    if operation.rate_limit is None:
        raise ApiError(400, f"the contract of {operation.id} states no rate limit", at)
    if value is False:
        return None
    documented = operation.rate_limit
    given = {} if value is True else value
    if not isinstance(given, dict) or not given.keys() <= {"requests", "seconds"}:
        raise ApiError(400, "must be true, false, or {requests, seconds}", at)
    requests, seconds = integral(given.get("requests", documented.requests)), given.get("seconds", documented.seconds)
    if isinstance(requests, bool) or not isinstance(requests, int) or not 1 <= requests <= 1_000_000:
        raise ApiError(400, "must be a whole number from 1 to 1000000", f"{at}/requests")
    number = isinstance(seconds, int | float) and not isinstance(seconds, bool) and math.isfinite(seconds)
    if not number or not 0.001 <= seconds <= 86400:
        raise ApiError(400, "must be a number of seconds from 0.001 to 86400", f"{at}/seconds")
    return Limit(requests, float(seconds))
