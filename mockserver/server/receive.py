"""A body within its limit; what lies beyond is read and thrown away, so that the connection stays good."""

from typing import Any

DRAIN = 64 * 1024 * 1024  # bytes read beyond a limit, before the connection is given up


class Disconnected(Exception):  # noqa: N818 -- nobody's error: the client left
    """The client left before its request was complete."""


async def receive_body(receive: Any, limit: int) -> tuple[bytes, int, bool]:
    """The body, or b"" with the bytes seen where it is over the limit; and whether it ended.

    Raises Disconnected.
    """
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Disconnected
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        return (body, 0, True) if len(body) <= limit else (b"", len(body), True)
    return await _receive_more(receive, limit, body)


async def _receive_more(receive: Any, limit: int, first: bytes) -> tuple[bytes, int, bool]:
    chunks, size = [first], len(first)
    while size <= limit + DRAIN:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= limit:
            chunks.append(chunk)
        else:
            chunks.clear()
        if not message.get("more_body", False):
            return (b"", size, True) if size > limit else (b"".join(chunks), 0, True)
    return b"", size, False
