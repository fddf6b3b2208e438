"""An answer as bytes: the documented sample, with the values of this exchange laid over it."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any

import msgspec

from mockserver.engine.call import pack_headers, split_headers
from mockserver.engine.problem import Problem
from mockserver.engine.sources import SeededIds, Sources
from mockserver.spec.model import BODILESS_STATUSES, Answer, Apply, Contract, Echo, New, Value
from mockserver.spec.pointer import MISSING, Pointer


class RenderedResponse(msgspec.Struct, frozen=True):
    """What goes back: status, packed headers with lower-case names, body."""

    status: int
    head: bytes
    body: bytes

    @classmethod
    def of(cls, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> "RenderedResponse":
        """The response with these headers and the length of its body, where its status allows one."""
        return cls(status, pack_headers([*headers, *_length(status, len(body))]), body)

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        return split_headers(self.head)


class Context(msgspec.Struct, frozen=True):
    """What fills may read: the view that ``when`` reads, the problem that is answered, and fresh ids.

    ``now`` is the account's time in Unix seconds, ``wait`` the seconds until its rate limit lets a request through.
    """

    view: Mapping[str, Any]
    problem: Problem | None
    ids: Sources | SeededIds
    now: float
    wait: int | None = None


Make = Callable[[Context], Any]
MAX_HEADS = 512  # heads of responses that are remembered, and
MAX_TIMESTAMPS = 64  # texts of times


class PreparedAnswer(msgspec.Struct, frozen=True):
    """An answer ready to be rendered.

    ``written`` is the body in parts as it stands in the contract; ``makers`` make those at their places anew.
    ``headers`` are the headers where one of them has a fill, else None. ``constant`` is the response where all calls
    get the same.
    """

    answer: Answer
    written: tuple[bytes, ...]
    makers: tuple[tuple[int, Make], ...]
    headers: tuple[tuple[bytes, bytes, Make | None], ...] | None
    constant: RenderedResponse | None


class Renderer:
    """Renders the answers of some contracts: each fill is made a function once, when the contracts are known.

    Heads that are equal are one object: in a journal of a million calls it takes room once.
    """

    def __init__(self, contracts: Iterable[Contract]) -> None:
        self._timestamp = _remembering_timestamp()
        self._head = lru_cache(maxsize=MAX_HEADS)(_constant_head)
        answers = {a: None for contract in contracts for o in contract.operations for a in o.answers.values()}
        self._prepared = {answer: self._prepare(answer) for answer in answers}

    def render(self, answer: Answer, context: Context) -> RenderedResponse:
        """The response of an answer of these contracts."""
        prepared = self._prepared[answer]
        if prepared.constant is not None:
            return prepared.constant
        parts = list(prepared.written)
        for at, make in prepared.makers:
            value = make(context)
            if value is not MISSING:
                parts[at] = _dump(value)
        body = b"".join(parts)
        if prepared.headers is None:
            return RenderedResponse(answer.status, self._head(answer, len(body)), body)
        headers = []
        for name, literal, make_header in prepared.headers:
            text = literal if make_header is None else make_header(context) or literal
            if text:
                headers.append((name, text))
        return RenderedResponse.of(answer.status, headers, body)

    def _prepare(self, answer: Answer) -> PreparedAnswer:
        written = [answer.body[0]]
        for (_, literal), segment in zip(answer.fills, answer.body[1:], strict=True):
            written += (literal, segment)
        makers = tuple((2 * at + 1, self._maker(fill)) for at, (fill, _) in enumerate(answer.fills))
        headers, constant = None, None
        if any(fill is not None for _, _, fill in answer.headers):
            headers = tuple(
                (name, literal, None if fill is None else self._header_maker(fill))
                for name, literal, fill in answer.headers
            )
        elif not makers:
            body = answer.body[0]
            constant = RenderedResponse(answer.status, _constant_head(answer, len(body)), body)
        return PreparedAnswer(answer, tuple(written), makers, headers, constant)

    def _maker(self, value: Value) -> Make:
        """A fill as a function."""
        if isinstance(value, Echo):
            return _echo(value, None if value.otherwise is None else self._maker(value.otherwise))
        if isinstance(value, Apply):
            return _application(value)
        if value.kind == "timestamp":
            plus, timestamp = value.plus, self._timestamp
            return lambda context: timestamp(context.now + plus)
        if value.kind == "uuid":
            return lambda context: context.ids.uuid()
        return lambda context: context.ids.sequence()

    def _header_maker(self, value: Value) -> Make:
        """A header's fill as a function; its value is b"" where nothing that may be sent is left of it."""
        if isinstance(value, New):
            fresh = self._maker(value)
            return lambda context: str(fresh(context)).encode("ascii")
        find = _finder(value.pointer) if isinstance(value, Echo) else self._maker(value)
        other = value.otherwise if isinstance(value, Echo) else None
        otherwise = None if other is None else self._header_maker(other)

        def make(context: Context) -> bytes:
            found = find(context)
            text = b"" if found is MISSING else _header_value(found)
            return otherwise(context) if not text and otherwise is not None else text

        return make


def _constant_head(answer: Answer, length: int) -> bytes:
    """The head of an answer that has no fills in its headers."""
    headers = [(name, literal) for name, literal, _ in answer.headers]
    return pack_headers([*headers, *_length(answer.status, length)])


def _length(status: int, length: int) -> list[tuple[bytes, bytes]]:
    """A 204 has no Content-Length (RFC 9110, 8.6), and that of a 304 would be another response's."""
    return [] if status in BODILESS_STATUSES else [(b"content-length", b"%d" % length)]


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


def timestamp(seconds: float) -> str:
    """Unix seconds as ISO 8601 in UTC, with milliseconds, cut, and ``Z``."""
    return _timestamp(_second, seconds)


def _timestamp(of_second: Callable[[int], str], seconds: float) -> str:
    whole, milliseconds = divmod(int(seconds * 1000), 1000)
    return f"{of_second(whole)}.{milliseconds:03}Z"


def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]


def _remembering_timestamp() -> Callable[[float], str]:
    """``timestamp`` that remembers the last texts: an answer may have a time twice, and many calls have a second."""
    of_second = lru_cache(maxsize=MAX_TIMESTAMPS)(_second)
    return lru_cache(maxsize=MAX_TIMESTAMPS)(partial(_timestamp, of_second))


def _header_value(value: Any) -> bytes:
    """Text that may stand in a header: what a server would refuse to send is left out."""
    text = str(value)[:1000]
    if not (text.isascii() and text.isprintable()):
        text = "".join(character for character in text if " " <= character <= "~")
    return text.strip().encode("ascii")


_dump = msgspec.json.Encoder().encode  # 0.1 us a value, the standard library's 2.5
