"""One attempt at a callback: sent where it may be, spoilt where a test asks for that, recorded as a call."""

import json
from collections.abc import Iterable
from functools import lru_cache

from mockserver.engine.call import RecordedCall, pack_headers, pack_more, split_headers
from mockserver.engine.callback import OutgoingRequest, label_of
from mockserver.engine.sources import Sources, steady_time
from mockserver.server.http_client import DeliveryError, Reply, address_of, send
from mockserver.server.settings import is_loopback
from mockserver.store.store import Store

MAX_DESCRIBED = 1_024  # addresses that are read, and kinds of attempts that have a label


class Attempts:
    """Makes attempts for one server, and records each."""

    def __init__(self, store: Store, sources: Sources, hosts: Iterable[str]) -> None:
        self._store = store
        self._sources = sources
        self._hosts = frozenset(host.lower() for host in hosts)
        self._label = lru_cache(maxsize=MAX_DESCRIBED)(label_of)
        self._address = lru_cache(maxsize=MAX_DESCRIBED)(address_of)
        self._is_loopback = lru_cache(maxsize=MAX_DESCRIBED)(is_loopback)

    async def make(self, request: OutgoingRequest, number: int, *, fault: str = "", pin: str = "") -> RecordedCall:
        """Send a request once; ``fault`` is what a test has made of it, by the pin of this id."""
        started, reply, note, outcome = steady_time(), None, "", "aborted"
        callback = request.callback
        try:
            headers = split_headers(request.headers)
            reply = await send(callback.method, request.url, headers, request.body, callback.timeout)
            outcome = "sent"
        except DeliveryError as error:
            note = str(error)
        duration = (steady_time() - started) * 1000
        call = self._call(request, number, fault, pin, reply, note)
        await self._keep(call, outcome, duration)
        if reply is not None:
            await self._store.meet_callback(request.account, callback, fault)
        return call

    async def record(  # noqa: PLR0913 -- what became of an attempt
        self, request: OutgoingRequest, number: int, outcome: str, note: str, *, fault: str = "", pin: str = ""
    ) -> RecordedCall:
        """Record an attempt that sent nothing, and why."""
        call = self._call(request, number, fault, pin, None, note)
        await self._keep(call, outcome, 0.0)
        return call

    def why_withheld(self, url: str) -> str | None:
        """Why nothing may be sent to an address; None where it may."""
        parts = self._address(url)
        if parts is None:
            return "withheld: the address is no http or https URL"
        host = (parts.hostname or "").lower()
        if host in self._hosts or self._is_loopback(host):
            return None
        return f"withheld: {host} is not this machine; allow it with --callback-to {host}"

    async def _keep(self, call: RecordedCall, outcome: str, duration_ms: float) -> None:
        if await self._store.account(call.account) is not None:  # it may have been deleted meanwhile
            await self._store.commit(call)
            await self._store.complete(call, outcome, duration_ms)

    def _call(  # noqa: PLR0913, PLR0917 -- what became of an attempt
        self, request: OutgoingRequest, number: int, fault: str, pin: str, reply: Reply | None, note: str
    ) -> RecordedCall:
        parts = self._address(request.url)
        notes = json.dumps([note]) if note else ""
        return RecordedCall(
            account=request.account,
            label=self._label(request.callback, status=reply.status if reply else 0, fault=fault, notes=notes),
            recipient=request.recipient,
            problems="",
            method=request.callback.method,
            path=(parts.path or "/") if parts is not None else "",
            path_params="",
            query=parts.query.encode("ascii") if parts is not None else b"",
            headers=request.headers,
            body=request.body,
            response_headers=pack_headers(reply.headers) if reply else b"",
            response_body=bytes(reply.body) if reply else b"",
            received_at=self._sources.now(),
            more=pack_more(url=request.url, cause=request.cause, attempt=number, pin=pin),
        )
