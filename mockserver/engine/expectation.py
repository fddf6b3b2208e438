"""What a test expects to have been called, held against recorded calls."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from mockserver.engine.bodies import UnreadableError, read_form, read_json, read_multipart, read_query
from mockserver.engine.call import Label, RecordedCall, unpack_headers, unpack_params
from mockserver.engine.coding import content_of, is_coded, without_codings
from mockserver.engine.request import Arrival
from mockserver.matching.compare import Difference, Test
from mockserver.matching.pattern import Pattern, answer_view, headers_view
from mockserver.spec.functions import phone_digits
from mockserver.spec.model import READ_AS_FORM
from mockserver.spec.pointer import MISSING
from mockserver.spec.value_model import Validator

Reader = Callable[[RecordedCall | Arrival, str], Any]  # of what was sent, and how its body is read

_READ_AS_JSON = frozenset({"json", ""})  # "" where no operation has the path: a body that is JSON is read as such


@dataclass(frozen=True)
class Expectation:
    """Each part that is not None must be the call's; ``since`` in Unix seconds.

    A recipient counts by its digits, and may be any of several. ``direction`` is ``in`` for calls of clients, ``out``
    for those to a client.
    """

    vendor: str | None = None
    operation: str | None = None
    answer: str | None = None
    accepted: bool | None = None
    recipient: str | None = None
    since: float | None = None
    pattern: Pattern = field(default_factory=Pattern)
    direction: str | None = None

    def admits(self, label: Label) -> bool:
        """Whether calls of this label can be as expected: vendor, operation, answer and accepted are theirs alike."""
        return self._label.fits(_label_view(label))

    def matches(self, call: RecordedCall) -> bool:
        """Whether a call that is admitted is as expected; no more of it is decoded than is asked for."""
        if self.since is not None and call.received_at < self.since:
            return False
        if self._number is not None and not call.is_to(self._number):
            return False
        reads = call.label.reads
        if is_coded(call):  # by a view, which undoes that once
            view = RequestView(call, reads)
            return all(test(view.get(part)) for part, tests in self.pattern.tests.items() for test in tests)
        for read, tests in self._tests:  # no view, which would take half as long again
            value = read(call, reads)
            for test in tests:
                if not test(value):
                    return False
        return True

    def differences(self, call: RecordedCall) -> list[Difference]:
        """Where a call is not as expected: none where it is admitted and matches."""
        found = self._label.differences(_label_view(call.label))
        if not self._is_in_time(call):
            found.append(Difference("/received_at", self.since, call.received_at))
        if self._number is not None and not call.is_to(self._number):
            found.append(Difference("/recipient", self._number, call.recipient or MISSING))
        return found + self.pattern.differences(RequestView(call, call.label.reads))

    def concerns(self, call: RecordedCall) -> bool:
        """Whether a call is near enough to be shown: of this vendor or operation and direction, and not too old."""
        return self._is_in_time(call) and self._operation.fits(_label_view(call.label))

    def _is_in_time(self, call: RecordedCall) -> bool:
        return self.since is None or call.received_at >= self.since

    @cached_property
    def _operation(self) -> Pattern:
        return _pattern(vendor=self.vendor, operation=self.operation, direction=self.direction)

    @cached_property
    def _label(self) -> Pattern:
        return _pattern(
            vendor=self.vendor,
            operation=self.operation,
            answer=self.answer,
            accepted=self.accepted,
            direction=self.direction,
        )

    @cached_property
    def _number(self) -> str | None:
        """The recipient as calls have it; without digits it is nobody's."""
        return None if self.recipient is None else as_recorded(self.recipient) or self.recipient

    @cached_property
    def _tests(self) -> tuple[tuple[Reader, tuple[Test, ...]], ...]:
        """What is asked of a call beside its label: how each part is read, and what is tested then."""
        return tuple((_READ[part], tests) for part, tests in self.pattern.tests.items())


def as_recorded(recipient: str) -> str | None:
    """A recipient as calls have it, ``+`` and digits; None without digits: that is nobody's."""
    number = phone_digits(recipient)
    return f"+{number}" if number else None


class RequestView:
    """A request as patterns see it, recorded or just arrived; each part is decoded once, when it is asked for.

    ``reads`` says how the body is read: json, form, multipart or nothing.
    """

    __slots__ = ("_parts", "_plain", "_reads", "_sent")

    def __init__(self, sent: RecordedCall | Arrival, reads: str) -> None:
        self._sent = self._plain = sent
        self._reads = reads
        self._parts: dict[str, Any] = {}

    def get(self, part: str, default: Any = MISSING) -> Any:
        """One part, as sent; the default where the request has none."""
        if part not in self._parts:
            self._parts[part] = self._read(part)
        value = self._parts[part]
        return default if value is MISSING else value

    def _read(self, part: str) -> Any:
        """A part as sent; where it was read already under its other name, it is not read again."""
        read = self._parts.get("body")
        if part == "json" and isinstance(read, dict | list) and self._reads in _READ_AS_JSON:
            return read
        if part == "form" and isinstance(read, dict) and self._reads in READ_AS_FORM:
            return read
        if part != "headers" and is_coded(self._plain):
            self._plain = without_codings(self._plain)
        return _READ[part](self._sent if part == "headers" else self._plain, self._reads)


def _pattern(**parts: str | bool | None) -> Pattern:
    return Pattern({part: value for part, value in parts.items() if value is not None})


def _label_view(label: Label) -> dict[str, Any]:
    texts = {"vendor": label.vendor, "operation": label.operation}
    known = {part: text for part, text in texts.items() if text}
    return {**known, "answer": answer_view(label.answer), "accepted": label.accepted, "direction": label.direction}


def _recipient(sent: RecordedCall | Arrival, _reads: str) -> Any:
    return (isinstance(sent, RecordedCall) and sent.recipient) or MISSING


def _path(sent: RecordedCall | Arrival, _reads: str) -> str:
    return sent.path


def _path_params(sent: RecordedCall | Arrival, _reads: str) -> dict[str, str]:
    return unpack_params(sent.path_params) if isinstance(sent, RecordedCall) else sent.path_params


def _query(sent: RecordedCall | Arrival, reads: str) -> dict[str, str]:
    """Of a parameter given twice the last value; a form's fields count as query, too."""
    pairs = dict(read_query(sent.query)) if sent.query else {}
    fields = _body(sent, reads) if reads in READ_AS_FORM else None
    return {**fields, **pairs} if isinstance(fields, dict) else pairs


def _headers(sent: RecordedCall | Arrival, _reads: str) -> dict[str, Any]:
    return headers_view(unpack_headers(sent.headers))


def _body(sent: RecordedCall | Arrival, reads: str) -> Any:
    if reads in READ_AS_FORM:
        form = _form(sent, reads)
        return content_of(sent).decode("utf-8", "replace") if form is MISSING else form
    body = content_of(sent)
    try:
        return read_json(body) if body else MISSING
    except UnreadableError:
        return body.decode("utf-8", "replace")


def _json(sent: RecordedCall | Arrival, reads: str) -> Any:
    try:
        return read_json(content_of(sent)) if sent.body and reads in _READ_AS_JSON else MISSING
    except UnreadableError:
        return MISSING


def _form(sent: RecordedCall | Arrival, reads: str) -> Any:
    try:
        return _fields(sent, reads) if reads in READ_AS_FORM else MISSING
    except UnreadableError:
        return MISSING


def _fields(sent: RecordedCall | Arrival, reads: str) -> dict[str, str]:
    if reads == "form":
        return dict(read_form(content_of(sent)))
    headers = {name.lower(): value for name, value in unpack_headers(sent.headers)}
    return dict(read_multipart(content_of(sent), headers.get("content-type", "").encode("latin-1")))


_READ: dict[str, Reader] = {
    "recipient": _recipient,
    "path": _path,
    "path_params": _path_params,
    "query": _query,
    "headers": _headers,
    "body": _body,
    "json": _json,
    "form": _form,
}


MAX_REGEX = 256 * 1024  # bytes of a compiled pattern


def compile_schema(schema: dict[str, Any] | bool) -> Validator:
    """A test's own JSON Schema, ready to be used. Raises ValueError, or the library's ValidationError."""
    import jsonschema_rs  # noqa: PLC0415 -- only patterns with schemas need it

    engine = jsonschema_rs.RegexOptions(size_limit=MAX_REGEX)  # in linear time: it has no references backwards
    return jsonschema_rs.validator_for(schema, offline=True, pattern_options=engine)
