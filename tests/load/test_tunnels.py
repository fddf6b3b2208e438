"""Thousands of tunnels, used as they should be and in every other way: nothing of them stays."""

import asyncio
import contextlib
import ssl
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from mockserver.engine.sources import Sources
from mockserver.server.certificates import Certificates, vendor_hosts
from tests.live import PATIENCE
from tests.load.conftest import nothing_left, server_process
from tests.load.loaded_server import Server, contracts, control
from tests.streams import Client

TUNNELS = 2_000
AT_ONCE = 200
HOST = "api.voximplant.com"
CONNECT = f"CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\nUser-Agent: soak\r\n\r\n".encode()
REQUEST = f"POST /platform_api/SendSmsMessage HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 0\r\n\r\n".encode()
GROWTH = 4 * 1024 * 1024  # bytes: what a heap may grow that holds no more than before


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that has its certificates already, and the thread that made them."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with server_process() as server:
        files = server.open_files
        asyncio.run(Soak(server).one(GOOD))
        assert server.settled(files)
        with nothing_left(server):
            yield server


GOOD, IN_HEAD, IN_HANDSHAKE, BEHIND_HANDSHAKE, IDLE, HALF_CLOSED, UNTRUSTING, ELSEWHERE = KINDS = range(8)


class Soak:
    """Clients by their kind; ``ended`` counts what became of them."""

    def __init__(self, server: Server) -> None:
        self.server = server
        identity = Certificates(vendor_hosts(contracts()), Sources.real().now, pytest.fail).identity()
        self.trusting = ssl.create_default_context(cadata=identity.ca)
        self.ended: Counter[str] = Counter()
        self.distrusting = ssl.create_default_context()

    async def many(self, count: int) -> None:
        places = asyncio.Semaphore(AT_ONCE)

        async def in_turn(kind: int) -> None:
            async with places:
                await self.one(kind)

        await asyncio.gather(*(in_turn(number % len(KINDS)) for number in range(count)))

    async def one(self, kind: int) -> None:
        client = await self.server.connect()
        try:
            async with asyncio.timeout(PATIENCE):
                await self._use(client, kind)
        finally:
            client.close()

    async def _use(self, client: Client, kind: int) -> None:
        if kind == IN_HEAD:
            await client.send(CONNECT[:20])
            return
        if kind == ELSEWHERE:
            await client.send(CONNECT.replace(HOST.encode(), b"other.example"))
            self.ended[(await client.rest())[:12].decode()] += 1
            return
        await client.send(CONNECT)
        assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 200 Connection established\r\n\r\n"
        if kind == IDLE:
            await asyncio.sleep(0.3)
        elif kind == HALF_CLOSED:
            client.writer.write_eof()
            self.ended[f"{await client.rest()!r}"] += 1
        elif kind == IN_HANDSHAKE:
            await client.send(b"\x16\x03\x01\x02\x00\x01")
        elif kind == UNTRUSTING:
            with contextlib.suppress(ssl.SSLCertVerificationError):
                await client.writer.start_tls(self.distrusting, server_hostname=HOST)
                raise AssertionError("a client trusts a CA that it does not know")
            self.ended["untrusting"] += 1
        else:
            await client.writer.start_tls(self.trusting, server_hostname=HOST)
            if kind == GOOD:
                for _ in range(2):
                    answer = await client.ask(REQUEST)
                    self.ended[answer.headers["x-mock-answer"]] += 1


def test_tunnels(server: Server) -> None:
    """The second half needs no more memory than the first; no descriptor and no thread is left by either."""
    soak = Soak(server)
    files = server.open_files

    async def half() -> None:
        soak.ended.clear()
        await soak.many(TUNNELS // 2)
        each = TUNNELS // 2 // len(KINDS)
        assert soak.ended == {
            "voximplant.send_sms/unauthorized": 2 * each,
            "HTTP/1.1 502": each,
            "b''": each,
            "untrusting": each,
        }
        client = await server.connect()
        assert (await client.ask(control("DELETE", "calls?account=unclaimed"))).status == 204
        client.close()

    asyncio.run(half())
    assert server.settled(files)
    memory = server.memory
    asyncio.run(half())
    assert server.settled(files)
    assert server.memory - memory < GROWTH
