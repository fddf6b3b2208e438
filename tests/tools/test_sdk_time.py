"""The vendor's own SDKs and an account whose time was advanced: they sign a token for each message."""

import asyncio
from typing import Any

import pytest
import requests

from mockserver.engine.call import call_number, unpack_headers
from tests.live import PATIENCE, Live
from tests.tools.sdks import Customer, send

HOURS = 7200


def captured(server: Live, customer: Customer) -> str:
    """The credential of the customer's newest call, as it was sent; the control API would mask it."""
    listed = requests.get(f"{server.url}/_mock/calls?account={customer.id}&limit=1", timeout=PATIENCE).json()["calls"]
    call = asyncio.run(server.app.store.call(call_number(listed[0]["id"]) or 0))
    assert call is not None
    return dict(unpack_headers(call.headers))["authorization"]


def replay(server: Live, customer: Customer, credential: str) -> requests.Response:
    """Another message with a captured credential."""
    query = {"source": customer.numbers[0], "destination": "447443332212", "sms_body": "Hi"}
    url = f"{server.url}/platform_api/SendSmsMessage"
    return requests.post(url, params=query, headers={"Authorization": credential}, timeout=PATIENCE)


@pytest.mark.parametrize("name", ["python", "node"])
def test_two_hours_later(name: str, request: pytest.FixtureRequest, server: Live, customer: Customer) -> None:
    """An SDK still sends after two hours of the account's time, by a fresh token; one from before is refused."""
    sdk: Any = request.getfixturevalue(name)
    assert send(sdk, server, customer, customer.numbers[0], "Before")["result"] == 1
    before = captured(server, customer)
    assert replay(server, customer, before).json()["result"] == 1
    clock = f"{server.url}/_mock/accounts/{customer.id}/clock"
    requests.post(clock, json={"advance": HOURS}, timeout=PATIENCE).raise_for_status()
    refused = replay(server, customer, before)
    assert refused.headers["x-mock-problem"].startswith("unauthenticated expired")
    assert send(sdk, server, customer, customer.numbers[0], "After")["result"] == 1
    after = captured(server, customer)
    assert after != before
    assert replay(server, customer, after).json()["result"] == 1
