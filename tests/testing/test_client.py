"""What goes wrong between a test and a server is told with its cure."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from mockserver.testing import Account, ControlError, MockServer, run
from mockserver.testing.client import PATIENCE, Control
from tests.testing.sending import send


@contextmanager
def another_server(status: int, body: bytes) -> Iterator[str]:
    """A server that is no mockserver: answers every GET alike."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    with HTTPServer(("127.0.0.1", 0), Handler) as other:
        thread = threading.Thread(target=other.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{other.server_port}"
        other.shutdown()
        thread.join()


def test_nobody_listens() -> None:
    """A refused connection names the address and how to start a server."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ControlError, match=rf"no mockserver answers at {url}: .*refused.*mockserver serve"):
            MockServer(url).account()


@pytest.mark.parametrize("body", [b"<html>", b'{"status": "ok"}', b"[1]"], ids=["a page", "another API", "a list"])
@pytest.mark.parametrize("status", [200, 404])
def test_something_else_listens(status: int, body: bytes) -> None:
    """Another program's answer to the health check is not taken for ours."""
    with another_server(status, body) as url, pytest.raises(ControlError, match=rf"not as a mockserver.*gave {status}"):
        MockServer(url).account()


def test_a_server_without_its_store() -> None:
    """It is ours, and what it answers to the request says what is wrong."""
    body = b'{"status": "unavailable", "detail": "the store is gone"}'
    with another_server(503, body) as url, pytest.raises(ControlError, match="the store is gone"):
        MockServer(url).account()


@pytest.mark.parametrize("url", ["localhost:8080", "ftp://x", "http://", "http://[", "http://x:port", ""])
def test_no_url(url: str) -> None:
    """A mistyped address is told when the server is named."""
    with pytest.raises(ControlError, match=r"looks like http://127\.0"):
        MockServer(url)


def test_the_token_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong token names the three places to give it; the environment's is the default."""
    with run(admin_token="right") as server:
        assert server.account().id
        with pytest.raises(ControlError, match=r"token=…, --mockserver-token or MOCKSERVER_ADMIN_TOKEN"):
            MockServer(server.url, "wrong").account()
        monkeypatch.setenv("MOCKSERVER_ADMIN_TOKEN", "right")
        assert MockServer(f"{server.url}/").account().id


@pytest.mark.parametrize("token", ["tok-s3cret\nX: y", "tök-s3cret", "tok s3cret"])
def test_a_token_that_cannot_be_sent_is_refused_unseen(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    """When the server is named, and the message does not end up with it in a log of CI."""
    for given in (token, None):
        monkeypatch.setenv("MOCKSERVER_ADMIN_TOKEN", token)
        with pytest.raises(ControlError, match=r"token must be printable ASCII without blanks$") as caught:
            MockServer("http://127.0.0.1:1", given)
        assert "s3cret" not in str(caught.value)


def test_white_space_around_a_token_does_not_count() -> None:
    """One that is read from a file ends in a newline, on either side."""
    with run(admin_token="right\n") as server:
        assert MockServer(server.url, " right\r\n").account().id


@pytest.mark.parametrize("url", ["http://user:s3cret@127.0.0.1:1", "user:s3cret@x", "http://x:s3cret@[::"])
def test_no_password_is_shown(url: str) -> None:
    """A URL with a password is refused without it: nothing here would send it."""
    with pytest.raises(ControlError, match="not one with a user or a password") as caught:
        MockServer(url)
    assert "s3cret" not in str(caught.value)


def test_a_refusal_says_where(server: MockServer) -> None:
    """The control API's own words arrive, with status and pointer."""
    with pytest.raises(ControlError, match=r"POST /_mock/accounts was refused with 400: .*at /body/id") as caught:
        server.account(id="not an id")
    assert caught.value.status == 400


def test_a_refusal_in_other_words_is_shown(server: MockServer) -> None:
    """An answer that is no problem document is quoted."""
    with another_server(500, b"down") as url:
        control = Control(url)
        control._is_known = True  # noqa: SLF001 -- as if it had broken down since
        with pytest.raises(ControlError, match="GET /_mock/accounts was refused with 500: down"):
            control.get("accounts")


def test_patience_is_beside_the_wait(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """An assertion that may wait on the server for long is not given up while the server waits."""
    timeouts: list[float] = []

    class Connection(HTTPConnection):
        def __init__(self, host: str, port: int | None, timeout: float) -> None:
            timeouts.append(timeout)
            super().__init__(host, port, timeout=timeout)

    monkeypatch.setattr("mockserver.testing.client.HTTPConnection", Connection)
    send(account.polyai)
    account.polyai.send_sms.assert_called(within=45)
    account.polyai.send_sms.assert_called()
    assert timeouts == [PATIENCE + 45, PATIENCE]
