"""Packed bodies: of what they hold nothing is shown that nobody has looked at."""

import asyncio
import base64
import bz2
import contextlib
import gzip
import json
import time
import zlib
from typing import Any

import pytest

from mockserver.engine.call import RecordedCall, pack_headers
from mockserver.server.checkpoint import TimeShare
from mockserver.server.curl_command import CurlWriter
from mockserver.server.har import har_entry
from mockserver.server.masking import Masker
from mockserver.server.packed_bodies import unpacked
from mockserver.server.serialize import MAX_MEMBER_SHOWN, call_shape
from mockserver.server.text_report import call_text
from tests.engine.workbench import acme, recorded

SECRET = b"S3CRETapikeyzqxwv12345"
SHORT = b"a=lorem&key=" + SECRET
LONG = b"a=" + b"lorem+ipsum+" * 3000 + b"&key=" + SECRET
BARE = zlib.compressobj(wbits=-15)
BARE_DEFLATE = BARE.compress(SHORT) + BARE.flush()
WRONG_SUM = gzip.compress(SHORT)[:-8] + b"\0" * 8
CASES = {
    "gzip": ("gzip", gzip.compress(SHORT)),
    "gzip-long": ("gzip", gzip.compress(LONG)),
    "gzip-cut-off": ("gzip", gzip.compress(SHORT)[:-4]),
    "gzip-long-cut-off": ("gzip", gzip.compress(LONG)[:-4]),
    "gzip-and-more": ("gzip", gzip.compress(SHORT) + b"\0"),
    "gzip-by-weight": ("gzip;q=1", gzip.compress(SHORT)),
    "gzip-wrong-sum": ("gzip", WRONG_SUM),
    "gzip-too-large": ("gzip", gzip.compress(b"a=" + b"x" * 2_000_000 + SHORT)),
    "gzip-twice": ("gzip, gzip", gzip.compress(gzip.compress(SHORT))),
    "gzip-twice-said-once": ("gzip", gzip.compress(gzip.compress(SHORT))),
    "gzip-too-often": ("", gzip.compress(gzip.compress(gzip.compress(gzip.compress(SHORT))))),
    "gzip-unsaid": ("", gzip.compress(SHORT)),
    "gzip-unsaid-cut-off": ("", gzip.compress(LONG)[:-9]),
    "gzip-called-deflate": ("deflate", gzip.compress(SHORT)),
    "gzip-as-identity": ("identity", gzip.compress(SHORT)),
    "deflate": ("deflate", zlib.compress(LONG)),
    "deflate-cut-off": ("deflate", zlib.compress(SHORT)[:-2]),
    "deflate-unsaid": ("", zlib.compress(SHORT)),
    "deflate-unsaid-cut-off": ("", zlib.compress(SHORT)[:-2]),
    "deflate-bare": ("deflate", BARE_DEFLATE),
    "deflate-bare-cut-off": ("deflate", BARE_DEFLATE[:-1]),
    "deflate-bare-unsaid": ("", BARE_DEFLATE),
    "another": ("br", b"\x8b\x16\x80" + SHORT + b"\x03"),
    "another-unsaid": ("", bz2.compress(SHORT)),
}


def found_in(raw: bytes) -> bytes:
    """All that a lenient reader finds in bytes, packed or not."""
    found = [raw]
    for kind in (31, 15, -15, 31):
        for packed in list(found):
            reader = zlib.decompressobj(kind)
            pieces = list[bytes]()
            with contextlib.suppress(zlib.error):
                for byte in packed:
                    pieces.append(reader.decompress(bytes([byte])))
            found.append(b"".join(pieces))
    if raw.startswith(b"BZh"):
        found.append(bz2.decompress(raw))
    return b"\n".join(found)


def packed_call(name: str) -> RecordedCall:
    coding, body = CASES[name]
    pairs = [(b"content-type", b"application/x-www-form-urlencoded"), (b"content-encoding", coding.encode())]
    return recorded(body=body, reads="form", headers=pack_headers(pairs if coding else pairs[:1]))


def shape_of(call: RecordedCall) -> dict[str, Any]:
    return asyncio.run(call_shape(call, Masker((acme(),)), TimeShare()))


@pytest.mark.parametrize("name", CASES)
def test_a_packed_body_shows_no_secret(name: str) -> None:
    """However it is packed, whatever it calls itself, whether it can be unpacked or not."""
    call = packed_call(name)
    shape = shape_of(call)
    raw = base64.b64decode(shape["request"]["body_base64"] or "")
    assert SECRET not in found_in(raw)
    assert SECRET.decode() not in json.dumps(shape) + json.dumps(har_entry(shape)) + call_text(shape)
    command = CurlWriter((acme(),), Masker((acme(),)), "http://localhost", with_token=False).command(call, None)
    assert SECRET.decode() not in command
    piped = base64.b64decode(command.partition("printf %s ")[2].partition(" |")[0])
    assert SECRET not in found_in(piped)
    if "lorem" not in raw.decode("latin-1"):
        assert (raw, shape["cut"]) == (b"", ["/request/body_base64"])
        assert f"({len(call.body)} bytes, packed)" in call_text(shape)
        assert "cannot be unpacked" in command


@pytest.mark.parametrize("body", [b"", b"a=1", b"caf\xe9", b"\xff\x00", b"x^2", b"PKs", b"key=\x80", b"\x1e\x1d" * 50])
def test_what_is_not_packed_is_shown(body: bytes) -> None:
    """Bytes that are no text, too."""
    for headers in (b"", pack_headers([(b"content-encoding", b"identity")])):
        assert unpacked(recorded(body=body, headers=headers)) == (body, False, True)


def test_a_packed_body_without_a_secret() -> None:
    """It is shown as it came where all of it was looked at; of a long one, what was looked at."""
    said = pack_headers([(b"content-encoding", b"gzip")])
    packed = gzip.compress(b"a=1")
    assert base64.b64decode(shape_of(recorded(body=packed, headers=said))["request"]["body_base64"]) == packed
    long = b"lorem" * MAX_MEMBER_SHOWN
    shape = shape_of(recorded(body=gzip.compress(long), headers=said))
    assert base64.b64decode(shape["request"]["body_base64"]) == long[:MAX_MEMBER_SHOWN]
    assert (shape["request"]["body_bytes"], shape["cut"]) == (len(long), ["/request/body_base64"])


@pytest.mark.parametrize("text", [b"\xff" * 7, b"x\x9c\x03", b"\x03\xff\x80", b"\x1f\x8b\x08\0"])
def test_bytes_are_looked_at_in_linear_time(text: bytes) -> None:
    """A megabyte of what may be packed takes little time."""
    call, started = recorded(body=text * (1024 * 1024 // len(text))), time.thread_time()
    unpacked(call)
    assert time.thread_time() - started < 1
