"""What an application tests of five vendors: that it sends, and what it does on four refusals of each; PolyAI's table.

``test_evidence_suite.py`` runs it. A refusal that a client cannot cause is pinned.
"""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from mockserver.testing import MockVendors

TO = "+14155550123"


def avaamo(vendor: Any, *, to: str = TO, credentials: bool = True) -> int:
    """Its channel is the only credential: without one, the channel whose handler lets nobody in."""
    channel = vendor.owned["channels"][0 if credentials else 2]["uuid"]
    return requests.post(f"{vendor.url}/sms/{channel}/send.json", json={"to_phone": to}, timeout=10).status_code


def koreai(vendor: Any, *, to: str = TO, credentials: bool = True) -> int:
    url = f"{vendor.url}/api/public/bot/{vendor.owned['bots'][0]['id']}/outboundsms"
    headers = {"auth": vendor.tokens["Jwt"]} if credentials else {}
    body = {"fromNo": vendor.owned["numbers"][0], "toNo": to}
    return requests.post(url, json=body, headers=headers, timeout=10).status_code


def opentact(vendor: Any, *, to: str = TO, credentials: bool = True) -> int:
    headers = {"Authorization": f"Bearer {vendor.credentials['keys'][0]['api_key']}"} if credentials else {}
    body = {"from": f"+{vendor.owned['leases'][0]['tn']}", "to": to, "text": "Hello, world!"}
    return requests.post(f"{vendor.url}/sms/o", json=body, headers=headers, timeout=10).status_code


def polyai(vendor: Any, *, to: str = TO, credentials: bool = True, connector: str | None = None) -> int:
    headers = {"X-TOKEN-ID": connector or vendor.owned["connectors"][0]["id"]}
    headers |= {"X-PolyAi-Auth-Token": vendor.credentials["api_key"]} if credentials else {}
    body = {"user_number": to, "message": "Hi"}
    return requests.post(f"{vendor.url}/v1/outbound-sms", json=body, headers=headers, timeout=10).status_code


def voximplant(vendor: Any, *, to: str = TO, credentials: bool = True) -> int:
    """Its failures are 200: the status that a client makes of their codes."""
    query = {"source": vendor.owned["numbers"][0]["number"], "destination": to.removeprefix("+"), "sms_body": "Hi"}
    headers = {"Authorization": f"Bearer {vendor.tokens['Jwt']}"} if credentials else {}
    response = requests.post(
        f"{vendor.url}/platform_api/SendSmsMessage", params=query, headers=headers, json={}, timeout=10
    )
    assert response.status_code == 200
    error = response.json().get("error")
    return {100: 401, 423: 400, 340: 429, 2: 500}[error["code"]] if error else 200


Send = Callable[..., int]
VENDORS: list[tuple[Send, dict[str, int]]] = [
    (avaamo, {"sent": 200, "unauthorized": 403, "invalid": 400}),
    (koreai, {"sent": 200, "unauthorized": 401, "invalid": 412}),
    (opentact, {"sent": 200, "unauthorized": 401, "invalid": 400}),
    (polyai, {"sent": 202, "unauthorized": 401, "invalid": 400}),
    (voximplant, {"sent": 200, "unauthorized": 401, "invalid": 400}),
]
each_vendor = pytest.mark.parametrize(("send", "statuses"), VENDORS, ids=[send.__name__ for send, _ in VENDORS])


@each_vendor
def test_sent(mock_vendors: MockVendors, send: Send, statuses: dict[str, int]) -> None:
    assert send(getattr(mock_vendors, send.__name__)) == statuses["sent"]


@each_vendor
def test_unauthorized(mock_vendors: MockVendors, send: Send, statuses: dict[str, int]) -> None:
    assert send(getattr(mock_vendors, send.__name__), credentials=False) == statuses["unauthorized"]


@each_vendor
def test_invalid(mock_vendors: MockVendors, send: Send, statuses: dict[str, int]) -> None:
    assert send(getattr(mock_vendors, send.__name__), to="nobody") == statuses["invalid"]


@pytest.mark.parametrize(("answer", "status"), [("rate_limited", 429), ("server_error", 500)])
@each_vendor
def test_pinned(mock_vendors: MockVendors, send: Send, statuses: dict[str, int], answer: str, status: int) -> None:
    vendor = getattr(mock_vendors, send.__name__)
    vendor.send_sms.pin(answer)
    assert send(vendor) == status
    assert send(vendor) == statuses["sent"]


def test_polyais_table(mock_vendors: MockVendors) -> None:
    vendor = mock_vendors.polyai
    without_numbers = vendor.owned["connectors"][1]["id"]
    assert polyai(vendor) == 202
    assert polyai(vendor, to="4155550123") == 400
    assert polyai(vendor, credentials=False) == 401
    assert polyai(vendor, connector="nobody") == polyai(vendor, connector=without_numbers) == 404
    for answer, status in (("forbidden", 403), ("rate_limited", 429), ("server_error", 500)):
        vendor.send_sms.pin(answer)
        assert polyai(vendor) == status
