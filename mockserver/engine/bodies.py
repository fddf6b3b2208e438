"""Bodies, from bytes to values. A body that cannot be read raises an UnreadableError, never a parser's exception."""

import binascii
import codecs
import contextlib
import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

import msgspec

from mockserver.spec.pointer import join

MAX_DEPTH = 100  # levels of JSON
MAX_BRACKETS = 20_000  # opening ones of JSON: each makes an object in memory
MAX_EXPONENTS = 20_000  # of numbers of JSON: a small one takes 6 us to read and to write
MAX_QUICK = 4 * 1024  # bytes of JSON that are read by the faster parser, whatever numbers stand in them
MAX_FIELDS = 1_000  # of a form
MAX_ESCAPES = 20_000  # of a form in which some are broken, which takes longer to read
MAX_NUMBER_DIGITS = 309  # digits in a row of a number: an integer of more is beyond a double's range, as 1e309 is
MAX_SHORT = 1024  # bytes: a longer text is unescaped in another way
MAX_PART_LINES = 20  # of headers of a multipart form's part
MAX_PART_BYTES = 8 * 1024  # likewise
MAX_HEADERS = 256 * 1024  # bytes of all headers of a multipart form's parts
MAX_OPTIONS = 10_000  # semicolons and backslashes in the headers of a multipart form: each takes a step of the search
MAX_BOUNDARY = 256  # bytes; RFC 2046 says 70
MAX_SEARCHED = 64 * 1024  # bytes of JSON in which a lone surrogate is found by its pointer; in more, by its offset

_LARGE_EXPONENT = re.compile(rb"[eE]\+?[0-9]{3}")
_DIGITS_ALIKE = bytes.maketrans(b"123456789", b"000000000")
_LONGEST = b"0" * MAX_NUMBER_DIGITS
_TOO_LONG = b"0" * (MAX_NUMBER_DIGITS + 1)
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_HIGH_SURROGATE = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}")
_AT_BYTE = re.compile(r"surrogate pair \(byte ([0-9]+)\)")


class UnreadableError(Exception):
    """The body is not what its media type says; the text says why."""


def read_json(raw: bytes) -> Any:
    """JSON strictly: UTF-8, finite numbers, no lone surrogate, at most MAX_DEPTH levels, MAX_BRACKETS, MAX_EXPONENTS.

    Numbers have at most MAX_NUMBER_DIGITS: long integers take time by the square of these. Raises UnreadableError.
    """
    if len(raw) > 2 * MAX_DEPTH and raw.count(b"[") + raw.count(b"{") > MAX_DEPTH:
        _check_brackets(raw)
    if len(raw) > MAX_NUMBER_DIGITS and _has_long_number(raw):
        raise UnreadableError(f"a number of more than {MAX_NUMBER_DIGITS} digits")
    try:
        if len(raw) <= MAX_QUICK:
            return _JSON.decode(raw)
        _check_exponents(raw)
        return (_JSON_OF_FINITE if _may_overflow(raw) else _JSON_OF_FLOATS).decode(raw)
    except UnicodeDecodeError as error:
        raise UnreadableError("not UTF-8") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise UnreadableError(_why_not_json(raw, str(error))) from error


def _check_exponents(raw: bytes) -> None:
    """Count numbers with an exponent before anything is parsed. Raises UnreadableError."""
    if raw.count(b"e") + raw.count(b"E") > MAX_EXPONENTS:
        letters = _outside_strings(raw, b"eEtf")  # those in true and false are none
        if letters.count(b"e") + letters.count(b"E") - letters.count(b"t") - letters.count(b"f") > MAX_EXPONENTS:
            raise UnreadableError(f"more than {MAX_EXPONENTS} numbers with an exponent")


def _may_overflow(raw: bytes) -> bool:
    """Whether a number may be too large for a float."""
    return _LARGE_EXPONENT.search(raw) is not None or _LONGEST in raw.translate(_DIGITS_ALIKE)


def _outside_strings(raw: bytes, characters: bytes) -> bytes:
    """These characters of a JSON text, without those in strings."""
    others = bytes(set(range(256)) - set(characters) - set(b'"'))
    shorter = raw.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, others)
    return b"".join(shorter.replace(b'""', b"").split(b'"')[::2])  # strings without these characters are gone already


def _check_brackets(raw: bytes) -> None:
    """Count brackets before anything is parsed, without those in strings. Raises UnreadableError."""
    brackets = _outside_strings(raw, b"[]{}")
    if brackets.count(b"[") + brackets.count(b"{") > MAX_BRACKETS:
        raise UnreadableError(f"more than {MAX_BRACKETS} arrays and objects")
    depth = 0
    for bracket in brackets:
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            raise UnreadableError(f"nested deeper than {MAX_DEPTH} levels")
        if depth < 0:  # no JSON, as the parser will say
            return


def _has_long_number(raw: bytes) -> bool:
    """Whether more than MAX_NUMBER_DIGITS digits stand in a row, and not in a string."""
    alike = raw.translate(_DIGITS_ALIKE)
    return _TOO_LONG in alike and _TOO_LONG in _outside_strings(alike, b"0.,eE")


def _why_not_json(raw: bytes, said: str) -> str:
    """What keeps bytes from being JSON. The parser has no clear words for a BOM and for half of a surrogate pair."""
    if raw.startswith(codecs.BOM_UTF8):
        return "a BOM stands before the text"
    start = _lone_surrogate(raw, said)
    if start is None:
        return said
    where = f"byte {start}"
    if len(raw) <= MAX_SEARCHED:
        with contextlib.suppress(ValueError, RecursionError):  # json takes such halves
            where = next((f"/body{at}, {where}" for at in _places_of_halves(json.loads(raw), "")), where)
    escape = raw[start : start + 6].decode("ascii")
    return f"{escape} at {where} is a lone surrogate, half of a character (JavaScript's own parser would take it)"


def _lone_surrogate(raw: bytes, said: str) -> int | None:
    """Where the escape of a lone surrogate stands that the parser complained of; None where that was something else."""
    at = _AT_BYTE.search(said)
    if at is not None:
        end = int(at[1])  # of the escape, or of the one behind it that does not go with it
        return end - 12 if end >= 12 and _HIGH_SURROGATE.match(raw, end - 12) else end - 6
    start = max(raw.rfind(b"\\ud", -12), raw.rfind(b"\\uD", -12))  # so near to the end it takes the text to be cut off
    is_lone = start >= 0 and _SURROGATE.match(raw, start) is not None and b'"' in raw[start:]
    return start if is_lone else None


def _places_of_halves(value: Any, at: str) -> Iterator[str]:
    """Pointers to the texts and names that have half of a surrogate pair."""
    if isinstance(value, str) and _has_half(value):
        yield at
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _places_of_halves(item, at + join(index))
    elif isinstance(value, dict):
        for name, item in value.items():
            if _has_half(name):
                yield at
            yield from _places_of_halves(item, at + join(name))


def _has_half(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def duplicate_keys(raw: bytes) -> list[str]:
    """Names that an object of this JSON text has more than once; the last of each counts."""
    names: list[str] = []

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) < len(pairs):
            names.extend(sorted(name for name, times in Counter(name for name, _ in pairs).items() if times > 1))
        return members

    try:
        json.loads(raw, object_pairs_hook=note)
    except (ValueError, RecursionError):
        return []
    return names


def read_form(raw: bytes) -> list[tuple[str, str]]:
    """An urlencoded form as its pairs. Raises UnreadableError."""
    if raw.count(b"&") >= MAX_FIELDS:
        raise UnreadableError(f"more than {MAX_FIELDS} fields")
    if raw.count(b"%") > MAX_ESCAPES and _BROKEN_ESCAPE.search(raw):
        raise UnreadableError(f"more than {MAX_ESCAPES} escapes, some of them broken")
    try:
        return _pairs(raw, "strict")
    except UnicodeDecodeError as error:
        raise UnreadableError("not UTF-8") from error


def read_query(raw: bytes) -> list[tuple[str, str]]:
    """The pairs of a query string, MAX_FIELDS of them at most, whatever it is: what is not UTF-8 becomes U+FFFD."""
    return _pairs(raw, "replace")


def _pairs(raw: bytes, errors: str) -> list[tuple[str, str]]:
    """Names and values as the URL Standard reads them: bytes first, then text."""
    fields = raw.decode("latin-1").split("&", MAX_FIELDS)  # a text whose characters stand for bytes: the fastest to cut
    pairs = [field.partition("=") for field in fields[:MAX_FIELDS] if field]
    return [(_unquoted(name, errors), _unquoted(value, errors)) for name, _, value in pairs]


_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def _unquoted(text: str, errors: str) -> str:
    """A name or value without its escapes. A broken one stays as it is."""
    if "%" not in text and "+" not in text and text.isascii():
        return text
    raw = text.replace("+", " ").replace("%20", " ").encode("latin-1")  # most escapes are spaces
    if b"%" in raw:
        raw = unquote_to_bytes(raw) if len(raw) <= MAX_SHORT else _unescaped(raw)
    return raw.decode("utf-8", errors)


def read_long_value(written: str) -> str:
    """The value of a form's field; one with a broken escape is left as it is."""
    raw = written.encode("utf-8", "surrogatepass")
    return written if _BROKEN_ESCAPE.search(raw) else _unquoted(raw.decode("latin-1"), "replace")


def _unescaped(raw: bytes) -> bytes:
    """Bytes without percent-escapes, by the reader of quoted-printable, whose escapes differ in their first byte only.

    It is written in C: a megabyte of escapes takes a tenth of the time.
    """
    return binascii.a2b_qp(_BROKEN_ESCAPE.sub(b"%25", raw).replace(b"=", b"=3D").replace(b"%", b"="))


class Part(NamedTuple):
    """A part of a multipart form: its name, its text, and which bytes of the body these are."""

    name: str
    text: str
    start: int
    end: int


def read_multipart(raw: bytes, content_type: bytes) -> list[tuple[str, str]]:
    """A multipart form's parts as pairs; a file counts by its text. Raises UnreadableError."""
    return [(part.name, part.text) for part in multipart_parts(raw, content_type)]


def boundary_of(content_type: bytes) -> bytes:
    """What separates the parts of a multipart form, without its dashes. Raises UnreadableError."""
    if _steps(content_type) > MAX_OPTIONS:
        raise UnreadableError(f"not a multipart form: more than {MAX_OPTIONS} options and escapes in its media type")
    boundary = _option(content_type, _BOUNDARY)
    if not boundary:
        raise UnreadableError("a multipart body without a boundary")
    if len(boundary) > MAX_BOUNDARY:
        raise UnreadableError(f"not a multipart form: a boundary of more than {MAX_BOUNDARY} bytes")
    return boundary


def multipart_parts(raw: bytes, content_type: bytes) -> list[Part]:
    """The parts of a multipart form, in order. Raises UnreadableError.

    What stands before the first part and behind the last is skipped (RFC 2046, 5.1.1). Parts are counted first.
    """
    delimiter = b"\r\n--" + boundary_of(content_type)
    before, *parts = (b"\r\n" + raw).split(delimiter, MAX_FIELDS + 2)
    end = next((number for number, part in enumerate(parts) if part.startswith(b"--")), None)
    if (len(parts) if end is None else end) > MAX_FIELDS:
        raise UnreadableError(f"more than {MAX_FIELDS} fields")
    if raw and not parts:
        raise UnreadableError("not a multipart form: no line of it is the boundary")
    if end is None:
        raise UnreadableError("a multipart body that does not end: its lines end in CR LF, and the last boundary in --")
    found, at = [], len(before) - len(b"\r\n")
    try:
        cut = [_cut_part(part) for part in parts[:end]]
        _check_headers([headers for headers, _ in cut])
        for part, (headers, text) in zip(parts, cut, strict=False):
            name = _field_name(headers)
            at += len(delimiter) + len(part)
            found.append(Part(name.decode("utf-8"), text.decode("utf-8"), at - len(text), at))
    except ValueError as error:
        raise UnreadableError(f"not a multipart form: {error}") from error
    return found


# An option of a header: those before it are skipped, quoted texts whole. No group is possessive: before CPython 3.11.5
# such groups miss matches. Each turn of a group begins where the one before cannot go on, so this stays linear.
_BEFORE = rb"""[^;"]*+(?:;\s*+(?!%b\s*=)[^;="]*+(?:=\s*+(?:"(?:[^"\\]++|\\.)*")?[^;"]*+)?)*"""
_OPTION = _BEFORE + rb""";\s*+%b\s*=\s*+(?:"((?:[^"\\]++|\\.)*)"|([^;"\s]*+))"""
_BOUNDARY = re.compile(_OPTION % (b"boundary", b"boundary"), re.IGNORECASE | re.DOTALL)
_FIELD_NAME = re.compile(_OPTION % (b"name", b"name"), re.IGNORECASE | re.DOTALL)
_PART_HEADERS = re.compile(rb"(?:[!#-9;-~]++[ \t]*+:[^\r\n\0]*+(?:\r\n[ \t][^\r\n\0]*+)*(?:\r\n|$))*")
_DISPOSITION = re.compile(rb"(?:^|\r\n)content-disposition[ \t]*+:((?:[^\r\n]++|\r\n[ \t])*)", re.IGNORECASE)


def _option(header: bytes, option: re.Pattern[bytes]) -> bytes | None:
    """The value of an option of a header, without quotes; None where there is none."""
    found = option.match(header)
    if found is None:
        return None
    quoted, plain = found.groups()
    return plain if quoted is None else re.sub(rb'\\(["\\])', rb"\1", quoted)


def _steps(header: bytes) -> int:
    """About how many steps the search for an option takes at most."""
    return header.count(b";") + header.count(b"\\")


def _cut_part(part: bytes) -> tuple[bytes, bytes]:
    """Headers and text of a part, which begins behind its boundary. Raises ValueError."""
    padding, _, rest = part.partition(b"\r\n")
    headers, ended, value = (b"\r\n" + rest).partition(b"\r\n\r\n")
    if padding.strip(b" \t") or not ended:
        raise ValueError("a part does not begin as one")
    if len(headers) > MAX_PART_BYTES or headers.count(b"\n") > MAX_PART_LINES:
        raise ValueError(f"a part has more than {MAX_PART_LINES} lines or {MAX_PART_BYTES} bytes of headers")
    return headers, value


def _check_headers(headers: list[bytes]) -> None:
    """Raise ValueError where the headers of all parts take too long to be read."""
    if sum(map(len, headers)) > MAX_HEADERS or sum(map(_steps, headers)) > MAX_OPTIONS:
        raise ValueError(f"more than {MAX_HEADERS} bytes or {MAX_OPTIONS} options of its parts' headers")


def _field_name(headers: bytes) -> bytes:
    """What the headers of a part call it. Raises ValueError."""
    if not _PART_HEADERS.fullmatch(headers, 2):
        raise ValueError("a part's headers are no headers")
    disposition = _DISPOSITION.search(headers)
    name = None if disposition is None else _option(disposition[1], _FIELD_NAME)
    if name is None:
        raise ValueError("a part without a name")
    return name


def integral(value: Any) -> Any:
    """The value; a whole number that JSON spells with a fraction (``2.0``) becomes an integer."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError("Number out of range")  # as msgspec says it
    return value


_JSON = msgspec.json.Decoder()  # 0.3 us a message, the standard library's 1.6
_JSON_OF_FLOATS = msgspec.json.Decoder(float_hook=float)  # the smallest take 6 us by msgspec, 0.3 by Python's own float
_JSON_OF_FINITE = msgspec.json.Decoder(float_hook=_finite)
