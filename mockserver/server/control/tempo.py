"""An account's time and rate limits over HTTP."""

import math
from asyncio import sleep
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mockserver.exchange.bodies import integral
from mockserver.exchange.budget import Limit
from mockserver.server.control.accounts import account_of
from mockserver.server.control.bodies import read_object
from mockserver.server.control.problems import ControlFault
from mockserver.server.control.state import State, state_of
from mockserver.server.shapes import budget_shape, clock_shape, moment
from mockserver.spec.contract import Operation
from mockserver.spec.pointer import join

FURTHEST = 366 * 86400.0  # seconds that a clock may be advanced at once
LATEST = datetime(9000, 1, 1, tzinfo=UTC).timestamp()
MARGIN = 0.005  # seconds that a timer may be early


async def set_clock(request: Request) -> Response:
    """``POST /_mock/accounts/{id}/clock``: ``{advance: seconds}`` or ``{freeze: true | false | time}``."""
    account, store = await account_of(request), state_of(request).store
    body = await read_object(request, ("advance", "freeze"))
    if len(body) != 1:
        raise ControlFault(400, "say one of: advance, freeze", "/body")
    if not isinstance(body.get("freeze"), bool):  # time jumps
        await _await_new_tokens(state_of(request))
        account = await account_of(request)  # it may be gone meanwhile
    clock, real = await store.clock(account.id)
    if "advance" in body:
        seconds = body["advance"]
        fits = isinstance(seconds, int | float) and not isinstance(seconds, bool)
        if not fits or not 0 <= seconds <= FURTHEST or clock.at(real) + seconds > LATEST:
            raise ControlFault(400, f"must be a number of seconds from 0 to {FURTHEST:.0f}", "/body/advance")
        clock = clock.advanced(real, seconds)
    elif body["freeze"] is False:
        clock = clock.running(real)
    else:
        clock = clock.frozen(real, None if body["freeze"] is True else _moment(body["freeze"]))
    await store.set_clock(account.id, clock)
    return JSONResponse(clock_shape(clock, real))


async def _await_new_tokens(state: State) -> None:
    """Wait for the next second if a token came in this one: a client that signs another now would write the same."""
    now = state.sources.now()
    if int(await state.store.newest_token()) == int(now):
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
        raise ControlFault(400, "must be true, false, or a time as ISO 8601 has it", "/body/freeze") from error
    if not 0 <= found <= LATEST:
        raise ControlFault(400, "must lie between 1970 and 9000", "/body/freeze")
    return found


def _operations(state: State, name: str) -> list[Operation]:
    """The operation of this name, or those of the vendor that have a limit."""
    every = [o for contract in state.contracts for o in contract.operations if o.name == o.spelling]
    found = [o for o in every if o.id == name or (o.vendor == name and o.rate_limit is not None)]
    if not found:
        detail = "is no operation, and no vendor that documents a rate limit; GET /_mock/contracts lists them"
        raise ControlFault(400, detail, join("body", name))
    return found


def _limit(operation: Operation, value: Any, at: str) -> Limit | None:
    if operation.rate_limit is None:
        raise ControlFault(400, f"the contract of {operation.id} states no rate limit", at)
    if value is False:
        return None
    documented = operation.rate_limit
    given = {} if value is True else value
    if not isinstance(given, dict) or not given.keys() <= {"requests", "seconds"}:
        raise ControlFault(400, "must be true, false, or {requests, seconds}", at)
    requests, seconds = integral(given.get("requests", documented.requests)), given.get("seconds", documented.seconds)
    if isinstance(requests, bool) or not isinstance(requests, int) or not 1 <= requests <= 1_000_000:
        raise ControlFault(400, "must be a whole number from 1 to 1000000", f"{at}/requests")
    number = isinstance(seconds, int | float) and not isinstance(seconds, bool) and math.isfinite(seconds)
    if not number or not 0.001 <= seconds <= 86400:
        raise ControlFault(400, "must be a number of seconds from 0.001 to 86400", f"{at}/seconds")
    return Limit(requests, float(seconds))
