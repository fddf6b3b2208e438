"""A server of the contract that only tests know, and fresh customers of it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from mockserver.server.application import Application, create_app
from tests.live import Live, live_server
from tests.server.acme_customer import SETTINGS, Customer

Make = Callable[..., Customer]


@pytest.fixture(scope="session")
def acme_app() -> Application:
    return create_app(SETTINGS)


@pytest.fixture(scope="session")
def acme_client(acme_app: Application) -> Iterator[TestClient]:
    with TestClient(acme_app, base_url="http://localhost") as client:
        yield client


@pytest.fixture
def make(acme_client: TestClient) -> Iterator[Make]:
    """Makes customers that are gone after the test."""
    made: list[Customer] = []

    def make(account_id: str | None = None, **given: Any) -> Customer:
        made.append(Customer.made(acme_client, account_id, given))
        return made[-1]

    yield make
    for customer in made:
        acme_client.delete(f"/_mock/accounts/{customer.id}")


@pytest.fixture
def customer(make: Make) -> Customer:
    return make()


@pytest.fixture(scope="session")
def live() -> Iterator[Live]:
    """The same on a real socket."""
    with live_server(SETTINGS) as live:
        yield live
