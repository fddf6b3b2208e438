"""Rules and conditions that no request can meet, though all their words are known."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from mockserver.spec.check import bound_records, place_in_account
from mockserver.spec.members import unfolded
from mockserver.spec.model import Contract, OperationSpec
from mockserver.spec.near_keys import SCHEMA_KEYWORDS
from mockserver.spec.places import RequestPlaces
from mockserver.spec.pointer import Pointer
from mockserver.spec.reader import Reader

Mistake = tuple[Any, str, str]  # the container, the key in it, what is wrong there
_LOW_AND_HIGH = (
    *(("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems")),
    ("minProperties", "maxProperties"),
)
_PLAIN_PATTERN = re.compile(r"\^([^\\.\[\]{}()*+?|^$]*)\$")
_OF_ACCOUNT = ("account", "owned")


class RuleProbe:
    """What is wrong with rules and conditions of one operation, in all its spellings."""

    def __init__(self, reader: Reader, contract: Contract, operation: OperationSpec, places: RequestPlaces) -> None:
        self._reader = reader
        self._contract = contract
        self._places = places
        self._dispatches = operation.dispatch is not None
        self._bound = bound_records(contract, operation)

    def rule(self, node: Mapping[str, Any]) -> Iterator[Mistake]:
        """What is wrong with a rule; its ``when`` is looked at as any other."""
        kinds = node.get("problem", ())
        named = {kinds} if isinstance(kinds, str) else set(kinds)
        at = Pointer.parse(node["at"]) if "at" in node else None
        if at is not None and at.tokens[0] == "body" and len(at.tokens) > 1:
            if self._places.has_body and self._places.schemas(at) is None:
                yield node, "at", nowhere(self._places, at)
                return
            if named == {"missing"} and self._is_never_missing(at):
                yield node, "at", f"{at} is never missing: no schema requires it, so the rule never decides"
        if named <= {"invalid", "missing"} and "reason" in node:
            yield from self._reason(node, at)

    def _is_never_missing(self, at: Pointer) -> bool:
        holders = self._places.schemas(Pointer(at.tokens[:-1]))
        if not holders:
            return False
        parts = [part for part, _ in unfolded(self._reader.document, [(schema, True) for schema in holders])]
        if any(at.tokens[-1] in part.get("required", ()) or "dependentRequired" in part for part in parts):
            return False
        return "required" not in (self._places.keywords(at) or ())

    def _reason(self, node: Mapping[str, Any], at: Pointer | None) -> Iterator[Mistake]:
        reason = node["reason"]
        if reason not in SCHEMA_KEYWORDS - {"required"} or (self._dispatches and reason == "enum"):
            return
        keywords = self._places.keywords(at) if at is not None else self._places.all_keywords
        if keywords is not None and reason not in keywords:
            where = f"{at} or below it" if at is not None else "the request"
            yield node, "reason", f"nothing is invalid for its {reason!r} here: no schema of {where} has that keyword"

    def condition(
        self, when: Mapping[str, Any], at_text: str, *, on_problem: bool, before: Iterable[Mapping[str, Any]] = ()
    ) -> Iterator[Mistake]:
        """What is wrong with one condition of a ``when``; ``before`` are the rules that are asked before its own."""
        at, condition = Pointer.parse(at_text), when[at_text]
        schemas = self._places.schemas(at)
        if schemas is None:
            yield when, at_text, nowhere(self._places, at)
            return
        if not isinstance(condition, dict):
            if condition is False and _is_settled(before, at, "missing") and self._is_always_there(at):
                yield when, at_text, f"the condition can never hold: without {at} a rule before it refuses the request"
            return
        unknown = [word for word in condition if word not in SCHEMA_KEYWORDS and not word.startswith("x-")]
        for word in unknown:
            if not get_close_matches(word, SCHEMA_KEYWORDS, n=1, cutoff=0.8):  # else it is told with the right word
                yield condition, word, f"{word!r} is no keyword of JSON Schema: it asks nothing"
        told = _contradiction(condition)
        if told is None and not on_problem:
            told = self._misfit(at, schemas, condition)
            if told is None and _is_settled(before, at, "invalid"):
                told = self._refused(at, schemas, condition)
        if told is not None and not unknown:
            yield when, at_text, f"the condition can never hold: {told}"

    def _misfit(self, at: Pointer, schemas: list[Any], condition: Mapping[str, Any]) -> str | None:
        """Why no value at a place can be as a condition asks."""
        asked = _kinds_asked(condition)
        known = self._account_kinds(at) if at.tokens[0] in _OF_ACCOUNT else self._places.kinds(at)
        if asked and known and not asked & known:
            return f"{at} is {_listed(known)}, not {_listed(asked)}"
        values = _values_asked(condition)
        allowed = [_values_asked(part) for part in self._flat(schemas)] if values and schemas else []
        if allowed and all(allowed) and not any(_is_in(value, some) for some in allowed for value in values):
            every = ", ".join(map(str, dict.fromkeys(str(value) for some in allowed for value in some)))
            return f"the values of {at} are: {every}"
        return None

    def _refused(self, at: Pointer, schemas: list[Any], condition: Mapping[str, Any]) -> str | None:
        """Why a value that is as a condition asks does not fit any schema of its place."""
        if at.tokens[0] in _OF_ACCOUNT or not schemas:
            return None
        values = _values_asked(condition) or _only_text(condition)
        validators = [self._reader.schema(self._reader.document, schema) for schema in schemas]
        if values and not any(v is None or v.is_valid(value) for v in validators for value in values):
            shown = ", ".join(json.dumps(value, ensure_ascii=False) for value in values)
            return f"the schema of {at} refuses {shown}, and so does a rule before it"
        lengths = [_contradiction(self._sure(schema) | _bounds(condition)) for schema in schemas]
        return f"by the schema of {at} {lengths[0]}" if all(lengths) else None

    def _sure(self, schema: Any) -> dict[str, Any]:
        """The bounds that every value that fits a schema keeps."""
        parts = unfolded(self._reader.document, [(schema, True)])
        return {key: value for part, sure in parts if sure for key, value in _bounds(part).items()}

    def _is_always_there(self, at: Pointer) -> bool:
        """Whether no valid request lacks a value at a place."""
        root, *below = at.tokens
        if root == "body" and not below:
            return all(o.body is not None and o.body.required for o in self._places.operations)
        if root in ("path", "query", "header"):
            required = [{(p.where, p.name) for p in o.parameters if p.required} for o in self._places.operations]
            return len(below) == 1 and all((root, below[0]) in names for names in required)
        above = Pointer(at.tokens[:-1])
        holders = self._places.schemas(above) if root == "body" else None
        return (
            bool(holders) and self._is_always_there(above) and all(self._requires(h, below[-1]) for h in holders or ())
        )

    def _requires(self, schema: Any, name: str) -> bool:
        parts = unfolded(self._reader.document, [(schema, True)])
        return any(sure and name in part.get("required", ()) for part, sure in parts)

    def _flat(self, schemas: list[Any]) -> Iterator[dict[str, Any]]:
        """For each schema the keywords of what it refers to, as one mapping."""
        for schema in schemas:
            whole: dict[str, Any] = {}
            for part, _ in unfolded(self._reader.document, [(schema, True)]):
                whole |= {key: part[key] for key in ("const", "enum") if key in part}
            yield whole

    def _account_kinds(self, at: Pointer) -> set[str] | None:
        """The types that a value of the account can have; None where that is not known."""
        if len(at.tokens) < 2 or (at.tokens[0] == "owned" and at.tokens[1] not in self._bound):
            return None
        tokens = place_in_account(at, self._bound)
        found: set[str] = set()
        for value in _members(self._contract.account, tokens):
            kind = _kind_made(value)
            if kind is None:
                return None
            found |= {kind, "number"} if kind == "integer" else {kind}
        return found or None


def nowhere(places: RequestPlaces, at: Pointer) -> str:
    """That no request has a value at a place, with the nearest place that one can have."""
    names = places.names(Pointer(at.tokens[:-1]))
    near = get_close_matches(at.tokens[-1], names, n=1)
    told = f"; did you mean {Pointer((*at.tokens[:-1], near[0]))}?" if near else ""
    known = f"; there are: {', '.join(names)}" if names and not near else ""
    return f"no request has {at}: no schema of the operation names it{told}{known}"


def _is_settled(before: Iterable[Mapping[str, Any]], at: Pointer, kind: str) -> bool:
    """Whether one of these rules answers every problem of a kind at a place."""
    for rule in before:
        kinds = rule.get("problem", ())
        named = {kinds} if isinstance(kinds, str) else set(kinds)
        is_about = "at" not in rule or Pointer.parse(rule["at"]).covers(at)
        if named & {"any", kind} and is_about and "when" not in rule and "reason" not in rule:
            return True
    return False


def _only_text(condition: Mapping[str, Any]) -> list[str]:
    """The one text that a pattern of nothing but plain letters matches."""
    pattern = condition.get("pattern")
    found = _PLAIN_PATTERN.fullmatch(pattern) if isinstance(pattern, str) else None
    return [found[1]] if found else []


def _bounds(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {word: schema[word] for pair in _LOW_AND_HIGH for word in pair if word in schema}


def _contradiction(condition: Mapping[str, Any]) -> str | None:
    for low, high in _LOW_AND_HIGH:
        least, most = condition.get(low), condition.get(high)
        if isinstance(least, int | float) and isinstance(most, int | float) and least > most:
            return f"{low} is greater than {high}"
    return None


def _values_asked(schema: Mapping[str, Any]) -> list[Any]:
    if "const" in schema:
        return [schema["const"]]
    enum = schema.get("enum", [])
    return enum if isinstance(enum, list) else []


def _kinds_asked(schema: Mapping[str, Any]) -> set[str]:
    values = _values_asked(schema)
    if values:
        return {_kind(value) for value in values}
    written = schema.get("type", ())
    kinds = {written} if isinstance(written, str) else set(written)
    return kinds | ({"integer"} if "number" in kinds else set())


def _kind(value: Any) -> str:
    """The type of a value in the words of JSON Schema."""
    if value is None:
        return "null"
    if isinstance(value, float) and value.is_integer():
        return "integer"
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return kinds[type(value)]


def _kind_made(template: Any) -> str | None:
    """The type of what an account's template makes; None where it can have any."""
    if template is None or (isinstance(template, dict) and "copy" in template):
        return None
    if isinstance(template, dict) and isinstance(template.get("new"), str):
        is_integer = template["new"] == "integer" or template.get("form") == "integer"
        return "integer" if is_integer else "string"
    return _kind(template)


def _members(template: Any, tokens: tuple[str, ...]) -> Iterator[Any]:
    """What a template has at a place, in any record of a list."""
    if not tokens:
        yield template
    elif isinstance(template, list):
        for item in template:
            yield from _members(item, tokens[1:] if tokens[0].isdecimal() else tokens)
    elif isinstance(template, Mapping) and tokens[0] in template:
        yield from _members(template[tokens[0]], tokens[1:])


def _is_in(value: Any, values: Iterable[Any]) -> bool:
    return any(type(value) is type(one) and value == one for one in values)


def _listed(kinds: set[str]) -> str:
    return " or ".join(sorted(kinds))
