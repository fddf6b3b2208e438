"""What the further real vendors tell their customers of, as their documents say that it is sent and signed."""

import hmac
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from starlette.testclient import TestClient

from mockserver.server.application import create_app
from mockserver.server.settings import Settings

CONTRACTS = Path(__file__).parent / "contracts"
HOOK = "https://client.example/told?shop=1"
TWO = ["+12025550123", "+15005550610"]
UNDELIVERED = TWO[1]


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(create_app(Settings(contracts=(CONTRACTS,), builtin=False)), base_url="http://localhost") as client:
        yield client


@pytest.fixture
def told(client: TestClient) -> Iterator[Any]:
    """Has a new customer send something, and returns its values, the answer, and the callbacks that come of it."""
    made: list[str] = []

    def send(vendor: str, values: dict[str, Any] | None, path: str, **how: Any) -> tuple[Any, Any, list[Any]]:
        given = {} if values is None else {"vendors": {vendor: values}}
        account = client.post("/_mock/accounts", json=given).json()
        made.append(account["id"])
        client.post(f"/_mock/accounts/{account['id']}/clock", json={"freeze": True})
        part = account["vendors"][vendor]
        has = part["owned"] | part["credentials"]
        token = next(iter(part["tokens"].values()))
        headers = {"Authorization": f"Bearer {token}" if vendor == "sinch" else token}
        reply = client.post(path.format(**has), headers=headers, **how)
        assert reply.is_success, reply.text
        client.post(f"/_mock/accounts/{account['id']}/clock", json={"advance": 60})
        callbacks = client.post(f"/_mock/accounts/{account['id']}/callbacks/take").json()["callbacks"]
        return has, reply.json(), [{**one, "body": b64decode(one["body_base64"]).decode()} for one in callbacks]

    yield send
    for account in made:
        client.delete(f"/_mock/accounts/{account}")


def headers_of(callback: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in callback["headers"]}


def signed(key: str, text: str, digest: str) -> str:
    return b64encode(hmac.new(key.encode(), text.encode(), digest).digest()).decode()


@pytest.mark.parametrize("to", TWO)
def test_twilio(told: Any, to: str) -> None:
    """Each state is told as a form, signed with the address and the fields by name; an error has its code."""
    form = {"To": to, "From": "+12025550100", "Body": "Hi & so", "StatusCallback": HOOK}
    has, sent, callbacks = told("twilio", None, "/2010-04-01/Accounts/{accounts[0][sid]}/Messages.json", data=form)
    failed = to == UNDELIVERED
    for callback, status in zip(callbacks, ("sent", "undelivered" if failed else "delivered"), strict=True):
        fields = dict(parse_qsl(callback["body"]))
        assert (callback["url"], fields["MessageStatus"], fields["MessageSid"]) == (HOOK, status, sent["sid"])
        assert fields.get("ErrorCode") == ("30003" if status == "undelivered" else None)
        text = HOOK + "".join(f"{name}{fields[name]}" for name in sorted(fields))
        assert headers_of(callback)["x-twilio-signature"] == signed(has["accounts"][0]["auth_token"], text, "sha1")


@pytest.mark.parametrize(
    ("asked", "statuses"),
    [
        ("none", []),
        ("per_recipient", ["Dispatched", "Aborted", "Delivered"]),
        ("per_recipient_final", ["Aborted", "Delivered"]),
    ],
)
def test_sinch(told: Any, asked: str, statuses: list[str]) -> None:
    """Each recipient's reports are those that the batch asked for, signed with body, nonce and time."""
    body = {"to": TWO, "body": "Hi", "delivery_report": asked, "callback_url": HOOK, "client_reference": "7"}
    has, sent, callbacks = told("sinch", None, "/xms/v1/{plans[0][service_plan_id]}/batches", json=body)
    assert re.fullmatch("[0-9A-HJKMNP-TV-Z]{26}", sent["id"])
    assert sorted(json.loads(callback["body"])["status"] for callback in callbacks) == sorted(statuses)
    for callback in callbacks:
        report, headers = json.loads(callback["body"]), headers_of(callback)
        assert report["recipient"] == (TWO[1] if report["status"] == "Aborted" else TWO[0])[1:]
        assert (report["batch_id"], report["client_reference"]) == (sent["id"], "7")
        nonce, time = (headers[f"x-sinch-webhook-signature-{part}"] for part in ("nonce", "timestamp"))
        text = f"{callback['body']}.{nonce}.{time}"
        assert headers["x-sinch-webhook-signature"] == signed(has["plans"][0]["callback_secret"], text, "sha256")


@pytest.mark.parametrize("is_asked", [True, False], ids=["by the request", "by the profile"])
def test_infobip(told: Any, is_asked: bool) -> None:
    """Accepted messages are reported, with the user and the password of the profile; a refused one is not."""
    destinations = [{"to": "+15005550400"}, *({"to": to} for to in TWO)]
    message: dict[str, Any] = {"sender": "Me", "destinations": destinations, "content": {"text": "Hi"}}
    if is_asked:
        message["webhooks"] = {"delivery": {"url": HOOK}, "callbackData": "mine"}
    profile = {"url": HOOK, "username": "shop", "password": "pass: word"}
    _, sent, callbacks = told("infobip", {"profile": profile}, "/sms/3/messages", json={"messages": [message]})
    results = [json.loads(callback["body"])["results"][0] for callback in callbacks]
    assert [(one["to"], one["status"]["groupName"], one["error"]["name"]) for one in results] == [
        (TWO[0], "DELIVERED", "NO_ERROR"),
        (TWO[1], "UNDELIVERABLE", "EC_ABSENT_SUBSCRIBER"),
    ]
    assert [one["messageId"] for one in results] == [one["messageId"] for one in sent["messages"][1:]]
    assert {(one["bulkId"], one.get("callbackData")) for one in results} == {
        (sent["bulkId"], "mine" if is_asked else None)
    }
    assert re.fullmatch(r"[-0-9]{10}T[:0-9]{8}\.[0-9]{3}\+0000", results[0]["doneAt"])
    word, _, value = headers_of(callbacks[0])["authorization"].partition(" ")
    assert (word, b64decode(value)) == ("Basic", b"shop:pass: word")
