"""A server with a store in a file, started again: what was to come comes, and conversations go on."""

import asyncio
import base64
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from mockserver.server.application import create_app
from mockserver.server.settings import Settings
from mockserver.server.state_file import StateFile, apply_state

FOLDER = Path(__file__).parent
ELSEWHERE = "https://receiver.example/receipts"  # where callbacks may not go: they are held back, and can be taken


@contextmanager
def served(path: Path, contracts: Path = FOLDER) -> Iterator[TestClient]:
    settings = Settings(contracts=(contracts,), builtin=False, store=str(path))
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        yield client


def sent(client: TestClient, account: Any, **given: Any) -> str:
    """The id of a message that was sent for an account."""
    vendor = account["vendors"]["parcel"]
    body = {"from": vendor["owned"]["lines"][0]["number"], "to": "+12025550199", "text": "Hi", **given}
    response = client.post("/messages", json=body, headers={"x-key": vendor["credentials"]["api_key"]})
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


def taken(client: TestClient) -> list[tuple[str, str]]:
    """Where the callbacks go that went nowhere, and the states that they tell of."""
    held = client.post("/_mock/accounts/a/callbacks/take").json()["callbacks"]
    return [(one["url"], json.loads(base64.b64decode(one["body_base64"]))["state"]) for one in held]


def test_steps_that_are_to_come(tmp_path: Path) -> None:
    """Frozen before the restart, advanced after it: each callback comes once, and reads what it would have read."""
    path = tmp_path / "calls.db"
    with served(path) as client:
        given = {"id": "a", "vendors": {"parcel": {"callback_url": ELSEWHERE}}}
        account = client.post("/_mock/accounts", json=given).json()
        client.post("/_mock/accounts/a/clock", json={"freeze": True})
        first, second = sent(client, account), sent(client, account)
        key = account["vendors"]["parcel"]["credentials"]["api_key"]
        assert client.delete(f"/messages/{second}", headers={"x-key": key}).status_code == 204
        client.post("/_mock/accounts/a/clock", json={"advance": 2})
        assert taken(client) == [(ELSEWHERE, "sent")]
        sent(client, account, callback_url=f"{ELSEWHERE}/own")
    with served(path) as client:
        assert taken(client) == []
        answer = client.post("/_mock/accounts/a/clock", json={"advance": 10}).json()
        assert answer["callbacks"] == 3
        own = f"{ELSEWHERE}/own"
        assert sorted(taken(client)) == [(ELSEWHERE, "delivered"), (own, "delivered"), (own, "sent")]
        messages = client.get("/_mock/messages?account=a").json()["messages"]
        assert sorted(message["state"] for message in messages) == ["accepted", "delivered", "delivered"]
    with served(path) as client:
        shown = client.get(f"/messages/{first}", headers={"x-key": key}).json()
        assert shown["state"] == "delivered"
        assert client.get("/_mock/messages?account=a").json()["messages"] == messages
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM state WHERE kind = 'step'").fetchone() == (0,)


def test_inbound_messages(tmp_path: Path) -> None:
    """What a subscriber wrote is there again, and who wants no messages is still known."""
    path = tmp_path / "calls.db"
    with served(path) as client:
        client.post("/_mock/accounts", json={"id": "a", "vendors": {}})
        for text in ("Hi", "STOP"):
            body = {"account": "a", "vendor": "parcel", "from": "+12025550199", "text": text}
            assert client.post("/_mock/inbound", json=body).status_code == 201
        before = client.get("/_mock/messages?account=a").json()
    with served(path) as client:
        assert client.get("/_mock/messages?account=a").json() == before
        assert [message["text"] for message in before["messages"]] == ["You get no more messages.", "STOP", "Hi"]


def test_a_changed_possession(tmp_path: Path) -> None:
    """Also one of an account of the start."""
    path = tmp_path / "calls.db"
    with served(path) as client:
        account = client.get("/_mock/accounts/default").json()["vendors"]["parcel"]
        number = account["owned"]["lines"][0]["number"].replace("+", "%2B")
        headers = {"x-key": account["credentials"]["api_key"]}
        assert client.post(f"/lines/{number}/disable", headers=headers).status_code == 200
    with served(path) as client:
        account = client.get("/_mock/accounts/default").json()["vendors"]["parcel"]
        assert account["owned"]["lines"][0]["enabled"] is False
        client.post("/_mock/accounts/default/reset")
    with served(path) as client:
        account = client.get("/_mock/accounts/default").json()["vendors"]["parcel"]
        assert account["owned"]["lines"][0]["enabled"] is True


def test_an_application_in_two_loops(tmp_path: Path) -> None:
    """The first to end leaves the file to the other."""
    settings = Settings(contracts=(FOLDER,), builtin=False, store=str(tmp_path / "calls.db"))
    app = create_app(settings)
    with TestClient(app, base_url="http://localhost") as outer:
        with TestClient(app, base_url="http://localhost") as inner:
            assert inner.post("/messages", json={}).status_code == 400
        assert outer.post("/messages", json={}).status_code == 400
    assert outer.post("/messages", json={}).status_code == 503


def test_a_server_that_has_ended(tmp_path: Path) -> None:
    """Its file may be another's now: nothing is answered that would be forgotten, and it says what to do."""
    settings = Settings(contracts=(FOLDER,), builtin=False, store=str(tmp_path / "calls.db"))
    app = create_app(settings)
    with TestClient(app, base_url="http://localhost"):
        pass
    client = TestClient(app, base_url="http://localhost")
    for response in (
        client.post("/messages", json={}),
        client.get("/nowhere"),
        client.post("/_mock/accounts/default/reset"),
    ):
        assert response.status_code == 503
        assert response.headers["content-type"] == "application/problem+json"
        assert "start the server again" in response.json()["detail"]
    assert client.get("/_mock/accounts/default").status_code == 200


STATE = """
accounts:
  mine:
    vendors: {parcel: {callback_url: "https://receiver.example/"}}
    pins: [{operation: parcel.send_message, answers: [invalid], then: last}]
    clock: {freeze: true}
  default: {pins: [{operation: parcel.list_messages, answers: [invalid]}]}
"""


def test_a_state_of_the_start(tmp_path: Path) -> None:
    """What a file sets is set once at each start, and stands beside nothing of the last one."""
    file = tmp_path / "state.yaml"
    file.write_text(STATE, "utf-8")
    settings = Settings(contracts=(FOLDER,), builtin=False, store=str(tmp_path / "calls.db"))
    for _ in range(2):
        app = create_app(settings)
        asyncio.run(apply_state(app, StateFile(file)))
        with TestClient(app, base_url="http://localhost") as client:
            pins = client.get("/_mock/pins").json()["pins"]
            assert [(pin["account"], pin["operation"]) for pin in pins] == [
                ("mine", "parcel.send_message"),
                ("default", "parcel.list_messages"),
            ]


def test_contracts_that_have_changed(tmp_path: Path) -> None:
    """A step that the contract has no more does not happen, and the others do."""
    contract = (FOLDER / "parcel.yaml").read_text("utf-8")
    changed = contract.replace("delivered: {steps: [{step: sent,", "delivered: {steps: [{step: passed,")
    changed = changed.replace("[messages/sent, messages/delivered,", "[messages/passed, messages/delivered,")
    (tmp_path / "before").mkdir()
    (tmp_path / "after").mkdir()
    (tmp_path / "before" / "parcel.yaml").write_text(contract, "utf-8")
    (tmp_path / "after" / "parcel.yaml").write_text(changed, "utf-8")
    with served(tmp_path / "calls.db", tmp_path / "before") as client:
        given = {"id": "a", "vendors": {"parcel": {"callback_url": ELSEWHERE}}}
        account = client.post("/_mock/accounts", json=given).json()
        client.post("/_mock/accounts/a/clock", json={"freeze": True})
        sent(client, account)
    with served(tmp_path / "calls.db", tmp_path / "after") as client:
        client.post("/_mock/accounts/a/clock", json={"advance": 10})
        assert taken(client) == [(ELSEWHERE, "delivered")]
