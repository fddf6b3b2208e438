"""One exchange with a client, in seven hops: the endpoint behind every vendor's path."""

import json
import time
from functools import lru_cache
from typing import Any, NamedTuple

from mockserver.exchange.bodies import Unreadable, read_form, read_multipart
from mockserver.exchange.call import Call, pack_headers
from mockserver.exchange.decide import Decision, decide, fields_seen, values_seen
from mockserver.exchange.facts import claims, credential_claims, named_account
from mockserver.exchange.fault import Fault
from mockserver.exchange.render import Response
from mockserver.exchange.request import Arrival, Request, parse, read_query
from mockserver.exchange.sources import Sources
from mockserver.server.delivery import ClientLeft, Line, deliver, send_whole
from mockserver.server.protocol import CONNECTION
from mockserver.server.receive import Disconnected, receive_body
from mockserver.server.router import Endpoint, Router
from mockserver.spec.contract import Contract, Operation
from mockserver.world.store import UNCLAIMED, Store

Headers = list[tuple[bytes, bytes]]


class Going(NamedTuple):
    """What goes to a client, and how: the record of it, the response, the fault and the request's number for it."""

    call: Call
    response: Response
    fault: Fault | None = None
    number: int = 0


class Exchanges:
    """Answers clients as the vendors would, and records it."""

    def __init__(  # noqa: PLR0913 -- what an exchange needs of the world, each once
        self,
        contracts: tuple[Contract, ...],
        router: Router,
        store: Store,
        sources: Sources,
        *,
        body_limit: int,
        explain: bool,
    ) -> None:
        self._schemes = {contract.vendor: contract.schemes for contract in contracts}
        self._router = router
        self._store = store
        self._sources = sources
        self._body_limit = body_limit
        self._explain = explain

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        started = time.perf_counter()
        path, raw_path = scope["path"], scope.get("raw_path", b"").decode("latin-1") or scope["path"]
        found = self._router.find(_host(scope["headers"]), path, raw_path)  # 1 route
        if found is not None and scope["method"] == "OPTIONS":
            await send_whole(send, Response(204, [(b"allow", found[0].allow)], b""))
            return
        try:
            if found is None:
                going = await self._unknown_path(scope, receive)
            else:
                going = await self._exchange(found, scope, receive)
        except Disconnected:
            return
        outcome = "aborted"
        try:
            outcome = await _send(going, scope, send)  # 7 send
        finally:
            duration = round((time.perf_counter() - started) * 1000, 3)
            await self._store.complete(going.call, outcome, duration)

    async def _exchange(self, found: tuple[Endpoint, dict[str, str]], scope: Any, receive: Any) -> Going:
        endpoint, params = found
        operation = endpoint.operations.get(scope["method"]) or endpoint.otherwise
        arrival, ended = await self._receive(operation, params, scope, receive)  # 2 receive
        request = parse(operation, arrival)  # 3 parse
        asked = claims(request, self._schemes[operation.vendor])
        fields, values = fields_seen(request), values_seen(request)
        committed = False
        while not committed:  # a pin may be used up by another request in between
            facts = await self._store.facts(operation.vendor, request.operation.id, asked)  # 4 recognise
            decision = decide(request, asked, facts, self._sources)  # 5 decide
            committed = await self._store.commit(decision.call, decision.uses, fields, values)  # 6 commit
        headers = self._headers(decision, endpoint, request)
        if not ended:
            headers = [*headers, (b"connection", b"close")]
        number = decision.uses.pin.met if decision.uses.pin is not None else 0
        response = Response(decision.response.status, headers, decision.response.body)
        return Going(decision.call, response, decision.fault, number)

    async def _receive(
        self, operation: Operation, params: dict[str, str], scope: Any, receive: Any
    ) -> tuple[Arrival, bool]:
        body, oversize, ended = await receive_body(receive, operation.body_limit or self._body_limit)
        arrival = Arrival(
            scope["method"], scope["path"], params, scope["query_string"], scope["headers"], body, oversize
        )
        return arrival, ended

    def _headers(self, decision: Decision, endpoint: Endpoint, request: Request) -> Headers:
        """The vendor's headers, and the explanation beside them; nothing that the client sent is echoed here."""
        headers = decision.response.headers
        if request.problems and request.problems[0].kind == "method":
            headers = [*headers, (b"allow", endpoint.allow)]
        if not self._explain:
            return headers
        call = decision.call
        explained = [*headers, *_said_of_answer(call.answer, call.evidence), (b"x-mock-call", call.id.encode("ascii"))]
        problem = decision.problem
        if problem is not None:
            at = _documented(problem.at, request.operation)
            words = " ".join(word for word in (problem.kind, problem.reason, at) if word)
            explained.append((b"x-mock-problem", words.encode("ascii")))
        return explained

    async def _unknown_path(self, scope: Any, receive: Any) -> Going:
        """A path that no contract has: our own words, never a vendor's; recorded for whom its credentials name."""
        body, _, ended = await receive_body(receive, self._body_limit)
        nearest = self._router.nearest(scope["path"])
        text = json.dumps(
            {
                "type": "about:blank",
                "title": "No operation has this path",
                "status": 404,
                "detail": f"mockserver knows no {scope['method']} here. Nearest: {'; '.join(nearest)}",
                "nearest": nearest,
            }
        ).encode("ascii")
        headers = [(b"content-type", b"application/problem+json"), (b"content-length", b"%d" % len(text))]
        call = Call(
            id=self._sources.call_id(),
            account=await self._claimed_by(scope, body),
            vendor="",
            operation="",
            answer="",
            evidence="",
            accepted=0,
            chosen_by="",
            recipient="",
            problems="",
            method=scope["method"],
            path=scope["path"],
            path_params="",
            query=scope["query_string"],
            headers=pack_headers(scope["headers"]),
            reads="",
            body=body,
            status=404,
            response_headers=pack_headers(headers),
            response_body=text,
            fault="",
            outcome="pending",
            received_at=self._sources.now(),
            duration_ms=0.0,
            notes="",
        )
        await self._store.commit(call)
        if self._explain:
            headers.append((b"x-mock-call", call.id.encode("ascii")))
        if not ended:
            headers.append((b"connection", b"close"))
        return Going(call, Response(404, headers, text))

    async def _claimed_by(self, scope: Any, body: bytes) -> str:
        """The account that any vendor's credential in header, query or form names."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        data = {
            "path": {},
            "query": {**_form(headers, body), **dict(read_query(scope["query_string"]))},
            "header": headers,
        }
        for vendor, schemes in self._schemes.items():
            asked = credential_claims(schemes, data)
            account = named_account(asked, await self._store.facts(vendor, "", asked))
            if account is not None:
                return account.id
        return UNCLAIMED


def _form(headers: dict[str, str], body: bytes) -> dict[str, str]:
    """The fields of a body that calls itself a form; none where it is not one."""
    content_type = headers.get("content-type", "").lower()
    try:
        if content_type.startswith("multipart/form-data"):
            return dict(read_multipart(body, headers["content-type"].encode("latin-1")))
        return dict(read_form(body)) if content_type.startswith("application/x-www-form-urlencoded") else {}
    except Unreadable:
        return {}


def _documented(at: str, operation: Operation) -> str:
    """A problem's place as far as the contract knows it: what a client named itself is not echoed."""
    known = _places(operation)
    while at and at not in known:
        at = at.rpartition("/")[0]
    return at


@lru_cache(maxsize=4096)
def _places(operation: Operation) -> frozenset[str]:
    """Every place of a request that an operation's contract names, those that no header can say left out."""
    places = {"/method", "/body", "/limit", "/header/content-type"}
    places |= {at for at, _, _ in operation.declared}
    places |= {str(owned.at) for owned in operation.owned}
    places |= {scheme.at for alternative in operation.security for scheme in alternative.schemes}
    return frozenset(at for at in places if at.isascii() and at.isprintable())


@lru_cache(maxsize=4096)
def _said_of_answer(answer: str, evidence: str) -> Headers:
    """The headers that say which answer this is and where it comes from."""
    said = [(b"x-mock-answer", answer.encode("ascii"))] if answer else []
    return [*said, (b"x-mock-evidence", evidence.encode("ascii"))]


async def _send(going: Going, scope: Any, send: Any) -> str:
    """Send what there is to send; returns how it ended."""
    if going.fault is None:
        await send_whole(send, going.response)
        return "sent"
    line = Line(scope.get("state", {}).get(CONNECTION), send)
    try:
        await deliver(going.fault, going.number, going.response, line)
    except ClientLeft:
        return "aborted"
    return "aborted" if going.fault.loses_reply else "sent"


def _host(headers: Headers) -> str:
    for name, value in headers:
        if name == b"host":
            return value.decode("latin-1")
    return ""
