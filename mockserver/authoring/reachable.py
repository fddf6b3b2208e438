"""The schemas that chosen operations reach, out of a document that has many more, as components with names of ours."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import jsonschema_rs

from mockserver.authoring.component_cycles import cut_cycles
from mockserver.authoring.openapi_file import MAX_REFERENCES, Found, Node, OpenApiFile, entries, members
from mockserver.spec.near_keys import INNER_SCHEMAS, SCHEMA_KEYWORDS, SCHEMA_LISTS, SCHEMAS_BY_NAME
from mockserver.spec.parameters import COERCED_TYPES, is_only
from mockserver.spec.pointer import MISSING

Side = Literal["request", "response"]
DROPPED = frozenset(
    (
        *("xml", "externalDocs", "discriminator", "deprecated", "example", "readOnly", "writeOnly"),  # not read here
        *("$schema", "$id", "$anchor", "$dynamicAnchor", "$vocabulary", "$comment"),  # references are components here
        *("$defs", "definitions", "contentSchema"),
    )
)
UNNAMEABLE = frozenset({"$ref", "x-mock"})  # names that would be read as words
_HIDDEN = {"request": "readOnly", "response": "writeOnly"}  # by side, the word of what is not there
MAX_LEFT_OUT = 60  # characters of what is left out


def snake(name: str) -> str:
    """A name as contracts write names: ``sendSms``, ``send-sms`` and ``Send SMS`` are ``send_sms``."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    text = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_").lower()
    return text if re.match("[a-z]", text) else f"x_{text}" if text else "unnamed"


class Reachable:
    """Copies schemas; what they refer to becomes a component, once for requests and once for responses if they differ.

    A word that is none, or says what JSON Schema does not let it say, is left out: every copy can be asked.
    """

    def __init__(self, source: OpenApiFile) -> None:
        self.components: dict[str, Any] = {}
        self.notes: list[str] = []
        self._source = source
        self._names: dict[tuple[Path, str, str], str] = {}
        self._waiting: list[tuple[str, Found, Side]] = []
        self._has_sides: dict[tuple[Path, str], bool] = {}
        self._cut: set[str] = set()  # components that lead back to themselves no more

    def schema(self, node: Any, file: Path, side: Side) -> Any:
        """A schema as the contract has it: only references within it, no words that nothing here reads."""
        copy = self._schema(node, file, side)
        while self._waiting:
            name, found, its_side = self._waiting.pop(0)
            self.components[name] = self._schema(found.value, found.file, its_side)
        for name in cut_cycles(self.components, self._cut):
            self.notes.append(f"the schema {name} says that it is itself: that is left out")
        return copy

    def _schema(self, node: Any, file: Path, side: Side, hidden: frozenset[str] = frozenset()) -> Any:
        """``hidden`` are members that a schema of the same value hides."""
        if not isinstance(node, dict):
            return node if isinstance(node, bool) else {}
        if isinstance(node.get("$ref"), str):
            name = self._component(node["$ref"], file, side)
            beside = {} if self._source.is_30 else self._beside(node, file, side, hidden)
            return beside if name is None else {"$ref": f"#/components/schemas/{name}", **beside}
        copy: Node = {}
        hidden |= self._hidden(node, file, side)
        for key, value in self._sound(node):
            if key in SCHEMAS_BY_NAME:
                kept = {name: member for name, member in value.items() if key != "properties" or name not in hidden}
                copy[key] = {name: self._schema(member, file, side) for name, member in kept.items()}
            elif key in SCHEMA_LISTS:
                passed_on = hidden if key == "allOf" else frozenset()
                copy[key] = [self._schema(item, file, side, passed_on) for item in value]
            elif key in INNER_SCHEMAS:
                copy[key] = self._schema(value, file, side)
            else:
                copy[key] = [name for name in value if name not in hidden] if key == "required" else value
        if node.get("example") is not None and "examples" not in copy:
            copy["examples"] = [node["example"]]
        return copy

    def _beside(self, node: Node, file: Path, side: Side, hidden: frozenset[str]) -> Any:
        """What a schema says beside its reference, which OpenAPI 3.0 does not let it."""
        return self._schema({key: value for key, value in node.items() if key != "$ref"}, file, side, hidden)

    def _hidden(self, node: Node, file: Path, side: Side) -> frozenset[str]:
        """The members of a schema's values that are not there on one side (OpenAPI: readOnly, writeOnly)."""
        word, hidden = _HIDDEN[side], set()
        waiting, seen = [Found(node, file)], set()
        while waiting:
            part = self._source.follow(waiting.pop())
            if id(part.value) in seen:
                continue
            seen.add(id(part.value))
            for name, written in members(part.value, "properties").items():
                said = [self.follow(written, part.file).value, {} if self._source.is_30 else written]
                hidden |= {name} if any(isinstance(one, dict) and one.get(word) is True for one in said) else set()
            waiting += [Found(item, part.file) for item in entries(part.value, "allOf")]
        if hidden:
            self.notes.append(f"{word}: {', '.join(sorted(hidden))}: left out of each {side}")
        unnameable = UNNAMEABLE & members(node, "properties").keys()
        if unnameable:
            self.notes.append(f"left out, for a contract cannot name it: the member {', '.join(sorted(unnameable))}")
        return frozenset(hidden | unnameable)

    def _sound(self, schema: Node) -> Iterator[tuple[str, Any]]:
        """The words of a schema that can be read, with what they say."""
        for key, written in schema.items():
            value: Any = "string" if (key, written) == ("type", "file") else written
            if key not in SCHEMA_KEYWORDS or key in DROPPED:
                continue
            if _is_sound(key, value):
                yield key, _with_sound_patterns(value) if key == "patternProperties" else value
            elif key == "pattern":
                self.notes.append(f"a pattern of another dialect is left out: {str(value)[:MAX_LEFT_OUT]}")
            else:
                shown = json.dumps(value, ensure_ascii=False, default=str)[:MAX_LEFT_OUT]
                self.notes.append(f"what a schema says by '{key}' is left out, for it cannot be read: {shown}")

    def _component(self, ref: str, file: Path, side: Side) -> str | None:
        found = self._source.target(ref, file)
        if found.value is MISSING:
            self.notes.append(f"$ref {ref} points at nothing that is here: anything goes there")
            return None
        place = found.file, ref.partition("#")[2]
        key = *place, side if self._differs(place, found) else ""
        if key not in self._names:
            self._names[key] = self._free(snake(ref.rpartition("/")[2].rpartition(".")[2] or found.file.stem))
            self.components[self._names[key]] = {}  # its name is taken
            self._waiting.append((self._names[key], found, side))
        return self._names[key]

    def _differs(self, place: tuple[Path, str], found: Found) -> bool:
        """Whether a schema, or one that it reaches, has other members in requests than in responses."""
        if place not in self._has_sides:
            self._has_sides[place] = any(
                node.get(word) is True for node in self._reached(found) for word in _HIDDEN.values()
            )
        return self._has_sides[place]

    def _reached(self, found: Found) -> Iterator[Node]:
        """All mappings of a value and of what its references lead to, each once."""
        waiting, seen = [found], set()
        while waiting:
            value, file = (one := waiting.pop()).value, one.file
            if not isinstance(value, dict | list) or id(value) in seen:
                continue
            seen.add(id(value))
            if isinstance(value, dict):
                yield value
                if isinstance(value.get("$ref"), str):
                    waiting.append(self._source.target(value["$ref"], file))
            waiting += [Found(item, file) for item in (value.values() if isinstance(value, dict) else value)]

    def _typed_fields(self, schema: Any) -> frozenset[str]:
        """The members of a form that are no text."""
        fields = [field for part in self.unfolded(schema) for field in part.get("properties", {}).items()]
        parts = [(name, part) for name, member in fields for part in self.unfolded(member)]
        typed = {name for name, part in parts if any(is_only(part, {kind}) for kind in COERCED_TYPES)}
        return frozenset(typed | {name for name, part in parts if "array" in (part.get("type") or ())})

    def unfolded(self, schema: Any) -> Iterator[Node]:
        """A schema, and what its reference leads to."""
        for _ in range(MAX_REFERENCES):
            if not isinstance(schema, dict):
                return
            yield schema
            schema = self.components.get(str(schema.get("$ref")).rpartition("/")[2])

    def _free(self, name: str) -> str:
        number = 2
        free = name
        while free in self.components:
            free, number = f"{name}_{number}", number + 1
        return free

    def follow(self, node: Any, file: Path) -> Found:
        """What a node of the document leads to."""
        return self._source.follow(Found(node, file))

    def is_no_text(self, schema: Any) -> bool:
        """Whether a parameter of this schema is an object, or a list of objects or lists."""
        parts = list(self.unfolded(schema))
        items = [item for part in parts for item in self.unfolded(part.get("items"))]
        return any(is_only(part, {"object"}) for part in parts) or any(is_only(i, {"object", "array"}) for i in items)

    def fits(self, value: Any, schema: Any) -> bool:
        """Whether a value fits a schema that was copied."""
        return self.first_that_fits([value], schema) is not MISSING

    def first_that_fits(self, values: Iterable[Any], schema: Any, *, in_form: bool = False) -> Any:
        """The first of some values that fits a schema that was copied, or ``MISSING``; ``in_form`` as a form has it.

        A schema that cannot be compiled fits nothing.
        """
        typed = self._typed_fields(schema) if in_form else frozenset()
        whole = {**schema, "components": {"schemas": self.components}} if isinstance(schema, dict) else schema
        try:
            validator = jsonschema_rs.validator_for(whole, offline=True)
            fitting = (v for v in values if all(map(validator.is_valid, _in_form(v, typed) if in_form else [v])))
            return next(fitting, MISSING)
        except (jsonschema_rs.ValidationError, ValueError):
            return MISSING


def _in_form(value: Any, typed: frozenset[str]) -> list[Any]:
    """What a form, or a parameter, is to be: as it is checked, and as it is sent, where what has members is text."""
    if not isinstance(value, dict):
        return [value]
    checked = {n: json.dumps(v) if n not in typed and isinstance(v, int | float) else v for n, v in value.items()}
    return [checked, {name: json.dumps(field) if _has_members(field) else field for name, field in checked.items()}]


def _has_members(field: Any) -> bool:
    items = field if isinstance(field, list) else [field]
    return isinstance(field, dict) or any(isinstance(item, dict | list) for item in items)


def _is_sound(key: str, value: Any) -> bool:
    """Whether a word of JSON Schema may say this; what schemas within say is looked at in their turn."""
    if key in SCHEMAS_BY_NAME:
        return isinstance(value, dict)
    if key in SCHEMA_LISTS:
        return isinstance(value, list) and bool(value) and all(isinstance(item, dict | bool) for item in value)
    if key in INNER_SCHEMAS:
        return isinstance(value, dict | bool)
    if key == "$ref":
        return False
    try:
        jsonschema_rs.validator_for({key: value})
    except (jsonschema_rs.ValidationError, ValueError):
        return False
    return True


def _with_sound_patterns(schemas: Node) -> Node:
    return {pattern: schema for pattern, schema in schemas.items() if _is_sound("pattern", pattern)}
