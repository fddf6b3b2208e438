"""What a connection refuses before there is a request, and how large a head may be."""

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from mockserver.server.settings import option, variable
from mockserver.server.wire.asgi import DisconnectedError, receive_body


@dataclass(frozen=True, slots=True)
class Refusal:
    """Problem details (RFC 9457), and the end of the connection."""

    status: int
    title: str
    detail: str

    @property
    def body(self) -> bytes:
        problem = {"type": "about:blank", "title": self.title, "status": self.status, "detail": self.detail}
        return json.dumps(problem).encode("ascii")

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        return [
            (b"content-type", b"application/problem+json"),
            (b"content-length", b"%d" % len(self.body)),
            (b"connection", b"close"),
        ]

    @property
    def raw(self) -> bytes:
        """All of it, as it goes over the wire."""
        line = f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}".encode("ascii")
        lines = [line, *(name + b": " + value for name, value in self.headers)]
        return b"\r\n".join([*lines, b"", self.body])


UNREADABLE = Refusal(400, "Not HTTP", "This is no HTTP/1.1 request that can be read; the connection ends here.")


def too_many_connections(most: int) -> Refusal:
    detail = f"{most} connections are open already; {_raised_by('max_connections')}"
    return Refusal(503, "Too many connections", detail)


def header_too_large(limit: int) -> Refusal:
    detail = f"Request line and headers may have {limit} bytes; {_raised_by('max_head')}"
    return Refusal(431, "Header too large", detail)


def too_slow(seconds: int) -> Refusal:
    detail = f"The request did not arrive whole within {seconds} s; {_raised_by('request_timeout')}"
    return Refusal(408, "Request too slow", detail)


def _raised_by(setting: str) -> str:
    return f"{option(setting)} or {variable(setting)} raises that."


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
        except DisconnectedError:
            return
        refusal = header_too_large(self._limit)
        await send({"type": "http.response.start", "status": refusal.status, "headers": refusal.headers})
        await send({"type": "http.response.body", "body": refusal.body})
