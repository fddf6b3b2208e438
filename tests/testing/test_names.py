"""Names that are looked up: a wrong one is told with the nearest, and completion has the public ones only."""

import copy
import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest

import mockserver.testing
from mockserver.testing import Account, AsyncAccount, AsyncMockServer, MockServer, fault
from mockserver.testing.names import Values, nearest_hint
from tests.testing.sending import send


def test_a_hint_is_only_for_what_is_near() -> None:
    """And a synonym is one only where its meaning is known; upper and lower case are alike."""
    assert nearest_hint("withim", ["within"]) == ". Did you mean 'within'?"
    assert nearest_hint("APIKEY", ["ApiKey"]) == ". Did you mean 'ApiKey'?"
    assert not nearest_hint("colour", ["times", "within"])
    assert not nearest_hint("count", ["within"])


testing: Any = mockserver.testing
MISTAKES: list[Any] = [
    pytest.param(lambda a, _: a.assert_acepted, "an account has no .*Did you mean 'assert_accepted'", id="account"),
    pytest.param(lambda a, _: a.polyai.asert_refused, "polyai has no .*Did you mean 'assert_refused'", id="vendor"),
    pytest.param(lambda a, _: a.polyai.send_smss, "polyai has no 'send_smss'.*Did you mean 'send_sms'", id="its own"),
    pytest.param(lambda a, _: a.polyai.send_sms.call, "peration has no 'call'. Did you mean 'calls'", id="operation"),
    pytest.param(lambda _, s: s.acount, "MockServer has no 'acount'. Did you mean 'account'", id="server"),
    pytest.param(
        lambda *_: testing.fault.rest, "there is no fault 'rest'; known: delay, .*Did you mean 'reset'", id="fault"
    ),
    pytest.param(lambda *_: testing.Acount, "has no 'Acount'; it has: .*Did you mean 'Account'", id="module"),
]


@pytest.mark.parametrize(("use", "message"), MISTAKES)
def test_a_misspelt_attribute(account: Account, server: MockServer, use: Callable[..., Any], message: str) -> None:
    """The nearest name is told, on both sides."""
    for sides in ((account, server), (AsyncAccount(account), AsyncMockServer(server.url))):
        with pytest.raises(AttributeError, match=message):
            use(*sides)


def test_completion_shows_public_names_only(account: Account, server: MockServer) -> None:
    """No private and no inherited noise, on either side."""
    send(account.polyai)
    both, pin = AsyncAccount(account), account.polyai.pin("sent")
    opening = both.polyai.pin("sent")
    opening.close()
    shown: list[Any] = [
        server,
        AsyncMockServer(server.url),
        account,
        both,
        account.polyai,
        both.polyai,
        account.polyai.send_sms,
    ]
    shown += [both.polyai.send_sms, pin, opening, fault, account.calls.last, account.calls.last.request, account.calls]
    for one in shown:
        assert dir(one) == sorted(dir(one))
        assert not [name for name in dir(one) if name.startswith("_")]
    assert set(dir(fault)) >= {"reset", "delay", "FaultDict"}
    assert not {"overload", "TypedDict", "Any"} & set(dir(fault))
    assert dir(server) == ["account", "coverage", "intercept", "make", "url"]
    assert dir(pin) == ["data", "id", "remove", "used"]
    assert dir(opening) == ["close"]


def test_values_name_what_they_have(account: Account) -> None:
    """A wrong key at any depth; else they are dicts like any other."""
    polyai = account.polyai
    for use, message in (
        (lambda: polyai.credentials["apikey"], "polyai.credentials has no 'apikey'; known: api_key"),
        (
            lambda: polyai.tokens["apikey"],
            "polyai.tokens has no 'apikey'; known: ApiKey, ConversationKey. Did you mean 'ApiKey'",
        ),
        (lambda: polyai.owned["connectors"][0]["uuid"], r"polyai.owned\['connectors'\]\[0\] has no 'uuid'; known: id"),
        (lambda: AsyncAccount(account).polyai.credentials["x"], "polyai.credentials has no 'x'"),
    ):
        with pytest.raises(KeyError, match=message):
            use()
    values = Values({"a": {"b": [1]}}, "here")
    assert values == {"a": {"b": [1]}} == json.loads(json.dumps(values))
    for again in (copy.deepcopy(values), pickle.loads(pickle.dumps(values))):  # noqa: S301 -- made here
        with pytest.raises(KeyError, match="has no 'c'; known: b"):
            again["a"]["c"]
    assert values.get("c") is None
