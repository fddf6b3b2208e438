"""Answers that a test fixes."""

from typing import Any
from unittest.mock import ANY

import pytest
import requests

from mockserver.testing import Account, ControlError, fault
from tests.testing.sending import send


def test_answers_are_used_up_in_order(account: Account) -> None:
    """Named answers, a pass to the rules, a literal one; then the rules again."""
    account.polyai.send_sms.pin("rate_limited", "rules", {"status": 418, "body": {"tea": True}}, "server_error")
    assert [send(account.polyai) for _ in range(5)] == [429, 202, 418, 500, 202]
    assert [call.chosen_by for call in account.calls] == ["pin", "default", "pin", "pin", "default"]


@pytest.mark.parametrize("late", [None, fault.delay(seconds=0.01)])
def test_a_date_of_ones_own(account: Account, late: Any) -> None:
    """It is the only one, be the answer late or not; a header whose name ends alike changes nothing."""
    operation = account.polyai.send_sms
    headers = {"X-PolyAi-Auth-Token": account.polyai.credentials["api_key"], "X-TOKEN-ID": "x"}
    for name in ("Date", "X-Date"):
        operation.pin({"status": 200, "headers": {name: "x"}}, force=True, **({"fault": late} if late else {}))
        answer = requests.post(f"{account.polyai.url}/v1/outbound-sms", headers=headers, json={}, timeout=10)
        assert (answer.status_code, answer.headers[name]) == (200, "x")
        assert name == "Date" or answer.headers["Date"].endswith(" GMT")


def test_the_last_answer_can_stay(account: Account) -> None:
    """``then="last"`` repeats it until the pin is taken back."""
    operation = account.polyai.send_sms
    operation.pin("sent", "server_error", then="last")
    assert [send(account.polyai) for _ in range(3)] == [202, 500, 500]
    operation.reset()
    assert send(account.polyai) == 202


def test_a_block_gives_the_operation_back(account: Account) -> None:
    """What is left at the end of a ``with`` block is gone, also where the block fails."""

    def fail_while_pinned() -> None:
        with account.polyai.send_sms.pin("rate_limited", "rate_limited") as pin:
            assert pin.data["left"] == 2
            assert send(account.polyai) == 429
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_while_pinned()
    assert send(account.polyai) == 202


def test_a_pin_may_be_for_some_requests_only(account: Account) -> None:
    """Plain parts and schemas say which; objects with an == of their own cannot."""
    operation = account.polyai.send_sms
    operation.pin("server_error", where={"body": {"message": "Bye"}}, when={"/body/user_number": {"pattern": "^[+]"}})
    assert (send(account.polyai, "Hi"), send(account.polyai, "Bye")) == (202, 500)
    with pytest.raises(TypeError, match="a pin is decided by the server"):
        operation.pin("server_error", where={"body": ANY})


def test_values_are_laid_over_an_answer(account: Account) -> None:
    """A test's own header travels with the vendor's answer."""
    account.polyai.send_sms.pin("rate_limited", changes={"/header/Retry-After": "0"})
    headers = {
        "X-PolyAi-Auth-Token": account.polyai.credentials["api_key"],
        "X-TOKEN-ID": account.polyai.owned["connectors"][0]["id"],
    }
    body = {"message": "Hi", "user_number": "+14155550123"}
    response = requests.post(f"{account.polyai.url}/v1/outbound-sms", json=body, headers=headers, timeout=10)
    assert (response.status_code, response.headers["Retry-After"]) == (429, "0")


def test_a_success_is_for_good_requests_unless_forced(account: Account) -> None:
    """A pinned success does not wave a client through that lost its credential; ``force`` does."""
    operation = account.polyai.send_sms
    with operation.pin("sent"):
        assert send(account.polyai, key="") == 401
    with operation.pin("sent", force=True):
        assert send(account.polyai, key="") == 202


def test_mistakes_are_told(account: Account) -> None:
    """No answer, and one that the contract does not have, named with those that it has."""
    with pytest.raises(TypeError, match="at least one answer"):
        account.polyai.send_sms.pin()
    with pytest.raises(ControlError, match=r"no such answer of .*; known: rate_limited, .*sent.*at /body/answers/0"):
        account.polyai.send_sms.pin("rate_limit")


def test_set_is_called_changes(account: Account) -> None:
    """The old name and any other that is not known are told."""
    operation: Any = account.polyai.send_sms
    with pytest.raises(TypeError, match="pin has no 'set'; it is called changes"):
        operation.pin("rate_limited", set={"/header/Retry-After": "0"})
    with pytest.raises(TypeError, match=r"pin has no 'times'; known: where, when, .*, course, fault, replace"):
        operation.pin("rate_limited", times=2)


def test_two_stubs(account: Account) -> None:
    """Each answers the requests that it is for; a block removes its own pin only."""
    operation = account.polyai.send_sms
    bye = operation.pin("server_error", where={"body": {"message": "Bye"}}, then="last")
    with operation.pin("rate_limited", "rate_limited") as hi:
        assert [send(account.polyai, text) for text in ("Hi", "Bye", "Bye")] == [429, 500, 500]
        assert (hi.used, bye.used) == (1, 2)
    assert (hi.used, bye.id == hi.id) == (1, False)
    assert [send(account.polyai, text) for text in ("Hi", "Bye")] == [202, 500]
    bye.remove()
    bye.remove()
    assert (send(account.polyai, "Bye"), bye.used) == (202, 3)


def test_replacing(account: Account) -> None:
    """A pin that could never take effect is told; with ``replace`` it takes the others' place."""
    operation = account.polyai.send_sms
    first = operation.pin("server_error", then="last")
    with pytest.raises(ControlError, match=f"the earlier pin {first.id} of polyai.send_sms .* send replace: true"):
        operation.pin("rate_limited")
    operation.pin("rate_limited", replace=True)
    assert [send(account.polyai) for _ in range(2)] == [429, 202]


def test_an_outage(account: Account) -> None:
    """All operations of a vendor, or of all vendors, until it is over."""
    polyai = account.polyai
    with polyai.pin("server_error", then="last") as outage:
        assert outage.data["operation"] == "polyai.*"
        assert send(polyai) == 500
    for target in (polyai, account):
        target.pin(fault=fault.reset(times=None))
        for _ in range(2):
            with pytest.raises(requests.ConnectionError):
                send(polyai)
        target.unpin()
        assert send(polyai) == 202


def test_unpin_is_for_what_belongs_here(account: Account) -> None:
    """An operation's pins; a vendor's, with those of its operations; all."""
    operation, vendor = account.polyai.send_sms, account.polyai
    pins = {
        name: target.pin("rules", where={"body": {"message": name}})
        for name, target in (("operation", operation), ("vendor", vendor), ("account", account))
    }
    operation.unpin()
    for name in ("operation", "vendor", "account"):
        send(vendor, name)
    assert [pin.used for pin in pins.values()] == [0, 1, 1]
    operation.pin("server_error")
    vendor.unpin()
    assert send(vendor) == 202
    operation.pin("server_error")
    account.unpin()
    assert send(vendor) == 202


def test_a_pin_of_a_reset_account(account: Account) -> None:
    """It is gone: nothing to remove, and nobody knows how often it was used."""
    with account.polyai.send_sms.pin("rate_limited") as pin:
        account.reset()
    pin.remove()
    with pytest.raises(ControlError, match="there is no such pin"):
        _ = pin.used


def test_it_says_what_it_is(account: Account) -> None:
    """A failing test's local variables can be read."""
    operation = account.polyai.send_sms
    assert repr(operation) == f"<Operation polyai.send_sms of account {account.id}>"
    pin = account.polyai.pin("server_error")
    assert repr(pin) == f"<Pin {pin.id} of polyai.* of account {account.id}>"
