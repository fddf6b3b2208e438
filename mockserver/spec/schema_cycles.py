"""Schemas that lead back to themselves for the same value: what they ask never ends, so that they ask nothing."""

from collections.abc import Iterator, Mapping
from typing import Any

from mockserver.spec.pointer import Pointer

SAME_VALUE_LISTS = ("allOf", "anyOf", "oneOf")
SAME_VALUE = ("not", "if", "then", "else")
_SchemaStep = tuple[dict[str, Any], str, dict[str, Any]]  # a schema, the word in it, the schema that this leads to


class SchemaCycles:
    """The cycles among a document's schemas; a cycle that goes into a member or an item is an allowed recursion."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._done: dict[int, Any] = {}  # by identity, schemas that were followed to their end

    def at(self, schema: dict[str, Any]) -> tuple[dict[str, Any], str] | None:
        """A schema and the word in it by which a cycle closes, where this schema leads to one; told once."""
        path: list[tuple[_SchemaStep | None, Iterator[_SchemaStep]]] = [(None, self._steps(schema))]
        open_ids = {id(schema): 0}
        while path:
            step = next(path[-1][1], None)
            if step is None:
                last, _ = path.pop()
                done = schema if last is None else last[2]
                self._done[id(done)] = done
                open_ids.pop(id(done))
                continue
            target = step[2]
            if id(target) in open_ids:
                cycle = [made for made, _ in path[open_ids[id(target)] + 1 :] if made is not None] + [step]
                if any(word != "$ref" for _, word, _ in cycle):  # that of $ref alone is told where it is followed
                    self._done |= {id(holder): holder for holder, _, _ in cycle}
                    return step[0], step[1]
            elif id(target) not in self._done:
                open_ids[id(target)] = len(path)
                path.append((step, self._steps(target)))
        return None

    def _steps(self, schema: dict[str, Any]) -> Iterator[_SchemaStep]:
        if id(schema) in self._done:
            return
        ref = schema.get("$ref")
        found: list[tuple[str, Any]] = []
        if isinstance(ref, str) and ref.startswith("#/"):
            found.append(("$ref", Pointer.parse(ref[1:]).get(self._document)))
        for word in SAME_VALUE_LISTS:
            listed = schema.get(word)
            found += [(word, one) for one in listed] if isinstance(listed, list) else []
        found += [(word, schema[word]) for word in SAME_VALUE if word in schema]
        for word, target in found:
            if isinstance(target, dict):
                yield schema, word, target
