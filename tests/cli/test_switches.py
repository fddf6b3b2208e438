"""`mockserver account pin` and `account reset`: what is switched on for an account, from a shell."""

import json
from collections.abc import Iterator

import pytest

from mockserver.testing import Account, MockServer, run
from tests.cli.running import invoke
from tests.cli.sending import send


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with run() as server:
        yield server


@pytest.fixture
def account(server: MockServer) -> Iterator[Account]:
    with server.account() as account:
        yield account


def pin(account: Account, server: MockServer, *args: str) -> str:
    ended = invoke("account", "pin", *args, "--account", account.id, "--url", server.url)
    assert ended.exit_code == 0, ended.output
    return ended.output


def test_answers_in_order(server: MockServer, account: Account) -> None:
    """The next calls get them; then the rules decide again."""
    assert "polyai.send_sms rate_limited, then sent: 2 left, used 0" in pin(
        account, server, "polyai.send_sms", "rate_limited", "sent"
    )
    assert [send(account).status_code for _ in range(3)] == [429, 202, 202]


def test_only_where_and_always(server: MockServer, account: Account) -> None:
    """A pin for some calls, for ever."""
    where = json.dumps({"json": {"user_number": "+14155550124"}})
    assert "for ever" in pin(account, server, "polyai.send_sms", "rate_limited", "--where", where, "--always")
    assert [send(account, number=f"+1415555012{n}").status_code for n in (3, 4, 4)] == [202, 429, 429]


def test_faults(server: MockServer, account: Account) -> None:
    """By their kind, or with their figures."""
    assert "fault delay: 1 left" in pin(account, server, "koreai.*", "--fault", '{"kind": "delay", "seconds": 0.01}')
    shape = json.loads(pin(account, server, "polyai.*", "--fault", "reset", "--always", "--json"))
    assert shape["fault"] == {"kind": "reset", "times": None}


def test_listed_removed_reset(server: MockServer, account: Account) -> None:
    """What is switched on is shown, and goes again; the calls go with a whole reset only."""
    pin(account, server, "polyai.send_sms", "rate_limited")
    pin(account, server, "koreai.send_sms", "rate_limited")
    assert len(pin(account, server, "*", "--list").splitlines()) == 2
    pin(account, server, "polyai.send_sms", "--remove")
    assert "koreai" in pin(account, server, "*", "--list")
    send(account)
    assert invoke("account", "reset", account.id, "--switches", "--url", server.url).exit_code == 0
    assert (pin(account, server, "*", "--list"), len(account.recorded_calls())) == ("", 1)
    assert invoke("account", "reset", account.id, "--url", server.url).exit_code == 0
    shape = json.loads(invoke("account", "reset", account.id, "--url", server.url, "--json").output)
    assert shape["id"] == account.id
    assert account.recorded_calls() == []


def test_warnings_are_told(server: MockServer, account: Account) -> None:
    """A pin that can hardly take effect."""
    where = json.dumps({"headers": {"x-polyai-auth-tokn": "x"}})
    assert "Warning: " in pin(account, server, "polyai.send_sms", "rate_limited", "--where", where)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("pin", "polyai.send_sms"), "name an ANSWER or a --fault"),
        (("pin", "polyai.send_sms", "sent", "--list"), "take no ANSWER"),
        (("pin", "polyai.send_sms", "sent", "--where", "["), "--where is a JSON object"),
        (("pin", "polyai.send_sms", "sent", "--where", "[]"), "--where is a JSON object"),
        (("pin", "polyai.send_sms", "snt"), "there is no such answer"),
        (("reset", "nobody"), "there is no such account"),
    ],
)
def test_mistakes_are_one_line(server: MockServer, args: tuple[str, ...], message: str) -> None:
    """What is wrong, and exit code 2."""
    result = invoke("account", *args, "--url", server.url)
    assert (result.exit_code, result.output.count("\n")) == (2, 1)
    assert message in result.output


def test_showing_needs_no_word() -> None:
    """An ID, an option, or nothing at all: the account is shown, as ever."""
    plain = json.loads(invoke("account").stdout)["id"]
    assert (plain, json.loads(invoke("account", "show", "second").stdout)["id"]) == ("default", "second")
    assert json.loads(invoke("account", "--vendor", "polyai").stdout)["id"] == "default"
    assert "pin" in invoke("account", "--help").stdout
