"""Accounts over HTTP: made, shown, reset, deleted; each refusal with its pointer."""

import asyncio
import json
import re
from dataclasses import replace
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from mockserver.engine.signing import read_token
from mockserver.server.application import Application, create_app
from tests.server.acme_customer import SETTINGS, Customer
from tests.server.conftest import Make

JSON = {"Content-Type": "application/json"}


def post(client: TestClient, content: bytes | str = b"", **headers: str) -> Any:
    return client.post("/_mock/accounts", content=content, headers={**JSON, **headers})


@pytest.mark.parametrize("content", ["", "{}", '{"vendors": {}}'])
def test_a_fresh_account(acme_client: TestClient, content: str) -> None:
    """Nothing need be said: credentials, numbers and tokens of its own come back, and work at once."""
    response = post(acme_client, content)
    assert response.status_code == 201
    customer = Customer(acme_client, response.json())
    assert re.fullmatch(r"a-[0-9a-f]{12}", customer.id)
    assert response.headers["location"] == f"http://localhost/_mock/accounts/{customer.id}"
    assert customer.shape["vendors"]["acme"]["url"] == "http://localhost/base"
    assert customer.send().status_code == 202
    shown = acme_client.get(response.headers["location"]).json()
    assert shown["vendors"]["acme"]["credentials"] == customer.shape["vendors"]["acme"]["credentials"]
    assert acme_client.delete(response.headers["location"]).status_code == 204
    assert acme_client.get(response.headers["location"]).status_code == 404


def test_a_list_is_written_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each account signs its tokens afresh, so ten thousand take seconds: others get their turn in between."""

    async def scenario(app: Application) -> None:
        for number in range(30):
            await app.store.add_account(f"a{number}", {})
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            asking = asyncio.create_task(client.get("/_mock/accounts"))
            turns = 0
            while not asking.done():
                await asyncio.sleep(0)
                turns += 1
            listed = (await asking).json()["accounts"]
            assert turns >= 32
            assert [one["id"] for one in listed] == ["default", "second", *(f"a{number}" for number in range(30))]
            assert listed[-1].keys() == (await client.get("/_mock/accounts/a29")).json().keys()

    monkeypatch.setattr("mockserver.server.checkpoint.SHARE", 0)
    app = create_app(SETTINGS)
    with TestClient(app):  # which ends it
        asyncio.run(scenario(app))


def test_given_values_win(make: Make) -> None:
    """The customer's own id, credentials and numbers, with the rest made up."""
    customer = make("my-app", key="our-own-key", lines=[{"number": "4912345", "open": True}])
    assert (customer.id, customer.mine["key"], len(customer.mine["lines"])) == ("my-app", "our-own-key", 1)
    assert customer.send(json={"from": "+49 12345", "to": "1"}).status_code == 202
    assert len(customer.mine["clients"]) == 3


@pytest.mark.parametrize(
    ("content", "status", "pointer", "says"),
    [
        pytest.param("[]", 400, "/body", "object", id="no-object"),
        pytest.param("{", 400, "/body", "cannot be read", id="no-json"),
        pytest.param('{"id": NaN}', 400, "/body", "invalid character", id="nan"),
        pytest.param('{"id": 7}', 400, "/body/id", "a string", id="id-no-text"),
        pytest.param('{"id": null}', 400, "/body/id", "a string", id="id-null"),
        pytest.param('{"id": ""}', 400, "/body/id", "letters", id="id-empty"),
        pytest.param('{"id": "all"}', 400, "/body/id", "reserved", id="id-reserved"),
        pytest.param('{"id": "default"}', 409, "/body/id", "already", id="id-taken"),
        pytest.param('{"vendors": []}', 400, "/body/vendors", "object", id="vendors-no-object"),
        pytest.param('{"vendors": {"x": {}}}', 400, "/body/vendors/x", "known: acme", id="unknown-vendor"),
        pytest.param('{"vendors": {"acme": 1}}', 400, "/body/vendors/acme", "object", id="vendor-no-object"),
        pytest.param('{"a/b~": 1}', 400, "/body/a~1b~0", "known: id, vendors", id="unknown-member"),
        pytest.param('{"vendors": {"acme": {"key": {}}}}', 400, "/body/vendors/acme/key", "string", id="deep"),
        pytest.param('{"vendors": {"acme": {"key": "taken"}}}', 409, "/body/vendors/acme/key", "'owner'", id="clash"),
        pytest.param(
            '{"vendors": {"acme": {"clients": [{"algorithm": "none"}]}}}',
            400,
            "/body/vendors/acme/clients/0",
            "no token can be signed",
            id="unusable-credential",
        ),
    ],
)
def test_refused(make: Make, content: str, status: int, pointer: str, says: str) -> None:
    """What is wrong, where, in problem+json; and no account more than before."""
    acme_client = make("owner", key="taken").client
    before = acme_client.get("/_mock/accounts").json()
    response = post(acme_client, content)
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    problem = response.json()
    assert (problem["status"], problem["pointer"], problem["type"]) == (status, pointer, "about:blank")
    assert says in problem["detail"]
    after = acme_client.get("/_mock/accounts").json()
    assert [account["id"] for account in after["accounts"]] == [account["id"] for account in before["accounts"]]


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json; charset=utf-8", 201),
        ("Application/JSON", 201),
        ("text/plain", 415),
        ("", 201),
    ],
)
def test_only_json_is_read(acme_client: TestClient, content_type: str, status: int) -> None:
    """A body of another type is refused: a web page may send those anywhere, but says that it is one."""
    response = acme_client.post("/_mock/accounts", content=b"{}", headers={"Content-Type": content_type})
    assert response.status_code == status
    if status == 415:
        assert response.json()["pointer"] == "/header/content-type"
    else:
        acme_client.delete(response.headers["location"])


def test_too_large(acme_client: TestClient) -> None:
    """An account has its bounds."""
    response = post(acme_client, b" " * (1024 * 1024 + 1))
    assert (response.status_code, response.json()["pointer"]) == (413, "/body")
    assert post(acme_client, b" " * 1024 * 1024).status_code == 400


def test_list(make: Make, acme_client: TestClient) -> None:
    """The built-in ones first, then as they were made."""
    ids = [make("z").id, make("b").id]
    listed = [account["id"] for account in acme_client.get("/_mock/accounts").json()["accounts"]]
    assert (listed[:2], listed[-2:]) == (["default", "second"], ids)


def test_tokens_are_signed_when_shown(customer: Customer) -> None:
    """They are as fresh as the answer, and accepted."""
    shown = customer.client.get(f"/_mock/accounts/{customer.id}").json()
    token = shown["vendors"]["acme"]["tokens"]["Claim"]
    read = read_token(token)
    assert read is not None
    assert read.claims["app"] == customer.mine["clients"][0]["id"]
    assert customer.client.post("/base/claim", headers={"Authorization": f"Bearer {token}"}).status_code == 204


def test_reset(make: Make) -> None:
    """What it did is forgotten, what it owns stays; nobody else notices."""
    one, other = make(), make()
    one.send()
    other.send()
    assert one.client.post(f"/_mock/accounts/{one.id}/reset").status_code == 204
    assert (one.calls(), len(other.calls())) == ([], 1)
    assert one.send().status_code == 202
    assert len(one.calls()) == 1


def test_delete(make: Make) -> None:
    """Account and calls go, and its values are free; a credential that is gone is nobody's."""
    one = make("gone", key="free-again")
    one.send()
    assert one.client.delete("/_mock/accounts/gone").status_code == 204
    gone = one.client.get("/_mock/calls?account=gone")
    assert (gone.status_code, gone.json()["pointer"]) == (404, "/query/account")
    assert [call for call in one.calls(account="*") if call["account"] == "gone"] == []
    response = one.send(json={"from": "1", "to": "2"})
    assert response.headers["x-mock-problem"] == "unauthenticated unknown /header/x-key"
    assert make("gone", key="free-again").calls() == []


@pytest.mark.parametrize("account_id", ["default", "second"])
def test_the_built_in_accounts_stay(acme_client: TestClient, account_id: str) -> None:
    """They can be reset, not deleted."""
    response = acme_client.delete(f"/_mock/accounts/{account_id}")
    assert (response.status_code, response.json()["pointer"]) == (409, "/path/id")
    assert acme_client.post(f"/_mock/accounts/{account_id}/reset").status_code == 204
    assert acme_client.get(f"/_mock/accounts/{account_id}").status_code == 200


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("DELETE", ""), ("POST", "/reset")])
def test_unknown_accounts(acme_client: TestClient, method: str, path: str) -> None:
    """They are not found, and it is told where to look."""
    response = acme_client.request(method, f"/_mock/accounts/nobody{path}")
    assert (response.status_code, response.json()["pointer"]) == (404, "/path/id")
    assert "GET /_mock/accounts" in response.json()["detail"]


@pytest.mark.parametrize(
    ("public_url", "host", "origin"),
    [
        pytest.param(None, "127.0.0.1:9999", "http://127.0.0.1:9999", id="as-asked"),
        pytest.param("https://mock.example/", "127.0.0.1:9999", "https://mock.example", id="public-url"),
    ],
)
def test_urls_are_those_of_the_asker(public_url: str | None, host: str, origin: str) -> None:
    """An account's URLs lead where its asker reached the server, or where the operator says that it is."""
    with TestClient(create_app(replace(SETTINGS, public_url=public_url)), base_url="http://localhost") as client:
        response = client.post("/_mock/accounts", headers={"Host": host})
        assert response.headers["location"].startswith(f"{origin}/_mock/accounts/")
        assert response.json()["vendors"]["acme"]["url"] == f"{origin}/base"
        for path in ("/_mock/contracts/acme", "/_mock/openapi.json"):
            servers = client.get(path, headers={"Host": host}).json()["servers"]
            assert servers == [{"url": origin + ("/base" if path.endswith("acme") else "")}]


def snapshot(seed: int, *, reset: bool = False) -> list[bytes]:
    """What a fresh server answers the requests of a seeded account with, the account's own data first."""
    with TestClient(create_app(SETTINGS), base_url="http://localhost") as client:
        client.post("/_mock/accounts")  # another account's values are no seed's
        customer = Customer(client, post(client, json.dumps({"seed": seed})).json())
        Customer.made(client).send()
        if reset:
            customer.send()
            assert client.post(f"/_mock/accounts/{customer.id}/reset").status_code == 204
        bodies = [customer.send().content for _ in range(3)]
        bodies.append(customer.send(json={}).content)
        client.post(f"/_mock/accounts/{customer.id}/clock", json={"advance": 90})
        bodies.append(customer.send().content)
        return [json.dumps(customer.mine).encode(), *bodies]


def test_a_seed_repeats_ids_and_times() -> None:
    """Two servers answer the same requests alike, to the byte; ids within a run differ, and so do those of seeds."""
    one, again, other = snapshot(1), snapshot(1), snapshot(2)
    assert one == again == snapshot(1, reset=True)
    sent = [json.loads(body) for body in one[1:4]]
    assert len({body["id"] for body in sent}) == len({body["number"] for body in sent}) == 3
    assert {body["at"] for body in sent} == {"2030-01-01T00:01:00.000Z"}, "the contract adds a minute"
    assert json.loads(one[-1])["at"] == "2030-01-01T00:02:30.000Z"
    assert not {body["id"] for body in sent} & {json.loads(body)["id"] for body in other[1:4]}
    assert json.loads(one[0])["key"] != json.loads(other[0])["key"]


def test_two_accounts_of_a_seed_clash(acme_client: TestClient) -> None:
    """They would be each other; the refusal names the first, and once that is gone its seed is free."""
    first = post(acme_client, '{"seed": 77, "id": "first-of-its-seed"}')
    assert first.status_code == 201
    second = post(acme_client, '{"seed": 77.0}')
    assert (second.status_code, second.json()["pointer"]) == (409, "/body/seed")
    assert "'first-of-its-seed' has this seed" in second.json()["detail"]
    assert acme_client.delete("/_mock/accounts/first-of-its-seed").status_code == 204
    third = post(acme_client, '{"seed": 77}')
    assert third.json()["vendors"]["acme"]["owned"] == first.json()["vendors"]["acme"]["owned"]
    key = third.json()["vendors"]["acme"]["credentials"]["key"]
    acme_client.delete(f"/_mock/accounts/{third.json()['id']}")
    thief = post(acme_client, json.dumps({"id": "thief", "vendors": {"acme": {"key": key}}}))
    assert thief.status_code == 201
    fourth = post(acme_client, '{"seed": 77}')
    assert (fourth.status_code, fourth.json()["pointer"]) == (409, "/body/seed")
    assert "'thief' has a value" in fourth.json()["detail"]
    assert acme_client.delete("/_mock/accounts/thief").status_code == 204


@pytest.mark.parametrize("seed", ["-1", "9223372036854775808", "true", "null", '"1"', "1.5"])
def test_what_is_no_seed(acme_client: TestClient, seed: str) -> None:
    """It is a whole number that fits in 64 bits."""
    response = post(acme_client, f'{{"seed": {seed}}}')
    assert (response.status_code, response.json()["pointer"]) == (400, "/body/seed")
