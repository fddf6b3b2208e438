"""The server that is fuzzed and the account whose credentials it is fuzzed with: what fuzzing does stays in both."""

import asyncio

import pytest

from mockserver.engine.account import AccountData
from mockserver.server.application import Application, create_app
from mockserver.server.settings import Settings


@pytest.fixture(scope="session")
def app() -> Application:
    """Not the one that tests outside this folder share, some of which may come later in the same process."""
    return create_app(Settings())


@pytest.fixture(scope="session")
def default(app: Application) -> AccountData:
    account = asyncio.run(app.store.account("default"))
    assert account is not None
    return account
