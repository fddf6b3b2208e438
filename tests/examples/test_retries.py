import time
from collections.abc import Callable

import pytest
import requests

from mockserver.testing import MockVendors, Vendor, fault
from tests.examples.sending import send


def send_patiently(polyai: Vendor, sleep: Callable[[float], None] = time.sleep) -> requests.Response:
    """A throttled client waits as it is told, and for a minute where it is told nothing."""
    while (response := send(polyai)).status_code == 429:
        sleep(int(response.headers.get("Retry-After", "60")))
    return response


def send_stubbornly(polyai: Vendor) -> requests.Response:
    """A client that loses its connection tries again, twice."""
    for _ in range(2):
        try:
            return send(polyai)
        except requests.ConnectionError:
            continue
    return send(polyai)


def test_throttled(mock_vendors: MockVendors) -> None:
    mock_vendors.limit("polyai", requests=1, seconds=60)  # or as documented: limit("polyai")
    send(mock_vendors.polyai)
    assert send_patiently(mock_vendors.polyai, sleep=mock_vendors.advance).status_code == 202  # a minute passes at once
    mock_vendors.polyai.send_sms.assert_accepted(times=2)


def test_connection_reset(mock_vendors: MockVendors) -> None:
    mock_vendors.polyai.send_sms.pin(fault=fault.reset(times=2))
    assert send_stubbornly(mock_vendors.polyai).status_code == 202
    mock_vendors.polyai.send_sms.assert_accepted_once()


def test_reply_lost(mock_vendors: MockVendors) -> None:
    mock_vendors.polyai.send_sms.pin("sent", fault=fault.reset())  # accepted, but the client cannot know
    assert send_stubbornly(mock_vendors.polyai).status_code == 202
    mock_vendors.polyai.send_sms.assert_accepted(times=2)  # the customer gets it twice


def test_no_answer(mock_vendors: MockVendors) -> None:
    mock_vendors.polyai.send_sms.pin(fault=fault.timeout())
    with pytest.raises(requests.ReadTimeout):
        send(mock_vendors.polyai, timeout=0.2)


def test_vendor_is_down(mock_vendors: MockVendors) -> None:
    with pytest.raises(requests.ConnectionError):
        requests.post(f"{mock_vendors.polyai.unreachable_url}/v1/outbound-sms", timeout=5)
