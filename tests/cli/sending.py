"""A message through one of the real vendors, as a client of a customer sends it."""

from typing import Any

import requests

from mockserver.testing import Account
from tests.live import PATIENCE


def send(account: Account, number: str = "+14155550123", text: str = "Hi") -> Any:
    """The response to a message to this number."""
    polyai = account.polyai
    headers = {
        "X-PolyAi-Auth-Token": polyai.credentials["api_key"],
        "X-TOKEN-ID": polyai.owned["connectors"][0]["id"],
    }
    body = {"user_number": number, "message": text}
    return requests.post(f"{polyai.url}/v1/outbound-sms", json=body, headers=headers, timeout=PATIENCE)
