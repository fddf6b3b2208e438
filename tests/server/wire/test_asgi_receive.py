"""Bodies off the wire: within the limit, or read and thrown away; the connection stays good."""

import asyncio
import json
import re
import socket
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.server.wire import asgi
from mockserver.server.wire.asgi import DisconnectedError, receive_body
from tests.live import PATIENCE, Live
from tests.properties import examples

LIMIT = 1000  # of the operation that is called here
JSON = {"Content-Type": "application/json"}


def received(messages: list[dict[str, Any]], limit: int) -> tuple[bytes, int, bool]:
    """What is made of these ASGI messages; asking for more than there are would be a hang."""
    waiting = iter(messages)

    async def next_message() -> dict[str, Any]:
        return next(waiting)

    return asyncio.run(receive_body(next_message, limit))


def chunks(*bodies: bytes, ended: bool = True) -> list[dict[str, Any]]:
    found = [{"type": "http.request", "body": body, "more_body": True} for body in bodies]
    return [*found[:-1], {**found[-1], "more_body": not ended}]


@given(st.lists(st.binary(max_size=6), min_size=1, max_size=5), st.integers(0, 12))
@settings(deadline=None, max_examples=examples(100), derandomize=True)
def test_a_body_is_the_same_in_any_chunks(bodies: list[bytes], limit: int) -> None:
    """Up to the limit the whole is kept; one byte more, and nothing is, but how much there was."""
    whole = b"".join(bodies)
    expected = (whole, 0, True) if len(whole) <= limit else (b"", len(whole), True)
    assert received(chunks(*bodies), limit) == expected


def test_a_message_may_leave_everything_out() -> None:
    """ASGI lets a server send neither body nor more_body."""
    assert received([{"type": "http.request"}], 0) == (b"", 0, True)
    assert received([*chunks(b"a", ended=False), {"type": "http.request"}], 1) == (b"a", 0, True)


@pytest.mark.parametrize("before", [[], chunks(b"ab", ended=False), chunks(b"ab", b"c" * 99, ended=False)])
def test_a_client_that_leaves(before: list[dict[str, Any]]) -> None:
    """At any time before the end, there is no request."""
    with pytest.raises(DisconnectedError):
        received([*before, {"type": "http.disconnect"}], 10)


def test_an_endless_body_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Far beyond the limit, reading ends before the body does."""
    monkeypatch.setattr(asgi, "DRAIN", 10)
    assert received(chunks(b"x" * 6, b"x" * 9, b"x", b"x", ended=False), 5) == (b"", 16, False)
    assert received(chunks(b"x" * 6, b"x" * 9), 5) == (b"", 15, True)


@pytest.fixture
def connection(live: Live) -> Iterator[HTTPConnection]:
    """One connection, kept alive, that is never opened again unseen."""
    connection = HTTPConnection("127.0.0.1", live.port, timeout=20)
    connection.connect()
    connection.auto_open = 0
    yield connection
    connection.close()


def ask(connection: HTTPConnection, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, Any]:
    """Status, headers and JSON of an answer."""
    chunked = body is not None and not isinstance(body, bytes)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, {**JSON, **sent}, encode_chunked=chunked)
    response = connection.getresponse()
    raw = response.read()
    return response.status, response.headers, json.loads(raw) if raw else None


def fresh(connection: HTTPConnection) -> Any:
    status, _, account = ask(connection, "POST", "/_mock/accounts", b"{}")
    assert status == 201
    return account


def good(account: Any) -> tuple[bytes, dict[str, str]]:
    """A body that is accepted, and its credential."""
    vendor = account["vendors"]["acme"]
    body = json.dumps({"from": vendor["owned"]["lines"][0]["number"], "to": "+15550100"}).encode()
    return body, {"X_Key": vendor["credentials"]["key"]}


def calls(connection: HTTPConnection, account: Any) -> Any:
    return ask(connection, "GET", f"/_mock/calls?account={account['id']}")[2]["calls"]


@pytest.mark.parametrize("way", ["length", "chunked"])
def test_too_large_and_the_next_request(connection: HTTPConnection, way: str) -> None:
    """Nothing of a body over the limit is kept, its problem is; the next request on the connection is as ever."""
    account = fresh(connection)
    body, key = good(account)
    large = body.ljust(LIMIT + 1)
    framed = large if way == "length" else (large[at : at + 100] for at in range(0, len(large), 100))
    coding = {"Transfer-Encoding": "chunked"} if way == "chunked" else {}
    status, headers, _ = ask(connection, "POST", "/base/messages", framed, **key, **coding)
    assert (status, headers["X-Mock-Problem"], headers["Connection"]) == (400, "too_large /body", None)
    assert ask(connection, "POST", "/base/messages", body.ljust(LIMIT), **key)[0] == 202
    second, first = calls(connection, account)
    assert (first["request"]["body_base64"], first["request"]["json"]) == (None, None)
    assert [problem["kind"] for problem in first["problems"]] == ["too_large"]
    assert (second["accepted"], second["problems"]) == (True, [])


def test_an_unknown_path_has_the_servers_limit(connection: HTTPConnection) -> None:
    """Nothing larger is kept there either."""
    account = fresh(connection)
    _, key = good(account)
    assert ask(connection, "POST", "/nowhere", b"x" * 5000, **key)[0] == 404
    assert ask(connection, "POST", "/nowhere", b"x" * 5001, **key)[0] == 404
    large, whole = calls(connection, account)
    assert len(whole["request"]["body_base64"]) > 5000
    assert large["request"]["body_base64"] is None


@pytest.mark.parametrize(("path", "status"), [("/base/messages", 400), ("/nowhere", 404)])
def test_a_body_without_end_closes_the_connection(
    connection: HTTPConnection, monkeypatch: pytest.MonkeyPatch, path: str, status: int
) -> None:
    """It is answered, and the client is told that the connection ends."""
    monkeypatch.setattr(asgi, "DRAIN", 0)
    _, key = good(fresh(connection))
    connection.putrequest("POST", path)
    for name, value in {**JSON, "X-Key": key["X_Key"], "Content-Length": "9000000"}.items():
        connection.putheader(name, value)
    connection.endheaders(b"x" * (asgi.MAX_KEPT_BODY + 1))
    response = connection.getresponse()
    assert (response.status, response.headers["Connection"]) == (status, "close")
    assert response.headers["X-Mock-Problem"] == ("too_large /body" if status == 400 else None)


@pytest.mark.parametrize("path", ["/base/messages", "/nowhere", "/_mock/health"])
@pytest.mark.parametrize("body", [b"", b"{}"])
def test_a_client_that_waits_to_be_told(live: Live, path: str, body: bytes) -> None:
    """It is told once, whether it has a body to send or not, and not at all where the body came with the head."""
    head = b"POST %b HTTP/1.1\r\nHost: localhost\r\nExpect: 100-Continue\r\nConnection: close\r\n" % path.encode()
    with socket.create_connection(("127.0.0.1", live.port), PATIENCE) as raw:
        raw.sendall(head + b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        found = b"".join(iter(lambda: raw.recv(65536), b""))
    first, *more = re.findall(rb"HTTP/1.1 (\d+) ", found)
    assert (first == b"100", len(more)) == ((True, 1) if not body else (False, 0))


def test_a_client_that_leaves_within_a_body_is_not_recorded(live: Live, connection: HTTPConnection) -> None:
    """There was no request, so there is no call; the server goes on."""
    account = fresh(connection)
    body, key = good(account)
    head = f"POST /base/messages HTTP/1.1\r\nHost: localhost\r\nX-Key: {key['X_Key']}\r\nContent-Length: 500\r\n\r\n"
    for part in (b"", body):
        with socket.create_connection(("127.0.0.1", live.port)) as raw:
            raw.sendall(head.encode() + part)
    for _ in range(5):
        assert ask(connection, "GET", "/_mock/health")[0] == 200
    assert ask(connection, "POST", "/base/messages", body, **key)[0] == 202
    assert [call["answer"] for call in calls(connection, account)] == ["acme.send_sms/sent"]


def test_a_client_that_leaves_the_control_api_is_nobodys_error(
    live: Live, connection: HTTPConnection, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is logged where nobody is left to be answered."""
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", live.port)) as raw:
            raw.sendall(b"POST /_mock/accounts HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20\r\n\r\n{")
    for _ in range(5):
        assert ask(connection, "GET", "/_mock/health")[0] == 200
    assert caplog.records == []


@pytest.mark.parametrize(
    ("what", "headers", "size", "status"),
    [
        pytest.param(("POST", "/_mock/accounts"), {}, 1024 * 1024 + 1, 413, id="control-api-too-large"),
        pytest.param(("POST", "/_mock/accounts"), {"Host": "evil.test"}, 100_000, 403, id="control-api-refused-unread"),
        pytest.param(("PUT", "/_mock/health"), {}, 100_000, 405, id="control-api-wrong-method"),
        pytest.param(("HEAD", "/base/messages"), {}, 100, 405, id="head"),
        pytest.param(("OPTIONS", "/base/messages"), {}, 100_000, 204, id="options-with-a-body"),
        pytest.param(("GET", "/base/typed/5"), {}, 100_000, 204, id="body-that-nobody-reads"),
    ],
)
def test_no_answer_spoils_the_next_request(
    connection: HTTPConnection, what: tuple[str, str], headers: dict[str, str], size: int, status: int
) -> None:
    """Whatever was not read of a body does not come out as the next request on its connection."""
    for _ in range(2):
        connection.request(*what, b"x" * size, {**JSON, **headers})
        response = connection.getresponse()
        response.read()
        assert response.status == status
        if response.headers["Connection"] == "close":
            connection.close()
            connection.connect()
        assert ask(connection, "GET", "/_mock/health")[2]["status"] == "ready"
