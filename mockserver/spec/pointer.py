"""JSON Pointers (RFC 6901), parsed once."""

import re
from dataclasses import dataclass
from typing import Any, Final

from mockserver.spec.source import escape

_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()


@dataclass(frozen=True, slots=True)
class Pointer:
    """``/body/user_number`` as its tokens."""

    tokens: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "Pointer":
        return cls(tuple(t.replace("~1", "/").replace("~0", "~") for t in text.split("/")[1:]))

    def get(self, value: Any) -> Any:
        """What the pointer names in ``value``, or ``MISSING``."""
        for token in self.tokens:
            if type(value) is dict or isinstance(value, dict):  # the former is 0.05 us faster, and all there is
                value = value.get(token, MISSING)
            elif isinstance(value, list) and _INDEX.fullmatch(token) and int(token) < len(value):
                value = value[int(token)]
            else:
                return MISSING
        return value

    def covers(self, other: "Pointer") -> bool:
        """Whether ``other`` is this place or beneath it."""
        return other.tokens[: len(self.tokens)] == self.tokens

    def __str__(self) -> str:
        return "".join(f"/{escape(token)}" for token in self.tokens)


def join(*tokens: str | int) -> str:
    """The text of a pointer made of these tokens."""
    return "".join(f"/{escape(str(token))}" for token in tokens)
