"""JSON Schemas as a contract uses them: what they declare, and the marks that x-mock sets in them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from mockserver.spec.contract import Owned, Recipient
from mockserver.spec.pointer import MISSING, Pointer
from mockserver.spec.reader import Reader

_COERCED = ("boolean", "integer", "number")


@dataclass(slots=True)
class Marks:
    """Places in a request: declared, required, owned, and the recipient's."""

    declared: list[Pointer] = field(default_factory=list)
    required: list[Pointer] = field(default_factory=list)
    owned: list[Owned] = field(default_factory=list)
    recipient: Recipient | None = None


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
    seen |= {id(schema)}
    mark(reader, marks, schema, at)
    if "$ref" in schema:
        target = reader.target(schema)
        if isinstance(target, dict):
            _walk(reader, marks, target, at, seen)
    for name in schema.get("required", []) if isinstance(schema.get("required"), list) else []:
        marks.required.append(Pointer((*at.tokens, name)))
    for combined in ("allOf", "anyOf", "oneOf"):
        for branch in schema.get(combined) or []:
            if isinstance(branch, dict):
                _walk(reader, marks, branch, at, seen)
    properties = schema.get("properties")
    for name, member in properties.items() if isinstance(properties, dict) else ():
        below = Pointer((*at.tokens, name))
        marks.declared.append(below)
        if isinstance(member, dict):
            _walk(reader, marks, member, below, seen)


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
        for name, member in (part.get("properties") or {}).items():
            kind = coercion(reader, member)
            if kind is not None:
                found[name] = kind
    return found


def _unfolded(reader: Reader, schema: Any) -> Iterator[dict[str, Any]]:
    for _ in range(32):
        if not isinstance(schema, dict):
            return
        yield schema
        if "$ref" not in schema:
            return
        schema = reader.target(schema)
        if schema is MISSING:
            return
