"""One exchange with a client, in seven hops: the endpoint behind every vendor's path."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from mockserver.engine.call import Label, RecordedCall, pack_headers
from mockserver.engine.engine import Decision, Engine
from mockserver.engine.fault import Fault
from mockserver.engine.problem import Problem
from mockserver.engine.request import Arrival, ParsedRequest
from mockserver.engine.response import RenderedResponse
from mockserver.engine.sources import steady_time
from mockserver.server.control.requests import State
from mockserver.server.log import CallLog
from mockserver.server.routing import BELONGS_ELSEWHERE, Endpoint, KnownMethod
from mockserver.server.wire.asgi import CLOSE, WIRE, Connection, DisconnectedError, HttpExchange, receive_body
from mockserver.server.wire.faults import ClientLeftError, deliver, send_whole
from mockserver.spec.evidence import worse_parts
from mockserver.store.kinds import StoreUnavailableError
from mockserver.store.store import UNCLAIMED

NO_EXTENSIONS: Mapping[str, Any] = {}
NO_PATH = Label(status=404)  # of calls whose path no contract has
MAX_LABELS = 4_096  # whose headers are remembered


class ReadyResponse(msgspec.Struct, frozen=True):
    """What goes to a client, headers packed, and how: the record of it, the fault and the request's number for it.

    ``problem`` is the one that is answered; ``nearest`` are operations near a path that no contract has.
    """

    call: RecordedCall
    head: bytes
    body: bytes
    fault: Fault | None = None
    number: int = 0
    problem: Problem | None = None
    nearest: Sequence[str] = ()

    @property
    def response(self) -> RenderedResponse:
        return RenderedResponse(self.call.status, self.head, self.body)


class Exchanges:
    """Answers clients as the vendors would, and records it."""

    def __init__(self, mock: State, log: CallLog | None) -> None:
        self._engine = Engine(mock.contracts, mock.sources, mock.settings.max_body)
        self._store = mock.store
        self._sources = mock.sources
        self._max_body = mock.settings.max_body
        self._explain = mock.settings.explain
        self._log = log
        self._answer_headers = lru_cache(maxsize=MAX_LABELS)(_answer_headers)

    async def answer(self, endpoint: Endpoint, params: dict[str, str], scope: Any, receive: Any, send: Any) -> None:
        """Answer a request whose path is documented. The first hop, route, is the application's."""
        started = steady_time()
        if scope["method"] == "OPTIONS":
            await send_whole(send, RenderedResponse(204, b"allow: " + endpoint.allow, b""))
            return
        wire = _wire(scope)
        try:
            ready = await self._exchange(endpoint, params, scope, receive, wire)
        except DisconnectedError:
            return
        except StoreUnavailableError as error:
            await self._refuse(error, scope, send)
            return
        await self._send(ready, started, wire, send)  # 7 send

    async def unknown_path(self, nearest: list[str], scope: Any, receive: Any, send: Any) -> None:
        """Answer a request whose path no contract has, in our own words, which name the ``nearest`` operations."""
        started = steady_time()
        try:
            ready = await self._unknown_path(nearest, scope, receive)
        except DisconnectedError:
            return
        except StoreUnavailableError as error:
            await self._refuse(error, scope, send)
            return
        await self._send(ready, started, _wire(scope), send)

    async def _refuse(self, error: StoreUnavailableError, scope: Any, send: Any) -> None:
        """Refuse a request whose record cannot be kept; it has a line in the log nevertheless, and counts."""
        self._store.condition.refused += 1
        if self._log is not None:
            self._log.refusal(scope["method"], scope["path"], 503, str(error))
        await send_whole(send, _unavailable(error))

    async def _send(self, ready: ReadyResponse, started: float, wire: HttpExchange | None, send: Any) -> None:
        """Send what there is to send; note how it ended, and how long it all took."""
        outcome = "aborted"
        try:
            if ready.fault is not None:
                outcome = await _send_with(ready.fault, ready, wire, send)
            elif wire is None or send != wire.send:  # what is around our application looks at what is sent
                await send_whole(send, ready.response)
                outcome = "sent"
            elif wire.respond(ready.call.status, ready.head, ready.body):
                outcome = "sent"
        finally:
            await self._store.complete(ready.call, outcome, (steady_time() - started) * 1000)
            if self._log is not None:
                self._log.add(ready.call, ready.problem, ready.nearest)

    async def _exchange(
        self, endpoint: Endpoint, params: dict[str, str], scope: Any, receive: Any, wire: HttpExchange | None
    ) -> ReadyResponse:
        method = scope["method"]
        operation = endpoint.operations.get(method)
        if operation is None:
            if endpoint.otherwise is None or method in endpoint.known:
                return await self._not_mocked(endpoint, scope, receive)
            operation = endpoint.otherwise
        limit = operation.body_limit or self._max_body
        if wire is not None and wire.is_whole and receive == wire.receive:  # 2 receive
            body, oversize, ended = wire.take(limit)
        else:
            body, oversize, ended = await receive_body(receive, limit)
        headers = pack_headers(scope["headers"])
        arrival = Arrival(method, scope["path"], params, scope["query_string"], headers, body, oversize)
        request = self._engine.parse(operation, arrival)  # 3 parse
        if request.known and operation.dispatch is not None:
            where = operation.dispatch.known[request.known]
            return await self._known(KnownMethod(operation.vendor, request.known, where), arrival, ended)
        committed = False
        while not committed:  # another request may use up what this one was decided by
            facts = await self._store.facts(request)  # 4 recognise
            decision = self._engine.decide(request, facts)  # 5 decide
            committed = await self._store.commit(decision.call, decision.uses, request, facts.version)  # 6 commit
        call = decision.call
        head = call.response_headers
        if self._explain:
            head += self._answer_headers(call.label) + _call_headers(decision, request)
        if request.problems and request.problems[0].kind == "method":
            head += b"\r\nallow: " + endpoint.allow
        if not ended:
            head += CLOSE
        if not call.response_headers:
            head = head.removeprefix(b"\r\n")
        return ReadyResponse(call, head, call.response_body, decision.fault, decision.number, decision.problem)

    async def _not_mocked(self, endpoint: Endpoint, scope: Any, receive: Any) -> ReadyResponse:
        """A path of the ``known`` of a contract: by another method than those, it is as unknown as any."""
        known = endpoint.known.get(scope["method"])
        if known is None:
            documented = [f"{entry.name} ({entry.vendor}, not mocked)" for entry in endpoint.known.values()]
            return await self._unknown_path(documented, scope, receive)
        arrival, ended = await self._arrival(scope, receive)
        return await self._known(known, arrival, ended)

    async def _known(self, known: KnownMethod, arrival: Arrival, ended: bool) -> ReadyResponse:
        """A method that the vendor documents and nobody answers here."""
        problem = {
            "title": "Not mocked",
            "status": 501,
            "detail": f"{known.vendor} documents {known.name} ({known.where}); mockserver does not answer it.",
            "vendor": known.vendor,
            "method": known.name,
            "documented": known.where,
        }
        label = Label(known.vendor, chosen_by="known", status=501)
        return await self._in_own_words(problem, label, arrival, ended)

    async def _unknown_path(self, nearest: list[str], scope: Any, receive: Any) -> ReadyResponse:
        """A path that no contract has."""
        arrival, ended = await self._arrival(scope, receive)
        other = scope.get(BELONGS_ELSEWHERE)
        wrong_host = f" The path belongs to another vendor's host, {other}." if other else ""
        problem = {
            "title": "No operation has this path",
            "status": 404,
            "detail": f"mockserver knows no {arrival.method} here.{wrong_host} Nearest: {'; '.join(nearest)}",
            "nearest": nearest,
        }
        ready = await self._in_own_words(problem, NO_PATH, arrival, ended)
        return msgspec.structs.replace(ready, nearest=nearest)

    async def _arrival(self, scope: Any, receive: Any) -> tuple[Arrival, bool]:
        """A request for no operation, and whether its body was read to the end."""
        body, oversize, ended = await receive_body(receive, self._max_body)
        headers = pack_headers(scope["headers"])
        return Arrival(scope["method"], scope["path"], {}, scope["query_string"], headers, body, oversize), ended

    async def _in_own_words(
        self,
        problem: dict[str, Any],
        label: Label,
        arrival: Arrival,
        ended: bool,
    ) -> ReadyResponse:
        """A problem document, never in a vendor's voice; recorded for whom the request's credentials name."""
        text = json.dumps({"type": "about:blank", **problem}).encode("ascii")
        headers = [(b"content-type", b"application/problem+json"), (b"content-length", b"%d" % len(text))]
        call = RecordedCall(
            account=await self._claimed_by(arrival),
            label=label,
            recipient="",
            problems="",
            method=arrival.method,
            path=arrival.path,
            path_params="",
            query=arrival.query,
            headers=arrival.headers,
            body=arrival.body,
            response_headers=pack_headers(headers),
            response_body=text,
            received_at=self._sources.now(),
        )
        await self._store.commit(call)
        head = call.response_headers
        if self._explain:
            head += b"\r\nx-mock-call: " + call.id.encode("ascii")
        return ReadyResponse(call, head if ended else head + CLOSE, text)

    async def _claimed_by(self, arrival: Arrival) -> str:
        """The account that any vendor's credential in header, query or form names."""
        for vendor, claims in self._engine.claims(arrival):
            account = await self._store.claimant(vendor, claims)
            if account is not None:
                return account.id
        return UNCLAIMED


def _unavailable(error: StoreUnavailableError) -> RenderedResponse:
    """The refusal of a request whose record cannot be kept; nothing of the request may be left to read."""
    document = {"type": "about:blank", "title": "Store unavailable", "status": 503, "detail": str(error)}
    body = json.dumps(document).encode("ascii")
    head = b"content-type: application/problem+json\r\ncontent-length: %d" % len(body)
    return RenderedResponse(503, head + CLOSE, body)


def _wire(scope: Any) -> HttpExchange | None:
    """The request on our own connection; None under another server."""
    connection: Connection | None = scope.get("extensions", NO_EXTENSIONS).get(WIRE)
    return None if connection is None else connection.current


def _answer_headers(label: Label) -> bytes:
    """Our headers that say which answer this is, what it relies on, which rule chose it, which wish was for none.

    The call's id comes next.
    """
    answer = f"\r\nx-mock-answer: {label.answer}" if label.answer else ""
    rule = f"\r\nx-mock-rule: {label.rule}" if label.rule else ""
    note = f"\r\nx-mock-note: {label.hint}" if label.hint else ""
    evidence = worse_parts(label.evidence, label.parts)
    return f"{answer}\r\nx-mock-evidence: {evidence}{rule}{note}\r\nx-mock-call: ".encode("ascii", "replace")


def _call_headers(decision: Decision, request: ParsedRequest) -> bytes:
    """The call's id and our header that names the problem; nothing that the client sent is echoed there."""
    call_id, problem = decision.call.id.encode("ascii"), decision.problem
    if problem is None:
        return call_id
    at = problem.at
    while at and at not in request.operation.places:  # the client's own names are left out
        at = at.rpartition("/")[0]
    words = " ".join(word for word in (problem.kind, problem.reason, at) if word)
    return call_id + b"\r\nx-mock-problem: " + words.encode("ascii")


async def _send_with(fault: Fault, ready: ReadyResponse, wire: HttpExchange | None, send: Any) -> str:
    """Send what a fault left of a response, as the fault says; returns how it ended."""
    try:
        await deliver(fault, ready.number, ready.response, wire, send)
    except ClientLeftError:
        return "aborted"
    return "aborted" if fault.loses_reply else "sent"
