"""What a test expects to have been called, held against recorded calls."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from mockserver.engine.bodies import UnreadableError, read_form, read_json, read_multipart
from mockserver.engine.call import Label, RecordedCall, unpack_headers, unpack_params
from mockserver.engine.request import Arrival, ParsedRequest, read_query
from mockserver.matching.pattern import SEEN, Difference, Pattern, differences
from mockserver.spec.functions import digits
from mockserver.spec.pointer import MISSING

_FORMS = frozenset({"form", "multipart"})


@dataclass(frozen=True, slots=True)
class Expectation:
    """Each part that is not None must be the call's; ``since`` in Unix seconds, ``number`` as it is recorded."""

    vendor: str | None = None
    operation: str | None = None
    answer: str | None = None
    accepted: bool | None = None
    recipient: str | None = None
    since: float | None = None
    pattern: Pattern = field(default_factory=Pattern)
    number: str | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "number", None if self.recipient is None else as_recorded(self.recipient))

    def differences(self, call: RecordedCall) -> list[Difference]:
        """Where a call is not what was expected; what is cheap to compare first."""
        found = self._outer(call)
        if self.pattern:
            found += differences(self.pattern, recorded(call, self.pattern.tests))
        return found

    def fits(self, call: RecordedCall) -> bool:
        """Whether there is no difference."""
        return self.admits(call.label) and self.matches(call)

    def admits(self, label: Label) -> bool:
        """Whether calls of this label can fit: vendor, operation, answer and accepted are theirs alike."""
        return is_kind(label, self.vendor, self.operation, self.answer, self.accepted)

    def matches(self, call: RecordedCall) -> bool:
        """Whether a call that is admitted fits, looking at no more of it than is asked."""
        if self.since is not None and call.received_at < self.since:
            return False
        if self.recipient is not None and call.recipient != self.number:
            return False
        reads = call.label.reads
        for part, tests in self.pattern.tests.items():
            value = _READ[part](call, reads)
            for test in tests:
                if not test(value):
                    return False
        return True

    def concerns(self, call: RecordedCall) -> bool:
        """Whether a call is near enough to be told of: of this vendor or operation, and not too old."""
        if self.since is not None and call.received_at < self.since:
            return False
        return is_kind(call.label, self.vendor, self.operation)

    def _outer(self, call: RecordedCall) -> list[Difference]:
        found: list[Difference] = []
        if self.vendor is not None and call.vendor != self.vendor:
            found.append(Difference("/vendor", self.vendor, call.vendor))
        if self.operation is not None and call.operation != self.operation:
            found.append(Difference("/operation", self.operation, call.operation))
        if not is_kind(call.label, answer=self.answer):
            found.append(Difference("/answer", self.answer, call.answer))
        if self.accepted is not None and bool(call.accepted) is not self.accepted:
            found.append(Difference("/accepted", self.accepted, bool(call.accepted)))
        if self.recipient is not None and call.recipient != self.number:
            found.append(Difference("/recipient", self.recipient, call.recipient or MISSING))
        if self.since is not None and call.received_at < self.since:
            found.append(Difference("/received_at", self.since, call.received_at))
        return found


def is_kind(
    label: Label,
    vendor: str | None = None,
    operation: str | None = None,
    answer: str | None = None,
    accepted: bool | None = None,
) -> bool:
    """Whether each of these that is not None is the label's; an answer by its id or its name."""
    return (
        (vendor is None or label.vendor == vendor)
        and (operation is None or label.operation == operation)
        and (answer is None or answer in {label.answer, label.answer.rpartition("/")[2]})
        and (accepted is None or label.accepted is accepted)
    )


def as_recorded(recipient: str) -> str | None:
    """A recipient as calls have it, ``+`` and digits; None without digits: that is nobody's."""
    number = digits(recipient)
    return f"+{number}" if number else None


def recorded(call: RecordedCall, parts: Iterable[str] = SEEN) -> dict[str, Any]:
    """These parts of a call's request as patterns see them: as sent, text being text."""
    values = {part: _READ[part](call, call.label.reads) for part in parts}
    return {part: value for part, value in values.items() if value is not MISSING}


def received(request: ParsedRequest) -> dict[str, Any]:
    """A request as patterns will see it once it is recorded."""
    values = {part: _READ[part](request.arrival, request.reads) for part in SEEN}
    return {part: value for part, value in values.items() if value is not MISSING}


def _path(sent: RecordedCall | Arrival, _reads: str) -> str:
    return sent.path


def _path_params(sent: RecordedCall | Arrival, _reads: str) -> dict[str, str]:
    return unpack_params(sent.path_params) if isinstance(sent, RecordedCall) else sent.path_params


def _query(sent: RecordedCall | Arrival, reads: str) -> dict[str, str]:
    """A form's fields count as query, too."""
    pairs = dict(read_query(sent.query)) if sent.query else {}
    fields = _body(sent, reads) if reads in _FORMS else None
    return {**fields, **pairs} if isinstance(fields, dict) else pairs


def _headers(sent: RecordedCall | Arrival, _reads: str) -> dict[str, str]:
    return {name.lower(): value for name, value in unpack_headers(sent.headers)}


def _body(sent: RecordedCall | Arrival, reads: str) -> Any:
    body = sent.body
    try:
        if reads in _FORMS:
            return _fields(sent, reads)
        return read_json(body) if body else MISSING
    except UnreadableError:
        return body.decode("utf-8", "replace")


def _fields(sent: RecordedCall | Arrival, reads: str) -> dict[str, str]:
    if reads == "form":
        return dict(read_form(sent.body))
    content_type = _headers(sent, reads).get("content-type", "")
    return dict(read_multipart(sent.body, content_type.encode("latin-1")))


_READ: dict[str, Callable[[RecordedCall | Arrival, str], Any]] = {
    "path": _path,
    "path_params": _path_params,
    "query": _query,
    "headers": _headers,
    "body": _body,
}
