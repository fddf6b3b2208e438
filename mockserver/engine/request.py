"""What arrived, as bytes and as typed data."""

import re
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import msgspec

from mockserver.engine.bodies import UnreadableError, read_form, read_json, read_multipart
from mockserver.engine.call import unpack_headers
from mockserver.engine.credentials import KEPT, LONGEST, Claim, Credentials, claim_of, credentials
from mockserver.engine.problem import Problem
from mockserver.spec.model import Dispatch, Media, OperationSpec, Owned
from mockserver.spec.pointer import MISSING, join


class Head(msgspec.Struct, frozen=True):
    """The values that an operation looks at by lower-case name, and what every request may say of itself.

    ``packed`` is one object for all that are alike: in a journal of a million calls it takes room once.
    """

    packed: bytes
    values: dict[str, str]
    content_type: str
    prefer: str
    credentials: Credentials

    @property
    def essence(self) -> str:
        """The media type without its parameters."""
        return self.content_type.partition(";")[0].strip().lower()


def read_head(operation: OperationSpec, packed: bytes) -> Head:
    """The head of packed headers; of a header given twice the last value counts. Saves 3 us of 4."""
    return _remembered(operation, packed) if len(packed) <= LONGEST else _read(operation, packed)


def _read(operation: OperationSpec, packed: bytes) -> Head:
    given = dict(unpack_headers(packed))
    wanted = {name: value.strip() for name, value in given.items() if name in operation.headers}
    schemes = tuple(scheme for scheme in operation.schemes if scheme.where == "header")
    carried = credentials(schemes, {"header": wanted})
    return Head(packed, wanted, given.get("content-type", ""), given.get("prefer", ""), carried)


_remembered = lru_cache(maxsize=KEPT)(_read)


_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,17})?")
_BOOLEANS = {"true": True, "True": True, "1": True, "false": False, "False": False, "0": False}


class Arrival(msgspec.Struct, frozen=True):
    """A request as it came off the wire, its headers packed.

    ``oversize``: bytes of a body that was too large to keep, else 0.
    """

    method: str
    path: str
    path_params: dict[str, str]
    query: bytes
    headers: bytes
    body: bytes
    oversize: int


class Possession(msgspec.Struct, frozen=True):
    """A value that a request claims to own, and where it stands."""

    place: Owned
    value: Any
    claim: Claim


class ParsedRequest(msgspec.Struct, frozen=True):
    """An arrival understood: its operation, its data, and what was wrong with reading it.

    ``data`` is ``{path, query, header, body?}``; header names are lower case, only those are kept that
    the operation looks at. ``reads`` says how the body was read: json, form, multipart or nothing.
    What it carries and claims to own is neither verified nor owned yet.
    """

    operation: OperationSpec
    arrival: Arrival
    head: Head
    data: dict[str, Any]
    reads: str
    problems: tuple[Problem, ...]
    credentials: Credentials
    owned: tuple[Possession, ...]

    @property
    def claims(self) -> list[Claim]:
        """The account values it names: credentials first, then owned values, in document order."""
        named = [credential.claim for credential in self.credentials.values() if credential.claim is not None]
        return named + [possession.claim for possession in self.owned]


def parse(operation: OperationSpec, arrival: Arrival) -> ParsedRequest:
    """Read an arrival; the operation may turn out to be the one that it dispatches to."""
    head = read_head(operation, arrival.headers)
    data: dict[str, Any] = {"path": {**arrival.path_params}, "query": {}, "header": {**head.values}}
    problems: list[Problem] = []
    repeated: list[str] = []
    if arrival.query:
        data["query"] = _named(read_query(arrival.query), "query", repeated)
    media = _media(operation, arrival, head, problems)
    if media is not None and media.reads != "nothing":
        try:
            if media.reads == "json":
                data["body"] = read_json(arrival.body)
            else:
                _read_form(operation, media, arrival, head, data, repeated)
        except UnreadableError as error:
            problems.append(Problem("unreadable", "/body", media.reads, f"the body cannot be read: {error}"))
    if operation.dispatch is not None and not problems:
        operation = _named_by(operation.dispatch, data, repeated) or operation
    if repeated:
        problems += _repetitions(operation, repeated)
    _hold_against_schema(operation, media, data, problems)
    carried, schemes = head.credentials, operation.query_schemes
    if schemes:
        carried = {**carried, **credentials(schemes, data)}
    reads = "nothing" if media is None else media.reads
    return ParsedRequest(operation, arrival, head, data, reads, tuple(problems), carried, _claimed(operation, data))


def _hold_against_schema(
    operation: OperationSpec, media: Media | None, data: dict[str, Any], problems: list[Problem]
) -> None:
    """Turn parameters into their types; add a problem for each violation."""
    for part, name, kind in operation.coerced:
        if name in data[part]:
            data[part][name] = _coerce(data[part][name], kind)
    essence = media.essence if media is not None and "body" in data else ""
    validator = operation.validators.get(essence) or operation.validators[""]
    if not validator.is_valid(data):
        problems += [_problem(violation, data) for violation in validator.iter_errors(data)]


def _named_by(dispatch: Dispatch, data: dict[str, Any], repeated: list[str]) -> OperationSpec | None:
    """The operation that a value of the request names, unless it was given twice."""
    named = dispatch.by.get(data)
    return dispatch.to.get(named) if isinstance(named, str) and str(dispatch.by) not in repeated else None


def _claimed(operation: OperationSpec, data: dict[str, Any]) -> tuple[Possession, ...]:
    found = []
    for place in operation.owned:
        value = place.at.get(data)
        if value is not MISSING:
            claim = claim_of(place.claim, value, by_digits=place.digits)
            if claim is not None:
                found.append(Possession(place, value, claim))
    return tuple(found)


def _named(pairs: list[tuple[str, str]], part: str, repeated: list[str]) -> dict[str, Any]:
    """The values by name, the first of each; pointers of names given again are added to ``repeated``."""
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in values:
            repeated.append(join(part, name))
        else:
            values[name] = value
    return values


def _media(operation: OperationSpec, arrival: Arrival, head: Head, problems: list[Problem]) -> Media | None:
    """How to read the body; None where there is none to read, or with a problem."""
    body = operation.body
    if operation.method != arrival.method:
        problems.append(Problem("method", "/method", "", f"{arrival.method} is not allowed here"))
        return None
    if body is None:
        return None
    if arrival.oversize:
        message = f"a body of {arrival.oversize} bytes or more is too large"
        problems.append(Problem("too_large", "/body", "", message))
        return None
    if not arrival.body:
        if body.required:
            problems.append(Problem("missing", "/body", "required", "a body is required"))
        return None
    media = body.media.get(head.content_type) or body.media.get(head.essence) or body.media.get("*/*")
    if media is None:
        message = f"Content-Type must be {' or '.join(body.media)}, not {head.essence or 'absent'}"
        problems.append(Problem("media_type", "/header/content-type", "", message, head.essence))
    return media


def _read_form(  # noqa: PLR0913, PLR0917 -- what is read, how, and where it goes
    operation: OperationSpec, media: Media, arrival: Arrival, head: Head, data: dict[str, Any], repeated: list[str]
) -> None:
    """Add a form's fields to the data: as its body, or to the query. Raises UnreadableError."""
    raw = arrival.body
    form = read_form(raw) if media.reads == "form" else read_multipart(raw, head.content_type.encode("latin-1"))
    if operation.merges_form:
        data["query"] = {**_named(form, "query", repeated), **data["query"]}
    else:
        fields = _named(form, "body", repeated)
        data["body"] = {name: _coerce(value, media.coerce.get(name)) for name, value in fields.items()}


def _repetitions(operation: OperationSpec, repeated: list[str]) -> list[Problem]:
    """A problem for each declared parameter, or field of a form, that was given more than once."""
    declared = {join(parameter.where, parameter.name) for parameter in operation.parameters}
    return [
        Problem("invalid", at, "repeated", "given more than once")
        for at in dict.fromkeys(repeated)
        if at in declared or at.startswith("/body/")
    ]


def read_query(query: bytes) -> list[tuple[str, str]]:
    """The pairs of a query string, however badly it is written."""
    try:
        return read_form(query)
    except UnreadableError:
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
