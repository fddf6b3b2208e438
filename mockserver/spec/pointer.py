"""JSON Pointers (RFC 6901), parsed once."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")


def escape(token: str) -> str:
    """One reference token as a JSON Pointer spells it (RFC 6901)."""
    return token.replace("~", "~0").replace("/", "~1")


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()


@dataclass(frozen=True, slots=True)
class Pointer:
    """The tokens of a pointer such as ``/body/user_number``.

    ``get(value)`` returns what the pointer names in a value, or ``MISSING``.
    """

    tokens: tuple[str, ...]
    get: Callable[[Any], Any] = field(init=False, repr=False, compare=False)

    def __getattr__(self, name: str) -> Any:
        """Make ``get`` when it is first asked for: of most pointers of a contract only the tokens are read."""
        if name != "get":
            raise AttributeError(name)
        object.__setattr__(self, "get", _getter(self.tokens))
        return self.get

    @classmethod
    def parse(cls, text: str) -> "Pointer":
        tokens = text.split("/")[1:]
        return cls(tuple(t.replace("~1", "/").replace("~0", "~") for t in tokens) if "~" in text else tuple(tokens))

    def covers(self, other: "Pointer") -> bool:
        """Whether ``other`` is this place or below it."""
        return other.tokens[: len(self.tokens)] == self.tokens

    def overlaps(self, other: "Pointer") -> bool:
        """Whether one of the two is the other, or below it."""
        return self.covers(other) or other.covers(self)

    def __str__(self) -> str:
        return "".join(f"/{escape(token)}" for token in self.tokens)


def _may_be_an_index(token: str) -> bool:
    return token[:1].isdecimal()


def _getter(tokens: tuple[str, ...]) -> Callable[[Any], Any]:
    """A function that follows these tokens.

    Most pointers name a member of a part of a request, or of a record: these two take a third of the general
    function's time, deeper ones half of it. One that may name an item of a list would fail there first.
    """
    if len(tokens) < 2 or any(map(_may_be_an_index, tokens)):
        return partial(_follow, tokens)
    first, second, name, rest = tokens[0], tokens[1], tokens[-1], tokens[2:-1]

    def of_part(value: Any) -> Any:
        try:
            return value[first].get(name, MISSING)
        except (KeyError, TypeError, AttributeError):
            return _follow(tokens, value)

    def of_record(value: Any) -> Any:
        try:
            return value[first][second].get(name, MISSING)
        except (KeyError, TypeError, AttributeError):
            return _follow(tokens, value)

    def of_inner(value: Any) -> Any:
        try:
            holder = value[first][second]
            for token in rest:
                holder = holder[token]
            return holder.get(name, MISSING)
        except (KeyError, TypeError, AttributeError):
            return _follow(tokens, value)

    return (of_part, of_record)[len(tokens) - 2] if len(tokens) <= 3 else of_inner


def _follow(tokens: tuple[str, ...], value: Any) -> Any:
    for token in tokens:
        if isinstance(value, dict):
            value = value.get(token, MISSING)
        elif isinstance(value, list) and _INDEX.fullmatch(token) and int(token) < len(value):
            value = value[int(token)]
        else:
            return MISSING
    return value


def is_pointer(value: Any) -> bool:
    """Whether a value is the text of a pointer to a part of something."""
    return isinstance(value, str) and value.startswith("/")


def join(*tokens: str | int) -> str:
    """The text of the pointer with these tokens."""
    return "".join(f"/{escape(str(token))}" for token in tokens)
