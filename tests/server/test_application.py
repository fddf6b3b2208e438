"""The application as Starlette has it: routes, state, middleware, lifespan; and the package's front door."""

import asyncio
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, Router
from starlette.testclient import TestClient

import mockserver
from mockserver.server.application import Application, create_app
from mockserver.server.routing import VendorRoute
from mockserver.server.settings import SettingsError
from tests.evidence import ROOT
from tests.server.acme_customer import SETTINGS

MESSAGES = "/base/messages"


@pytest.fixture
def fresh(acme_app: Application) -> Application:
    """An application of the same state, to be changed."""
    return Application(acme_app.state.mock)


def client_of(app: Any) -> TestClient:
    return TestClient(app, base_url="http://localhost", raise_server_exceptions=False)


def test_it_is_starlettes(acme_app: Application) -> None:
    """Its routes are the documented paths, in each spelling, and the control API."""
    assert isinstance(acme_app, Starlette)
    paths = {(route.host, route.path) for route in acme_app.routes if isinstance(route, VendorRoute)}
    for path in (MESSAGES, "/messages", "/base/typed/{number}"):
        assert {(None, path), (None, f"/acme{path}"), ("api.acme.test", path), ("shared.test", path)} <= paths
    (mount,) = (route for route in acme_app.routes if isinstance(route, Mount))
    assert mount.path == "/_mock"
    assert {"/health", "/accounts/{id}"} <= {route.path for route in mount.routes if isinstance(route, Route)}
    assert not acme_app.router.redirect_slashes


def test_state(acme_app: Application) -> None:
    """All that the server works on is in the application's state, and with it in the control API's."""
    mock = acme_app.state.mock
    assert (mock.settings, mock.contracts, mock.store) == (acme_app.settings, acme_app.contracts, acme_app.store)
    (mount,) = (route for route in acme_app.routes if isinstance(route, Mount))
    assert mount.app.state.mock is mock  # type: ignore[attr-defined]  # it is a Starlette


class Marking:
    """Middleware that marks each response."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def marking(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], (b"x-marked", b"yes")]}
            await send(message)

        await self._app(scope, receive, marking)


@pytest.mark.parametrize("path", [MESSAGES, "/nowhere", "/_mock/health"])
def test_middleware(fresh: Application, path: str) -> None:
    """A user's middleware sees every request: a vendor's, one to nobody, and the control API's."""
    with client_of(fresh) as client:
        before = client.get(path)
    assert "x-mock-call" in before.headers or path == "/_mock/health"
    fresh = Application(fresh.state.mock)
    fresh.add_middleware(Marking)
    with client_of(fresh) as client:
        after = client.get(path)
    assert (after.status_code, after.headers["x-marked"]) == (before.status_code, "yes")


@pytest.mark.parametrize("handled", [True, False])
def test_exception_handlers(fresh: Application, monkeypatch: pytest.MonkeyPatch, handled: bool) -> None:
    """A user's handler gets what goes wrong within; without one, the server does."""

    async def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(fresh.store, "facts", broken)
    if handled:
        fresh.add_exception_handler(ZeroDivisionError, lambda *_: PlainTextResponse("handled", 503))
    with client_of(fresh) as client:
        response = client.post(MESSAGES)
    assert (response.status_code, response.text == "handled") == ((503, True) if handled else (500, False))


def test_a_route_of_a_users(fresh: Application) -> None:
    """It is served beside the vendors', and before them where it stands first."""

    async def mine(_: Request) -> PlainTextResponse:
        return PlainTextResponse("mine")

    fresh.router.routes.append(Route("/mine", mine))
    with client_of(fresh) as client:
        assert client.get("/mine").text == "mine"
        assert client.post(MESSAGES).headers["x-mock-answer"]
        fresh.routes.insert(0, Route(MESSAGES, mine, methods=["POST"]))
        assert client.post(MESSAGES).text == "mine"
        fresh.routes.pop(0)
        assert client.post(MESSAGES).headers["x-mock-answer"]


def test_a_removed_route(fresh: Application) -> None:
    """Its path is nobody's from the next request on, by the index as by Starlette's own router."""
    walking = Router(fresh.routes, redirect_slashes=False)
    with client_of(fresh) as client, client_of(walking) as other:
        assert client.post(MESSAGES).headers["x-mock-answer"] == other.post(MESSAGES).headers["x-mock-answer"]
        for routes in (fresh.routes, walking.routes):
            routes[:] = [route for route in routes if getattr(route, "path", None) != MESSAGES]
        gone = client.post(MESSAGES)
        assert (gone.status_code, gone.json()["title"]) == (404, "No operation has this path")
        assert other.post(MESSAGES).status_code == 404
        assert client.post(f"/acme{MESSAGES}").headers["x-mock-answer"]


def test_a_slash_more_is_another_path(acme_client: TestClient) -> None:
    """Nothing is redirected."""
    for path in (f"{MESSAGES}/", "/_mock/health/"):
        assert acme_client.get(path, follow_redirects=False).status_code == 404


def test_lifespan() -> None:
    """What the server holds is given back at its end."""
    app = create_app(SETTINGS)
    unreachable = app.state.mock.unreachable
    with client_of(app) as client:
        client.post("/_mock/accounts")
        held = unreachable.origin
    assert unreachable.origin != held
    unreachable.close()


def test_without_settings_the_environment_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A factory has nothing else to go by; a mistake there is one line."""
    monkeypatch.setenv("MOCKSERVER_MAX_JOURNAL_CALLS", "7")
    assert create_app().settings.max_journal_calls == 7
    assert create_app(SETTINGS).settings.max_journal_calls == SETTINGS.max_journal_calls
    monkeypatch.setenv("MOCKSERVER_MAX_JOURNAL_CALLS", "many")
    with pytest.raises(SettingsError, match="MOCKSERVER_MAX_JOURNAL_CALLS must be"):
        create_app()


def test_a_factory_writes_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another server that calls it has a line for each call as `mockserver serve` has, unless it is switched off."""
    monkeypatch.delenv("MOCKSERVER_LOG", raising=False)
    assert create_app().settings.log == "text"
    assert create_app(SETTINGS).settings.log == "off"
    for form in ("json", "off"):
        monkeypatch.setenv("MOCKSERVER_LOG", form)
        assert create_app().settings.log == form


def test_the_front_door() -> None:
    """The package has the factory, which is found and typed, and has nothing else."""
    assert mockserver.create_app is create_app
    assert {"create_app", "__version__", "__name__"} <= set(dir(mockserver))
    with pytest.raises(AttributeError, match="module 'mockserver' has no attribute 'app'"):
        mockserver.app  # type: ignore[attr-defined]  # noqa: B018 -- that it is not there


def test_importing_the_package_imports_nothing() -> None:
    """Importing it loads no other module of ours and none of another library's; the factory does."""
    probe = (
        "import sys\nbefore = set(sys.modules)\nimport mockserver\ndir(mockserver)\nnew = set(sys.modules) - before\n"
        "print(*(name for name in new if name.partition('.')[0] not in sys.stdlib_module_names))\n"
        "mockserver.create_app\nprint('starlette' in sys.modules)"
    )
    command = [sys.executable, "-c", probe]
    found = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert found.splitlines() == ["mockserver", "True"]


def ask_from(app: Application, client: tuple[str, int] | None, **headers: str) -> int:
    """The status that a client of this address gets of the control API."""
    statuses: list[int] = []

    sent = iter([{"type": "http.request", "body": b""}])

    async def receive() -> Any:
        for message in sent:
            return message
        return await asyncio.get_running_loop().create_future()  # the client stays

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    lines = {"host": "localhost", **headers}.items()
    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": "/_mock/calls",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in lines],
        "client": client,
    }
    asyncio.run(app(scope, receive, send))
    return statuses[0]


@pytest.mark.parametrize(
    ("client", "status"),
    [
        pytest.param(("127.0.0.1", 1), 200, id="this-machine"),
        pytest.param(("::1", 1), 200, id="this-machine-6"),
        pytest.param(("::ffff:127.0.0.1", 1), 200, id="this-machine-mapped"),
        pytest.param(None, 200, id="unix-socket"),
        pytest.param(("testclient", 1), 200, id="this-process"),
        pytest.param(("192.0.2.7", 1), 403, id="another-machine"),
        pytest.param(("2001:db8::1", 1), 403, id="another-machine-6"),
        pytest.param(("::ffff:192.0.2.7", 1), 403, id="another-machine-mapped"),
    ],
)
def test_another_server_may_listen_elsewhere(acme_app: Application, client: Any, status: int) -> None:
    """Its address is not in our settings, and whoever reaches it may write any Host: the client's address counts."""
    assert ask_from(acme_app, client) == status


@pytest.mark.parametrize(("authorization", "status"), [("Bearer token", 200), ("", 401), ("Bearer wrong", 401)])
def test_another_machine_with_a_token(authorization: str, status: int) -> None:
    """The token opens it, and only that."""
    app = create_app(replace(SETTINGS, admin_token="token"))
    assert ask_from(app, ("192.0.2.7", 1), authorization=authorization) == status
