"""The samples of the vendors' own pages, run as they stand there against a real socket.

Nothing in a sample is replaced but the host, a token, and digits that the page itself leaves out. The page's
numbers, ids and keys belong to an account made for it.
"""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import requests

from tests.live import PATIENCE, Live, live_server

PAGES = Path(__file__).parent / "pages"

UUID, TIME = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", r"[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}\.[0-9]{3}Z"
OPENTACT_DYNAMIC = [
    ("uuid", UUID),
    ("thread", "[0-9a-f]{32}"),
    ("created_on", TIME),
    ("modified_on", TIME),
    ("tn_lease", "expired_on", TIME),
]


@pytest.fixture(scope="module")
def server() -> Iterator[Live]:
    with live_server() as live:
        yield live


@pytest.fixture(scope="module")
def account(server: Live) -> Any:
    headers = {"Content-Type": "application/json"}
    made = requests.post(f"{server.url}/_mock/accounts", page("account.json"), headers=headers, timeout=PATIENCE)
    assert made.status_code == 201, made.text
    return made.json()["vendors"]


@pytest.fixture
def environment(tmp_path: Path) -> Mapping[str, str]:
    """Where curl shows status and headers too, without a change to its command."""
    (tmp_path / ".curlrc").write_text("include\nsilent\nshow-error\n", "utf-8")
    return {**os.environ, "CURL_HOME": str(tmp_path), "no_proxy": "*"}


def page(name: str) -> str:
    """What stands on a page, under ``tests/pages``."""
    return (PAGES / name).read_text("utf-8")


def run(command: list[str], environment: Mapping[str, str]) -> str:
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


def curl(sample: str, environment: Mapping[str, str]) -> tuple[int, dict[str, str], str]:
    """Status, headers and body that a page's command gets."""
    head, _, body = run(["bash", "-c", sample], environment).partition("\n\n")
    status, *lines = head.splitlines()
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(status.split()[1]), headers, body


def recorded(server: Live, vendor: str) -> Any:
    """The newest call of the account, which a page's sample must be accepted as."""
    listed = requests.get(f"{server.url}/_mock/calls?account=pages&vendor={vendor}&limit=1", timeout=PATIENCE)
    call = listed.json()["calls"][0]
    assert (call["answer"], call["problems"]) == (f"{vendor}.send_sms/sent", [])
    return call["request"]


def test_avaamo(server: Live, account: Any, environment: Mapping[str, str]) -> None:
    """The page's command, with a number where it has x, gets the page's success."""
    sample = (
        page("avaamo.sh").replace("https://cx.avaamo.com", server.url).replace("+1 (xxx) xxx-xxxx", "+1 (415) 555-0123")
    )
    status, headers, body = curl(sample, environment)
    assert (status, headers["content-type"]) == (200, "application/json")
    assert json.loads(body) == json.loads(page("avaamo.json"))
    assert recorded(server, "avaamo")["json"]["emp_id"] == "1234"


def test_koreai(server: Live, account: Any, environment: Mapping[str, str]) -> None:
    """The page's command, with a token of the account, gets the page's sample response."""
    sample = (
        page("koreai.sh").replace("https://{{host}}", server.url).replace("<token>", account["koreai"]["tokens"]["Jwt"])
    )
    status, headers, body = curl(sample, environment)
    assert (status, headers["content-type"]) == (200, "application/json")
    assert json.loads(body) == json.loads(page("koreai.json"))
    assert recorded(server, "koreai")["json"] == {"fromNo": "+19876543210", "toNo": "+911234567890"}


def kinds(value: Any) -> Any:
    """A JSON value with its members in their order, and only the kind of what is in them."""
    return {name: kinds(member) for name, member in value.items()} if isinstance(value, dict) else type(value).__name__


def test_opentact(server: Live, account: Any, environment: Mapping[str, str]) -> None:
    """The page's command gets a response with the page's members, in their order, of their kinds."""
    status, headers, body = curl(page("opentact.sh").replace("https://api.opentact.com", server.url), environment)
    assert (status, headers["content-type"]) == (200, "application/json")
    assert json.dumps(kinds(json.loads(body))) == json.dumps(kinds(json.loads(page("opentact.json"))))
    payload = json.loads(body)["payload"]
    assert (payload["from"], payload["to"], payload["message"]) == ("13115552368", 13115552367, "Hello, world!")
    assert recorded(server, "opentact")["json"]["text"] == "Hello, world!"


def test_opentact_response(server: Live, account: Any, environment: Mapping[str, str]) -> None:
    """The page's response is for another request than the page's; sent that one, it is the answer, value for value."""
    sample = page("opentact.sh").replace("https://api.opentact.com", server.url)
    sample = sample.replace("+13115552368", "123456789").replace("+13115552367", "987654321")
    _, _, body = curl(sample.replace("Hello, world!", "Hello world"), environment)
    found, expected = json.loads(body), json.loads(page("opentact.json"))
    for *holders, name, pattern in OPENTACT_DYNAMIC:
        part, shown = found["payload"], expected["payload"]
        for holder in holders:
            part, shown = part[holder], shown[holder]
        assert re.fullmatch(pattern, part[name]), name
        assert re.fullmatch(pattern, shown[name]), name
        shown[name] = part[name]
    assert found == expected


def test_polyai_curl(server: Live, account: Any, environment: Mapping[str, str]) -> None:
    """The page's command gets 202 with an empty body."""
    status, headers, body = curl(
        page("polyai.sh").replace("https://api.us-1.platform.polyai.app", server.url), environment
    )
    assert (status, body, headers["content-length"], headers.get("content-type")) == (202, "", "0", None)
    assert recorded(server, "polyai")["json"]["user_number"] == "+14155551234"


def test_polyai_python(server: Live, account: Any, environment: Mapping[str, str]) -> None:
    """The page's Python program prints what its comment says."""
    sample = page("polyai.py.txt").replace("https://api.us-1.platform.polyai.app", server.url)
    assert run([sys.executable, "-c", sample], environment) == "202\n"
    assert recorded(server, "polyai")["json"]["user_number"] == "+14155551234"


def test_voximplant(server: Live, account: Any, environment: Mapping[str, str]) -> None:
    """The page's Python program, with a token of the account, prints what the page's schema describes."""
    token = account["voximplant"]["tokens"]["Jwt"]
    sample = page("voximplant.py.txt").replace("https://api.voximplant.com", server.url).replace("<token>", token)
    found = ast.literal_eval(run([sys.executable, "-c", sample], environment))
    jsonschema.Draft202012Validator(json.loads(page("voximplant.schema.json"))).validate(found)
    assert (found["result"], found["fragments_count"]) == (1, 1)
    assert "sms_body=Test" in recorded(server, "voximplant")["query"]
