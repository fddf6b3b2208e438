"""A process's connections led elsewhere, and put back exactly."""

import asyncio
import contextlib
import http.client
import importlib
import socket
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from functools import partial
from typing import Any

import aiohttp
import httpx
import pytest
import requests
import urllib3
from aiohttp.abc import AbstractResolver

from mockserver.testing import MockServer
from mockserver.testing.redirect import MARK, NO_ADDRESS, Redirect

HOST = "api.acme.example"
URL = f"http://{HOST}/_mock/health"
OWNERS = [
    (socket, "getaddrinfo"),
    (socket, "gethostbyname"),
    (socket, "gethostbyname_ex"),
    (socket.socket, "connect"),
    (socket.socket, "connect_ex"),
    (ssl.SSLContext, "wrap_socket"),
    (ssl.SSLContext, "wrap_bio"),
]


def state() -> list[Any]:
    """What stands where a redirection puts something."""
    import uvloop  # noqa: PLC0415 -- tests that have none fail here, not at collection

    others = [(uvloop.Loop, name) for name in ("getaddrinfo", "create_connection", "sock_connect")]
    others += [(importlib.import_module("pycares").Channel, "getaddrinfo")]
    return [vars(owner).get(name) for owner, name in [*OWNERS, *others]] + sys.meta_path


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


async def by_aiohttp(resolver: type[AbstractResolver] = aiohttp.ThreadedResolver) -> int:
    connector = aiohttp.TCPConnector(resolver=resolver())
    async with aiohttp.ClientSession(connector=connector) as session, session.get(URL) as response:
        return response.status


async def by_aiodns() -> int:
    return await by_aiohttp(aiohttp.AsyncResolver)


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
@pytest.mark.parametrize("ask", [by_aiohttp, by_aiodns, by_async_httpx, by_streams])
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
    monkeypatch.setattr(socket, "getaddrinfo", socket.getaddrinfo)  # to be there again in the end
    redirect.start()
    ours = socket.getaddrinfo
    theirs = partial(ours)
    monkeypatch.setattr(socket, "getaddrinfo", theirs)
    assert socket.getaddrinfo(HOST, 80)[0][4][0] == MARK
    redirect.stop()
    assert socket.getaddrinfo is theirs
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo(HOST, 80)


@pytest.mark.usefixtures("redirect")
def test_names() -> None:
    """However a name is looked up, it is a host with one address, of IPv4."""
    assert socket.gethostbyname(HOST.upper()) == MARK
    assert socket.gethostbyname_ex(HOST) == (HOST, [], [MARK])
    assert socket.getaddrinfo(host=HOST, port=80, family=socket.AF_INET, type=socket.SOCK_STREAM)[0][4] == (MARK, 80)
    with pytest.raises(socket.gaierror) as error:
        socket.getaddrinfo(HOST, 80, socket.AF_INET6)
    assert error.value.errno == NO_ADDRESS
    assert socket.gethostbyname_ex("localhost")[0]


def test_no_resolver_is_asked_for_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of gevent and dnspython asks the network, unless it is told that an address stands there."""
    asked: list[Any] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args: asked.append(args))
    redirect = Redirect([HOST], ("127.0.0.1", 1), "")
    redirect.start()
    socket.getaddrinfo(HOST, 80, type=socket.SOCK_STREAM)
    socket.getaddrinfo("other.example", 80)
    redirect.stop()
    assert asked == [(MARK, 80, 0, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST), ("other.example", 80)]


LATE = """
import sys
import importlib.util
spec = importlib.util.spec_from_file_location("redirect", sys.argv[1])
module = importlib.util.module_from_spec(spec); sys.modules["redirect"] = module; spec.loader.exec_module(module)
assert not {"uvloop", "asyncio", "pycares", "gevent"} & set(sys.modules)
HOST, URL = "api.acme.example", "http://api.acme.example/_mock/health"
HEAD = b"GET /_mock/health HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n"
redirect = module.Redirect([HOST], ("127.0.0.1", int(sys.argv[2])), "")
"""
BY_UVLOOP = """
redirect.start()
import asyncio, uvloop
async def main():
    reader, writer = await asyncio.open_connection(HOST, 80)
    writer.write(HEAD)
    print(int((await reader.readline()).split()[1]))
    writer.close()
uvloop.run(main()) if hasattr(uvloop, "run") else asyncio.run(main())
redirect.stop()
assert "create_connection" not in vars(uvloop.Loop)
"""
BY_AIODNS = """
redirect.start()
import asyncio, aiohttp, pycares
led = pycares.Channel.getaddrinfo
async def main():
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=aiohttp.AsyncResolver())) as session:
        async with session.get(URL) as response:
            print(response.status)
asyncio.run(main())
redirect.stop()
assert pycares.Channel.getaddrinfo is not led
"""
BEFORE_GEVENT = """
redirect.start()
from gevent import monkey
monkey.patch_all()
"""
AFTER_GEVENT = """
from gevent import monkey
monkey.patch_all()
import socket
before = dict(vars(socket))
redirect.start()
"""
BY_GEVENT = """
import http.client, socket, gevent, gevent.socket, gevent.ssl, requests
def by_http_client():
    connection = http.client.HTTPConnection(HOST, timeout=5)
    connection.request("GET", "/_mock/health", headers={"Host": "localhost", "Connection": "close"})
    return connection.getresponse().status
def by_requests():
    return requests.get(URL, timeout=5).status_code
def by_socket():
    with gevent.socket.create_connection((HOST, 80), timeout=5) as connection:
        connection.sendall(HEAD)
        return int(connection.recv(12).split()[1])
def by_name():
    with socket.socket() as connection:
        connection.connect((HOST, 80))
        connection.sendall(HEAD)
        return int(connection.recv(12).split()[1])
assert socket.gethostbyname(HOST) == socket.gethostbyname_ex(HOST)[2][0] == module.MARK
print(*{gevent.spawn(ask).get() for ask in (by_http_client, by_requests, by_socket, by_name)})
led = gevent.socket.getaddrinfo, gevent.socket.socket.connect, gevent.ssl.SSLContext.wrap_socket
redirect.stop()
assert not set(led) & {gevent.socket.getaddrinfo, gevent.socket.socket.connect, gevent.ssl.SSLContext.wrap_socket}
for resolve in (socket.getaddrinfo, gevent.socket.getaddrinfo):
    try:
        resolve(HOST, 80)
    except socket.gaierror:
        continue
    raise AssertionError
"""


def late(server: MockServer, program: str) -> str:
    """What a program of its own says, into which nothing is imported before there is a redirection."""
    import mockserver.testing.redirect as module  # noqa: PLC0415 -- its file is wanted

    command = [sys.executable, "-W", "ignore", "-c", LATE + program, module.__file__, server.url.rpartition(":")[2]]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.parametrize("program", [BY_UVLOOP, BY_AIODNS], ids=["uvloop", "aiodns"])
def test_what_is_imported_later(server: MockServer, program: str) -> None:
    """It is caught when it comes; until then nothing is imported for it."""
    assert late(server, program) == "200\n"


@pytest.mark.parametrize("resolver", ["thread", "ares"])
def test_gevent(server: MockServer, monkeypatch: pytest.MonkeyPatch, resolver: str) -> None:
    """Its functions take the place of those of ``socket`` later, and reach the hosts by each of its resolvers."""
    monkeypatch.setenv("GEVENT_RESOLVER", resolver)
    assert late(server, BEFORE_GEVENT + BY_GEVENT) == "200\n"


def test_gevent_that_is_there_before(server: MockServer) -> None:
    """A redirection that begins then catches it as well, and leaves it as it was."""
    assert late(server, AFTER_GEVENT + BY_GEVENT + "assert before.items() <= vars(socket).items()") == "200\n"


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
