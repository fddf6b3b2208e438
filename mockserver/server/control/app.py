"""The control API as one Starlette application, and who may use it."""

import hmac
import ipaddress
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from mockserver.server.control import accounts, calls, contracts, events, messages, metrics, pins, verify
from mockserver.server.control.page import page_routes
from mockserver.server.control.requests import (
    ApiError,
    State,
    on_api_error,
    on_http_exception,
    on_store_unavailable,
    problem,
    state_of,
)
from mockserver.server.routing import CONTROL
from mockserver.server.settings import Settings, is_loopback
from mockserver.spec.addresses import host_of_header, host_of_origin
from mockserver.store.kinds import StoreUnavailableError

OPEN = f"{CONTROL}/health"


CORS_METHODS = "GET, HEAD, POST, PUT, DELETE"


class Guard:
    """Refuses what could come from a web page that was led here by DNS rebinding, or from a stranger.

    A page may use the control API where its origin is allowed by name (CORS).
    """

    def __init__(self, app: Any, settings: Settings) -> None:
        self._app = app
        self._token = settings.admin_token
        self._local = settings.is_loopback
        self._origins = frozenset(origin.lower() for origin in settings.allow_origin)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        origin = request.headers.get("origin")
        is_allowed = origin is not None and origin.lower() in self._origins
        if is_allowed:
            send = _with_cors(send, str(origin))
        if is_allowed and scope["method"] == "OPTIONS" and "access-control-request-method" in request.headers:
            answer: Any = _preflight(request)
        else:
            answer = None if scope["path"] == OPEN else self._refusal(request, origin, is_allowed=is_allowed)
        await (answer or self._app)(scope, receive, send)

    def _refusal(self, request: Request, origin: str | None, *, is_allowed: bool) -> Response | None:
        is_local = self._local and not _comes_from_elsewhere(request)
        if self._token is not None:
            kind, _, token = request.headers.get("authorization", "").partition(" ")
            right = hmac.compare_digest(token.strip().encode(), self._token.encode())
            if kind.lower() == "bearer" and right:
                return None
            if not is_local or token:
                detail = "the control API needs Authorization: Bearer <MOCKSERVER_ADMIN_TOKEN>"
                return problem(401, detail, "/header/authorization", {"WWW-Authenticate": "Bearer"})
        elif not is_local:  # a Host header proves nothing: whoever reaches the server writes it
            return problem(403, "beyond loopback, the control API is closed until MOCKSERVER_ADMIN_TOKEN is set")
        if not is_loopback(host_of_header(request.headers.get("host", ""))):
            return problem(403, "the control API answers only to a loopback Host", "/header/host")
        return None if is_allowed else _refusal_of_page(request, origin)


def _refusal_of_page(request: Request, origin: str | None) -> Response | None:
    """The refusal of a request that a page from elsewhere has made, as far as its browser tells."""
    allow = "; --allow-origin (MOCKSERVER_ALLOW_ORIGIN) lets the pages of an origin use it"
    if origin is not None and not is_loopback(host_of_origin(origin)):
        return problem(403, f"the control API answers only to a loopback Origin{allow}", "/header/origin")
    if request.headers.get("sec-fetch-site", "").strip().lower() == "cross-site":
        return problem(403, f"the control API answers no page of another site{allow}", "/header/sec-fetch-site")
    return None


def _preflight(request: Request) -> Response:
    """What a browser asks before a page's request: which it may send."""
    headers = {
        "Access-Control-Allow-Methods": CORS_METHODS,
        "Access-Control-Allow-Headers": "Authorization, Content-Type",
        "Access-Control-Max-Age": "600",
    }
    if "access-control-request-private-network" in request.headers:
        headers["Access-Control-Allow-Private-Network"] = "true"
    return Response(status_code=204, headers=headers)


def _with_cors(send: Any, origin: str) -> Any:
    """A ``send`` whose responses a page of this origin may read."""

    async def send_with_cors(message: Any) -> None:
        if message["type"] == "http.response.start":
            more = [(b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"Origin")]
            more.append((b"access-control-expose-headers", b"Location"))
            message = {**message, "headers": [*message.get("headers", ()), *more]}
        await send(message)

    return send_with_cors


def _comes_from_elsewhere(request: Request) -> bool:
    """Whether the client's address is another machine's, though the settings say that only this one reaches us.

    Another ASGI server listens where its own settings say.
    """
    try:
        address = ipaddress.ip_address(request.client.host if request.client is not None else "")
    except ValueError:  # a client in this process, or one on a Unix socket
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return not (mapped or address).is_loopback


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
        if response.status_code < 400:
            state_of(Request(scope)).changes.note(scope["method"], scope["path"].removeprefix(CONTROL))
        await response(scope, receive, send)


def control_routes(state: State) -> list[BaseRoute]:
    """The page, and the guarded control API: ``/_mock`` itself, and all below."""
    app = _control_app(state)
    return [*page_routes(state.contracts, app), Mount(CONTROL, app)]


def _control_app(state: State) -> Starlette:
    """The application, its paths without ``/_mock``; ``state`` is what its handlers work on."""
    app = Starlette(
        routes=[
            _route("/health", get=contracts.health),
            _route("/metrics", get=metrics.show_metrics),
            _route("/openapi.json", get=contracts.openapi),
            _route("/contract-schema.json", get=contracts.contract_schema),
            _route("/contracts", get=contracts.list_contracts),
            _route("/contracts/{vendor}", get=contracts.show_contract),
            _route("/accounts", get=accounts.list_accounts, post=accounts.make_account),
            _route("/accounts/{id}", get=accounts.show_account, delete=accounts.delete_account),
            _route("/accounts/{id}/reset", post=accounts.reset_account),
            _route("/accounts/{id}/switches", delete=accounts.clear_switches),
            _route("/accounts/{id}/curl/{vendor}", get=accounts.show_curl),
            _route("/accounts/{id}/tokens/{vendor}/{name}", get=accounts.show_token),
            _route("/accounts/{id}/clock", post=accounts.set_clock),
            _route("/accounts/{id}/limits", put=accounts.put_limits),
            _route("/accounts/{id}/callbacks/take", post=messages.take_callbacks),
            _route("/accounts/{id}/callbacks/{call}", post=messages.redeliver),
            _route("/messages", get=messages.list_messages),
            _route("/inbound", post=messages.receive_message),
            _route("/calls", get=calls.list_calls, delete=calls.clear_calls),
            _route("/calls/verify", post=verify.verify_calls),
            _route("/calls/{id}", get=calls.show_call),
            _route("/calls/{id}/why", get=calls.explain_call),
            _route("/events", get=events.show_events),
            _route("/pins", get=pins.list_pins, delete=pins.clear_pins),
            _route("/pins/{operation}", put=pins.put_pin),
            _route("/coverage", get=contracts.show_coverage),
            _route("/trust", get=contracts.show_trust),
        ],
        middleware=[Middleware(Guard, settings=state.settings)],
        exception_handlers={
            ApiError: on_api_error,
            HTTPException: on_http_exception,
            StoreUnavailableError: on_store_unavailable,
        },
    )
    app.router.redirect_slashes = False
    app.state.mock = state
    return app


def _route(path: str, **handlers: Any) -> Route:
    return Route(path, _Methods(handlers))
