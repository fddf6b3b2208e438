"""What ``fill: {call: …}`` may name: pure functions of values in the request, and nothing else."""

import hashlib
import re
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

from mockserver.spec.segments import sms_segments

_OTHERS = re.compile(r"[^0-9]+")


def digits(value: Any) -> str:
    """The decimal digits of a phone number: ``"+1 (415) 555-0123"`` is ``"14155550123"``."""
    if not isinstance(value, str):
        value = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    bare: str = value.removeprefix("+")
    return bare if bare.isdigit() and bare.isascii() else _OTHERS.sub("", bare)


def integer(value: Any) -> int:
    """A phone number as an integer; 0 where it has no digit."""
    return int(digits(value)[:18] or "0")


def md5_sorted(first: Any, second: Any) -> str:
    """MD5 of two phone numbers joined by a colon, lower one first, so that both directions agree."""
    low, high = digits(first), digits(second)
    if (len(low), low) > (len(high), high):
        low, high = high, low
    return hashlib.md5(f"{low}:{high}".encode(), usedforsecurity=False).hexdigest()


def segments(value: Any) -> int:
    """The number of SMS segments of a text."""
    return sms_segments(str(value))


FUNCTIONS: MappingProxyType[str, Callable[..., Any]] = MappingProxyType(
    {"digits": digits, "integer": integer, "md5_sorted": md5_sorted, "sms_segments": segments}
)
