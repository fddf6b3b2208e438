"""A request as it arrived, in bytes, and as it was understood, in typed data."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache, partial
from itertools import islice
from typing import Any

import jsonschema_rs
import msgspec

from mockserver.engine.bodies import UnreadableError, read_form, read_json, read_multipart, read_query
from mockserver.engine.call import unpack_headers
from mockserver.engine.coding import (
    KNOWN_CODINGS,
    InflatedTooLargeError,
    UnknownCodingError,
    codings_of,
    decoded,
    header_value,
)
from mockserver.engine.credentials import (
    MAX_REMEMBERED,
    MAX_REMEMBERED_BYTES,
    Claim,
    Credential,
    CredentialReader,
    Credentials,
    claim_of,
)
from mockserver.engine.problem import Problem
from mockserver.spec.model import ArrayStyle, Dispatch, Media, OperationSpec, Owned
from mockserver.spec.pointer import MISSING, join
from mockserver.spec.value_model import Validator


class Head(msgspec.Struct, frozen=True):
    """The headers of a request: the values that its operation looks at, by lower-case name, and those of any request.

    ``packed`` is one object for heads that are equal: in a journal of a million calls it takes room once.
    """

    packed: bytes
    values: dict[str, str]
    content_type: str
    codings: tuple[str, ...]
    prefer: str
    credentials: Credentials
    notes: tuple[str, ...] = ()

    @property
    def essence(self) -> str:
        """The media type without its parameters."""
        return self.content_type.partition(";")[0].strip().lower()


MAX_VIOLATIONS_LISTED = 200  # of a request's schema
MAX_ENTRIES = 1_000  # of a large request's lists and objects that are looked through for what is wrong
ASKS_FOR_MORE = frozenset({"anyOf", "oneOf", "minItems", "minProperties", "contains", "dependentRequired", "if"})
LISTED_BYTES = 16 * 1024  # of a body whose violations are all listed
MAX_WORD = 80  # characters of a client's word in a message
DEFAULT_MAX_BODY = 1024 * 1024  # bytes, where neither the operation nor a setting says otherwise
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,17})?")
_BOOLEANS = {"true": True, "True": True, "1": True, "false": False, "False": False, "0": False}


class Arrival(msgspec.Struct, frozen=True):
    """A request as it came off the wire, its headers packed.

    ``oversize`` is the size in bytes of a body that was too large to keep, else 0.
    """

    method: str
    path: str
    path_params: dict[str, str]
    query: bytes
    headers: bytes
    body: bytes
    oversize: int


class Possession(msgspec.Struct, frozen=True):
    """A value that the client must own, and where it stands."""

    place: Owned
    value: Any
    claim: Claim


class ParsedRequest(msgspec.Struct, frozen=True):
    """An arrival understood: its operation, its data, and the problems met while reading it.

    ``data`` is ``{path, query, header, body?}``, with only those headers that the operation looks at, their names in
    lower case. ``reads`` says how the body was read: json, form, multipart or nothing. The credentials are not
    verified yet, nor is it known who owns the values of ``owned``. ``known`` is the method that a request names and
    that nobody answers here, as the operation's ``dispatch`` lists it. ``notes`` say what is odd, and no problem.
    """

    operation: OperationSpec
    arrival: Arrival
    head: Head
    data: dict[str, Any]
    reads: str
    problems: tuple[Problem, ...]
    credentials: Credentials
    owned: tuple[Possession, ...]
    notes: tuple[str, ...] = ()
    known: str = ""

    @property
    def claims(self) -> list[Claim]:
        """The account values that it names: by credentials first, then owned values in document order."""
        named = [credential.claim for credential in self.credentials.values() if credential.claim is not None]
        return named + [possession.claim for possession in self.owned]


class RequestParser:
    """Parses requests, and remembers the last heads: most requests of a client have the same, and it saves 3 us of 4.

    A head that was not seen before may still have credentials that were: the reader remembers those.
    """

    def __init__(self, reader: CredentialReader, max_body: int = DEFAULT_MAX_BODY) -> None:
        self._reader = reader
        self._max_body = max_body
        self._read_head = partial(read_head, reader)
        self._remembered_head = lru_cache(maxsize=MAX_REMEMBERED)(self._read_head)

    def parse(self, operation: OperationSpec, arrival: Arrival) -> ParsedRequest:
        """Read an arrival. The operation may turn out to be one that it dispatches to."""
        read = self._remembered_head if len(arrival.headers) <= MAX_REMEMBERED_BYTES else self._read_head
        head = read(operation, arrival.headers)
        data: dict[str, Any] = {"path": {**arrival.path_params}, "query": {}, "header": {**head.values}}
        problems: list[Problem] = []
        repeated: list[str] = []
        if arrival.query:
            data["query"] = _named(read_query(arrival.query), "query", repeated, operation.arrays.get("query"))
        media = _media(operation, arrival, head, problems)
        if media is not None and media.reads != "nothing":
            self._read_body(operation, media, arrival, head, data, repeated, problems)
        known = ""
        if operation.dispatch is not None and _says_what(operation.dispatch, problems):
            operation, known = _dispatched(operation, operation.dispatch, data, repeated, problems)
        if repeated:
            problems += _repetitions(operation, repeated)
        is_large = len(arrival.body) > LISTED_BYTES
        _hold_against_schema(operation, media, data, problems, is_large=is_large)
        carried, schemes, notes = head.credentials, operation.late_schemes, head.notes
        if schemes:
            carried = {**carried, **self._reader.read(schemes, data)}
            if repeated:
                carried = {scheme: _once(credential, repeated) for scheme, credential in carried.items()}
        reads = "nothing" if media is None else media.reads
        owned = _claimed(operation, data)
        return ParsedRequest(operation, arrival, head, data, reads, tuple(problems), carried, owned, notes, known)

    def _read_body(  # noqa: PLR0913, PLR0917 -- what is read, how, and where it goes
        self,
        operation: OperationSpec,
        media: Media,
        arrival: Arrival,
        head: Head,
        data: dict[str, Any],
        repeated: list[str],
        problems: list[Problem],
    ) -> None:
        """Add the body to the data, or a problem to the others."""
        content = arrival.body
        try:
            if head.codings:
                content = self._without_codings(operation, media, content, head.codings)
            if media.reads == "json":
                data["body"] = read_json(content)
            else:
                _read_form(operation, media, content, head, data, repeated)
        except UnreadableError as error:
            problems.append(Problem("unreadable", "/body", media.reads, f"the body cannot be read: {error}"))
        except _CodingError as error:
            problems.append(error.problem)

    def _without_codings(self, operation: OperationSpec, media: Media, raw: bytes, codings: tuple[str, ...]) -> bytes:
        """A body without its content codings. Raises UnreadableError, _CodingError."""
        limit = operation.body_limit or self._max_body
        try:
            return decoded(raw, codings, limit)
        except UnknownCodingError as error:
            kind = "unreadable" if media.essence == "*/*" else "media_type"  # where any type will do, none is refused
            message = f"Content-Encoding must be one of {KNOWN_CODINGS}, not {str(error)[:MAX_WORD]!r}"
            raise _CodingError(Problem(kind, "/header/content-encoding", "", message, str(error))) from error
        except InflatedTooLargeError as error:
            message = f"a body that without its Content-Encoding has more than {limit} bytes is too large"
            raise _CodingError(Problem("too_large", "/body", "", message)) from error


class _CodingError(Exception):
    """A body's content coding keeps it from being read."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def read_head(reader: CredentialReader, operation: OperationSpec, packed: bytes) -> Head:
    """The head of packed headers. Of a header given twice the last value counts; lists of ours are joined."""
    lines = unpack_headers(packed)
    headers = dict(lines)
    schemes = tuple(scheme for scheme in operation.schemes if scheme.where == "header")
    notes: tuple[str, ...] = ()
    if len(headers) < len(lines):
        headers |= {name: header_value(lines, name) for name in ("content-encoding", "prefer") if name in headers}
        names = [name for name, _ in lines]
        notes = _given_twice([scheme.at for scheme in schemes if names.count(scheme.key) > 1], "last")
    values = {name: value.strip() for name, value in headers.items() if name in operation.headers}
    carried = reader.read(schemes, {"header": values})
    codings = codings_of(headers.get("content-encoding", ""))
    return Head(packed, values, headers.get("content-type", ""), codings, headers.get("prefer", ""), carried, notes)


def _given_twice(credentials: list[str], counts: str) -> tuple[str, ...]:
    """Notes on the places of credentials that came more than once."""
    return tuple(f"{at} is given more than once: the {counts} counts" for at in credentials)


def _hold_against_schema(
    operation: OperationSpec, media: Media | None, data: dict[str, Any], problems: list[Problem], *, is_large: bool
) -> None:
    """Turn parameters into their types, and add a problem for each violation of the schema."""
    for part, name, kind in operation.coerced:
        if name in data[part]:
            data[part][name] = coerce(data[part][name], kind)
    for part in ("path", "header") if operation.arrays else ():
        for name, array in operation.arrays.get(part, {}).items():
            if name in data[part]:
                data[part][name] = _items(data[part][name], array)
    essence = media.essence if media is not None and "body" in data else ""
    validator = operation.validators.get(essence) or operation.validators[""]
    if not validator.is_valid(data):
        spelling = _Spelling()
        problems += [_problem(one, data, spelling) for one in _violations(validator, data, is_large=is_large)]


def _violations(validator: Validator, data: dict[str, Any], *, is_large: bool) -> Iterator[Any]:
    """What is wrong with the data; of a large request the first thing only, since the validator lists all at once."""
    if not is_large:
        yield from islice(validator.iter_errors(data), MAX_VIOLATIONS_LISTED)
        return
    for violation in validator.iter_errors(with_first_entries(data, MAX_ENTRIES)):
        if not _may_be_of_shortening(violation, data):
            yield violation
            return
    try:
        validator.validate(data)
    except jsonschema_rs.ValidationError as violation:
        yield violation


def with_first_entries(value: Any, most: int) -> Any:
    """A value of which long lists and objects have their first entries only, about ``most`` at each level.

    The validator writes out whatever is wrong, and that of half a million numbers takes 50 ms.
    """
    if not isinstance(value, dict | list):
        return value
    below = most // max(1, len(value))
    if isinstance(value, dict):
        return {name: with_first_entries(member, below) for name, member in islice(value.items(), most)}
    return [with_first_entries(item, below) for item in islice(value, most)]


def _may_be_of_shortening(violation: Any, data: Any) -> bool:
    """Whether a violation of shortened data may be none of the data itself."""
    keyword = violation.kind.name
    if keyword != "required":
        return keyword in ASKS_FOR_MORE
    holder = data
    for token in violation.instance_path:
        holder = holder[token] if isinstance(holder, list) or token in holder else {}  # a name read as a number
    return violation.kind.property in holder


def _says_what(dispatch: Dispatch, problems: list[Problem]) -> bool:
    """Whether a request can say which operation it means; in a path it does so whatever its body is."""
    return not problems or (dispatch.by.tokens[0] == "path" and problems[0].kind != "method")


def _dispatched(
    operation: OperationSpec, dispatch: Dispatch, data: dict[str, Any], repeated: list[str], problems: list[Problem]
) -> tuple[OperationSpec, str]:
    """The operation that a value of the request names, or the method that is known only; of no other, a problem."""
    name, at = dispatch.by.get(data), str(dispatch.by)
    if not isinstance(name, str) or at in repeated:
        return operation, ""
    if name in dispatch.known:
        return operation, name
    if name not in dispatch.to:
        problems.append(Problem("invalid", at, "enum", "the value names no method", name))
        return operation, ""
    return dispatch.to[name], ""


def _claimed(operation: OperationSpec, data: dict[str, Any]) -> tuple[Possession, ...]:
    possessions = []
    for place in operation.owned:
        value = place.at.get(data)
        if value is not MISSING:
            claim = claim_of(place.claim, value, by_digits=place.digits)
            if claim is not None:
                possessions.append(Possession(place, value, claim))
    return tuple(possessions)


def _once(credential: Credential, repeated: list[str]) -> Credential:
    """A credential as it is, or one that proves nothing where it was given more than once."""
    if credential.scheme.at not in repeated:
        return credential
    return Credential(credential.scheme, "", claim=credential.claim, repeated=True)


def _named(
    pairs: list[tuple[str, str]], part: str, repeated: list[str], arrays: Mapping[str, ArrayStyle] | None
) -> dict[str, Any]:
    """The first value of each name; the pointer of a name that comes again is added to ``repeated``.

    Of an array, the list of its items; one whose items come one by one may come again.
    """
    values: dict[str, Any] = {}
    for name, value in pairs:
        if arrays and name in arrays and not arrays[name].delimiter:
            values.setdefault(name, []).append(coerce(value, arrays[name].item))
        elif name in values:
            repeated.append(join(part, name))
        else:
            values[name] = _items(value, arrays[name]) if arrays and name in arrays else value
    return values


def _items(text: str, array: ArrayStyle) -> list[Any]:
    """The items of an array that stand in one text."""
    return [coerce(item, array.item) for item in text.split(array.delimiter)]


def _media(operation: OperationSpec, arrival: Arrival, head: Head, problems: list[Problem]) -> Media | None:
    """How to read the body; None where there is none to read, or where a problem was added."""
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


def _read_form(  # noqa: PLR0913, PLR0917 -- the form, how it is read, and where its fields go
    operation: OperationSpec, media: Media, raw: bytes, head: Head, data: dict[str, Any], repeated: list[str]
) -> None:
    """Add a form's fields to the data: as its body, or to the query. Raises UnreadableError."""
    form = read_form(raw) if media.reads == "form" else read_multipart(raw, head.content_type.encode("latin-1"))
    if operation.merges_form:
        arrays = {**media.arrays, **operation.arrays.get("query", {})}
        data["query"] = {**_named(form, "query", repeated, arrays), **data["query"]}
    else:
        fields = _named(form, "body", repeated, media.arrays)
        data["body"] = {name: coerce(value, media.coerce.get(name)) for name, value in fields.items()}


def _repetitions(operation: OperationSpec, repeated: list[str]) -> list[Problem]:
    """A problem for each declared parameter, and each field of a form, that was given more than once."""
    declared = {join(parameter.where, parameter.name) for parameter in operation.parameters}
    return [
        Problem("invalid", at, "repeated", "given more than once")
        for at in dict.fromkeys(repeated)
        if at in declared or at.startswith("/body/")
    ]


def _problem(violation: Any, data: dict[str, Any], spelling: "_Spelling") -> Problem:
    """A violation of the request's schema: ``missing`` where a value is required, else ``invalid``."""
    keyword, path = violation.kind.name, violation.instance_path
    lacking = violation if keyword == "required" else _lacking(violation)
    if lacking is not None:
        name = lacking.kind.property
        at = join(*lacking.instance_path, name)
        return Problem("missing", at, "required", f"{name} is required")
    at = join(*spelling.of(path, data))
    return Problem("invalid", at, keyword, violation.message[:300], violation.instance)


class _Spelling:
    """Paths of one request's violations as its data spells them.

    jsonschema-rs gives the names "7", "007" and "+7" as the number 7. The names of an object are looked through once,
    however many violations it has.
    """

    def __init__(self) -> None:
        self._by_number: dict[int, dict[str, str]] = {}  # by the identity of an object: its names by their number

    def of(self, path: list[Any], data: Any) -> list[Any]:
        names: list[Any] = []
        for token in path:
            name: Any = self._name(token, data) if isinstance(data, dict) and token not in data else token
            names.append(name)
            data = data[name] if isinstance(data, dict | list) else None
        return names

    def _name(self, number: int, members: dict[str, Any]) -> str:
        if str(number) in members:
            return str(number)
        found = self._by_number.get(id(members))
        if found is None:
            found = {name[1:].lstrip("0") or "0": name for name in members if name[:1] in {"0", "+"} and name[1:]}
            self._by_number[id(members)] = found
        return found[str(number)]


def _lacking(violation: Any) -> Any | None:
    """The first missing property, where each branch of a combination fails only for missing properties."""
    if violation.kind.name not in {"anyOf", "oneOf"}:
        return None
    branches = getattr(violation.kind, "context", ())
    if not all(branch and all(error.kind.name == "required" for error in branch) for branch in branches):
        return None
    return branches[0][0] if branches else None


def coerce(text: Any, kind: str | None) -> Any:
    """A parameter's text as the type that its schema names; the text itself where it is not of that type."""
    if kind == "boolean":
        return _BOOLEANS.get(text, text)
    if kind == "integer" and _INTEGER.fullmatch(text):
        return int(text)
    if kind == "number" and _NUMBER.fullmatch(text):
        return float(text)
    return text
