import subprocess
import sys

import requests

from mockserver.testing import MockVendors

URL = "https://api.us-1.platform.polyai.app/v1/outbound-sms"  # written into the code
SESSION = requests.Session()


def send(key: str, connector: str) -> int:
    """The code under test."""
    headers = {"X-PolyAi-Auth-Token": key, "X-TOKEN-ID": connector}
    return SESSION.post(URL, json={"user_number": "+14155550123", "message": "Hi"}, headers=headers).status_code


def test_a_host_that_is_written_into_the_code(mock_vendors: MockVendors) -> None:
    polyai = mock_vendors.polyai
    mock_vendors.intercept()
    assert send(polyai.credentials["api_key"], polyai.owned["connectors"][0]["id"]) == 202
    polyai.send_sms.assert_accepted_once()


WORKER = """
import sys, urllib.request

body = b'{"to_phone": "+1 (415) 555-0123", "first_name": "Jane"}'
print(urllib.request.urlopen(f"https://cx.avaamo.com/sms/{sys.argv[1]}/send.json", body).status)
"""


def test_a_worker(mock_vendors: MockVendors) -> None:
    avaamo = mock_vendors.avaamo
    with mock_vendors.intercept(env=True):
        worker = [sys.executable, "-c", WORKER, avaamo.owned["channels"][0]["uuid"]]
        assert subprocess.run(worker, capture_output=True, text=True, check=True).stdout == "200\n"
    avaamo.send_sms.assert_accepted_once(json={"first_name": "Jane"})
