import os

import httpx

from mockserver.testing import MockVendors


def send_sms(number: str, text: str) -> None:
    """The code under test: it reads its settings from the environment, when it is called."""
    headers = {"Authorization": f"Bearer {os.environ['OPENTACT_KEY']}"}
    body = {"from": os.environ["OPENTACT_FROM"], "to": number, "text": text}
    httpx.post(f"{os.environ['OPENTACT_URL']}/sms/o", json=body, headers=headers).raise_for_status()


def test_the_environment_points_here(mock_vendors: MockVendors) -> None:
    mock_vendors.setenv(
        {
            "OPENTACT_URL": "opentact.url",
            "OPENTACT_KEY": "opentact.tokens.ApiKey",
            "OPENTACT_FROM": "opentact.owned.leases.0.tn",
        }
    )
    send_sms("14155550123", "Hello")
    mock_vendors.assert_accepted(recipient="+14155550123", times=1)
