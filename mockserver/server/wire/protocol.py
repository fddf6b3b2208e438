"""An HTTP/1.1 connection: requests in, responses out in their order, and a bound on everything.

A connection is in one of these states:

    OPEN       requests are read, and answered in their order
    ENDING     nothing more is read: whole requests that came before are answered, and then comes the refusal of what
               stood behind them, where something did, and the end
    LINGERING  our side is closed; what the client still sends is thrown away, since closing on unread bytes is a reset,
               and the last answer would be lost
    MUTED      a fault has the connection: nothing is answered, and what the client sends is thrown away
    LOST       there is no connection any more

A request goes to the application when it is whole, or when more of it came than is kept for that. A whole request of
a vendor is answered at once, and by a task only where something has to be waited for.
"""

import asyncio
import logging
import socket
import struct
from collections import deque
from collections.abc import Coroutine
from enum import Enum, auto
from functools import partial
from typing import Any

from httptools import HttpParserCallbackError, HttpParserError, HttpParserUpgrade, HttpRequestParser

from mockserver.server.wire import forks
from mockserver.server.wire.asgi import MAX_KEPT_BODY, WIRE, HttpExchange, go_on
from mockserver.server.wire.connection_setup import ConnectionSetup
from mockserver.server.wire.incident import Incident
from mockserver.server.wire.limits import (
    FAILED,
    UNREADABLE,
    Refusal,
    RefusedError,
    header_too_large,
    too_many_connections,
    too_slow,
)
from mockserver.server.wire.passing import PASSED_ON
from mockserver.server.wire.proxy import MAX_AGENT
from mockserver.server.wire.service import Service
from mockserver.server.wire.target import Headers, checked_host, fields_size, head_size, read_target, with_host
from mockserver.server.wire.timeouts import Wait

MAX_LINGERING = 256  # ended connections that are kept until their clients have read all
MAX_PIPELINED = 16  # requests behind the one that is being answered, before reading rests
MAX_AT_ONCE = 32  # requests of one connection that are answered before others get their turn
PROBE_SECONDS = 0.05  # between two looks whether a client that sends no more has left
FRAMING = {b"content-length", b"transfer-encoding"}

logger = logging.getLogger("mockserver")


class ConnectionState(Enum):
    """See above."""

    OPEN = auto()
    ENDING = auto()
    LINGERING = auto()
    MUTED = auto()
    LOST = auto()


OPEN, ENDING, LINGERING, MUTED, LOST = ConnectionState


class Protocol(asyncio.Protocol):
    """One connection. ``config`` is uvicorn's, with ``service`` and ``setup``; the other arguments it gives, too."""

    transport: Any

    def __init__(
        self, config: Any, server_state: Any, app_state: dict[str, Any], _loop: asyncio.AbstractEventLoop | None = None
    ) -> None:
        self.loop = _loop or asyncio.get_running_loop()
        self.service: Service = config.service
        self._setup: ConnectionSetup = config.setup
        self.state: ConnectionState = OPEN
        self._connections: set[Any] = server_state.connections
        self._tasks: set[asyncio.Task[None]] = server_state.tasks
        self._app_state = app_state
        self._root_path: str = config.root_path
        self._scope: dict[str, Any] = {}  # what the scopes of all requests have in common
        self._descriptor = -1
        self._is_secure = False
        self.client: tuple[str, int] | None = None

        self._parser: Any = None  # an HttpRequestParser, while there is a connection
        self._target: list[bytes] = []  # pieces of a request's target
        self._headers: Headers = []  # of a head that has not ended, or behind a body
        self._pieces: list[bytes] = []  # of a body, since bytes came last
        self.on_url = self._target.append  # what the parser calls
        self.on_body = self._pieces.append
        self._unended = 0  # bytes that came one after another without the end of a head, or any of a body
        self._is_measured = False  # a head may be too large
        self._host = b""  # the last that was checked

        self._arriving: HttpExchange | None = None  # whose head is complete, and not its body
        self._waiting: deque[HttpExchange] = deque()  # whole
        self.current: HttpExchange | None = None  # which is being answered
        self._refusal: Refusal | None = None  # to be written behind all answers
        self._arrived = 0  # whole requests
        self._answered = 0
        self._is_answering = False  # whoever answers next is at it

        self._is_reading = True
        self._is_half_closed = False  # the client sends no more
        self._drain: asyncio.Future[None] | None = None  # done when the transport takes more
        self._watch: asyncio.Future[bool] | None = None  # done, True, when the client leaves
        self._first = b""  # what is written next, where a client that sends no more may stay
        self._probing: asyncio.TimerHandle | None = None

    # what the event loop calls

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self._connections.add(self)
        self._descriptor = forks.hold(transport.get_extra_info("socket"))
        self._parser = self._new_parser()
        self.client = _address(transport.get_extra_info("peername"))
        self._is_secure = transport.get_extra_info("ssl_object") is not None
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "server": _address(transport.get_extra_info("sockname")),
            "client": self.client,
            "scheme": "https" if self._is_secure else "http",
            "root_path": self._root_path,
            "method": "",
            "path": "",
            "raw_path": b"",
            "query_string": b"",
            "headers": [],
            "extensions": {WIRE: self},
        }
        most = self.service.settings.max_connections
        if len(self._connections) - len(self.service.lingering) > most:
            self.refuse(too_many_connections(most))

    def data_received(self, data: bytes) -> None:
        if self.state is not OPEN:
            return
        self._unended += len(data)
        self._is_measured = self._unended > self.service.settings.max_head
        self._feed(data)
        if self._arriving is not None or self._unended:
            self._keep()
        if self.current is None:
            self._answer_next()
        elif len(self._waiting) > MAX_PIPELINED:
            self.pause_reading()

    def eof_received(self) -> bool:
        """Whether the connection stays: a client that sends no more still gets the answers to what it has asked."""
        owes = self.current is not None or self._waiting
        is_cut = self._arriving is not None and self._arriving is self.current
        is_leaving = self._watch is not None and not self._first
        if is_leaving or not owes or is_cut or self._is_secure:
            return False
        self._is_half_closed = True
        if self.state is OPEN:
            self.state = ENDING
        if self._watch is not None:
            self._probe()
        return True

    def connection_lost(self, _: Exception | None) -> None:
        forks.release(self._descriptor)
        self._connections.discard(self)
        self.service.lingering.discard(self)
        self.state = LOST
        self._give_up()
        self._parser, self._scope = None, {}  # which hold us
        if self._watch is not None and not self._watch.done():
            self._watch.set_result(True)
        self.resume_writing()

    def pause_writing(self) -> None:
        if self._drain is None:
            self._drain = self.loop.create_future()

    def resume_writing(self) -> None:
        drain, self._drain = self._drain, None
        if drain is not None and not drain.done():  # whoever waited for it may have been cancelled
            drain.set_result(None)
        if self.current is None and self.state is not LOST:
            self._answer_next()

    # what uvicorn calls

    def shutdown(self) -> None:
        """The server ends: what is asked is answered still, unless it is cut or a fault has the client wait."""
        owes = self._waiting or (self.current is not None and self.current is not self._arriving)
        if self.state in (OPEN, ENDING) and owes and self._watch is None:
            self.state = ENDING
            last = self._waiting[-1] if self._waiting else self.current
            last.keep_alive = False  # type: ignore[union-attr]  # there is one
        else:
            self.transport.close()

    # what the parser calls, beside on_url and on_body

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        if self.state is not OPEN:
            raise RefusedError(UNREADABLE)  # behind the last request: nobody reads it
        parser, headers, target = self._parser, self._headers, b"".join(self._target)
        self._headers = []
        self._target.clear()
        self._unended = 0
        scope = self._scope.copy()
        scope["method"] = method = parser.get_method().decode("ascii")
        version = parser.get_http_version()
        if version != "1.1":
            scope["http_version"] = version
        if self._is_measured and head_size(method, target, headers) > self.service.settings.max_head:
            raise RefusedError(header_too_large(self.service.settings.max_head))
        fields = dict(headers)
        if fields.get(b"host") != self._host or len(fields) != len(headers) or version != "1.1":
            self._host = checked_host(headers, version)
        path, raw_path, query, scheme, host = read_target(target)
        scope["path"] = self._root_path + path
        scope["raw_path"] = raw_path
        scope["query_string"] = query
        if scheme:
            scope["scheme"] = scheme
            headers = with_host(headers, host)
            self._look_elsewhere(scope, host, fields.get(b"user-agent", b""))
        scope["headers"] = headers
        exchange = HttpExchange(self, scope, keep_alive=parser.should_keep_alive())
        if b"expect" in fields:
            exchange.expects_continue = fields[b"expect"].lower() == b"100-continue" and version == "1.1"
        self._arriving = exchange

    def _look_elsewhere(self, scope: dict[str, Any], host: bytes, agent: bytes) -> None:
        """See where a request goes that names its host as a proxy's clients do. Raises RefusedError."""
        found = self._setup.elsewhere(scope["scheme"], host, self.transport.get_extra_info("sockname"))
        if isinstance(found, Refusal):
            target = f"{scope['scheme']}://{host.decode('latin-1')}{scope['raw_path'].decode('latin-1')}"
            incident = Incident.refused(scope["method"], target, agent.decode("latin-1")[:MAX_AGENT], found)
            self._setup.report(incident, self._tasks)
            raise RefusedError(found)
        if found is not None:
            scope[PASSED_ON] = found

    def on_message_complete(self) -> None:
        exchange: Any = self._arriving  # its head was complete before
        pieces = self._pieces
        if self._headers and fields_size(self._headers) > self.service.settings.max_head:
            raise RefusedError(header_too_large(self.service.settings.max_head))
        self._arriving = None
        self._arrived += 1
        self._unended = 0
        if self._headers:
            self._headers = []  # trailers, which nobody reads
        exchange.is_whole = True
        if exchange.is_started:
            exchange.arrive(pieces)
        else:
            exchange.body = pieces[0] if len(pieces) == 1 and not exchange.body else exchange.body + b"".join(pieces)
            self._waiting.append(exchange)
            if not exchange.keep_alive:
                self.state = ENDING
        pieces.clear()

    # reading

    def _new_parser(self) -> Any:
        """A parser that leaves it to us when the connection ends: it would let a trailer end it, behind our answer."""
        parser = HttpRequestParser(self)
        parser.set_dangerous_leniencies(lenient_keep_alive=True)
        return parser

    def _feed(self, data: bytes) -> None:
        """Have the parser read. Requests that offer another protocol, however many, are read as if they did not."""
        at = self._parse(data)
        if at is None:
            return
        rest = memoryview(data)
        while at is not None:
            self._ignore_upgrade()
            rest = rest[at:]
            at = self._parse(rest) if rest and self.state is OPEN else None

    def _parse(self, data: bytes | memoryview) -> int | None:
        """Have the parser read; returns where it ended behind a head that offers another protocol, None elsewhere."""
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            at: int = upgrade.args[0]
            return at
        except HttpParserCallbackError as error:
            if not isinstance(error.__context__, RefusedError):
                raise
            self._refuse_next(error.__context__.refusal)
        except HttpParserError:
            self._refuse_next(UNREADABLE)
        return None

    def _ignore_upgrade(self) -> None:
        """Read a request on that offers another protocol, as if it did not (RFC 9110, 7.8).

        The parser ends such a request before its body, for good. A fresh one takes a head with the same framing, which
        goes nowhere, and then what stands behind the real head.
        """
        exchange = self._waiting.pop()
        exchange.is_whole = False
        self._arrived -= 1
        self.state = OPEN
        fields = [(name, value) for name, value in exchange.scope["headers"] if name in FRAMING]
        if not exchange.keep_alive:
            fields.append((b"connection", b"close"))
        lines = b"".join(b"%b: %b\r\n" % field for field in fields)
        self._parser = self._new_parser()
        self._parse(b"POST / HTTP/1.1\r\nhost: %b\r\n%b\r\n" % (self._host, lines))
        if self._arriving is not None:
            self._arriving = exchange
        elif self._waiting:
            self._waiting[-1] = exchange
            exchange.is_whole = True

    def _keep(self) -> None:
        """Keep what came of a request that has not ended, within bounds."""
        exchange, pieces, most = self._arriving, self._pieces, self.service.settings.max_head
        if exchange is not None and pieces:
            self._unended = 0
            exchange.arrive(pieces)
            pieces.clear()
            if exchange.is_started and len(exchange.body) > MAX_KEPT_BODY:
                self.pause_reading()
        if self.state is OPEN and (self._unended > most or fields_size(self._headers) > most):
            self.refuse(header_too_large(most))

    def pause_reading(self) -> None:
        if self._is_reading and not self.transport.is_closing():
            self._is_reading = False
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        if not self._is_reading and not self.transport.is_closing():
            self._is_reading = True
            self.transport.resume_reading()

    # answering

    def _answer_next(self) -> None:
        """Answer what waits, in its order; others get their turn now and then."""
        self._is_answering = True
        for _ in range(MAX_AT_ONCE):
            if self.current is not None or self._drain is not None or self.state not in (OPEN, ENDING):
                break
            exchange = self._waiting.popleft() if self._waiting else self._arriving
            if exchange is None or not (exchange.is_whole or exchange.is_due):
                if self.state is ENDING:
                    self._end()
                elif not self._is_reading:
                    self.resume_reading()
                break
            self.current = exchange
            self._start(exchange)
        else:
            self.loop.call_soon(self._answer_next)
        self._is_answering = False

    def _start(self, exchange: HttpExchange) -> None:
        """Give a request to the application: a vendor's that is whole without a task, if it has to wait for nothing."""
        exchange.is_started = True
        if exchange.expects_continue and exchange.is_whole:  # some clients wait for it that have no body to send
            exchange.say_continue()
        scope, direct = exchange.scope, self.service.direct
        answering = None
        if direct is not None and exchange.is_whole:
            answering = direct(scope, exchange.receive, exchange.send)
        if answering is None:
            scope["state"] = self._app_state.copy()
            self._spawn(exchange, self._ask(exchange))
            return
        try:
            waits_for = answering.send(None)
        except StopIteration:
            if not exchange.is_answered:
                self._finish(exchange, None)
        except Exception as error:  # noqa: BLE001 -- whatever it is, it is logged
            self._finish(exchange, error)
        else:
            self._spawn(exchange, go_on(answering, waits_for))

    async def _ask(self, exchange: HttpExchange) -> None:
        await self.service.app(exchange.scope, exchange.receive, exchange.send)

    def _spawn(self, exchange: HttpExchange, coroutine: Coroutine[Any, Any, None]) -> None:
        task = self.loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(partial(self._on_task_done, exchange))

    def _on_task_done(self, exchange: HttpExchange, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            self.cut()
        else:
            self._finish(exchange, task.exception())

    def _finish(self, exchange: HttpExchange, error: BaseException | None) -> None:
        """The application is done with a request; it should have answered."""
        if error is not None:
            logger.error("A request could not be answered", exc_info=error)
        if exchange.is_answered:
            return
        if error is None:
            logger.error("The application ended without an answer")
        if exchange.is_begun:
            self.cut()
            return
        exchange.is_answered = True
        self._refusal = FAILED
        exchange.keep_alive = False
        self.on_answered(exchange)

    def on_answered(self, exchange: HttpExchange) -> None:
        """A response is complete."""
        self.current = None
        self._answered += 1
        if not exchange.keep_alive:
            self._waiting.clear()
            self.state = ENDING
        if not self._is_answering:
            self._answer_next()

    async def drained(self) -> None:
        if self._drain is not None:
            await self._drain

    # ending

    def _refuse_next(self, refusal: Refusal) -> None:
        """Refuse what is arriving, unless it stands behind the last request."""
        if self.state is OPEN:
            self.refuse(refusal)

    def refuse(self, refusal: Refusal) -> None:
        """Read no more, and say why once all whole requests that came before are answered."""
        self.state = ENDING
        self._refusal = refusal
        self.service.notice(f"{refusal.status} {refusal.title}: {refusal.detail}")
        exchange, self._arriving = self._arriving, None
        if exchange is not None and exchange.is_started:
            if exchange.is_begun:
                self._refusal = None  # our words would stand where another answer goes on
            self._forget(exchange)
        if self.current is None:
            self._answer_next()

    def _end(self) -> None:
        """Write the refusal, if there is one, and close: our side first, since the client may be sending still."""
        refusal, lingering = self._refusal, self.service.lingering
        if refusal is not None:
            self.transport.write(self.service.start_of(refusal.status) + refusal.rest)
        is_over = self._is_half_closed or self.service.is_ending
        if not is_over and len(lingering) < MAX_LINGERING and self.transport.can_write_eof():
            self.state = LINGERING
            lingering.add(self)
            self.transport.write_eof()
            self.resume_reading()
        else:
            self.transport.close()

    def _forget(self, exchange: HttpExchange) -> None:
        """Nothing more is written for a request; its application learns that the client left."""
        exchange.is_answered = True
        exchange.wake()
        if exchange is self.current:
            self.current = None

    def _give_up(self) -> None:
        """Forget whatever was asked."""
        for exchange in (self.current, self._arriving, *self._waiting):
            if exchange is not None:
                self._forget(exchange)
        self._arriving = None
        self._waiting.clear()

    def cut(self) -> None:
        """End the connection at once: what was not sent is dropped."""
        self._give_up()
        self.transport.abort()

    # what faults do

    def mute(self) -> None:
        """From now on nothing is answered. Reading never rests, so that the client's end is noticed."""
        self.state = MUTED
        self._give_up()
        self.resume_reading()

    def reset(self) -> None:
        raw = self.transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close means RST
        self.cut()

    async def left(self) -> None:
        await self._watched(is_over=self._is_half_closed)

    async def leaves_within(self, seconds: float, first: bytes) -> bool:
        self._first = first
        timer = self.loop.call_later(seconds, self._wait_no_more)
        if self._is_half_closed:
            self._probe()
        try:
            return await self._watched(is_over=False)
        finally:
            self._first = b""
            timer.cancel()
            if self._probing is not None:
                self._probing.cancel()

    async def _watched(self, *, is_over: bool) -> bool:
        """Wait until the client leaves, or is waited for no more; whether it has left."""
        if self.state is LOST:
            return True
        self._watch = self.loop.create_future()
        if is_over or self.service.is_ending:
            self.transport.close()
        try:
            return await self._watch
        finally:
            self._watch = None

    def _wait_no_more(self) -> None:
        if self._watch is not None and not self._watch.done():
            self._watch.set_result(False)

    def _probe(self) -> None:
        """See whether a client that sends no more is there still: a socket that was closed resets at the first byte.

        The event loop does not read there any more, and so would not notice.
        """
        raw = self.transport.get_extra_info("socket")
        if self.current is None or raw is None or self.transport.is_closing():
            return
        self.current.begin_early(self._first)
        if raw.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.cut()
        else:
            self._probing = self.loop.call_later(PROBE_SECONDS, self._probe)

    # what the timeouts look at

    @property
    def wait(self) -> tuple[Wait, int]:
        """What the connection waits for, and a number that changes with the next request or response."""
        if self.state is LINGERING:
            return Wait.END, 0
        if self.transport.get_write_buffer_size():
            return Wait.READER, self._answered
        if self.state is MUTED:
            return Wait.SERVER, 0
        is_begun = bool(self._arriving or self._unended or self._target or self._headers)
        if self.current is None:
            return (Wait.REQUEST if is_begun else Wait.NEXT), self._arrived
        is_read = self.current is self._arriving and not self.current.body
        return (Wait.REQUEST if is_read else Wait.SERVER), self._arrived

    def overdue(self, wait: Wait) -> None:
        """Do what is due after so long a wait."""
        if wait is Wait.REQUEST and self.state is OPEN:
            self.refuse(too_slow(self.service.settings.request_timeout))
        elif wait in {Wait.READER, Wait.END}:
            self.reset()
        else:
            self.transport.close()


def _address(name: Any) -> tuple[str, int] | None:
    """Host and port of a socket's name; a Unix socket has neither."""
    return (str(name[0]), int(name[1])) if isinstance(name, list | tuple) and len(name) >= 2 else None
