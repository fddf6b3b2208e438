"""Which members of a request's values its schemas name, allow and forbid."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mockserver.spec.pointer import Pointer, join

MAX_MEMBERS_LOOKED_AT = 200  # of a value, those of its members included; the rest counts as named
SchemaPart = tuple[Any, bool]  # a schema, and whether every valid value must fit it


@dataclass(frozen=True, slots=True)
class Stranger:
    """A member that no schema names; ``forbidden`` where no valid value has it, ``known`` are the names there are."""

    forbidden: bool
    known: tuple[str, ...]


def strangers(document: Mapping[str, Any], schema: Any, value: Any, at: str) -> dict[str, Stranger]:
    """By pointer, the members of a value that its schema does not name.

    A schema that allows others in so many words (``additionalProperties: true``, or a schema for them), or that names
    none at all, has no strangers. ``document`` is where its ``$ref`` lead.
    """
    return dict(_strangers(document, [(schema, True)], value, at, iter(range(MAX_MEMBERS_LOOKED_AT))))


def _strangers(
    document: Mapping[str, Any], parts: Iterable[SchemaPart], value: Any, at: str, looks: Iterator[int]
) -> Iterator[tuple[str, Stranger]]:
    """``looks`` ends when enough members were looked at."""
    if not isinstance(value, Mapping | list):
        return
    ways = list(unfolded(document, parts))
    if isinstance(value, Mapping):
        known = tuple(dict.fromkeys(name for schema, _ in ways for name in named_members(schema)))
        for name, item, _ in zip(value, value.values(), looks, strict=False):
            named = [(named_members(schema)[name], sure) for schema, sure in ways if name in named_members(schema)]
            forbidden = any(sure and _forbids(schema, name) for schema, sure in ways)
            if forbidden or (known and not named and not any(allows_others(schema) for schema, _ in ways)):
                yield at + join(name), Stranger(forbidden, known)
            else:
                yield from _strangers(document, named, item, at + join(name), looks)
    else:
        for index, (item, _) in enumerate(zip(value, looks, strict=False)):
            items = [(item_schema(schema, index), sure) for schema, sure in ways]
            yield from _strangers(document, items, item, at + join(index), looks)


def unfolded(document: Mapping[str, Any], parts: Iterable[SchemaPart]) -> Iterator[tuple[dict[str, Any], bool]]:
    """The schemas that the same value must fit, or may have to fit."""
    waiting, seen = list(parts), set()
    while waiting:
        schema, sure = waiting.pop()
        if not isinstance(schema, dict) or id(schema) in seen:
            continue
        seen.add(id(schema))
        yield schema, sure
        if isinstance(schema.get("$ref"), str):
            waiting.append((Pointer.parse(schema["$ref"].removeprefix("#")).get(document), sure))
        waiting += [(part, sure) for part in schema.get("allOf", ())]
        alternatives = [*schema.get("anyOf", ()), *schema.get("oneOf", ()), schema.get("then"), schema.get("else")]
        waiting += [(part, False) for part in (*alternatives, *schema.get("dependentSchemas", {}).values())]


def named_members(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schemas of the members that a schema names."""
    properties: Mapping[str, Any] = schema.get("properties", {})
    return properties


def _forbids(schema: Mapping[str, Any], name: str) -> bool:
    if name in named_members(schema):
        return named_members(schema)[name] is False
    return schema.get("additionalProperties") is False and "patternProperties" not in schema


def allows_others(schema: Mapping[str, Any]) -> bool:
    """Whether a schema says that there may be members which it does not name."""
    words = ("additionalProperties", "unevaluatedProperties")
    return "patternProperties" in schema or any(schema.get(word, False) is not False for word in words)


def item_schema(schema: Mapping[str, Any], index: int) -> Any:
    """The schema of a list's item; None where there is none."""
    first = schema.get("prefixItems", ())
    return first[index] if index < len(first) else schema.get("items")
