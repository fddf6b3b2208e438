"""The functions that ``{call: …}`` can name. All are pure functions of the values they are given."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

_GSM7_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
) - {"\x1b"}
_GSM7_EXTENSION = frozenset("\f^{}\\[~]|€")
_GSM7 = _GSM7_BASIC | _GSM7_EXTENSION


def sms_segments(text: str) -> int:
    """The number of SMS segments of a text (3GPP TS 23.038 and 23.040); an empty text has one.

    One segment holds 160 septets of GSM-7 or 70 UTF-16 code units. Each segment of a longer text holds 153 or 67.
    An escaped character or a surrogate pair is never split.
    """
    if _GSM7.issuperset(text):
        if len(text) <= 160 and _GSM7_EXTENSION.isdisjoint(text):
            return 1
        return _count([2 if character in _GSM7_EXTENSION else 1 for character in text], 160, 153)
    return _count([2 if character > "\uffff" else 1 for character in text], 70, 67)


def encoding_of(text: str) -> str:
    """The alphabet that a text is sent in: ``GSM-7`` where that has all its characters, else ``UCS-2``."""
    return "GSM-7" if _GSM7.issuperset(text) else "UCS-2"


def _count(widths: list[int], single: int, part: int) -> int:
    if sum(widths) <= single:
        return 1
    segments, room = 1, part
    for width in widths:
        if width > room:
            segments, room = segments + 1, part
        room -= width
    return segments


_NOT_DIGITS = re.compile(r"[^0-9]+")
MAX_DIGITS = 15  # of a phone number (E.164)
_PHONE = re.compile(r"(?:[a-z]+:)?[-+0-9 ().,/*#\u00a0\u2010-\u2015]*")  # how people write a phone number


def digits(value: Any) -> str:
    """The decimal digits of a phone number: ``"+1 (415) 555-0123"`` is ``"14155550123"``."""
    if not isinstance(value, str):
        value = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    bare: str = value.removeprefix("+")
    return bare if bare.isdigit() and bare.isascii() else _NOT_DIGITS.sub("", bare)


def phone_digits(value: Any) -> str:
    """The digits of what is written as a phone number; "" for another text, whatever digits are in it."""
    bare = value.removeprefix("+") if isinstance(value, str) else ""
    if bare.isdigit() and bare.isascii():
        return bare
    return digits(value) if not isinstance(value, str) or _PHONE.fullmatch(value.strip()) else ""


def integer(value: Any) -> int:
    """A phone number as an integer of at most 18 digits; 0 if it has none."""
    return int(digits(value)[:18] or "0")


def md5_sorted(first: Any, second: Any) -> str:
    """The MD5 of two phone numbers joined by a colon. The lower comes first, so that both directions give the same."""
    low, high = digits(first), digits(second)
    if len(low) > len(high) or (len(low) == len(high) and low > high):
        low, high = high, low
    return hashlib.md5(f"{low}:{high}".encode(), usedforsecurity=False).hexdigest()


def segments(value: Any) -> int:
    """The number of SMS segments of a text."""
    return sms_segments(str(value))


def md5_joined(*values: Any) -> str:
    """The MD5 of values joined as text, in hex."""
    return hashlib.md5("".join(map(as_text, values)).encode(), usedforsecurity=False).hexdigest()


def hmac_sha1(key: Any, *values: Any) -> str:
    """The HMAC with SHA-1, by the key that comes first, of values joined as text, in hex."""
    return hmac.new(as_text(key).encode(), "".join(map(as_text, values)).encode(), hashlib.sha1).hexdigest()


def hmac_sha256(key: Any, *values: Any) -> str:
    """The HMAC with SHA-256, by the key that comes first, of values joined as text, in hex."""
    return hmac.new(as_text(key).encode(), "".join(map(as_text, values)).encode(), hashlib.sha256).hexdigest()


def sorted_members(members: Any, before: Any = "", between: Any = "") -> str:
    """The members of a mapping, sorted by name, as text: of each ``before``, name, ``between`` and value."""
    pairs = sorted(members.items()) if isinstance(members, dict) else []
    texts = ((name, "" if value is None else as_text(value)) for name, value in pairs)
    return "".join(f"{before}{name}{between}{text}" for name, text in texts)


def base64_text(text: Any) -> str:
    """A text in base64."""
    return base64.b64encode(as_text(text).encode()).decode("ascii")


def first(*values: Any) -> Any:
    """The first value that is not null; null where all are."""
    return next((value for value in values if value is not None), None)


def upper(text: Any) -> str:
    """A text in upper case."""
    return as_text(text).upper()


def dotted(pointer: Any) -> str:
    """The place of a problem as a path below its part: ``/body/messages/0/to`` is ``messages[0].to``."""
    path = ""
    for token in as_text(pointer).split("/")[2:]:
        name = token.replace("~1", "/").replace("~0", "~")
        path += f"[{name}]" if name.isdigit() and path else f".{name}" if path else name
    return path


def below(pointer: Any) -> str:
    """The place of a problem as a pointer below its part: ``/body/messages/0/to`` is ``/messages/0/to``."""
    return "".join(f"/{token}" for token in as_text(pointer).split("/")[2:])


def as_text(value: Any) -> str:
    """A value as text; what is neither text nor a number, as JSON has it."""
    if isinstance(value, bool | dict | list) or value is None:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return str(value)


FUNCTIONS: MappingProxyType[str, Callable[..., Any]] = MappingProxyType(
    {
        "base64": base64_text,
        "below": below,
        "digits": digits,
        "dotted": dotted,
        "first": first,
        "hmac_sha1": hmac_sha1,
        "hmac_sha256": hmac_sha256,
        "integer": integer,
        "md5_joined": md5_joined,
        "md5_sorted": md5_sorted,
        "sms_segments": segments,
        "sorted_members": sorted_members,
        "upper": upper,
    }
)
SIGNING = frozenset({hmac_sha1, hmac_sha256, md5_joined})
"""The functions whose values are signatures."""
DIGESTS = SIGNING | {md5_sorted}
"""The functions whose values are bytes, in hex."""
