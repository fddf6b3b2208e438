"""OpenAPI 3.0 read as 3.1: what a document says in words that 3.1 no longer has, said in those that it has."""

from typing import Any

_DATA = frozenset({"example", "examples", "default", "enum", "const", "x-mock"})  # these hold no schemas
_BOUNDS = (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum"))
NOTE = "OpenAPI 3.0, read as 3.1: nullable, exclusive bounds"


def read_as_31(document: dict[str, Any]) -> None:
    """Change a document of OpenAPI 3.0 to one of 3.1, in place: whatever stays keeps its identity."""
    document["openapi"] = "3.1.0"
    waiting: list[Any] = [document]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, list):
            waiting += [item for item in node if isinstance(item, dict | list)]
        elif isinstance(node, dict):
            waiting += [item for key, item in node.items() if key not in _DATA and isinstance(item, dict | list)]
            _change(node)


def _change(node: dict[str, Any]) -> None:
    """A schema's words; what is no schema has none of them with a value of their types."""
    for exclusive, bound in _BOUNDS:
        if isinstance(node.get(exclusive), bool):
            is_exclusive = node.pop(exclusive)
            if is_exclusive and isinstance(node.get(bound), int | float):
                node[exclusive] = node.pop(bound)
    if isinstance(node.get("nullable"), bool):
        is_nullable = node.pop("nullable")
        if is_nullable and "$ref" not in node:
            _allow_null(node)


def _allow_null(schema: dict[str, Any]) -> None:
    if isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
    if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
        schema["enum"].append(None)
    for word in ("allOf", "oneOf", "anyOf"):
        if "type" not in schema and isinstance(schema.get(word), list):
            schema["anyOf"] = [{word: schema.pop(word)}, {"type": "null"}]
            return
