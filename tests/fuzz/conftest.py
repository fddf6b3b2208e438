"""The account whose credentials the fuzzing uses."""

import asyncio

import pytest

from mockserver.engine.account import AccountData
from mockserver.server.application import Application


@pytest.fixture(scope="session")
def default(app: Application) -> AccountData:
    account = asyncio.run(app.store.account("default"))
    assert account is not None
    return account
