"""Calls as a test reads, counts and forgets them."""

import pytest

from mockserver.testing import Account, Calls
from tests.testing.sending import send


def test_first_and_last(account: Account) -> None:
    """A list with names for its ends; without calls they raise as a list does, and say whose calls they are."""
    send(account.polyai, "one")
    send(account.polyai, "two", key="")
    for calls in (account.calls, account.polyai.calls, account.polyai.send_sms.calls, account.recorded_calls()):
        assert isinstance(calls, Calls)
        assert (calls.first, calls.last) == (calls[0], calls[-1])
        assert [call.request.json["message"] for call in (calls.first, calls.last)] == ["one", "two"]
    for calls, name in ((account.avaamo.calls, "avaamo"), (account.avaamo.send_sms.calls, "avaamo.send_sms")):
        assert calls == []
        with pytest.raises(IndexError, match=f"^{name} has no recorded call$"):
            _ = calls.first
        with pytest.raises(IndexError, match=f"^{name} has no recorded call$"):
            _ = calls.last
    assert account.assert_called(times=2).last == account.calls.last


def test_counting_is_not_reading(account: Account) -> None:
    """Who counts calls has not read why they were refused."""
    assert (account.polyai.called, account.polyai.call_count) == (False, 0)
    send(account.polyai, key="")
    for side in (account, account.polyai, account.polyai.send_sms):
        assert (side.called, side.call_count) == (True, 1)
    assert not account.avaamo.called
    (call,) = account.recorded_calls()
    assert not account.has_seen(call)
    assert account.has_seen(account.polyai.calls.last)


def test_an_operation_forgets(account: Account) -> None:
    """Its calls and its pins; what belongs to others stays."""
    polyai = account.polyai
    polyai.send_sms.pin("rate_limited", then="last")
    account.avaamo.send_sms.pin("rate_limited")
    assert send(polyai) == 429
    polyai.send_sms.reset()
    assert send(polyai) == 202
    assert polyai.send_sms.call_count == 1
    assert len(account._journal.control.get("pins", account=account.id)["pins"]) == 1  # noqa: SLF001
    account.avaamo.send_sms.reset()
    assert account.call_count == 1


def test_a_vendor_forgets(account: Account) -> None:
    """The calls and pins of all its operations."""
    polyai = account.polyai
    polyai.pin("rate_limited")
    assert send(polyai) == 429
    account.avaamo.reset()
    assert polyai.call_count == 1
    polyai.send_sms.pin("server_error")
    polyai.reset()
    assert (account.call_count, send(polyai)) == (0, 202)
