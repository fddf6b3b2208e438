"""Commands that ask a running server: it has vendors and accounts that the files here have not."""

import json
import shlex
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import requests

from mockserver.server.settings import Settings
from tests.cli.running import invoke
from tests.live import PATIENCE, Live, live_server

CONTRACTS = Path(__file__).parents[1] / "vendors" / "contracts"
VENDORS = sorted(file.stem for file in CONTRACTS.glob("*.yaml"))


@pytest.fixture(scope="module")
def server() -> Iterator[Live]:
    with live_server(Settings(contracts=(CONTRACTS,), builtin=False)) as live:
        yield live


@pytest.mark.parametrize("vendor", VENDORS)
def test_curl_works_for_every_vendor_that_serves(server: Live, vendor: str) -> None:
    """The printed call is accepted, for an account that only the server knows."""
    account = requests.post(f"{server.url}/_mock/accounts", timeout=PATIENCE).json()["id"]
    words = shlex.split(invoke("curl", vendor, "--account", account, "--url", server.url).stdout)
    headers = dict(words[n + 1].split(": ", 1) for n, word in enumerate(words) if word == "-H")
    body = words[words.index("--data-raw") + 1]
    url = next(word for word in words if word.startswith("http"))
    reply = requests.post(url, data=body, headers=headers, timeout=PATIENCE)
    assert (reply.headers["x-mock-answer"], "x-mock-problem" in reply.headers) == (f"{vendor}.send_sms/sent", False)


def test_account_of_a_server(server: Live) -> None:
    """It has the server's vendors, not those of the files here."""
    assert sorted(json.loads(invoke("account", "--url", server.url).stdout)["vendors"]) == VENDORS


@pytest.mark.parametrize("command", [["curl", "polyai"], ["curl", "twilio", "--account", "nobody"], ["account", "x"]])
def test_what_the_server_has_not(server: Live, command: list[str]) -> None:
    """Its own words are the one line."""
    ended = invoke(*command, "--url", server.url)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert " answered 404: " in ended.stderr


def test_the_server_that_runs_is_asked(server: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --url it is the one at the usual port; what it has not is read from files."""
    monkeypatch.setenv("MOCKSERVER_PUBLIC_URL", server.url)
    assert f"127.0.0.1:{server.port}" in invoke("curl", "twilio").stdout
    assert sorted(json.loads(invoke("account").stdout)["vendors"]) == VENDORS
    assert "/v1/outbound-sms" in invoke("curl", "polyai").stdout


def test_another_program_at_the_usual_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no mockserver's answer is not taken for one."""
    with serving_text(b"<html>") as port:
        monkeypatch.setenv("MOCKSERVER_PUBLIC_URL", f"http://127.0.0.1:{port}")
        assert "/v1/outbound-sms" in invoke("curl", "polyai").stdout
        assert "polyai" in json.loads(invoke("account").stdout)["vendors"]


@contextmanager
def serving_text(text: bytes) -> Iterator[int]:
    """A server that says the same to everybody."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        try:
            yield listening.server_port
        finally:
            listening.shutdown()
            thread.join()


def test_a_vendor_of_a_server_that_is_silent() -> None:
    """That nobody answers is said, not only that the files have no such vendor."""
    ended = invoke("curl", "twilio", "--url", "http://127.0.0.1:9")
    assert ended.exit_code == 2
    assert "no mockserver answers at http://127.0.0.1:9/" in ended.stderr
    assert "the files here have no vendor 'twilio'" in ended.stderr


@pytest.mark.parametrize("command", [["curl", "polyai"], ["account"]], ids=lambda words: words[0])
def test_files_named_or_no_server(server: Live, command: list[str], tmp_path: Path) -> None:
    """Where files are named they are read; so they are where no server answers."""
    for where in (["--url", server.url, "--fixtures", tmp_path], ["--url", "http://127.0.0.1:9"]):
        ended = invoke(*command, *where)
        assert (ended.exit_code, "/v1/outbound-sms" in ended.stdout or '"polyai"' in ended.stdout) == (0, True)
