"""The application on sockets, by uvicorn, from its start to its end."""

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable
from importlib import import_module
from io import RawIOBase
from types import FrameType
from typing import Any, BinaryIO

import uvicorn
from starlette.types import ASGIApp

from mockserver.engine.sources import steady_time
from mockserver.server.build import certificates_of
from mockserver.server.certificates import Certificates
from mockserver.server.settings import Settings
from mockserver.server.wire import forks
from mockserver.server.wire.connection_setup import ConnectionSetup
from mockserver.server.wire.first_bytes import FirstBytesProtocol
from mockserver.server.wire.passing import PassingOn
from mockserver.server.wire.protocol import Protocol
from mockserver.server.wire.proxy import Proxy
from mockserver.server.wire.service import Service
from mockserver.server.wire.timeouts import Timeouts

GRACE_SECONDS = 1.0  # that requests in flight have to end
CUT_SECONDS = 0.3  # that connections which are cut have to be gone
TICKS = 10  # in a second, as uvicorn's are
TICKS_UNTIL_ZERO = 864_000  # those of a day


class WireConfig(uvicorn.Config):
    """Uvicorn's, with what all connections share; ``service`` and ``setup`` are there once it is loaded."""

    service: Service
    setup: ConnectionSetup

    def load(self) -> None:
        super().load()
        settings = getattr(self.app, "settings", Settings())  # an application around ours may have none
        self.service = Service(self.loaded_app, settings)
        self.setup = connection_setup(self.app, self.service)


def connection_setup(app: Any, service: Service) -> ConnectionSetup:
    """What connections to an application begin with. Raises OSError where the files for clients cannot be written."""
    settings = service.settings
    record = getattr(app, "record", None)
    if settings.let_through:
        service.app, service.direct = PassingOn(service.app, record), None
    certificates: Certificates = getattr(app, "certificates", None) or certificates_of(settings, ())
    if settings.tls_files is not None:
        certificates.identity()
    return ConnectionSetup(service, Proxy.of(certificates.hosts, settings), certificates, Protocol, record)


def uvicorn_server(app: ASGIApp, on_ready: Callable[[], None], **overrides: Any) -> "MockUvicorn":
    """A uvicorn server for the application; ``on_ready`` is called once it answers."""
    options: dict[str, Any] = {
        "http": FirstBytesProtocol,
        "log_config": None,  # what is said is said by our own log
        "access_log": False,
        "lifespan": "on",
        "server_header": False,
        "proxy_headers": False,  # a client's own address is what counts
        "ws": "none",
    }
    config = WireConfig(app, **options | overrides)
    config.load()
    return MockUvicorn(config, on_ready)


def end_with(server: "MockUvicorn", stream: BinaryIO | RawIOBase) -> None:
    """Have a server end when a stream does: the program that holds its other end is gone."""

    def wait() -> None:
        stream.read()
        server.end()

    threading.Thread(target=wait, name="mockserver-eof", daemon=True).start()


def load_soon(module: str) -> None:
    """Load a module while the server answers already: the first request that needs it does not wait for it."""
    threading.Thread(target=import_module, args=(module,), name="mockserver-load", daemon=True).start()


def event_loop() -> asyncio.AbstractEventLoop:
    """A new event loop: uvloop's where there is one."""
    try:
        import uvloop  # noqa: PLC0415 -- not everywhere
    except ImportError:
        loop = asyncio.new_event_loop()
        loop.time = steady_time  # type: ignore[method-assign]  # its own is one that freezegun stops
        return loop
    return uvloop.new_event_loop()


class MockUvicorn(uvicorn.Server):
    """Says when it is ready, looks after its connections once a second, and ends whatever waits."""

    config: WireConfig

    def __init__(self, config: WireConfig, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._timeouts = Timeouts(config.service.settings)
        self._seconds = 0
        self._is_interrupted = False  # by Ctrl+C: nobody wants to wait
        self._loop: asyncio.AbstractEventLoop | None = None
        self._to_end = asyncio.Event()
        self._held: list[int] = []  # descriptors of what listens

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until the end, in an event loop of its own; no policy of the process is changed."""
        if threading.current_thread() is threading.main_thread():
            self._run_to_the_end(sockets)
        else:
            self._run(sockets)

    def _run(self, sockets: list[socket.socket] | None) -> None:
        with asyncio.Runner(loop_factory=event_loop) as runner:
            runner.run(self.serve(sockets))

    def _run_to_the_end(self, sockets: list[socket.socket] | None) -> None:
        """Serve in a process that ends with the server: Ctrl+C is the server's from now on, however often it comes.

        Uvicorn raises each signal again that it has seen. A second one would be an exception within the event loop.
        """
        signal.signal(signal.SIGINT, self.handle_exit)
        self._run(sockets)
        if self._is_interrupted:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # nothing is left to interrupt but the interpreter's own end

    def end(self) -> None:
        """End soon, whatever thread asks for it."""
        self.should_exit = True
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it has ended already
                self._loop.call_soon_threadsafe(self._to_end.set)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End soon, as uvicorn does it."""
        self._is_interrupted |= sig == signal.SIGINT
        super().handle_exit(sig, frame)

    async def main_loop(self) -> None:
        """Uvicorn's ticks, which do not hold up the end."""
        self._loop = asyncio.get_running_loop()
        counter = 0
        while not await self.on_tick(counter):
            counter = (counter + 1) % TICKS_UNTIL_ZERO
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1 / TICKS):
                    await self._to_end.wait()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._held = [forks.hold(listening) for listening in sockets or []]
        if self.started:
            self._on_ready()

    async def on_tick(self, counter: int) -> bool:
        if counter % TICKS == 0:  # counted, not measured: a test may have stopped the clock
            self._seconds += 1
            self._timeouts(self.server_state.connections, self._seconds)  # type: ignore[arg-type]  # they are of our protocol
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, then end within two seconds: waits at once, other requests when answered or their time is over.

        A second Ctrl+C, uvicorn's ``force_exit``, cuts them at once. The lifespan ends in any case.
        """
        await self._drain()
        service, state = self.config.service, self.server_state
        service.is_ending = True
        for server in self.servers:
            server.close()
        for descriptor in self._held:  # the sockets themselves are closed by now, and know theirs no more
            forks.release(descriptor)
        for listening in sockets or []:
            listening.close()
        getattr(self.config.loaded_app, "end_waits", bool)()
        for connection in list(state.connections):
            connection.shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE_SECONDS):
                while state.connections or state.tasks:  # uvicorn sets no event
                    await asyncio.sleep(0.01)
                    if self.force_exit:
                        break
        if state.connections or state.tasks:
            service.notice(f"{len(state.connections)} connections were cut: the server ends")
            await self._cut()
        await self.lifespan.shutdown()

    async def _drain(self) -> None:
        """Answer as before for as long as the settings say, so that proxies can see that no call is welcome."""
        service = self.config.service
        if service.settings.drain and not self._is_interrupted:
            getattr(self.config.loaded_app, "begin_end", bool)()
        for counter in range(service.settings.drain * TICKS):
            if self.force_exit or self._is_interrupted:
                break
            await self.on_tick(counter)
            await asyncio.sleep(1 / TICKS)

    async def _cut(self) -> None:
        """End all that goes on."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        tasks = list(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=CUT_SECONDS)
