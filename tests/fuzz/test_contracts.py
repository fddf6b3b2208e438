"""Schemathesis over every contract: each server takes what its contract allows, refuses the rest, and says no more."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from mockserver.engine.account import AccountData
from mockserver.server.application import Application
from tests.fuzz.fuzzing import Way, command_line, fuzz, served, trial, ways


@pytest.mark.parametrize("way", ways(), ids=str)
def test_every_operation(way: Way, app: Application, client: TestClient, default: AccountData, tmp_path: Path) -> None:
    """No check fails in any phase, and every operation has accepted and refused."""
    document = client.get(f"/_mock/contracts/{way.contract.vendor}").json()
    report = fuzz(trial(app, default, way, tmp_path, document))
    assert not report.findings, str(report)
    names = {f"{operation.method} {operation.path}" for operation in way.contract.operations}
    assert set(report.accepted) == set(report.refused) == names


@pytest.mark.parametrize("way", {way.contract.vendor: way for way in ways()}.values(), ids=str)
def test_command_line(way: Way, app: Application, default: AccountData, tmp_path: Path) -> None:
    """The command line, which also warns where valid data or credentials never do, has nothing to say."""
    tried = trial(app, default, way, tmp_path)
    with served(tried.app) as url:
        run = command_line(tried, url)
    assert run.returncode == 0, run.stdout + run.stderr
