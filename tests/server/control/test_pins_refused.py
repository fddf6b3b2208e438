"""Pins that are refused over HTTP: each mistake with its pointer, and nothing pinned."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from mockserver.server.control.pins import MAX_ANSWERS
from tests.server.control.test_pins import SEND, pins
from tests.server.customers import Customer

LITERAL = {"status": 200, "body": {"a": {"b": 1}}}


@pytest.mark.parametrize(
    ("members", "pointer", "says"),
    [
        pytest.param({"account": 1}, "/body/account", "a string", id="account"),
        pytest.param({"times": 1}, "/body/times", "known: account, answers,", id="unknown-member"),
        pytest.param({"answers": None}, "/body/answers", "a list", id="no-list"),
        pytest.param({"answers": []}, "/body/answers", f"from 1 to {MAX_ANSWERS}", id="none"),
        pytest.param(
            {"answers": ["sent"] * (MAX_ANSWERS + 1)}, "/body/answers", f"from 1 to {MAX_ANSWERS}", id="too-many"
        ),
        pytest.param({"answers": ["sent", "sentt"]}, "/body/answers/1", "it has: sent, delayed,", id="no-answer"),
        pytest.param({"answers": ["acme.ping/refused"]}, "/body/answers/0", "has no such answer", id="anothers-answer"),
        pytest.param({"answers": [418]}, "/body/answers/0", "{status, headers, body}", id="number"),
        pytest.param({"answers": [{}]}, "/body/answers/0/status", "from 200 to 599", id="no-status"),
        pytest.param({"answers": [{"status": 199}]}, "/body/answers/0/status", "from 200", id="status-too-low"),
        pytest.param({"answers": [{"status": 600}]}, "/body/answers/0/status", "to 599", id="status-too-high"),
        pytest.param({"answers": [{"status": True}]}, "/body/answers/0/status", "a status", id="status-true"),
        pytest.param({"answers": [{"status": "200"}]}, "/body/answers/0/status", "a status", id="status-text"),
        pytest.param({"answers": [{"status": 204, "body": ""}]}, "/body/answers/0/body", "no body", id="204-with-body"),
        pytest.param({"answers": [{"status": 200, "a/b": 1}]}, "/body/answers/0/a~1b", "known: status,", id="member"),
        pytest.param(
            {"answers": [{"status": 200, "headers": []}]}, "/body/answers/0/headers", "an object", id="headers"
        ),
        pytest.param(
            {"answers": [{"status": 200, "headers": {"X": 1}}]},
            "/body/answers/0/headers/X",
            "printable",
            id="header-no-text",
        ),
        pytest.param(
            {"answers": [{"status": 200, "headers": {"X": "a\r\nB: c"}}]},
            "/body/answers/0/headers/X",
            "printable",
            id="header-cut",
        ),
        pytest.param(
            {"answers": [{"status": 200, "headers": {"a b": ""}}]},
            "/body/answers/0/headers/a b",
            "can be set",
            id="header-name",
        ),
        pytest.param(
            {"answers": [{"status": 200, "headers": {"Content-LENGTH": "1"}}]},
            "/body/answers/0/headers/Content-LENGTH",
            "can be set",
            id="header-of-the-server",
        ),
        pytest.param({"then": "stay"}, "/body/then", "rules or last", id="then"),
        pytest.param({"force": 1}, "/body/force", "true or false", id="force"),
        pytest.param({"where": {"header": {}}}, "/body/where/header", "known: headers, path,", id="where"),
        pytest.param({"when": {"/owned/x": {}}}, "/body/when/~1owned~1x", "begins with", id="when"),
        pytest.param({"set": []}, "/body/set", "an object", id="set"),
        pytest.param({"set": {"/status": 1}}, "/body/set/~1status", "/header/<name> or", id="set-elsewhere"),
        pytest.param({"set": {"x/header/A": "1"}}, "/body/set/x~1header~1A", "/header/<name> or", id="set-no-pointer"),
        pytest.param(
            {"set": {"/header/A/B": "1"}}, "/body/set/~1header~1A~1B", "/header/<name>", id="set-below-a-header"
        ),
        pytest.param({"set": {"/header/A": None}}, "/body/set/~1header~1A", "string or a number", id="set-header-null"),
        pytest.param({"set": {"/header/A": "é"}}, "/body/set/~1header~1A", "printable", id="set-header-no-ascii"),
        pytest.param(
            {"set": {"/header/Connection": "x"}}, "/body/set/~1header~1Connection", "can be set", id="set-header-ours"
        ),
        pytest.param({"set": {"/body": 1}}, "/body/set/~1body", "pointer into /body", id="set-whole-body"),
        pytest.param({"set": {"/body/x": 1}}, "/body/set/~1body~1x", "of none", id="set-nothing-there"),
        pytest.param(
            {"answers": ["refused", "busy"], "set": {"/body/field": 1}},
            "/body/set/~1body~1field",
            "some",
            id="set-in-one",
        ),
        pytest.param(
            {"answers": ["sent", "rules"], "set": {"/body/id": 1}},
            "/body/set/~1body~1id",
            "by name",
            id="set-in-the-rules",
        ),
        pytest.param(
            {"answers": [LITERAL], "set": {"/body/a/b": 1, "/body/a": 2}},
            "/body/set/~1body~1a~1b",
            "lies within /body/a",
            id="set-within-another",
        ),
        pytest.param({"fault": {"kind": "flood"}}, "/body/fault/kind", "must be one of", id="fault"),
    ],
)
def test_mistakes(customer: Customer, members: dict[str, Any], pointer: str, says: str) -> None:
    """Told with the part that is wrong, and nothing is pinned."""
    body = {"account": customer.id, "answers": ["sent"], **members}
    response = customer.client.put(f"/_mock/pins/{SEND}", json=body)
    problem = response.json()
    assert (response.status_code, problem["pointer"]) == (400, pointer)
    assert response.headers["content-type"] == "application/problem+json"
    assert says in problem["detail"]
    assert pins(customer) == []


@pytest.mark.parametrize(
    ("request_line", "body", "status", "pointer"),
    [
        (f"PUT /_mock/pins/{SEND}", None, 400, "/body/account"),
        (f"PUT /_mock/pins/{SEND}", {"answers": ["sent"]}, 400, "/body/account"),
        (f"PUT /_mock/pins/{SEND}", {"account": "nobody", "answers": ["sent"]}, 404, "/body/account"),
        (f"PUT /_mock/pins/{SEND}", {"account": "unclaimed", "answers": ["sent"]}, 404, "/body/account"),
        ("PUT /_mock/pins/send_sms", {"account": "default", "answers": ["sent"]}, 404, "/path/operation"),
        ("DELETE /_mock/pins", None, 400, "/query/account"),
        ("DELETE /_mock/pins?account=", None, 400, "/query/account"),
        ("DELETE /_mock/pins?account=nobody", None, 404, "/query/account"),
        ("DELETE /_mock/pins?account=*&answer=x", None, 400, "/query/answer"),
        ("GET /_mock/pins?operation=x", None, 400, "/query/operation"),
    ],
)
def test_who_and_what(acme_client: TestClient, request_line: str, body: Any, status: int, pointer: str) -> None:
    """An account must be named, so that no test pins or forgets another's by accident; what is unknown is told."""
    response = acme_client.request(*request_line.split(), json=body)
    assert (response.status_code, response.json()["pointer"]) == (status, pointer)
