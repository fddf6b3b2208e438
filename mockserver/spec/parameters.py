"""Parameters and bodies of a request: what their JSON Schemas declare, require and mark."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from mockserver.spec.model import ArrayStyle, Body, KeptMember, Media, Owned, Parameter, ParameterPart, Recipient
from mockserver.spec.pointer import MISSING, Pointer
from mockserver.spec.reader import Reader
from mockserver.spec.value_model import Validator

MAX_SCHEMAS = 5_000  # of an operation, every $ref written out: few of them can unfold to very many
MAX_SCHEMA_DEPTH = 100  # schemas within schemas
ITEMS = "*"  # the token of a list's items, in the places of marks
COERCED_TYPES = ("boolean", "integer", "number")


@dataclass(slots=True)
class Marks:
    """The places of a request that schemas declare, require or mark, and the values that they enumerate."""

    declared: list[Pointer] = field(default_factory=list)
    required: list[Pointer] = field(default_factory=list)
    owned: list[Owned] = field(default_factory=list)
    kept: list[KeptMember] = field(default_factory=list)
    enumerated: dict[Pointer, tuple[Any, ...]] = field(default_factory=dict)
    recipient: Recipient | None = None
    schemas: int = 0


def mark(reader: Reader, marks: Marks, container: dict[str, Any], at: Pointer) -> None:
    """Read the x-mock block of a parameter or schema whose value is at ``at``."""
    block = reader.x_mock(container, "schema")
    if "owned" in block:
        marks.owned.append(_owned(block["owned"], at, digits=block.get("digits", False)))
    if "kept" in block:
        _, list_name, member = Pointer.parse(block["kept"]).tokens
        marks.kept.append(KeptMember(at, list_name, member))
    if "recipient" in block:
        recipient = _recipient(block["recipient"], at)
        if marks.recipient not in {None, recipient}:
            reader.error(container, f"a second recipient beside {marks.recipient.at}", "x-mock")
        marks.recipient = recipient


def _recipient(block: Any, at: Pointer) -> Recipient:
    """The recipient at a place; that of the items of a list is known by the list's place."""
    options = block if isinstance(block, dict) else {}
    override = options.get("override", [])
    overrides = [override] if isinstance(override, str) else override
    overrides_read = tuple(map(Pointer.parse, overrides))
    if ITEMS not in at.tokens:
        return Recipient(at, overrides_read, options.get("split"))
    first = at.tokens.index(ITEMS)
    return Recipient(Pointer(at.tokens[:first]), overrides_read, None, many=True, inside=at.tokens[first + 1 :])


def _owned(text: str, at: Pointer, *, digits: bool) -> Owned:
    pointer = Pointer.parse(text)
    within = pointer if pointer.tokens[0] == "owned" else None
    claim = str(Pointer(("account", *pointer.tokens[1:])))
    binds = pointer.tokens[-2] if within is not None and len(pointer.tokens) > 3 else pointer.tokens[1]
    return Owned(at, claim, binds, within, digits)


def walk(reader: Reader, marks: Marks, container: dict[str, Any], key: str, at: Pointer) -> None:
    """Collect the marks of a schema, a member of ``container``, and of all schemas below it."""
    schema = container.get(key)
    if isinstance(schema, dict):
        _walk(reader, marks, schema, at, frozenset())


def _walk(reader: Reader, marks: Marks, schema: dict[str, Any], at: Pointer, seen: frozenset[int]) -> None:
    if id(schema) in seen or marks.schemas > MAX_SCHEMAS:
        return
    if marks.schemas == MAX_SCHEMAS or len(seen) == MAX_SCHEMA_DEPTH:
        reader.error(schema, f"schemas refer to schemas too often: at most {MAX_SCHEMAS}, {MAX_SCHEMA_DEPTH} deep")
        marks.schemas = MAX_SCHEMAS + 1  # once is enough
        return
    marks.schemas += 1
    seen |= {id(schema)}
    mark(reader, marks, schema, at)
    if isinstance(schema.get("enum"), list):
        marks.enumerated[at] = tuple(schema["enum"])
    elif schema.get("type") == "boolean":
        marks.enumerated[at] = (True, False)
    marks.required += [Pointer((*at.tokens, name)) for name in list_at(schema, "required") if isinstance(name, str)]
    for part in _parts(reader, schema):
        if isinstance(part, dict):
            _walk(reader, marks, part, at, seen)
    if isinstance(schema.get("items"), dict):
        _walk(reader, marks, schema["items"], Pointer((*at.tokens, ITEMS)), seen)
    for name, member in _properties(schema).items():
        below = Pointer((*at.tokens, name))
        marks.declared.append(below)
        if isinstance(member, dict):
            _walk(reader, marks, member, below, seen)


def _parts(reader: Reader, schema: dict[str, Any]) -> Iterator[Any]:
    """The other schemas that the same value must or may fit."""
    if "$ref" in schema:
        yield reader.target(schema)
    for combined in ("allOf", "anyOf", "oneOf"):
        yield from list_at(schema, combined)
    for branch in ("then", "else"):
        if branch in schema:
            yield schema[branch]


def list_at(schema: dict[str, Any], key: str) -> list[Any]:
    """The list that a member of a schema is; an empty one where it is none."""
    value = schema.get(key)
    return value if isinstance(value, list) else []


def _properties(schema: dict[str, Any]) -> dict[str, Any]:
    value = schema.get("properties")
    return value if isinstance(value, dict) else {}


def coercion(reader: Reader, schema: Any) -> str | None:
    """The type that a parameter's text is turned into, or None for text."""
    for part in _unfolded(reader, schema):
        for kind in COERCED_TYPES:
            if is_only(part, {kind}):
                return kind
    return None


def coercions(reader: Reader, schema: Any) -> dict[str, str]:
    """The types of a form's fields that are not text."""
    kinds: dict[str, str] = {}
    for part in _unfolded(reader, schema):
        for name, member in _properties(part).items():
            kind = coercion(reader, member)
            if kind is not None:
                kinds[name] = kind
    return kinds


_STYLES: dict[str, dict[str, str]] = {  # by place, the styles of arrays, and what they have between items
    "query": {"form": ",", "spaceDelimited": " ", "pipeDelimited": "|"},
    "path": {"simple": ","},
    "header": {"simple": ","},
}


def _array(reader: Reader, node: dict[str, Any], schema: Any, where: str) -> ArrayStyle | None:
    """How the items of a parameter, or of a form's field, are written (OpenAPI, Style Values); None where it is none.

    ``node`` says so with ``style`` and ``explode``. A style that is not read here is an error.
    """
    styles = _STYLES[where]
    style = node.get("style", next(iter(styles)))
    if style not in styles:
        reader.error(node, f"a style that is not read here; in {where}: {', '.join(styles)}", "style")
        return None
    for part in _unfolded(reader, schema):
        kind = part.get("type")
        if kind == "array" or (isinstance(kind, list) and "array" in kind):
            is_exploded = where == "query" and node.get("explode", style == "form") is not False
            return ArrayStyle("" if is_exploded else styles[style], coercion(reader, part.get("items")))
    return None


def _arrays(reader: Reader, media: dict[str, Any]) -> dict[str, ArrayStyle]:
    """The fields of a form that are arrays; its ``encoding`` says how they are written."""
    found: dict[str, ArrayStyle] = {}
    encodings = reader.mapping(media, "encoding")
    for part in _unfolded(reader, media.get("schema")):
        for name, member in _properties(part).items():
            encoding = reader.mapping(encodings, name)
            array = _array(reader, encoding, member, "query")
            if array is not None:
                found[name] = array
    return found


def _unfolded(reader: Reader, schema: Any) -> Iterator[dict[str, Any]]:
    for _ in range(32):
        if not isinstance(schema, dict):
            return
        yield schema
        schema = reader.target(schema) if "$ref" in schema else MISSING


_FORM_TYPES = {"application/x-www-form-urlencoded": "form", "multipart/form-data": "multipart"}
_PARAMETER_PLACES = ("path", "query", "header")


def read_parameters(
    reader: Reader, path_item: dict[str, Any], operation: dict[str, Any], path: str, marks: Marks
) -> tuple[Parameter, ...]:
    """The parameters of an operation, with those of its path."""
    parameters = []
    nodes = _nodes(reader, path_item, operation)
    for (where, name), node in nodes.items():
        if "schema" not in node:
            reader.error(node, "'schema' is missing")
        at = Pointer((where, name))
        mark(reader, marks, node, at)
        walk(reader, marks, node, "schema", at)
        _check_text(reader, node)
        required, schema = bool(node.get("required", False)), node.get("schema")
        array, kind = _array(reader, node, schema, where), coercion(reader, schema)
        parameters.append(Parameter(name, where, required, kind, _example(reader, node), array))
    named = set(re.findall(r"\{([^{}]+)\}", path))
    declared = {name for where, name in nodes if where == "path"}
    for name in sorted(named ^ declared):
        reader.error(operation, f"the path parameter {name!r} stands only in the path or only in 'parameters'")
    return tuple(parameters)


def _check_text(reader: Reader, parameter: dict[str, Any]) -> None:
    """Add an error for a parameter that is an object, or a list of what is no text: what is sent is text."""
    if reader.is_draft or "style" in parameter:  # a style of objects is told as such
        return
    inside = [
        item for part in _unfolded(reader, parameter.get("schema")) for item in _unfolded(reader, part.get("items"))
    ]
    told = None
    if any(is_only(part, {"object"}) for part in _unfolded(reader, parameter.get("schema"))):
        told = "an object"
    elif any(is_only(part, {"object", "array"}) for part in inside):
        told = "a list of objects or of lists"
    if told is not None:
        why = "in a parameter is not read, so that every value is refused: declare its members as parameters"
        reader.error(parameter, f"{told} {why}", "schema")


def is_only(schema: dict[str, Any], kinds: set[str]) -> bool:
    """Whether a schema allows values of these types alone."""
    kind = schema.get("type", ())
    named = {one for one in (kind if isinstance(kind, list) else [kind]) if isinstance(one, str)} - {"null"}
    return bool(named) and named <= kinds


def _nodes(
    reader: Reader, path_item: dict[str, Any], operation: dict[str, Any]
) -> dict[tuple[ParameterPart, str], dict[str, Any]]:
    """Parameters by place and name, header names in lower case. The operation's own replace those of its path."""
    nodes = {}
    for node in [*reader.items(path_item, "parameters"), *reader.items(operation, "parameters")]:
        where, name = node.get("in"), reader.text(node, "name")
        if where in _PARAMETER_PLACES:
            nodes[where, name.lower() if where == "header" else name] = node
        else:
            reader.error(node, "a parameter stands in path, query or header", "in")
    return nodes


def _example(reader: Reader, node: dict[str, Any]) -> Any:
    if "example" in node:
        return node["example"]
    examples = reader.mapping(node, "examples")
    for name in examples:
        return reader.mapping(examples, name).get("value", MISSING)
    return MISSING


def read_body(reader: Reader, operation: dict[str, Any], marks: Marks, *, merges_form: bool) -> Body | None:
    """The request body of an operation, or None if it has none."""
    if "requestBody" not in operation:
        return None
    node = reader.mapping(operation, "requestBody")
    content = reader.mapping(node, "content", required=True)
    media = {}
    for media_type in content:
        member = reader.mapping(content, media_type)
        essence = media_type.partition(";")[0].strip().lower()
        reads: Any = _FORM_TYPES.get(essence) or ("json" if "schema" in member or essence == "*/*" else "nothing")
        if reads == "json" and essence != "*/*" and "json" not in essence:
            reader.error(content, "only JSON and forms can have a schema", media_type)
        if not (merges_form and reads in _FORM_TYPES.values()):
            walk(reader, marks, member, "schema", Pointer(("body",)))
        kinds = coercions(reader, member.get("schema"))
        arrays = _arrays(reader, member) if reads in _FORM_TYPES.values() else {}
        media[essence] = Media(essence, reads, kinds, _example(reader, member), arrays)
    return Body(bool(node.get("required", False)), media)


def read_schemas(
    reader: Reader, path_item: dict[str, Any], operation: dict[str, Any], *, merges_form: bool
) -> dict[str, dict[str, Any]]:
    """By media type ("" for no body): what ``{path, query, header, body}`` must fit, its ``$ref`` not followed."""
    parts: dict[str, dict[str, Any]] = {}
    for (where, name), node in _nodes(reader, path_item, operation).items():
        part = parts.setdefault(where, {"type": "object", "properties": {}, "required": []})
        schema = node.get("schema", True)
        if reader.is_schema(node, schema, "schema"):
            part["properties"][name] = schema
        if node.get("required"):
            part["required"].append(name)
    schemas: dict[str, dict[str, Any]] = {"": {"type": "object", "properties": parts}}
    content = reader.mapping(reader.mapping(operation, "requestBody"), "content")
    for media_type in content:
        member = reader.mapping(content, media_type)
        essence = media_type.partition(";")[0].strip().lower()
        properties: dict[str, Any] = dict(parts)
        merged = merges_form and essence in _FORM_TYPES
        if "schema" in member and reader.is_schema(member, member["schema"], "schema") and not merged:
            properties["body"] = member["schema"]
        schemas[essence] = {"type": "object", "properties": properties}
    return schemas


def compile_schemas(
    reader: Reader, operation: dict[str, Any], schemas: dict[str, dict[str, Any]]
) -> dict[str, Validator]:
    """The same, ready to be asked."""
    compiled = {essence: reader.schema(operation, schema) for essence, schema in schemas.items()}
    return {essence: validator for essence, validator in compiled.items() if validator is not None}
