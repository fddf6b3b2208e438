"""`mockserver calls`: listed, followed, exported, one shown."""

import json
from collections.abc import Iterator

import pytest

from mockserver.cli.calls import call_line
from mockserver.testing import Account, MockServer, run
from mockserver.testing.client import Control
from tests.cli.running import invoke
from tests.cli.sending import send


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


def calls(server: MockServer, account: Account, *more: str) -> str:
    ended = invoke("calls", "--url", server.url, "--account", account.id, *more)
    assert ended.exit_code == 0, ended.output
    return ended.stdout


def test_listed(server: MockServer, account: Account) -> None:
    """A line each, the latest last; of a refusal its reason."""
    first, second = calls(server, account).splitlines()
    assert f"polyai.send_sms/sent 202 {account.id} +14155550123" in first
    assert "invalid pattern /body/user_number" in second
    assert calls(server, account, "--refused").splitlines() == [second]
    assert calls(server, account, "--grep", "FIRST words").splitlines() == [first]
    assert calls(server, account, "--vendor", "koreai") == ""
    assert calls(server, account, "--limit", "1").splitlines() == [second]
    assert calls(server, account, "--kind", "accepted").splitlines() == [first]
    assert calls(server, account, "--kind", "pinned") == ""


def test_for_programs(server: MockServer, account: Account) -> None:
    """An object a line; with an ID the whole call; the exports of the control API as they are."""
    shapes = [json.loads(line) for line in calls(server, account, "--json").splitlines()]
    assert [shape["accepted"] for shape in shapes] == [True, False]
    name = shapes[0]["id"]
    (line,) = invoke("calls", name, "--url", server.url, "--json").stdout.splitlines()
    assert json.loads(line)["request"]["method"] == "POST"
    assert invoke("calls", name, "--url", server.url).stdout.startswith(f"== {name} ")
    archive = json.loads(calls(server, account, "--format", "har"))
    assert len(archive["log"]["entries"]) == 2
    assert calls(server, account, "--format", "curl", "--limit", "1").count("curl -sS -i") == 1
    assert "assert_accepted_once" in invoke("calls", name, "--url", server.url, "--format", "pytest").stdout


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--format", "har", "--json"), "--format stands alone"),
        (("abc", "--follow"), "with ID there is nothing to follow"),
        (("abc", "--refused"), "with ID there is nothing to follow"),
        (("abc",), "there is no such call"),
        (("--vendor", "nobody"), "there is no such vendor"),
        (("--follow", "--vendor", "nobody"), "there is no such vendor"),
    ],
)
def test_mistakes_are_one_line(server: MockServer, args: tuple[str, ...], message: str) -> None:
    """What is wrong, and exit code 2."""
    result = invoke("calls", *args, "--url", server.url)
    assert (result.exit_code, result.output.count("\n")) == (2, 1)
    assert message in result.output


def test_evictions_and_haste_are_told() -> None:
    """On standard error, so that what reads standard output is not disturbed."""
    with run(max_journal_calls=1) as server, server.account() as account:
        for _ in range(3):
            send(account)
        ended = invoke("calls", "--url", server.url, "--account", account.id)
        assert "2 calls had to make room" in ended.stderr
        assert len(ended.stdout.splitlines()) == 1


def test_odd_lines() -> None:
    """What is no operation, what got no reply, and a text that a terminal would obey."""
    call = {
        "id": "c-1", "received_at": "2030-01-01T00:00:00.000+00:00", "operation": None, "answer": None, "method": "GET",
        "path": "/x\x1b[2J", "status": 0, "account": None, "recipient": None, "fault": "reset", "chosen_by": "pin",
        "problem": None, "text": "t" * 100,
    }  # fmt: skip
    line = call_line(call)
    assert line.isprintable()
    assert "GET /x\\x1b[2J (no operation) - unclaimed fault reset (by pin)" in line
    assert "t" * 60 + "…" in line


def test_what_a_stream_says(server: MockServer, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call once, when it has ended; what was left out, and why a stream began anew, on standard error."""
    listed = Control(server.url).get("calls", account=account.id, format="summary")["calls"]
    pending = {**listed[0], "id": "later", "outcome": "pending"}
    came = {"calls": [pending, {**pending, "outcome": "sent"}, listed[0]], "skipped": 3}
    stream = [("ready", {}), ("calls", came), ("changed", {"what": ["pins"]}), ("reset", {"why": "gone"})]
    monkeypatch.setattr(Control, "events", lambda *_args, **_query: iter(stream))
    ended = invoke("calls", "--follow", "--url", server.url, "--account", account.id, "--json")
    assert [json.loads(line)["id"] for line in ended.stdout.splitlines()] == [*(c["id"] for c in listed[::-1]), "later"]
    assert "3 calls came too fast to be shown" in ended.stderr
    assert ended.stderr.endswith("… gone\n… the server sends no more calls\n")
