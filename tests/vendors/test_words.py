"""The words of the vocabulary that foreign vendors need, through a server: a test vendor uses them at once."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from mockserver.server.application import create_app
from mockserver.server.settings import Settings

WORDS = Path(__file__).with_name("words.yaml")
GOOD = {"messages": [{"text": "Hi", "destinations": [{"to": "+12025550123"}]}]}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("contracts")
    (folder / "words.yml").write_bytes(WORDS.read_bytes())
    with TestClient(create_app(Settings(contracts=(folder,), builtin=False)), base_url="http://localhost") as client:
        yield client


@pytest.fixture
def words(client: TestClient) -> Iterator[Any]:
    """A customer's part of an account of the test's own."""
    made = client.post("/_mock/accounts", json={}).json()
    yield made["vendors"]["words"]
    client.delete(f"/_mock/accounts/{made['id']}")


def reason(response: Any) -> str:
    problem: str = response.headers.get("x-mock-problem", "")
    return problem


def test_every_credential_of_an_account_is_accepted(client: TestClient, words: Any) -> None:
    """Three schemes stand on one header, two in the body: each is ready to be sent, a token with all it must have."""
    tokens = words["tokens"]
    for value in (tokens["Login"], tokens["App"], f"Bearer {tokens['Token']}"):
        response = client.post("/messages", json=GOOD, headers={"Authorization": value})
        assert (response.status_code, reason(response)) == (200, "")
    response = client.post("/messages", json=GOOD | {"key": tokens["Key"], "secret": tokens["Secret"]})
    assert response.status_code == 200
    form = {"to": "+12025550123", "key": tokens["Key"], "secret": tokens["Secret"]}
    assert client.post("/messages", data=form).status_code == 200


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "unauthenticated absent /header/authorization"),
        ({"key": "KEY"}, "unauthenticated absent /body/secret"),
        ({"key": "KEY", "secret": "no"}, "unauthenticated unknown /body/secret"),
        ({"key": "KEY", "secret": 5}, "unauthenticated malformed /body/secret"),
        ({"key": "KEY", "secret": "THEIRS"}, "unauthenticated signature /body/secret"),
    ],
)
def test_wrong_credentials_in_the_body(client: TestClient, words: Any, body: dict[str, Any], told: str) -> None:
    """They are refused as those of a header are, and told at their place; what is no object has none."""
    theirs = client.post("/_mock/accounts", json={}).json()["vendors"]["words"]["tokens"]
    values = {"KEY": words["tokens"]["Key"], "THEIRS": theirs["Secret"]}
    response = client.post("/messages", json=GOOD | {name: values.get(str(v), v) for name, v in body.items()})
    assert (response.status_code, reason(response)) == (401, told)
    assert client.post("/messages", json=[]).status_code == 401


def test_the_scheme_that_came_furthest_is_told(client: TestClient, words: Any) -> None:
    """Of those on one header it is the one whose word was sent; of an unknown word, the first."""
    values = ("App nobodys", "Bearer x.y.z", words["tokens"]["Login"][:-8], "Digest x")
    found = [reason(client.post("/messages", json=GOOD, headers={"Authorization": value})) for value in values]
    assert found[0] == "unauthenticated unknown /header/authorization"
    assert set(found[1:]) <= {
        "unauthenticated malformed /header/authorization",
        "unauthenticated signature /header/authorization",
    }


def test_secrets_in_the_body_are_masked(client: TestClient, words: Any) -> None:
    """What a scheme carries is shown nowhere, wherever it stands."""
    tokens = words["tokens"]
    client.post("/messages", json=GOOD | {"key": tokens["Key"], "secret": tokens["Secret"]})
    shown = client.get("/_mock/calls?vendor=words&limit=1").text
    assert tokens["Secret"] not in shown


def test_an_entry_for_each_recipient(client: TestClient, words: Any) -> None:
    """Recipients deep in the body each have an entry; a magic number refuses its own only, and each has its message."""
    made = client.post("/_mock/accounts", json={}).json()
    headers = {"Authorization": made["vendors"]["words"]["tokens"]["App"]}
    destinations = [{"to": "+12025550123", "id": "mine"}, {"to": "+15005550610"}]
    body = {"messages": [{"text": "Hi", "destinations": destinations}, {"text": "Ho", "destinations": [{"to": "a"}]}]}
    response = client.post("/messages", json=body, headers=headers)
    answer = response.json()
    assert response.headers["x-mock-answer"] == "words.send_sms/sent"
    assert re.fullmatch("b-[0-9a-f]{12}", answer["bulk"])
    assert [(entry["to"], entry["state"]) for entry in answer["messages"]] == [
        ("+12025550123", "taken"),
        ("+15005550610", "rejected"),
        ("a", "no number"),
    ]
    assert answer["messages"][0]["id"] == "mine"
    assert ["id" in entry for entry in answer["messages"]] == [True, False, False]
    (call,) = client.get(f"/_mock/calls?account={made['id']}").json()["calls"]
    assert call["recipients"] == ["+12025550123", "+15005550610"]
    made_up = client.post("/messages", json=GOOD, headers=headers).json()["messages"][0]["id"]
    assert re.fullmatch("[0-9A-HJKMNP-TV-Z]{26}", made_up)


def test_all_problems_in_one_answer(client: TestClient, words: Any) -> None:
    """Each has an entry, its place written as the vendor writes places; a pinned refusal shows the sample."""
    headers = {"Authorization": words["tokens"]["App"]}
    body = {"messages": [{"text": "", "destinations": [{"to": "x"}, {}]}]}
    violations = client.post("/messages", json=body, headers=headers).json()["violations"]
    assert sorted((v["code"], v["property"], v["pointer"]) for v in violations) == [
        ("invalid", "messages[0].destinations[0].to", "/messages/0/destinations/0/to"),
        ("invalid", "messages[0].text", "/messages/0/text"),
        ("missing", "messages[0].destinations[1].to", "/messages/0/destinations/1/to"),
    ]
    pinned = client.post("/messages", json=GOOD, headers={**headers, "Prefer": "example=invalid"})
    assert pinned.json() == {"violations": [{"property": "messages", "code": "missing"}]}


def test_two_vendors_on_one_path(tmp_path: Path) -> None:
    """Their hosts tell them apart, or their names in the path; at the root, where nothing does, neither answers."""
    text = WORDS.read_text("utf-8")
    (tmp_path / "words.yaml").write_text(text, "utf-8")
    (tmp_path / "signs.yaml").write_text(text.replace("api.words.test", "api.signs.test"), "utf-8")
    app = create_app(Settings(contracts=(tmp_path,), builtin=False))
    with TestClient(app, base_url="http://localhost") as client:
        parts = client.post("/_mock/accounts", json={}).json()["vendors"]
        assert {name: part["url"] for name, part in parts.items()} == {
            "words": "http://localhost/words",
            "signs": "http://localhost/signs",
        }
        for name, part in parts.items():
            headers = {"Authorization": part["tokens"]["App"]}
            for response in (
                client.post(f"/{name}/messages", json=GOOD, headers=headers),
                client.post("/messages", json=GOOD, headers={**headers, "Host": f"api.{name}.test"}),
            ):
                assert response.headers["x-mock-answer"] == f"{name}.send_sms/sent"
        assert client.post("/messages", json=GOOD).status_code == 404
