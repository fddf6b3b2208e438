"""A server for these tests, and an account for each."""

from collections.abc import Iterator

import pytest

from mockserver.testing import Account, MockServer, run


@pytest.fixture(scope="session")
def server() -> Iterator[MockServer]:
    with run() as server:
        yield server


@pytest.fixture
def account(server: MockServer) -> Iterator[Account]:
    with server.account() as account:
        yield account
