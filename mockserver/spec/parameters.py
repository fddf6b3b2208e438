"""Parameters and request bodies, and the one schema that a request as a whole must fit."""

import re
from typing import Any

from mockserver.spec.contract import Body, Media, Parameter, Part, Validator
from mockserver.spec.pointer import MISSING, Pointer
from mockserver.spec.reader import Reader
from mockserver.spec.schemas import Marks, coercion, coercions, mark, walk

_FORMS = {"application/x-www-form-urlencoded": "form", "multipart/form-data": "multipart"}
_PLACES = ("path", "query", "header")


def read_parameters(
    reader: Reader, path_item: dict[str, Any], operation: dict[str, Any], path: str, marks: Marks
) -> tuple[Parameter, ...]:
    """The parameters of an operation, the path's own among them."""
    found = []
    nodes = _nodes(reader, path_item, operation)
    for (where, name), node in nodes.items():
        if "schema" not in node:
            reader.fault(node, "'schema' is missing")
        at = Pointer((where, name))
        mark(reader, marks, node, at)
        walk(reader, marks, node, "schema", at)
        required, kind = bool(node.get("required", False)), coercion(reader, node.get("schema"))
        found.append(Parameter(name, where, required, kind, _example(reader, node)))
    named = set(re.findall(r"\{([^{}]+)\}", path))
    declared = {name for where, name in nodes if where == "path"}
    for name in sorted(named ^ declared):
        reader.fault(operation, f"the path parameter {name!r} stands only in the path or only in 'parameters'")
    return tuple(found)


def _nodes(
    reader: Reader, path_item: dict[str, Any], operation: dict[str, Any]
) -> dict[tuple[Part, str], dict[str, Any]]:
    """Parameters by place and name, an operation's own instead of its path's; header names in lower case."""
    found = {}
    for node in [*reader.items(path_item, "parameters"), *reader.items(operation, "parameters")]:
        where, name = node.get("in"), reader.text(node, "name")
        if where in _PLACES:
            found[where, name.lower() if where == "header" else name] = node
        else:
            reader.fault(node, "a parameter stands in path, query or header", "in")
    return found


def _example(reader: Reader, node: dict[str, Any]) -> Any:
    if "example" in node:
        return node["example"]
    examples = reader.mapping(node, "examples")
    for name in examples:
        return reader.mapping(examples, name).get("value", MISSING)
    return MISSING


def read_body(reader: Reader, operation: dict[str, Any], marks: Marks, *, merges_form: bool) -> Body | None:
    """The request body of an operation, or None where it has none."""
    if "requestBody" not in operation:
        return None
    node = reader.mapping(operation, "requestBody")
    content = reader.mapping(node, "content", required=True)
    media = {}
    for media_type in content:
        member = reader.mapping(content, media_type)
        essence = media_type.partition(";")[0].strip().lower()
        reads: Any = _FORMS.get(essence) or ("json" if "schema" in member or essence == "*/*" else "nothing")
        if reads == "json" and essence != "*/*" and "json" not in essence:
            reader.fault(content, "only JSON and forms can have a schema", media_type)
        if not (merges_form and reads in _FORMS.values()):
            walk(reader, marks, member, "schema", Pointer(("body",)))
        media[essence] = Media(essence, reads, coercions(reader, member.get("schema")), _example(reader, member))
    return Body(bool(node.get("required", False)), media)


def read_validators(
    reader: Reader, path_item: dict[str, Any], operation: dict[str, Any], *, merges_form: bool
) -> dict[str, Validator]:
    """By media type ("" for no body): what ``{path, query, header, body}`` must fit."""
    parts: dict[str, dict[str, Any]] = {}
    for (where, name), node in _nodes(reader, path_item, operation).items():
        part = parts.setdefault(where, {"type": "object", "properties": {}, "required": []})
        schema = node.get("schema", True)
        if reader.schema(node, schema, "schema") is not None:
            part["properties"][name] = schema
        if node.get("required"):
            part["required"].append(name)
    schemas: dict[str, Any] = {"": {"type": "object", "properties": parts}}
    content = reader.mapping(reader.mapping(operation, "requestBody"), "content")
    for media_type in content:
        member = reader.mapping(content, media_type)
        essence = media_type.partition(";")[0].strip().lower()
        properties: dict[str, Any] = dict(parts)
        merged = merges_form and essence in _FORMS
        if "schema" in member and reader.schema(member, member["schema"], "schema") is not None and not merged:
            properties["body"] = member["schema"]
        schemas[essence] = {"type": "object", "properties": properties}
    compiled = {essence: reader.schema(operation, schema) for essence, schema in schemas.items()}
    return {essence: validator for essence, validator in compiled.items() if validator is not None}
