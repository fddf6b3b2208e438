"""A client under test: sends an SMS through one vendor."""

from typing import Any

import requests

TO = "+14155550123"


def send(vendor: Any, text: str = "Hi", *, to: str = TO, key: str | None = None, **extra: Any) -> int:
    """The status of a send. ``key`` is another credential than the account's, "" for none at all."""
    headers = {"X-TOKEN-ID": vendor.owned["connectors"][0]["id"]}
    if key != "":
        headers["X-PolyAi-Auth-Token"] = key or vendor.credentials["api_key"]
    body = {"message": text, "user_number": to, **extra}
    return requests.post(f"{vendor.url}/v1/outbound-sms", json=body, headers=headers, timeout=10).status_code
