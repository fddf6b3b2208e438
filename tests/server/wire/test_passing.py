"""Requests in absolute form for a host that is let through: there and back unchanged, but for what ends at each hop."""

import http.server
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from mockserver.server.settings import Settings
from tests.live import PATIENCE, Live, live_server


class Real(http.server.BaseHTTPRequestHandler):
    """A host that tells what it was asked, chunked, behind a preliminary answer; ``/cut`` gets half an answer."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        chunked = self.headers.get("transfer-encoding") == "chunked"
        body = self._chunks() if chunked else self.rfile.read(int(self.headers.get("content-length", 0)))
        told = "\n".join([self.requestline, *(f"{name}: {value}" for name, value in self.headers.items()), ""])
        self.send_response_only(103)
        self.send_header("Link", "</early>")
        self.end_headers()
        self.send_response_only(404)
        self.send_header("X-Real", "yes")
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("Connection", "close, X-Real")
        self.end_headers()
        for part in (told.encode(), b"\n", body or b"nothing"):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True

    def do_GET(self) -> None:
        if self.path == "/silent":
            self.close_connection = True
            return
        self.send_response_only(200)
        if self.path.startswith("/cut"):
            name, value = ("Content-Length", "100") if self.path == "/cut-sized" else ("Transfer-Encoding", "chunked")
            self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"4\r\npart\r\n" if name == "Transfer-Encoding" else b"part")
            self.close_connection = True
            return
        if self.path == "/sized":
            self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"until the end"[: 5 if self.path == "/sized" else None])
        self.close_connection = True

    def do_HEAD(self) -> None:
        self.send_response_only(200)
        self.send_header("Content-Length", "100")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body


@pytest.fixture(scope="module")
def real() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Real) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        thread.join(PATIENCE)


@pytest.fixture(scope="module")
def live() -> Iterator[Live]:
    with live_server(Settings(let_through=("localhost",))) as live:
        yield live


@pytest.fixture
def client(live: Live) -> Iterator[requests.Session]:
    """A client whose proxy is the server; it keeps its connection."""
    with requests.Session() as session:
        session.trust_env = False
        session.proxies = {"http": live.url}
        yield session


def test_a_request_arrives_as_it_was_sent(client: requests.Session, real: str) -> None:
    """Path, query, headers and body, without what is between two ends; the answer has its status, headers and body."""
    headers = {"X-Own": "1", "TE": "trailers", "Proxy-Authorization": "Basic eDp5"}
    for body, expected in ((b"sent", "sent"), (iter([b"in ", b"pieces"]), "in pieces")):
        answer = client.post(f"{real}/a%2Fb?c=%20", data=body, headers=headers, timeout=PATIENCE)
        told = answer.text.split("\n")
        assert told[0] == "POST /a%2Fb?c=%20 HTTP/1.1"
        assert told[-1] == expected
        names = {line.partition(":")[0].lower() for line in told[1:-1] if line}
        assert {"x-own", "host", "connection"} <= names
        assert not {"te", "proxy-authorization", "proxy-connection"} & names
        assert (answer.status_code, answer.headers["X-Real"]) == (404, "yes")
        assert "Link" not in answer.headers


@pytest.mark.parametrize(("path", "body"), [("/sized", "until"), ("/", "until the end")])
def test_answers_end_as_they_may(client: requests.Session, real: str, path: str, body: str) -> None:
    """By their length, or with their connection; that of the client goes on."""
    for _ in range(2):
        assert client.get(real + path, timeout=PATIENCE).text == body
        assert client.head(real + path, timeout=PATIENCE).headers["Content-Length"] == "100"


@pytest.mark.parametrize("path", ["/cut-sized", "/cut-chunked"])
def test_answers_that_are_cut_off(
    client: requests.Session, real: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """They are cut off for the client, too, behind what came of them, and nothing is logged."""
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        client.get(real + path, timeout=PATIENCE)
    assert "Traceback" not in caplog.text


def test_vendors_are_answered_beside(client: requests.Session, real: str) -> None:
    """On the same connection to the proxy, each request goes where it is for."""
    assert client.get(f"{real}/sized", timeout=PATIENCE).status_code == 200
    answer = client.post("http://api.voximplant.com/platform_api/SendSmsMessage", timeout=PATIENCE)
    assert answer.headers["x-mock-answer"] == "voximplant.send_sms/unauthorized"
    assert client.get("http://other.example/", timeout=PATIENCE).status_code == 502
    assert client.get(f"{real}/", timeout=PATIENCE).text == "until the end"


def test_a_host_that_does_not_answer(client: requests.Session, real: str) -> None:
    """The client is told so, whether nobody is there or nothing comes."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        gone = client.get(f"http://localhost:{unused.getsockname()[1]}/", timeout=PATIENCE)
    silent = client.get(f"{real}/silent", timeout=PATIENCE)
    for answer in (gone, silent):
        assert (answer.status_code, answer.json()["title"]) == (502, "Cannot be reached")
    assert "it ended the connection without an answer" in silent.json()["detail"]


def test_a_host_that_speaks_no_tls(live: Live, real: str) -> None:
    """An https address in absolute form is asked over TLS, with the system's trust: what fails there is told."""
    with socket.create_connection(("127.0.0.1", live.port), timeout=PATIENCE) as connection:
        target = real.replace("http:", "https:")
        connection.sendall(f"GET {target}/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while more := connection.recv(65_536):
            answer += more
    assert answer.startswith(b"HTTP/1.1 502 ")
    assert b"is let through, and cannot be reached" in answer
