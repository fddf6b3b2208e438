"""Values of an exchange, made as the contract describes them: each description becomes a function once."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Any

import msgspec

from mockserver.engine.account import credential_for
from mockserver.engine.identifiers import random_hex, random_token, ulid
from mockserver.engine.listing import Entries, listed
from mockserver.engine.problem import Problem
from mockserver.engine.sources import SeededIds, Sources
from mockserver.spec.functions import as_text
from mockserver.spec.pointer import MISSING, Pointer
from mockserver.spec.security_model import Jwt, Scheme
from mockserver.spec.value_model import (
    Apply,
    Composed,
    Constant,
    CountOf,
    Each,
    Echo,
    Join,
    New,
    Shaped,
    SignedToken,
    Validator,
    Value,
)

MAX_SECONDS = 64  # whose texts are remembered


class Context(msgspec.Struct, frozen=True):
    """What values may read: the view that ``when`` reads, the problem that is answered, and fresh ids.

    ``now`` is the account's time in Unix seconds, ``wait`` the seconds until its rate limit lets a request through.
    ``schemes`` are those by which a token can be signed. ``counts`` are, by the place of a list, what it showed.
    """

    view: Mapping[str, Any]
    problem: Problem | None
    ids: Sources | SeededIds
    now: float
    wait: int | None = None
    schemes: tuple[Scheme, ...] = ()
    counts: dict[Pointer, Entries] = msgspec.field(default_factory=dict)

    def seeing(self, **parts: Any) -> "Context":
        """The same, with other parts in its view."""
        return msgspec.structs.replace(self, view={**self.view, **parts})


Make = Callable[[Context], Any]


class ValueCompiler:
    """Turns descriptions of values into functions; ``MISSING`` is a value that this exchange does not have."""

    def __init__(self) -> None:
        self._timestamp = _remembering_timestamp()

    def compile(self, value: Value, at: Pointer | None = None) -> Make:  # noqa: PLR0911 -- one branch a form
        """A value as a function; ``at`` is its place in an answer's body, by which a list is counted."""
        if isinstance(value, Echo):
            return _echo(value, None if value.otherwise is None else self.compile(value.otherwise))
        if isinstance(value, New):
            return self._new(value)
        if isinstance(value, Apply):
            return _application(value.function, tuple(map(self.compile, value.arguments)))
        if isinstance(value, Constant):
            constant = value.value
            return lambda _context: constant
        if isinstance(value, Composed):
            return self._composed(value)
        if isinstance(value, Join):
            return _joined(tuple(map(self.compile, value.parts)))
        if isinstance(value, SignedToken):
            return _signed(value.scheme)
        if isinstance(value, CountOf):
            return _counted(value)
        if isinstance(value, Each):
            return self._each(value, at)
        return _shaped(value, self.compile(value.value, at))

    def _new(self, value: New) -> Make:
        kind, length, prefix = value.kind, value.length, value.prefix
        if kind == "sequence":
            return lambda context: f"{prefix}{context.ids.sequence()}" if prefix else context.ids.sequence()
        if kind == "hex":
            return lambda context: prefix + random_hex(context.ids.uuid, length)
        if kind == "token":
            return lambda context: prefix + random_token(context.ids.uuid, length)
        if kind == "ulid":
            return lambda context: prefix + ulid(context.ids.uuid, context.now)
        if kind == "uuid":
            return (lambda context: prefix + context.ids.uuid()) if prefix else (lambda context: context.ids.uuid())
        plus = value.plus
        write = self._timestamp if value.form == "iso_ms" else TIME_FORMATS[value.form]
        return lambda context: write(context.now + plus)

    def _composed(self, value: Composed) -> Make:
        if isinstance(value.members, tuple):
            items = tuple(map(self.compile, value.members))
            return lambda context: [made for make in items if (made := make(context)) is not MISSING]
        parts = value.members
        written = {name: part.value if isinstance(part, Constant) else MISSING for name, part in parts.items()}
        members = tuple((n, self.compile(part)) for n, part in parts.items() if not isinstance(part, Constant))

        def compose(context: Context) -> dict[str, Any]:
            composed = written.copy()
            for name, make in members:
                made = make(context)
                if made is MISSING:
                    del composed[name]
                else:
                    composed[name] = made
            return composed

        return compose

    def _each(self, value: Each, at: Pointer | None) -> Make:
        operands = tuple(self.compile(condition.value) for condition in value.where)
        item = None if value.item is None else self.compile(value.item)
        refused = item if value.refused is None else self.compile(value.refused)

        def entries(context: Context) -> Any:
            shown = listed(value, context.view, [operand(context) for operand in operands])
            if shown is None:
                return MISSING
            if at is not None:
                context.counts[at] = shown
            return list(shown.page) if item is None else _items(item, refused or item, shown, context)

        return entries


def _counted(value: CountOf) -> Make:
    at, of = value.at, value.of

    def count(context: Context) -> Any:
        shown = context.counts.get(at)
        return MISSING if shown is None else shown.count(of)

    return count


def _items(item: Make, refused: Make, shown: Entries, context: Context) -> list[Any]:
    return [(refused if _is_refused(entry) else item)(context.seeing(item=entry)) for entry in shown.page]


def _is_refused(entry: Any) -> bool:
    return isinstance(entry, dict) and entry.get("accepted") is False


def _echo(value: Echo, otherwise: Make | None) -> Make:
    find = finder(value.pointer)
    if otherwise is None:
        return find

    def echo(context: Context) -> Any:
        found = find(context)
        return otherwise(context) if found is MISSING else found

    return echo


def finder(pointer: Pointer) -> Make:
    """What a pointer reads, as a function."""
    root, name, get = pointer.tokens[0], pointer.tokens[-1], pointer.get
    if root == "limit":
        return lambda context: MISSING if context.wait is None else context.wait
    if root == "problem":
        named = pointer.tokens[1] == "name"
        return lambda context: _of_problem(context.problem, named=named)
    if len(pointer.tokens) == 2:

        def of_part(context: Context) -> Any:  # as the pointer does, with a call less
            try:
                return context.view[root].get(name, MISSING)
            except (KeyError, TypeError, AttributeError):
                return get(context.view)

        return of_part
    if len(pointer.tokens) == 3:
        second = pointer.tokens[1]

        def of_record(context: Context) -> Any:  # as above
            try:
                return context.view[root][second].get(name, MISSING)
            except (KeyError, TypeError, AttributeError):
                return get(context.view)

        return of_record
    return lambda context: get(context.view)


def _of_problem(problem: Problem | None, *, named: bool) -> Any:
    if problem is None:
        return MISSING
    return problem.at.rpartition("/")[2] if named else problem.value


def _application(function: Callable[..., Any], makers: tuple[Make, ...]) -> Make:
    if len(makers) == 1:
        (make,) = makers

        def apply_to_one(context: Context) -> Any:
            argument = make(context)
            return MISSING if argument is MISSING else function(argument)

        return apply_to_one

    def apply(context: Context) -> Any:
        arguments = [make(context) for make in makers]
        return MISSING if MISSING in arguments else function(*arguments)

    return apply


def _joined(parts: tuple[Make, ...]) -> Make:
    def join(context: Context) -> Any:
        text = ""
        for make in parts:
            made = make(context)
            if made is MISSING:
                return MISSING
            text += made if isinstance(made, str) else as_text(made)
        return text

    return join


def _signed(scheme_name: str) -> Make:
    """A token of a scheme, for the record of that scheme that the request has bound."""

    def sign_token(context: Context) -> Any:
        scheme = next((scheme for scheme in context.schemes if scheme.name == scheme_name), None)
        record = context.view["owned"].get(scheme.binds) if scheme is not None else None
        if scheme is None or record is None:
            return MISSING
        value = record.get(Pointer.parse(scheme.accept.claim).tokens[-1])
        lifetime = scheme.accept.max_age if isinstance(scheme.accept, Jwt) else None
        return credential_for(scheme, context.view["account"], value, record, context.now, lifetime=lifetime)

    return sign_token


def _shaped(value: Shaped, make: Make) -> Make:
    conditions, written_as = value.when, value.written_as

    def shape(context: Context) -> Any:
        if not all(holds(at, condition, context.view) for at, condition in conditions):
            return MISSING
        made = make(context)
        return made if made is MISSING or written_as is None else WRITTEN_AS[written_as](made)

    return shape


def holds(at: Pointer, condition: Validator | None, view: Mapping[str, Any]) -> bool:
    """Whether the value at a place fits a condition; None asks that there is none."""
    value = at.get(view)
    if condition is None:
        return value is MISSING
    return value is not MISSING and condition.is_valid(value)


def _as_integer(value: Any) -> Any:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return MISSING


def _as_base64(digest: str) -> str:
    """The bytes of a digest, which come in hex."""
    return b64encode(bytes.fromhex(digest)).decode("ascii")


WRITTEN_AS: Mapping[str, Callable[[Any], Any]] = {"text": as_text, "integer": _as_integer, "base64": _as_base64}


def timestamp(seconds: float) -> str:
    """Unix seconds as ISO 8601 in UTC, with milliseconds, cut, and ``Z``."""
    whole, milliseconds = divmod(int(seconds * 1000), 1000)
    return f"{_second(whole)}.{milliseconds:03}Z"


def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]


def _remembering_timestamp() -> Callable[[float], str]:
    """``timestamp`` that remembers the last seconds, which many calls share, and how each millisecond is written.

    It also remembers the last time that it wrote: an answer often tells one time twice, as made and as changed.
    """
    of_second = lru_cache(maxsize=MAX_SECONDS)(_second)
    of_millisecond = [f".{milliseconds:03}Z" for milliseconds in range(1000)]
    last: tuple[float | None, str] = (None, "")

    def write(seconds: float) -> str:
        nonlocal last
        written, text = last
        if seconds != written:
            whole, milliseconds = divmod(int(seconds * 1000), 1000)
            text = of_second(whole) + of_millisecond[milliseconds]
            last = (seconds, text)
        return text

    return write


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)


TIME_FORMATS: Mapping[str, Callable[[float], Any]] = {  # by ``format``: how a time in Unix seconds is written
    "iso_ms": timestamp,
    "iso": lambda seconds: f"{_second(int(seconds))}Z",
    "iso_offset": lambda seconds: _moment(seconds).isoformat(),
    "iso_ms_offset": lambda seconds: f"{timestamp(seconds)[:-1]}+0000",
    "rfc2822": lambda seconds: format_datetime(_moment(seconds)),
    "sql": lambda seconds: _moment(seconds).isoformat(" ")[:19],
    "date": lambda seconds: _moment(seconds).isoformat()[:10],
    "unix": int,
    "unix_ms": lambda seconds: int(seconds * 1000),
}
