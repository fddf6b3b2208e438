"""A server in the test's own event loop: its connections can be looked at, and time passes as the test says."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, cast

from mockserver.server.app import Application
from mockserver.server.protocol import Bounded
from mockserver.server.run import listen, uvicorn_server
from mockserver.server.settings import Settings
from mockserver.server.sweep import Sweep
from tests.live import PATIENCE

Ask = Callable[..., bytes]


class Echo:
    """Answers with the path it was asked for; what is asked of ``/later`` once it may, of ``/large`` at length."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.asked: list[str] = []
        self.may_answer = asyncio.Event()
        self.large = b"x" * 8_000_000

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for state in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{state}.complete"})
            return
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            more = message["more_body"]
        self.asked.append(scope["path"])
        if scope["path"] == "/later":
            await self.may_answer.wait()
        body = self.large if scope["path"] == "/large" else scope["path"].encode("ascii")
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})


class Client(NamedTuple):
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def all(self) -> bytes:
        """What comes until the server ends the connection."""
        return await asyncio.wait_for(self.reader.read(), PATIENCE)

    async def answer(self) -> bytes:
        """The body of the next answer."""
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE)
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return await self.reader.readexactly(length)


class Inside:
    """The server, seen from inside."""

    def __init__(self, app: Echo, port: int, state: Any) -> None:
        self.app = app
        self.port = port
        self.state = state
        self._sweep = Sweep(app.settings)
        self._clients: list[Client] = []
        self._now = 0.0

    async def connect(self, *, stays: bool = True, **options: Any) -> Client:
        """A connection; one that ``stays`` is known to the server by now."""
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port, **options))
        self._clients.append(client)
        await self.until(lambda: not stays or any(self._is(one, client) for one in self.state.connections))
        return client

    def protocol(self, client: Client) -> Bounded:
        """The server's end of a connection."""
        found: Bounded = next(one for one in self.state.connections if self._is(one, client))
        return found

    def _is(self, protocol: Any, client: Client) -> bool:
        return bool(protocol.client == client.writer.get_extra_info("sockname"))

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Let the server work until something is so."""
        async with asyncio.timeout(PATIENCE):
            while not is_so():  # noqa: ASYNC110 -- what uvicorn does sets no event
                await asyncio.sleep(0.001)

    def pass_time(self, seconds: float) -> None:
        """Look after the connections, as if so many seconds had passed since the last look."""
        self._now += seconds
        self._sweep(self.state.connections, self._now)

    async def close(self) -> None:
        for client in self._clients:
            client.writer.transport.abort()


@asynccontextmanager
async def serving(settings: Settings, http: str) -> AsyncIterator[Inside]:
    """An Echo behind one of uvicorn's protocols, until the block ends; then nothing of it is left."""
    others = asyncio.all_tasks()
    app, ready = Echo(settings), asyncio.Event()
    listening = listen("127.0.0.1", 0)
    server = uvicorn_server(cast("Application", app), ready.set, http=http, log_config=None)
    task = asyncio.create_task(server.serve([listening]))
    await asyncio.wait_for(ready.wait(), PATIENCE)
    inside = Inside(app, listening.getsockname()[1], server.server_state)
    try:
        yield inside
    finally:
        app.may_answer.set()
        await inside.close()
        server.should_exit = True
        await asyncio.wait_for(task, PATIENCE)
    assert server.server_state.connections == set()
    assert asyncio.all_tasks() == others


def run(test: Callable[[Inside], Coroutine[Any, Any, None]], http: str, **settings: Any) -> None:
    """Run a test with such a server."""

    async def with_server() -> None:
        async with serving(Settings(**settings), http) as inside:
            await test(inside)

    asyncio.run(with_server())
