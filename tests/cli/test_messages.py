"""`mockserver messages` and `mockserver inbound`: both directions of a running server, for a shell."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from mockserver.testing import Account, MockServer, run
from tests.cli.running import invoke
from tests.twoway.conftest import SUBSCRIBER, send

CONTRACTS = Path(__file__).parents[1] / "twoway"


@pytest.fixture(scope="module")
def parcel_server() -> Iterator[MockServer]:
    """A server of the vendor that has both directions."""
    with run(contracts=(CONTRACTS,), builtin=False) as server:
        yield server


@pytest.fixture
def account(parcel_server: MockServer) -> Iterator[Account]:
    """A customer that has sent a code."""
    with parcel_server.account() as account:
        send(account, "Your code is 4711, K-9")
        yield account


def test_messages_and_a_reply(parcel_server: MockServer, account: Account) -> None:
    """A line for each message, the oldest first; or what the control API says of each."""
    where = ("--url", parcel_server.url, "--account", account.id)
    reply = invoke("inbound", "parcel", "Thanks", "--from", SUBSCRIBER, *where)
    assert (reply.exit_code, reply.output.split(" ", 1)[1].endswith('received "Thanks"\n')) == (0, True)
    listed = invoke("messages", *where, "--phone", SUBSCRIBER).output.splitlines()
    assert ["received" in line for line in listed] == [False, True]
    shapes = [json.loads(line) for line in invoke("messages", *where, "--json").output.splitlines()]
    assert [(shape["direction"], shape["text"]) for shape in shapes] == [
        ("outbound", "Your code is 4711, K-9"),
        ("inbound", "Thanks"),
    ]
    again = json.loads(invoke("inbound", "parcel", "Bye", "--from", SUBSCRIBER, *where, "--json").output)
    assert again["text"] == "Bye"


def test_of_all_accounts(parcel_server: MockServer, account: Account) -> None:
    """Without an account's name; whose each is stands in its line."""
    with parcel_server.account() as other:
        send(other, "theirs")
        lines = invoke("messages", "--url", parcel_server.url, "--limit", "2", "--within", "1").output.splitlines()
        assert [account.id in lines[0], other.id in lines[1]] == [True, True]
        mine = invoke("messages", "--url", parcel_server.url, "--account", account.id).output
        assert other.id not in mine


def test_no_terminal_obeys(parcel_server: MockServer, account: Account) -> None:
    """What a subscriber or an application wrote stays text."""
    send(account, "a\x1b[2J\u202eb\x9b")
    output = invoke("messages", "--url", parcel_server.url, "--account", account.id).output
    assert all(line.isprintable() for line in output.splitlines())


def test_evictions_are_told() -> None:
    """On standard error: a list that is not whole says so."""
    with run(contracts=(CONTRACTS,), builtin=False, max_journal_calls=1) as server, server.account() as account:
        for text in ("one", "two"):
            send(account, text)
        ended = invoke("messages", "--url", server.url)
        assert "1 calls had to make room" in ended.stderr
        assert len(ended.stdout.splitlines()) == 1


def test_a_code(parcel_server: MockServer, account: Account) -> None:
    """The latest code alone, for a shell's variable; without one the exit code is 1."""
    where = ("--url", parcel_server.url, "--account", account.id)
    assert invoke("messages", *where, "--code").output == "4711\n"
    assert invoke("messages", *where, "--pattern", r"K-(\d)").output == "9\n"
    assert invoke("messages", *where, "--code", "--contains", "nothing").exit_code == 1


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("messages", "--state", "lost"), "no such state: 'lost'; known: accepted, sent, delivered"),
        (("messages", "--pattern", "("), "missing )"),
        (("inbound", "nobody", "hi", "--from", SUBSCRIBER), "no such vendor: 'nobody'; known: parcel"),
    ],
)
def test_mistakes_are_one_line(parcel_server: MockServer, args: tuple[str, ...], message: str) -> None:
    """What is wrong, and exit code 2."""
    result = invoke(*args, "--url", parcel_server.url)
    assert result.exit_code == 2
    assert message in result.output
    assert result.output.count("\n") == 1


def test_no_server() -> None:
    """An address where nothing answers, or none at all."""
    assert "no mockserver answers" in invoke("messages", "--url", "http://127.0.0.1:9").output
    assert invoke("messages", "--url", "ftp://x").exit_code == 2
