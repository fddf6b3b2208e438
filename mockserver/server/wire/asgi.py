"""A request's body from ASGI within its limit, and a response to the socket in one write."""

from functools import cache
from typing import Any

DRAIN = 64 * 1024 * 1024  # bytes read beyond a limit, before the connection is given up


class DisconnectedError(Exception):
    """The client left before its request was complete."""


async def receive_body(receive: Any, limit: int) -> tuple[bytes, int, bool]:
    """The body, or b"" with the bytes seen where it is over the limit; and whether it ended.

    Raises DisconnectedError.
    """
    message = await receive()
    if message["type"] == "http.disconnect":
        raise DisconnectedError
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        return (body, 0, True) if len(body) <= limit else (b"", len(body), True)
    return await _receive_more(receive, limit, body)


async def _receive_more(receive: Any, limit: int, first: bytes) -> tuple[bytes, int, bool]:
    chunks, size = [first], len(first)
    while size <= limit + DRAIN:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise DisconnectedError
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= limit:
            chunks.append(chunk)
        else:
            chunks.clear()
        if not message.get("more_body", False):
            return (b"", size, True) if size > limit else (b"".join(chunks), 0, True)
    return b"", size, False


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
