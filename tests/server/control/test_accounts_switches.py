"""What is switched on for accounts: told in short, and cleared at once; single credentials, and a ready command."""

import shlex
from typing import Any

import pytest
from starlette.testclient import TestClient

from mockserver.server.control.requests import Changes
from tests.server.acme_customer import Customer


def summary_of(client: TestClient, account: str) -> dict[str, Any]:
    listed = client.get("/_mock/accounts", params={"format": "summary"}).json()["accounts"]
    (found,) = (one for one in listed if one["id"] == account)
    assert isinstance(found, dict)
    return found


def switch_on(client: TestClient, account: str) -> None:
    pin = {"account": account, "answers": ["rate_limited"]}
    assert client.put("/_mock/pins/polyai.send_sms", json=pin).status_code == 200
    assert client.put(f"/_mock/accounts/{account}/limits", json={"polyai": True}).status_code == 200
    assert client.post(f"/_mock/accounts/{account}/clock", json={"freeze": True}).status_code == 200


def test_in_short_and_cleared(client: TestClient) -> None:
    """Pins, limits and the clock of one account; another's stay, and so do the calls."""
    one, other = (client.post("/_mock/accounts").json()["id"] for _ in range(2))
    nothing = {"id": one, "pins": 0, "limits": 0, "clock": None}
    assert summary_of(client, one) == nothing
    for account in (one, other):
        switch_on(client, account)
    shape = summary_of(client, one)
    assert (shape["pins"], shape["limits"], shape["clock"]["frozen"]) == (1, 1, True)
    assert client.delete(f"/_mock/accounts/{one}/switches").status_code == 204
    assert summary_of(client, one) == nothing
    assert summary_of(client, other)["pins"] == 1
    for account in (one, other):
        client.delete(f"/_mock/accounts/{account}")


@pytest.mark.parametrize("query", ["format=xml", "formt=summary"])
def test_a_format_is_known(acme_client: TestClient, query: str) -> None:
    """Or refused."""
    assert acme_client.get(f"/_mock/accounts?{query}").status_code == 400


def test_one_credential(customer: Customer) -> None:
    """As the account shows it, as text; an unknown one is told with the known ones."""
    path = f"/_mock/accounts/{customer.id}/tokens/acme"
    response = customer.client.get(f"{path}/Key")
    assert (response.text, response.headers["cache-control"]) == (customer.mine["key"], "no-store")
    refused = customer.client.get(f"{path}/key")
    assert (refused.status_code, refused.json()["pointer"]) == (404, "/path/name")
    assert "Key" in refused.json()["detail"]


def test_a_ready_command(customer: Customer) -> None:
    """What `mockserver curl` prints, for this account."""
    words = shlex.split(customer.client.get(f"/_mock/accounts/{customer.id}/curl/acme").text)
    assert words[:5] == ["curl", "-sS", "-i", "-X", "POST"]
    assert f"x-key: {customer.mine['key']}" in [word.replace("X-Key", "x-key") for word in words]


def test_changes() -> None:
    """By a route's first word; what asks or fetches changes nothing, and only what clears calls is counted as that."""
    changes = Changes()
    for method, path in (
        ("GET", "/pins"),
        ("POST", "/calls/verify"),
        ("POST", "/accounts/a/callbacks/take"),
        ("PUT", "/pins/a.b"),
        ("POST", "/accounts"),
    ):
        changes.note(method, path)
    assert (changes.counts(), changes.cleared) == ({"pins": 1, "accounts": 1}, 0)
    for method, path in (("DELETE", "/calls"), ("POST", "/accounts/a/reset"), ("DELETE", "/pins")):
        changes.note(method, path)
    assert (changes.counts(), changes.cleared) == ({"pins": 2, "accounts": 2, "calls": 1}, 2)
