"""The head of a CONNECT: what it asks for, and when it is refused."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.server.wire.connect_head import read_tunnel
from mockserver.server.wire.limits import MISDIRECTED, NO_AUTHORITY, UNREADABLE, Refusal, RefusedError

LINE = b"CONNECT a:1 HTTP/1.1\r\n"


@given(st.binary(max_size=60))
def test_any_head(data: bytes) -> None:
    """Only a CONNECT with a host and a port is one."""
    with contextlib.suppress(RefusedError):
        read_tunnel(data + b"\r\n\r\n")
        assert data.lstrip(b"\r\n").startswith(b"CONNECT ")
    with contextlib.suppress(RefusedError):
        assert read_tunnel(LINE + b"Host: a\r\nX: " + data + b"\r\n\r\n").to == ("a", 1)


def test_who_asks() -> None:
    """A user agent, in any case, up to a length; none where none is told."""
    assert read_tunnel(LINE + b"Host: a\r\nUSER-agent:  probe/1 (x) \r\nOther: y\r\n\r\n") == (("a", 1), "probe/1 (x)")
    assert read_tunnel(b"CONNECT a:1 HTTP/1.0\r\n\r\n") == (("a", 1), "")
    assert read_tunnel(LINE + b"Host: a\r\nuser-agent: " + b"x" * 1000 + b"\r\n\r\n").agent == "x" * 200


@pytest.mark.parametrize(
    ("head", "refusal"),
    [
        pytest.param(LINE, MISDIRECTED, id="no Host"),
        pytest.param(LINE + b"Host: a\r\nHost: a\r\n", MISDIRECTED, id="two"),
        pytest.param(LINE + b"Host: a/b\r\n", MISDIRECTED, id="no host's name"),
        pytest.param(b"CONNECT a:1 HTTP/1.0\r\nHost: a\r\nHost: b\r\n", MISDIRECTED, id="two in HTTP/1.0"),
        pytest.param(LINE + b"Host: a\0\r\n", UNREADABLE, id="NUL"),
        pytest.param(LINE + b"Host: a\rX: b\r\n", UNREADABLE, id="a bare carriage return"),
        pytest.param(LINE + b"Host: a\nX: b\r\n", UNREADABLE, id="a bare line feed"),
        pytest.param(LINE + b"Host: a\r\n b\r\n", UNREADABLE, id="a folded line"),
        pytest.param(LINE + b"Host: a\r\njunk\r\n", UNREADABLE, id="no colon"),
        pytest.param(LINE + b"Host : a\r\n", UNREADABLE, id="a blank before the colon"),
        pytest.param(b"CONNECT a:1 HTTP/1.9\r\nHost: a\r\n", UNREADABLE, id="HTTP/1.9"),
        pytest.param(b"CONNECT a:1 HTTP/2.0\r\nHost: a\r\n", UNREADABLE, id="HTTP/2.0"),
        pytest.param(b"CONNECT a:1 RTSP/1.0\r\nHost: a\r\n", UNREADABLE, id="another protocol"),
        pytest.param(b"CONNECT a:1\r\nHost: a\r\n", UNREADABLE, id="no version"),
        pytest.param(b"CONNECT a b:1 HTTP/1.1\r\nHost: a\r\n", UNREADABLE, id="two targets"),
        pytest.param(b"CONNECT /a HTTP/1.1\r\nHost: a\r\n", NO_AUTHORITY, id="a path"),
    ],
)
def test_what_is_refused(head: bytes, refusal: Refusal) -> None:
    """As any request with such a head is."""
    with pytest.raises(RefusedError) as refused:
        read_tunnel(head + b"\r\n")
    assert refused.value.refusal == refusal
