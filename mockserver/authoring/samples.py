"""Values that fit a schema, for requests and answers that a document shows no example of."""

import math
import re
import string
from collections.abc import Iterator
from typing import Any

import jsonschema_rs

from mockserver.spec.parameters import list_at
from mockserver.spec.pointer import Pointer

SAMPLE_TEXT = "text"  # where nothing is known of a text
MAX_SAMPLE_DEPTH = 32  # schemas within schemas that are filled
MAX_FREE_DEPTH = 8  # those with members that need not be there
MAX_SAMPLE_VALUES = 2_000  # in one; a quarter of them with members that need not be there
MAX_SAMPLE_LENGTH = 10_000  # characters of a text that must be long
MAX_SAMPLE_ITEMS = 100  # of a list that must be long
MAX_BRANCHES = 16  # of alternatives that are tried
MAX_REPEATS = 64  # of a part of a pattern
FORMAT_TEXTS = {  # by format
    "date": "2026-11-27",
    "date-time": "2026-11-27T09:30:00Z",
    "email": "someone@example.test",
    "uri": "https://example.test/",
    "url": "https://example.test/",
    "uuid": "0b9f9a3c-5d1e-4c55-9f2b-1f2d3c4b5a69",
    "phone": "+12025550123",
}
_PHONE_NUMBERS = ("+12025550123", "12025550123")  # tried where a pattern is that of a phone number
_PART = re.compile(r"(\\.|\[\^?(?:\\.|[^\]\\])+\]|[^\\\[\](){}*+?|^$.])(?:\{(\d+)(?:,(\d*))?\}|([*+?]))?")
_CLASSES = {r"\d": "0", r"\w": "a", r"\s": " "}
_CHARACTERS = f"a0-{string.punctuation}{string.ascii_letters}{string.digits} é"  # tried where some are excluded
_GROUP = re.compile(r"\((?:\?:)?([^()|]*)(?:\|[^()]*)?\)")


class Sampler:
    """Makes values that fit the schemas of a document, whose words are sound."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._open: list[str] = []  # the references that are being followed: an optional member leads to none again
        self._made = 0  # values, in the one that is being made
        self._branch = 0  # the alternative that is taken wherever there are several
        self._branches = 1  # of the schema that had most of them
        self._is_shown = True  # whether examples and defaults are taken

    def values(self, schema: Any) -> Iterator[Any]:
        """Values of a schema: of each of its alternatives, as the schema shows them; then without what it shows."""
        for self._is_shown in (True, False):
            self._branch, self._branches = 0, 1
            while self._branch < min(self._branches, MAX_BRANCHES):
                yield self.value(schema)
                self._branch += 1
        self._branch, self._is_shown = 0, True

    def value(self, schema: Any) -> Any:
        """A value of a schema, from its own examples where it has any."""
        self._made = 0
        return self._value(schema, 0)

    def _value(self, schema: Any, depth: int) -> Any:
        self._made += 1
        if not isinstance(schema, dict) or depth > MAX_SAMPLE_DEPTH or self._made > MAX_SAMPLE_VALUES:
            return SAMPLE_TEXT if schema is True else None
        shown = [*list_at(schema, "examples")[:1], *_members(schema, "default")] if self._is_shown else []
        for value in (*_members(schema, "const"), *shown, *list_at(schema, "enum")):
            return value
        if "$ref" in schema:
            self._open.append(schema["$ref"])
            target = Pointer.parse(schema["$ref"][1:]).get(self._document)
            value = self._value(_with_beside(target, schema), depth + 1)
            self._open.pop()
            return value
        for word in ("oneOf", "anyOf"):
            if word in schema:
                self._branches = max(self._branches, len(schema[word]))
                chosen = self._value(schema[word][self._branch % len(schema[word])], depth + 1)
                rest = {key: value for key, value in schema.items() if key != word}
                return _joined(self._typed(rest, depth), chosen) if isinstance(chosen, dict) else chosen
        if "allOf" in schema:
            rest = {key: value for key, value in schema.items() if key != "allOf"}
            value = self._typed(rest, depth) if rest.keys() & {"properties", "type"} else {}
            for part in schema["allOf"]:
                value = _joined(value, self._value(part, depth + 1))
            return value
        return self._typed(schema, depth)

    def _typed(self, schema: dict[str, Any], depth: int) -> Any:
        kind = schema.get(
            "type",
            "object" if schema.keys() & {"properties", "required"} else "array" if "items" in schema else "string",
        )
        kind = next((k for k in kind if k != "null"), "null") if isinstance(kind, list) else kind
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            return self._array(schema, depth)
        if kind in {"integer", "number"}:
            return _number(schema, is_whole=kind == "integer")
        return _text(schema) if kind == "string" else {"boolean": True}.get(kind)

    def _object(self, schema: dict[str, Any], depth: int) -> Any:
        required, properties = list_at(schema, "required"), schema.get("properties", {})
        is_full = depth >= MAX_FREE_DEPTH or self._made > MAX_SAMPLE_VALUES // 4
        names = [name for name in properties if name in required or not (is_full or self._leads_back(properties[name]))]
        further = [name for name in required if name not in properties]
        of_further = schema.get("additionalProperties", True)
        named = {name: self._value(properties[name], depth + 1) for name in names}
        return {**named, **{name: self._value(of_further, depth + 1) for name in further}}

    def _array(self, schema: dict[str, Any], depth: int) -> Any:
        first = list_at(schema, "prefixItems")
        rest = schema.get("items", {})
        number = max(int(schema.get("minItems", 1)), 0 if first else 1, len(first))
        number = min(number, int(schema.get("maxItems", number)), MAX_SAMPLE_ITEMS if rest is not False else len(first))
        schemas = [*first, *([rest] * (number - len(first)))][:number]
        return [self._value(item, depth + 1) for item in schemas]

    def _leads_back(self, schema: Any) -> bool:
        """Whether a schema, or that of its items, is one whose value is being made."""
        items = schema.get("items") if isinstance(schema, dict) else None
        return any(isinstance(one, dict) and one.get("$ref") in self._open for one in (schema, items))


def _joined(one: Any, other: Any) -> Any:
    """A value of two schemas at once; one that says nothing of members has a text, which gives way."""
    if isinstance(one, dict) and isinstance(other, dict):
        return {**one, **other}
    return one if isinstance(one, dict) and one else other


def _with_beside(target: Any, schema: dict[str, Any]) -> Any:
    """What a reference leads to, with what the schema says beside it."""
    beside = {key: value for key, value in schema.items() if key != "$ref"}
    if not beside or not isinstance(target, dict):
        return target
    both = {**target, **beside}
    if "required" in target and "required" in beside:
        both["required"] = [*list_at(target, "required"), *list_at(beside, "required")]
    if "properties" in target and "properties" in beside:
        both["properties"] = {**target["properties"], **beside["properties"]}
    return both


def _members(schema: dict[str, Any], key: str) -> list[Any]:
    return [schema[key]] if key in schema else []


def _number(schema: dict[str, Any], *, is_whole: bool) -> Any:
    most = schema.get("maximum", schema.get("exclusiveMaximum", 2) - 1)
    above = schema.get("exclusiveMinimum")
    least = schema.get("minimum", min(1, most) if above is None else above + 1)
    step = schema.get("multipleOf", 1 if is_whole else 0)
    try:
        number = math.ceil(least / step) * step if step else least
    except OverflowError:  # beyond the numbers that JSON's readers agree on
        return least
    return number if not is_whole or isinstance(number, int) else int(number)


def _text(schema: dict[str, Any]) -> str:
    pattern = schema.get("pattern")
    text = text_of(pattern) if pattern is not None else FORMAT_TEXTS.get(str(schema.get("format")), SAMPLE_TEXT)
    least = min(int(schema.get("minLength", 0)), MAX_SAMPLE_LENGTH)
    most = int(schema.get("maxLength", len(text) + least))
    return (text + "x" * max(0, least - len(text)))[: max(most, 0)]


def text_of(pattern: str) -> str:
    """A text that a pattern finds, for patterns as vendors write them; where it is another, whatever comes near."""
    for number in _PHONE_NUMBERS:
        if _finds(pattern, number) and not _finds(pattern, SAMPLE_TEXT):
            return number
    flat = pattern
    while (opened := _GROUP.sub(r"\1", flat)) != flat:
        flat = opened
    text = "".join(_one(part[1]) * _times(part) for part in _PART.finditer(flat.partition("|")[0]))
    return text if _finds(pattern, text) else SAMPLE_TEXT


def _finds(pattern: str, text: str) -> bool:
    """Whether a pattern of JSON Schema finds a text; its engine is the one that requests are asked by."""
    try:
        return bool(jsonschema_rs.validator_for({"pattern": pattern}).is_valid(text))
    except (jsonschema_rs.ValidationError, ValueError):
        return False


def _times(part: re.Match[str]) -> int:
    if part[2]:
        return min(int(part[2]), MAX_REPEATS)
    return 0 if part[4] in {"*", "?"} else 1


def _one(part: str) -> str:
    """A character that a part of a pattern finds."""
    if part in _CLASSES:
        return _CLASSES[part]
    if part.startswith("[^"):
        return next((character for character in _CHARACTERS if _finds(f"^{part}$", character)), "a")
    if part.startswith("["):
        inner = part[1:-1]
        return _CLASSES.get(inner[:2]) or (inner[1] if inner.startswith("\\") else inner[0])
    return part[1] if part.startswith("\\") else part
