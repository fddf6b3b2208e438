"""``mockserver curl``: what it prints is run by a shell, against a real server."""

import base64
import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from mockserver.server.settings import Settings
from tests.cli.running import invoke, odd_account, surroundings
from tests.live import PATIENCE, Live, live_server

ODD = """it's +1 "555" $HOME `id` \\ {a,b} @x é\n!"""


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An account whose number a shell would make something else of."""
    return odd_account(tmp_path_factory.mktemp("accounts"), [ODD])


@pytest.fixture(scope="module")
def server(accounts: Path) -> Iterator[Live]:
    with live_server(Settings(accounts=accounts)) as live:
        yield live


def shell(command: str) -> str:
    """What a command line prints; ``mockserver`` in it is this package."""
    program = f'mockserver() {{ {shlex.quote(sys.executable)} -m mockserver "$@"; }}\n{command}'
    ended = subprocess.run(
        ["bash", "-c", program], env=surroundings(), capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, ""), ended
    return ended.stdout


def last_call(server: Live, vendor: str) -> Any:
    return requests.get(f"{server.url}/_mock/calls?vendor={vendor}", timeout=PATIENCE).json()["calls"][0]


@pytest.mark.parametrize(
    ("vendor", "status"), [("avaamo", 200), ("koreai", 200), ("opentact", 200), ("polyai", 202), ("voximplant", 200)]
)
def test_runs(server: Live, vendor: str, status: int) -> None:
    """The command that serve says to try prints one line, and a shell that runs it sends an SMS."""
    shown = shell(f'line=$(mockserver curl {vendor} --url {server.url}); echo "$line"; eval "$line"')
    line, status_line, *_ = shown.splitlines()
    assert line.startswith("curl -sS -i -X POST ")
    assert status_line.startswith(f"HTTP/1.1 {status} ")
    assert f"x-mock-answer: {vendor}.send_sms/sent\n" in shown
    call = last_call(server, vendor)
    assert (call["account"], call["accepted"], call["problems"]) == ("default", True, [])


def test_quoting(server: Live, accounts: Path) -> None:
    """A value with quotes, dollars and line ends arrives as it is."""
    printed = invoke("curl", "koreai", "--account", "odd", "--accounts", accounts, "--url", f"{server.url}/")
    assert "x-mock-problem: invalid pattern /body/fromNo\n" in shell(printed.stdout)
    call = last_call(server, "koreai")
    assert (call["account"], call["request"]["json"]["fromNo"]) == ("odd", ODD)
    assert call["request"]["path"].startswith("/api/")


def test_other_account(server: Live) -> None:
    """The call is the account's that was asked for."""
    printed = invoke("curl", "polyai", "--account", "second", "--url", server.url)
    assert "HTTP/1.1 202 " in shell(printed.stdout)
    assert last_call(server, "polyai")["account"] == "second"


def test_fresh_token() -> None:
    """Tokens are signed when the command is made, so that they are not expired when it runs."""
    printed = shlex.split(invoke("curl", "voximplant").stdout)
    assert printed[5].startswith("http://127.0.0.1:8080/platform_api/SendSmsMessage?")
    header = next(word for word in printed if word.startswith("authorization: Bearer "))
    claims = json.loads(_decoded(header.split(".")[1]))
    assert claims["exp"] - claims["iat"] == 3600


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
