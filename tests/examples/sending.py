import requests

from mockserver.testing import Vendor


def send(polyai: Vendor, number: str = "+14155550123", text: str = "Hi Jane", timeout: float = 5) -> requests.Response:
    """The code under test of the examples: one message, sent once."""
    headers = {"X-PolyAi-Auth-Token": polyai.credentials["api_key"], "X-TOKEN-ID": polyai.owned["connectors"][0]["id"]}
    body = {"user_number": number, "message": text}
    return requests.post(f"{polyai.url}/v1/outbound-sms", json=body, headers=headers, timeout=timeout)
