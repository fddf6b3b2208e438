"""Verification over HTTP: the verdict as data, and each mistake with its pointer."""

import asyncio
import threading
from itertools import pairwise
from typing import Any

import httpx
import jsonschema
import pytest
import requests
from starlette.testclient import TestClient

from mockserver.server.application import create_app
from mockserver.server.checkpoint import TimeShare
from mockserver.server.control.contracts import description
from mockserver.server.control.verify import MAX_CALLS_SHOWN
from mockserver.server.shown_differences import ShownDifferences
from tests.live import Live
from tests.server.acme_customer import SETTINGS, Customer
from tests.server.conftest import Make

URL = "/_mock/calls/verify"


def verdict(customer: Customer, **asked: Any) -> dict[str, Any]:
    """The answer to what is asked of the customer's calls, in its documented shape."""
    response = customer.client.post(URL, json={"account": customer.id, **asked})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    jsonschema.Draft202012Validator({**description(), "$ref": "#/components/schemas/Verdict"}).validate(found)
    return found


@pytest.fixture
def busy(customer: Customer) -> Customer:
    """Sent, refused, sent to a line of a form, an unknown path: oldest first."""
    customer.send(json={**customer.good, "text": "Hi"}, headers={"X-Trace": "t"})
    customer.send(json={**customer.good, "to": "+49301", "text": "t" * 30})
    customer.send("/base/merged", params={"pin": customer.mine["pin"], "key": customer.mine["key"]}, data={"a": "5"})
    customer.send("/nowhere")
    return customer


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        pytest.param({}, [3, 2, 1, 0], id="all"),
        pytest.param({"vendor": "acme"}, [2, 1, 0], id="vendor"),
        pytest.param({"operation": "acme.send_sms"}, [1, 0], id="operation"),
        pytest.param({"answer": "sent"}, [0], id="answer"),
        pytest.param({"answer": "acme.send_sms/too_long"}, [1], id="answer-by-id"),
        pytest.param({"accepted": True}, [2, 0], id="accepted"),
        pytest.param({"accepted": False}, [3, 1], id="refused"),
        pytest.param({"recipient": "1 (415) 555-0123"}, [0], id="recipient"),
        pytest.param({"recipient": "+1 (415) 555-0199"}, [], id="another-recipient"),
        pytest.param({"since": "2000-01-01T00:00:00Z"}, [3, 2, 1, 0], id="since"),
        pytest.param({"since": "2999-01-01"}, [], id="since-later"),
        pytest.param({"where": {"body": {"text": "Hi"}}}, [0], id="body"),
        pytest.param({"where": {"body": {"a": "5"}}}, [2], id="form-as-body"),
        pytest.param({"where": {"form": {"a": "5"}}}, [2], id="form"),
        pytest.param({"where": {"json": {"a": "5"}}}, [], id="a-form-is-no-json"),
        pytest.param({"where": {"json": {"text": "Hi"}}}, [0], id="json"),
        pytest.param({"where": {"form": {"text": "Hi"}}}, [], id="json-is-no-form"),
        pytest.param({"where": {"query": {"a": "5"}}}, [2], id="form-as-query"),
        pytest.param({"where": {"path": "/nowhere"}}, [3], id="path"),
        pytest.param({"where": {"headers": {"X-TRACE": "t"}}}, [0], id="header"),
        pytest.param({"when": {"/body/text": {"minLength": 3}}}, [1], id="schema"),
        pytest.param({"when": {"/header/X-Trace": True}}, [0], id="header-in-a-pointer-in-any-case"),
        pytest.param({"when": {"/headers/X-Trace": False}}, [3, 2, 1], id="absent"),
        pytest.param({"when": {"/body/to": True}, "where": {"body": {"text": "Hi"}}}, [0], id="both"),
    ],
)
def test_which_calls(busy: Customer, asked: dict[str, Any], found: list[int]) -> None:
    """Each narrows the calls that are meant; they are shown newest first."""
    everything = [call["id"] for call in busy.calls()][::-1]
    answer = verdict(busy, **asked)
    assert [call["id"] for call in answer["calls"]] == [everything[number] for number in found]
    assert (answer["verified"], answer["matched"]) == (bool(found), len(found))
    assert bool(answer["nearest"]) is (not found)


@pytest.mark.parametrize(
    ("count", "verified"),
    [
        ({"exactly": 2}, True),
        ({"exactly": 2.0}, True),
        ({"exactly": 1}, False),
        ({"exactly": 3}, False),
        ({"at_least": 2}, True),
        ({"at_least": 3}, False),
        ({"at_most": 2}, True),
        ({"at_most": 1}, False),
        ({"at_least": 0, "at_most": 5}, True),
        ({"at_least": 3, "at_most": 5}, False),
        ({}, True),
    ],
)
def test_counts(customer: Customer, count: dict[str, Any], verified: bool) -> None:
    """Two calls are two; without a bound, one is enough."""
    for _ in range(2):
        customer.send()
    assert verdict(customer, count=count)["verified"] is verified


def test_nothing_is_no_call(customer: Customer) -> None:
    """At most none, and at least one: the bound that is not given is no bound."""
    assert verdict(customer, count={"at_most": 0})["verified"] is True
    assert verdict(customer, count={})["verified"] is False
    assert verdict(customer)["verified"] is False


def test_differences_as_data(customer: Customer) -> None:
    """Pointer, expected, found; null where nothing was; secrets masked, and yet matched unmasked."""
    key = customer.mine["key"]
    customer.send()
    assert verdict(customer, where={"headers": {"X-Key": key}})["verified"] is True
    found = verdict(customer, where={"headers": {"X-Key": f"{key}!"}, "body": {"text": 5}})
    (near,) = found["nearest"]
    assert near["call"] == customer.calls()[0]
    secret, text = near["differences"]
    assert text == {"pointer": "/body/text", "expected": 5, "found": None}
    assert secret["pointer"] == "/headers/x-key"
    assert secret["expected"] != secret["found"]
    assert all(secret[side].startswith("***") for side in ("expected", "found"))
    assert key not in str(found)


def test_as_many_as_a_hundred_are_shown(customer: Customer) -> None:
    """Of more, the latest; all are counted."""
    sent = [customer.send().headers["x-mock-call"] for _ in range(MAX_CALLS_SHOWN + 1)]
    found = verdict(customer)
    assert found["matched"] == MAX_CALLS_SHOWN + 1
    assert [call["id"] for call in found["calls"]] == sent[:0:-1]


def test_accounts_are_apart(make: Make) -> None:
    """Nobody's calls are ``unclaimed``, and in no account's count."""
    one, other = make(), make()
    one.send()
    lost = one.client.post("/base/messages", json={"text": one.id})
    assert verdict(other, count={"exactly": 0})["verified"] is True
    assert verdict(one, count={"exactly": 1})["verified"] is True
    unclaimed = verdict(one, account="unclaimed", where={"body": {"text": one.id}}, count={"exactly": 1})
    assert unclaimed["verified"] is True
    assert [(call["id"], call["account"]) for call in unclaimed["calls"]] == [(lost.headers["x-mock-call"], None)]


def test_waiting_on_the_server(live: Live) -> None:
    """The answer comes once the call has come, and tells of one too many as soon as there is one."""
    with requests.Session() as session:
        made = session.post(f"{live.url}/_mock/accounts", json={}).json()
        acme = made["vendors"]["acme"]
        body = {"from": acme["owned"]["lines"][0]["number"], "to": "+1"}

        def send() -> None:
            headers = {"X-Key": acme["credentials"]["key"]}
            requests.post(f"{live.url}/base/messages", json=body, headers=headers, timeout=20)

        threads = [threading.Timer(0.1, send), threading.Timer(0.2, send)]
        for thread in threads:
            thread.start()
        asked = {"account": made["id"], "count": {"exactly": 1}, "within": 60, "settle": 60}
        found = session.post(live.url + URL, json=asked, timeout=20).json()
        assert (found["verified"], found["matched"]) == (False, 2)
        for thread in threads:
            thread.join()
        never = {"account": made["id"], "count": {"exactly": 3}, "within": 0.05, "settle": 60}
        assert session.post(live.url + URL, json=never, timeout=20).json()["verified"] is False
        session.delete(f"{live.url}/_mock/accounts/{made['id']}")


def test_an_account_that_goes_while_it_is_waited_for() -> None:
    """The wait ends with a verdict all the same."""

    async def scenario() -> None:
        app = create_app(SETTINGS)
        await app.store.add_account("one", {})
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            waiting = asyncio.create_task(client.post(URL, json={"account": "one", "within": 0.1}))
            for _ in range(100):  # share of the loop until it waits
                await asyncio.sleep(0)
            await app.store.remove_account("one")
            found = await waiting
        assert (found.status_code, found.json()["verified"]) == (200, False)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("asked", "pointer", "says"),
    [
        pytest.param({"account": None}, "/body/account", "a string", id="account-null"),
        pytest.param({"account": ""}, "/body/account", "name the account", id="account-empty"),
        pytest.param({"times": 1}, "/body/times", "known: account, vendor,", id="unknown-member"),
        pytest.param({"operation": "acme.nothing"}, "/body/operation", "known: acme.ping,", id="operation"),
        pytest.param(
            {"answer": "sendt"}, "/body/answer", "no such answer: 'sendt'; known: sent,", id="answer-misspelt"
        ),
        pytest.param({"operation": "send_sms"}, "/body/operation", "no such operation", id="operation-without-vendor"),
        pytest.param({"vendor": "nobody"}, "/body/vendor", "known: acme", id="vendor"),
        pytest.param({"answer": 1}, "/body/answer", "a string", id="answer"),
        pytest.param({"accepted": "yes"}, "/body/accepted", "true or false", id="accepted"),
        pytest.param({"recipient": 49}, "/body/recipient", "a string", id="recipient"),
        pytest.param({"since": "noon"}, "/body/since", "ISO 8601", id="since"),
        pytest.param({"where": []}, "/body/where", "an object", id="where"),
        pytest.param({"where": {"bodi": {}}}, "/body/where/bodi", "known: body, path, query,", id="where-part"),
        pytest.param({"where": {"query": "a=1"}}, "/body/where/query", "an object", id="where-query"),
        pytest.param({"where": {"path": ["x"]}}, "/body/where/path", "an object", id="where-path"),
        pytest.param({"when": {"body": {}}}, "/body/when/body", "begins with one of: /path,", id="when-no-pointer"),
        pytest.param({"when": {"/account/x": {}}}, "/body/when/~1account~1x", "begins with", id="when-elsewhere"),
        pytest.param({"when": {"": {}}}, "/body/when/", "begins with", id="when-empty"),
        pytest.param({"when": {"/body": {"type": "no"}}}, "/body/when/~1body", "not a JSON Schema", id="when-type"),
        pytest.param({"when": {"/body": "true"}}, "/body/when/~1body", "must be an object", id="when-text"),
        pytest.param(
            {"when": {"/body": {"$ref": "http://a.test/"}}}, "/body/when/~1body", "leads out", id="when-remote"
        ),
        pytest.param({"count": 1}, "/body/count", "an object", id="count"),
        pytest.param({"count": {"most": 1}}, "/body/count/most", "known: at_most, at_least", id="count-unknown"),
        pytest.param({"count": {"exactly": -1}}, "/body/count/exactly", "0 or more", id="count-negative"),
        pytest.param({"count": {"at_most": 1.5}}, "/body/count/at_most", "whole number", id="count-fraction"),
        pytest.param({"count": {"at_least": True}}, "/body/count/at_least", "whole number", id="count-true"),
        pytest.param({"count": {"exactly": 1, "at_most": 2}}, "/body/count", "stands alone", id="count-exactly-and"),
        pytest.param({"count": {"at_least": 2, "at_most": 1}}, "/body/count", "above", id="count-crossed"),
        pytest.param({"within": 61}, "/body/within", "from 0 to 60", id="within-too-long"),
        pytest.param({"within": "1"}, "/body/within", "number of seconds", id="within-text"),
        pytest.param({"settle": -0.1}, "/body/settle", "from 0 to 60", id="settle-negative"),
        pytest.param({"settle": True}, "/body/settle", "number of seconds", id="settle-true"),
    ],
)
def test_mistakes(customer: Customer, asked: dict[str, Any], pointer: str, says: str) -> None:
    """Told at once with the part of the request that is wrong: no typo becomes a verdict."""
    response = customer.client.post(URL, json={"account": customer.id, **asked})
    problem = response.json()
    assert (response.status_code, problem["pointer"]) == (400, pointer)
    assert response.headers["content-type"] == "application/problem+json"
    assert says in problem["detail"]


def test_whose_calls_must_be_said(acme_client: TestClient) -> None:
    """Without an account it is a mistake, with an unknown one there is none; no body is no question."""
    for body in (None, {}, {"operation": "acme.send_sms"}):
        response = acme_client.post(URL, json=body)
        assert (response.status_code, response.json()["pointer"]) == (400, "/body/account")
    response = acme_client.post(URL, json={"account": "nobody"})
    assert (response.status_code, response.json()["pointer"]) == (404, "/body/account")
    assert acme_client.post(URL, content="account=x").status_code == 415
    assert acme_client.get(URL).status_code == 405


def test_others_get_their_turn_between_the_parts_of_a_view(busy: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    """No two parts of a request are masked in one piece of work, however large each of them is."""
    work: list[str] = []
    differing, checkpoint = ShownDifferences.differing, TimeShare.checkpoint

    def masking(show: ShownDifferences, at: str, value: Any, content_type: str) -> Any:
        work.append(at)
        return differing(show, at, value, content_type)

    async def giving(share: TimeShare) -> None:
        work.append("turn")
        await checkpoint(share)

    monkeypatch.setattr(ShownDifferences, "differing", masking)
    monkeypatch.setattr(TimeShare, "checkpoint", giving)
    assert len(verdict(busy, views=True)["views"]) == len(verdict(busy)["calls"])
    masked = [at for at, then in pairwise(work) if at != "turn" and then == "turn"]
    assert masked == [at for at in work if at != "turn"]
    assert {"/query", "/body"} <= set(masked)
