"""Questions about messages and a subscriber's message that cannot be right are refused, each at its place."""

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from mockserver.engine.callback import OutgoingRequest, with_wrong_signature
from mockserver.server.application import create_app
from mockserver.server.settings import Settings
from mockserver.spec.load import load_contracts

FOLDER = Path(__file__).parent


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Of the test vendor, and of one that takes no messages."""
    folder = tmp_path_factory.mktemp("contracts")
    text = (FOLDER / "parcel.yaml").read_text("utf-8").replace("api.parcel.test", "api.silent.test")
    start, end = text.index("  inbound:\n"), text.index("paths:\n")
    text = text[:start] + text[end : text.index("webhooks:\n")] + text[text.index("components:\n") :]
    text = text.replace(", {when: {/owned/opted_out: true}, answer: opted_out}", "")
    (folder / "silent.yaml").write_text(text.replace("\n  /", "\n  /silent/"), "utf-8")
    settings = Settings(contracts=(FOLDER, folder), builtin=False)
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        yield client


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("recipient=abc", "/query/recipient"),
        ("phone=0", "/query/phone"),
        ("direction=sideways", "/query/direction"),
        ("since=soon", "/query/since"),
        ("within=61", "/query/within"),
        ("within=x", "/query/within"),
        ("vendor=nobody", "/query/vendor"),
        ("limit=0", "/query/limit"),
        ("colour=red", "/query/colour"),
    ],
)
def test_questions(client: TestClient, query: str, pointer: str) -> None:
    """The part that is wrong is named."""
    reply = client.get(f"/_mock/messages?{query}")
    assert (reply.status_code, reply.json()["pointer"]) == (400, pointer)


@pytest.mark.parametrize(
    ("changes", "status", "pointer"),
    [
        ({"from": "nobody"}, 400, "/body/from"),
        ({"from": 5}, 400, "/body/from"),
        ({"text": 5}, 400, "/body/text"),
        ({"text": "x" * 10_001}, 400, "/body/text"),
        ({"vendor": "silent"}, 409, "/body/vendor"),
        ({"vendor": "nobody"}, 400, "/body/vendor"),
        ({"to": "+12025550000"}, 400, "/body/to"),
        ({"account": "nobody"}, 404, "/body/account"),
    ],
)
def test_a_subscriber_s_message(client: TestClient, changes: dict[str, Any], status: int, pointer: str) -> None:
    """It comes from a number, goes to a number of the account, and has a text."""
    body = {"vendor": "parcel", "from": "+12025550199", "text": "hello", **changes}
    reply = client.post("/_mock/inbound", json=body)
    assert (reply.status_code, reply.json()["pointer"]) == (status, pointer)


def test_who_writes(client: TestClient) -> None:
    """What is no number is told with one that is."""
    reply = client.post("/_mock/inbound", json={"vendor": "parcel", "from": "nobody", "text": "hello"})
    assert reply.json()["detail"] == "'nobody' is no phone number: write it with its country code, like +14155550123"


@pytest.mark.parametrize("call", ["nonsense", "000000-000001"])
def test_nothing_to_send_again(client: TestClient, call: str) -> None:
    """Only a callback of the account can be sent again."""
    reply = client.post(f"/_mock/accounts/default/callbacks/{call}")
    assert (reply.status_code, reply.json()["pointer"]) == (404, "/path/call")


@pytest.mark.parametrize(
    ("signature", "sent", "kept"),
    [
        ("{join: [sha1=, {call: hmac_sha1, of: [/account/secret, /account/api_key]}]}", '"sha1=ab12cd"', 24),
        ("{of: [{call: hmac_sha1, of: [/account/secret, /account/api_key], as: text}]}", '{"of":["ab12cd"]}', 26),
    ],
    ids=["joined", "inside"],
)
def test_a_signature_in_the_body_is_spoiled(tmp_path: Path, signature: str, sent: str, kept: int) -> None:
    """Where a value of the body signs, one character of it differs, and nothing else."""
    text = (FOLDER / "parcel.yaml").read_text("utf-8")
    fill = "fill: {/body: {echo: /owned/messages}, "
    assert fill in text
    (tmp_path / "parcel.yaml").write_text(text.replace(fill, f"fill: {{/body/state: {signature}, "), "utf-8")
    (contract,) = load_contracts([tmp_path / "parcel.yaml"])
    callback = next(callback for callback in contract.callbacks if callback.name == "status")
    body = f'{{"id":"x","state":{sent}}}'.encode()
    headers = b"x-signature: abcd\r\ncontent-length: %d" % len(body)
    spoiled = with_wrong_signature(OutgoingRequest(callback, "a", "http://127.0.0.1/", headers, body, 1, 0, ""))
    assert spoiled.body != body
    assert (len(spoiled.body), spoiled.body[:kept]) == (len(body), body[:kept])
    assert spoiled.headers.startswith(b"x-signature: ab")
    assert not spoiled.headers.startswith(b"x-signature: abcd")
