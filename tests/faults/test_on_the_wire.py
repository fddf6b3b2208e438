"""Each fault, byte for byte on a real socket, and what the journal says of it."""

import json
import time
from typing import Any

import pytest
from starlette.testclient import TestClient

from mockserver.engine.fault import GARBAGE
from tests.faults.wire import Customer, Reply, Wire, connected, recorded_body, recorded_headers
from tests.live import PATIENCE, live_server
from tests.server.acme_customer import SETTINGS

EMPTY = {"status": 202}
LONG = {"status": 200, "body": "x" * 900_000}
NEVER = 60  # seconds: no test waits for them


def ask(customer: Customer, method: str = "POST", **request: Any) -> Reply:
    """What comes back on a connection of its own."""
    with connected(customer.server.port) as wire:
        wire.send(customer.request(method, **request))
        return wire.reply(method)


def assert_recorded(call: dict[str, Any], reply: Reply) -> None:
    """The journal has the status, the headers and the bytes that came."""
    assert (call["response"]["status"], recorded_body(call, reply.body)) == (reply.status, reply.body)
    recorded = recorded_headers(call)
    assert recorded == {name: value for name, value in reply.headers.items() if name in recorded}
    assert "content-length" in recorded or not reply.status


LOST = [
    pytest.param("reset", b"", "reset", id="reset"),
    pytest.param("empty", b"", "closed", id="empty"),
    pytest.param("garbage", GARBAGE, "closed", id="garbage"),
]


@pytest.mark.parametrize(("kind", "raw", "ending"), LOST)
def test_a_reply_lost_before_it_was_decided(customer: Customer, kind: str, raw: bytes, ending: str) -> None:
    """Without an answer the request was never accepted; what was sent instead is recorded."""
    customer.suffer(kind)
    reply = ask(customer)
    assert reply == (raw, ending)
    call = customer.call()
    assert_recorded(call, reply)
    assert (call["response"]["fault"], call["outcome"]) == (kind, "aborted")
    assert (call["answer"], call["evidence"], call["chosen_by"], call["accepted"]) == (None, None, None, False)
    assert (call["operation"], call["recipient"], call["problems"]) == ("acme.send_sms", "+14155550123", [])


@pytest.mark.parametrize(("kind", "raw", "ending"), LOST)
@pytest.mark.parametrize(
    ("written", "answer", "accepted"),
    [
        pytest.param("sent", "acme.send_sms/sent", True, id="sent"),
        pytest.param("busy", "acme.send_sms/busy", False, id="busy"),
        pytest.param("rules", "acme.send_sms/sent", True, id="rules"),
        pytest.param({"status": 200}, None, True, id="literal"),
        pytest.param({"status": 500}, None, False, id="literal-error"),
    ],
)
def test_a_reply_lost_after_it_was_decided(
    customer: Customer, *, kind: str, raw: bytes, ending: str, written: Any, answer: str | None, accepted: bool
) -> None:
    """With an answer the vendor has decided, and the client cannot know."""
    customer.suffer(kind, written)
    assert ask(customer) == (raw, ending)
    call = customer.call()
    assert (call["answer"], call["accepted"], call["outcome"]) == (answer, accepted, "aborted")
    assert (call["response"]["fault"], call["response"]["status"]) == (kind, 0)


@pytest.mark.parametrize(("answers", "answer"), [([], None), (["sent"], "acme.send_sms/sent")])
def test_timeout(customer: Customer, answers: list[str], answer: str | None) -> None:
    """Nothing comes for as long as the client stays; its end is the call's."""
    customer.suffer("timeout", *answers)
    with connected(customer.server.port) as wire:
        wire.send(customer.request())
        assert wire.is_silent()
        assert customer.calls(ended=False)[-1]["outcome"] == "pending"
    call = customer.call()
    assert (call["outcome"], call["response"]["fault"], call["response"]["status"]) == ("aborted", "timeout", 0)
    assert (call["answer"], call["accepted"], recorded_body(call)) == (answer, bool(answer), b"")


@pytest.mark.parametrize(
    ("answers", "answer", "body"),
    [([], "sent", b'{"id":"'), (["busy"], "busy", b'{"busy'), (["sent"], "sent", b'{"id":"')],
)
def test_truncate(customer: Customer, answers: list[str], answer: str, body: bytes) -> None:
    """More is declared than sent: the client sees a whole head, half a body and the end."""
    customer.suffer("truncate", *answers)
    reply = ask(customer)
    assert reply.ending == "closed"
    assert len(reply.body) == int(reply.headers["content-length"]) // 2
    assert reply.body.startswith(body)
    with pytest.raises(ValueError, match=r"."):
        json.loads(reply.body)
    call = customer.call()
    assert_recorded(call, reply)
    assert (call["answer"], call["response"]["fault"]) == (f"acme.send_sms/{answer}", "truncate")
    assert (call["outcome"], call["accepted"]) == ("sent", answer == "sent")


@pytest.mark.parametrize("kind", ["truncate", "malformed", "dribble", "delay"])
def test_an_empty_answer_can_be_spoilt(customer: Customer, kind: str) -> None:
    """Where there is no body, a byte is promised and kept back, or some that are no JSON are sent, or it comes late."""
    customer.suffer({"kind": kind, **({"seconds": 0.01} if kind in {"dribble", "delay"} else {})}, EMPTY)
    reply = ask(customer)
    body, declared, ending = {"truncate": (b"", "1", "closed"), "malformed": (b"{,", "2", "whole")}.get(
        kind, (b"", "0", "whole")
    )
    assert (reply.body, reply.headers["content-length"], reply.ending) == (body, declared, ending)
    assert_recorded(customer.call(), reply)


@pytest.mark.parametrize("kind", ["truncate", "malformed", "dribble", "delay"])
@pytest.mark.parametrize(("method", "status"), [("POST", 204), ("HEAD", 400)])
def test_an_answer_without_body_is_no_trouble(customer: Customer, kind: str, method: str, status: int) -> None:
    """Bytes that HTTP has no place for are not sent: the next answer would begin with them."""
    delay = {"seconds": 0.01} if kind in {"dribble", "delay"} else {}
    customer.suffer({"kind": kind, **delay}, {"status": status, **({"body": {"a": 1}} if method == "HEAD" else {})})
    with connected(customer.server.port) as wire:
        wire.send(customer.request(method))
        reply = wire.reply(method)
        assert (reply.status, reply.body, reply.ending) == (status, b"", "whole")
        if kind == "truncate" and method == "HEAD":
            assert wire.reply() == (b"", "closed")
        else:
            wire.send(customer.request())
            assert (wire.reply().status, wire.is_silent(0.01)) == (202, True)
    assert customer.calls()[0]["outcome"] == "sent"


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"kind": "delay", "seconds": 0.05}, id="delay"),
        pytest.param({"kind": "dribble", "seconds": 0.05, "chunks": 7}, id="dribble"),
    ],
)
@pytest.mark.parametrize(
    ("answers", "status"),
    [
        pytest.param([], 202, id="sent"),
        pytest.param(["refused"], 400, id="refused"),
        pytest.param([LONG], 200, id="long"),
    ],
)
def test_late_is_whole(customer: Customer, fault: dict[str, Any], answers: list[Any], status: int) -> None:
    """A reply that comes late or in pieces is the same, and its connection stays."""
    customer.suffer(fault, *answers)
    with connected(customer.server.port) as wire:
        wire.send(customer.request())
        reply = wire.reply()
        assert (reply.status, reply.ending, len(reply.body)) == (status, "whole", int(reply.headers["content-length"]))
        assert reply.headers.get("content-type") == (None if status == 200 else "application/json")
        call = customer.call()
        assert_recorded(call, reply)
        assert (call["outcome"], call["response"]["fault"]) == ("sent", fault["kind"])
        wire.send(customer.request())
        assert wire.reply().status == 202


@pytest.mark.parametrize(
    ("fault", "begins"),
    [
        pytest.param({"kind": "delay", "seconds": NEVER}, b"", id="delay"),
        pytest.param({"kind": "delay", "uniform": [NEVER, NEVER]}, b"", id="uniform"),
        pytest.param({"kind": "delay", "lognormal": {"median": NEVER, "sigma": 0}}, b"", id="lognormal"),
        pytest.param({"kind": "dribble", "seconds": NEVER, "chunks": 2}, b"HTTP/1.1 202 Accepted", id="dribble"),
        pytest.param({"kind": "dribble", "seconds": NEVER, "chunks": 1000}, b"HTTP/1.1 202 Accepted", id="drops"),
    ],
)
def test_a_client_that_does_not_wait(customer: Customer, fault: dict[str, Any], begins: bytes) -> None:
    """The reply is really held back; a client that leaves meanwhile has aborted the call."""
    customer.suffer(fault)
    with connected(customer.server.port) as wire:
        wire.send(customer.request())
        if begins:
            assert not wire.is_silent(PATIENCE)
        else:
            assert wire.is_silent()
        assert customer.calls(ended=False)[-1]["outcome"] == "pending"
    call = customer.call()
    assert (call["outcome"], call["response"]["fault"], call["answer"]) == (
        "aborted",
        fault["kind"],
        "acme.send_sms/sent",
    )


SLOW = [
    pytest.param({"kind": "delay", "seconds": 0.2}, id="delay"),
    pytest.param({"kind": "dribble", "seconds": 0.2, "chunks": 5}, id="dribble"),
]


@pytest.mark.parametrize("fault", SLOW)
@pytest.mark.parametrize("seconds", [0, 0.1, 0.3])
def test_a_client_that_sends_no_more(customer: Customer, fault: dict[str, Any], seconds: float) -> None:
    """It waits still: its late replies come whole, and what it asked for behind them, and then the end."""
    customer.suffer({**fault, "times": 2}, where={"json": {"to": "+14155550199"}})
    late = customer.request(to="+14155550199")
    with connected(customer.server.port) as wire:
        wire.send(customer.request() + late * 2 + customer.request())
        time.sleep(seconds)
        wire.send_no_more()
        began, *replies = wire.rest().split(b"HTTP/1.1 202 Accepted\r\n")
    assert (began, len(replies)) == (b"", 4)
    assert all("id" in json.loads(reply.partition(b"\r\n\r\n")[2]) for reply in replies)
    assert [call["outcome"] for call in customer.calls()] == ["sent"] * 4


@pytest.mark.parametrize("kind", ["delay", "dribble"])
def test_a_client_that_sends_no_more_and_leaves(customer: Customer, kind: str) -> None:
    """It is waiting first, of which a byte is seen, and then it is gone."""
    customer.suffer({"kind": kind, "seconds": NEVER})
    with connected(customer.server.port) as wire:
        wire.send(customer.request())
        wire.send_no_more()
        assert not wire.is_silent(PATIENCE)
        assert customer.calls(ended=False)[-1]["outcome"] == "pending"
    assert customer.call()["outcome"] == "aborted"


def test_timeout_of_a_client_that_sends_no_more(customer: Customer) -> None:
    """There is nothing to wait for: it ends."""
    customer.suffer("timeout")
    with connected(customer.server.port) as wire:
        wire.send(customer.request())
        wire.send_no_more()
        assert wire.rest() == b""
    assert customer.call()["outcome"] == "aborted"


@pytest.mark.parametrize(("answers", "status"), [([], 202), (["refused"], 400), ([{"status": 200, "body": "}"}], 200)])
def test_malformed(customer: Customer, answers: list[Any], status: int) -> None:
    """The headers are right and the body is no JSON; the connection is as good as before."""
    customer.suffer("malformed", *answers)
    with connected(customer.server.port) as wire:
        wire.send(customer.request())
        reply = wire.reply()
        assert (reply.status, reply.ending, len(reply.body)) == (status, "whole", int(reply.headers["content-length"]))
        with pytest.raises(ValueError, match=r"."):
            json.loads(reply.body)
        assert_recorded(customer.call(), reply)
        wire.send(customer.request())
        assert json.loads(wire.reply().body)["id"]


@pytest.mark.parametrize(("kind", "raw", "ending"), LOST)
def test_a_fault_on_a_connection_in_use(customer: Customer, kind: str, raw: bytes, ending: str) -> None:
    """What came before on the connection came whole; what was asked behind the fault is not answered, nor recorded."""
    with connected(customer.server.port) as wire:
        wire.send(customer.request())
        assert wire.reply().status == 202
        customer.suffer(kind)
        wire.send(customer.request() + customer.request())
        assert wire.reply() == (raw, ending)
    assert [call["response"]["fault"] for call in customer.calls()] == [None, kind]


def test_a_client_that_asks_on_and_leaves(customer: Customer) -> None:
    """While a reply never comes, further requests on the connection do not hide that the client left."""
    customer.suffer("timeout")
    with connected(customer.server.port) as wire:
        wire.send(customer.request() * 3)
        assert wire.is_silent()
        wire.send(customer.request() * 3)
        assert len(customer.calls(ended=False)) == 1
    assert [call["outcome"] for call in customer.calls()] == ["aborted"]


def test_the_end_of_the_server_ends_the_wait() -> None:
    """A client that is kept waiting for ever does not keep a server from ending."""
    with live_server(SETTINGS) as live:
        customer = Customer.of(live)
        customer.suffer("timeout")
        wire = Wire(live.port)
        wire.send(customer.request())
        assert wire.is_silent()
    assert wire.reply() == (b"", "closed")
    wire.close()


@pytest.mark.parametrize("kind", ["timeout", "reset", "empty", "garbage", "truncate"])
def test_without_a_socket(kind: str) -> None:
    """The application alone has no connection to break: what was pinned elsewhere says so at once."""
    with live_server(SETTINGS) as live:
        customer = Customer.of(live)
        customer.suffer(kind)
        with (
            TestClient(live.app, base_url="http://localhost") as client,
            pytest.raises(ConnectionError, match="needs a real socket"),
        ):
            client.post("/base/messages", json={}, headers={"X-Key": customer.key})
