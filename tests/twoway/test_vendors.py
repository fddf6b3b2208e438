"""The other direction of the vendors that are described here: receipts, replies, and what is read back of them."""

import base64
import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from mockserver.server.build import contracts_folder
from mockserver.server.settings import Settings
from mockserver.spec.answer_model import Keeps
from mockserver.spec.load import contract_files, load_contracts
from mockserver.spec.model import Contract
from mockserver.testing import MockServer, run
from mockserver.testing.client import Control
from tests.live import PATIENCE
from tests.twoway.conftest import SUBSCRIBER, Receiver


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    """One server of all vendors; its accounts keep the tests apart."""
    with run() as running:
        yield running


@dataclass
class Client:
    """A customer of one vendor, by plain HTTP. Its clock stands still."""

    control: Control
    vendor: str
    shape: dict[str, Any]

    def value(self, name: str) -> Any:
        """A member of the customer's data at the vendor."""
        known = self.shape["vendors"][self.vendor]
        return {**known["owned"], **known["credentials"]}[name]

    def call(self, method: str, path: str, **sent: Any) -> Any:
        """The body of the answer to a call that is accepted."""
        response = requests.request(method, self.control.url + path, timeout=PATIENCE, **sent)
        assert response.ok, response.text
        return response.json() if response.content else None

    def advance(self, seconds: float) -> int:
        """Move the clock; returns how many callbacks that has set off."""
        made: int = self.control.post(f"accounts/{self.shape['id']}/clock", {"advance": seconds})["callbacks"]
        return made

    def reply(self, text: str, **more: str) -> None:
        """Let the subscriber send a message."""
        reply = {"account": self.shape["id"], "vendor": self.vendor, "from": SUBSCRIBER, "text": text, **more}
        self.control.post("inbound", reply)

    def messages(self) -> list[dict[str, Any]]:
        """Its messages as the control API lists them, newest first."""
        listed: list[dict[str, Any]] = self.control.get("messages", account=self.shape["id"])["messages"]
        return listed


@pytest.fixture
def customer_of(server: MockServer) -> Iterator[Any]:
    """Makes customers, and deletes them at the end."""
    control, made = Control(server.url), []

    def make(vendor: str, **values: Any) -> Client:
        shape = control.post("accounts", {"vendors": {vendor: values}})
        made.append(shape["id"])
        control.post(f"accounts/{shape['id']}/clock", {"freeze": True})
        return Client(control, vendor, shape)

    yield make
    for account in made:
        control.delete(f"accounts/{account}")


CONTRACTS = load_contracts(contract_files([contracts_folder()]))
KEEPS = [
    pytest.param(contract, kept, id=answer.id)
    for contract in CONTRACTS
    for operation in contract.operations
    if operation.spelling == operation.name
    for answer in operation.answers.values()
    for kept in answer.effects.keeps
    if kept.courses
]


@pytest.mark.parametrize(("contract", "kept"), KEEPS)
def test_every_course(contract: Contract, kept: Keeps) -> None:
    """A magic recipient asks for each but the ordinary one; by the real clock a receipt is due in half a second."""
    ordinary, *others = kept.courses
    assert (ordinary.magic, [course.name for course in others if course.magic is None]) == (None, [])
    told = {event for callback in contract.callbacks for event in callback.on}
    due = [s.after for course in kept.courses for s in course.steps if f"{kept.list_name}/{s.name}" in told or s.state]
    assert max(due) * Settings().course_pace < 0.5


def opentact(customer_of: Any, receiver: Receiver) -> tuple[Client, dict[str, str]]:
    """A customer whose profile's callbacks go to the receiver, and the headers of a user who has logged in."""
    client = customer_of("opentact", leases=[{"messaging_profile": {"callback_url": receiver.url}}])
    user = client.value("users")[0]
    pair = base64.b64encode(f"{user['email']}:{user['password']}".encode()).decode()
    payload = client.call("GET", "/rest/auth", headers={"Authorization": f"Basic {pair}"})["payload"]
    assert (payload["uuid"], payload["account"]["uuid"]) == (user["uuid"], client.value("uuid"))
    return client, {"X-Auth-Token": payload["token"]}


def test_opentact_created_success_delivered(customer_of: Any, receiver: Receiver) -> None:
    """A client logs in and sends; its receiver is told in order, and what it reads afterwards is what it was told."""
    client, token = opentact(customer_of, receiver)
    body = {"from": client.value("leases")[0]["tn"], "to": int(SUBSCRIBER[1:]), "message": "Your code is 4711"}
    sent = client.call("POST", "/rest/sms", json=body, headers=token)["payload"]
    path = f"/rest/sms/outbound/{sent['uuid']}"
    assert client.call("GET", path, headers=token)["payload"]["state"] == "created"
    assert (client.advance(0.5), client.advance(1), client.advance(60)) == (0, 1, 1)
    success, delivered = receiver.bodies
    assert [(one["uuid"], one["state"], one["delivered"]) for one in (success, delivered)] == [
        (sent["uuid"], "success", False),
        (sent["uuid"], "success", True),
    ]
    assert client.call("GET", path, headers=token)["payload"] == delivered
    found = client.call("POST", "/rest/sms/search", files={"to": (None, SUBSCRIBER[1:])}, headers=token)["payload"]
    assert (found["total"], found["data"][0]["uuid"], found["data"][0]["message"]) == (1, sent["uuid"], body["message"])
    (message,) = client.messages()
    assert (message["from"].lstrip("+"), message["text"], message["state"]) == (
        body["from"].lstrip("+"),
        body["message"],
        "delivered",
    )


def test_opentact_by_the_real_clock(customer_of: Any, receiver: Receiver) -> None:
    """Without a clock of its own the receipts come soon, also to the URL of the request; magic numbers fail."""
    client, token = opentact(customer_of, receiver)
    client.control.post(f"accounts/{client.shape['id']}/reset")
    url = receiver.url.replace("/events", "/own")
    body = {"from": client.value("leases")[0]["tn"], "message": "x", "custom_callback_url": url}
    failing = client.call("POST", "/sms/o", json={**body, "to": "+15005550610"}, headers=token)["payload"]["uuid"]
    never = client.call("POST", "/sms/o", json={**body, "to": "+15005550611"}, headers=token)["payload"]["uuid"]
    receiver.wait(2)
    assert {one["uuid"]: one["state"] for one in receiver.bodies} == {failing: "failed", never: "success"}


def test_opentact_reply(customer_of: Any, receiver: Receiver) -> None:
    """A reply is told to the profile's URL as the bare record, and is found by its id and by the thread of both."""
    client, token = opentact(customer_of, receiver)
    tn = client.value("leases")[0]["tn"]
    sent = client.call("POST", "/rest/sms", json={"from": tn, "to": SUBSCRIBER, "message": "Hi"}, headers=token)
    client.reply("Hello")
    ((_, _),) = receiver.wait(1)
    (told,) = receiver.bodies
    assert (told["type"], told["state"], told["from"], told["message"]) == ("smsi", "success", SUBSCRIBER[1:], "Hello")
    assert client.call("GET", f"/rest/sms/inbound/{told['uuid']}", headers=token)["payload"] == told
    search = {"thread": sent["payload"]["thread"]}
    found = client.call("POST", "/rest/sms/search", json=search, headers=token)["payload"]["data"]
    assert sorted(one["type"] for one in found) == ["smsi", "smso"]


def test_opentact_search_shows_the_newest_first(customer_of: Any, receiver: Receiver) -> None:
    """Also of messages of one moment; pages follow one another."""
    client, token = opentact(customer_of, receiver)
    tn = client.value("leases")[0]["tn"]
    for number in range(5):
        body = {"from": tn, "to": SUBSCRIBER, "message": f"Message {number}"}
        client.call("POST", "/rest/sms", json=body, headers=token)
    pages = [
        client.call("POST", "/rest/sms/search", json={"take": 2, "skip": skip}, headers=token)["payload"]
        for skip in (0, 2, 4, 6)
    ]
    assert [[one["message"][-1] for one in page["data"]] for page in pages] == [["4", "3"], ["2", "1"], ["0"], []]
    assert {page["total"] for page in pages} == {5}


def voximplant(client: Client, method: str, **parameters: Any) -> Any:
    """A method by its path, with the account's api_key."""
    credentials = {"account_id": client.value("account_id"), "api_key": client.value("api_key")}
    return client.call("POST", f"/platform_api/{method}", data={**credentials, **parameters})


def test_voximplant_enables_a_number(customer_of: Any) -> None:
    """SMS is off on a new number until ControlSms enables it; the next message from it is accepted."""
    client = customer_of("voximplant")
    number = client.value("numbers")[1]["number"]
    sms = {"source": number, "destination": SUBSCRIBER[1:], "sms_body": "Hi", "store_body": "true"}
    assert voximplant(client, "SendSmsMessage", **sms)["error"]["code"] == 386
    assert voximplant(client, "ControlSms", phone_number=number, command="enable") == {"result": 1}
    (shown,) = voximplant(client, "GetPhoneNumbers", phone_number=number)["result"]
    assert (shown["is_sms_supported"], shown["is_sms_enabled"]) == (True, True)
    sent = voximplant(client, "SendSmsMessage", **sms)
    (row,) = voximplant(client, "GetSmsHistory")["result"]
    assert (row["message_id"], row["source_number"], row["text"]) == (sent["message_id"], int(number), "Hi")
    voximplant(client, "ControlSms", phone_number=number, command="disable")
    assert voximplant(client, "SendSmsMessage", **sms)["error"]["code"] == 386


def test_voximplant_inbound_hash(customer_of: Any, receiver: Receiver) -> None:
    """A subscriber's message is told with the documented hash; a number's own URL counts before the account's."""
    client = customer_of(
        "voximplant",
        callback_url=receiver.url,
        callback_salt="pepper",
        store_inbound_sms=True,
        numbers=[{}, {"incoming_sms_callback_url": receiver.url.replace("/events", "/own")}],
    )
    first, second = (record["number"] for record in client.value("numbers"))
    client.reply("Yes please", to=first)
    client.reply("No", to=second)
    receiver.wait(2)
    asked = {"account": client.shape["id"], "operation": "voximplant.sms_inbound"}
    while len(calls := client.control.get("calls", **asked)["calls"]) < 2:
        time.sleep(0.01)  # an attempt is recorded once it is answered
    told_at = [call["request"]["path"] for call in calls]
    assert sorted(told_at) == ["/events", "/own"]
    told = {body["callbacks"][0]["sms_inbound"]["sms_body"]: body["callbacks"][0] for body in receiver.bodies}
    for text, to in (("Yes please", first), ("No", second)):
        item = told[text]
        signed = f"pepper{client.value('account_id')}{client.value('api_key')}{item['callback_id']}"
        assert item["hash"] == hashlib.md5(signed.encode(), usedforsecurity=False).hexdigest()
        assert item["sms_inbound"] == {
            "source_number": SUBSCRIBER[1:],
            "destination_number": to.lstrip("+"),
            "sms_body": text,
        }
    received = voximplant(client, "GetSmsHistory", direction="in")["result"]
    assert [(row["direction"], row["text"]) for row in received] == [("IN", "No"), ("IN", "Yes please")]


def test_voximplant_a_wrong_hash(customer_of: Any, receiver: Receiver) -> None:
    """A pin spoils the hash alone, so that a receiver can be seen to refuse it."""
    client = customer_of("voximplant", callback_url=receiver.url)
    pin = {"account": client.shape["id"], "fault": {"kind": "wrong_signature"}}
    client.control.put("pins/voximplant.sms_inbound", pin)
    client.reply("Hi")
    receiver.wait(1)
    (item,) = receiver.bodies[0]["callbacks"]
    signed = f"{client.value('account_id')}{client.value('api_key')}{item['callback_id']}"
    right = hashlib.md5(signed.encode(), usedforsecurity=False).hexdigest()
    assert sum(one != other for one, other in zip(item["hash"], right, strict=True)) == 1
    assert item["sms_inbound"]["sms_body"] == "Hi"


def test_voximplant_several_recipients(customer_of: Any) -> None:
    """Each recipient is a message of its own; one that is refused is none. A magic number takes its own course."""
    client = customer_of("voximplant")
    sender = client.value("senders")[0]["name"]
    numbers = f"{SUBSCRIBER[1:]};15005550385;15005550610"
    answer = voximplant(client, "A2PSendSms", src_number=sender, dst_numbers=numbers, text="Sale", store_body="1")
    assert [one["destination_number"] for one in answer["failed"]] == ["15005550385"]
    client.advance(60)
    rows = {row["destination_number"]: row for row in voximplant(client, "A2PGetSmsHistory")["result"]}
    assert {number: row["delivery_status"] for number, row in rows.items()} == {
        int(SUBSCRIBER[1:]): "DELIVERED",
        15005550610: "FAILED",
    }
    listed = {message["to"]: (message["from"], message["state"]) for message in client.messages()}
    assert listed == {SUBSCRIBER: (sender, "delivered"), "+15005550610": (sender, "failed")}
    assert len(client.control.get("calls", account=client.shape["id"], recipient=SUBSCRIBER)["calls"]) == 1
    assert len(client.control.get("calls", account=client.shape["id"], recipient="+15005550610")["calls"]) == 1
    refused = voximplant(client, "A2PSendSms", src_number=sender, dst_numbers="15005550385", text="Sale")
    assert (refused["result"], len(client.messages())) == ([], 2)


def test_voximplant_a_hundred_recipients(customer_of: Any) -> None:
    """Each gets a message of its own, and the call is found by any of them; one more is too many."""
    client = customer_of("voximplant")
    numbers = [f"1202555{number:04}" for number in range(101)]
    sms = {"src_number": client.value("senders")[0]["name"], "text": "Sale"}
    answer = voximplant(client, "A2PSendSms", dst_numbers=";".join(numbers[:100]), **sms)
    assert [one["destination_number"] for one in answer["result"]] == numbers[:100]
    assert len({one["message_id"] for one in answer["result"]}) == 100
    assert voximplant(client, "A2PSendSms", dst_numbers=";".join(numbers), **sms)["error"]["code"] == 101
    client.advance(60)
    account = client.shape["id"]
    (call,) = client.control.get("calls", account=account, recipient=f"+{numbers[99]}", accepted="true")["calls"]
    (message,) = client.control.get("messages", account=account, recipient=f"+{numbers[99]}")["messages"]
    assert (message["state"], message["calls"]) == ("delivered", [call["id"]])


def test_voximplant_another_s_number(customer_of: Any) -> None:
    """Nobody enables a number of somebody else, whose number stays as it was; nor is a history crossed."""
    client, other = customer_of("voximplant"), customer_of("voximplant")
    number = other.value("numbers")[1]["number"]
    assert voximplant(client, "ControlSms", phone_number=number, command="enable")["error"]["code"] == 496
    (shown,) = voximplant(other, "GetPhoneNumbers", phone_number=number)["result"]
    assert shown["is_sms_enabled"] is False
    sms = {"source": client.value("numbers")[0]["number"], "destination": SUBSCRIBER[1:], "sms_body": "Hi"}
    voximplant(client, "SendSmsMessage", **sms)
    assert voximplant(client, "GetSmsHistory")["total_count"] == 1
    assert voximplant(other, "GetSmsHistory") == {"result": [], "total_count": 0}


def conversations(client: Client, **query: Any) -> list[dict[str, Any]]:
    """The conversations as PolyAI lists them."""
    path = f"/v3/{client.value('account_id')}/{client.value('connectors')[0]['project']}/conversations"
    listed: list[dict[str, Any]] = client.call(
        "GET", path, params=query, headers={"x-api-key": client.value("api_key")}
    )["conversations"]
    return listed


def test_polyai_session(customer_of: Any) -> None:
    """A reply belongs to the session; after 24 hours it is warned, and 10 minutes later it ends. A reply renews it."""
    client = customer_of("polyai")
    headers = {"X-PolyAi-Auth-Token": client.value("api_key"), "X-TOKEN-ID": client.value("connectors")[0]["id"]}
    body = {"message": "Tomorrow at 2?", "user_number": SUBSCRIBER}
    client.call("POST", "/v1/outbound-sms", json=body, headers=headers)
    assert client.messages()[0]["from"] == client.value("connectors")[0]["numbers"][0]
    client.advance(100_000)
    (opened,) = conversations(client)
    assert (opened["in_progress"], len(opened["turns"])) == (True, 1)  # without a reply nothing is warned of
    client.reply("Fine")
    client.advance(86_000)
    client.reply("And where?")
    client.advance(86_000)
    (renewed,) = conversations(client)
    assert (renewed["id"], renewed["in_progress"]) == (opened["id"], True)
    assert [turn["user_input"] for turn in renewed["turns"]] == ["", "Fine", "And where?"]
    client.advance(500)
    assert "10 minutes" in conversations(client)[0]["turns"][-1]["agent_response"]
    client.advance(600)
    (ended,) = conversations(client, in_progress="false")
    assert ended["turns"][-1]["agent_response"] == "I am going to end conversation now"
    client.reply("Too late?")
    assert {one["id"] == opened["id"]: one["in_progress"] for one in conversations(client)} == {
        True: False,
        False: True,
    }


def test_polyai_drops_what_is_sent_to_who_has_opted_out(customer_of: Any) -> None:
    """The send is accepted all the same; no session begins and nothing is heard until START. The vendor replies."""
    client = customer_of("polyai")
    headers = {"X-PolyAi-Auth-Token": client.value("api_key"), "X-TOKEN-ID": client.value("connectors")[0]["id"]}
    body = {"message": "Tomorrow at 2?", "user_number": SUBSCRIBER}
    client.reply(" Stop. ")
    assert client.messages()[0]["text"].startswith("You have been unsubscribed")
    client.call("POST", "/v1/outbound-sms", json=body, headers=headers)
    client.reply("Hello?")
    assert conversations(client) == []
    other = {**body, "agent_number": client.value("connectors")[0]["numbers"][1]}
    client.call("POST", "/v1/outbound-sms", json=other, headers=headers)
    assert len(conversations(client)) == 1  # it was the other number that was stopped
    client.reply("START")
    client.call("POST", "/v1/outbound-sms", json=body, headers=headers)
    assert len(conversations(client)) == 2


def test_polyai_words_that_never_reach_the_agent(customer_of: Any) -> None:
    """STOP, START and HELP are no turns of a conversation."""
    client = customer_of("polyai")
    for word in ("STOP", " start. ", "Help"):
        client.reply(word)
    assert conversations(client) == []
    client.reply("Stop it")
    assert len(conversations(client)) == 1


def test_koreai_and_avaamo_read_back(customer_of: Any) -> None:
    """What was sent and what was replied stands in the vendor's own list, in both directions."""
    avaamo = customer_of("avaamo")
    channel = avaamo.value("channels")[0]
    avaamo.call("POST", f"/sms/{channel['uuid']}/send.json", json={"to_phone": SUBSCRIBER})
    avaamo.advance(1)
    avaamo.reply("Hello")
    token = {"access-token": avaamo.value("agent_access_token")}
    entries = avaamo.call("GET", "/v1/messages.json", headers=token)["entries"]
    assert [(one["type"], one["message"]["text"]) for one in entries] == [
        ("incoming", "Hello"),
        ("outgoing", channel["greeting"]),
    ]
    assert [message["text"] for message in avaamo.messages()] == ["Hello", channel["greeting"]]
    koreai = customer_of("koreai")
    headers = {"auth": koreai.shape["vendors"]["koreai"]["tokens"]["Jwt"]}
    base, number = f"/api/public/bot/{koreai.value('bots')[0]['id']}", koreai.value("numbers")[0]
    koreai.call("POST", f"{base}/outboundsms", json={"fromNo": number, "toNo": SUBSCRIBER}, headers=headers)
    koreai.advance(60)
    koreai.reply("Hi")
    query = {"userId": SUBSCRIBER, "channelType": "sms"}
    found = koreai.call("GET", f"{base}/getMessages", params=query, headers=headers)["messages"]
    assert [(one["type"], one["status"]) for one in found] == [("incoming", "received"), ("outgoing", "delivered")]
    assert found[0]["components"][0]["data"] == {"text": "Hi"}
