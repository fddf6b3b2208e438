"""How long the event loop is held by hostile calls: sent, listed, asked for, sought in vain, logged.

``python benchmarks/hostile.py [KIND …]`` prints for each kind of call the longest time in milliseconds for which one
step held the loop, and what each request took. A step of ours should stay below 5 ms, one that reads a body below 20.
"""

import argparse
import asyncio
import contextlib
import gc
import gzip
import io
import json
import os
import sys
import time
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mockserver.server.application import Application, create_app
from mockserver.server.settings import Settings

MEBIBYTE = 1024 * 1024 - 1024  # of a body, below the limit
HEAD = 60_000  # bytes of a header
CHANNEL = "cafe0001-0001-4001-8001-000000000001"
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
COLUMNS = ("send", "list", "show", "nearest", "views", "log")

T = TypeVar("T")


@dataclass(frozen=True)
class Hostile:
    """A request that is meant to take long."""

    path: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def _json(text: str, size: int = MEBIBYTE) -> Hostile:
    """A message whose text repeats another one up to a size."""
    return _body(json.dumps({"first_name": text * (size // len(json.dumps(text))), "to_phone": "+14155550123"}))


def _body(text: str, content_type: str = JSON) -> Hostile:
    return Hostile(f"/sms/{CHANNEL}/send.json", text.encode(), {"content-type": content_type})


def _multipart(parts: int, size: int) -> Hostile:
    part = '--e\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + "x" * size + "\r\n"
    body = part * parts + "--e--\r\n"
    return Hostile("/platform_api/SendSmsMessage", body.encode(), {"content-type": "multipart/form-data; boundary=e"})


def _form(text: str) -> Hostile:
    return Hostile("/platform_api/SendSmsMessage", text.encode(), {"content-type": FORM})


def _recipients(text: str) -> Hostile:
    """A message to many."""
    body = "src_number=1&text=a&dst_numbers=" + text * (MEBIBYTE // 2 - 99)
    return Hostile("/platform_api/A2PSendSms", body.encode(), {"content-type": FORM})


def _unread(text: str, size: int = MEBIBYTE) -> Hostile:
    """A body that calls itself multipart, and cannot be read."""
    body = text * (size // len(text))
    return Hostile("/platform_api/SendSmsMessage", body.encode(), {"content-type": "multipart/form-data"})


def _packed(body: bytes) -> Hostile:
    """A body that is gzip's."""
    return Hostile(f"/sms/{CHANNEL}/send.json", body, {"content-type": JSON, "content-encoding": "gzip"})


def _wide_parts(parts: int, options: str) -> Hostile:
    """A multipart form whose parts have many options before their names."""
    part = f'--e\r\nContent-Disposition: form-data; {options}name="a%d"\r\n\r\n1\r\n'
    body = "".join(part % number for number in range(parts)) + "--e--\r\n"
    return Hostile("/platform_api/SendSmsMessage", body.encode(), {"content-type": "multipart/form-data; boundary=e"})


KINDS: dict[str, Callable[[], Hostile]] = {
    "token begins": lambda: _json("eyJ"),
    "tokens": lambda: _json("eyJaaaaaaaa.aaaaaaaa.a "),
    "points": lambda: _json("eyJ.a."),
    "key begins": lambda: _json("-----BEGIN A-----"),
    "key ends": lambda: _json("-----BEGIN A----------END A-----"),
    "start of a secret": lambda: _json("polyai-"),
    "percent": lambda: _json("%"),
    "percent escapes": lambda: _json("%41"),
    "backslashes": lambda: _json("\\"),
    "tildes": lambda: _json("~"),
    "ordinary": lambda: _json("Lorem%20psum\\"),
    "escapes": lambda: _body('{"first_name": "' + "\\u0041" * (MEBIBYTE // 6) + '"}'),
    "many members": lambda: _body(json.dumps({f"m{number:06}": 1 for number in range(MEBIBYTE // 14)})),
    "long name": lambda: _body(json.dumps({"x" * MEBIBYTE: 1})),
    "many items": lambda: _body(json.dumps({"first_name": [1] * (MEBIBYTE // 3)})),
    "smallest numbers": lambda: _body('{"first_name": [' + "3e-324," * (MEBIBYTE // 7) + "1]}"),
    "small numbers": lambda: _body('{"first_name": [' + "1.2345678901234567e-300," * 19_000 + "1]}"),
    "fractions": lambda: _body('{"first_name": [' + "1.5," * (MEBIBYTE // 4) + "1]}"),
    "brackets": lambda: _body('{"first_name": [' + "[]," * (MEBIBYTE // 4) + "1]}"),
    "large integers": lambda: _body('{"first_name": [' + ",".join(["7" * 4000] * 250) + "]}"),
    "smaller integers": lambda: _body('{"first_name": [' + ",".join(["7" * 309] * 3200) + "]}"),
    "large integer": lambda: _body('{"to_phone": ' + "7" * MEBIBYTE + "}"),
    "long number": lambda: _body('{"first_name": "x", "to_phone": "' + "+1 " * 330_000 + '"}'),
    "many empty members": lambda: _packed(gzip.compress(b"") * 40_000),
    "many stored members": lambda: _packed(b"".join(gzip.compress(os.urandom(9000), 0) for _ in range(110))),
    "packed blanks": lambda: _packed(gzip.compress(b'{"first_name": "' + b" " * (MEBIBYTE - 20) + b'"}')),
    "deep": lambda: _body("[" * (MEBIBYTE // 2) + "]" * (MEBIBYTE // 2)),
    "deep enough": lambda: _body('{"a":' * 90 + "1" + "}" * 90),
    "form": lambda: Hostile("/platform_api/SendSmsMessage", b"a=%&" * 240_000, {"content-type": FORM}),
    "large form": lambda: Hostile("/platform_api/SendSmsMessage", b"a=" + b"%" * MEBIBYTE, {"content-type": FORM}),
    "form of JSON": lambda: _form('{"api_key":"' * (MEBIBYTE // 12)),
    "form of escaped JSON": lambda: _form("%22api_key%22%3A%22" * (MEBIBYTE // 19)),
    "form of quotes": lambda: _form('"' * MEBIBYTE),
    "form of recipients": lambda: _recipients("1;"),
    "form of no recipients": lambda: _recipients("x;"),
    "form of escapes": lambda: _body("api_key=" + "%41" * 340_000, FORM),
    "parts": lambda: _multipart(1000, 900),
    "unread parts": lambda: _unread("\r\n--e\r\nform-data; name=api_key\r\n\r\n1"),
    "unread names": lambda: _unread("name="),
    "parts with many options": lambda: _wide_parts(140, 'a="b"; ' * 1000),
    "parts with many colons": lambda: _wide_parts(140, "a;" * 3500),
    "many parts": lambda: _multipart(16_000, 1),
    "unknown path, token begins": lambda: Hostile("/nope", b"", {"x-a": "eyJ" * (HEAD // 3)}),
    "unknown path, tokens": lambda: Hostile("/nope", b"", {"authorization": "eyJaaaaaaaa.b." * (HEAD // 14)}),
    "unknown path, long": lambda: Hostile("/" + "v1/outbound-sms/" * (HEAD // 16)),
    "unknown path, escapes": lambda: Hostile("/" + "%2f" * (HEAD // 3)),
    "unknown path, escaped text": lambda: Hostile("/" + "%C3%A9" * (HEAD // 6)),
    "unknown path, many headers": lambda: Hostile("/nope", b"", {f"x{number}": "1" for number in range(5000)}),
    "unknown path, parts": lambda: Hostile("/nope", _multipart(1000, 900).body, _multipart(1, 1).headers),
    "long query": lambda: Hostile("/nope?" + "key=a&" * (HEAD // 6)),
}


class Steps:
    """How long one task held the loop: the longest of its steps, in milliseconds of the thread's own time."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def timed(self, work: Coroutine[Any, Any, T]) -> T:
        """The work's result; each of its steps is timed."""
        result: T = await _Timed(work, self)
        return result

    def taken(self) -> float:
        """The longest step since this was asked."""
        longest, self.longest = self.longest, 0.0
        return longest * 1000


class _Timed:
    def __init__(self, work: Coroutine[Any, Any, T], steps: Steps) -> None:
        self._work = work
        self._steps = steps

    def __await__(self) -> Generator[Any, Any, Any]:
        while True:
            started = time.thread_time()
            try:
                waits_for = self._work.send(None)
            except StopIteration as end:
                return end.value
            finally:
                self._steps.longest = max(self._steps.longest, time.thread_time() - started)
            yield waits_for


async def ask(app: Application, method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
    """The body of the application's response."""
    path, _, query = path.partition("?")
    sent = [(name.encode(), value.encode()) for name, value in {"host": "localhost", **headers}.items()]
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
    }
    scope |= {"path": path, "raw_path": path.encode(), "query_string": query.encode(), "headers": sent}
    scope |= {"client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8080), "root_path": ""}
    answered: list[bytes] = []

    received = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> Any:
        return next(received, None) or await asyncio.Event().wait()  # the client stays

    async def send(message: Any) -> None:
        answered.append(message.get("body", b""))

    await app(scope, receive, send)
    return b"".join(answered)


async def measure(app: Application, hostile: Hostile) -> list[float]:
    """The longest step while the call is sent, while all are listed, one shown, while it is not found, and logged."""
    steps, logging = Steps(), Steps()
    loop = asyncio.get_running_loop()
    loop.set_task_factory(lambda loop, work, **how: asyncio.Task(logging.timed(work), loop=loop, **how))
    found = []

    async def timed(method: str, path: str, body: Any = None) -> Any:
        raw = json.dumps(body).encode() if body is not None else b""
        answer = json.loads(await steps.timed(ask(app, method, path, {"content-type": JSON}, raw)))
        found.append(steps.taken())
        return answer

    async with app.router.lifespan_context(app):
        await steps.timed(ask(app, "POST", hostile.path, hostile.headers, hostile.body))
        found.append(steps.taken())
        page = await timed("GET", "/_mock/calls?limit=1")
        (call,) = page["calls"]
        await timed("GET", f"/_mock/calls/{call['id']}")
        question: dict[str, Any] = {"account": call["account"] or "unclaimed"}
        if call["vendor"]:
            question |= {"operation": call["operation"], "where": {"body": {"first_name": "Jane", "to_phone": 5}}}
            question |= {"when": {"/body": {"maxProperties": 1}}}
        else:
            question |= {"where": {"headers": {"x-a": "b", "authorization": "c"}}}
        await timed("POST", "/_mock/calls/verify", question)
        await timed("POST", "/_mock/calls/verify", {"account": question["account"], "views": True})
    return [*found, logging.taken()]


def main() -> None:
    """Measure each kind twice, the second time with all that is made once already made; print the second."""
    parser = argparse.ArgumentParser(prog="benchmarks/hostile.py", description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of: {', '.join(KINDS)}")
    kinds = parser.parse_args().kinds or KINDS
    print(f"{'longest step in ms':30}", *(f"{name:>8}" for name in COLUMNS))
    for kind in kinds:
        hostile = KINDS[kind]()
        with contextlib.redirect_stderr(io.StringIO()):
            app = create_app(Settings(log="text"))
            gc.disable()
            for _ in range(2):
                found = asyncio.run(measure(app, hostile))
            gc.enable()
        print(f"{kind:30}", *(f"{milliseconds:8.1f}" for milliseconds in found), flush=True)


if __name__ == "__main__":
    main()
