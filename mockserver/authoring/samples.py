"""Values that fit a schema, for requests and answers that a document shows no example of."""

import re
from typing import Any

from mockserver.spec.pointer import MISSING, Pointer

SAMPLE_TEXT = "text"  # where nothing is known of a text
MAX_SAMPLE_DEPTH = 8  # schemas within schemas that are filled
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
_GROUP = re.compile(r"\((?:\?:)?([^()|]*)(?:\|[^()]*)?\)")


class Sampler:
    """Makes values that fit the schemas of a document."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._open: list[str] = []  # the references that are being followed: an optional member leads to none again

    def value(self, schema: Any, depth: int = 0) -> Any:
        """A value of a schema, from its own examples where it has any."""
        if not isinstance(schema, dict) or depth > MAX_SAMPLE_DEPTH:
            return SAMPLE_TEXT if schema is True else None
        shown = next(
            (s for s in (*_list(schema, "examples"), schema.get("example", MISSING)) if s is not MISSING), MISSING
        )
        for value in (shown, schema.get("const", MISSING), schema.get("default", MISSING), *_list(schema, "enum")):
            if value is not MISSING:
                return value
        if "$ref" in schema:
            self._open.append(str(schema["$ref"]))
            value = self.value(Pointer.parse(str(schema["$ref"])[1:]).get(self._document), depth + 1)
            self._open.pop()
            return value
        for word in ("oneOf", "anyOf"):
            if _list(schema, word):
                chosen = self.value(schema[word][0], depth + 1)
                rest = {key: value for key, value in schema.items() if key != word}
                return _joined(self._typed(rest, depth), chosen) if isinstance(chosen, dict) else chosen
        if _list(schema, "allOf"):
            rest = {key: value for key, value in schema.items() if key != "allOf"}
            value = self._typed(rest, depth) if rest.keys() & {"properties", "type"} else {}
            for part in schema["allOf"]:
                value = _joined(value, self.value(part, depth + 1))
            return value
        return self._typed(schema, depth)

    def _typed(self, schema: dict[str, Any], depth: int) -> Any:
        kind = schema.get("type", "object" if "properties" in schema else "items" if "items" in schema else "string")
        kind = next((k for k in kind if k != "null"), "null") if isinstance(kind, list) else kind
        if kind == "object":
            required = schema.get("required", ())
            return {
                name: self.value(member, depth + 1)
                for name, member in schema.get("properties", {}).items()
                if depth < MAX_SAMPLE_DEPTH and (name in required or not self._leads_back(member))
            }
        if kind in {"array", "items"}:
            return [self.value(schema.get("items", {}), depth + 1) for _ in range(max(1, schema.get("minItems", 1)))]
        if kind in {"integer", "number"}:
            return _number(schema)
        return {"boolean": True, "null": None}.get(kind, _text(schema))

    def _leads_back(self, schema: Any) -> bool:
        """Whether a schema, or that of its items, is one whose value is being made."""
        items = schema.get("items") if isinstance(schema, dict) else None
        return any(isinstance(one, dict) and one.get("$ref") in self._open for one in (schema, items))


def _list(schema: dict[str, Any], key: str) -> list[Any]:
    value = schema.get(key)
    return value if isinstance(value, list) else []


def _joined(one: Any, other: Any) -> Any:
    return {**one, **other} if isinstance(one, dict) and isinstance(other, dict) else other


def _number(schema: dict[str, Any]) -> Any:
    least = schema.get("minimum", schema.get("exclusiveMinimum", 1 if schema.get("maximum", 1) >= 1 else 0) + 0)
    return least + 1 if "exclusiveMinimum" in schema else least


def _text(schema: dict[str, Any]) -> str:
    pattern = schema.get("pattern")
    text = text_of(pattern) if isinstance(pattern, str) else FORMAT_TEXTS.get(str(schema.get("format")), SAMPLE_TEXT)
    least = int(schema.get("minLength", 0))
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
    try:
        return re.search(pattern, text) is not None
    except re.error:
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
        return next(character for character in "a0-" if not _finds(part[0] + part[2:], character))
    if part.startswith("["):
        inner = part[1:-1]
        return _CLASSES.get(inner[:2]) or (inner[1] if inner.startswith("\\") else inner[0])
    return part[1] if part.startswith("\\") else part
