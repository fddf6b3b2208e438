"""What answers leave behind: records that other operations find, list, change and delete."""

import contextlib
import http.client
from typing import Any
from urllib.parse import quote

import pytest

from tests.twoway.conftest import SUBSCRIBER, Customer


def test_a_message_is_found_and_listed(customer: Customer) -> None:
    """What was sent is read back as it was sent: by its id, in a list, page by page."""
    ids = [customer.send(f"text {number}") for number in range(3)]
    shown = {"id": ids[1], "from": customer.number, "to": SUBSCRIBER, "text": "text 1", "state": "queued"}
    assert customer.call("GET", f"/messages/{ids[1]}") == (200, shown)
    status, first = customer.call("GET", "/messages")
    assert (status, [row["id"] for row in first["messages"]], first["total"]) == (200, ids[:2], 3)
    assert len(customer.call("GET", "/messages?limit=5")[1]["messages"]) == 3
    assert customer.call("GET", "/messages?to=nobody")[1] == {"messages": [], "total": 0}


def test_what_is_not_kept_is_unknown(customer: Customer, make_customer: Any) -> None:
    """An id of nobody, or of another account, is unknown; nothing crosses accounts."""
    mine, other = customer.send(), make_customer()
    assert customer.call("GET", "/messages/nothing")[0] == 400
    assert other.call("GET", f"/messages/{mine}") == (400, {"error": "not found"})
    assert other.call("GET", "/messages")[1]["total"] == 0


def test_a_message_is_deleted(customer: Customer) -> None:
    """A forgotten record is found no more, and its course ends."""
    first, second = customer.send(), customer.send()
    assert customer.call("DELETE", f"/messages/{first}")[0] == 204
    assert customer.call("GET", f"/messages/{first}")[0] == 400
    assert [row["id"] for row in customer.call("GET", "/messages")[1]["messages"]] == [second]
    assert customer.clock(advance=60)["callbacks"] == 2  # those of the other


def test_a_born_record_changes_until_the_account_is_reset(customer: Customer) -> None:
    """An operation changes what an account was born with; reset empties the lists and gives first values back."""
    customer.send()
    path = f"accounts/{customer.id}"
    assert customer.call("POST", f"/lines/{quote(customer.number)}/disable", {}) == (200, {"enabled": False})
    assert customer.control.get(path)["vendors"]["parcel"]["owned"]["lines"][0]["enabled"] is False
    customer.control.post(f"{path}/reset")
    assert customer.control.get(path)["vendors"]["parcel"]["owned"]["lines"][0]["enabled"] is True
    assert customer.call("GET", "/messages")[1]["total"] == 0


@pytest.mark.parametrize("kind", ["malformed", "truncate", "garbage", "empty", "reset"])
def test_a_reply_that_a_fault_spoils_leaves_what_it_would_have_said(customer: Customer, kind: str) -> None:
    """The vendor has accepted the message, under the id that never reached the client, or half of it did."""
    pin = {"account": customer.id, "answers": ["sent"], "fault": {"kind": kind}}
    customer.control.put("pins/parcel.send_message", pin)
    with pytest.raises((OSError, http.client.HTTPException, ValueError)):
        customer.send()
    (kept,) = customer.call("GET", "/messages")[1]["messages"]
    assert customer.call("GET", f"/messages/{kept['id']}")[0] == 200


def test_a_refused_request_leaves_nothing(customer: Customer) -> None:
    """Only an accepted answer has effects; a fault that loses the reply has none unless an answer is pinned."""
    assert customer.call("POST", "/messages", {"from": customer.number})[0] == 400
    pins = "pins/parcel.send_message"
    customer.control.put(pins, {"account": customer.id, "fault": {"kind": "empty"}})
    with pytest.raises(ConnectionError):
        customer.send()
    assert customer.call("GET", "/messages")[1]["total"] == 0


@pytest.mark.parametrize("kind", ["malformed", "truncate", "dribble", "reset", "garbage"])
def test_a_spoilt_reply_is_kept_whole(customer: Customer, kind: str) -> None:
    """What the client cannot read has been accepted all the same where the answer is pinned, as by a vendor."""
    fault = {"kind": kind, "seconds": 0} if kind == "dribble" else {"kind": kind}
    pin = {"account": customer.id, "fault": fault, "answers": ["sent"]}
    customer.control.put("pins/parcel.send_message", pin)
    with contextlib.suppress(ValueError, OSError, http.client.HTTPException):
        customer.send("spoilt")
    rows = customer.call("GET", "/messages")[1]["messages"]
    assert [(row["text"], row["state"]) for row in rows] == [("spoilt", "queued")]
    assert customer.clock(advance=60)["callbacks"] == 2


def test_an_answer_without_its_id_is_not_kept(customer: Customer) -> None:
    """A pin may take an id away, and nobody can ask for such a record."""
    customer.control.put(
        "pins/parcel.send_message", {"account": customer.id, "answers": ["sent"], "changes": {"/body/id": None}}
    )
    assert customer.call("POST", "/messages", {"from": customer.number, "to": SUBSCRIBER, "text": "x"})[0] == 201
    assert customer.call("GET", "/messages")[1]["total"] == 0
