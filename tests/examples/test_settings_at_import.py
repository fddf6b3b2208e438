import importlib

import httpx
import pytest

from mockserver.testing import MockVendors
from tests.examples import settings  # your own module


@pytest.fixture(autouse=True)
def settings_of_this_test(mock_vendors: MockVendors) -> None:
    mock_vendors.setenv({"OPENTACT_URL": "opentact.url", "OPENTACT_KEY": "opentact.tokens.ApiKey"})
    importlib.reload(settings)


def test_settings_point_here(mock_vendors: MockVendors) -> None:
    body = {"from": mock_vendors.get("opentact.owned.leases.0.tn"), "to": "14155550123", "text": "Hello"}
    headers = {"Authorization": f"Bearer {settings.OPENTACT_KEY}"}
    httpx.post(f"{settings.OPENTACT_URL}/sms/o", json=body, headers=headers)
    mock_vendors.opentact.send_sms.assert_accepted_once()
