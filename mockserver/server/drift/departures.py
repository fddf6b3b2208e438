"""Where a vendor's real answer departs from an answer of its contract: status, headers, shape of the body, text."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mockserver.engine.bodies import UnreadableError, read_json
from mockserver.server.drift.filled import UNSETTLED, FilledValues, kind_of, looks_like
from mockserver.spec.answer_model import Answer
from mockserver.spec.pointer import MISSING, join
from mockserver.spec.value_model import Composed, New, Shaped, Value
from mockserver.spec.wording import shortened

CONTENT_TYPE = "content-type"
NOT_DOCUMENTED = "-"  # in place of a grade: the contract says nothing of it
MAX_VALUE_SHOWN = 200  # characters of a value
MAX_ITEMS = 20  # of a list that are compared
UNTOLD_HEADERS = frozenset({  # headers of any server, or of what stands before it: nothing is concluded from them
    "accept-ranges", "age", "allow", "alt-svc", "cache-control", "connection", "content-encoding", "content-language",
    "content-length", "content-security-policy", "date", "etag", "expect-ct", "expires", "keep-alive",
    "last-modified", "nel", "p3p", "permissions-policy", "pragma", "referrer-policy", "report-to",
    "reporting-endpoints", "server", "server-timing", "set-cookie", "strict-transport-security", "transfer-encoding",
    "upgrade", "vary", "via", "x-cache", "x-content-type-options", "x-frame-options", "x-powered-by",
    "x-xss-protection",
})  # fmt: skip
UNTOLD_BEGINNINGS = ("access-control-", "cf-", "x-amz", "x-cloud-trace", "x-envoy-", "x-mock-", "x-served-by")


@dataclass(frozen=True, slots=True)
class RealAnswer:
    """What a vendor answered: header names in lower case, the body without its content coding."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The first value of a header; None where there is none."""
        return next((value for key, value in self.headers if key == name), None)


@dataclass(frozen=True, slots=True)
class Departure:
    """One thing that is not as the contract has it.

    ``part`` is that of the answer's evidence, ``at`` a pointer into the answer, ``grade`` how far the contract knows
    the part. ``contract`` and ``real`` show both values.
    """

    part: str
    at: str
    contract: str
    real: str
    grade: str = NOT_DOCUMENTED

    @property
    def sentence(self) -> str:
        return f"{self.part} {self.at}: the contract has {self.contract}, the vendor {self.real}"


def departures(answer: Answer, real: RealAnswer, filled: FilledValues) -> list[Departure]:
    """Every departure of a real answer from this one; ``filled`` knows the request."""
    found = [*_status(answer, real), *_headers(answer, real, filled), *_body(answer, real, filled)]
    grades = answer.evidence.grades
    return [Departure(d.part, d.at, d.contract, d.real, grades.get(d.part) or NOT_DOCUMENTED) for d in found]


def shown(value: Any) -> str:
    """A value as JSON, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False)
    return shortened(text, MAX_VALUE_SHOWN)


def _status(answer: Answer, real: RealAnswer) -> Iterator[Departure]:
    if answer.status != real.status:
        yield Departure("status", "/status", str(answer.status), str(real.status))


def _headers(answer: Answer, real: RealAnswer, filled: FilledValues) -> Iterator[Departure]:
    known = set()
    for raw_name, literal, value in answer.headers:
        name = raw_name.decode("ascii")
        known.add(name)
        part = "shape" if name == CONTENT_TYPE else "headers"
        expected = literal.decode("ascii") if value is None else filled.header(value)
        found = real.header(name)
        if found is None:
            if expected is not MISSING:
                yield Departure(part, join("header", name), "the header", "nothing")
        elif name == CONTENT_TYPE and _same_media_type(str(expected), found):
            continue
        elif expected is UNSETTLED:
            if value is not None and not (looks_like(value, found) and _same_kind(literal, found)):
                yield Departure(part, join("header", name), _kind_of_new(value), shown(found))
        elif expected is not MISSING and str(expected) != found:
            yield Departure(part, join("header", name), shown(str(expected)), shown(found))
    for name in dict.fromkeys(name for name, _ in real.headers if name not in known):
        if name not in UNTOLD_HEADERS and name != CONTENT_TYPE and not name.startswith(UNTOLD_BEGINNINGS):
            yield Departure("headers", join("header", name), "nothing", shown(real.header(name)))


def _same_kind(literal: bytes, found: str) -> bool:
    """Whether a header is a number where the contract's sample is one."""
    return found.isdigit() or not literal.isdigit()


def _same_media_type(one: str, other: str) -> bool:
    return _plain(one) == _plain(other)


def _plain(media_type: str) -> list[str]:
    return [part.strip().lower().replace('"', "") for part in media_type.split(";")]


def _kind_of_new(value: Value) -> str:
    return f"a new {value.kind}" if isinstance(value, New) else "a value"


def _body(answer: Answer, real: RealAnswer, filled: FilledValues) -> Iterator[Departure]:
    media_type = next((literal for name, literal, _ in answer.headers if name == b"content-type"), None)
    if media_type is None:
        if real.body:
            yield Departure("shape", "/body", "no body", f"{len(real.body)} bytes")
        return
    if b"json" not in media_type.lower():
        text = real.body.decode("utf-8", "replace")
        if text != str(answer.sample):
            yield Departure("text", "/body", shown(answer.sample), shown(text))
        return
    try:
        value = read_json(real.body)
    except UnreadableError:
        text = real.body.decode("utf-8", "replace")
        yield Departure("shape", "/body", "JSON", shown(text) if text else "no body")
        return
    fills = {at.tokens: value for at, (value, _, _) in zip(answer.places, answer.fills, strict=True)}
    walked = list(_BodyComparison(fills, filled).of(answer.sample, value, ("body",)))
    yield from walked
    yield from _against_schema(answer, value, [d.at for d in walked if d.part == "shape"])


def _against_schema(answer: Answer, value: Any, told: list[str]) -> Iterator[Departure]:
    """What the answer's schema finds beside what was told already, at a place or around it."""
    if answer.schema is None or answer.schema.is_valid(value):
        return
    for error in answer.schema.iter_errors(value):
        at = join("body", *error.instance_path)
        if not any(f"{other}/".startswith(f"{at}/") or f"{at}/".startswith(f"{other}/") for other in told):
            yield Departure("shape", at, "its schema", str(error.message)[:MAX_VALUE_SHOWN])


class _BodyComparison:
    """Goes through an answer's sample and a real body side by side. ``fills`` are what is filled in, by place."""

    def __init__(self, fills: Mapping[tuple[str, ...], Value], filled: FilledValues) -> None:
        self._fills = fills
        self._filled = filled

    def of(self, sample: Any, real: Any, at: tuple[str, ...]) -> Iterator[Departure]:
        """The departures at a place of the body and below it; ``at`` begins with ``body``."""
        fill = self._fills.get(at[1:])
        if fill is not None:
            yield from self._of_fill(fill, sample, real, at)
        elif isinstance(sample, dict) and isinstance(real, dict):
            yield from self._members(sample, real, at)
        elif isinstance(sample, list) and isinstance(real, list):
            yield from self._items(sample, real, at)
        elif kind_of(sample) != kind_of(real):
            yield _of_kind(sample, real, at)
        elif sample != real:
            yield Departure("text", join(*at), shown(sample), shown(real))

    def _members(self, sample: Mapping[str, Any], real: Mapping[str, Any], at: tuple[str, ...]) -> Iterator[Departure]:
        for name, value in sample.items():
            if name in real:
                yield from self.of(value, real[name], (*at, name))
            else:
                yield Departure("shape", join(*at, name), "a member", "none")
        yield from _added(sample, real, at)

    def _items(self, sample: list[Any], real: list[Any], at: tuple[str, ...]) -> Iterator[Departure]:
        if len(sample) != len(real):
            yield Departure("shape", join(*at), f"{len(sample)} items", f"{len(real)}")
        for number, (one, other) in enumerate(zip(sample, real, strict=False)):
            if number < MAX_ITEMS:
                yield from self.of(one, other, (*at, str(number)))

    def _of_fill(self, fill: Value, sample: Any, real: Any, at: tuple[str, ...]) -> Iterator[Departure]:
        """A value that the contract fills in: as the request makes it, or of the kind that is made anew."""
        expected = self._filled.value(fill)
        if expected is MISSING:
            expected = sample
        if expected is not UNSETTLED:
            yield from _plainly(expected, real, at)
        elif isinstance(fill, Composed) and isinstance(fill.members, Mapping) and isinstance(real, dict):
            yield from self._of_composed(fill.members, real, at)
        elif not looks_like(fill, real, sample):
            yield Departure("shape", join(*at), _expected_look(fill, sample), shown(real))

    def _of_composed(self, members: Mapping[str, Value], real: Mapping[str, Any], at: tuple[str, ...]) -> Iterator[Any]:
        for name, value in members.items():
            if name in real:
                yield from self._of_fill(value, None, real[name], (*at, name))
            elif not isinstance(value, Shaped) and self._filled.value(value) is not MISSING:
                yield Departure("shape", join(*at, name), "a member", "none")
        yield from _added(members, real, at)


def _plainly(expected: Any, real: Any, at: tuple[str, ...]) -> Iterator[Departure]:
    if kind_of(expected) != kind_of(real):
        yield _of_kind(expected, real, at)
    elif expected != real:
        yield Departure("text", join(*at), shown(expected), shown(real))


def _of_kind(expected: Any, real: Any, at: tuple[str, ...]) -> Departure:
    return Departure("shape", join(*at), f"{kind_of(expected)} {shown(expected)}", f"{kind_of(real)} {shown(real)}")


def _added(known: Iterable[str], real: Mapping[str, Any], at: tuple[str, ...]) -> Iterator[Departure]:
    for name in real:
        if name not in known:
            yield Departure("shape", join(*at, name), "no such member", shown(real[name]))


def _expected_look(fill: Value, sample: Any) -> str:
    return _kind_of_new(fill) if isinstance(fill, New) else f"{kind_of(sample)} {shown(sample)}"
