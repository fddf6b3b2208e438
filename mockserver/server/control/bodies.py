"""JSON bodies of the control API: read and checked, each fault with its pointer; and written."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from mockserver.exchange.bodies import Unreadable, read_json
from mockserver.exchange.match import PARTS, Pattern
from mockserver.server.control.problems import ControlFault
from mockserver.spec.pointer import Pointer, join

BODY_LIMIT = 1024 * 1024
ROOTS = ("path", "query", "header", "headers", "body")


async def read_object(request: Request, known: tuple[str, ...] | None) -> dict[str, Any]:
    """A JSON object with these members at most (None: any); no body counts as an empty one. Raises ControlFault."""
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > BODY_LIMIT:
            raise ControlFault(413, f"a body may have {BODY_LIMIT} bytes", "/body")
    if not raw:
        return {}
    essence = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if essence != "application/json":
        raise ControlFault(415, "Content-Type must be application/json", "/header/content-type")
    try:
        body = read_json(bytes(raw))
    except Unreadable as error:
        raise ControlFault(400, f"the body cannot be read: {error}", "/body") from error
    if not isinstance(body, dict):
        raise ControlFault(400, "must be an object", "/body")
    for name in body:
        if known is not None and name not in known:
            raise ControlFault(400, f"is not known here; known: {', '.join(known)}", join("body", name))
    return body


def write(value: Any) -> Response:
    """A response of JSON. A thousand calls take milliseconds to write, and nobody else gets a turn meanwhile."""
    return Response(msgspec.json.encode(value), media_type="application/json")


def member(body: dict[str, Any], name: str, kind: type, default: Any = None) -> Any:
    """A member of a type, or the default. Raises ControlFault."""
    if name not in body:
        return default
    value = body[name]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        words = {str: "a string", bool: "true or false", dict: "an object", list: "a list", int: "a whole number"}
        raise ControlFault(400, f"must be {words[kind]}", join("body", name))
    return value


def seconds(body: dict[str, Any], name: str, most: float) -> float:
    """A number of seconds from 0 to ``most``; 0 where there is none. Raises ControlFault."""
    value = body.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise ControlFault(400, f"must be a number of seconds from 0 to {most}", join("body", name))
    return float(value)


def read_pattern(body: dict[str, Any]) -> Pattern:
    """``where`` and ``when`` of a body. Raises ControlFault."""
    where: dict[str, Any] = member(body, "where", dict, {})
    for part, value in where.items():
        if part not in PARTS:
            raise ControlFault(400, f"is not known here; known: {', '.join(PARTS)}", join("body", "where", part))
        if part != "body" and not isinstance(value, dict) and not (part == "path" and isinstance(value, str)):
            raise ControlFault(400, "must be an object", join("body", "where", part))
    when = [_condition(text, schema) for text, schema in member(body, "when", dict, {}).items()]
    return Pattern(where, tuple(when))


def _condition(text: str, schema: Any) -> Any:
    import jsonschema_rs  # noqa: PLC0415 -- only patterns with schemas need it

    at = join("body", "when", text)
    pointer = Pointer.parse(text)
    if not text.startswith("/") or pointer.tokens[0] not in ROOTS:
        raise ControlFault(400, f"a pointer begins with one of: {', '.join('/' + root for root in ROOTS)}", at)
    if pointer.tokens[0] in {"header", "headers"}:
        pointer = Pointer(tuple(token.lower() for token in pointer.tokens))
    if schema is False:
        return pointer, None, schema
    if not isinstance(schema, dict | bool):  # a text would be read as the text of a schema
        raise ControlFault(400, "not a JSON Schema: must be an object, true or false", at)
    try:
        return pointer, jsonschema_rs.validator_for(schema, offline=True), schema
    except (jsonschema_rs.ValidationError, ValueError) as error:
        raise ControlFault(400, f"not a JSON Schema: {str(error).splitlines()[0]}", at) from error
