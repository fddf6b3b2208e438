"""Content codings of a body (RFC 9110, 8.4): gzip and deflate are undone, within a bound."""

import zlib
from typing import Any, TypeVar

import msgspec

from mockserver.engine.bodies import UnreadableError
from mockserver.engine.call import pack_headers, split_headers, unpack_headers

MAX_CODINGS = 3  # of one body, one over the other
MAX_CONTENT = 1024 * 1024  # bytes of a recorded body without its codings, or as many times those that were sent:
MAX_GROWTH = 4  # what was larger when it arrived is left as it was sent
MAX_MEMBERS = 100  # of one gzip file: each is begun anew
MAX_GIVEN = 16 * 1024  # bytes that are undone at once: what is behind a member's end is copied
_GZIP, _ZLIB, _RAW = 31, 15, -15  # how zlib calls them
_READERS = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": _ZLIB}

KNOWN_CODINGS = "gzip, deflate, identity"


Sent = TypeVar("Sent", bound=Any)


class UnknownCodingError(Exception):
    """The text names a coding that is not read here."""


class InflatedTooLargeError(Exception):
    """Without its coding the body is larger than it may be."""


def codings_of(header: str) -> tuple[str, ...]:
    """The codings that a ``Content-Encoding`` names, in the order in which they were put on a body."""
    if not header:
        return ()
    names = (name.strip().lower() for name in header.split(","))
    return tuple(name for name in names if name and name != "identity")


def decoded(raw: bytes, codings: tuple[str, ...], limit: int) -> bytes:
    """A body without its codings. Raises UnknownCodingError, InflatedTooLargeError, UnreadableError."""
    for coding in codings:
        if coding not in _READERS:
            raise UnknownCodingError(coding)
    if len(codings) > MAX_CODINGS:
        raise UnreadableError(f"more than {MAX_CODINGS} content codings")
    for coding in reversed(codings):
        try:
            raw = _inflated(raw, _READERS[coding], limit)
        except zlib.error as error:
            raise UnreadableError(f"not {coding}, as Content-Encoding says: {error}") from error
    return raw


def is_coded(sent: Any) -> bool:
    """Whether an arrival or a recorded call says that its body has content codings."""
    return b"content-encoding: " in sent.headers


def content_of(sent: Any) -> bytes:
    """The body of an arrival or a recorded call without its codings; as it was sent where that cannot be done."""
    body: bytes = sent.body
    if not body or not is_coded(sent):
        return body
    codings = codings_of(header_value(unpack_headers(sent.headers), "content-encoding"))
    try:
        return decoded(body, codings, max(MAX_CONTENT, MAX_GROWTH * len(body)))
    except (UnknownCodingError, InflatedTooLargeError, UnreadableError):
        return body


def without_codings(sent: Sent) -> Sent:
    """An arrival or a recorded call as if its body had been sent without codings: for who reads that more than once."""
    if not is_coded(sent):
        return sent
    lines = [line for line in split_headers(sent.headers) if line[0] != b"content-encoding"]
    return msgspec.structs.replace(sent, headers=pack_headers(lines), body=content_of(sent))


def header_value(headers: list[list[str]], name: str) -> str:
    """The value of a header, that of its lines joined (RFC 9110, 5.3)."""
    return ", ".join(value for key, value in headers if key == name)


def _inflated(raw: bytes, kind: int, limit: int) -> bytes:
    """One coding undone. Raises zlib.error, InflatedTooLargeError."""
    if kind == _ZLIB and not begins_as_zlib(raw):
        kind = _RAW  # some clients take deflate for that
    pieces: list[bytes] = []
    reader, members, left, at = zlib.decompressobj(kind), 1, limit, 0
    while at < len(raw):
        if reader.eof:
            if kind != _GZIP or members == MAX_MEMBERS:
                raise zlib.error("there is more behind its end")
            reader, members = zlib.decompressobj(kind), members + 1
        given = raw[at : at + MAX_GIVEN]
        pieces.append(reader.decompress(given, left + 1))
        left -= len(pieces[-1])
        if left < 0:
            raise InflatedTooLargeError
        at += len(given) - len(reader.unused_data)
    if not reader.eof:
        raise zlib.error("it is cut off")
    return b"".join(pieces)


def begins_as_zlib(raw: bytes) -> bool:
    """Whether the first bytes are zlib's: the method, and a check of both (RFC 1950, 2.2)."""
    return len(raw) > 1 and raw[0] & 0x0F == 8 and int.from_bytes(raw[:2]) % 31 == 0
