"""Callbacks: when they are sent, where to, in which order, and what is recorded of them."""

import asyncio
import hashlib
import hmac
import socket
from contextlib import ExitStack
from typing import Any

import pytest

from mockserver.server import courier
from mockserver.store import store
from mockserver.testing import MockServer
from tests.live import PATIENCE
from tests.twoway.conftest import SUBSCRIBER, Customer, Receiver, send


def test_receipts_come_in_order_on_the_account_s_clock(customer: Customer, receiver: Receiver) -> None:
    """Advancing the clock sends what became due, in order, before it answers, and says how many."""
    message = customer.send()
    assert customer.clock(advance=0.5)["callbacks"] == 0
    assert customer.clock(advance=1)["callbacks"] == 1
    assert customer.clock(advance=60)["callbacks"] == 1
    assert [(body["id"], body["state"]) for body in receiver.bodies] == [(message, "sent"), (message, "delivered")]
    assert customer.messages()[0]["state"] == "delivered"


def test_receipts_come_soon_by_the_real_clock(make_customer: Any, receiver: Receiver) -> None:
    """Without a clock of its own, an account gets its receipts in a moment; a magic recipient asks for a course."""
    customer = make_customer(callback_url=receiver.url)
    customer.send()
    customer.send(to="+15005550610")
    receiver.wait(3)
    assert sorted(body["state"] for body in receiver.bodies) == ["delivered", "failed", "sent"]


def test_the_signature_is_made_last(customer: Customer, receiver: Receiver) -> None:
    """A header signs the whole body as it is sent."""
    customer.send("grüße")
    customer.clock(advance=60)
    secret = {**customer.vendor["owned"], **customer.vendor["credentials"]}["secret"]
    for headers, body in receiver.requests:
        assert headers["x-signature"] == hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        assert headers["content-type"] == "application/json"


def test_where_to(customer: Customer, receiver: Receiver) -> None:
    """The request's own address counts before the account's."""
    other = receiver.url.replace("/events", "/other")
    customer.send(callback_url=other)
    customer.clock(advance=60)
    assert [call["request"]["path"] for call in customer.callbacks()] == ["/other", "/other"]


def test_nothing_leaves_this_machine_unasked(make_customer: Any) -> None:
    """A callback to another host is withheld, says so, and can be taken; it is taken once."""
    customer = make_customer(callback_url="https://example.com/hook")
    customer.clock(freeze=True)
    message = customer.send()
    customer.clock(advance=60)
    first = customer.callbacks()[0]
    assert (first["outcome"], first["response"]["status"]) == ("withheld", 0)
    assert "--callback-to example.com" in first["notes"][0]
    taken = customer.control.post(f"accounts/{customer.id}/callbacks/take")["callbacks"]
    assert [one["url"] for one in taken] == ["https://example.com/hook"] * 2
    assert customer.control.post(f"accounts/{customer.id}/callbacks/take")["callbacks"] == []
    assert message


def test_no_script_reaches_another_machine(make_customer: Any) -> None:
    """In an exported script, a callback that was withheld is a comment, its body included."""
    customer = make_customer(callback_url="https://example.com/hook")
    customer.clock(freeze=True)
    customer.send()
    customer.clock(advance=60)
    script = customer.control.text("calls", account=customer.id, format="curl", direction="out")
    lines = [line for line in script.splitlines() if line]
    assert all(line.startswith("#") for line in lines)
    assert sum("https://example.com/hook" in line for line in lines) == 2


def test_no_address(make_customer: Any) -> None:
    """An account without an address gets no callback."""
    customer = make_customer()
    customer.clock(freeze=True)
    customer.send()
    assert customer.clock(advance=60)["callbacks"] == 0
    assert customer.messages()[0]["state"] == "delivered"


def test_a_receiver_that_refuses_is_recorded(customer: Customer, receiver: Receiver) -> None:
    """No retry is documented, so none is made; the attempt says what the receiver answered."""
    receiver.statuses = [500]
    customer.send()
    customer.clock(advance=60)
    attempts = [(call["accepted"], call["response"]["status"], call["outcome"]) for call in customer.callbacks()]
    assert attempts == [(False, 500, "sent"), (True, 200, "sent")]


def test_an_address_where_nobody_is(customer: Customer) -> None:
    """What cannot be sent is recorded with the reason, and holds back nothing: the message goes on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens there, and nobody else can
        customer.send(callback_url=f"http://127.0.0.1:{taken.getsockname()[1]}/gone")
        assert customer.clock(advance=60)["callbacks"] == 2
    assert [(call["outcome"], call["accepted"]) for call in customer.callbacks()] == [("aborted", False)] * 2
    assert customer.callbacks()[0]["notes"][0].startswith("no connection")
    assert customer.messages()[0]["state"] == "delivered"


def test_a_redirect_is_not_followed(customer: Customer, receiver: Receiver) -> None:
    """The receiver's answer is recorded as it came; another machine could not be reached this way."""
    receiver.statuses = [302, 302]
    customer.send()
    customer.clock(advance=60)
    assert [(call["response"]["status"], call["accepted"]) for call in customer.callbacks()] == [(302, False)] * 2
    assert len(receiver.requests) == 2


def test_a_deleted_account_is_told_nothing_more(
    parcel_server: MockServer, customer: Customer, receiver: Receiver
) -> None:
    """Whatever was to come for it does not; another account gets its own."""
    with parcel_server.account(vendors={"parcel": {"callback_url": receiver.url}}) as gone:
        gone.freeze()
        send(gone)
        customer.send()
    assert customer.clock(advance=60)["callbacks"] == 2
    assert len(receiver.requests) == 2


def test_four_at_once(parcel_server: MockServer) -> None:
    """A receiver that does not answer gets four requests of an account at a time; its messages go on all the same."""
    with socket.create_server(("127.0.0.1", 0)) as silent, ExitStack() as connections:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with parcel_server.account(vendors={"parcel": {"callback_url": address}}) as account:
            for _ in range(5):
                send(account)
            account.assert_delivered(times=5, within=30)
            silent.settimeout(PATIENCE)
            first, *_ = [connections.enter_context(silent.accept()[0]) for _ in range(4)]
            silent.settimeout(0.2)
            with pytest.raises(TimeoutError):
                silent.accept()
            first.close()
            silent.settimeout(PATIENCE)
            connections.enter_context(silent.accept()[0])


@pytest.mark.parametrize("is_frozen", [True, False])
def test_a_receiver_that_does_not_keep_up(
    make_customer: Any, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, *, is_frozen: bool
) -> None:
    """What is due waits while many requests are under way, and is told after them: none is told twice, or never."""
    monkeypatch.setattr(courier, "MAX_BEGUN", 3)
    monkeypatch.setattr(store, "MAX_STEPS_AT_ONCE", 1)
    under_way, deliver = [], courier.Courier._deliver  # noqa: SLF001 -- how many wait cannot be seen from outside

    async def counting(self: Any, job: Any, desk: Any, before: Any) -> int:
        under_way.append(len(desk.tasks))
        return await deliver(self, job, desk, before)

    monkeypatch.setattr(courier.Courier, "_deliver", counting)
    customer = make_customer(callback_url=receiver.url)
    if is_frozen:
        customer.clock(freeze=True)
    messages = [customer.send() for _ in range(12)]
    if is_frozen:
        assert customer.clock(advance=60)["callbacks"] == 24
    receiver.wait(24)
    assert max(under_way) <= 3
    told = [(body["id"], body["state"]) for body in receiver.bodies]
    assert sorted(told) == sorted((message, state) for message in messages for state in ("sent", "delivered"))


def test_others_get_their_turn_while_much_is_told(make_customer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few callbacks are begun in one turn of the loop, in the order in which they are due; all of them are counted."""
    begun, deliver = [0], courier.Courier._deliver  # noqa: SLF001 -- turns of the loop cannot be seen from outside

    async def counting(self: Any, job: Any, desk: Any, before: Any) -> int:
        if not begun[-1]:
            asyncio.get_running_loop().call_soon(begun.append, 0)
        begun[-1] += 1
        return await deliver(self, job, desk, before)

    monkeypatch.setattr(courier.Courier, "_deliver", counting)
    customer = make_customer(callback_url="https://example.com/hook")
    customer.clock(freeze=True)
    messages = [customer.send() for _ in range(3 * store.MAX_TOLD_AT_ONCE)]
    assert customer.clock(advance=60)["callbacks"] == 2 * len(messages) == sum(begun)
    assert max(begun) <= store.MAX_TOLD_AT_ONCE
    told = [call["request"]["json"] for call in customer.callbacks()]
    assert [body["id"] for body in told if body["state"] == "sent"] == messages
    assert [body["state"] for body in told] == ["sent"] * len(messages) + ["delivered"] * len(messages)


@pytest.mark.parametrize("how", ["reset", "delete"])
def test_a_request_under_way_ends_with_its_account(parcel_server: MockServer, how: str) -> None:
    """Who waits for a receiver that does not answer leaves it at once, and records nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(PATIENCE)
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with parcel_server.account(vendors={"parcel": {"callback_url": address}}) as account:
            send(account)
            connection, _ = silent.accept()
            if how == "reset":
                account.reset()
                assert account.recorded_calls() == []
        with connection:
            connection.settimeout(PATIENCE)
            while connection.recv(65_536):
                """The request, then the end."""


def test_redelivery(customer: Customer, receiver: Receiver) -> None:
    """A recorded callback can be sent once more, the same."""
    customer.send()
    customer.clock(advance=1)
    call = customer.callbacks()[0]["id"]
    customer.control.post(f"accounts/{customer.id}/callbacks/{call}")
    first, second = receiver.wait(2)
    assert first[1] == second[1]


def test_reset_ends_what_was_to_come(customer: Customer, receiver: Receiver) -> None:
    """After a reset nothing is told of what was sent before it."""
    customer.send()
    customer.control.post(f"accounts/{customer.id}/reset")
    assert customer.clock(advance=60)["callbacks"] == 0
    assert receiver.requests == []


def test_messages_of_both_directions(customer: Customer) -> None:
    """The list has what was sent and what a subscriber replied, newest first, and finds codes."""
    customer.send("Your code is 4711")
    reply = {"account": customer.id, "vendor": "parcel", "from": SUBSCRIBER, "text": "Thanks 😀"}
    customer.control.post("inbound", reply)
    inbound, outbound = customer.messages()
    assert (inbound["direction"], inbound["from"], inbound["to"]) == ("inbound", SUBSCRIBER, customer.number)
    assert (inbound["encoding"], inbound["state"], inbound["text"]) == ("UCS-2", "received", "Thanks 😀")
    assert (outbound["direction"], outbound["to"], outbound["code"]) == ("outbound", SUBSCRIBER, "4711")
    assert [m["direction"] for m in customer.messages(direction="inbound")] == ["inbound"]
    assert [m["text"] for m in customer.messages(contains="code")] == ["Your code is 4711"]
    assert customer.messages(recipient="+12025550000", within="0.05") == []
    assert len(customer.messages(phone=SUBSCRIBER)) == 2
