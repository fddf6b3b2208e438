"""The vendors' own https URLs lead to the server, for clients that were made before, too; then all is as it was."""

import asyncio
import contextlib
import http.client
import os
import socket
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import certifi
import httpx
import httpx2
import pytest
import requests
import urllib3

from mockserver.testing import Account, AsyncAccount, ControlError, MockServer
from mockserver.testing.child_environment import direct_variables
from mockserver.testing.client import Control
from mockserver.testing.intercept import Interception
from tests.testing.inner import here, write
from tests.testing.test_redirect import state

HOST = "api.voximplant.com"
URL = f"https://{HOST}/platform_api/SendSmsMessage"
OTHER = "https://other.invalid/"
Ask = Callable[[], str]

pytest_plugins = ["pytester"]


@pytest.fixture(autouse=True)
def _nothing_preset(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What the machine presets would lead clients elsewhere, or have them trust more."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name in {"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.getbasetemp() / "state"))


def answered(text: str) -> bool:
    """Whether it is the vendor's refusal."""
    return "Authorization failed" in text


@contextmanager
def by_requests() -> Iterator[Ask]:
    with requests.Session() as session:
        yield lambda: session.get(URL, timeout=5).text


@contextmanager
def by_httpx() -> Iterator[Ask]:
    with httpx.Client() as client:
        yield lambda: client.get(URL).text


@contextmanager
def by_httpx2() -> Iterator[Ask]:
    with httpx2.Client() as client:
        yield lambda: client.get(URL).text


@contextmanager
def by_urllib3() -> Iterator[Ask]:
    with urllib3.PoolManager(cert_reqs="CERT_REQUIRED", ca_certs=certifi.where()) as pool:
        yield lambda: str(pool.request("GET", URL).data)


@contextmanager
def by_urllib() -> Iterator[Ask]:
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=ssl.create_default_context()))

    def ask() -> str:
        with opener.open(URL, timeout=5) as response:
            return str(response.read())

    yield ask


@contextmanager
def by_http_client() -> Iterator[Ask]:
    with contextlib.closing(http.client.HTTPSConnection(HOST, timeout=5)) as connection:

        def ask() -> str:
            connection.request("GET", "/platform_api/SendSmsMessage")
            return str(connection.getresponse().read())

        yield ask


@pytest.mark.parametrize("made", [by_requests, by_httpx, by_httpx2, by_urllib3, by_urllib, by_http_client])
def test_clients_made_before(account: Account, made: Callable[[], AbstractContextManager[Ask]]) -> None:
    """Sessions, pools and contexts that exist when it begins."""
    with made() as ask, account.intercept():
        assert answered(ask())


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_async_clients_made_before(account: Account, loop: str) -> None:
    """On either event loop, while others of the process are refused as ever."""
    import uvloop  # noqa: PLC0415 -- where there is none, this fails and not the collection

    async def ask() -> None:
        async with httpx.AsyncClient() as one, httpx2.AsyncClient() as two, aiohttp.ClientSession() as three:
            with account.intercept():
                assert answered((await one.get(URL)).text)
                assert answered((await two.get(URL)).text)
                async with three.get(URL) as response:
                    assert answered(await response.text())
                with pytest.raises(httpx.ConnectError):
                    await one.get(OTHER)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop if loop == "uvloop" else None) as runner:
        runner.run(ask())


def test_every_vendor(account: Account) -> None:
    """Each host of each contract, with its own credentials, for this account."""
    url = "https://api.us-1.platform.polyai.app/v1/outbound-sms"
    polyai = account.polyai
    headers = {"X-PolyAi-Auth-Token": polyai.credentials["api_key"], "X-TOKEN-ID": polyai.owned["connectors"][0]["id"]}
    with account.intercept() as interception:
        for host in interception.hosts:
            assert requests.get(f"https://{host}/", timeout=5).status_code < 500
        sent = requests.post(url, json={"user_number": "+14155550123", "message": "Hi"}, headers=headers, timeout=5)
    assert sent.status_code == 202
    polyai.send_sms.assert_accepted_once()


def test_afterwards(account: Account) -> None:
    """Names, sockets and contexts are what they were, by the end of the block, by ``stop`` and with the account."""
    before = [socket.getaddrinfo, socket.socket.connect, ssl.SSLContext.wrap_socket, dict(os.environ)]

    def now() -> list[Any]:
        return [socket.getaddrinfo, socket.socket.connect, ssl.SSLContext.wrap_socket, dict(os.environ)]

    with account.intercept(env=True):
        assert now() != before
    assert now() == before
    interception = account.intercept(env=True)
    assert now() != before
    interception.stop()
    interception.stop()
    assert now() == before
    account.intercept()
    account.delete()
    assert now() == before
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo(HOST, 443)


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])
def test_ends_in_any_order(account: Account, monkeypatch: pytest.MonkeyPatch, order: tuple[int, ...]) -> None:
    """What is still in force leads on meanwhile; behind the last one all is as it was."""
    monkeypatch.setenv("NODE_OPTIONS", "--no-warnings")
    before = state(), dict(os.environ)
    made = [account.intercept(env=True), account.intercept(), account.intercept(env=True)]
    for number in order[:-1]:
        made[number].stop()
        assert answered(requests.get(URL, timeout=5).text)
    made[order[-1]].stop()
    assert (state(), dict(os.environ)) == before


@pytest.fixture
def _nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """The vendor's real host is not found, whatever the machine reaches."""
    look_up = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **options: Any) -> Any:
        if host == HOST:
            raise socket.gaierror
        return look_up(host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.mark.usefixtures("_nobody_else")
@pytest.mark.parametrize("made", [by_requests, by_httpx, by_httpx2, by_urllib3])
def test_connections_end_with_it(account: Account, made: Callable[[], AbstractContextManager[Ask]]) -> None:
    """One that a client keeps leads to the server no longer than it lasts; the client works on in the next."""
    with made() as ask:
        for _ in range(2):
            with account.intercept():
                assert answered(ask())
            with pytest.raises((OSError, httpx.TransportError, httpx2.TransportError, urllib3.exceptions.HTTPError)):
                ask()


class Hasty(asyncio.Protocol):
    """Has enough of a connection once it is made."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


@pytest.mark.usefixtures("_nobody_else")
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("is_encrypted", [False, True])
def test_open_streams_end_with_it(account: Account, loop: str, is_encrypted: bool) -> None:
    """On either event loop, also from another thread; who reads gets the end. One may have ended before."""
    import uvloop  # noqa: PLC0415 -- as above

    async def read() -> None:
        port, context = (443, ssl.create_default_context()) if is_encrypted else (80, None)
        with account.intercept() as interception:
            reader, writer = await asyncio.open_connection(HOST, port, ssl=context)
            writer.write(f"GET /platform_api/SendSmsMessage HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
            assert (await reader.readline()).startswith(b"HTTP/1.1 ")
            await asyncio.get_running_loop().create_connection(Hasty, HOST, port, ssl=context)
            await asyncio.to_thread(interception.stop)
        async with asyncio.timeout(5):
            await reader.read()
        writer.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop if loop == "uvloop" else None) as runner:
        runner.run(read())


@pytest.mark.usefixtures("_nobody_else")
def test_numbers_of_ended_connections(account: Account) -> None:
    """What has got the number of a led connection that was closed stays open."""
    with account.intercept():
        with socket.create_connection((HOST, 80)) as led:
            number = led.fileno()
        one, two = socket.socketpair()
    with one, two:
        assert number in (one.fileno(), two.fileno())
        one.sendall(b"x")
        assert two.recv(1) == b"x"


PROGRAM = f"""
import urllib.request
print(urllib.request.urlopen({URL!r}).read().decode())
"""
UNDER_GEVENT = f"""
from gevent import monkey
monkey.patch_all()
import http.client
connection = http.client.HTTPSConnection({HOST!r})
connection.request("GET", "/platform_api/SendSmsMessage")
print(connection.getresponse().read().decode())
"""
BY_AIODNS = f"""
import asyncio, aiohttp
async def main():
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=aiohttp.AsyncResolver())) as session:
        async with session.get({URL!r}) as response:
            print(await response.text())
asyncio.run(main())
"""


@pytest.mark.parametrize("program", [PROGRAM, UNDER_GEVENT, BY_AIODNS], ids=["urllib", "gevent", "aiodns"])
def test_children(account: Account, program: str) -> None:
    """With ``env`` a program that this process starts reaches the vendors as well, and only then."""
    with account.intercept(env=True):
        said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        folder = Path(os.environ["SSL_CERT_FILE"]).parent
        assert (folder / "trust.p12").stat().st_size > 100
    assert answered(said.stdout), said.stderr
    assert not folder.exists()
    with account.intercept():
        said = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert said.returncode == 1


NOBODY = "http://127.0.0.1:9"  # a port that nobody listens on


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("made", [by_requests, by_httpx, by_httpx2, by_urllib])
def test_where_a_proxy_is_set(
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    made: Callable[[], AbstractContextManager[Ask]],
) -> None:
    """The vendors' hosts are not asked of it, others are; what was set is there again at the end."""
    monkeypatch.setenv(name, NOBODY)
    before = dict(os.environ)
    with account.intercept(), made() as ask:
        assert answered(ask())
        with pytest.raises(requests.exceptions.ProxyError):
            requests.get(OTHER, timeout=5)
    assert dict(os.environ) == before


@pytest.mark.parametrize(
    ("before", "found"),
    [
        ({}, None),
        ({"no_proxy": "a.example"}, None),
        ({"https_proxy": NOBODY}, (HOST, HOST)),
        ({"HTTP_PROXY": NOBODY, "NO_PROXY": "a.example"}, (f"a.example,{HOST}", f"a.example,{HOST}")),
        ({"all_proxy": NOBODY, "NO_PROXY": "a", "no_proxy": "b"}, (f"a,{HOST}", f"b,{HOST}")),
        ({"https_proxy": NOBODY, "NO_PROXY": "*"}, None),
    ],
)
def test_exceptions_from_a_proxy(before: dict[str, str], found: tuple[str, str] | None) -> None:
    """They are added to the user's own; nothing is set where nothing is asked of a proxy."""
    added = direct_variables((HOST,), before)
    assert added == ({} if found is None else {"NO_PROXY": found[0], "no_proxy": found[1]})


def test_one_within_another(server: MockServer) -> None:
    """The inner one counts while it lasts, and leaves the outer one whole."""
    with server.intercept(), server.account() as inner:
        with inner.intercept():
            assert answered(requests.get(URL, timeout=5).text)
        assert answered(requests.get(URL, timeout=5).text)


def test_async_side(account: Account) -> None:
    """It is awaited, and then in force."""

    async def scenario() -> None:
        with await AsyncAccount(account).intercept():
            async with httpx.AsyncClient() as client:
                assert answered((await client.get(URL)).text)

    asyncio.run(scenario())


def test_a_server_behind_tls() -> None:
    """Whatever stands before it cannot show the vendors' certificates."""
    with pytest.raises(ControlError, match="name the server's own http address"):
        Interception(Control("https://mock.example"))


ALL_TESTS = """
import requests, urllib.request
SESSION = requests.Session()

def test_by_session(mock_vendors):
    assert "Authorization failed" in SESSION.get("https://api.voximplant.com/platform_api/SendSmsMessage").text

def test_without_a_fixture():
    url = "https://api.voximplant.com/platform_api/SendSmsMessage"
    assert b"Authorization failed" in urllib.request.urlopen(url).read()
"""


def test_in_all_tests(pytester: pytest.Pytester) -> None:
    """An option leads every test of a run, those without our fixtures too."""
    write(pytester, ALL_TESTS)
    here(pytester, "--mockserver-intercept").assert_outcomes(passed=2)
