"""Calls that are passed on to a real vendor, whose answer goes back unchanged; what departs from the contract is told.

Nothing here happens unless ``serve --forward-real`` asks for it: these routes then take the place of the mock's.
"""

import asyncio
import json
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import msgspec

from mockserver.engine.call import Label, RecordedCall, pack_headers
from mockserver.engine.facts import Facts
from mockserver.engine.request import Arrival, ParsedRequest
from mockserver.engine.response import RenderedResponse
from mockserver.engine.sources import steady_time
from mockserver.server.application import Application
from mockserver.server.drift.comparison import BY_REAL_VENDOR, Comparer, recorded_call
from mockserver.server.drift.recording import RecordingFile
from mockserver.server.drift.upstream import Received, Upstream, UpstreamError
from mockserver.server.routing import Endpoint, VendorRoute
from mockserver.server.wire.asgi import CLOSE, DisconnectedError, receive_body
from mockserver.server.wire.faults import send_whole
from mockserver.store.store import UNCLAIMED

MAX_UNDER_WAY = 50  # calls; an address that leads back here would pass them on for ever
MADE_UP = "the credentials are this server's own invention; a real vendor gets those of a real customer only"


def forward_real(app: Application, upstreams: Mapping[str, Upstream], recording: RecordingFile) -> None:
    """Have an application pass the calls of these vendors on, from its next request on."""
    forwarder = _Forwarder(app, upstreams, recording)
    routes = app.router.routes
    for position, route in enumerate(routes):
        if isinstance(route, VendorRoute) and forwarder.concerns(route.endpoint):
            routes[position] = VendorRoute(
                route.path,
                route.endpoint,
                partial(forwarder.answer, route),
                host=route.host,
                other_hosts=route.other_hosts,
                vendor=route.vendor,
            )


class _Passing(NamedTuple):
    """A request on its way: whom to, its target there, and what is known of it; None: the contract only names it."""

    vendor: str
    upstream: Upstream
    target: bytes
    headers: list[tuple[bytes, bytes]]
    arrival: Arrival
    request: ParsedRequest | None
    facts: Facts | None


class _Forwarder:
    """Passes calls on, and records both sides."""

    def __init__(self, app: Application, upstreams: Mapping[str, Upstream], recording: RecordingFile) -> None:
        self._upstreams = upstreams
        self._recording = recording
        self._mock = app.state.mock
        self._log = app.state.log
        self._comparer = Comparer(self._mock)
        self._under_way = 0

    def concerns(self, endpoint: Endpoint) -> bool:
        """Whether a path has a method of one of these vendors."""
        vendors = {o.vendor for o in endpoint.operations.values()} | {k.vendor for k in endpoint.known.values()}
        return bool(vendors & self._upstreams.keys())

    async def answer(  # noqa: PLR0913, PLR0917 -- what an endpoint is given, and the route that would answer
        self, route: VendorRoute, endpoint: Endpoint, params: dict[str, str], scope: Any, receive: Any, send: Any
    ) -> None:
        """Answer a request as the real vendor does; another vendor's, as ever."""
        if scope["method"] == "OPTIONS" or _vendor_of(endpoint, scope["method"]) not in self._upstreams:
            await route.answer(endpoint, params, scope, receive, send)
            return
        # A task: the request may be driven outside one, where no client of a real vendor can wait.
        await asyncio.get_running_loop().create_task(self._answer(route, params, scope, receive, send))

    async def _answer(self, route: VendorRoute, params: dict[str, str], scope: Any, receive: Any, send: Any) -> None:
        started = steady_time()
        self._under_way += 1
        try:
            passing, ended = await self._read(route, params, scope, receive)
            call, response = await self._pass_on(passing)
        except DisconnectedError:
            return
        finally:
            self._under_way -= 1
        if self._mock.settings.explain:
            own = f"\r\nx-mock-real: {passing.upstream.origin}\r\nx-mock-call: {call.id}".encode("ascii")
            response = msgspec.structs.replace(response, head=(response.head + own).removeprefix(b"\r\n"))
        if not ended:
            response = msgspec.structs.replace(response, head=(response.head + CLOSE).removeprefix(b"\r\n"))
        outcome = "aborted"
        try:
            await send_whole(send, response)
            outcome = "sent"
        finally:
            await self._mock.store.complete(call, outcome, (steady_time() - started) * 1000)
            self._say(call)

    def _say(self, call: RecordedCall) -> None:
        if self._log is not None:
            quotes = self._comparer.masker.quotes(call)
            words = {"recipient": quotes.text(call.recipient), "path": quotes.text(call.path)}
            self._log.add(msgspec.structs.replace(call, **words))
            for note in json.loads(call.notes):
                self._log.note(quotes.text(note))

    async def _read(
        self, route: VendorRoute, params: dict[str, str], scope: Any, receive: Any
    ) -> tuple[_Passing, bool]:
        """A request, and whether its body was read to the end. Raises DisconnectedError."""
        body, oversize, ended = await receive_body(receive, self._mock.settings.max_body)
        method, path, query, headers = scope["method"], scope["path"], scope["query_string"], scope["headers"]
        arrival = Arrival(method, path, params, query, pack_headers(headers), body, oversize)
        vendor, operation = _vendor_of(route.endpoint, method), _operation_of(route.endpoint, method)
        request = None if operation is None else self._comparer.parse(operation, arrival)
        request = None if request is not None and request.known else request
        facts = None if request is None else await self._mock.store.facts(request)
        below = f"/{route.vendor}".encode() if route.vendor else b""
        target = scope["raw_path"].removeprefix(below) + (b"?" + query if query else b"")
        return _Passing(vendor, self._upstreams[vendor], target, headers, arrival, request, facts), ended

    async def _pass_on(self, passing: _Passing) -> tuple[RecordedCall, RenderedResponse]:
        """What is recorded of a request, and what goes back to its client."""
        refusal = await self._refusal(passing)
        if refusal:
            return await self._refused(passing, refusal)
        arrival, upstream = passing.arrival, passing.upstream
        try:
            received = await upstream.send(arrival.method, passing.target, passing.headers, arrival.body)
        except UpstreamError as error:
            return await self._refused(passing, f"{upstream.origin} gave no answer: {error}")
        headers = [(name, value) for name, value in received.headers if not _is_our_own(name)]
        return await self._received(passing, received), RenderedResponse.of(received.status, headers, received.body)

    async def _refusal(self, passing: _Passing) -> str:
        """Why a request is not passed on; "" where it is."""
        if self._under_way > MAX_UNDER_WAY:
            return f"{MAX_UNDER_WAY} calls are on their way to real vendors; does the address lead back here?"
        if passing.arrival.oversize:
            return f"the body has more than {self._mock.settings.max_body} bytes (--max-body)"
        request, facts = passing.request, passing.facts
        is_made_up = (
            request is not None
            and facts is not None
            and self._comparer.customers.has_made_up(request, facts.owners)
        )  # fmt: skip
        if is_made_up or await self._comparer.made_up.is_in(passing.arrival, passing.target.decode("latin-1")):
            return MADE_UP
        return ""

    async def _refused(self, passing: _Passing, reason: str) -> tuple[RecordedCall, RenderedResponse]:
        """A call that got our own words: nothing was passed on, or nothing came back."""
        problem = {"type": "about:blank", "title": "Not passed on", "status": 502, "detail": f"REAL: {reason}."}
        own = Received(502, [(b"content-type", b"application/problem+json")], json.dumps(problem).encode("ascii"))
        call = await self._noted(passing, own, f"not passed on: {reason}")
        return call, RenderedResponse.of(own.status, own.headers, own.body)

    async def _received(self, passing: _Passing, received: Received) -> RecordedCall:
        """The record of a call that was answered."""
        request, facts = passing.request, passing.facts
        if request is None or facts is None:
            call = await self._noted(passing, received, "the contract only names this method")
            self._recording.add(await self._comparer.as_named_only(call, str(passing.upstream.origin)))
            return call
        compared = self._comparer.compare(request, facts, received, str(passing.upstream.origin))
        await self._mock.store.commit(compared.call)
        self._recording.add(await self._comparer.as_recorded(compared))
        return compared.call

    async def _noted(self, passing: _Passing, received: Received, note: str) -> RecordedCall:
        """The record of a call of which there is nothing to compare."""
        request, facts = passing.request, passing.facts
        claimant = facts.claimant(request.claims) if request is not None and facts is not None else None
        label = Label(
            passing.vendor,
            request.operation.id if request is not None else "",
            chosen_by=BY_REAL_VENDOR,
            status=received.status,
            notes=json.dumps([f"REAL {passing.upstream.origin}: {note}"]),
        )
        account = claimant.id if claimant is not None else UNCLAIMED
        call = recorded_call(passing.arrival, label, account, received)
        call.received_at = self._mock.sources.now()
        await self._mock.store.commit(call)
        return call


def _is_our_own(name: bytes) -> bool:
    """Whether our connection says this itself: its length, its date, and what is told beside an answer."""
    return name in {b"content-length", b"date"} or name.startswith(b"x-mock-")


def _operation_of(endpoint: Endpoint, method: str) -> Any:
    """The operation of a method, or that which answers one that is none; None where the contract only names it."""
    if method in endpoint.operations:
        return endpoint.operations[method]
    return None if method in endpoint.known else endpoint.otherwise


def _vendor_of(endpoint: Endpoint, method: str) -> str:
    if method in endpoint.known and method not in endpoint.operations:
        return endpoint.known[method].vendor
    operation = _operation_of(endpoint, method)
    return "" if operation is None else str(operation.vendor)
