"""Callbacks that may go nowhere: kept until a test takes them, within bounds."""

import pytest

from mockserver.engine.callback import OutgoingRequest
from mockserver.store import held
from mockserver.store.held import HeldCallbacks
from tests.store.stores import callback_spec


def outgoing(account: str, cause: int = 1) -> OutgoingRequest:
    return OutgoingRequest(callback_spec(), account, "https://receiver.example/", b"", b"", cause, 0)


def causes(callbacks: HeldCallbacks, account: str) -> list[int]:
    return [request.cause for request in callbacks.take(account)]


def test_the_oldest_callback_of_an_account_goes() -> None:
    """An account has a thousand of them at most; each is given once."""
    callbacks = HeldCallbacks()
    for cause in range(1_001):
        callbacks.hold(outgoing("one", cause))
    assert causes(callbacks, "one") == list(range(1, 1_001))
    assert causes(callbacks, "one") == []


def test_the_account_that_got_none_for_longest_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that got another meanwhile stays, and so do as many as there may be."""
    monkeypatch.setattr(held, "MAX_ACCOUNTS_HELD", 2)
    callbacks = HeldCallbacks()
    for account in ("a", "b", "a"):
        callbacks.hold(outgoing(account))
    callbacks.hold(outgoing("c"))
    assert [len(causes(callbacks, account)) for account in ("a", "b", "c")] == [2, 0, 1]
