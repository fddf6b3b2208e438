import unittest

import pytest

from mockserver.testing import Account, MockServer, MockVendors, run
from tests.examples.sending import send


class UnderPytest(unittest.TestCase):
    """A TestCase takes no fixtures as parameters; an autouse fixture hands them over."""

    vendors: MockVendors

    @pytest.fixture(autouse=True)
    def _vendors(self, mock_vendors: MockVendors) -> None:
        self.vendors = mock_vendors

    def test_a_message_is_sent(self) -> None:
        send(self.vendors.polyai)
        self.vendors.polyai.send_sms.assert_accepted_once()


class UnderAnyRunner(unittest.TestCase):
    """A server in a thread for the class, an account for each test; `python -m unittest` runs it."""

    server: MockServer
    account: Account

    @classmethod
    def setUpClass(cls) -> None:
        cls.server = cls.enterClassContext(run())

    def setUp(self) -> None:
        self.account = self.enterContext(self.server.account())

    def test_a_message_is_sent(self) -> None:
        send(self.account.polyai)
        self.account.polyai.send_sms.assert_accepted_once()
