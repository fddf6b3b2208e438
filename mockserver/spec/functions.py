"""The functions that ``{call: …}`` can name. All are pure functions of the values they are given."""

import base64
import codecs
import hashlib
import hmac
import json
import re
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

_GSM7_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM7_EXTENSION = "\f^{}\\[~]|€"  # each has an escape before it
_ESCAPE_SEPTET = b"\x80"
# A table makes a byte of each character, which takes a tenth of the time of a look at each; its first must be NUL.
_GSM7 = codecs.charmap_build(
    f"\0{_GSM7_BASIC}".ljust(128, "\ufffe") + ("\ufffe" + _GSM7_EXTENSION).ljust(128, "\ufffe")
)
_ESCAPED = bytes.maketrans(bytes(range(129, 129 + len(_GSM7_EXTENSION))), _ESCAPE_SEPTET * len(_GSM7_EXTENSION))
_FIRST_HALVES = bytes(range(0xD8, 0xDC))  # of surrogate pairs, as the upper bytes of UTF-16 code units


def sms_segments(text: str) -> int:
    """The number of SMS segments of a text (3GPP TS 23.038 and 23.040); an empty text has one.

    One segment holds 160 septets of GSM-7 or 70 UTF-16 code units. Each segment of a longer text holds 153 or 67.
    An escaped character or a surrogate pair is never split.
    """
    septets = _septets(text)
    if septets is not None:
        return _count(septets, _ESCAPE_SEPTET, 160, 153)
    return _count(text.encode("utf-16-be", "surrogatepass")[::2], _FIRST_HALVES, 70, 67)


def encoding_of(text: str) -> str:
    """The alphabet that a text is sent in: ``GSM-7`` where that has all its characters, else ``UCS-2``."""
    return "UCS-2" if _septets(text) is None else "GSM-7"


def _septets(text: str) -> bytes | None:
    """A byte for each septet of a text in GSM-7, of which only escapes are what they are; None for another text."""
    if "\0" in text:
        return None
    try:
        characters, _ = codecs.charmap_encode(text, "strict", _GSM7)
    except UnicodeEncodeError:
        return None
    return characters.translate(_ESCAPED).replace(_ESCAPE_SEPTET, _ESCAPE_SEPTET + b"\0")


def _count(units: bytes, first_halves: bytes, single: int, part: int) -> int:
    if len(units) <= single:
        return 1
    segments, end = 1, part
    while end < len(units):
        end += part - (units[end - 1] in first_halves)
        segments += 1
    return segments


_NO_DIGITS = bytes(set(range(256)) - set(b"0123456789"))
MAX_DIGITS = 15  # of a phone number (E.164)
MAX_PHONE_TEXT = 256  # characters of what is written as one
_PHONE = re.compile(r"(?:[a-z]+:)?[-+0-9 ().,/*#\u00a0\u2010-\u2015]*")  # how people write a phone number


def digits(value: Any) -> str:
    """The decimal digits of a phone number: ``"+1 (415) 555-0123"`` is ``"14155550123"``."""
    if not isinstance(value, str):
        value = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    bare: str = value.removeprefix("+")
    if bare.isdigit() and bare.isascii():
        return bare
    return bare.encode("ascii", "ignore").translate(None, _NO_DIGITS).decode("ascii")


def phone_digits(value: Any) -> str:
    """The digits of what is written as a phone number; "" for another text, whatever digits are in it."""
    if isinstance(value, str) and len(value) > MAX_PHONE_TEXT:
        return ""
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
