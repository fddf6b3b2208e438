"""The application behind our server and behind others: each exchange is the same, byte for byte."""

import sys
from typing import Any

import pytest
import requests
from starlette.testclient import TestClient

from mockserver.engine.fault import LOSING, NEEDS_WIRE, SPOILING
from mockserver.server.application import Application
from tests.evidence import replayed
from tests.live import PATIENCE, live_server
from tests.server.programs import in_process, pinned, program, replays_at, replays_in, sender

UVICORN = (sys.executable, "-m", "uvicorn", "--factory", "mockserver:create_app", "--port", "0")


@pytest.fixture(scope="module")
def expected(app: Application, client: TestClient) -> dict[str, Any]:
    """What is fixed of each exchange, without any server."""
    return replayed(in_process(client), replays_in(app))


def test_ours(app: Application, expected: dict[str, Any]) -> None:
    """Our own server, which writes a response at once."""
    with live_server() as live:
        assert replayed(sender(live.url), replays_at(live.url, app)) == expected


def test_plain_uvicorn(app: Application, expected: dict[str, Any]) -> None:
    """Uvicorn's command, with its own protocol and log; it cannot break connections, and says so."""
    with program(*UVICORN) as url:
        assert replayed(sender(url), replays_at(url, app)) == expected
        statuses = {kind: pinned(url, kind).status_code for kind in LOSING | SPOILING}
    assert {kind for kind, status in statuses.items() if status == 409} == NEEDS_WIRE
    assert {status for kind, status in statuses.items() if kind not in NEEDS_WIRE} == {200}


def test_settings_of_another_server() -> None:
    """They come from the environment."""
    with program(*UVICORN, MOCKSERVER_EXPLAIN="no", MOCKSERVER_ADMIN_TOKEN="token") as url:
        response = requests.post(f"{url}/v1/outbound-sms", timeout=PATIENCE)
        assert response.status_code == 401
        assert "x-mock-answer" not in response.headers
        headers = {"Authorization": "Bearer another"}
        assert requests.get(f"{url}/_mock/calls", headers=headers, timeout=PATIENCE).status_code == 401
