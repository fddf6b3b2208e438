"""Responses in one write: what a client gets is the same, byte for byte, as by uvicorn's own send."""

import re
import socket
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from mockserver.server import endpoint
from mockserver.server.wire import asgi
from mockserver.server.wire.asgi import write_whole
from tests.live import PATIENCE, Live, live_server

VARIES = re.compile(rb"(date|x-mock-call|x-polyai-correlation-id): [^\r]*|mockserver knows[^}]*")
END = b"GET /v1/outbound-sms HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
REQUESTS = {
    "refused": b"POST /v1/outbound-sms HTTP/1.1\r\nHost: x\r\n\r\n",
    "with-a-problem": b"POST /rest/sms HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    "method": b"GET /v1/outbound-sms HTTP/1.1\r\nHost: x\r\n\r\n",
    "head": b"HEAD /v1/outbound-sms HTTP/1.1\r\nHost: x\r\n\r\n",
    "unknown-path": b"POST /nowhere HTTP/1.1\r\nHost: x\r\n\r\n",
    "last-of-its-connection": b"POST /v1/outbound-sms HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "older-protocol": b"POST /v1/outbound-sms HTTP/1.0\r\nHost: x\r\n\r\n",
    "who-waits-to-be-told": b"POST /rest/sms HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}",
    "one-after-another": b"POST /v1/outbound-sms HTTP/1.1\r\nHost: x\r\n\r\nPOST /rest/sms HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.fixture(scope="module", params=["httptools", "h11"])
def live(request: pytest.FixtureRequest) -> Iterator[Live]:
    with live_server(http=request.param) as running:
        yield running


def replies(live: Live, request: bytes, end: bytes = END) -> bytes:
    """All that comes back until the server ends the connection; what no two responses share is left out."""
    with socket.create_connection(("127.0.0.1", live.port), PATIENCE) as client:
        client.sendall(request + end)
        found = b""
        while data := client.recv(65536):
            found += data
    return VARIES.sub(rb"\1", found)


@pytest.mark.parametrize("name", REQUESTS)
def test_the_same_bytes(live: Live, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refusals, other methods, the end of a connection, and requests that wait behind one another."""
    at_once = replies(live, REQUESTS[name])
    assert at_once.count(b"HTTP/1.1 ") >= (1 if name in {"last-of-its-connection", "older-protocol"} else 2), at_once
    monkeypatch.setattr(endpoint, "write_whole", lambda *_: False)
    assert replies(live, REQUESTS[name]) == at_once


def test_a_body_that_is_not_read_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left of it would be taken for the next request; so uvicorn sends, and closes."""
    monkeypatch.setattr(asgi, "DRAIN", 0)
    with live_server() as live:
        found = replies(live, b"POST /rest/sms HTTP/1.1\r\nContent-Length: 4000000\r\n\r\n" + b"x" * 110_000, end=b"")
    assert (found.count(b"HTTP/1.1 "), found.count(asgi.CLOSE)) == (1, 1)


@pytest.mark.parametrize(("http", "expected"), [("httptools", True), ("h11", False)])
def test_it_is_used(http: str, expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where uvicorn reads with httptools, an ordinary response goes out so; the last of a connection does not."""
    used: list[bool] = []

    def spied(*given: Any) -> bool:
        used.append(write_whole(*given))
        return used[-1]

    monkeypatch.setattr(endpoint, "write_whole", spied)
    with live_server(http=http) as live:
        replies(live, REQUESTS["refused"])
    assert used == [expected, False]


def test_nothing_is_written_past_a_client_that_does_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the socket takes no more, uvicorn sends, since its send waits until there is room."""
    used: list[bool] = []

    def spied(send: Any, *response: Any) -> bool:
        flow = send.__self__.flow
        flow.pause_writing()
        used.append(write_whole(send, *response))
        flow.resume_writing()
        return used[-1]

    monkeypatch.setattr(endpoint, "write_whole", spied)
    with live_server() as live:
        found = replies(live, REQUESTS["refused"])
    assert used == [False, False]
    assert found.count(b"HTTP/1.1 ") == 2


def test_without_httptools(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python that has no httptools sends as uvicorn does."""
    asgi.of_httptools.cache_clear()
    monkeypatch.setitem(sys.modules, "uvicorn.protocols.http.httptools_impl", None)
    monkeypatch.delattr("uvicorn.protocols.http.httptools_impl", raising=False)
    assert asgi.write_whole(print, 200, b"", b"") is False
    asgi.of_httptools.cache_clear()
