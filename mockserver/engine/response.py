"""An answer as bytes: the documented sample, with the values of this exchange laid over it."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from mockserver.engine.call import pack_headers, split_headers
from mockserver.engine.problem import Problem
from mockserver.engine.sources import Sources
from mockserver.spec.model import Answer, Apply, Echo, New, Value
from mockserver.spec.pointer import MISSING, Pointer


class RenderedResponse(msgspec.Struct, frozen=True):
    """What goes back: status, packed headers (lower-case names), bytes."""

    status: int
    head: bytes
    body: bytes

    @classmethod
    def of(cls, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> "RenderedResponse":
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


Make = Callable[[Context], Any]


def render(answer: Answer, context: Context) -> RenderedResponse:
    """The response of an answer."""
    body, headers = answer.body[0], _header_makers(answer)
    if answer.fills:
        written, makers = _body_makers(answer)
        parts = written.copy()
        for at, make in makers:
            found = make(context)
            if found is not MISSING:
                parts[at] = _dump(found)
        body = b"".join(parts)
    if headers is None:
        return RenderedResponse(answer.status, _constant_head(answer, len(body)), body)
    made = []
    for name, literal, make_header in headers:
        value = literal if make_header is None else make_header(context) or literal
        if value:
            made.append((name, value))
    return RenderedResponse.of(answer.status, made, body)


@lru_cache(maxsize=512)
def _constant_head(answer: Answer, length: int) -> bytes:
    """The head of an answer without fills in its headers: one object for all its calls in the journal."""
    headers = [(name, literal) for name, literal, _ in answer.headers]
    return pack_headers([*headers, (b"content-length", b"%d" % length)])


@lru_cache(maxsize=4096)
def _body_makers(answer: Answer) -> tuple[list[bytes], tuple[tuple[int, Make], ...]]:
    """The body in parts as it stands in the contract, and each fill with the place of the part that it makes."""
    written = [answer.body[0]]
    for (_, literal), segment in zip(answer.fills, answer.body[1:], strict=True):
        written += (literal, segment)
    return written, tuple((2 * at + 1, _maker(fill)) for at, (fill, _) in enumerate(answer.fills))


@lru_cache(maxsize=4096)
def _header_makers(answer: Answer) -> tuple[tuple[bytes, bytes, Make | None], ...] | None:
    """Each header with its fill, if it has one; None where no header has."""
    if all(fill is None for _, _, fill in answer.headers):
        return None
    return tuple((n, literal, None if fill is None else _header_maker(fill)) for n, literal, fill in answer.headers)


def _maker(value: Value) -> Make:
    """A fill as a function: what it is, is found out once."""
    if isinstance(value, Echo):
        return _echo(value, None if value.otherwise is None else _maker(value.otherwise))
    if isinstance(value, Apply):
        return _application(value)
    if value.kind == "timestamp":
        return lambda context: timestamp(context.now + value.plus)
    if value.kind == "uuid":
        return lambda context: context.sources.uuid()
    return lambda context: context.sources.sequence()


def _echo(value: Echo, otherwise: Make | None) -> Make:
    find = _finder(value.pointer)

    def echo(context: Context) -> Any:
        found = find(context)
        return otherwise(context) if found is MISSING and otherwise is not None else found

    return echo


def _finder(pointer: Pointer) -> Make:
    root, get = pointer.tokens[0], pointer.get
    if root == "limit":
        return lambda context: MISSING if context.wait is None else context.wait
    if root == "problem":
        named = pointer.tokens[1] == "name"
        return lambda context: _of_problem(context.problem, named=named)
    return lambda context: get(context.view)


def _of_problem(problem: Problem | None, *, named: bool) -> Any:
    if problem is None:
        return MISSING
    return problem.at.rpartition("/")[2] if named else problem.value


def _application(value: Apply) -> Make:
    function, getters = value.function, [pointer.get for pointer in value.pointers]

    def apply(context: Context) -> Any:
        arguments = [get(context.view) for get in getters]
        return MISSING if MISSING in arguments else function(*arguments)

    return apply


def _header_maker(value: Value) -> Make:
    """A header's value, b"" where it has none; an echo of which nothing may be sent counts as one of nothing."""
    if isinstance(value, New):
        fresh = _maker(value)
        return lambda context: str(fresh(context)).encode("ascii")
    find = _finder(value.pointer) if isinstance(value, Echo) else _maker(value)
    otherwise = _header_maker(value.otherwise) if isinstance(value, Echo) and value.otherwise is not None else None

    def make(context: Context) -> bytes:
        found = find(context)
        text = b"" if found is MISSING else _header_value(found)
        return otherwise(context) if not text and otherwise is not None else text

    return make


@lru_cache(maxsize=64)
def timestamp(seconds: float) -> str:
    """Unix seconds as ISO 8601 in UTC, with milliseconds, cut, and ``Z``."""
    whole, milliseconds = divmod(int(seconds * 1000), 1000)
    return f"{_second(whole)}.{milliseconds:03}Z"


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]


def _header_value(value: Any) -> bytes:
    """Text that may stand in a header: what a server would refuse to send is left out."""
    text = str(value)[:1000]
    if not (text.isascii() and text.isprintable()):
        text = "".join(character for character in text if " " <= character <= "~")
    return text.strip().encode("ascii")


_dump = msgspec.json.Encoder().encode  # 0.1 us a value, the standard library's 2.5
