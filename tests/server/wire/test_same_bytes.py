"""Behind uvicorn's own protocols and behind ours a client gets the same bytes; ours takes no task without need."""

import asyncio
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn
from starlette.middleware import Middleware

from mockserver.server.application import Application, create_app
from mockserver.server.settings import Settings
from mockserver.server.sockets import listen
from mockserver.server.wire.asgi import go_on
from tests.live import PATIENCE, live_server
from tests.live import served as served_by_ours
from tests.server.in_loop_server import served
from tests.streams import Client

VARIES = re.compile(rb"(date|x-mock-call|x-polyai-correlation-id): [^\r]*|mockserver knows[^}]*")
HEALTH = b"GET /_mock/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
END = b"GET /v1/outbound-sms HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
JSON = b"Host: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
REQUESTS = {
    "refused": b"POST /v1/outbound-sms HTTP/1.1\r\nHost: x\r\n\r\n",
    "with-a-problem": b"POST /rest/sms HTTP/1.1\r\n" + JSON + b"\r\n{}",
    "method": b"GET /v1/outbound-sms HTTP/1.1\r\nHost: x\r\n\r\n",
    "options": b"OPTIONS /v1/outbound-sms HTTP/1.1\r\nHost: x\r\n\r\n",
    "head": b"HEAD /v1/outbound-sms HTTP/1.1\r\nHost: x\r\n\r\n",
    "unknown-path": b"POST /nowhere HTTP/1.1\r\nHost: x\r\n\r\n",
    "control": HEALTH,
    "control-that-refuses": b"GET /_mock/health/nowhere HTTP/1.1\r\nHost: evil.test\r\n\r\n",
    "who-waits-to-be-told": b"POST /rest/sms HTTP/1.1\r\nExpect: 100-continue\r\n" + JSON + b"\r\n{}",
    "one-after-another": b"POST /v1/outbound-sms HTTP/1.1\r\nHost: x\r\n\r\nPOST /rest/sms HTTP/1.1\r\nHost: x\r\n\r\n",
}


@contextmanager
def plain_uvicorn(app: Any, http: str) -> Iterator[int]:
    """The port at which uvicorn serves an application by one of its own protocols."""
    options: dict[str, Any] = {"http": http, "log_config": None, "server_header": False, "ws": "none"}
    server = uvicorn.Server(uvicorn.Config(app, **options))
    sockets = listen("127.0.0.1", 0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": sockets}, daemon=True)
    thread.start()
    try:
        yield sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(PATIENCE)


@pytest.fixture(scope="module")
def application() -> Application:
    return create_app(Settings(log="off"))


@pytest.fixture(scope="module")
def ours(application: Application) -> Iterator[int]:
    with served_by_ours(application) as port:
        yield port


@pytest.fixture(scope="module", params=["httptools", "h11"])
def theirs(request: pytest.FixtureRequest, application: Application) -> Iterator[int]:
    with plain_uvicorn(application, request.param) as port:
        yield port


def replies(port: int, request: bytes, end: bytes = END) -> bytes:
    """All that comes back until the server ends the connection; what no two responses share is left out."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
        client.sendall(request + end)
        found = b""
        while data := client.recv(65536):
            found += data
    found = found.replace(b"\r\nConnection: close", b"\r\nconnection: close")  # as h11 writes it
    return VARIES.sub(rb"\1", found.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n"))  # which need not be said


@pytest.mark.parametrize("name", REQUESTS)
def test_the_same_bytes(ours: int, theirs: int, name: str) -> None:
    """Acceptance and refusal, other methods, no body, several in one segment: head and body, to the byte."""
    found = replies(ours, REQUESTS[name])
    assert found.count(b"HTTP/1.1 ") >= 2
    assert found == replies(theirs, REQUESTS[name])


def test_a_body_that_is_not_read_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left of it would be taken for the next request; so the connection ends, and the client is told."""
    monkeypatch.setattr("mockserver.server.wire.asgi.DRAIN", 0)
    with live_server() as live:
        head = b"POST /rest/sms HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n"
        found = replies(live.port, head + b"x" * 110_000, end=b"")
    assert (found.count(b"HTTP/1.1 "), found.count(b"\r\nconnection: close\r\n")) == (1, 1)


def tasks_of(app: Any, data: bytes) -> int:
    """How many tasks the server had at once for a request."""

    async def test() -> int:
        most = 0
        async with served(app) as (port, state):

            class Counted(set[Any]):
                def add(self, task: Any) -> None:
                    nonlocal most
                    super().add(task)
                    most = max(most, len(self))

            state.tasks = Counted()
            client = await Client.connect(port)
            await client.ask(data)
            client.close()
            while state.connections:  # noqa: ASYNC110 -- uvicorn sets no event
                await asyncio.sleep(0.001)
        return most

    return asyncio.run(test())


def test_no_task_where_nothing_waits() -> None:
    """A vendor's whole request is answered at once; the control API by a task, as any application is."""
    vendors = b"POST /v1/outbound-sms HTTP/1.1\r\n" + JSON + b"\r\n{}"
    assert tasks_of(create_app(Settings(log="off")), vendors) == 0
    assert tasks_of(create_app(Settings(log="off")), HEALTH) == 1


class Marking:
    """Middleware that somebody added."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def marked(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], (b"x-marked", b"yes")]}
            await send(message)

        if scope["type"] == "http":
            scope = {**scope, "extensions": {}}
        await self._app(scope, receive, marked)


def test_middleware_sees_every_request() -> None:
    """The direct way is ours alone: what is added to the application, or wrapped around it, is asked first."""
    app = create_app(Settings(log="off"))
    app.user_middleware.append(Middleware(Marking))
    with served_by_ours(app) as port:
        assert replies(port, b"").count(b"x-marked: yes") == 1
    with served_by_ours(Marking(create_app(Settings(log="off")))) as port:
        assert replies(port, b"").count(b"x-marked: yes") == 1


def test_a_route_that_was_taken_away() -> None:
    """Its endpoint is not found by the direct way either."""
    app = create_app(Settings(log="off"))
    with served_by_ours(app) as port:
        assert b"HTTP/1.1 405 " in replies(port, b"")
        app.router.routes[:] = [
            route for route in app.router.routes if getattr(route, "path", "") != "/v1/outbound-sms"
        ]
        assert b"HTTP/1.1 404 " in replies(port, b"")


def test_a_coroutine_goes_on_in_a_task() -> None:
    """What was driven once outside a task ends in one: with values, an error, or cancelled where it waits."""

    async def test() -> list[str]:
        loop, seen = asyncio.get_running_loop(), []

        async def work(first: Any, name: str) -> None:
            try:
                seen.append(f"{name} {await first}")
                await asyncio.sleep(0)
                await asyncio.sleep(0.001)
                seen.append(f"{name} end")
            finally:
                seen.append(f"{name} finally")

        async def started(name: str) -> tuple[Any, Any]:
            future = loop.create_future()
            coroutine = work(future, name)
            return future, asyncio.ensure_future(go_on(coroutine, coroutine.send(None)))

        (one, first), (two, second), (_, third) = [await started(name) for name in "abc"]
        one.set_result(1)
        two.set_exception(ValueError("broken"))
        await asyncio.sleep(0)
        third.cancel()
        ended = await asyncio.gather(first, second, third, return_exceptions=True)
        assert [type(end) for end in ended] == [type(None), ValueError, asyncio.CancelledError]
        return seen

    seen = asyncio.run(test())
    assert sorted(seen) == ["a 1", "a end", "a finally", "b finally", "c finally"]
