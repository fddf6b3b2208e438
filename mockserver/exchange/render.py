"""An answer as bytes: the documented sample, with the values of this exchange laid over it."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from mockserver.exchange.call import pack_headers, split_headers
from mockserver.exchange.problem import Problem
from mockserver.exchange.sources import Sources
from mockserver.spec.contract import Answer, Apply, Echo, Value
from mockserver.spec.pointer import MISSING


class Response(msgspec.Struct, frozen=True):
    """What goes back: status, packed headers (lower-case names), bytes."""

    status: int
    head: bytes
    body: bytes

    @classmethod
    def of(cls, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> "Response":
        """The response with these headers and the length of its body."""
        return cls(status, pack_headers([*headers, (b"content-length", b"%d" % len(body))]), body)

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        return split_headers(self.head)


class Context(msgspec.Struct, frozen=True):
    """What fills may read: the view of ``when``, the problem answered, where fresh values come from.

    ``now`` is the account's time in Unix seconds, ``wait`` the seconds until its rate limit lets a request through.
    """

    view: Mapping[str, Any]
    problem: Problem | None
    sources: Sources
    now: float
    wait: int | None = None


def render(answer: Answer, context: Context) -> Response:
    """The response of an answer."""
    body = answer.body[0]
    if answer.filled:
        parts = [body]
        for fill, literal, after in answer.filled:
            found = _evaluate(fill, context)
            parts.append(literal if found is MISSING else _dump(found))
            parts.append(after)
        body = b"".join(parts)
    if not answer.fills_headers:
        return Response(answer.status, _constant_head(answer, len(body)), body)
    headers = []
    for name, literal, made in answer.headers:
        value = literal if made is None else _header(made, literal, context)
        if value:
            headers.append((name, value))
    return Response.of(answer.status, headers, body)


@lru_cache(maxsize=1024)
def _constant_head(answer: Answer, length: int) -> bytes:
    """The head of an answer without fills in its headers: one object for all its calls in the journal."""
    headers = [(name, literal) for name, literal, _ in answer.headers]
    return pack_headers([*headers, (b"content-length", b"%d" % length)])


def _evaluate(value: Value, context: Context) -> Any:
    if isinstance(value, Echo):
        found = _echoed(value, context)
        if found is MISSING and value.otherwise is not None:
            return _evaluate(value.otherwise, context)
        return found
    if isinstance(value, Apply):
        arguments = [pointer.get(context.view) for pointer in value.pointers]
        return MISSING if MISSING in arguments else value.function(*arguments)
    if value.kind == "timestamp":
        return timestamp(context.now + value.plus)
    return context.sources.uuid() if value.kind == "uuid" else context.sources.sequence()


def _echoed(value: Echo, context: Context) -> Any:
    tokens = value.pointer.tokens
    if tokens[0] == "limit":
        return MISSING if context.wait is None else context.wait
    if tokens[0] != "problem":
        return value.pointer.get(context.view)
    problem = context.problem
    if problem is None:
        return MISSING
    return problem.at.rpartition("/")[2] if tokens[1] == "name" else problem.value


def timestamp(seconds: float) -> str:
    """Unix seconds as ISO 8601 in UTC, with milliseconds, cut, and ``Z``."""
    whole, milliseconds = divmod(int(seconds * 1000), 1000)
    return f"{_second(whole)}.{milliseconds:03}Z"


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]


def _header(fill: Value, literal: bytes, context: Context) -> bytes:
    """A header's value; an echo of which nothing may be sent counts as one of nothing."""
    while isinstance(fill, Echo):
        found = _echoed(fill, context)
        text = b"" if found is MISSING else _header_value(found)
        if text or fill.otherwise is None:
            return text or literal
        fill = fill.otherwise
    found = _evaluate(fill, context)
    return literal if found is MISSING else _header_value(found) or literal


def _header_value(value: Any) -> bytes:
    """Text that may stand in a header: what a server would refuse to send is left out."""
    text = str(value)[:1000]
    if not (text.isascii() and text.isprintable()):
        text = "".join(character for character in text if " " <= character <= "~")
    return text.strip().encode("ascii")


_dump = msgspec.json.Encoder().encode  # 0.1 us a value, the standard library's 2.5
