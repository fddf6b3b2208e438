"""How large a JSON Schema is once its references are followed: who evaluates one cannot be stopped.

Only references into the schema itself are followed, by pointer or by anchor; all others are refused, and so is an
``$id`` below the root, which would give references another meaning. Plain data within it counts as schemas do: a
member's name does not say whether it is a keyword.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

from mockserver.spec.pointer import MISSING, Pointer

REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
DEFINITIONS = frozenset({"$defs", "definitions"})
ANCHORS = ("$anchor", "$dynamicAnchor")
UNEVALUATED = frozenset({"unevaluatedProperties", "unevaluatedItems"})
TIMES_UNEVALUATED = 4  # how often what is below these counts: jsonschema-rs goes through it again
REGEX_SIZE = 50  # sub-schemas that a pattern counts for, beside one for each character: it takes as long to compile


class SchemaSizeError(Exception):
    """The schema is too large, or its references cannot be followed; the text says why."""


def schema_size(schema: Any, most: int) -> int:
    """How many sub-schemas a schema has, those that references lead to counted each time. Raises SchemaSizeError."""
    if not isinstance(schema, Mapping):
        return 1
    references = _References(schema, most)
    sizes: dict[int, int] = {}  # by identity of what was counted
    open_: set[int] = set()
    waiting: list[Any] = [schema]
    while waiting:  # a chain of references may be longer than Python's stack
        node = waiting[-1]
        key = id(node)
        if key in sizes:
            waiting.pop()
            continue
        below = [*(_used(node) if node is schema else _below(node)), *references.of(node)]
        if key not in open_:
            open_.add(key)
            waiting += _not_counted(below, sizes, open_)
            continue
        waiting.pop()
        open_.discard(key)
        sizes[key] = _own_size(node) + _times(node) * sum(sizes[id(one)] for one in below)
        if sizes[key] > most:
            raise SchemaSizeError(f"the schema has more than {most} sub-schemas, with those that references lead to")
    return sizes[id(schema)]


def _not_counted(below: list[Any], sizes: Mapping[int, int], open_: set[int]) -> Iterator[Any]:
    for one in below:
        if id(one) in open_:
            raise SchemaSizeError("a reference of the schema leads in a circle")
        if id(one) not in sizes:
            yield one


def _own_size(node: Any) -> int:
    if not isinstance(node, Mapping):
        return 0
    names = node.get("patternProperties")
    patterns = [*(names if isinstance(names, Mapping) else ()), node.get("pattern")]
    return 1 + sum(_regex_size(pattern) for pattern in patterns if isinstance(pattern, str))


def _times(node: Any) -> int:
    """How often what is below one counts."""
    return TIMES_UNEVALUATED if isinstance(node, Mapping) and not UNEVALUATED.isdisjoint(node) else 1


def _regex_size(pattern: str) -> int:
    """jsonschema-rs rewrites the whole pattern for each escape of a class of characters in it."""
    return REGEX_SIZE + len(pattern) + pattern.count("\\") ** 2 // 4


def _used(root: Mapping[str, Any]) -> list[Any]:
    """What is right below the root; of its definitions only those count that references lead to."""
    return _below({name: value for name, value in root.items() if name not in DEFINITIONS})


def _below(node: Any) -> list[Any]:
    """The objects and lists right below one."""
    values = node.values() if isinstance(node, Mapping) else node
    return [value for value in values if isinstance(value, dict | list)]


class _References:
    """Where the references of a schema lead."""

    def __init__(self, schema: Mapping[str, Any], most: int) -> None:
        self._schema = schema
        self._ids = ("$id", "id") if "draft-04" in str(schema.get("$schema", "")) else ("$id",)
        base = next((schema[name] for name in self._ids if name in schema), "")
        self._base = urldefrag(base)[0] if isinstance(base, str) else ""
        self._anchors: dict[str, Any] = {}
        waiting: list[Any] = [schema]
        number = 0
        while waiting:
            node = waiting.pop()
            number += isinstance(node, Mapping)
            if number > most:
                raise SchemaSizeError(f"the schema has more than {most} sub-schemas")
            waiting += _below(node)
            if isinstance(node, Mapping):
                self._index(node)

    def _index(self, node: Mapping[str, Any]) -> None:
        if node is not self._schema and any(isinstance(node.get(name), str) for name in self._ids):
            raise SchemaSizeError("only the root of the schema may have an $id")
        for name in ANCHORS:
            if isinstance(node.get(name), str):
                self._anchors[node[name]] = node

    def of(self, node: Any) -> Iterator[Any]:
        """What the references of one object lead to, but for what is true or false."""
        for name in REFERENCES if isinstance(node, Mapping) else ():
            if isinstance(node.get(name), str):
                found = self._target(node[name])
                if isinstance(found, dict | list):
                    yield found

    def _target(self, reference: str) -> Any:
        try:
            address, fragment = urldefrag(urljoin(self._base, reference))
        except ValueError:
            address, fragment = "?", ""
        if address != self._base:
            raise SchemaSizeError(f"a reference leads out of the schema: {reference[:100]!r}")
        fragment = unquote(fragment)
        if fragment in self._anchors:
            return self._anchors[fragment]
        found = Pointer.parse(fragment).get(self._schema) if not fragment or fragment[0] == "/" else MISSING
        if found is MISSING:
            raise SchemaSizeError(f"a reference leads nowhere: {reference[:100]!r}")
        return found
