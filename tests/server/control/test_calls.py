"""Recorded calls over HTTP: found, paged, cleared, each mistake with its pointer."""

from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from mockserver.server.app import create_app
from tests.server.conftest import Make
from tests.server.customers import SETTINGS, Customer


@pytest.fixture
def busy(customer: Customer) -> Customer:
    """Sent, refused, an unknown path, another operation: oldest first."""
    customer.send()
    customer.send(json={**customer.good, "to": "+49301", "text": "t" * 30})
    customer.send("/nowhere")
    customer.client.post("/base/claim", headers={"Authorization": f"Bearer {customer.tokens['Claim']}"})
    return customer


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param({}, [3, 2, 1, 0], id="all"),
        pytest.param({"vendor": "acme"}, [3, 1, 0], id="vendor"),
        pytest.param({"operation": "acme.send_sms"}, [1, 0], id="operation"),
        pytest.param({"answer": "acme.send_sms/sent"}, [0], id="answer"),
        pytest.param({"answer": "done"}, [3], id="answer-by-name"),
        pytest.param({"recipient": "+1 (415) 555-0123"}, [0], id="recipient"),
        pytest.param({"recipient": "nobody"}, [], id="recipient-without-digits"),
        pytest.param({"accepted": "true"}, [3, 0], id="accepted"),
        pytest.param({"accepted": "false"}, [2, 1], id="refused"),
        pytest.param({"accepted": "", "limit": ""}, [3, 2, 1, 0], id="empty-is-absent"),
        pytest.param({"limit": "1"}, [3], id="limit"),
        pytest.param({"vendor": "nobody"}, [], id="nothing"),
    ],
)
def test_filters(busy: Customer, query: dict[str, str], found: list[int]) -> None:
    """Each narrows the list, newest first."""
    everything = [call["id"] for call in busy.calls()][::-1]
    assert [call["id"] for call in busy.calls(**query)] == [everything[number] for number in found]


def test_pages(busy: Customer) -> None:
    """The cursor is followed to the end, while calls go on coming."""
    client, cursor = busy.client, None
    seen: list[str] = []
    while cursor is not None or not seen:
        query = {"account": busy.id, "limit": "2", **({"cursor": cursor} if cursor else {})}
        page = client.get("/_mock/calls", params=query).json()
        seen += [call["id"] for call in page["calls"]]
        cursor = page["next"]
        busy.send()
    assert seen == [call["id"] for call in busy.calls()][-4:]


def test_evictions_are_told() -> None:
    """A list says how many calls had to make room, of this account or of all."""
    with TestClient(create_app(replace(SETTINGS, journal_calls=2)), base_url="http://localhost") as client:
        one, other = Customer.made(client), Customer.made(client)
        for _ in range(5):
            one.send()
        other.send()
        lists = {
            name: client.get("/_mock/calls", params={"account": name} if name else {}).json()
            for name in (one.id, other.id, "")
        }
        assert [(len(page["calls"]), page["evicted"]) for page in lists.values()] == [(2, 3), (1, 0), (3, 3)]
        gone = client.get("/_mock/calls/none")
        assert (gone.status_code, gone.json()["pointer"]) == (404, "/path/id")
        assert "evicted" in gone.json()["detail"]
        client.post(f"/_mock/accounts/{one.id}/reset")
        assert client.get("/_mock/calls").json()["evicted"] == 0


@pytest.mark.parametrize(
    ("query", "pointer", "says"),
    [
        pytest.param("limit=0", "/query/limit", "from 1 to 1000", id="limit-zero"),
        pytest.param("limit=1001", "/query/limit", "from 1 to 1000", id="limit-too-large"),
        pytest.param("limit=-1", "/query/limit", "whole number", id="limit-negative"),
        pytest.param("limit=%D9%A1", "/query/limit", "whole number", id="limit-in-other-digits"),
        pytest.param("cursor=x", "/query/cursor", "whole number", id="cursor"),
        pytest.param("cursor=" + "9" * 5000, "/query/cursor", "whole number", id="cursor-endless"),
        pytest.param("accepted=1", "/query/accepted", "true or false", id="accepted"),
        pytest.param("vendor=a&vendor=b", "/query/vendor", "more than once", id="repeated"),
        pytest.param("acount=x", "/query/acount", "known: account, vendor", id="unknown"),
        pytest.param("a/b~=x", "/query/a~1b~0", "not known", id="escaped"),
    ],
)
def test_mistakes(acme_client: TestClient, query: str, pointer: str, says: str) -> None:
    """A mistyped filter is refused: ignored, it would find too much."""
    response = acme_client.get(f"/_mock/calls?{query}")
    assert (response.status_code, response.json()["pointer"]) == (400, pointer)
    assert says in response.json()["detail"]


def test_one_call(busy: Customer) -> None:
    """By its id, as in the list."""
    (newest, *_) = busy.calls(limit="1")
    assert busy.client.get(f"/_mock/calls/{newest['id']}").json() == newest


def clear(client: TestClient, **query: Any) -> Any:
    return client.delete("/_mock/calls", params=query)


def test_clear_is_one_accounts(make: Make) -> None:
    """One account's calls, the unclaimed ones, or all of them where that is said."""
    one, other = make(), make()
    for customer in (one, other):
        customer.send()
    one.client.post("/base/messages", json={})
    assert clear(one.client, account=one.id).status_code == 204
    assert (len(one.calls()), len(other.calls())) == (0, 1)
    assert one.client.get("/_mock/calls?account=unclaimed").json()["calls"]
    assert clear(one.client, account="unclaimed").status_code == 204
    assert one.client.get("/_mock/calls?account=unclaimed").json()["calls"] == []
    assert len(other.calls()) == 1
    assert clear(one.client, account="*").status_code == 204
    assert one.client.get("/_mock/calls").json()["calls"] == []


@pytest.mark.parametrize(
    ("query", "status"),
    [({}, 400), ({"account": ""}, 400), ({"account": "nobody"}, 404), ({"account": "*", "vendor": "acme"}, 400)],
)
def test_nothing_is_cleared_by_accident(busy: Customer, query: dict[str, str], status: int) -> None:
    """Whose calls are meant must be said, and be somebody's."""
    response = clear(busy.client, **query)
    assert response.status_code == status
    assert response.json()["pointer"] == ("/query/vendor" if "vendor" in query else "/query/account")
    assert len(busy.calls()) == 4
