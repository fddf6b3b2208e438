"""Schemas that say of a value that it must be like themselves: that asks nothing, and evaluating it never ends."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from mockserver.spec.schema_cycles import SAME_VALUE, SAME_VALUE_LISTS

_COMPONENT = "#/components/schemas/"


class _Reference(NamedTuple):
    """A ``$ref`` of the same value to a component: the member ``key`` of ``holder``."""

    holder: Any
    key: Any
    to: str


def cut_cycles(components: dict[str, Any], done: set[str]) -> Iterator[str]:
    """Take out each reference by which a component leads back to itself, for the same value: what is beside it stays.

    Yields the names of such components. Those in ``done`` are known to lead nowhere; all others are added to it.
    """
    for start in components:
        path = [(start, _references(components, start))] if start not in done else []
        while path:
            name, references = path[-1]
            found = next(references, None)
            if found is None:
                path.pop()
                done.add(name)
            elif any(found.to == above for above, _ in path):
                del found.holder[found.key]["$ref"]
                yield found.to
            elif found.to not in done:
                path.append((found.to, _references(components, found.to)))


def _references(holder: Any, key: Any) -> Iterator[_Reference]:
    schema = holder[key]
    if not isinstance(schema, dict):
        return
    if "$ref" in schema:
        yield _Reference(holder, key, str(schema["$ref"]).removeprefix(_COMPONENT))
    for word in SAME_VALUE_LISTS:
        for number in range(len(schema.get(word, ()))):
            yield from _references(schema[word], number)
    for word in SAME_VALUE:
        if word in schema:
            yield from _references(schema, word)
    for name in schema.get("dependentSchemas", {}):
        yield from _references(schema["dependentSchemas"], name)
