"""JSON Schemas as a contract uses them: what they declare, and the marks that x-mock sets in them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from mockserver.spec.contract import Owned, Recipient
from mockserver.spec.pointer import MISSING, Pointer
from mockserver.spec.reader import Reader

MAX_SCHEMAS = 5_000  # of one operation, each $ref written out: a few can unfold to very many
MAX_DEPTH = 100
_COERCED = ("boolean", "integer", "number")


@dataclass(slots=True)
class Marks:
    """Places in a request: declared, required, owned, and the recipient's."""

    declared: list[Pointer] = field(default_factory=list)
    required: list[Pointer] = field(default_factory=list)
    owned: list[Owned] = field(default_factory=list)
    enumerated: dict[Pointer, tuple[Any, ...]] = field(default_factory=dict)
    recipient: Recipient | None = None
    schemas: int = 0


def mark(reader: Reader, marks: Marks, container: dict[str, Any], at: Pointer) -> None:
    """Read the x-mock block of a parameter or schema that stands for the value at ``at``."""
    block = reader.x_mock(container, "schema")
    if "owned" in block:
        marks.owned.append(_owned(block["owned"], at, digits=block.get("digits", False)))
    if "recipient" in block:
        if marks.recipient is not None and marks.recipient.at != at:
            reader.fault(container, f"a second recipient beside {marks.recipient.at}", "x-mock")
        override = block["recipient"]["override"] if isinstance(block["recipient"], dict) else None
        marks.recipient = Recipient(at, Pointer.parse(override) if override else None)


def _owned(text: str, at: Pointer, *, digits: bool) -> Owned:
    pointer = Pointer.parse(text)
    within = pointer if pointer.tokens[0] == "owned" else None
    claim = str(Pointer(("account", *pointer.tokens[1:])))
    return Owned(at, claim, pointer.tokens[1], within, digits)


def walk(reader: Reader, marks: Marks, container: dict[str, Any], key: str, at: Pointer) -> None:
    """Collect the marks of the schema that is a member of ``container``, and of all below it."""
    schema = container.get(key)
    if isinstance(schema, dict):
        _walk(reader, marks, schema, at, frozenset())


def _walk(reader: Reader, marks: Marks, schema: dict[str, Any], at: Pointer, seen: frozenset[int]) -> None:
    if id(schema) in seen:
        return
    if marks.schemas == MAX_SCHEMAS or len(seen) == MAX_DEPTH:
        reader.fault(schema, f"schemas refer to schemas too often: at most {MAX_SCHEMAS}, {MAX_DEPTH} deep")
        return
    marks.schemas += 1
    seen |= {id(schema)}
    mark(reader, marks, schema, at)
    if isinstance(schema.get("enum"), list):
        marks.enumerated[at] = tuple(schema["enum"])
    elif schema.get("type") == "boolean":
        marks.enumerated[at] = (True, False)
    marks.required += [Pointer((*at.tokens, name)) for name in _list(schema, "required") if isinstance(name, str)]
    for part in _parts(reader, schema):
        if isinstance(part, dict):
            _walk(reader, marks, part, at, seen)
    for name, member in _properties(schema).items():
        below = Pointer((*at.tokens, name))
        marks.declared.append(below)
        if isinstance(member, dict):
            _walk(reader, marks, member, below, seen)


def _parts(reader: Reader, schema: dict[str, Any]) -> Iterator[Any]:
    """What else the same value must fit, or may."""
    if "$ref" in schema:
        yield reader.target(schema)
    for combined in ("allOf", "anyOf", "oneOf"):
        yield from _list(schema, combined)


def _list(schema: dict[str, Any], key: str) -> list[Any]:
    value = schema.get(key)
    return value if isinstance(value, list) else []


def _properties(schema: dict[str, Any]) -> dict[str, Any]:
    value = schema.get("properties")
    return value if isinstance(value, dict) else {}


def coercion(reader: Reader, schema: Any) -> str | None:
    """The type that a parameter's text is turned into, or None for text."""
    for part in _unfolded(reader, schema):
        kind = part.get("type")
        if kind in _COERCED:
            return str(kind)
    return None


def coercions(reader: Reader, schema: Any) -> dict[str, str]:
    """The types of a form's fields that are not text."""
    found: dict[str, str] = {}
    for part in _unfolded(reader, schema):
        for name, member in _properties(part).items():
            kind = coercion(reader, member)
            if kind is not None:
                found[name] = kind
    return found


def _unfolded(reader: Reader, schema: Any) -> Iterator[dict[str, Any]]:
    for _ in range(32):
        if not isinstance(schema, dict):
            return
        yield schema
        schema = reader.target(schema) if "$ref" in schema else MISSING
