"""The application on a socket, by uvicorn."""

import socket
import sys
import time
from collections.abc import Callable
from typing import Any

import uvicorn

from mockserver.server.app import Application
from mockserver.server.protocol import MOST_LINGERING, bound
from mockserver.server.settings import Settings
from mockserver.server.sweep import Sweep

GRACE = 10  # seconds that requests in flight have to end
OTHER_FILES = MOST_LINGERING + 64  # beside the connections: refused ones, what listens, logs, contracts
AT_ONCE = 1024 * 1024  # bytes: more than an event loop hands over at once


class PortTaken(OSError):  # noqa: N818 -- a user's mistake, told in one line
    """The address cannot be listened on; the text says why."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any free one. Raises PortTaken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        host.encode("idna")  # bind would raise TypeError, and leave its socket open
        return socket.create_server((host, port), family=family, backlog=2048)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise PortTaken(f"cannot listen on {host}:{port}: {reason.partition(' (while')[0]}") from error


def open_files_for(connections: int) -> int:
    """Raise this process's limit of open files as far as so many connections need; how many it then allows."""
    if sys.platform == "win32":  # knows no such limit
        return connections
    import resource  # noqa: PLC0415 -- not everywhere

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < connections + OTHER_FILES:
        soft = connections + OTHER_FILES if hard == resource.RLIM_INFINITY else min(hard, connections + OTHER_FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(1, min(connections, soft - OTHER_FILES))


def uvicorn_server(app: Application, on_ready: Callable[[], None], **overrides: Any) -> uvicorn.Server:
    """A uvicorn server for the application; ``on_ready`` is called once it answers."""
    settings = getattr(app, "settings", Settings())  # an application around ours may have none
    options: dict[str, Any] = {
        "access_log": False,
        "log_level": "warning",
        "lifespan": "on",
        "server_header": False,
        "proxy_headers": False,  # nothing asks where a client is; 1 us a request
        "timeout_graceful_shutdown": GRACE,
        "timeout_keep_alive": settings.idle_timeout,
        "h11_max_incomplete_event_size": settings.header_limit + AT_ONCE,  # ours is the clearer refusal
        "ws": "none",  # with websockets installed, a POST that asks for an upgrade would hang
    }
    config = bound(uvicorn.Config(app, **options | overrides), settings)
    return _Server(config, on_ready, Sweep(settings))


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
