import pytest
import requests

from mockserver.testing import MockVendors, fault


class Reminders:
    """The code under test: your own client of a vendor."""

    def __init__(self, url: str, key: str, connector: str) -> None:
        self.url = url
        self.headers = {"X-PolyAi-Auth-Token": key, "X-TOKEN-ID": connector}

    def send(self, number: str) -> bool:
        body = {"user_number": number, "message": "See you tomorrow at 2pm."}
        response = requests.post(f"{self.url}/v1/outbound-sms", json=body, headers=self.headers, timeout=5)
        return response.status_code == 202


@pytest.fixture
def reminders(mock_vendors: MockVendors) -> Reminders:
    polyai = mock_vendors.polyai  # a customer of this test's own
    return Reminders(polyai.url, polyai.credentials["api_key"], polyai.owned["connectors"][0]["id"])


def test_a_reminder_is_sent(mock_vendors: MockVendors, reminders: Reminders) -> None:
    assert reminders.send("+14155550123")
    mock_vendors.polyai.send_sms.assert_accepted_once(json={"user_number": "+14155550123"})


def test_one_is_throttled_and_one_loses_its_connection(mock_vendors: MockVendors, reminders: Reminders) -> None:
    send_sms = mock_vendors.polyai.send_sms
    send_sms.pin("rate_limited", where={"json": {"user_number": "+14155550124"}})
    send_sms.pin(fault=fault.reset(), where={"json": {"user_number": "+14155550125"}})
    assert not reminders.send("+14155550124")
    with pytest.raises(requests.ConnectionError):
        reminders.send("+14155550125")
    send_sms.assert_refused(answer="rate_limited", times=1)
