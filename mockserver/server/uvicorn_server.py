"""The application on a socket, by uvicorn."""

import socket
import threading
import time
from collections.abc import Callable
from typing import Any, BinaryIO

import uvicorn
from starlette.types import ASGIApp

from mockserver.server.settings import Settings
from mockserver.server.wire.protocol import bound
from mockserver.server.wire.timeouts import Sweep

GRACE_SECONDS = 10  # that requests in flight have to end
MAX_READ_BYTES = 1024 * 1024  # more than an event loop reads at once


def uvicorn_server(app: ASGIApp, on_ready: Callable[[], None], **overrides: Any) -> uvicorn.Server:
    """A uvicorn server for the application; ``on_ready`` is called once it answers."""
    settings = getattr(app, "settings", Settings())  # an application around ours may have none
    options: dict[str, Any] = {
        "access_log": False,
        "log_level": "warning",
        "lifespan": "on",
        "server_header": False,
        "proxy_headers": False,  # a client's own address is what counts; 1 us a request
        "timeout_graceful_shutdown": GRACE_SECONDS,
        "timeout_keep_alive": settings.idle_timeout,
        "h11_max_incomplete_event_size": settings.max_head + MAX_READ_BYTES,  # ours is the clearer refusal
        "ws": "none",  # with websockets installed, a POST that asks for an upgrade would hang
    }
    config = bound(uvicorn.Config(app, **options | overrides), settings)
    return _Server(config, on_ready, Sweep(settings))


def end_with(server: uvicorn.Server, stream: BinaryIO) -> None:
    """Have a server end when a stream does: the program that holds its other end is gone."""

    def wait() -> None:
        stream.read()
        server.should_exit = True

    threading.Thread(target=wait, name="mockserver-eof", daemon=True).start()


class _Server(uvicorn.Server):
    """Says when it is ready, and looks after its connections once a second."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None], sweep: Sweep) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._sweep = sweep

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    async def on_tick(self, counter: int) -> bool:
        if counter % 10 == 0:  # tenths of a second
            self._sweep(self.server_state.connections, time.monotonic())
        return await super().on_tick(counter)
