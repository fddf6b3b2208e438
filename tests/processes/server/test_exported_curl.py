"""What format=curl exports is run by a shell, and gets the same answers."""

import gzip
import json
import subprocess
from collections.abc import Iterator
from http.client import HTTPConnection
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
    ended = subprocess.run(["sh"], input=script, capture_output=True, text=True, check=True, timeout=PATIENCE)
    return ended.stdout


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


BODY = json.dumps({"user_number": "+14155550123", "message": "It's $HOME! `id`"}).encode()
JSON = {"Content-Type": "application/json"}
ODD = {
    "a file's name": ("POST", "/v1/outbound-sms", JSON, b"@/etc/hostname"),
    "patterns": ("POST", "/v1/outbound-sms?a[]=1&b={x,y}&c=a!b", JSON, BODY),
    "patterns in a path": ("GET", "/v1/[1-2]/{a,b}", {}, b""),
    "dots": ("GET", "/a/../b/./c", {}, b""),
    "no body to wait for": ("HEAD", "/v1/outbound-sms", {}, b""),
    "an empty header": ("POST", "/v1/outbound-sms", {**JSON, "X-TOKEN-ID": "", "X-Odd": "a!b"}, BODY),
    "long": ("POST", "/nowhere", JSON, BODY + b" " * 300_000),
    "compressed": ("POST", "/v1/outbound-sms", {**JSON, "Content-Encoding": "gzip"}, gzip.compress(BODY)),
    "no text": ("POST", "/v1/outbound-sms", JSON, BODY.replace(b"It", b"\xe9\x00")),
    "lines": ("POST", "/v1/outbound-sms", JSON, BODY.replace(b" ", b"\r\n") + b"\r\n"),
    "another method": ("PROPFIND", "/v1/outbound-sms", {}, b""),
    "a body of GET": ("GET", "/v1/outbound-sms", JSON, BODY),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_requests(vendors: Live, name: str) -> None:
    """What curl would take for an option, a file, a pattern or a path to walk is sent as it was."""
    method, target, headers, body = ODD[name]
    account = requests.post(f"{vendors.url}/_mock/accounts", timeout=PATIENCE).json()
    key = {"X-PolyAi-Auth-Token": account["vendors"]["polyai"]["credentials"]["api_key"]}
    connection = HTTPConnection("127.0.0.1", vendors.port, timeout=PATIENCE)
    connection.request(method, target, body or None, headers | (key if "outbound-sms" in target else {}))
    response = connection.getresponse()
    response.read()
    connection.close()
    (call,) = ask(vendors, "calls", limit="1", direction="in").json()["calls"]
    printed = run(ask(vendors, f"calls/{call['id']}", format="curl").text)
    again, first = ask(vendors, "calls", limit="2", direction="in").json()["calls"]
    assert first["id"] == call["id"]
    assert printed.split()[1] == str(response.status)
    assert again["answer"] == first["answer"]
    assert again["problems"] == first["problems"]
    assert _sent(again) == _sent(first)


def _sent(call: Any) -> dict[str, Any]:
    """A request without what each client has of its own."""
    headers = [pair for pair in call["request"]["headers"] if pair[0] not in {"connection", "content-length"}]
    return {**call["request"], "headers": sorted(headers)}
