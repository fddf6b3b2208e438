"""What all connections of one server share: the application, the settings, and the first lines of answers."""

from collections.abc import Callable, Coroutine
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from mockserver.engine.sources import real_time
from mockserver.server.settings import Settings

Answering = Coroutine[Any, Any, None]
Direct = Callable[[Scope, Receive, Send], Answering | None]

PHRASES = {status.value: status.phrase for status in HTTPStatus}


class Service:
    """Made once for a server.

    An application may have ``direct``, which gives the coroutine that answers a complete request, or None where it
    is to be asked as any ASGI application; that coroutine awaits nothing but bare futures. It may have ``notice``,
    which logs a sentence.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings
        self.direct: Direct | None = getattr(app, "direct", None)
        self.notice: Callable[[str], None] = getattr(app, "notice", _ignore)
        self.lingering: set[Any] = set()  # connections whose end is written, and read by the client or not
        self.is_ending = False  # the server is
        self._second = 0  # which the starts tell
        self._starts: dict[int, bytes] = {}

    def start_of(self, status: int) -> bytes:
        """Status line and Date, each with its line end."""
        second = int(real_time())
        if second != self._second:
            self._second = second
            self._starts.clear()
        start = self._starts.get(status)
        if start is None:
            date = formatdate(second, usegmt=True).encode("ascii")
            start = self._starts[status] = b"%bdate: %b\r\n" % (status_line(status), date)
        return start


def status_line(status: int) -> bytes:
    """With its line end."""
    return f"HTTP/1.1 {status} {PHRASES.get(status, '')}\r\n".encode("ascii")


def _ignore(_: str) -> None:
    pass
