"""One exchange over HTTP: the vendor's answer, our words beside it, and the record of both."""

import asyncio
import gc
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from mockserver.engine.account import sample
from mockserver.server.application import Application, create_app
from mockserver.server.settings import Settings
from tests.engine.workbench import ACME
from tests.server.acme_customer import SETTINGS, Customer
from tests.server.conftest import Make


def explained(response: Any) -> dict[str, str]:
    """The headers of ours."""
    return {name[7:]: value for name, value in response.headers.items() if name.startswith("x-mock-")}


@pytest.fixture(scope="module")
def silent() -> Iterator[TestClient]:
    with TestClient(create_app(replace(SETTINGS, explain=False)), base_url="http://localhost") as client:
        yield client


def test_an_accepted_call_explains_itself(customer: Customer) -> None:
    """Which answer, on what evidence, recorded as which call; the body is the vendor's alone."""
    response = customer.send()
    call = customer.call(response)
    assert (response.status_code, response.headers["x-fixed"]) == (202, "always")
    assert explained(response) == {"answer": "acme.send_sms/sent", "evidence": "page; text=vendor", "call": call["id"]}
    assert response.json().keys() == {"id", "to", "at", "number", "text", "digits"}
    assert (call["account"], call["operation"], call["accepted"]) == (customer.id, "acme.send_sms", True)
    assert (call["outcome"], call["chosen_by"], call["recipient"]) == ("sent", "default", "+14155550123")
    assert call["duration_ms"] > 0


def test_a_refusal_says_why(customer: Customer) -> None:
    """The problem that the answer is about: kind, reason, place."""
    response = customer.send(json={**customer.good, "text": "t" * 30})
    assert explained(response) | {"call": ""} == {
        "answer": "acme.send_sms/too_long",
        "evidence": "assumed",
        "call": "",
        "problem": "invalid maxLength /body/text",
        "rule": "acme.yaml:101",
    }
    assert explained(customer.send(json=customer.good, headers={"X-Key": "x"}))["problem"] == (
        "unauthenticated unknown /header/x-key"
    )


@pytest.mark.parametrize(
    ("request_", "begins"),
    [
        pytest.param({"headers": {"Prefer": "example=busi"}}, "preference unknown; known: sent, ", id="preference"),
        pytest.param({"json": {"to": "+15005550999"}}, "magic unknown; known: +15005550414", id="magic"),
    ],
)
def test_a_wish_that_names_no_answer_is_told(customer: Customer, request_: dict[str, Any], begins: str) -> None:
    """In a header, which lists the known ones, and in the call; the answer is as without it."""
    request_ = {**request_, "json": {**customer.good, **request_.get("json", {})}}
    response = customer.send(**request_)
    assert response.status_code == 202
    note = explained(response)["note"]
    assert note.startswith(begins)
    assert customer.call(response)["notes"] == [note]


def test_a_wish_for_a_refused_request_is_told_too(customer: Customer) -> None:
    """Beside the problem."""
    found = explained(customer.send(json={}, headers={"Prefer": "code=999"}))
    assert found.keys() >= {"note", "problem"}


def test_a_credential_that_came_twice_is_noted(customer: Customer) -> None:
    """Which of them counts; a refusal for the wrong one is a riddle otherwise."""
    response = customer.client.post(
        "/base/messages", json=customer.good, headers=[("X-Key", customer.mine["key"]), ("X-Key", "wrong")]
    )
    assert response.status_code == 400
    assert customer.client.get(f"/_mock/calls/{explained(response)['call']}").json()["notes"] == [
        "/header/x-key is given more than once: the last counts"
    ]


def test_nothing_is_explained_where_that_is_turned_off(silent: TestClient) -> None:
    """Only the vendor's headers go out, from any path; calls are recorded all the same."""
    customer = Customer.made(silent)
    for response in (customer.send(), customer.send(json={}), customer.send("/nowhere")):
        assert explained(response) == {}
    assert [call["response"]["status"] for call in customer.calls()] == [404, 400, 202]


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param({"headers": {"X-Trace": "MARK", "Prefer": "example=MARK"}}, id="headers"),
        pytest.param({"params": {"MARK": "MARK"}}, id="query"),
        pytest.param({"json": {"from": "MARK", "to": "MARK"}}, id="body"),
        pytest.param({"json": {"from": "1", "to": "2", "MARK\r\nX: y": [1]}}, id="name-in-the-body"),
        pytest.param({"content": b"MARK", "headers": {"Content-Type": "text/MARK"}}, id="media-type"),
        pytest.param({"path": "/base/typed/MARK", "method": "GET"}, id="path"),
        pytest.param({"path": "/MARK"}, id="unknown-path"),
        pytest.param({"method": "MARK"}, id="method"),
    ],
)
def test_nothing_is_echoed_in_our_headers(customer: Customer, request_: dict[str, Any]) -> None:
    """What a client sent may come back where the vendor says so, not in an explanation."""
    response = customer.send(**request_)
    assert explained(response)["call"]
    assert "MARK" not in str(explained(response))


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        pytest.param({"path": "/base/rpc", "json": {"method": "Ping", "text": 1}}, "{problem: any", id="dispatched"),
        pytest.param({"path": "/base/rpc", "json": {"text": "x"}}, "{when: {/body: {}}", id="own"),
        pytest.param({"method": "DELETE"}, "{problem: method, answer: method_not_allowed}", id="method"),
    ],
)
def test_a_rule_that_chose_is_named(customer: Customer, request_: dict[str, Any], text: str) -> None:
    """By file and line, in the header as in the call; the rule is the one that is written on that line."""
    response = customer.send(**request_)
    rule = explained(response)["rule"]
    name, _, line = rule.partition(":")
    assert (name, customer.call(response)["rule"]) == (ACME.name, rule)
    assert text in ACME.read_text("utf-8").splitlines()[int(line) - 1]


@pytest.mark.parametrize("headers", [{}, {"Prefer": "example=busy"}], ids=["accepted", "preferred"])
def test_no_rule_is_named_where_none_chose(customer: Customer, headers: dict[str, str]) -> None:
    """A success and a preference have none."""
    response = customer.send(headers=headers)
    assert "rule" not in explained(response)
    assert customer.call(response)["rule"] is None


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "TRACE", "HEAD", "QUERY"])
def test_another_method_is_not_allowed(customer: Customer, method: str) -> None:
    """It is the vendor's refusal with the methods that are allowed, recorded, and never a sent message."""
    response = customer.send(method=method)
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert explained(response)["problem"] == "method /method"
    call = customer.call(response)
    assert (call["answer"], call["request"]["method"]) == ("acme.send_sms/method_not_allowed", method)
    assert (call["accepted"], call["account"]) == (False, customer.id)


def test_options_is_no_call(customer: Customer) -> None:
    """It tells the methods that are allowed, and is not recorded."""
    response = customer.send(method="OPTIONS")
    assert (response.status_code, response.headers["allow"], response.content) == (204, "POST", b"")
    assert customer.calls() == []


def test_an_unknown_path_is_no_vendors(customer: Customer) -> None:
    """It is told in our own form, naming what is near, and recorded for the account that the credential names."""
    response = customer.send("/base/message", params={"a": "1"})
    assert (response.status_code, response.headers["content-type"]) == (404, "application/problem+json")
    problem = response.json()
    assert problem["nearest"][0] == "POST /base/messages (acme.send_sms)"
    assert (problem["status"], problem["nearest"][0] in problem["detail"]) == (404, True)
    call = customer.call(response)
    assert (call["account"], call["vendor"], call["operation"], call["answer"]) == (customer.id, None, None, None)
    assert (call["request"]["path"], call["request"]["query"]) == ("/base/message", "a=1")
    assert call["request"]["json"] == customer.good
    assert call["response"]["json"] == problem


@pytest.mark.parametrize(
    ("credential", "claimed"),
    [
        pytest.param(lambda customer: {"params": {"key": customer.mine["key"]}}, True, id="query"),
        pytest.param(lambda customer: {"headers": {"X-Key": customer.mine["key"]}}, True, id="header"),
        pytest.param(
            lambda customer: {"headers": {"Authorization": f"Bearer {customer.tokens['Claim']}"}}, True, id="token"
        ),
        pytest.param(lambda customer: {"headers": {"X-Token": customer.tokens["Kid"]}}, True, id="token-by-kid"),
        pytest.param(lambda customer: {"data": {"key": customer.mine["key"]}}, True, id="form"),
        pytest.param(lambda customer: {"files": {"key": (None, customer.mine["key"])}}, True, id="multipart"),
        pytest.param(
            lambda _: {"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}, False, id="no-multipart"
        ),
        pytest.param(lambda _: {"headers": {"X-Key": "nobody's"}}, False, id="nobodys"),
        pytest.param(lambda _: {}, False, id="none"),
    ],
)
def test_whose_an_unknown_path_is(customer: Customer, credential: Callable[[Customer], Any], claimed: bool) -> None:
    """Any credential of any vendor, in header, query or form, names the account; else the call is unclaimed."""
    response = customer.client.post("/nowhere", **credential(customer))
    assert customer.call(response)["account"] == (customer.id if claimed else None)


def test_an_unclaimed_call_is_in_nobodys_count(customer: Customer) -> None:
    """It is seen among the unclaimed and among all."""
    response = customer.client.post("/base/messages", json={"from": "1", "to": "2"})
    ids = {
        name: [call["id"] for call in customer.client.get("/_mock/calls", params=query).json()["calls"]]
        for name, query in {"mine": {"account": customer.id}, "unclaimed": {"account": "unclaimed"}, "all": {}}.items()
    }
    call_id = explained(response)["call"]
    assert call_id not in ids["mine"]
    assert call_id == ids["unclaimed"][0] == ids["all"][0]


@pytest.mark.parametrize(
    ("url", "host"),
    [
        pytest.param("/base/messages", "localhost", id="root"),
        pytest.param("/acme/base/messages", "localhost:8080", id="vendor"),
        pytest.param("/base/messages", "API.acme.test", id="host"),
    ],
)
def test_a_vendor_is_reached_in_three_ways(customer: Customer, url: str, host: str) -> None:
    """The client changes its base URL, or not even that."""
    response = customer.send(url, headers={"Host": host})
    assert explained(response)["answer"] == "acme.send_sms/sent"
    assert customer.call(response)["request"]["path"] == url
    assert customer.send("/acme/base/messages", headers={"Host": "api.acme.test"}).status_code == 404


def test_path_parameters_are_recorded_decoded(customer: Customer) -> None:
    """As text, whatever type the contract gives them."""
    response = customer.send("/base/typed/%35", method="GET")
    assert response.status_code == 204
    assert customer.call(response)["request"]["path_params"] == {"number": "5"}


def test_only_our_own_paths_are_ours(acme_client: TestClient) -> None:
    """`/_mock` and below is the control API; a path that only begins so is not."""
    assert acme_client.get("/_mock").json()["detail"].startswith("no such path; GET /_mock/openapi.json")
    assert acme_client.get("/_mock/").status_code == 404
    assert acme_client.get("/_mocking").json()["title"] == "No operation has this path"


def test_other_protocols_are_refused(acme_app: Application) -> None:
    """No vendor speaks WebSocket here."""
    sent: list[Any] = []

    async def receive() -> Any:
        raise NotImplementedError

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/base/messages", "headers": []}
    asyncio.run(acme_app(scope, receive, send))
    assert [message["type"] for message in sent] == ["websocket.close"]


def test_no_server_header_is_made_by_the_application(make: Make) -> None:
    """What is sent is what is recorded, but for our own headers."""
    customer = make()
    response = customer.send()
    recorded = dict(customer.call(response)["response"]["headers"])
    assert recorded == {name: value for name, value in response.headers.items() if not name.startswith("x-mock-")}


def test_a_client_that_leaves_before_the_answer(acme_app: Application, customer: Customer) -> None:
    """The call counts, for it arrived; its outcome is that the answer did not."""
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/nowhere",
        "raw_path": b"/nowhere",
        "query_string": b"",
        "headers": [(b"x-key", customer.mine["key"].encode())],
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        asyncio.run(acme_app(scope, receive, send))
    assert [call["outcome"] for call in customer.calls()] == ["aborted"]


def test_a_server_that_is_gone_leaves_no_contract_behind(contracts_read_anew: None) -> None:
    """However it was used, by every vendor's clients: nothing of it stays in the process."""
    app = create_app()
    gone = [weakref.ref(operation) for contract in app.contracts for operation in contract.operations]
    (account, _) = asyncio.run(app.store.accounts())
    with TestClient(app, base_url="http://localhost") as client:
        for contract in app.contracts:
            operation = next(one for one in contract.operations if one.success is not None)
            sent = sample(operation, account.vendors[contract.vendor], time.time())
            url = contract.base_path + sent.path
            accepted = client.request(sent.method, url, headers=sent.headers, content=sent.body)
            refused = client.request(sent.method, url, headers={"Prefer": "code=400"}, content=b"{")
            unknown = client.request(sent.method, "/nowhere", headers=sent.headers)
            assert accepted.headers["x-mock-answer"] == f"{operation.id}/{getattr(operation.success, 'name', '')}"
            assert (unknown.status_code, "x-mock-call" in refused.headers) == (404, True)
            assert client.put(
                f"/_mock/pins/{operation.id}", json={"account": account.id, "answers": ["rules"]}
            ).is_success
    del app, client, contract, operation, account
    gc.collect()
    assert len(gone) > 5
    assert [one() for one in gone if one() is not None] == []


@pytest.mark.parametrize(
    ("host", "path", "belongs"),
    [
        ("api.us-1.platform.polyai.app", "/platform_api/SendSmsMessage/", "api.voximplant.com"),
        ("api.us-1.platform.polyai.app", "/nobodys", None),
        ("localhost", "/nobodys", None),
    ],
)
def test_a_path_at_another_vendors_host(host: str, path: str, belongs: str | None) -> None:
    """The 404 says that the host is the wrong one, and which is right."""
    with TestClient(create_app(Settings())) as client:
        detail = client.get(path, headers={"host": host}).json()["detail"]
    told = f"mockserver knows no GET here. The path belongs to another vendor's host, {belongs}. Nearest: "
    assert detail.startswith(told if belongs else "mockserver knows no GET here. Nearest: ")
