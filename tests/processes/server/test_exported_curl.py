"""What format=curl exports is run by a shell, and gets the same answers."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.live import PATIENCE, Live, live_server

VENDORS = ["avaamo", "koreai", "opentact", "polyai", "voximplant"]


@pytest.fixture(scope="module")
def vendors() -> Iterator[Live]:
    """A server of the real vendors on a socket."""
    with live_server() as live:
        yield live


def ask(live: Live, path: str, **query: str) -> Any:
    return requests.get(f"{live.url}/_mock/{path}", params=query, timeout=PATIENCE)


def run(script: str) -> str:
    return subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True, timeout=PATIENCE).stdout


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_curl_gets_the_same_answer(vendors: Live, vendor: str) -> None:
    """A good call, the same call with a wrong credential, and what the script makes of both."""
    account = requests.post(f"{vendors.url}/_mock/accounts", timeout=PATIENCE).json()["id"]
    good = ask(vendors, f"accounts/{account}/curl/{vendor}").text
    first = run(good)
    tokens = ask(vendors, f"accounts/{account}").json()["vendors"][vendor]["tokens"].values()
    spoilt = good
    for token in tokens:
        spoilt = spoilt.replace(token, f"{token[:-4]}AAAA")
    second = run(spoilt)
    script = (
        ask(vendors, "calls", account=account, format="curl").text
        + ask(vendors, "calls", account="unclaimed", vendor=vendor, format="curl").text
    )
    again = run(script)
    answers = [line for line in (first + second).splitlines() if line.startswith("x-mock-answer")]
    assert [line for line in again.splitlines() if line.startswith("x-mock-answer")] == answers
    assert "/sent" in answers[0]


def test_the_whole_script(vendors: Live, tmp_path: Path) -> None:
    """Hostile values stay values: what a shell would run is sent as it was."""
    hostile = {"to": "$(touch hacked)", "text": "`touch hacked` \"'\\ \x07"}
    account = requests.post(f"{vendors.url}/_mock/accounts", timeout=PATIENCE).json()
    key = account["vendors"]["polyai"]["credentials"]["api_key"]
    headers = {"X-PolyAi-Auth-Token": key, "X-Odd": 'a"b`c$(touch hacked)\\'}
    requests.post(f"{vendors.url}/v1/outbound-sms?a=$(touch+hacked)", json=hostile, headers=headers, timeout=PATIENCE)
    script = ask(vendors, "calls", account=account["id"], format="curl").text
    subprocess.run(["sh", "-c", script], capture_output=True, check=True, cwd=tmp_path, timeout=PATIENCE)
    assert list(tmp_path.iterdir()) == []
    newer, older = ask(vendors, "calls", account=account["id"]).json()["calls"]
    assert newer["request"]["body_base64"] == older["request"]["body_base64"]
    assert newer["request"]["query"] == older["request"]["query"]
    sent = [
        {name: value for name, value in call["request"]["headers"] if name != "connection"} for call in (newer, older)
    ]
    assert sent[0] == sent[1]
