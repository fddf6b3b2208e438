"""How a character may be written in a body: as it is, escaped as in a form or in JSON, or one in the other."""

import re
from collections.abc import Iterable

# Bounded, so that a search takes linear time: more levels of escapes than anybody reads.
_PERCENT = "%(?:25){0,3}"
_BACKSLASHES = rf"(?:\\|{_PERCENT}5[Cc]){{1,4}}"
_ESCAPED_CHARACTER = re.compile(rf"(?:{_BACKSLASHES}u00|{_PERCENT})([0-9A-Fa-f]{{2}})")
BROKEN_ESCAPE_AT_END = r"(?:%(?:25)*(?:[0-9A-Fa-f]|5[Cc](?:u[0-9a-fA-F]{0,3})?)?|\\+(?:u[0-9a-fA-F]{0,3})?)\Z"


def has_escapes(text: str) -> bool:
    """Whether characters of a text may be escaped."""
    return "%" in text or "\\u" in text


def spelled(name: str) -> str:
    """A pattern of a text, each of its characters as it is or escaped."""
    return "".join(f"(?:{re.escape(character)}|{escapes_of(character)})" for character in name)


def escapes_of(characters: Iterable[str]) -> str:
    """A pattern of an escape of one of these characters."""
    numbers = [ord(character) for character in characters]
    short = "|".join(_digits(number, 2) for number in numbers if number < 256)
    long = "|".join(_digits(number, 4) for number in numbers)
    return rf"(?:{_PERCENT}(?:{short})|{_BACKSLASHES}u(?:{long}))" if short else rf"{_BACKSLASHES}u(?:{long})"


def read(text: str) -> str:
    """A text without escapes of ASCII characters."""
    return _ESCAPED_CHARACTER.sub(lambda escape: chr(int(escape[1], 16)), text)


def end_of(text: str, length: int) -> int:
    """Where in a text with escapes so many of its characters end."""
    at = 0
    for _ in range(length):
        escape = _ESCAPED_CHARACTER.match(text, at)
        at = escape.end() if escape else at + 1
    return at


def _digits(number: int, width: int) -> str:
    """A pattern of a number's hex digits, in upper or lower case."""
    text = f"{number:0{width}x}"
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in text)
