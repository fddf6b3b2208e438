"""Requests given to a WSGI or ASGI application in this process, as its server would give them."""

import inspect
import io
import sys
from collections.abc import Callable, Coroutine, Iterable
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from mockserver.testing.arguments import typed

RawResponse = tuple[int, list[tuple[str, str]], bytes]  # status, headers, body
Run = Callable[[Coroutine[Any, Any, RawResponse]], RawResponse]  # lets an event loop do something
PORTS = {"http": 80, "https": 443}


def is_asgi(app: Any) -> bool:
    """Whether an application is ASGI's, not WSGI's. Raises TypeError for what is neither."""
    if not callable(app):
        raise TypeError(f"app must be a WSGI or an ASGI application, not {typed(app)}")
    if inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(getattr(app, "__call__", None)):  # noqa: B004
        return True
    return len(inspect.signature(app).parameters) == 3


def call_wsgi(app: Any, method: str, url: str, headers: Iterable[tuple[str, str]], body: bytes) -> RawResponse:
    """What a WSGI application (PEP 3333) answers."""
    parts = urlsplit(url)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(parts.path or "/").decode("latin-1"),
        "QUERY_STRING": parts.query,
        "SERVER_NAME": parts.hostname or "localhost",
        "SERVER_PORT": str(_port(parts)),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": parts.netloc,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": parts.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in headers:
        key = name.upper().replace("-", "_")
        if key != "CONTENT_LENGTH":
            environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    begun: list[tuple[str, list[tuple[str, str]]]] = []
    written: list[bytes] = []

    def start_response(status: str, sent: list[tuple[str, str]], _error: Any = None) -> Callable[[bytes], None]:
        begun.append((status, sent))
        return written.append

    answered = app(environ, start_response)
    try:
        written.extend(answered)
    finally:
        getattr(answered, "close", bool)()
    status, sent = begun[-1]
    return int(status.split()[0]), sent, b"".join(written)


async def call_asgi(app: Any, method: str, url: str, headers: Iterable[tuple[str, str]], body: bytes) -> RawResponse:
    """What an ASGI application answers; its lifespan is not run."""
    import asyncio  # noqa: PLC0415 -- takes 30 ms, and many tests never need it

    parts = urlsplit(url)
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    path = parts.path or "/"
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": parts.scheme,
        "path": unquote_to_bytes(path).decode("utf-8", "replace"),
        "raw_path": path.encode("ascii"),
        "query_string": parts.query.encode("ascii"),
        "root_path": "",
        "headers": [(b"host", parts.netloc.encode("ascii")), *raw],
        "client": ("127.0.0.1", 0),
        "server": (parts.hostname or "localhost", _port(parts)),
    }
    events = [{"type": "http.request", "body": body, "more_body": False}]
    status, sent, written, ended = 500, [], [], asyncio.Event()

    async def receive() -> dict[str, Any]:
        if events:
            return events.pop()
        await ended.wait()  # the client stays until it has the response
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        nonlocal status, sent
        if message["type"] == "http.response.start":
            status = message["status"]
            sent = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message.get("headers", ())]
        elif message["type"] == "http.response.body":
            written.append(bytes(message.get("body", b"")))
            if not message.get("more_body", False):
                ended.set()

    await app(scope, receive, send)
    return status, sent, b"".join(written)


def _port(parts: Any) -> int:
    return parts.port or PORTS.get(parts.scheme, 80)
