"""Schemathesis over every operation of the contracts: good requests are taken, bad ones refused.

tests/fuzz goes deeper, by every way in which customers prove who they are, by other spellings and by commands.
"""

import asyncio
import importlib
from pathlib import Path
from typing import Any

import pytest

from mockserver.engine.account import AccountData
from mockserver.server.application import Application, create_app
from mockserver.server.settings import Settings
from tests.answer_pages import contracts

EXAMPLES = 3  # of each operation made up at random, beside about fifty that are always tried
PATHS = [
    (contract.vendor, path)
    for contract in contracts().values()
    for path in dict.fromkeys(o.path for o in contract.operations if o.spelling == o.name)
    # A path of methods none of which is mocked accepts nothing.
    if all(o.dispatch is None or o.dispatch.to for o in contract.operations if o.path == path)
]
BROKEN = {"takes_anything": "negative_data_rejection", "refuses_all": "positive_data_acceptance"}


@pytest.fixture(scope="module")
def fuzzing() -> Any:
    """The module, imported only where these tests run: schemathesis takes a second."""
    return importlib.import_module("tests.fuzz.fuzzing")


@pytest.fixture(scope="module")
def app() -> Application:
    """Not the one that other files share: what fuzzing does stays."""
    return create_app(Settings())


@pytest.fixture
def default(app: Application) -> AccountData:
    account = asyncio.run(app.store.account("default"))
    assert account is not None
    return account


@pytest.mark.parametrize(("vendor", "path"), PATHS)
def test_contract(  # noqa: PLR0917 -- what is tried, and where
    fuzzing: Any, vendor: str, path: str, app: Application, default: AccountData, tmp_path: Path
) -> None:
    """By the first way in which its customers prove who they are."""
    way = fuzzing.first_way(vendor, path)
    tried = fuzzing.trial(app, default, way, tmp_path, examples=EXAMPLES)
    fuzzing.assert_faithful(fuzzing.only_path(tried, path), way)


@pytest.mark.parametrize("broken", BROKEN)
def test_it_bites(fuzzing: Any, broken: str, app: Application, default: AccountData, tmp_path: Path) -> None:
    """A server that takes bad data, or refuses good data, is found."""
    faulty_servers = importlib.import_module("tests.fuzz.faulty_servers")
    way = next(way for way in fuzzing.ways() if way.contract.vendor == "polyai")
    server = faulty_servers.FaultyServer(app, getattr(faulty_servers, broken))
    report = fuzzing.fuzz(fuzzing.first_path(fuzzing.trial(server, default, way, tmp_path, examples=EXAMPLES)))
    assert BROKEN[broken] in report.checks, str(report)
