"""The two directions as a test in Python sees them: inboxes, callbacks, what was delivered."""

import asyncio
import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from mockserver.testing import Account, AsyncAccount, ControlError, MockServer, MockVendors, fault
from tests.twoway.conftest import SUBSCRIBER, Receiver, send

OTHER = "+12025550198"
WITHHELD = "https://hooks.example.com/events?from=parcel"


@pytest.fixture
def account(parcel_server: MockServer, receiver: Receiver) -> Iterator[Account]:
    """A customer whose callbacks go to the receiver; its clock stands still."""
    with parcel_server.account(vendors={"parcel": {"callback_url": receiver.url}}) as account:
        account.freeze()
        yield account


@pytest.fixture
def withheld(parcel_server: MockServer) -> Iterator[Account]:
    """A customer whose callbacks may not leave; its clock stands still."""
    with parcel_server.account(vendors={"parcel": {"callback_url": WITHHELD}}) as account:
        account.freeze()
        yield account


def test_an_inbox(account: Account) -> None:
    """A phone has what all vendors send to it, and what its owner replies; others have none of that."""
    send(account, "Your code is 4711")
    send(account, "Another 1234", to=OTHER)
    inbox = account.inbox(SUBSCRIBER)
    message = inbox.wait_for("code")
    assert (message.vendor, message.recipient, message.code) == ("parcel", SUBSCRIBER, "4711")
    assert (message.direction, message.state, message.segments, message.encoding) == (
        "outbound",
        "accepted",
        1,
        "GSM-7",
    )
    assert inbox.code == "4711"
    reply = inbox.reply("Thanks")
    assert (reply.direction, reply.sender, reply.recipient) == ("inbound", SUBSCRIBER, message.sender)
    assert [one.text for one in inbox.messages] == ["Your code is 4711", "Thanks"]
    assert inbox.messages.last == reply
    assert [one.text for one in account.messages(direction="outbound", contains="Another")] == ["Another 1234"]


def test_a_pattern_finds_the_code(account: Account) -> None:
    """What a pattern finds is the code: its group, or all of it."""
    send(account, "Use K-77 by 2030")
    inbox = account.inbox(SUBSCRIBER)
    assert inbox.wait_for(pattern=r"K-(\d+)").code == "77"
    assert inbox.wait_for(pattern=re.compile(r"\d{4}")).code == "2030"
    with pytest.raises(AssertionError, match=r"no message to \+12025550199 fitting 'X' came.*\n.*\n.*Use K-77"):
        inbox.wait_for(pattern="X", within=0.05)


def test_what_did_not_come_is_told(account: Account) -> None:
    """Without a message there is nothing to read or to reply to."""
    inbox = account.inbox(SUBSCRIBER)
    with pytest.raises(AssertionError, match=r"no message to .* has a code\nNo message has been sent"):
        _ = inbox.code
    with pytest.raises(LookupError, match=r"say whom it goes to: vendor="):
        inbox.reply("STOP")
    assert inbox.reply("STOP", vendor="parcel").text == "STOP"
    with pytest.raises(ControlError, match=r"no such number of the account"):
        inbox.reply("STOP", vendor="parcel", to="+12025550000")
    with pytest.raises(TypeError, match=r"text"):
        account.inbox(4155550123)  # type: ignore[arg-type]


def test_what_was_delivered(account: Account) -> None:
    """Only a course delivers a message; a failure says why it has not come further."""
    send(account)
    with pytest.raises(AssertionError) as caught:
        account.parcel.send_message.assert_delivered(recipient=SUBSCRIBER)
    assert "expected exactly 1 delivered message(s) to +12025550199, found 0" in str(caught.value)
    assert "parcel.status: the clock is frozen, due in 1 s" in str(caught.value)
    account.advance(60)
    for side in (account, account.parcel, account.parcel.send_message):
        assert [one.state for one in side.assert_delivered(recipient=SUBSCRIBER)] == ["delivered"]
        side.assert_delivered(recipient=OTHER, times=0)


def test_delivery_is_waited_for(parcel_server: MockServer) -> None:
    """By the real clock a message is delivered in a moment, with an address for receipts or without."""
    with parcel_server.account() as account:
        send(account)
        account.assert_delivered(within=10)


def test_where_nothing_is_ever_delivered(server: MockServer) -> None:
    """A vendor without courses delivers nothing, so to ask for it is a mistake."""
    with server.account() as account, pytest.raises(TypeError, match=r"avaamo.* no course.*assert_accepted"):
        account.avaamo.assert_delivered()


def test_a_course_by_pin(account: Account) -> None:
    """A pin has the next accepted message take another course; a refused request does not use it up."""
    pin = account.parcel.send_message.pin(course="failed")
    send(account, None, status=400)
    assert pin.used == 0
    send(account)
    send(account)
    account.advance(60)
    assert [one.state for one in account.messages()] == ["failed", "delivered"]
    with pytest.raises(ControlError, match=r"no such course of parcel.send_message: 'fail'; known: failed, delivered"):
        account.parcel.send_message.pin(course="fail")
    with pytest.raises(ControlError, match=r"no answer of parcel.show_message leaves a record"):
        account.parcel.show_message.pin(course="failed")


def test_callbacks_are_asserted_by_name(account: Account, receiver: Receiver) -> None:
    """A callback's attempts are its calls; they never count as calls of the vendor's operations."""
    receiver.statuses = [200, 500]
    sent = send(account)
    account.advance(60)
    status = account.parcel.status
    first, second = status.assert_called(times=2, recipient=SUBSCRIBER)
    status.assert_accepted_once(json={"id": sent, "state": "sent"})
    status.assert_refused(times=1, json={"state": "delivered"})
    assert (first.direction, first.attempt, first.url, first.outcome) == ("out", 1, receiver.url, "sent")
    assert dict(first.message or {}) == {
        "from": account.get("parcel.owned.lines.0.number"),
        "to": SUBSCRIBER,
        "text": "hello",
    }
    assert first.data["cause"] == account.parcel.send_message.assert_accepted_once().id
    assert (second.response.status, second.accepted) == (500, False)
    assert account.parcel.call_count == account.call_count == len(account.calls) == len(account.parcel.calls) == 1
    assert [call.direction for call in account.recorded_calls()] == ["in", "out", "out"]
    assert [call.id for call in account.callbacks.calls] == [first.id, second.id]
    with pytest.raises(AssertionError, match=r"parcel.status POST http.*-> 500"):
        status.assert_accepted(times=2)


def test_a_callback_that_has_not_come_is_explained(account: Account) -> None:
    """Who asks for a callback before its time is told when it is due."""
    send(account)
    with pytest.raises(AssertionError, match=r"parcel.status: the clock is frozen, due in 1 s"):
        account.parcel.status.assert_called()


def test_faults_of_callbacks(account: Account, receiver: Receiver) -> None:
    """Lost, late, sent twice, wrongly signed: each attempt that a fault hits says so."""
    status = account.parcel.status
    status.pin(fault=fault.duplicate(), where={"json": {"state": "sent"}})
    status.pin(fault=fault.lost(), where={"json": {"state": "delivered"}})
    send(account)
    account.advance(60)
    assert [body["state"] for body in receiver.bodies] == ["sent", "sent"]
    status.pin(fault=fault.late(seconds=100))
    status.pin(fault=fault.wrong_signature())
    send(account)
    account.advance(60)
    account.advance(60)
    seen = [(call.response.fault, call.outcome) for call in status.calls]
    assert seen == [
        ("duplicate", "sent"), ("duplicate", "sent"), ("lost", "aborted"),
        ("wrong_signature", "sent"), ("late", "sent"),
    ]  # fmt: skip
    assert [body["state"] for body in receiver.bodies[2:]] == ["delivered", "sent"]
    assert [signed_well(account, *request) for request in receiver.requests] == [True, True, False, True]
    assert account.unused_pins() == []


def signed_well(account: Account, headers: dict[str, str], body: bytes) -> bool:
    secret = str({**account.parcel.owned, **account.parcel.credentials}["secret"])
    return headers["x-signature"] == hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("operation", "pin", "message"),
    [
        pytest.param("send_message", {"fault": fault.lost()}, "lost spoils callbacks.* clients call it", id="replies"),
        pytest.param("status", {"fault": fault.reset()}, "reset spoils replies to clients, .*callback", id="callback"),
        pytest.param("status", {"fault": {"kind": "late"}}, "seconds", id="how late"),
        pytest.param("status", {"course": "failed"}, "which its receiver answers: pin a fault", id="course"),
    ],
)  # fmt: skip
def test_faults_fit_one_direction(account: Account, operation: str, pin: dict[str, Any], message: str) -> None:
    """A fault that can never hit is refused, and why."""
    with pytest.raises(ControlError, match=message):
        account.parcel.operations[operation].pin(**pin)


def test_answers_are_not_for_callbacks(account: Account) -> None:
    """The receiver answers a callback, not the contract."""
    with pytest.raises(ControlError, match=r"parcel.status is a callback, which its receiver answers: pin a fault"):
        account.parcel.status.pin("sent")


def test_a_fault_of_callbacks_spares_replies(account: Account, receiver: Receiver) -> None:
    """Pinned to a whole vendor, it hits what it can hit."""
    account.parcel.pin(fault=fault.lost(times=None))
    send(account)
    account.advance(60)
    assert receiver.requests == []
    with pytest.raises(ControlError, match=r"could never take effect"):
        account.parcel.status.pin(fault=fault.duplicate())


def wsgi(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Answers with what it was given."""
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    seen = [environ["PATH_INFO"], environ["QUERY_STRING"], environ["HTTP_HOST"], environ["HTTP_X_SIGNATURE"]]
    start_response("202 Accepted", [("Content-Type", "application/json")])
    return [json.dumps([*seen, json.loads(body)["state"]]).encode()]


async def asgi(scope: dict[str, Any], receive: Any, respond: Any) -> None:
    """The same."""
    event = await receive()
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    seen = [scope["path"], scope["query_string"].decode(), headers["host"], headers["x-signature"]]
    body = json.dumps([*seen, json.loads(event["body"])["state"]]).encode()
    await respond({"type": "http.response.start", "status": 202, "headers": [(b"content-type", b"application/json")]})
    await respond({"type": "http.response.body", "body": body})


@pytest.mark.parametrize("app", [wsgi, asgi])
def test_an_application_in_this_process(withheld: Account, app: Any) -> None:
    """It gets what was withheld, in order and signed, and its answers come back; each callback is given once."""
    send(withheld)
    withheld.advance(60)
    replies = withheld.callbacks.deliver_to(app)
    assert [(reply.status, reply.headers["Content-Type"]) for reply in replies] == [(202, "application/json")] * 2
    signatures = [reply.request.headers["x-signature"] for reply in replies]
    where = ["/events", "from=parcel", "hooks.example.com"]
    assert [reply.json for reply in replies] == [[*where, signatures[0], "sent"], [*where, signatures[1], "delivered"]]
    assert withheld.callbacks.take() == []


@pytest.mark.mock_vendors(vendors={"parcel": {"callback_url": WITHHELD, "inbound_url": "https://example.com/replies"}})
def test_where_a_mark_sends_callbacks(mock_vendors: MockVendors) -> None:
    """The test's customer has the addresses that its mark gives."""
    send(mock_vendors)
    mock_vendors.assert_delivered(within=10)
    mock_vendors.inbox(SUBSCRIBER).reply("STOP")
    taken = [(one.operation, one.url) for one in mock_vendors.callbacks.take()]
    assert taken == [*[("parcel.status", WITHHELD)] * 2, ("parcel.received", "https://example.com/replies")]
    mock_vendors.parcel.received.assert_called(json={"text": "STOP"}, times=1)


def test_callbacks_are_taken(withheld: Account) -> None:
    """Or a test sends them itself; faults hit them, too."""
    withheld.parcel.status.pin(fault=fault.duplicate())
    send(withheld)
    withheld.advance(1)
    one, two = withheld.callbacks.take()
    assert (one.method, one.url, one.json["state"], one.operation) == ("POST", WITHHELD, "sent", "parcel.status")
    assert one.body == two.body
    withheld.callbacks.redeliver(withheld.callbacks.calls.last)
    assert [again.body for again in withheld.callbacks.take()] == [one.body]


def test_what_is_no_application(withheld: Account) -> None:
    """Something else is refused before a callback is taken."""
    with pytest.raises(TypeError, match=r"WSGI or an ASGI"):
        withheld.callbacks.deliver_to("app")


def test_the_async_side(parcel_server: MockServer) -> None:
    """The same, awaited; an ASGI application answers in the loop that awaits it."""
    loops = []

    async def app(scope: Any, receive: Any, respond: Any) -> None:
        loops.append(asyncio.get_running_loop())
        await asgi(scope, receive, respond)

    async def code(account: AsyncAccount) -> None:
        inbox = account.inbox(SUBSCRIBER)
        await asyncio.to_thread(send, account, "Your code is 4711")
        assert (await inbox.wait_for("code", within=5)).code == await inbox.code == "4711"
        await account.parcel.assert_delivered(within=10)
        assert [reply.status for reply in await account.callbacks.deliver_to(app)] == [202, 202]
        assert set(loops) == {asyncio.get_running_loop()}
        await inbox.reply("STOP")
        assert [one.direction for one in await inbox.messages] == ["outbound", "inbound", "outbound"]
        assert len(await account.messages(vendor="parcel")) == 3

    with parcel_server.account(vendors={"parcel": {"callback_url": WITHHELD}}) as account:
        asyncio.run(code(AsyncAccount(account)))


def test_coverage_counts_callbacks(withheld: Account, parcel_server: MockServer) -> None:
    """A callback is met when the application gets it."""
    send(withheld)
    withheld.advance(60)
    row = parcel_server.coverage(withheld.id)["operations"]["parcel.status"]
    assert row["answers"]["request"]["natural"] == 0
    withheld.callbacks.take()
    row = parcel_server.coverage(withheld.id)["operations"]["parcel.status"]
    assert row["answers"]["request"]["natural"] == 2
