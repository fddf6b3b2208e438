"""Values held against expected ones: named members must be equal, the rest is free."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from mockserver.spec.pointer import MISSING, join

Test = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as expected. ``found`` is MISSING where there is nothing."""

    pointer: str
    expected: Any
    found: Any


@dataclass(frozen=True, slots=True)
class Readings:
    """A value that can be read in several ways, each of which may be the expected one. Messages show the first."""

    values: tuple[str, ...]


class OwnEquality:
    """An expected value that decides by its own ``==``; its text is taken at once, since some change by comparing."""

    def __init__(self, value: Any, text: str | None = None) -> None:
        self.value = value
        self._text = repr(value) if text is None else text

    def __repr__(self) -> str:
        return self._text


def differences(expected: Any, found: Any, at: str) -> Iterator[Difference]:
    """Where a value is not the expected one. ``at`` is the pointer of both.

    Of a mapping the named members are compared, of a list of the same length each item, all else as a whole.
    """
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        for name, value in expected.items():
            yield from differences(value, found.get(name, MISSING), at + join(name))
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for index, (value, item) in enumerate(zip(expected, found, strict=True)):
            yield from differences(value, item, at + join(index))
    elif not is_equal(expected, found):
        yield Difference(at, expected, as_shown(found))


def is_equal(expected: Any, found: Any) -> bool:
    """Whether a value as a whole is the expected one. ``1`` and ``true`` are two values; nothing equals MISSING."""
    if found is MISSING:
        return False
    if isinstance(found, Readings):
        return any(is_equal(expected, value) for value in found.values)
    if isinstance(expected, OwnEquality):
        return bool(expected.value == as_shown(found))
    return isinstance(expected, bool) is isinstance(found, bool) and bool(expected == found)


def equality(expected: Any) -> Test:
    """A test that passes where there are no ``differences``. It is prepared once and asked of many calls."""
    if isinstance(expected, list):
        return lambda found: next(differences(expected, found, ""), None) is None
    if isinstance(expected, str):
        return lambda found: found == expected or (type(found) is Readings and expected in found.values)
    if not isinstance(expected, Mapping):
        return partial(is_equal, expected)
    texts = [(name, value) for name, value in expected.items() if isinstance(value, str)]
    others = [(name, equality(value)) for name, value in expected.items() if not isinstance(value, str)]

    def test(found: Any) -> bool:
        if not isinstance(found, dict):
            return False
        for name, text in texts:
            value = found.get(name)
            if value != text and (type(value) is not Readings or text not in value.values):
                return False
        for name, agrees in others:  # noqa: SIM110 -- a generator would take twice the time
            if not agrees(found.get(name, MISSING)):
                return False
        return True

    return test


def as_shown(value: Any) -> Any:
    """A value, or the members of a mapping, with the first reading in place of several."""
    if isinstance(value, Readings):
        return value.values[0]
    if isinstance(value, dict) and any(isinstance(item, Readings) for item in value.values()):
        return {name: as_shown(item) for name, item in value.items()}
    return value


def masked(value: Any, mask: Callable[[str], str]) -> Any:
    """An expected value as it may be shown: each text in it, and what an object of its own says of itself, masked."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, OwnEquality):
        return OwnEquality(value.value, mask(repr(value)))
    if isinstance(value, Mapping):
        return {mask(name): masked(item, mask) for name, item in value.items()}
    return [masked(item, mask) for item in value] if isinstance(value, list) else value
