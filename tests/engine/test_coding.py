"""Content codings: gzip and deflate are undone within a bound; what cannot be undone is told, and kept as sent."""

import gzip
import json
import zlib
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.engine import coding
from mockserver.engine.bodies import UnreadableError
from mockserver.engine.call import pack_headers
from mockserver.engine.coding import (
    MAX_CODINGS,
    MAX_GIVEN,
    MAX_MEMBERS,
    InflatedTooLargeError,
    UnknownCodingError,
    codings_of,
    content_of,
    decoded,
    without_codings,
)
from mockserver.engine.expectation import Expectation
from mockserver.engine.request import DEFAULT_MAX_BODY
from mockserver.matching.pattern import Pattern
from tests.engine.workbench import JSON, problems, recorded, request
from tests.properties import examples

GOOD = json.dumps({"from": "1", "to": "2"}).encode()
FORM = {"content-type": "application/x-www-form-urlencoded"}


def raw_deflate(raw: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(raw) + packer.flush()


@pytest.mark.parametrize(
    ("coding", "sent"),
    [
        pytest.param("gzip", gzip.compress(GOOD), id="gzip"),
        pytest.param("X-GZIP", gzip.compress(GOOD), id="its-old-name"),
        pytest.param("gzip", gzip.compress(GOOD[:9]) + gzip.compress(GOOD[9:]), id="gzip-in-two-members"),
        pytest.param("deflate", zlib.compress(GOOD), id="deflate"),
        pytest.param("deflate", raw_deflate(GOOD), id="deflate-without-zlib"),
        pytest.param("identity", GOOD, id="identity"),
        pytest.param("", GOOD, id="empty"),
        pytest.param("deflate , gzip", gzip.compress(zlib.compress(GOOD)), id="one-over-the-other"),
    ],
)
def test_a_coded_body_is_read(coding: str, sent: bytes) -> None:
    """The body counts as it was before it was packed; on record are the bytes that came."""
    found = request("send_sms", headers={**JSON, "content-encoding": coding}, body=sent)
    assert (found.problems, found.data["body"]) == ((), json.loads(GOOD))
    assert found.arrival.body == sent


def test_a_coded_form_is_read() -> None:
    """Of whatever type the body is."""
    found = request("post_form", headers={**FORM, "content-encoding": "gzip"}, body=gzip.compress(b"a=1&n=7"))
    assert (found.problems, found.data["body"]) == ((), {"a": "1", "n": 7})


def test_codings_in_two_lines() -> None:
    """The lines of a header combine, in their order (RFC 9110, 5.3)."""
    lines = [(b"content-encoding", b"deflate"), (b"x", b"y"), (b"content-encoding", b"gzip")]
    call = recorded(body=gzip.compress(zlib.compress(GOOD)), headers=pack_headers(lines))
    assert content_of(call) == GOOD


CODED = {**JSON, "content-encoding": "gzip"}


@pytest.mark.parametrize(
    ("coding", "body", "expected", "word"),
    [
        pytest.param("br", GOOD, ("media_type", "/header/content-encoding", ""), "not 'br'", id="another-coding"),
        pytest.param("gzip, zstd", GOOD, ("media_type", "/header/content-encoding", ""), "not 'zstd'", id="one-of-two"),
        pytest.param("gzip", GOOD, ("unreadable", "/body", "json"), "not gzip", id="not-packed"),
        pytest.param("deflate", b"\xff" + GOOD, ("unreadable", "/body", "json"), "not deflate", id="not-deflated"),
        pytest.param("gzip", gzip.compress(GOOD)[:-4], ("unreadable", "/body", "json"), "cut off", id="cut-off"),
        pytest.param(
            "gzip", gzip.compress(GOOD)[:-2] + b"xx", ("unreadable", "/body", "json"), "gzip", id="bad-length"
        ),
        pytest.param("gzip", gzip.compress(GOOD) + b"x", ("unreadable", "/body", "json"), "not gzip", id="more-behind"),
        pytest.param("deflate", zlib.compress(GOOD) + b"x", ("unreadable", "/body", "json"), "behind", id="and-here"),
        pytest.param("gzip", gzip.compress(b"{"), ("unreadable", "/body", "json"), "truncated", id="packed-no-json"),
        pytest.param("gzip", gzip.compress(b""), ("unreadable", "/body", "json"), "truncated", id="packed-nothing"),
        pytest.param("gzip", gzip.compress(b" " * 1001), ("too_large", "/body", ""), "1000 bytes", id="bomb"),
        pytest.param("gzip" + ",gzip" * MAX_CODINGS, GOOD, ("unreadable", "/body", "json"), "codings", id="too-many"),
    ],
)
def test_a_coded_body_that_cannot_be_read(coding: str, body: bytes, expected: Any, word: str) -> None:
    """What is wrong with it is one problem, which names the coding."""
    found = request("send_sms", headers={**JSON, "content-encoding": coding}, body=body)
    assert problems(found) == [expected]
    assert word in found.problems[0].message
    assert "body" not in found.data


def test_an_uncoded_body_of_the_same_size_fits() -> None:
    """The bound is the body's own."""
    packed = gzip.compress(b" " * (1000 - len(GOOD)) + GOOD)
    assert request("send_sms", headers=CODED, body=packed).problems == ()
    packed = gzip.compress(b"a=" + b"1" * (DEFAULT_MAX_BODY - 2))
    assert request("post_form", headers={**FORM, "content-encoding": "gzip"}, body=packed).problems == ()


def test_nothing_is_inflated_beyond_the_bound() -> None:
    """A bomb is put down at the bound, and so is one in many pieces."""
    with pytest.raises(InflatedTooLargeError):
        decoded(gzip.compress(b"x" * 10_000_000), ("gzip",), 1000)
    with pytest.raises(InflatedTooLargeError):
        decoded(gzip.compress(b"x" * 600) * 2, ("gzip",), 1000)
    with pytest.raises(UnreadableError, match="behind its end"):
        decoded(gzip.compress(b"") * (MAX_MEMBERS + 1), ("gzip",), 1000)
    assert decoded(gzip.compress(b"x") * MAX_MEMBERS, ("gzip",), 1000) == b"x" * MAX_MEMBERS


@pytest.mark.parametrize(
    "body", [gzip.compress(b"") * 40_000, gzip.compress(bytes(9000), 0) * 110], ids=["empty-members", "stored-members"]
)
def test_little_is_copied_behind_each_member(monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    """What is behind a member's end, and that is all the others, is not given to who undoes it."""
    given, begin = list[int](), zlib.decompressobj

    def counting(kind: int) -> Any:
        reader = begin(kind)

        class Counting:
            eof = property(lambda _: reader.eof)
            unused_data = property(lambda _: reader.unused_data)

            def decompress(self, data: bytes, most: int) -> bytes:
                given.append(len(data))
                return reader.decompress(data, most)

        return Counting()

    monkeypatch.setattr(zlib, "decompressobj", counting)
    with pytest.raises(UnreadableError, match="behind its end"):
        decoded(body, ("gzip",), len(body))
    assert sum(given) <= len(body) + MAX_MEMBERS * MAX_GIVEN


def test_a_call_without_its_codings() -> None:
    """The body as it was before it was packed, and no word of its coding; a body that was not packed stays."""
    call = recorded(body=gzip.compress(GOOD), headers=b"a: b\r\ncontent-encoding: gzip\r\nc: d")
    plain = without_codings(call)
    assert (plain.body, plain.headers) == (GOOD, b"a: b\r\nc: d")
    assert without_codings(plain) is plain
    broken = recorded(body=GOOD, headers=b"content-encoding: gzip")
    assert without_codings(broken).body is GOOD


def test_a_view_unpacks_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever parts are asked for; its headers are those that were sent."""
    undo = Mock(wraps=coding.decoded)
    monkeypatch.setattr(coding, "decoded", undo)
    call = recorded(body=gzip.compress(b"a=1"), headers=b"content-encoding: gzip", reads="form")
    pattern = Pattern({"form": {"a": "1"}, "body": {"a": "1"}, "query": {"a": "1"}})
    assert Expectation(pattern=pattern).matches(call)
    assert undo.call_count == 1
    assert Expectation(pattern=Pattern({"headers": {"content-encoding": "gzip"}})).matches(call)


def test_patterns_see_what_was_packed() -> None:
    """A recorded body is matched by what it says; one that cannot be unpacked by its bytes."""
    call = recorded(body=gzip.compress(GOOD), headers=b"content-encoding: gzip", reads="json")
    for part in ("body", "json"):
        assert Expectation(pattern=Pattern({part: {"from": "1"}})).matches(call)
    form = recorded(body=gzip.compress(b"a=1"), headers=b"content-encoding: gzip", reads="form")
    assert Expectation(pattern=Pattern({"form": {"a": "1"}})).matches(form)
    broken = recorded(body=b"plain", headers=b"content-encoding: gzip", reads="json")
    assert Expectation(pattern=Pattern({"body": "plain"})).matches(broken)


@given(st.binary(max_size=60) | st.binary(max_size=60).map(gzip.compress), st.sampled_from(["gzip", "deflate", "br"]))
@settings(deadline=None, max_examples=examples(200), derandomize=True)
def test_any_bytes_are_unpacked_or_told(raw: bytes, coding: str) -> None:
    """No bytes make it fail in another way."""
    try:
        decoded(raw, codings_of(coding), 1000)
    except (UnreadableError, UnknownCodingError, InflatedTooLargeError):
        return
