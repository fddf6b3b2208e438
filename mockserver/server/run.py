"""The application on a socket, by uvicorn."""

import socket
from collections.abc import Callable
from typing import Any

import uvicorn

from mockserver.server.app import Application
from mockserver.server.protocol import offer_connection

GRACE = 10  # seconds that requests in flight have to end


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


def uvicorn_server(app: Application, on_ready: Callable[[], None], **overrides: Any) -> uvicorn.Server:
    """A uvicorn server for the application; ``on_ready`` is called once it answers."""
    options: dict[str, Any] = {
        "access_log": False,
        "log_level": "warning",
        "lifespan": "on",
        "server_header": False,
        "timeout_graceful_shutdown": GRACE,
        "ws": "none",  # with websockets installed, a POST that asks for an upgrade would hang
    }
    return _Server(offer_connection(uvicorn.Config(app, **options | overrides)), on_ready)


class _Server(uvicorn.Server):
    """Says when it is ready."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()
