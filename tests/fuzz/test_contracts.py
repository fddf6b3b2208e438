"""Schemathesis over every contract at length: each server takes what its contract allows, and refuses the rest."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from mockserver.engine.account import AccountData
from mockserver.server.application import Application
from tests.fuzz.fuzzing import Way, assert_faithful, command_line, trial, ways
from tests.live import served

EXAMPLES = 40  # of each operation, made up at random; tests/test_schemathesis.py tries a few
FURTHER_EXAMPLES = 5  # where the same operations are asked with other credentials


@pytest.mark.parametrize("way", ways(), ids=str)
def test_every_operation(way: Way, app: Application, default: AccountData, tmp_path: Path) -> None:
    """Many examples find nothing wrong with what the control API shows of a contract."""
    document = TestClient(app, base_url="http://localhost").get(f"/_mock/contracts/{way.contract.vendor}").json()
    examples = FURTHER_EXAMPLES if way.form else EXAMPLES
    assert_faithful(trial(app, default, way, tmp_path, document, examples=examples), way)


@pytest.mark.parametrize("way", {way.contract.vendor: way for way in ways()}.values(), ids=str)
def test_command_line(way: Way, app: Application, default: AccountData, tmp_path: Path) -> None:
    """The command line, which also warns where valid data or credentials never do, has nothing to say."""
    tried = trial(app, default, way, tmp_path)
    with served(tried.app) as port:
        run = command_line(tried, port)
    assert run.returncode == 0, run.stdout + run.stderr
