"""Whether a request is the one that was meant: it fits when the list of differences is empty."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mockserver.spec.model import Validator
from mockserver.spec.pointer import MISSING, Pointer, join

PARTS = ("path", "query", "headers", "body")
SEEN = ("path", "path_params", "query", "headers", "body")  # as a request is seen; what is cheap to see first
_SEEN_AS = {"path": "path_params", "header": "headers"}  # what pointers call otherwise

Test = Callable[[Any], bool]


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
    ``tests``: the same by part that is seen, without a word on what differs.
    """

    where: Mapping[str, Any] = field(default_factory=dict)
    when: tuple[tuple[Pointer, Validator | None, Any], ...] = ()
    tests: Mapping[str, tuple[Test, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        tests: dict[str, tuple[Test, ...]] = dict.fromkeys(SEEN, ())
        for part, expected in self.where.items():
            seen, wanted = _as_seen(part, expected)
            tests[seen] += (_equality(wanted),)
        for pointer, validator, _ in self.when:
            root, below = pointer.tokens[0], Pointer(pointer.tokens[1:])
            tests[_SEEN_AS.get(root, root)] += (_validity(below, validator),)
        object.__setattr__(self, "tests", {part: those for part, those in tests.items() if those})

    def __bool__(self) -> bool:
        return bool(self.where or self.when)


def differences(pattern: Pattern, seen: Mapping[str, Any]) -> list[Difference]:
    """Where a request is not the pattern's. ``seen`` is ``{path, path_params, query, headers, body}``, or its parts."""
    found: list[Difference] = []
    for part, expected in pattern.where.items():
        name, wanted = _as_seen(part, expected)
        found += _compared(wanted, seen.get(name, MISSING), join(part))
    if not pattern.when:
        return found
    view = {**seen, "header": seen.get("headers", MISSING), "path": seen.get("path_params", MISSING)}
    for pointer, validator, schema in pattern.when:
        value = pointer.get(view)
        if not _is_valid(value, validator):
            found.append(Difference(str(pointer), {"schema": schema}, value))
    return found


def _as_seen(part: str, expected: Any) -> tuple[str, Any]:
    """Which part of what is seen an expectation is about, header names in lower case as they are there."""
    if part == "headers":
        return part, {name.lower(): value for name, value in expected.items()}
    return "path_params" if part == "path" and not isinstance(expected, str) else part, expected


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


def _equality(expected: Any) -> Test:
    """Whether ``_compared`` would find nothing, prepared once: it is asked of a hundred thousand calls."""
    if not isinstance(expected, Mapping):
        return lambda found: next(_compared(expected, found, ""), None) is None
    texts = [(name, value) for name, value in expected.items() if isinstance(value, str)]
    others = [(name, _equality(value)) for name, value in expected.items() if not isinstance(value, str)]

    def test(found: Any) -> bool:
        if not isinstance(found, dict):
            return False
        for name, text in texts:
            if found.get(name) != text:
                return False
        for name, agrees in others:  # noqa: SIM110 -- a generator would take twice the time
            if not agrees(found.get(name, MISSING)):
                return False
        return True

    return test


def _validity(below: Pointer, validator: Validator | None) -> Test:
    if len(below.tokens) != 1:
        return lambda found: _is_valid(below.get(found), validator)
    (name,) = below.tokens

    def test(found: Any) -> bool:
        value = found.get(name, MISSING) if isinstance(found, dict) else below.get(found)
        return _is_valid(value, validator)

    return test


def _is_valid(value: Any, validator: Validator | None) -> bool:
    return value is MISSING if validator is None else value is not MISSING and validator.is_valid(value)
