"""Every exchange under fixtures/ replayed, however the application is served; every answer reached by one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Router
from starlette.testclient import TestClient

from mockserver.server.application import Application
from tests.evidence import ROOT, Replay, case_files, case_id, complaints, load_case, replayed
from tests.server.programs import in_process, replays_in

LEAST_PER_VENDOR = 15


@pytest.fixture(scope="module")
def replays(app: Application) -> dict[str, Replay]:
    return replays_in(app)


@pytest.mark.parametrize("file", case_files(), ids=case_id)
def test_exchange(file: Path, client: TestClient, replays: dict[str, Replay]) -> None:
    """The vendor's answer, evidence and body are those that the fixture shows, and the call is its account's."""
    case, replay = load_case(file), replays[file.parts[-3]]
    send = in_process(client)
    reply = send(replay.prepare(case, send))
    assert complaints(case, replay, reply) == []
    call = client.get(f"/_mock/calls/{reply.headers['x-mock-call']}").json()
    assert (call["account"], call["answer"], call["outcome"]) == (case["account"], case["answer"], "sent")


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


def test_every_answer_is_reached(app: Application) -> None:
    """No answer of any contract is without an exchange that shows it."""
    documented = {a.id for c in app.contracts for o in c.operations for a in o.answers.values()}
    assert documented - {load_case(file)["answer"] for file in case_files()} == set()


@pytest.mark.parametrize("vendor", sorted(file.parent.name for file in ROOT.glob("fixtures/*/accounts.yaml")))
def test_enough_evidence(vendor: str) -> None:
    """Each vendor has evidence enough to be trusted."""
    assert sum(file.parts[-3] == vendor for file in case_files()) >= LEAST_PER_VENDOR
