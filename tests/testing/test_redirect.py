"""A process's connections led elsewhere, and put back exactly."""

import asyncio
import contextlib
import http.client
import socket
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest
import requests
import urllib3

from mockserver.testing import MockServer
from mockserver.testing.redirect import MARK, Redirect

HOST = "api.acme.example"
URL = f"http://{HOST}/_mock/health"
OWNERS = [
    (socket, "getaddrinfo"),
    (socket, "gethostbyname"),
    (socket.socket, "connect"),
    (socket.socket, "connect_ex"),
    (ssl.SSLContext, "wrap_socket"),
    (ssl.SSLContext, "wrap_bio"),
]


def state() -> list[Any]:
    """What stands where a redirection puts something."""
    import uvloop  # noqa: PLC0415 -- tests that have none fail here, not at collection

    loops = [(uvloop.Loop, name) for name in ("getaddrinfo", "create_connection", "sock_connect")]
    return [vars(owner).get(name) for owner, name in [*OWNERS, *loops]] + sys.meta_path


@pytest.fixture
def redirect(server: MockServer) -> Iterator[Redirect]:
    before = state()
    host, port = server.url.removeprefix("http://").split(":")
    made = Redirect([HOST], (host, int(port)), "")
    made.start()
    yield made
    made.stop()
    assert state() == before


def by_requests() -> int:
    return requests.get(URL, timeout=5).status_code


def by_httpx() -> int:
    return httpx.get(URL).status_code


def by_urllib3() -> int:
    return urllib3.PoolManager().request("GET", URL).status


def by_urllib() -> int:
    with urllib.request.urlopen(URL) as response:
        status: int = response.status
        return status


def by_http_client() -> int:
    connection = http.client.HTTPConnection(HOST.upper(), timeout=5)
    with contextlib.closing(connection):
        connection.request("GET", "/_mock/health", headers={"Host": "localhost"})
        return connection.getresponse().status


def by_name() -> int:
    with socket.socket() as connection:  # as httplib2 does: the name is given to connect
        connection.connect((HOST, 80))
        connection.sendall(b"GET /_mock/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return int(connection.recv(12).split()[1])


async def by_aiohttp() -> int:
    async with aiohttp.ClientSession() as session, session.get(URL) as response:
        return response.status


async def by_async_httpx() -> int:
    async with httpx.AsyncClient() as client:
        return (await client.get(URL)).status_code


async def by_streams() -> int:
    reader, writer = await asyncio.open_connection(HOST, 80)
    writer.write(b"GET /_mock/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    status = int((await reader.readline()).split()[1])
    writer.close()
    return status


@pytest.mark.parametrize("ask", [by_requests, by_httpx, by_urllib3, by_urllib, by_http_client, by_name])
@pytest.mark.usefixtures("redirect")
def test_clients(ask: Any) -> None:
    """Each of them, and each way to connect."""
    assert ask() == 200


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("ask", [by_aiohttp, by_async_httpx, by_streams])
@pytest.mark.usefixtures("redirect")
def test_async_clients(ask: Any, loop: str) -> None:
    """On either event loop."""
    import uvloop  # noqa: PLC0415 -- as above

    with asyncio.Runner(loop_factory=uvloop.new_event_loop if loop == "uvloop" else None) as runner:
        assert runner.run(ask()) == 200


@pytest.mark.usefixtures("redirect")
def test_others_are_left_alone(server: MockServer) -> None:
    """Another name is not known, another address is what it is."""
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("other.acme.invalid", 80)
    assert socket.getaddrinfo("127.0.0.1", 80)[0][4] == ("127.0.0.1", 80)
    assert requests.get(f"{server.url}/_mock/health", timeout=5).status_code == 200


def test_a_client_made_before_and_used_after(server: MockServer) -> None:
    """It is caught while it lasts, and as it was afterwards."""
    host, port = server.url.removeprefix("http://").split(":")
    redirect = Redirect([HOST], (host, int(port)), "")
    with httpx.Client() as client:
        redirect.start()
        redirect.start()
        assert client.get(URL).status_code == 200
        redirect.stop()
        redirect.stop()
    with httpx.Client() as client, pytest.raises(httpx.ConnectError):
        client.get(URL)


def test_what_others_have_put_above_stays(server: MockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is theirs to take away; what is below it only passes on then."""
    host, port = server.url.removeprefix("http://").split(":")
    redirect = Redirect([HOST], (host, int(port)), "")
    original = socket.getaddrinfo
    redirect.start()
    ours = socket.getaddrinfo
    theirs = partial(ours)
    monkeypatch.setattr(socket, "getaddrinfo", theirs)
    assert socket.getaddrinfo(HOST, 80)[0][4][0] == MARK
    redirect.stop()
    assert socket.getaddrinfo is theirs
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo(HOST, 80)
    monkeypatch.setattr(socket, "getaddrinfo", original)


LATE = """
import sys
sys.path.insert(0, sys.argv[1])
import importlib.util
spec = importlib.util.spec_from_file_location("redirect", sys.argv[2])
module = importlib.util.module_from_spec(spec); sys.modules["redirect"] = module; spec.loader.exec_module(module)
assert "uvloop" not in sys.modules and "asyncio" not in sys.modules
redirect = module.Redirect(["api.acme.example"], ("127.0.0.1", int(sys.argv[3])), "")
redirect.start()
import asyncio, uvloop
async def main():
    reader, writer = await asyncio.open_connection("api.acme.example", 80)
    writer.write(b"GET /_mock/health HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n")
    print((await reader.readline()).decode())
    writer.close()
uvloop.run(main()) if hasattr(uvloop, "run") else asyncio.run(main())
redirect.stop()
assert "create_connection" not in vars(uvloop.Loop)
"""


def test_an_event_loop_that_is_imported_later(server: MockServer) -> None:
    """It is caught when it comes; until then nothing is imported for it."""
    import mockserver.testing.redirect as module  # noqa: PLC0415 -- its file is wanted

    folder = str(Path(module.__file__).parents[2])
    command = [sys.executable, "-c", LATE, folder, module.__file__, server.url.rpartition(":")[2]]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout.split()[1:2]) == (0, ["200"]), ended.stderr


class Context:
    """Stands for a TLS context: whether it was made to trust."""

    def __init__(self, mode: ssl.VerifyMode) -> None:
        self.verify_mode = mode
        self.loaded: list[str] = []

    def load_verify_locations(self, *, cadata: str) -> None:
        self.loaded.append(cadata)


@pytest.mark.parametrize(
    ("host", "mode", "loaded"),
    [
        (HOST, ssl.CERT_REQUIRED, ["PEM"]),
        (f"{HOST}.".upper(), ssl.CERT_REQUIRED, ["PEM"]),
        (HOST, ssl.CERT_NONE, []),
        ("other.example", ssl.CERT_REQUIRED, []),
        (None, ssl.CERT_REQUIRED, []),
    ],
)
@pytest.mark.parametrize("place", ["positional", "by name"])
def test_trust(host: str | None, mode: ssl.VerifyMode, loaded: list[str], place: str) -> None:
    """The CA is trusted for these hosts, and only by contexts that check at all."""
    redirect = Redirect([HOST], ("127.0.0.1", 1), "PEM")
    redirect._is_on = True  # noqa: SLF001 -- without patching this process
    context = Context(mode)
    wrap = redirect._trusting(3)(lambda *args, **options: (args, options))  # noqa: SLF001 -- as above
    if place == "positional":
        assert wrap(context, 1, 2, False, host) == ((context, 1, 2, False, host), {})
    else:
        assert wrap(context, 1, 2, server_hostname=host) == ((context, 1, 2), {"server_hostname": host})
    assert context.loaded == loaded
