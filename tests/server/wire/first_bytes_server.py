"""First-bytes protocols before a few lines of HTTP, in an event loop of its own, so that either kind can be had."""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvloop

from mockserver.engine.sources import Sources
from mockserver.server.certificates import Certificates
from mockserver.server.settings import Settings
from mockserver.server.wire.connection_setup import ConnectionSetup
from mockserver.server.wire.first_bytes import FirstBytesProtocol
from mockserver.server.wire.incident import Incident
from mockserver.server.wire.limits import Refusal, too_many_connections
from mockserver.server.wire.proxy import Proxy
from mockserver.server.wire.service import Service
from mockserver.server.wire.timeouts import Wait
from tests.live import PATIENCE

HOSTS = ("api.acme.example", "eu.acme.example")
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.SelectorEventLoop,
    "uvloop": uvloop.new_event_loop,
}


class Lines(asyncio.Protocol):
    """Answers a request with its first line, or does to the connection what the path says; ``/large`` is a megabyte."""

    transport: Any

    def __init__(self, *, config: Any, server_state: Any, **_: Any) -> None:
        self._settings: Settings = config.setup.service.settings
        self._connections = server_state.connections
        self._came = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self._connections.add(self)
        if len(self._connections) > self._settings.max_connections:
            self.refuse(too_many_connections(self._settings.max_connections))

    def connection_lost(self, _: Exception | None) -> None:
        self._connections.discard(self)

    def data_received(self, data: bytes) -> None:
        self._came += data
        while b"\r\n\r\n" in self._came:
            head, _, self._came = self._came.partition(b"\r\n\r\n")
            self._answer(head.partition(b"\r\n")[0])

    def _answer(self, line: bytes) -> None:
        body = b"x" * 1_000_000 if b"/large" in line else line
        whole = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
        if b"/reset" in line:
            raw = self.transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()
        elif b"/empty" in line:
            self.transport.close()
        elif b"/truncate" in line:
            self.transport.write(whole[:-5])
            self.transport.close()
        else:
            self.transport.write(whole)

    def refuse(self, refusal: Refusal) -> None:
        self.transport.write(b"HTTP/1.1 %d Refused\r\n%s" % (refusal.status, refusal.rest))
        self.transport.close()

    @property
    def wait(self) -> tuple[Wait, int]:
        return Wait.NEXT, 0

    def shutdown(self) -> None:
        self.transport.close()


@dataclass
class State:
    """As uvicorn's."""

    connections: set[Any] = field(default_factory=set)
    tasks: set[Any] = field(default_factory=set)


@dataclass
class Opened:
    """A server; ``run`` does something in its loop."""

    port: int
    loop: asyncio.AbstractEventLoop
    state: State
    certificates: Certificates
    incidents: list[Incident]
    said: list[str]

    @property
    def ca(self) -> str:
        return self.certificates.identity().ca

    def run(self, what: Callable[[], Any]) -> Any:
        """What a function returns in the server's loop."""

        async def call() -> Any:
            return what()

        return asyncio.run_coroutine_threadsafe(call(), self.loop).result(PATIENCE)

    def until(self, is_so: Callable[[], bool]) -> None:
        """Let the server work until something is so."""

        async def wait() -> None:
            async with asyncio.timeout(PATIENCE):
                while not is_so():  # noqa: ASYNC110 -- nothing sets an event
                    await asyncio.sleep(0.002)

        asyncio.run_coroutine_threadsafe(wait(), self.loop).result(PATIENCE)


async def no_application(*_: Any) -> None:
    """Nothing is asked of it."""


@contextmanager
def opened(loop_name: str, **settings: Any) -> Iterator[Opened]:
    """Serve until the block ends; then no connection and no task is left."""
    chosen = Settings(**settings)
    incidents, said, state = list[Incident](), list[str](), State()
    problems = list[Any]()

    async def record(incident: Incident) -> None:
        incidents.append(incident)

    class Config:
        setup = ConnectionSetup(
            Service(no_application, chosen),
            Proxy.of(HOSTS, chosen),
            Certificates(HOSTS, Sources.real().now, said.append),
            Lines,
            record,
        )

    loop = LOOPS[loop_name]()
    loop.set_exception_handler(lambda _, context: problems.append(context))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    listening = loop.create_server(lambda: FirstBytesProtocol(Config, state, {}), "127.0.0.1", 0)
    server = asyncio.run_coroutine_threadsafe(listening, loop).result(PATIENCE)
    port = server.sockets[0].getsockname()[1]
    one = Opened(port, loop, state, Config.setup.certificates, incidents, said)
    try:
        yield one
        one.until(lambda: not state.connections and not state.tasks)
    finally:
        one.run(server.close)
        for connection in tuple(state.connections):
            one.run(connection.shutdown)
        asyncio.run_coroutine_threadsafe(loop.shutdown_default_executor(), loop).result(PATIENCE)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()
    assert not problems, problems
