"""One request and its response on a connection, as an ASGI application sees them."""

import asyncio
import re
from collections.abc import Coroutine, Generator, Iterable, MutableMapping
from typing import Any, Protocol

from starlette.types import Message, Receive

from mockserver.server.wire.service import Service, status_line
from mockserver.spec.answer_model import BODILESS_STATUSES

WIRE = "mockserver.wire"  # an ASGI scope's extension, the Connection
DRAIN = 64 * 1024 * 1024  # bytes read beyond a limit, before the connection is given up
CLOSE = b"\r\nconnection: close"  # behind a head after which the connection ends
KEEP_ALIVE = b"\r\nconnection: keep-alive"  # which a client of HTTP/1.0 needs to be told
CHUNKED = b"\r\ntransfer-encoding: chunked"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
MAX_KEPT_BODY = 64 * 1024  # bytes of a request that waits until it is whole
LAST_CHUNK = b"0\r\n\r\n"

_OURS = {b"connection", b"transfer-encoding"}  # headers that say how a response goes over this connection
_NO_TOKEN = re.compile(rb"[^!#$%&'*+.^_`|~0-9A-Za-z-]|^$")
_OWN_DATE = re.compile(rb"^date: ", re.MULTILINE)
_NO_VALUE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


class DisconnectedError(Exception):
    """The client left before its request was complete."""


class Connection(Protocol):
    """What an exchange needs of its connection, and a fault to spoil it."""

    service: Service
    loop: asyncio.AbstractEventLoop
    transport: Any
    current: "HttpExchange | None"  # which is being answered

    def on_answered(self, exchange: "HttpExchange") -> None:
        """Go on behind a response that is complete."""

    async def drained(self) -> None:
        """Return once the client has taken enough of what was written."""

    def resume_reading(self) -> None:
        """Take more of the request."""

    def mute(self) -> None:
        """Answer nothing from now on."""

    def reset(self) -> None:
        """End at once, and have the kernel tell the client so."""

    async def left(self) -> None:
        """Return when the client leaves. To send no more is to leave."""

    async def leaves_within(self, seconds: float, first: bytes) -> bool:
        """Whether the client leaves within so many seconds. One that sends no more may have left, or wait.

        Then what comes next has its ``first`` byte written at once: who has left answers that with a reset.
        """


class HttpExchange:
    """A request, which may still be arriving, and its response, which may still be going out.

    ``body`` is what came of the request's and was not taken yet. Nothing more is written once it ``is_answered``: its
    response is complete, or its connection lost.
    """

    expects_continue = False
    body = b""
    is_whole = False  # the request has arrived
    is_started = False  # the application has it
    is_begun = False  # bytes of the response are out
    is_answered = False

    _has_read_all = False  # the application has the whole request
    _head: bytes | None = None  # of the response, which waits for the body's first bytes; empty once it is out
    _has_no_body = False  # whatever the application sends as one
    _missing: int | None = None  # bytes of the body that its length still promises
    _is_chunked = False
    _early = 0  # bytes of what is written next that are out already
    _reader: "asyncio.Future[None] | None" = None  # waits for more of the request, or its client's end

    def __init__(self, connection: Connection, scope: MutableMapping[str, Any], *, keep_alive: bool) -> None:
        self.connection = connection
        self.scope = scope
        self.keep_alive = keep_alive

    def arrive(self, pieces: Iterable[bytes]) -> None:
        """Take what came of the body; whoever waits for it goes on."""
        if not self.is_answered:
            self.body += b"".join(pieces)
            self.wake()

    @property
    def is_due(self) -> bool:
        """Whether a request that is still arriving goes to the application, which has not got it."""
        return not self.is_started and (self.expects_continue or len(self.body) > MAX_KEPT_BODY)

    def wake(self) -> None:
        """Have whoever waits for the request look again."""
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def say_continue(self) -> None:
        """Tell a client to go on that waits for that, once, unless it has gone on already (RFC 9110, 10.1.1)."""
        self.expects_continue = False
        if not (self.body or self.is_begun or self.is_answered):
            self.connection.transport.write(CONTINUE)

    def take(self, limit: int) -> tuple[bytes, int, bool]:
        """As ``receive_body``, of a whole request that nobody has read."""
        self._has_read_all = True
        body, self.body = self.body, b""
        return (body, 0, True) if len(body) <= limit else (b"", len(body), True)

    def respond(self, status: int, head: bytes, body: bytes) -> bool:
        """Write a whole response; ``head`` are its packed headers, which tell its length where a status allows that.

        False: the client left before.
        """
        if self.is_answered:
            return False
        connection, scope = self.connection, self.scope
        if not self.keep_alive or head.endswith(CLOSE):
            self.keep_alive = False
            head = _joined(head.removesuffix(CLOSE), CLOSE)
        elif scope["http_version"] == "1.0":
            head = _joined(head, KEEP_ALIVE)
        if scope["method"] == "HEAD":
            body = b""
        is_dated = b"date: " in head and _OWN_DATE.search(head)  # the first is quick, and nearly always false
        start = status_line(status) if is_dated else connection.service.start_of(status)
        connection.transport.write(b"%b%b\r\n\r\n%b" % (start, head, body) if head else b"%b\r\n%b" % (start, body))
        self.is_begun = self.is_answered = True
        connection.on_answered(self)
        return True

    async def receive(self) -> Message:
        """ASGI's ``receive``."""
        connection = self.connection
        if self.expects_continue:
            self.say_continue()
        while not (self.is_answered or self.body or (self.is_whole and not self._has_read_all)):
            connection.resume_reading()
            self._reader = connection.loop.create_future()
            await self._reader
        if self.is_answered:
            return {"type": "http.disconnect"}
        body, self.body, self._has_read_all = self.body, b"", self.is_whole
        return {"type": "http.request", "body": body, "more_body": not self.is_whole}

    def begin_early(self, first: bytes) -> None:
        """Write the first byte of what is written next, unless it is out."""
        if not (self._early or self.is_answered):
            self.connection.transport.write(first)
            self.is_begun, self._early = True, len(first)

    async def send(self, message: Message) -> None:
        """ASGI's ``send``. What is sent to a client that left goes nowhere. Raises RuntimeError."""
        if self.is_answered:
            return
        kind = message["type"]
        if kind == "http.response.start" and self._head is None:
            self._head = self._prepared(message["status"], message.get("headers", ()))
        elif kind == "http.response.body" and self._head is not None:
            self._write(message.get("body", b""), is_last=not message.get("more_body", False))
            await self.connection.drained()
        else:
            raise RuntimeError(f"an application cannot send {kind!r} at this time")

    def _prepared(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
        """The head of a response. How its body is framed, and whether the connection stays, is decided here."""
        is_bodiless = status in BODILESS_STATUSES
        start, head, length = self.connection.service.start_of(status), b"", None
        for name, value in headers:
            if _NO_TOKEN.search(name) or _NO_VALUE.search(value):
                raise RuntimeError(f"the header {name!r} has characters that HTTP does not allow")
            kind = name.lower()
            if kind == b"content-length":
                length = int(value)
            elif kind == b"connection" and value.lower() == b"close":
                self.keep_alive = False
            elif kind == b"date":
                start = status_line(status)
            if kind not in _OURS and not (is_bodiless and kind == b"content-length"):
                head += b"%b: %b\r\n" % (kind, value)
        return (start + head)[:-2] + self._framing(is_bodiless, length) + b"\r\n\r\n"

    def _framing(self, is_bodiless: bool, length: int | None) -> bytes:
        """The headers that say where the response ends, and whether the connection does."""
        framing, version = b"", self.scope["http_version"]
        self._has_no_body = is_bodiless or self.scope["method"] == "HEAD"
        self._missing = length
        if length is None and not self._has_no_body:
            self._is_chunked = version == "1.1"
            self.keep_alive = self.keep_alive and self._is_chunked  # else its end is the connection's
            framing = CHUNKED if self._is_chunked else b""
        if not self.keep_alive:
            return framing + CLOSE
        return framing + KEEP_ALIVE if version == "1.0" else framing

    def _write(self, body: bytes, *, is_last: bool) -> None:
        """Write some of the body, with the head where it is the first. Raises RuntimeError."""
        data, self._head = self._head or b"", b""
        if self._has_no_body:
            self._missing = None
        elif self._is_chunked:
            data += b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            data += LAST_CHUNK if is_last else b""
        else:
            data += body
        if self._missing is not None:
            self._missing -= len(body)
            if self._missing < 0 or (is_last and self._missing > 0):
                raise RuntimeError("a response's body has not the length that its headers tell")
        if self._early:
            data, self._early = data[self._early :], 0
        self.connection.transport.write(data)
        self.is_begun = True
        if is_last:
            self.is_answered = True
            self.connection.on_answered(self)


def _joined(head: bytes, line: bytes) -> bytes:
    """Packed headers and one more, which begins with a line end."""
    return head + line if head else line[2:]


async def receive_body(receive: Receive, limit: int) -> tuple[bytes, int, bool]:
    """The body, or b"" with the bytes seen where it is over the limit; and whether it ended.

    Raises DisconnectedError.
    """
    chunks, size = [], 0
    while size <= limit + DRAIN:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise DisconnectedError
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= limit:
            chunks.append(chunk)
        else:
            chunks.clear()
        if not message.get("more_body", False):
            return (b"", size, True) if size > limit else (b"".join(chunks), 0, True)
    return b"", size, False


async def go_on(coroutine: Coroutine[Any, Any, None], waits_for: Any) -> None:
    """Drive a coroutine to its end that was driven once outside a task, and yielded the future that it waits for."""
    await _Driven(coroutine, waits_for)


class _Driven:
    def __init__(self, coroutine: Coroutine[Any, Any, None], waits_for: Any) -> None:
        self._coroutine = coroutine
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, None, None]:
        waits_for = self._waits_for
        try:
            while True:
                try:
                    yield waits_for
                except BaseException as error:  # noqa: BLE001 -- of what it waits for, and so its own to handle
                    waits_for = self._coroutine.throw(error)
                else:
                    waits_for = self._coroutine.send(None)
        except StopIteration:
            return
