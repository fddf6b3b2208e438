"""uvicorn's HTTP protocol, bounded: it refuses what is too much, and hands the application its connection."""

from typing import Any

import uvicorn

from mockserver.server.settings import Settings
from mockserver.server.wire.faults import Connection
from mockserver.server.wire.limits import UNREADABLE, HeaderLimit, Refusal, header_too_large, too_many_connections

WIRE = "mockserver.wire"  # an ASGI scope's extension, the Connection: faults can reach the socket
MOST_LINGERING = 256  # refused connections that are kept until their clients have read why


class Bounded:
    """What is ours of a protocol, mixed into the class that uvicorn chose; a class of its own for each server."""

    settings: Settings
    measuring: Any  # the application, for heads that may be too large
    lingering: "set[Bounded]"  # refused, and not gone yet

    transport: Any  # this and the next are uvicorn's
    connections: set[Any]
    app: Any
    scope: Any  # of the newest request; None before the first
    cycle: Any  # the newest request whose head is complete; None before the first
    pipeline: Any = ()  # requests behind the one that is being answered
    running: Any = None  # the request that is being answered, or was last
    head_bytes = 0  # of a head that did not come at once

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)  # type: ignore[misc]
        self.connection = Connection(transport)
        self.extensions = {WIRE: self.connection}
        if len(self.connections) - len(self.lingering) > self.settings.max_connections:
            self.refuse(too_many_connections(self.settings.max_connections))

    def watched_data_received(self, data: bytes) -> None:
        """Take bytes that may be too many, or that nobody wants."""
        if self.connection.is_deaf:
            return
        cycle, is_next = self.cycle, self.has_unfinished_head or self.cycle is None or not self.cycle.more_body
        app, self.app = self.app, self.measuring
        super().data_received(data)  # type: ignore[misc]
        self.app = app
        if not self.has_unfinished_head:
            self.head_bytes = 0
        elif is_next and self.cycle is cycle:  # behind another request, a head counts from the next bytes on
            self.head_bytes += len(data)
        if self.head_bytes > self.settings.max_head and not self.connection.is_deaf:
            self.refuse(header_too_large(self.settings.max_head))

    def eof_received(self) -> bool:
        """Whether the connection stays: a client that sends no more still gets the answer to what it has asked."""
        connection = self.connection
        if connection.is_watched or not self.owes_answer:
            return False
        connection.is_half_closed = True
        self.end_after_answers()
        return True

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)  # type: ignore[misc]
        if self.running is not None and not self.running.response_complete:
            self.running.disconnected = True  # which uvicorn says to the newest alone
        self.lingering.discard(self)
        self.connection.gone.set()

    def shutdown(self) -> None:
        """A client that is kept waiting for nothing keeps the server from ending no longer."""
        super().shutdown()  # type: ignore[misc]
        if self.connection.is_muted or self in self.lingering:
            self.transport.close()

    def send_400_response(self, _: str) -> None:
        """What uvicorn cannot read is refused as all else is."""
        self.refuse(UNREADABLE)

    def refuse(self, refusal: Refusal) -> None:
        """Say why, and end the connection once the client has read it; answers that are owed go before."""
        self.connection.is_deaf = True
        cycle = self.cycle
        is_open = cycle is not None and not cycle.response_complete
        if self.owes_answer:
            self.end_after_answers()
            return
        if self.pipeline or (is_open and cycle.response_started):
            self.transport.close()  # our words would stand where another answer is expected
            return
        if is_open:
            cycle.disconnected = True
            cycle.message_event.set()
        self.transport.write(refusal.raw)
        if len(self.lingering) < MOST_LINGERING and self.transport.can_write_eof():
            self.lingering.add(self)  # to close on unread bytes would be a reset, and our words lost
            self.transport.write_eof()
        else:
            self.transport.close()

    @property
    def owes_answer(self) -> bool:
        """Whether the newest request came whole, and is not answered yet."""
        cycle = self.cycle
        return cycle is not None and not cycle.response_complete and not cycle.more_body

    def end_after_answers(self) -> None:
        self.cycle.keep_alive = False

    @property
    def has_unfinished_head(self) -> bool:
        """Whether a request has begun whose headers have not ended."""
        raise NotImplementedError


class _Httptools(Bounded):
    """uvicorn's httptools protocol has a scope from a head's first byte on, and its method once the head ends."""

    server_state: Any
    flow: Any

    @property
    def has_unfinished_head(self) -> bool:
        return self.scope is not None and "method" not in self.scope

    def on_response_complete(self) -> None:
        """As uvicorn's, without a timer for each answer, 1.5 us a request: the sweep ends idle connections."""
        if self.pipeline or self.transport.is_closing():
            super().on_response_complete()  # type: ignore[misc]
            return
        self.server_state.total_requests += 1
        self.flow.resume_reading()


class _H11(Bounded):
    """uvicorn's h11 protocol leaves a head to h11 until it ends; so it does with requests behind the current one."""

    conn: Any

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        measuring = self.measuring

        async def extended(scope: Any, receive: Any, send: Any) -> None:
            scope["extensions"] = self.extensions
            await measuring(scope, receive, send)

        self.app = self.measuring = extended

    def end_after_answers(self) -> None:
        if not self.conn.trailing_data[0]:  # else more requests wait there; their end is read again
            super().end_after_answers()

    @property
    def has_unfinished_head(self) -> bool:
        return (self.cycle is None or self.cycle.response_complete) and bool(self.conn.trailing_data[0])

    @property
    def running(self) -> Any:
        return self.cycle


def bound(config: uvicorn.Config, settings: Settings) -> uvicorn.Config:
    """Have whichever protocol uvicorn chose keep to the settings, and put its connection into each request's scope."""
    config.load()
    chosen: Any = config.http_protocol_class
    kind = _on_httptools(chosen, settings) if hasattr(chosen, "on_message_begin") else _on_h11(chosen)
    kind.settings = settings
    kind.measuring = HeaderLimit(config.loaded_app, settings.max_head)
    kind.lingering = set()
    config.http_protocol_class = kind
    return config


def _on_httptools(chosen: Any, settings: Settings) -> Any:
    received, start = chosen.data_received, chosen._start_asgi_task  # noqa: SLF001 -- it alone knows what is running
    at_once = settings.max_head

    class Protocol(_Httptools, chosen):  # type: ignore[misc]  # which class it is, uvicorn decides when it runs
        def data_received(self, data: bytes) -> None:
            """A whole request within the limits, which most are, passes straight to uvicorn."""
            scope = self.scope
            if len(data) <= at_once and (scope is None or "method" in scope) and not self.connection.is_deaf:
                received(self, data)
            else:
                self.watched_data_received(data)

        def _start_asgi_task(self, cycle: Any, app: Any) -> None:
            self.running = cycle
            cycle.scope["extensions"] = self.extensions
            start(self, cycle, app)

    return Protocol


def _on_h11(chosen: Any) -> Any:
    class Protocol(_H11, chosen):  # type: ignore[misc]  # as above
        def data_received(self, data: bytes) -> None:
            self.watched_data_received(data)

    return Protocol
