"""How large a request's line and headers are, and the end of those that are too large."""

from typing import Any

from mockserver.server.receive import Disconnected, receive_body
from mockserver.server.refusal import header_too_large

FRAME = len("  HTTP/1.1\r\n\r\n")  # around method and target, and behind the headers
FIELD = len(": \r\n")


def head_size(scope: Any) -> int:
    """Bytes of a request's line and headers, without optional spaces."""
    query = scope["query_string"]
    line = len(scope["method"]) + len(scope["raw_path"]) + (len(query) + 1 if query else 0)
    return FRAME + line + fields_size(scope["headers"])


def fields_size(headers: list[tuple[bytes, bytes]]) -> int:
    """Bytes of header fields, without optional spaces."""
    return sum(len(name) + len(value) + FIELD for name, value in headers)


class HeaderLimit:
    """An application's requests whose heads may be too large: those that are never reach it."""

    def __init__(self, app: Any, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if head_size(scope) <= self._limit:
            await self._app(scope, receive, send)
            return
        try:
            await receive_body(receive, 0)  # a connection closed on unread bytes is reset, and the refusal lost
        except Disconnected:
            return
        refusal = header_too_large(self._limit)
        await send({"type": "http.response.start", "status": refusal.status, "headers": refusal.headers})
        await send({"type": "http.response.body", "body": refusal.body})
