"""What is in a packed body, for whoever must know all of a body before a byte of it is shown.

A body is packed that its ``Content-Encoding`` calls so, and one that begins as packed bytes do, whatever it is called.
"""

import codecs
import re
import zlib
from typing import Any, NamedTuple

from mockserver.engine.bodies import UnreadableError
from mockserver.engine.call import unpack_headers
from mockserver.engine.coding import (
    MAX_CODINGS,
    MAX_CONTENT,
    InflatedTooLargeError,
    UnknownCodingError,
    begins_as_zlib,
    codings_of,
    content_of,
    decoded,
    header_value,
)

_GZIP_BEGIN = b"\x1f\x8b"
_SEALED = re.compile(rb"\x28\xb5\x2f\xfd|BZh[1-9]1AY&SY|\xfd7zXZ\0|PK\x03\x04")  # zstd, bzip2, xz, zip: not read here
_LOOKED_AT = 4096  # bytes of a body that tell what it is


class Unpacked(NamedTuple):
    """The content of a body. ``is_whole``: the body holds nothing else."""

    content: bytes
    is_packed: bool
    is_whole: bool


_SEALED_BODY = Unpacked(b"", is_packed=True, is_whole=False)


def unpacked(sent: Any, content: bytes | None = None) -> Unpacked:
    """What is in the body of an arrival or a recorded call, unpacked as often as it is packed.

    ``content`` is the body without its content codings, where that is known.
    """
    content = content_of(sent) if content is None else content
    if content is sent.body and _is_sealed(sent):
        return _SEALED_BODY
    for _ in range(MAX_CODINGS):
        coding = _packed_by(content)
        if not coding and not _SEALED.match(content):
            return Unpacked(content, content is not sent.body, is_whole=True)
        try:
            content = decoded(content, (coding,), MAX_CONTENT)
        except (UnknownCodingError, UnreadableError, InflatedTooLargeError):
            break
    return _SEALED_BODY


def _is_sealed(sent: Any) -> bool:
    """Whether a body says that it has a coding, and none that can be undone."""
    if b"content-encoding: " not in sent.headers or _is_text(sent.body) or _packed_by(sent.body):
        return False
    return bool(codings_of(header_value(unpack_headers(sent.headers), "content-encoding")))


def _packed_by(raw: bytes) -> str:
    """The coding of bytes that begin as packed ones do; "" where they do not."""
    if raw.startswith(_GZIP_BEGIN):
        return "gzip"
    if begins_as_zlib(raw):
        return "deflate" if _inflates(raw, zlib.MAX_WBITS) else ""
    return "deflate" if not _is_text(raw) and _inflates(raw, -zlib.MAX_WBITS) and _is_bare_deflate(raw) else ""


def _is_bare_deflate(raw: bytes) -> bool:
    """Whether bytes without a head are a packed text as a whole: what is none may inflate for a while."""
    try:
        return _is_text(decoded(raw, ("deflate",), MAX_CONTENT))
    except (UnreadableError, InflatedTooLargeError):
        return False


def _is_text(raw: bytes) -> bool:
    """Whether bytes begin as a text in UTF-8."""
    start = raw[:_LOOKED_AT]
    if start.isascii():
        return True
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return False
    return True


def _inflates(raw: bytes, kind: int) -> bool:
    try:
        return bool(zlib.decompressobj(kind).decompress(raw[:_LOOKED_AT], _LOOKED_AT))
    except zlib.error:
        return False
