"""Schemathesis over every contract: good requests are taken, bad ones refused. tests/fuzz goes deeper."""

import asyncio
import importlib
from pathlib import Path
from typing import Any

import pytest

from mockserver.engine.account import AccountData
from mockserver.server.application import Application
from tests.evidence import ROOT

EXAMPLES = 5  # of each operation made up at random, beside about fifty that are always tried
VENDORS = sorted(file.stem for file in (ROOT / "contracts").glob("*.yaml"))
BROKEN = {"takes_anything": "negative_data_rejection", "refuses_all": "positive_data_acceptance"}


@pytest.fixture(scope="module")
def fuzzing() -> Any:
    """The module, imported only where these tests run: schemathesis takes a second."""
    return importlib.import_module("tests.fuzz.fuzzing")


@pytest.fixture
def default(app: Application) -> AccountData:
    account = asyncio.run(app.store.account("default"))
    assert account is not None
    return account


@pytest.mark.parametrize("vendor", VENDORS)
def test_contract(fuzzing: Any, vendor: str, app: Application, default: AccountData, tmp_path: Path) -> None:
    """By each way in which its customers prove who they are."""
    ways = [way for way in fuzzing.ways() if way.contract.vendor == vendor]
    assert ways
    for way in ways:
        fuzzing.assert_faithful(fuzzing.trial(app, default, way, tmp_path, examples=EXAMPLES), way)


@pytest.mark.parametrize("broken", BROKEN)
def test_it_bites(fuzzing: Any, broken: str, app: Application, default: AccountData, tmp_path: Path) -> None:
    """A server that takes bad data, or refuses good data, is found."""
    spoiled = importlib.import_module("tests.fuzz.spoiled")
    way = next(way for way in fuzzing.ways() if way.contract.vendor == "polyai")
    server = spoiled.Spoiled(app, getattr(spoiled, broken))
    report = fuzzing.fuzz(fuzzing.first_path(fuzzing.trial(server, default, way, tmp_path, examples=EXAMPLES)))
    assert BROKEN[broken] in report.checks, str(report)
