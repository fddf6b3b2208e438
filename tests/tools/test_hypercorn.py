"""Another ASGI server: each exchange is the same, byte for byte, and it cannot break connections."""

import os
import sys
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from mockserver.engine.fault import LOSING, NEEDS_WIRE, SPOILING
from mockserver.server.application import Application
from tests.evidence import ROOT, replayed
from tests.server.programs import in_process, pinned, program, replays_at, replays_in, sender
from tests.tools.installing import execute


@pytest.fixture(scope="module")
def hypercorn(tools: Path) -> str:
    """A folder that has Hypercorn and what it needs, for this Python."""
    folder = tools / "hypercorn"
    if not (folder / "hypercorn").is_dir():
        execute(sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, "hypercorn>=0.17")
    return str(folder)


def test_hypercorn(hypercorn: str, app: Application, client: TestClient) -> None:
    """Its own raw paths, headers and connections."""
    path = os.pathsep.join([str(ROOT), hypercorn])
    command = (sys.executable, "-m", "hypercorn", "--bind", "127.0.0.1:0", "mockserver.server.application:create_app()")
    with program(*command, PYTHONPATH=path) as url:
        assert replayed(sender(url), replays_at(url, app)) == replayed(in_process(client), replays_in(app))
        assert {kind for kind in LOSING | SPOILING if pinned(url, kind).status_code == 409} == NEEDS_WIRE
