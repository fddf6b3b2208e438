from collections.abc import Iterator

import pytest

from mockserver.testing import Account, MockServer
from tests.examples.sending import send


@pytest.fixture(scope="module")
def customer(mock_server: MockServer) -> Iterator[Account]:
    """One account for all tests of a module; scope="session" works alike."""
    with mock_server.account() as account:
        yield account


@pytest.fixture(autouse=True)
def fresh(customer: Account) -> None:
    """Its calls, pins, limits and clock are forgotten before each test; its credentials stay."""
    customer.reset()


@pytest.mark.parametrize("number", ["+14155550123", "+14155550124"])
def test_a_message_is_sent(customer: Account, number: str) -> None:
    send(customer.polyai, number)
    customer.polyai.send_sms.assert_accepted_once(recipient=number)
