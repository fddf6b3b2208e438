"""Real clients and the whole server: the vendors' own addresses, through a proxy or over TLS, with faults and notes."""

import asyncio
import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
import uvloop

from mockserver.server import uvicorn_server
from mockserver.server.certificates import vendor_hosts
from mockserver.server.settings import Settings
from tests.live import PATIENCE, Live, live_server

HOST = "api.voximplant.com"
SEND = "/platform_api/SendSmsMessage"
REFUSED = {"x-mock-answer": "voximplant.send_sms/unauthorized"}
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.SelectorEventLoop,
    "uvloop": uvloop.new_event_loop,
}


class Reached:
    """A server, and what its clients trust."""

    def __init__(self, live: Live, folder: Path) -> None:
        self.live = live
        self.url = live.url
        self.port = live.port
        self.ca = str(folder / "ca.pem")
        self.bundle = str(folder / "bundle.pem")

    @property
    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.ca)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        return requests.request(method, f"{self.url}/_mock/{path}", json=body, timeout=PATIENCE).json()

    def curl(self, *options: str) -> tuple[int, str]:
        """Exit code and what it prints, with nothing of this process's environment."""
        command = ["curl", "-sS", "-i", "--max-time", str(PATIENCE), *options]
        ended = subprocess.run(command, capture_output=True, text=True, env={"PATH": os.environ["PATH"]}, check=False)
        return ended.returncode, ended.stdout + ended.stderr

    def incidents(self, count: int) -> list[Any]:
        """The newest calls that nobody claims, once there are so many that are about a connection."""
        for _ in range(1000):
            calls = self.control("GET", "calls?account=unclaimed")["calls"]
            found = [call for call in calls if call["notes"]]
            if len(found) >= count:
                return found
        raise AssertionError(f"{len(found)} incidents, not {count}")


@pytest.fixture(params=LOOPS)
def server(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reached]:
    """On either kind of event loop. What this machine presets for clients does not count."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(uvicorn_server, "event_loop", LOOPS[request.param])
    with live_server(Settings(tls_files=tmp_path / "tls")) as live:
        yield Reached(live, tmp_path / "tls")


def test_requests(server: Reached) -> None:
    """Through the proxy, with the bundle, to the address that is built in; TLS and plain."""
    with requests.Session() as session:
        session.trust_env = False
        session.verify = server.bundle
        for scheme in ("https", "http"):
            session.proxies = {scheme: server.url}
            for _ in range(2):
                answer = session.post(f"{scheme}://{HOST}{SEND}", timeout=PATIENCE)
                assert REFUSED.items() <= answer.headers.items()


def test_httpx(server: Reached) -> None:
    """As requests."""
    with httpx.Client(proxy=server.url, verify=server.context, trust_env=False) as client:
        for scheme in ("https", "http"):
            for _ in range(2):
                assert REFUSED.items() <= client.post(f"{scheme}://{HOST}{SEND}").headers.items()


def test_http_client(server: Reached) -> None:
    """The library's own client, in a tunnel, on one connection."""
    connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=server.context, timeout=PATIENCE)
    connection.set_tunnel(HOST)
    for _ in range(3):
        connection.request("POST", SEND)
        answer = connection.getresponse()
        assert REFUSED.items() <= dict(answer.getheaders()).items()
        answer.read()
    connection.close()


@pytest.mark.parametrize("way", ["proxy", "proxytunnel", "resolve", "https-proxy", "localhost"])
def test_curl(server: Reached, way: str) -> None:
    """By CONNECT, by a tunnel for plain HTTP, by name, over TLS to the proxy itself; and our own address over TLS."""
    options = {
        "proxy": ["-x", server.url, f"https://{HOST}{SEND}"],
        "proxytunnel": ["-p", "-x", server.url, f"http://{HOST}{SEND}"],
        "resolve": ["--connect-to", f"::127.0.0.1:{server.port}", f"https://{HOST}{SEND}"],
        "https-proxy": [
            *("-x", f"https://localhost:{server.port}", "--proxy-cacert", server.ca),
            f"https://{HOST}{SEND}",
        ],
        "localhost": [f"https://localhost:{server.port}{SEND}"],
    }[way]
    code, printed = server.curl("-X", "POST", "--cacert", server.ca, *options)
    assert code == 0, printed
    assert "x-mock-answer: voximplant.send_sms/unauthorized" in printed


def test_each_vendors_host(server: Reached) -> None:
    """One certificate is for all of them, and each host has its vendor's paths."""
    hosts = vendor_hosts(server.live.app.contracts)
    assert len(hosts) > 5
    urls = [f"https://{host}/none" for host in hosts]
    code, printed = server.curl("-x", server.url, "--cacert", server.ca, *urls)
    assert code == 0, printed
    assert printed.count("HTTP/1.1 404 ") == len(hosts)


def test_absolute_form_with_https(server: Reached) -> None:
    """Old clients ask for an https address in clear text: it is served, and the host in the target counts."""
    for _ in range(2):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
        for host in ("127.0.0.1", "cx.avaamo.com"):
            connection.request("POST", f"https://{HOST}{SEND}", headers={"Host": host})
            answer = connection.getresponse()
            assert REFUSED.items() <= dict(answer.getheaders()).items()
            answer.read()
        connection.close()


def test_other_hosts_are_refused(server: Reached) -> None:
    """Whether by CONNECT or by an absolute target; both are in the journal with who asked."""
    code, printed = server.curl("-A", "probe/1", "-x", server.url, "https://other.example/x")
    assert (code, "response 502" in printed) == (56, True)
    code, printed = server.curl("-A", "probe/2", "-x", server.url, "http://other.example/x?token=secret")
    assert (code, "HTTP/1.1 502 " in printed) == (0, True)
    assert "other.example is no vendor's host, and nothing leaves this machine; --let-through other.example" in printed
    newest, oldest = server.incidents(2)
    assert (newest["request"]["method"], newest["request"]["path"]) == ("GET", "http://other.example/x")
    assert (oldest["request"]["method"], oldest["request"]["path"]) == ("CONNECT", "other.example:443")
    assert oldest["request"]["headers"] == [["user-agent", "probe/1"]]
    for call in (newest, oldest):
        assert (call["response"]["status"], call["outcome"], call["account"]) == (502, "sent", None)
        assert call["response"]["json"]["title"] == "No vendor's host"
        assert call["notes"] == ["No vendor's host"]


def test_a_client_that_does_not_trust_us_is_in_the_journal(server: Reached) -> None:
    """With the host, who it was, and what to set."""
    code, printed = server.curl("-A", "probe/3", "-x", server.url, f"https://{HOST}{SEND}")
    assert code == 60, printed
    [call] = server.incidents(1)
    assert (call["request"]["method"], call["request"]["path"]) == ("CONNECT", f"{HOST}:443")
    assert call["request"]["headers"] == [["user-agent", "probe/3"]]
    assert (call["outcome"], call["response"]["status"]) == ("aborted", 200)
    assert call["notes"] == [
        "the client did not trust the server's certificate (unknown_ca); `mockserver ca --hint` prints what to set"
    ]


def tunnelled(server: Reached) -> ssl.SSLSocket:
    """TLS in a tunnel, as far as the connection of the two ends."""
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
    connection.sendall(f"CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\n\r\n".encode())
    assert connection.recv(39, socket.MSG_WAITALL) == b"HTTP/1.1 200 Connection established\r\n\r\n"
    return server.context.wrap_socket(connection, server_hostname=HOST)


def over_tls(server: Reached) -> ssl.SSLSocket:
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
    return server.context.wrap_socket(connection, server_hostname=HOST)


@pytest.mark.parametrize("way", [tunnelled, over_tls])
def test_faults(server: Reached, way: Callable[[Reached], ssl.SSLSocket]) -> None:
    """Each does to the client what it does on a plain connection; a reset is one to its kernel."""
    ask = f"POST {SEND} HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 0\r\nAuthorization: Bearer x\r\n\r\n".encode()
    key = server.control("GET", "accounts/default")["vendors"]["voximplant"]["tokens"]
    token = next(iter(key.values()))
    ask = ask.replace(b"Bearer x", f"Bearer {token}".encode())

    def pin(kind: str) -> None:
        body = {"account": "default", "fault": {"kind": kind, "times": 1}}
        pinned = server.control("PUT", "pins/voximplant.send_sms", body)
        assert "id" in pinned, pinned

    def all_of(connection: socket.socket) -> bytes:
        data = b""
        while more := connection.recv(65_536):
            data += more
        return data

    for kind in ("empty", "truncate", "garbage"):
        pin(kind)
        with way(server) as connection:
            connection.sendall(ask)
            data = all_of(connection)
        head, _, body = data.partition(b"\r\n\r\n")
        if kind == "truncate":
            assert head.startswith(b"HTTP/1.1 ")
            with pytest.raises(json.JSONDecodeError):
                json.loads(body)
        else:
            assert bool(data) is (kind == "garbage")
            assert not data.startswith(b"HTTP/1.1")
    pin("reset")
    connection = way(server)
    connection.sendall(ask)
    with socket.socket(fileno=connection.detach()) as raw:
        raw.settimeout(PATIENCE)
        with pytest.raises(ConnectionResetError):
            all_of(raw)


def test_a_server_that_speaks_no_tls_makes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Certificates are made when a client's first byte asks for them."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with live_server() as live:
        assert requests.get(f"{live.url}/_mock/health", timeout=PATIENCE).status_code == 200
        assert not (tmp_path / "state").exists()
        with socket.create_connection(("127.0.0.1", live.port), timeout=PATIENCE) as connection:
            trusting_nothing = ssl.create_default_context()
            with pytest.raises(ssl.SSLCertVerificationError):
                trusting_nothing.wrap_socket(connection, server_hostname=HOST)
        assert len(list((tmp_path / "state" / "mockserver").iterdir())) == 1


def test_starting_takes_no_time_for_tls() -> None:
    """What makes certificates is not imported before it is needed."""
    program = "import sys, mockserver.server.uvicorn_server, mockserver.server.application\n"
    program += "mockserver.server.application.create_app()\n"
    program += "print('mockserver.server.authority' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"
