"""Requests to a proxy for a host that is let through: sent there unchanged, and its answer sent back."""

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from typing import Any

from httptools import HttpParserError, HttpResponseParser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mockserver.server.wire.asgi import WIRE, Connection
from mockserver.server.wire.incident import Incident
from mockserver.server.wire.limits import Refusal, unreachable
from mockserver.server.wire.proxy import MAX_AGENT, Authority
from mockserver.server.wire.relay import CONNECT_SECONDS

Record = Callable[[Incident], Coroutine[Any, Any, None]]
PASSED_ON = "mockserver.elsewhere"  # a scope's member, the Authority that the request is passed on to
READ_BYTES = 64 * 1024
HOP_BY_HOP = {b"connection", b"keep-alive", b"proxy-authorization", b"proxy-connection", b"te", b"trailer", b"upgrade"}
TRANSFER_ENCODING = b"transfer-encoding"


class PassingOn:
    """An application, but for requests that are passed on; ``record`` is told where there is no answer to them."""

    def __init__(self, app: ASGIApp, record: Record | None = None) -> None:
        self._app = app
        self._record = record

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        to: Authority | None = scope.get(PASSED_ON)
        if to is None:
            await self._app(scope, receive, send)
            return
        try:
            await _pass_on(to, scope, receive, send)
        except (OSError, HttpParserError) as error:  # behind a response that has begun, the connection is cut
            refusal = unreachable(to, getattr(error, "strerror", None) or str(error) or type(error).__name__)
            if self._record is not None:
                await self._record(_incident(to, scope, refusal))
            head, _, body = refusal.rest.partition(b"\r\n\r\n")
            headers = [line.partition(b": ")[::2] for line in head.split(b"\r\n")]
            await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
            await send({"type": "http.response.body", "body": body})


def _incident(to: Authority, scope: Scope, refusal: Refusal) -> Incident:
    agent = dict(scope["headers"]).get(b"user-agent", b"").decode("latin-1")[:MAX_AGENT]
    target = f"{scope['scheme']}://{to}{scope['raw_path'].decode('latin-1')}"
    return Incident.refused(scope["method"], target, agent, refusal)


async def _pass_on(to: Authority, scope: Scope, receive: Receive, send: Send) -> None:
    tls = ssl.create_default_context() if scope["scheme"] == "https" else None
    async with asyncio.timeout(CONNECT_SECONDS):
        reader, writer = await asyncio.open_connection(to.host.strip("[]"), to.port, ssl=tls)
    try:
        await _send_request(scope, receive, writer)
        response = _UpstreamResponse()
        while not response.is_whole and (data := await reader.read(READ_BYTES)):
            response.parser.feed_data(data)
            for message in response.taken():
                await send(message)
            response.is_whole |= scope["method"] == "HEAD" and response.is_begun
        if response.is_begun and not (response.is_whole or response.ends_with_connection):
            _cut(scope)
            return
        if not response.is_begun:
            raise ConnectionResetError("it ended the connection without an answer")
        await send({"type": "http.response.body", "body": b""})
    finally:
        writer.close()


def _cut(scope: Scope) -> None:
    """End the client's connection within its response, as the host did. Raises OSError under another server."""
    connection: Connection | None = scope.get("extensions", {}).get(WIRE)
    if connection is None or connection.current is None:
        raise ConnectionResetError("it ended the connection within its answer")
    connection.current.is_answered = True
    connection.mute()
    connection.transport.close()


async def _send_request(scope: Scope, receive: Receive, writer: asyncio.StreamWriter) -> None:
    """The request as it came, but for what is between two ends of a connection."""
    target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
    fields = [(name, value) for name, value in scope["headers"] if name not in HOP_BY_HOP]
    is_chunked = any(name == TRANSFER_ENCODING for name, _ in fields)
    lines = [b"%b %b HTTP/1.1" % (scope["method"].encode("ascii"), target), b"connection: close"]
    writer.write(b"\r\n".join([*lines, *(b"%b: %b" % field for field in fields), b"", b""]))
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionResetError("the client left")
        chunk, more = message.get("body", b""), message.get("more_body", False)
        if chunk:
            writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk) if is_chunked else chunk)
        await writer.drain()
    if is_chunked:
        writer.write(b"0\r\n\r\n")


class _UpstreamResponse:
    """A response that is read, as messages of ASGI; what is preliminary (1xx) is left out."""

    def __init__(self) -> None:
        self.parser = HttpResponseParser(self)
        self.is_begun = False
        self.is_whole = False
        self.ends_with_connection = True
        self._headers: list[tuple[bytes, bytes]] = []
        self._messages: list[Any] = []

    def taken(self) -> list[Message]:
        """What came since this was asked last."""
        messages, self._messages = self._messages, []
        return messages

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() in {b"content-length", TRANSFER_ENCODING}:
            self.ends_with_connection = False
        if name.lower() not in HOP_BY_HOP | {TRANSFER_ENCODING}:
            self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        status, headers, self._headers = self.parser.get_status_code(), self._headers, []
        if status >= 200:
            self.is_begun = True
            self._messages.append({"type": "http.response.start", "status": status, "headers": headers})

    def on_body(self, body: bytes) -> None:
        self._messages.append({"type": "http.response.body", "body": body, "more_body": True})

    def on_message_complete(self) -> None:
        self.is_whole = self.is_begun
