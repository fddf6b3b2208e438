"""Contracts of further real vendors, written from their public documents: each is tried as its author would."""

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from starlette.testclient import TestClient

from mockserver.server.application import create_app
from mockserver.server.build import contracts_folder
from mockserver.server.settings import Settings
from mockserver.spec.entry_probes import OF_PROBLEMS
from mockserver.spec.functions import FUNCTIONS
from tests.cli.running import invoke

FOLDER = Path(__file__).parent
CONTRACTS, FIXTURES = FOLDER / "contracts", FOLDER / "fixtures"


def test_contracts_are_right() -> None:
    """`check` and `test` find nothing."""
    where = ("--no-builtin", "--contracts", CONTRACTS, "--fixtures", FIXTURES)
    assert invoke("contract", "check", *where).exit_code == 0
    ended = invoke("contract", "test", *where)
    assert (ended.exit_code, ended.stdout.count(" 0 findings")) == (0, len(list(CONTRACTS.glob("*.yaml")))), (
        ended.stdout
    )


def test_each_word_is_of_a_real_vendor() -> None:
    """The functions, the new values and what values read are needed by one that is built in, or by one of these."""
    forms = json.loads(files("mockserver.spec").joinpath("x-mock.schema.json").read_text("utf-8"))["$defs"]
    shown = {f"/item/{member}" for member in (*OF_PROBLEMS, "entry", "text", "to")}
    read = {"/made/raw", "/made/url", "/made/body", "/made/header", "/problem/name", "/problem/value", "/limit/wait"}
    words = {
        "call": set(FUNCTIONS),
        "new": set(forms["new"]["properties"]["new"]["enum"]),
        "as": set(forms["value"]["then"]["properties"]["as"]["enum"]),
        "": shown | read,
    }
    used: dict[str, set[str]] = {word: set() for word in words}
    for file in (*contracts_folder().glob("*.yaml"), *CONTRACTS.glob("*.yaml")):
        document = yaml.safe_load(file.read_text("utf-8"))
        del document["x-mock"]["account"]  # what is made there has words of its own
        for key, value in strings_in(document):
            used.get(key, set()).add(value)
            used[""].add("/".join(value.split("/")[:3]))
    assert [word for key, meant in words.items() for word in sorted(meant - used[key])] == []


def strings_in(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Each text in a document, with the key that it has or that its list has."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else ((name, item) for item in value):
            yield from strings_in(item, str(key))


def test_what_was_sent_by_twilio_is_read_back() -> None:
    """A fresh customer's message is shown by its SID and listed; another customer finds neither."""
    with TestClient(create_app(Settings(contracts=(CONTRACTS,), builtin=False)), base_url="http://localhost") as client:
        mine, theirs = (client.post("/_mock/accounts", json={}).json()["vendors"]["twilio"] for _ in range(2))
        for part, status in ((mine, 200), (theirs, 404)):
            login = {"Authorization": part["tokens"]["AccountSidAuthToken"]}
            root = f"/2010-04-01/Accounts/{(part['owned'] | part['credentials'])['accounts'][0]['sid']}/Messages"
            if part is mine:
                sent = client.post(f"{root}.json", data={"To": "+12025550123", "Body": "Hi"}, headers=login).json()
            assert client.get(f"{root}/{sent['sid']}.json", headers=login).status_code == status
            listed = client.get(f"{root}.json?PageSize=5", headers=login).json()["messages"]
            assert [message["sid"] for message in listed] == ([sent["sid"]] if part is mine else [])
            assert root in sent["uri"] or part is theirs


@pytest.mark.parametrize(
    ("vendor", "token", "sending", "body", "record"),
    [
        (
            "messagebird",
            "AccessKey",
            "/messages",
            {"originator": "Me", "recipients": ["31612345678"], "body": "Hi"},
            "",
        ),
        ("telnyx", "bearerAuth", "/v2/messages", {"from": "", "to": "+12025550123", "text": "Hi"}, "data"),
    ],
)
def test_what_was_sent_is_shown(vendor: str, token: str, sending: str, body: dict[str, Any], record: str) -> None:
    """A fresh customer's message is shown by its id as it was answered; another customer does not find it."""
    with TestClient(create_app(Settings(contracts=(CONTRACTS,), builtin=False)), base_url="http://localhost") as client:
        mine, theirs = (client.post("/_mock/accounts", json={}).json()["vendors"][vendor] for _ in range(2))
        if "from" in body:
            body = {**body, "from": mine["owned"]["numbers"][0]["number"]}
        word = "Bearer " if token == "bearerAuth" else ""
        login, other = ({"Authorization": word + part["tokens"][token]} for part in (mine, theirs))
        sent = client.post(sending, json=body, headers=login).json()
        sms = f"{sending}/{(sent[record] if record else sent)['id']}"
        assert client.get(sms, headers=login).json() == sent
        assert client.get(sms, headers=other).status_code == 404
