"""The control API as one Starlette application."""

from importlib.resources import files
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.routing import Route

from mockserver.server.control import accounts, calls, contracts, pins, tempo, verify
from mockserver.server.control.guard import Guard
from mockserver.server.control.problems import ControlFault, on_fault, on_http_exception
from mockserver.server.control.state import State
from mockserver.spec.source import read


class _Methods:
    """One path's handlers by method. Takes every method, so that no path with a parameter takes it instead."""

    def __init__(self, handlers: dict[str, Any]) -> None:
        self._handlers = {"head": handlers["get"], **handlers} if "get" in handlers else handlers

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        handler = self._handlers.get(scope["method"].lower())
        if handler is None:
            raise HTTPException(405, headers={"Allow": ", ".join(self._handlers).upper()})
        try:
            response = await handler(Request(scope, receive))
        except ClientDisconnect:  # nobody is there to be answered
            return
        await response(scope, receive, send)


def control_app(state: State) -> Any:
    """The guarded application; ``state`` is what its handlers work on."""
    app = Starlette(
        routes=[
            _route("/_mock/health", get=contracts.health),
            _route("/_mock/openapi.json", get=contracts.openapi),
            _route("/_mock/contracts", get=contracts.list_contracts),
            _route("/_mock/contracts/{vendor}", get=contracts.show_contract),
            _route("/_mock/accounts", get=accounts.list_accounts, post=accounts.make_account),
            _route("/_mock/accounts/{id}", get=accounts.show_account, delete=accounts.delete_account),
            _route("/_mock/accounts/{id}/reset", post=accounts.reset_account),
            _route("/_mock/accounts/{id}/clock", post=tempo.set_clock),
            _route("/_mock/accounts/{id}/limits", put=tempo.put_limits),
            _route("/_mock/calls", get=calls.list_calls, delete=calls.clear_calls),
            _route("/_mock/calls/verify", post=verify.verify_calls),
            _route("/_mock/calls/{id}", get=calls.show_call),
            _route("/_mock/pins", get=pins.list_pins, delete=pins.clear_pins),
            _route("/_mock/pins/{operation}", put=pins.put_pin),
            _route("/_mock/coverage", get=contracts.coverage),
        ],
        exception_handlers={ControlFault: on_fault, HTTPException: on_http_exception},
    )
    app.router.redirect_slashes = False
    app.state.mock = state
    return Guard(app, state.settings)


def _route(path: str, **handlers: Any) -> Route:
    return Route(path, _Methods(handlers))


def description() -> dict[str, Any]:
    """The control API's OpenAPI document."""
    file = files("mockserver.server.control").joinpath("openapi.yaml")
    document: dict[str, Any] = read("openapi.yaml", file.read_text("utf-8")).value
    return document
