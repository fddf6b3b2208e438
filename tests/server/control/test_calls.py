"""Recorded calls over HTTP: found, paged, cleared, each mistake with its pointer."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from mockserver.server.application import Application, create_app
from tests.engine.workbench import recorded
from tests.server.acme_customer import SETTINGS, Customer
from tests.server.conftest import Make


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
        pytest.param({"recipient": "+1 (415) 555-0199"}, [], id="another-recipient"),
        pytest.param({"accepted": "true"}, [3, 0], id="accepted"),
        pytest.param({"accepted": "false"}, [2, 1], id="refused"),
        pytest.param({"accepted": "", "limit": ""}, [3, 2, 1, 0], id="empty-is-absent"),
        pytest.param({"limit": "1"}, [3], id="limit"),
        pytest.param({"limit": "1.0"}, [3], id="limit-as-a-number"),
        pytest.param({"answer": "closed"}, [], id="nothing"),
    ],
)
def test_filters(busy: Customer, query: dict[str, str], found: list[int]) -> None:
    """Each narrows the list, newest first."""
    everything = [call["id"] for call in busy.calls()][::-1]
    assert [call["id"] for call in busy.calls(**query)] == [everything[number] for number in found]


def test_trace(customer: Customer) -> None:
    """The calls of a trace are found by its id, alone and beside other filters; a call shows it."""
    trace, other = "4bf92f3577b34da6a3ce929d0e0e4736", "a" * 32
    for one in (trace, other, trace):
        customer.send(headers={"traceparent": f"00-{one}-00f067aa0ba902b7-01"})
    customer.send()
    newest, third, second, first = customer.calls()
    assert [call["trace_id"] for call in (newest, third, second, first)] == [None, trace, other, trace]
    assert customer.calls(trace=trace) == [third, first]
    assert customer.calls(trace=trace, recipient=customer.good["to"]) == [third, first]
    assert customer.calls(trace=trace, recipient="+14155550199") == []
    assert customer.calls(trace="b" * 32) == []


@pytest.mark.parametrize("trace", ["4bf92f35", "4BF92F3577B34DA6A3CE929D0E0E4736", "g" * 32])
def test_a_trace_that_no_call_can_have(customer: Customer, trace: str) -> None:
    """It is refused: the list would always be empty."""
    refused = customer.client.get("/_mock/calls", params={"trace": trace})
    assert (refused.status_code, refused.json()["pointer"]) == (400, "/query/trace")


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
    with TestClient(create_app(replace(SETTINGS, max_journal_calls=2)), base_url="http://localhost") as client:
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
        pytest.param("limit=1.5", "/query/limit", "whole number", id="limit-with-a-fraction"),
        pytest.param("limit=1.", "/query/limit", "whole number", id="limit-with-a-dot"),
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


async def ask(client: httpx.AsyncClient, path: str, beside: Callable[[int], Awaitable[Any]]) -> tuple[Any, int]:
    """What is answered, and how often others got their turn meanwhile, doing something each time."""
    asking = asyncio.create_task(client.get(path))
    turns = 0
    while not asking.done():
        await asyncio.sleep(0)
        turns += 1
        await beside(turns)
    return (await asking).json(), turns


def in_one_loop(scenario: Callable[[Application, httpx.AsyncClient], Awaitable[None]]) -> None:
    """A scenario in one loop with the application."""

    async def run() -> None:
        app = create_app(SETTINGS)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            await scenario(app, client)

    asyncio.run(run())


async def nothing(_turn: int) -> None: ...


@pytest.mark.parametrize(("share", "least", "most"), [(0, 60, 1000), (1000, 1, 30)])
def test_a_page_is_shown_in_turns(monkeypatch: pytest.MonkeyPatch, share: float, least: int, most: int) -> None:
    """A long one keeps nobody waiting: others get their turn after each call, once their time has come."""

    async def scenario(app: Application, client: httpx.AsyncClient) -> None:
        for number in range(60):
            await app.store.commit(recorded(number=number, account="default", body=b"{}"))
        page, turns = await ask(client, "/_mock/calls", nothing)
        assert len(page["calls"]) == 60
        assert least <= turns <= most

    monkeypatch.setattr("mockserver.server.checkpoint.SHARE", share)
    in_one_loop(scenario)


def test_a_credential_of_a_deleted_account_stays_masked(make: Make) -> None:
    """What was sent where credentials stand is hidden by its place, so it does not matter whose it is."""
    one, other = make(), make()
    sent: dict[str, Any] = {
        "headers": {"Authorization": f"Bearer {one.tokens['Claim']}"},
        "params": {"key": one.mine["key"]},
    }
    call = one.call(one.client.post("/nowhere", content=one.tokens["Kid"], **sent))
    one.client.delete(f"/_mock/accounts/{one.id}")
    unclaimed = one.client.post("/base/messages", **sent)
    for shown in (call, other.call(unclaimed)):
        assert not any(secret in str(shown) for secret in (*one.tokens.values(), one.mine["key"]))


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


@pytest.mark.parametrize(
    ("operation", "left"),
    [
        ("acme.send_sms", [3, 2]),
        ("acme.by_claim", [2, 1, 0]),
        ("acme.*", [2]),
        ("acme.post_merged", [3, 2, 1, 0]),
        ("*", []),
    ],
)
def test_clear_is_one_operations(busy: Customer, operation: str, left: list[int]) -> None:
    """Or a vendor's; the other calls of the account stay, in their order."""
    everything = [call["id"] for call in busy.calls()][::-1]
    assert clear(busy.client, account=busy.id, operation=operation).status_code == 204
    assert [call["id"] for call in busy.calls()] == [everything[number] for number in left]


@pytest.mark.parametrize("operation", ["acme.nothing", "nobody.*", "acme"])
def test_an_operation_to_clear_is_known(busy: Customer, operation: str) -> None:
    """A misspelt one clears nothing, and the known ones are told."""
    response = clear(busy.client, account=busy.id, operation=operation)
    assert (response.status_code, response.json()["pointer"]) == (400, "/query/operation")
    assert "acme.send_sms" in response.json()["detail"]
    assert len(busy.calls()) == 4
