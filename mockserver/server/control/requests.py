"""What the control API's handlers share: the server's state, request bodies checked, problem details."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from itertools import islice
from threading import Event
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from mockserver.engine.bodies import UnreadableError, read_json
from mockserver.engine.expectation import compile_schema
from mockserver.engine.inbound import InboundReader
from mockserver.engine.message import MessageReader
from mockserver.engine.sources import Sources
from mockserver.matching.pattern import PARTS, WHEN_ROOTS, Pattern
from mockserver.matching.schema_size import SchemaSizeError, schema_size
from mockserver.server.certificates import Certificates
from mockserver.server.checkpoint import TimeShare
from mockserver.server.courier import Courier
from mockserver.server.masking import Masker
from mockserver.server.settings import Settings
from mockserver.server.sockets import Unreachable
from mockserver.spec.model import Contract
from mockserver.spec.pointer import Pointer, join
from mockserver.spec.value_model import Validator
from mockserver.store.store import Store

CLEARING = frozenset({"accounts", "calls"})  # what may take recorded calls with it


class Changes:
    """How often users of the control API changed something, so that whoever shows it knows when to look again.

    It is counted by a route's first word: ``accounts``, ``calls``, ``inbound``, ``pins``.
    """

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self.cleared = 0  # how often recorded calls may have been cleared

    def note(self, method: str, path: str) -> None:
        """Count a request that succeeded; ``path`` is the one below ``/_mock``."""
        what = path.strip("/").partition("/")[0]
        if method in {"GET", "HEAD"} or path.endswith(("/verify", "/take")):
            return
        self._counts[what] += 1
        self.cleared += what in CLEARING and (method == "DELETE" or path.endswith("/reset"))

    def counts(self) -> dict[str, int]:
        """The counts as they are now."""
        return dict(self._counts)


@dataclass(slots=True)
class Watched:
    """Whether files are watched, how often changed ones were taken, and why those on disk are not served; "" if so."""

    is_on: bool = False
    swaps: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """One server's contracts and store, and what works on them."""

    settings: Settings
    contracts: tuple[Contract, ...]
    store: Store
    sources: Sources
    masker: Masker
    unreachable: Unreachable
    certificates: Certificates
    messages: MessageReader
    inbound: InboundReader
    courier: Courier
    changes: Changes
    watched: Watched
    ending: Event = field(default_factory=Event)  # set once the server is told to end

    async def as_of_now(self, accounts: Iterable[str] = ()) -> "State":
        """The same with the store as it is now, to be read from: one that servers share is asked once."""
        return replace(self, store=await self.store.as_of_now(accounts))


def state_of(request: Request) -> State:
    """The state of the server that a request reached."""
    state: State = request.app.state.mock
    return state


def origin(request: Request) -> str:
    """Where this client reaches the server: ``--public-url``, else the request's own host."""
    return origin_of(state_of(request).settings, request)


def origin_of(settings: Settings, request: Request) -> str:
    """As ``origin``, for a request to any part of the server."""
    public = settings.public_url
    if public:
        return public.rstrip("/")
    return f"{request.url.scheme}://{request.headers.get('host') or 'localhost'}"


class ApiError(Exception):
    """``pointer`` names the part of the request that is wrong: ``/query/limit``, ``/body/id``."""

    def __init__(self, status: int, detail: str, pointer: str | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.pointer = pointer


TITLES = {
    400: "Bad request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Too large",
    415: "Unsupported media type",
    500: "Internal error",
    503: "Store unavailable",
}


def problem(status: int, detail: str, pointer: str | None = None, headers: Any = None) -> Response:
    """An ``application/problem+json`` response."""
    body: dict[str, Any] = {"type": "about:blank", "title": TITLES.get(status, "Error"), "status": status}
    body["detail"] = detail
    if pointer is not None:
        body["pointer"] = pointer
    return JSONResponse(body, status, headers, media_type="application/problem+json")


async def on_api_error(_request: Request, error: Exception) -> Response:
    """An ApiError as a response."""
    if not isinstance(error, ApiError):
        raise error
    return problem(error.status, str(error), error.pointer)


async def on_store_unavailable(_request: Request, error: Exception) -> Response:
    """What cannot be kept is not done, and why."""
    return problem(503, str(error))


async def on_http_exception(_request: Request, error: Exception) -> Response:
    """Starlette's own refusals, in our form, their ``Allow`` sorted."""
    if not isinstance(error, HTTPException):
        raise error
    headers = dict(error.headers or {})
    if "Allow" in headers:
        headers["Allow"] = ", ".join(sorted(headers["Allow"].replace(" ", "").split(",")))
    detail = error.detail if error.status_code != 404 else "no such path; GET /_mock/openapi.json lists them"
    return problem(error.status_code, detail, headers=headers)


MAX_NAMES_LISTED = 20  # known names in a message
MAX_NAMES_COMPARED = 500  # with one that is not known: each takes up to 50 us
MAX_WORD_SHOWN = 80  # characters of a word that is not known
NEAR = 0.7  # of 1: two names that are so alike may be meant for each other


def nearest_names(word: str, known: Iterable[str]) -> str:
    """Known names in a row, those that a word may be meant for first; "none" where there are none."""
    names = list(islice(dict.fromkeys(known), MAX_NAMES_COMPARED))
    near = get_close_matches(word[:MAX_WORD_SHOWN], names, MAX_NAMES_LISTED, NEAR)
    ordered = [*near, *(name for name in names if name not in near)]
    more = f" and {len(ordered) - MAX_NAMES_LISTED} more" if len(ordered) > MAX_NAMES_LISTED else ""
    return (", ".join(ordered[:MAX_NAMES_LISTED]) or "none") + more


def unknown(  # noqa: PLR0913 -- what is said of it, and where it stands
    kind: str, word: str, known: Iterable[str], pointer: str, *, status: int = 400, hint: str = ""
) -> ApiError:
    """The refusal of a name that is not known, for every route.

    In a path its status is 404, in a query or a body 400, for an account 404 anywhere. The detail repeats the word, cut
    where it is long, and lists at most 20 known ones, the nearest first. ``kind`` says what it should be the name of;
    without one it is the name of a member or parameter. ``hint`` is a further sentence.
    """
    said = f"there is no such {kind}: {quoted(word)}" if kind else f"{quoted(word)} is not known here"
    return ApiError(status, f"{said}; known: {nearest_names(word, known)}{f'. {hint}' if hint else ''}", pointer)


def quoted(word: str) -> str:
    """A word as it is shown: in quotes, cut where it is long."""
    return repr(word) if len(word) <= MAX_WORD_SHOWN else f"{word[:MAX_WORD_SHOWN]!r}…"


BODY_LIMIT = 1024 * 1024
MAX_REASON = 300  # characters of a library's own words, which quote what was sent
MAX_SUB_SCHEMAS = 10_000  # sub-schemas in the ``when`` of a pattern, counted each time that a reference leads to them
MAX_EXPECTED = 20_000  # values in the ``where`` of a pattern
MAX_NAMES_EXPECTED = 1_000  # of a part of it that has one value for each name, as a form may have fields
MAX_CONDITIONS = 200  # pointers in its ``when``
MAX_POINTER_TOKENS = 110  # of such a pointer: JSON is at most a hundred levels deep
PIECES_AT_ONCE = 100  # of a response
WRONG_TYPE = "Content-Type must be application/json"
CURLS_OWN = ("", "application/x-www-form-urlencoded")  # the types of `curl -d '{…}'`, whose user has named none


def _has_no_page(request: Request) -> bool:
    """Whether no web page sent this: a browser would say so, and a page may send a form to anybody without asking."""
    return not any(name == "origin" or name.startswith("sec-fetch-") for name in request.headers)


async def read_object(request: Request, known: tuple[str, ...] | None) -> dict[str, Any]:
    """A JSON object with these members at most (None: any); no body counts as an empty one. Raises ApiError."""
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > BODY_LIMIT:
            raise ApiError(413, f"a body may have {BODY_LIMIT} bytes", "/body")
    if not raw:
        return {}
    essence = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if essence != "application/json" and not (essence in CURLS_OWN and _has_no_page(request)):
        raise ApiError(415, WRONG_TYPE, "/header/content-type")
    try:
        body = read_json(bytes(raw))
    except UnreadableError as error:
        if essence != "application/json":
            raise ApiError(415, WRONG_TYPE, "/header/content-type") from error
        raise ApiError(400, f"the body cannot be read: {error}", "/body") from error
    if not isinstance(body, dict):
        raise ApiError(400, "must be an object", "/body")
    for name in body:
        if known is not None and name not in known:
            raise unknown("", name, known, join("body", name))
    return body


async def write(value: Mapping[str, Any]) -> Response:
    """A response of a JSON object. Of a list in it, each item is written by itself: others get their turn meanwhile."""
    share, pieces = TimeShare(), [b"{"]
    for name, member in value.items():
        pieces += (b"," if len(pieces) > 1 else b"", msgspec.json.encode(name), b":")
        if not isinstance(member, list):
            pieces.append(msgspec.json.encode(member))
            continue
        pieces.append(b"[")
        for number, item in enumerate(member):
            pieces += (b"," if number else b"", msgspec.json.encode(item))
            await share.checkpoint()
        pieces.append(b"]")
    pieces.append(b"}")
    if len(pieces) <= PIECES_AT_ONCE:  # the first stream of a process costs it 40 ms
        return Response(b"".join(pieces), media_type="application/json")
    headers = {"Content-Length": str(sum(map(len, pieces)))}
    return StreamingResponse(_each(pieces), headers=headers, media_type="application/json")


async def _each(pieces: list[bytes]) -> AsyncIterator[bytes]:
    for start in range(0, len(pieces), PIECES_AT_ONCE):
        yield b"".join(pieces[start : start + PIECES_AT_ONCE])


def member(body: dict[str, Any], name: str, kind: type, default: Any = None) -> Any:
    """A member of a type, or the default. Raises ApiError."""
    if name not in body:
        return default
    value = body[name]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        words = {str: "a string", bool: "true or false", dict: "an object", list: "a list", int: "a whole number"}
        raise ApiError(400, f"must be {words[kind]}", join("body", name))
    return value


def seconds(body: dict[str, Any], name: str, most: float) -> float:
    """A number of seconds from 0 to ``most``; 0 where there is none. Raises ApiError."""
    value = body.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise ApiError(400, f"must be a number of seconds from 0 to {most}", join("body", name))
    return float(value)


def read_pattern(body: dict[str, Any]) -> Pattern:
    """The pattern of a body's ``where`` and ``when``. Raises ApiError."""
    where: dict[str, Any] = member(body, "where", dict, {})
    for part, value in where.items():
        if part not in PARTS:
            raise unknown("", part, PARTS, join("body", "where", part))
        if part not in {"body", "json"} and not isinstance(value, dict | (str if part == "path" else dict)):
            raise ApiError(400, "must be an object", join("body", "where", part))
    _check_texts(where)
    _check_size(where)
    room = MAX_SUB_SCHEMAS
    when = []
    conditions: dict[str, Any] = member(body, "when", dict, {})
    if len(conditions) > MAX_CONDITIONS:
        raise ApiError(400, f"more than {MAX_CONDITIONS} pointers are asked about", "/body/when")
    for text, schema in conditions.items():
        room = _check_schema(schema, room, join("body", "when", text))
        when.append(_condition(text, schema))
    return Pattern(where, tuple(when))


def _check_size(where: Mapping[str, Any]) -> None:
    """Refuse more expected values than may be held against a call at a time."""
    waiting: list[Any] = [where]
    number = 0
    while waiting:
        value = waiting.pop()
        number += 1
        if isinstance(value, dict | list):
            waiting += value.values() if isinstance(value, dict) else value
        if number > MAX_EXPECTED:
            raise ApiError(400, f"more than {MAX_EXPECTED} values are expected", "/body/where")


def _check_schema(schema: Any, room: int, at: str) -> int:
    """What is left of a number of sub-schemas after those of a schema, which cannot be stopped once it is evaluated."""
    try:
        return room - schema_size(schema, room)
    except SchemaSizeError as error:
        raise ApiError(400, str(error), at) from error


def _check_texts(where: Mapping[str, Any]) -> None:
    """Refuse what no request can have: on the wire these values are texts."""
    for part in ("path", "query", "headers", "form"):
        values = where.get(part)
        if isinstance(values, dict) and len(values) > MAX_NAMES_EXPECTED:
            raise ApiError(400, f"more than {MAX_NAMES_EXPECTED} names are expected", join("body", "where", part))
        for name, value in values.items() if isinstance(values, dict) else ():
            if not isinstance(value, str):
                words = "a form's values are texts" if part == "form" else "what is sent there is text"
                raise ApiError(400, f"must be a string: {words}", join("body", "where", part, name))


def _condition(text: str, schema: Any) -> tuple[Pointer, Validator | None, Any]:
    """A pointer, the schema of what it names, compiled (None: it must be absent), and the schema as written."""
    import jsonschema_rs  # noqa: PLC0415 -- only patterns with schemas need it

    at = join("body", "when", text)
    if text.count("/") > MAX_POINTER_TOKENS:
        raise ApiError(400, f"a pointer has {MAX_POINTER_TOKENS} parts at most", "/body/when")
    pointer = Pointer.parse(text)
    if not text.startswith("/") or pointer.tokens[0] not in WHEN_ROOTS:
        raise ApiError(400, f"a pointer begins with one of: {', '.join('/' + root for root in WHEN_ROOTS)}", at)
    if pointer.tokens[0] in {"header", "headers"}:
        pointer = Pointer(tuple(token.lower() for token in pointer.tokens))
    if schema is False:
        return pointer, None, schema
    if not isinstance(schema, dict | bool):  # a text would be read as the text of a schema
        raise ApiError(400, "not a JSON Schema: must be an object, true or false", at)
    check_keywords(schema, at)
    try:
        return pointer, compile_schema(schema), schema
    except (jsonschema_rs.ValidationError, ValueError) as error:
        raise ApiError(400, f"not a JSON Schema: {str(error).splitlines()[0][:MAX_REASON]}", at) from error


_WITH_SCHEMA = (
    "additionalItems", "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not",
    "propertyNames", "then", "unevaluatedItems", "unevaluatedProperties",
)  # fmt: skip
_WITH_SCHEMAS = ("allOf", "anyOf", "items", "oneOf", "prefixItems")  # items are a list in older drafts
_WITH_NAMED_SCHEMAS = (
    "$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties",
)  # fmt: skip
_WITH_VALUES = (
    "$anchor", "$comment", "$dynamicAnchor", "$dynamicRef", "$id", "$recursiveAnchor", "$recursiveRef", "$ref",
    "$schema", "$vocabulary", "const", "contentEncoding", "contentMediaType", "default", "dependentRequired",
    "deprecated", "description", "enum", "examples", "exclusiveMaximum", "exclusiveMinimum", "format", "id",
    "maxContains", "maxItems", "maxLength", "maxProperties", "maximum", "minContains", "minItems", "minLength",
    "minProperties", "minimum", "multipleOf", "pattern", "readOnly", "required", "title", "type", "uniqueItems",
    "writeOnly",
)  # fmt: skip
KEYWORDS = frozenset((*_WITH_SCHEMA, *_WITH_SCHEMAS, *_WITH_NAMED_SCHEMAS, *_WITH_VALUES))
"""Of JSON Schema, of all its drafts. What begins with ``x-`` is anybody's."""


def check_keywords(schema: Any, at: str) -> None:
    """Refuse a word that JSON Schema does not know, which it would ignore: it is misspelt. Raises ApiError."""
    waiting: list[tuple[Any, str]] = [(schema, at)]
    while waiting:
        part, place = waiting.pop()
        for word, value in part.items() if isinstance(part, dict) else ():
            inner = place + join(word)
            if word not in KEYWORDS and not word.startswith("x-"):
                raise unknown("keyword of JSON Schema", word, sorted(KEYWORDS), inner)
            if word in _WITH_SCHEMA:
                waiting.append((value, inner))
            if word in _WITH_SCHEMAS and isinstance(value, list):
                waiting += ((item, inner + join(index)) for index, item in enumerate(value))
            if word in _WITH_NAMED_SCHEMAS and isinstance(value, dict):
                waiting += ((item, inner + join(name)) for name, item in value.items())
