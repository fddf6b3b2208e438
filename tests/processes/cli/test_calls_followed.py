"""`mockserver calls --follow` as a process: what comes, and the server's end."""

import json
import subprocess
from collections.abc import Iterator

import pytest

from mockserver.testing import Account, MockServer, run
from tests.cli.running import COMMAND, surroundings
from tests.cli.sending import send
from tests.live import PATIENCE


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with run() as server:
        yield server


@pytest.fixture
def account(server: MockServer) -> Iterator[Account]:
    """A customer that was accepted once, and refused once."""
    with server.account() as account:
        send(account, text="first words")
        send(account, number="12", text="second words")
        yield account


def test_followed(server: MockServer, account: Account) -> None:
    """Those that were there, and then each that comes, once."""
    command = [*COMMAND, "calls", "--follow", "--json", "--url", server.url, "--account", account.id]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=surroundings()) as following:
        assert following.stdout is not None
        listed = [json.loads(following.stdout.readline())["id"] for _ in range(2)]
        send(account, text="third words")
        listed.append(json.loads(following.stdout.readline())["id"])
        following.terminate()
        assert following.stdout.read() == ""
    assert listed == [call.id for call in account.recorded_calls()]


def test_a_server_that_ends() -> None:
    """Whoever follows is told in one line, or ends in peace; nobody sees a traceback."""
    with run() as server, server.account() as account:
        send(account)
        command = [*COMMAND, "calls", "--follow", "--url", server.url]
        following = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=surroundings()
        )
        assert following.stdout is not None
        assert "polyai.send_sms/sent" in following.stdout.readline()
    _, complaint = following.communicate(timeout=PATIENCE)
    assert "Traceback" not in complaint
