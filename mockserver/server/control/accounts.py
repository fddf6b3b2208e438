"""Accounts over HTTP: list, make, show, reset, delete."""

import secrets
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from mockserver.exchange.account import Account
from mockserver.server.control.bodies import member, read_object
from mockserver.server.control.calls import learn_accounts
from mockserver.server.control.problems import ControlFault
from mockserver.server.control.state import origin, state_of
from mockserver.server.setup import BUILTIN_ACCOUNTS
from mockserver.server.shapes import account_shape, budget_shape, clock_shape
from mockserver.server.turns import Turns
from mockserver.spec.load import root_path
from mockserver.world.making import AccountFault


async def list_accounts(request: Request) -> Response:
    """``GET /_mock/accounts``. Each signs its tokens afresh: ten thousand take seconds, and a hundred megabytes."""
    turns, pieces = Turns(), [b'{"accounts":[']
    for account in await state_of(request).store.accounts():
        pieces += (b"," if len(pieces) > 1 else b"", msgspec.json.encode(await _shape(request, account)))
        await turns.give()
    pieces.append(b"]}")
    headers = {"Content-Length": str(sum(map(len, pieces)))}
    return StreamingResponse(_each(pieces), headers=headers, media_type="application/json")


async def _each(pieces: list[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def make_account(request: Request) -> Response:
    """``POST /_mock/accounts``: given values win, the rest is fresh."""
    body = await read_object(request, ("id", "vendors", "test"))
    account_id = member(body, "id", str, f"a-{secrets.token_hex(6)}")
    vendors, test = member(body, "vendors", dict, {}), member(body, "test", str)
    try:
        account = await state_of(request).store.add_account(account_id, vendors, test)
    except AccountFault as fault:
        raise ControlFault(409 if fault.clash else 400, str(fault), f"/body{fault.pointer}") from fault
    await learn_accounts(state_of(request), Turns())  # here it is a tenth of the work; all at once it would be seconds
    location = f"{origin(request)}/_mock/accounts/{account.id}"
    return JSONResponse(await _shape(request, account), 201, {"Location": location})


async def show_account(request: Request) -> Response:
    """``GET /_mock/accounts/{id}``."""
    return JSONResponse(await _shape(request, await account_of(request)))


async def delete_account(request: Request) -> Response:
    """``DELETE /_mock/accounts/{id}``: the account and its calls. The built-in two stay."""
    account = await account_of(request)
    if account.id in BUILTIN_ACCOUNTS:
        raise ControlFault(409, f"{account.id} is built in; reset it instead", "/path/id")
    await state_of(request).store.remove_account(account.id)
    return Response(status_code=204)


async def reset_account(request: Request) -> Response:
    """``POST /_mock/accounts/{id}/reset``: what it did is forgotten, its credentials stay."""
    account = await account_of(request)
    await state_of(request).store.reset_account(account.id)
    return Response(status_code=204)


async def account_of(request: Request) -> Account:
    """The account that the path names. Raises ControlFault."""
    account_id = request.path_params["id"]
    account = await state_of(request).store.account(account_id)
    if account is None:
        raise ControlFault(404, "there is no such account; GET /_mock/accounts lists them", "/path/id")
    return account


async def _shape(request: Request, account: Account) -> dict[str, Any]:
    state = state_of(request)
    shape = account_shape(account, state.contracts, origin(request), state.sources.now())
    for contract in state.contracts:
        shape["vendors"][contract.vendor]["unreachable_url"] = state.unreachable.origin + root_path(contract.servers[0])
    clock, real = await state.store.clock(account.id)
    shape["clock"] = clock_shape(clock, real)
    shape["limits"] = [budget_shape(*one) for one in await state.store.budgets(account.id)]
    return shape
