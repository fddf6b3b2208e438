import requests

from mockserver.testing import MockVendors


def remind(url: str, key: str, connector: str, number: str) -> bool:
    """The code under test: your own client of a vendor."""
    headers = {"X-PolyAi-Auth-Token": key, "X-TOKEN-ID": connector}
    body = {"user_number": number, "message": "See you tomorrow at 2pm."}
    response = requests.post(f"{url}/v1/outbound-sms", json=body, headers=headers, timeout=5)
    return response.status_code == 202


def test_a_reminder_is_sent(mock_vendors: MockVendors) -> None:
    polyai = mock_vendors.polyai  # a customer of this test's own, at every vendor
    key, connector = polyai.credentials["api_key"], polyai.owned["connectors"][0]["id"]
    assert remind(polyai.url, key, connector, "+14155550123")
    polyai.send_sms.assert_accepted(times=1, body={"user_number": "+14155550123"})


def test_throttling_is_not_success(mock_vendors: MockVendors) -> None:
    polyai = mock_vendors.polyai
    polyai.send_sms.pin("rate_limited")
    key, connector = polyai.credentials["api_key"], polyai.owned["connectors"][0]["id"]
    assert not remind(polyai.url, key, connector, "+14155550123")
