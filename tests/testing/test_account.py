"""Accounts, vendors and the server that makes them."""

import copy
from pathlib import Path
from typing import Any

import pytest

from mockserver.testing import Account, ControlError, MockServer
from tests.testing.sending import send


def test_an_account_ends_with_its_block(server: MockServer) -> None:
    """Its credentials are refused afterwards; a second deletion is no fault."""
    with server.account() as account:
        assert send(account.polyai) == 202
    assert send(account.polyai) == 401
    account.delete()


def test_a_built_in_account_is_not_deleted(server: MockServer, account: Account) -> None:
    """What else the server refuses is not swallowed."""
    account._path = "accounts/default"  # noqa: SLF001 -- no method leads there
    with pytest.raises(ControlError, match="built in"):
        account.delete()
    account._path = f"accounts/{account.id}"  # noqa: SLF001


def test_before_an_account_is_deleted_one_may_look(server: MockServer) -> None:
    """The observer is called while the account still is there."""
    covered = []
    watching = MockServer(
        server.url,
        before_delete=lambda account: covered.append(
            server.coverage(account)["operations"]["polyai.send_sms"]["answers"]["sent"]["natural"]
        ),
    )
    with watching.account(test="tests/test_app.py::test_it") as account:
        send(account.polyai)
        answers = server.coverage(account.id)["operations"]["polyai.send_sms"]["answers"]
        assert answers["sent"]["tests"] == ["tests/test_app.py::test_it"]
    assert covered == [1]


def test_given_values_win(server: MockServer) -> None:
    """An id and a vendor's part can be chosen; a clash is told."""
    with server.account(id="mine", vendors={"polyai": {"api_key": "k" * 30}}) as account:
        assert (account.id, account.polyai.credentials["api_key"]) == ("mine", "k" * 30)
        with pytest.raises(ControlError, match="there is an account 'mine' already"):
            server.account(id="mine")


@pytest.mark.parametrize(
    ("vendors", "message"),
    [
        ("polyai", 'vendors must be a mapping, as in {"<vendor>": {'),
        ({"polyai": {"api_key": b"k"}}, "vendors['polyai']['api_key'] must be a value that JSON has, not bytes b'k'"),
    ],
)
def test_given_values_that_cannot_be_sent(server: MockServer, vendors: Any, message: str) -> None:
    """They are told by their place."""
    with pytest.raises(TypeError) as caught:
        server.account(vendors=vendors)
    assert message in str(caught.value)


def test_reset_forgets_calls_and_pins_and_keeps_credentials(account: Account) -> None:
    """After a reset the same client starts afresh."""
    account.polyai.send_sms.pin("server_error", then="last")
    assert send(account.polyai) == 500
    account.reset()
    account.assert_not_called()
    assert send(account.polyai) == 202


def test_tokens_are_signed_when_asked_for(account: Account) -> None:
    """Each access asks the server, so that a token kept for an hour is the client's own doing."""
    assert set(account.koreai.tokens) >= {"Jwt"}
    account.delete()
    with pytest.raises(ControlError, match="no such account"):
        _ = account.koreai.tokens


def test_more_calls_than_a_page_holds_are_read(server: MockServer) -> None:
    """Reading follows the pages, oldest first; a passed assertion has seen all that it matched."""
    with server.account() as account:
        for number in range(101):
            send(account.polyai, str(number))
        assert len(account.polyai.send_sms.assert_called(times=101)) == 100
        assert all(account.has_seen(call) for call in account.recorded_calls())
        assert [call.request.json["message"] for call in account.calls] == [str(number) for number in range(101)]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("acme.url", "there is no vendor 'acme'; known: .*polyai"),
        ("polyai", "polyai alone is no value"),
        ("polyai.key", "polyai has no 'key'; known: url, unreachable_url, credentials, owned, tokens"),
        ("polyai.credentials.key", "polyai.credentials has no 'key'; known: api_key"),
        ("polyai.owned.connectors.3", "polyai.owned.connectors has 3 items, counted from 0: no '3'"),
        ("polyai.owned.connectors.9", "polyai.owned.connectors has 3 items, counted from 0: no '9'"),
        ("polyai.owned.connectors.first", "counted from 0: no 'first'"),
        ("polyai.url.x", "polyai.url has nothing below it, so no 'x'"),
    ],
)
def test_a_path_that_leads_nowhere_says_what_there_is(account: Account, path: str, message: str) -> None:
    """Each step that fails names what could have been meant."""
    with pytest.raises(LookupError, match=message):
        account.get(path)


def test_paths_become_an_environment(account: Account) -> None:
    """Text as it is, everything else as JSON."""
    variables = {
        "URL": "polyai.url",
        "KEY": "polyai.credentials.api_key",
        "CONNECTOR": "polyai.owned.connectors.0.id",
        "NUMBERS": "polyai.owned.connectors.1.numbers",
        "TOKEN": "polyai.tokens.ApiKey",
    }
    polyai = account.polyai
    assert account.environment(variables) == {
        "URL": polyai.url,
        "KEY": polyai.credentials["api_key"],
        "CONNECTOR": polyai.owned["connectors"][0]["id"],
        "NUMBERS": "[]",
        "TOKEN": polyai.credentials["api_key"],
    }


def test_unknown_attributes_name_the_known(account: Account) -> None:
    """A mistyped vendor or operation is told with those that there are, and none is guessed while copying."""
    with pytest.raises(AttributeError, match=r"an account has no 'polyia'; its vendors: .*polyai"):
        _ = account.polyia
    with pytest.raises(
        AttributeError, match=r"polyai has no 'send'; operations: send_sms, list_conversations, .*; values: url, unre"
    ):
        _ = account.polyai.send
    assert {"polyai", "calls", "delete"} <= set(dir(account))
    assert {"send_sms", "tokens"} <= set(dir(account.polyai))
    assert copy.copy(account).polyai.send_sms.id == "polyai.send_sms"
    assert copy.copy(account.polyai).name == "polyai"


def test_a_sixth_vendor_is_an_attribute_too(tmp_path: Path) -> None:
    """Nothing here knows the five by name: a contract of the user's own brings its vendor."""
    from mockserver.testing import run  # noqa: PLC0415 -- a server beside the session's

    source = Path(__file__).parents[2] / "contracts" / "polyai.yaml"
    (tmp_path / "acme.yaml").write_text(source.read_text("utf-8"), "utf-8")
    with run(builtin=False, contracts=tmp_path) as server, server.account() as account:
        assert list(account.vendors) == ["acme"]
        send(account.acme)
        account.acme.send_sms.assert_accepted(times=1)


def test_they_say_what_they_are(server: MockServer, account: Account) -> None:
    """A failing test's local variables can be read."""
    assert repr(server) == f"<MockServer {server.url}>"
    assert repr(account) == f"<Account {account.id}>"
    assert repr(account.polyai) == f"<Vendor polyai of account {account.id}>"
