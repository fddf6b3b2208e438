from typing import Any

import httpx

from mockserver.testing import Account, MockServer, MockVendors


def send(account: Account, token: str) -> httpx.Response:
    """The code under test: one message, with a token that it keeps."""
    voximplant = account.voximplant
    query = {"source": voximplant.owned["numbers"][0]["number"], "destination": "447700900222", "sms_body": "Hi"}
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.get(f"{voximplant.url}/platform_api/SendSmsMessage", params=query, headers=headers)


def test_a_token_expires(mock_vendors: MockVendors) -> None:
    token = mock_vendors.voximplant.tokens["Jwt"]
    assert send(mock_vendors, token).json()["result"] == 1
    mock_vendors.advance(3601)  # seconds
    assert "error" in send(mock_vendors, token).json()
    mock_vendors.voximplant.send_sms.assert_refused(times=1)


def create(account: Account) -> dict[str, Any]:
    """What the vendor answers has ids and times in it."""
    opentact = account.opentact
    body = {"from": opentact.owned["leases"][0]["tn"], "to": "14155550123", "text": "Hello"}
    headers = {"Authorization": f"Bearer {opentact.tokens['ApiKey']}"}
    answer: dict[str, Any] = httpx.post(f"{opentact.url}/sms/o", json=body, headers=headers).json()["payload"]
    return answer


def test_a_known_time(mock_vendors: MockVendors) -> None:
    mock_vendors.freeze("2030-01-01T09:00:00Z")  # or a datetime; unfreeze() lets it go on
    assert create(mock_vendors)["created_on"].startswith("2030-01-01T09:00:00")


def test_the_same_each_time(mock_server: MockServer) -> None:
    answers = []
    for _ in range(2):
        with mock_server.account(seed=1) as account:
            answers.append(create(account))
    assert answers[0] == answers[1]
