"""Servers that do one thing wrong: the checks must find it."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode

Headers = dict[bytes, bytes]
Defect = Callable[[int, Headers, bytes], tuple[int, Headers, bytes]]


class FaultyServer:
    """A server whose every response goes through a function."""

    def __init__(self, app: Any, defect: Defect) -> None:
        self._app = app
        self._defect = defect

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        messages: list[Any] = []

        async def keep(message: Any) -> None:
            messages.append(message)

        await self._app(scope, receive, keep)
        body = b"".join(message.get("body", b"") for message in messages[1:])
        status, headers, body = self._defect(messages[0]["status"], dict(messages[0]["headers"]), body)
        headers[b"content-length"] = b"%d" % len(body)
        await send({"type": "http.response.start", "status": status, "headers": list(headers.items())})
        await send({"type": "http.response.body", "body": body})


def crashes(status: int, headers: Headers, body: bytes) -> tuple[int, Headers, bytes]:
    return 500 if status == 400 else status, headers, body


def invents(status: int, headers: Headers, body: bytes) -> tuple[int, Headers, bytes]:
    return 418 if status == 404 else status, headers, body


def hides_methods(status: int, headers: Headers, body: bytes) -> tuple[int, Headers, bytes]:
    return status, {name: value for name, value in headers.items() if name != b"allow"}, body


def takes_every_method(status: int, headers: Headers, body: bytes) -> tuple[int, Headers, bytes]:
    return (202, headers, b"") if status == 405 else (status, headers, body)


def talks(status: int, headers: Headers, body: bytes) -> tuple[int, Headers, bytes]:
    return status, headers, b"{}" if status == 202 else body


def lets_in(status: int, headers: Headers, body: bytes) -> tuple[int, Headers, bytes]:
    sent = {**headers, b"x-mock-answer": b"polyai.send_sms/sent", b"x-mock-evidence": b"vendor"}
    return (202, sent, b"") if status == 401 else (status, headers, body)


def takes_anything(status: int, headers: Headers, body: bytes) -> tuple[int, Headers, bytes]:
    sent = {**headers, b"x-mock-answer": b"polyai.send_sms/sent", b"x-mock-evidence": b"vendor"}
    return (202, sent, b"") if status in {400, 404} else (status, headers, body)


def forgets_a_header(status: int, headers: Headers, body: bytes) -> tuple[int, Headers, bytes]:
    return status, {name: value for name, value in headers.items() if name != b"x-polyai-correlation-id"}, body


def speaks_plainly(status: int, headers: Headers, body: bytes) -> tuple[int, Headers, bytes]:
    return status, {**headers, b"content-type": b"text/plain"} if body else headers, body


def says_nothing(status: int, headers: Headers, body: bytes) -> tuple[int, Headers, bytes]:
    return status, headers, b'{"detail":""}' if body else body


def rewords(status: int, headers: Headers, body: bytes) -> tuple[int, Headers, bytes]:
    return status, headers, body.replace(b"Missing or invalid", b"No")


def refuses_all(status: int, headers: Headers, body: bytes) -> tuple[int, Headers, bytes]:
    refused = {**headers, b"x-mock-answer": b"polyai.send_sms/invalid", b"x-mock-evidence": b"vendor"}
    refused[b"content-type"] = b"application/json"
    return (400, refused, b'{"detail":"Invalid body."}') if status == 202 else (status, headers, body)


def lets_in_by_body(status: int, headers: Headers, body: bytes) -> tuple[int, Headers, bytes]:
    if b"unauthorized" not in headers.get(b"x-mock-answer", b""):
        return status, headers, body
    sent = {**headers, b"x-mock-answer": b"voximplant.send_sms/sent", b"x-mock-evidence": b"page"}
    return status, sent, b'{"result":1,"message_id":9001,"fragments_count":1}'


class Forgiving:
    """A server that takes the first of each query parameter, and any body for JSON."""

    def __init__(self, app: Any, *, repeats: bool = False, types: bool = False) -> None:
        self._app = app
        self._repeats = repeats
        self._types = types

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self._repeats and scope["type"] == "http":
            pairs = dict(reversed(parse_qsl(scope["query_string"].decode(), keep_blank_values=True)))
            scope = {**scope, "query_string": urlencode(pairs).encode()}
        if self._types and scope["type"] == "http":
            headers = [pair for pair in scope["headers"] if pair[0] != b"content-type"]
            scope = {**scope, "headers": [*headers, (b"content-type", b"application/json")]}
        await self._app(scope, receive, send)
