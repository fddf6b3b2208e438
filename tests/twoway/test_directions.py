"""Calls of clients and callbacks in one journal: which are meant, and what no call can be."""

from typing import Any

import pytest

from mockserver.testing.client import ControlError
from tests.twoway.conftest import Customer


@pytest.fixture
def told(customer: Customer) -> Customer:
    """A customer who has sent one message and got two receipts."""
    customer.send()
    customer.clock(advance=60)
    return customer


@pytest.mark.parametrize(
    ("query", "directions"),
    [
        pytest.param({}, ["out", "out", "in"], id="account"),
        pytest.param({"vendor": "parcel"}, ["in"], id="vendor"),
        pytest.param({"operation": "parcel.send_message"}, ["in"], id="operation"),
        pytest.param({"operation": "parcel.status"}, ["out", "out"], id="callback"),
        pytest.param({"direction": "out"}, ["out", "out"], id="out"),
        pytest.param({"vendor": "parcel", "direction": "out"}, ["out", "out"], id="vendor-out"),
        pytest.param({"direction": "in"}, ["in"], id="in"),
        pytest.param({"vendor": "parcel", "direction": "out", "accepted": "false"}, [], id="refused"),
    ],
)
def test_lists(told: Customer, query: dict[str, str], directions: list[str]) -> None:
    """An account has both; a vendor and an operation have the calls of clients, unless it is said."""
    calls = told.control.get("calls", account=told.id, **query)["calls"]
    assert [call["direction"] for call in calls] == directions


@pytest.mark.parametrize(
    ("question", "matched"),
    [
        ({}, 1),
        ({"vendor": "parcel"}, 1),
        ({"direction": "out"}, 2),
        ({"vendor": "parcel", "direction": "out"}, 2),
        ({"operation": "parcel.status", "where": {"json": {"state": "sent"}}}, 1),
    ],
)
def test_verification(told: Customer, question: dict[str, Any], matched: int) -> None:
    """A callback never makes a question about clients true."""
    verdict = told.control.post("calls/verify", {"account": told.id, **question})
    assert verdict["matched"] == matched


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"direction": "up"}, "no such direction: 'up'; known: in, out"),
        ({"operation": "parcel.status", "direction": "in"}, r"calls of parcel\.status are made to the client"),
        ({"operation": "parcel.send_message", "direction": "out"}, "are made by clients: their direction is in"),
        ({"operation": "parcel.stats"}, r"no such operation: 'parcel\.stats'; known: parcel\.status"),
        ({"direction": "out", "answer": "sent"}, "a callback has no answer of the contract's"),
    ],
)
def test_what_no_call_can_be(customer: Customer, question: dict[str, str], message: str) -> None:
    """Names that contradict each other are refused, in lists and in questions."""
    with pytest.raises(ControlError, match=message):
        customer.control.get("calls", account=customer.id, **question)
    with pytest.raises(ControlError, match=message):
        customer.control.post("calls/verify", {"account": customer.id, **question})


def test_callbacks_are_cleared_by_name(told: Customer) -> None:
    """A callback's attempts are forgotten like an operation's calls."""
    told.control.delete("calls", account=told.id, operation="parcel.status")
    assert [call["direction"] for call in told.control.get("calls", account=told.id)["calls"]] == ["in"]


def test_contracts_list_their_callbacks(customer: Customer) -> None:
    """What the vendor calls, and what its messages go through."""
    (parcel,) = customer.control.get("contracts")["contracts"]
    callbacks = {callback["id"]: callback for callback in parcel["callbacks"]}
    assert callbacks["parcel.status"]["on"] == ["messages/sent", "messages/delivered", "messages/failed"]
    assert (callbacks["parcel.status"]["signed"], callbacks["parcel.received"]["on"]) == (True, ["inbound"])
    sending = next(one for one in parcel["operations"] if one["id"] == "parcel.send_message")
    assert (sending["sends"], sending["courses"], parcel["takes_messages"]) == (True, ["delivered", "failed"], True)
