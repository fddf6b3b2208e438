"""Whether a request is the one that was meant: it fits when the list of differences is empty."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mockserver.spec.contract import Validator
from mockserver.spec.pointer import MISSING, Pointer, join

PARTS = ("path", "query", "headers", "body")


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as expected. ``found`` is MISSING where there is nothing."""

    pointer: str
    expected: Any
    found: Any


@dataclass(frozen=True, slots=True)
class Pattern:
    """``where``: plain data for path, query, headers, body, of which named members must be equal.

    ``when``: pointers with the schema each value must fit (None: must be absent) and the schema as written.
    """

    where: Mapping[str, Any] = field(default_factory=dict)
    when: tuple[tuple[Pointer, Validator | None, Any], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.where or self.when)


def differences(pattern: Pattern, seen: Mapping[str, Any]) -> list[Difference]:
    """Where a request is not the pattern's. ``seen`` is ``{path, path_params, query, headers, body}``."""
    found: list[Difference] = []
    for part, expected in pattern.where.items():
        if part == "path":
            actual = seen["path"] if isinstance(expected, str) else seen["path_params"]
        else:
            actual = seen.get(part, MISSING)
        wanted = {n.lower(): v for n, v in expected.items()} if part == "headers" else expected
        found += _compared(wanted, actual, join(part))
    for pointer, validator, schema in pattern.when:
        value = pointer.get({**seen, "header": seen["headers"], "path": seen["path_params"]})
        fits = value is MISSING if validator is None else value is not MISSING and validator.is_valid(value)
        if not fits:
            found.append(Difference(str(pointer), {"schema": schema}, value))
    return found


def _compared(expected: Any, found: Any, at: str) -> Iterator[Difference]:
    """Named members must be equal, the rest is free; lists and plain values must be equal as a whole."""
    if isinstance(expected, Mapping):
        if not isinstance(found, Mapping):
            yield Difference(at, expected, found)
            return
        for name, value in expected.items():
            yield from _compared(value, found.get(name, MISSING), at + join(name))
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for index, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from _compared(one, other, at + join(index))
    elif isinstance(expected, bool) is not isinstance(found, bool) or expected != found:
        yield Difference(at, expected, found)
