"""A server of the test contract on a real socket that has nothing to complain of."""

from collections.abc import Iterator

import pytest

from tests.faults.wire import Customer
from tests.live import Live, live_server
from tests.server.acme_customer import SETTINGS


@pytest.fixture(scope="session")
def server() -> Iterator[Live]:
    with live_server(SETTINGS) as live:
        yield live


@pytest.fixture
def customer(server: Live) -> Customer:
    return Customer.of(server)


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing finds anything wrong with what a fault does."""
    yield
    complaints = [record.getMessage() for phase in ("setup", "call") for record in caplog.get_records(phase)]
    assert complaints == []
