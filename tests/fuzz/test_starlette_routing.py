"""Every exchange under fixtures/ by Starlette's own routing and through its middleware."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.routing import Router
from starlette.testclient import TestClient

from mockserver.server.application import Application, create_app
from mockserver.server.settings import Settings
from tests.evidence import Replay, case_files, load_case, replayed
from tests.server.programs import in_process, replays_in


@pytest.fixture(scope="module")
def app() -> Application:
    """One of its own: fuzzing the shared one may have changed what its accounts have."""
    return create_app(Settings())


@pytest.fixture(scope="module")
def replays(app: Application) -> dict[str, Replay]:
    return replays_in(app)


class Unchanged:
    """Middleware of a user's, which changes nothing."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        assert scope["app"].user_middleware

        async def sending(message: Any) -> None:
            await send(message)

        await self._app(scope, receive, sending)


def with_middleware(app: Application) -> Application:
    """The same server with a middleware, and so with all of Starlette's."""
    changed = Application(app.state.mock)
    changed.add_middleware(Unchanged)
    return changed


def walking(app: Application) -> Router:
    """Starlette's own router, which asks each of the routes."""
    return Router(app.routes, redirect_slashes=False)


@pytest.mark.parametrize("wrap", [walking, with_middleware])
def test_other_ways_through_starlette(app: Application, replays: dict[str, Replay], wrap: Callable[..., Any]) -> None:
    """By Starlette's own routing, and through its middleware, each exchange is what it is without, byte for byte."""
    with (
        TestClient(app, base_url="http://localhost") as direct,
        TestClient(wrap(app), base_url="http://localhost") as other,
    ):
        assert replayed(in_process(other), replays) == replayed(in_process(direct), replays)


def test_removed_routes(app: Application, replays: dict[str, Replay]) -> None:
    """An application without a route answers there as where no vendor is, by its index and by Starlette's routing."""
    bare = Application(app.state.mock)
    bare.router.routes[:] = [route for route in bare.routes if "/v1/outbound-sms" not in getattr(route, "path", "")]
    assert len(bare.routes) < len(app.routes)
    file = next(file for file in case_files() if file.match("polyai/send_sms/*"))
    sent = replays["polyai"].request(load_case(file))
    with TestClient(app, base_url="http://localhost") as client:
        assert in_process(client)(sent).headers["x-mock-answer"]
    for served in (bare, walking(bare)):
        with TestClient(served, base_url="http://localhost") as client:
            assert in_process(client)(sent).status == 404
