"""Values held against what a client sent, plain ones and those with an ``==`` of their own."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


class _Absent:
    """Equal to nothing that a test can expect."""

    def __repr__(self) -> str:
        return "absent"


ABSENT = _Absent()


class Own:
    """A value with an ``==`` of its own, shown as it was before it was compared: some then show what they met."""

    def __init__(self, value: Any) -> None:
        self.value = value
        self._text = repr(value)

    def __repr__(self) -> str:
        return self._text


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as expected; ``found`` is ABSENT where there is nothing."""

    pointer: str
    expected: Any
    found: Any


def kept(value: Any) -> Any:
    """A value to be compared here, plain parts included."""
    if isinstance(value, Mapping):
        return {str(name): kept(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [kept(item) for item in value]
    return value if is_plain(value) else Own(value)


def is_plain(value: Any) -> bool:
    """Whether a value is one that JSON has, and no object beside."""
    return value is None or type(value) in {bool, int, float, str}


def is_equal_to_itself_only(value: Any) -> bool:
    """Whether an expectation of it can never be met."""
    inherited: Any = object.__eq__
    return type(value).__eq__ is inherited


def compared(expected: Any, found: Any, at: str) -> Iterator[Difference]:
    """Named members must be equal, the rest is free; lists must be equal item by item."""
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        for name, value in expected.items():
            token = str(name).replace("~", "~0").replace("/", "~1")
            yield from compared(value, found.get(name, ABSENT), f"{at}/{token}")
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for index, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from compared(one, other, f"{at}/{index}")
    elif found is ABSENT or not _equal(expected, found):
        yield Difference(at, expected, found)


def _equal(expected: Any, found: Any) -> bool:
    if isinstance(expected, Own):
        return bool(expected.value == found)
    return isinstance(expected, bool) is isinstance(found, bool) and bool(expected == found)
