"""A whole response in one write, where uvicorn reads with httptools: its ``send`` takes two, and checks each header.

Saves 5 us a request. What goes out is the same, byte for byte; where anything is out of the ordinary, ``send`` does it.
"""

from typing import Any

from uvicorn.protocols.http import httptools_impl

CLOSE = b"\r\nconnection: close"  # behind a head after which the connection ends
_LINES = httptools_impl.STATUS_LINE


def write_whole(send: Any, status: int, head: bytes, body: bytes) -> bool:
    """Write a response whose packed headers are ``head``; False, and nothing done, where ``send`` has to."""
    cycle = getattr(send, "__self__", None)
    if (
        type(cycle) is not httptools_impl.RequestResponseCycle
        or cycle.response_started
        or cycle.disconnected
        or not cycle.keep_alive
        or cycle.flow.write_paused
        or head.endswith(CLOSE)
        or cycle.scope["method"] == "HEAD"
    ):
        return False
    dated = b"".join([b"%b: %b\r\n" % header for header in cycle.default_headers])
    cycle.transport.write(b"%b%b%b\r\n\r\n%b" % (_LINES[status], dated, head, body))
    cycle.response_started = cycle.response_complete = True
    cycle.waiting_for_100_continue = False
    cycle.message_event.set()
    cycle.on_response()
    return True
