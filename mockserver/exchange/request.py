"""What arrived, as bytes and as typed data."""

import re
from typing import Any, NamedTuple
from urllib.parse import unquote

from mockserver.exchange.bodies import Unreadable, read_form, read_json, read_multipart
from mockserver.exchange.problem import Problem
from mockserver.spec.contract import Media, Operation
from mockserver.spec.pointer import join

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,17})?")
_BOOLEANS = {"true": True, "True": True, "1": True, "false": False, "False": False, "0": False}


class Arrival(NamedTuple):
    """A request as it came off the wire. ``oversize``: bytes of a body that was too large to keep, else 0."""

    method: str
    path: str
    path_params: dict[str, str]
    query: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes
    oversize: int


class Request(NamedTuple):
    """An arrival understood: its operation, its data, and what was wrong with reading it.

    ``data`` is ``{path, query, header, body?}``; header names are lower case, only those are kept that
    the operation looks at. ``reads`` says how the body was read: json, form, multipart or nothing.
    """

    operation: Operation
    arrival: Arrival
    data: dict[str, Any]
    prefer: str
    reads: str
    problems: tuple[Problem, ...]


def parse(operation: Operation, arrival: Arrival) -> Request:
    """Read an arrival; the operation may turn out to be the one that it dispatches to."""
    reading = _Reading(operation, arrival)
    media = reading.media()
    if media is not None:
        reading.read_body(media)
    dispatch = operation.dispatch
    if dispatch is not None and not reading.problems and str(dispatch.by) not in reading.repeated:
        named = dispatch.by.get(reading.data)
        operation = dispatch.to.get(named, operation) if isinstance(named, str) else operation
    reading.check(operation, media)
    reads = "nothing" if media is None else media.reads
    return Request(operation, arrival, reading.data, reading.prefer, reads, tuple(reading.problems))


class _Reading:
    """A request being read: its data so far, names given twice, problems met."""

    def __init__(self, operation: Operation, arrival: Arrival) -> None:
        self.operation = operation
        self.arrival = arrival
        self.content_type = b""
        self.prefer = ""
        self.repeated: list[str] = []
        self.problems: list[Problem] = []
        headers = self._headers()
        query = self._pairs(read_query(arrival.query), "query") if arrival.query else {}
        self.data: dict[str, Any] = {"path": {**arrival.path_params}, "query": query, "header": headers}

    def _headers(self) -> dict[str, str]:
        wanted, found = self.operation.headers, {}
        for name, value in self.arrival.headers:
            if name == b"content-type":
                self.content_type = value
            elif name == b"prefer":
                self.prefer = value.decode("latin-1")
            text = wanted.get(name)
            if text is not None:
                found[text] = value.decode("latin-1").strip()
        return found

    def _pairs(self, pairs: list[tuple[str, str]], part: str) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, value in pairs:
            if name in values:
                self.repeated.append(join(part, name))
            else:
                values[name] = value
        return values

    def media(self) -> Media | None:
        """How to read the body; None where there is none to read, or with a problem."""
        operation, arrival, body = self.operation, self.arrival, self.operation.body
        if operation.method != arrival.method:
            self.problems.append(Problem("method", "/method", "", f"{arrival.method} is not allowed here"))
            return None
        if body is None:
            return None
        if arrival.oversize:
            message = f"a body of {arrival.oversize} bytes or more is too large"
            self.problems.append(Problem("too_large", "/body", "", message))
            return None
        if not arrival.body:
            if body.required:
                self.problems.append(Problem("missing", "/body", "required", "a body is required"))
            return None
        essence = self.content_type.partition(b";")[0].strip().lower().decode("latin-1")
        media = body.media.get(essence) or body.media.get("*/*")
        if media is None:
            message = f"Content-Type must be {' or '.join(body.media)}, not {essence or 'absent'}"
            self.problems.append(Problem("media_type", "/header/content-type", "", message, essence))
        return media

    def read_body(self, media: Media) -> None:
        """Add what the body says to the data: as its own part, or a form's fields to the query."""
        raw = self.arrival.body
        try:
            if media.reads == "json":
                self.data["body"] = read_json(raw)
            elif media.reads != "nothing":
                form = read_form(raw) if media.reads == "form" else read_multipart(raw, self.content_type)
                if self.operation.merges_form:
                    self.data["query"] = {**self._pairs(form, "query"), **self.data["query"]}
                else:
                    fields = self._pairs(form, "body")
                    self.data["body"] = {n: _coerce(v, media.coerce.get(n)) for n, v in fields.items()}
        except Unreadable as error:
            self.problems.append(Problem("unreadable", "/body", media.reads, f"the body cannot be read: {error}"))

    def check(self, operation: Operation, media: Media | None) -> None:
        """Turn parameters into their types, and hold all data against the operation's schema."""
        for parameter in operation.parameters:
            part = self.data[parameter.where]
            if parameter.coerce is not None and parameter.name in part:
                part[parameter.name] = _coerce(part[parameter.name], parameter.coerce)
        declared = (
            {join(parameter.where, parameter.name) for parameter in operation.parameters} if self.repeated else ()
        )
        for at in dict.fromkeys(self.repeated):
            if at in declared or at.startswith("/body/"):
                self.problems.append(Problem("invalid", at, "repeated", "given more than once"))
        essence = media.essence if media is not None and "body" in self.data else ""
        validator = operation.validators.get(essence) or operation.validators[""]
        if not validator.is_valid(self.data):
            self.problems += [_problem(violation, self.data) for violation in validator.iter_errors(self.data)]


def read_query(query: bytes) -> list[tuple[str, str]]:
    """The pairs of a query string, however badly it is written."""
    try:
        return read_form(query)
    except Unreadable:
        pairs = [pair.partition("=") for pair in query.decode("latin-1").split("&")[:1000]]
        return [(unquote(name), unquote(value)) for name, _, value in pairs]


def _problem(violation: Any, data: dict[str, Any]) -> Problem:
    """One violation of the request's schema; what is lacking is ``missing``, all else ``invalid``."""
    keyword, path = violation.kind.name, violation.instance_path
    lacking = violation if keyword == "required" else _lacking(violation)
    if lacking is not None:
        name = lacking.kind.property
        at = join(*lacking.instance_path, name)
        return Problem("missing", at, "required", f"{name} is required")
    return Problem("invalid", join(*_names(path, data)), keyword, violation.message[:300], violation.instance)


def _names(path: list[Any], data: Any) -> list[Any]:
    """A violation's path as the data spells it: jsonschema-rs tells a name that is a number as one, "007" as 7."""
    names: list[Any] = []
    for token in path:
        if isinstance(data, dict) and token not in data:
            token = next((name for name in data if name.isdigit() and int(name) == token), str(token))  # noqa: PLW2901
        names.append(token)
        data = data[token] if isinstance(data, dict | list) else None
    return names


def _lacking(violation: Any) -> Any | None:
    """The first missing property, where every branch of a combination fails for a missing one only."""
    if violation.kind.name not in {"anyOf", "oneOf"}:
        return None
    branches = getattr(violation.kind, "context", ())
    if not all(branch and all(error.kind.name == "required" for error in branch) for branch in branches):
        return None
    return branches[0][0] if branches else None


def _coerce(text: Any, kind: str | None) -> Any:
    """A parameter's text as the type its schema names; the text itself where it is not one."""
    if kind == "boolean":
        return _BOOLEANS.get(text, text)
    if kind == "integer" and _INTEGER.fullmatch(text):
        return int(text)
    if kind == "number" and _NUMBER.fullmatch(text):
        return float(text)
    return text
