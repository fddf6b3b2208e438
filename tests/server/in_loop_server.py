"""A server in the test's own event loop: its connections can be looked at, and time passes as the test says."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from mockserver.server.settings import Settings
from mockserver.server.sockets import listen
from mockserver.server.uvicorn_server import event_loop, uvicorn_server
from mockserver.server.wire.protocol import Protocol
from mockserver.server.wire.timeouts import Timeouts
from tests.live import PATIENCE
from tests.streams import Client


class Echo:
    """Answers with the path it was asked for: that of ``/later`` once it may, that of ``/large`` at length."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.asked: list[str] = []
        self.may_answer = asyncio.Event()
        self._large = b"x" * 8_000_000

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
        body = self._large if scope["path"] == "/large" else scope["path"].encode("ascii")
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})


class InLoopServer:
    """The server, with its own ends of the connections."""

    def __init__(self, app: Echo, port: int, state: Any) -> None:
        self.app = app
        self.port = port
        self.state = state
        self._timeouts = Timeouts(app.settings)
        self._now = 0.0
        self._clients: list[Client] = []

    async def connect(self, *, stays: bool = True, **options: Any) -> Client:
        """A connection; one that ``stays`` is known to the server by now."""
        client = await Client.connect(self.port, **options)
        self._clients.append(client)
        await self.until(lambda: not stays or any(_is(one, client) for one in self.state.connections))
        return client

    def protocol(self, client: Client) -> Protocol:
        """The server's end of a connection."""
        found: Protocol = next(one for one in self.state.connections if _is(one, client))
        return found

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Let the server work until something is so."""
        async with asyncio.timeout(PATIENCE):
            while not is_so():  # noqa: ASYNC110 -- what uvicorn does sets no event
                await asyncio.sleep(0.001)

    def pass_time(self, seconds: float) -> None:
        """Look after the connections, as if so many seconds had passed since the last look."""
        self._now += seconds
        self._timeouts(self.state.connections, self._now)

    def leave(self) -> None:
        """End all connections from the clients' side."""
        for client in self._clients:
            client.close()


def _is(protocol: Any, client: Client) -> bool:
    return bool(protocol.client == client.writer.get_extra_info("sockname"))


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[tuple[int, Any]]:
    """Port and state of a server of the application; when the block ends, nothing is left.

    What connections there are must end with the block.
    """
    others = asyncio.all_tasks()
    ready, listening = asyncio.Event(), listen("127.0.0.1", 0)
    server = uvicorn_server(app, ready.set)
    task = asyncio.create_task(server.serve(listening))
    async with asyncio.timeout(PATIENCE):
        await ready.wait()
    try:
        yield listening[0].getsockname()[1], server.server_state
    finally:
        server.should_exit = True
        async with asyncio.timeout(PATIENCE):
            await task
    assert server.server_state.connections == set()
    assert asyncio.all_tasks() == others


def run(test: Callable[[InLoopServer], Coroutine[Any, Any, None]], **settings: Any) -> None:
    """Run a test with an Echo behind our protocol, in the event loop that a server has."""

    async def with_server() -> None:
        app = Echo(Settings(**settings))
        async with served(app) as (port, state):
            server = InLoopServer(app, port, state)
            try:
                await test(server)
            finally:
                app.may_answer.set()
                server.leave()

    with asyncio.Runner(loop_factory=event_loop) as runner:
        runner.run(with_server())
