"""Pins that are refused over HTTP: each mistake with its pointer, and nothing pinned."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from mockserver.server.control.pins import MAX_ANSWERS
from tests.server.acme_customer import Customer
from tests.server.control.test_pins import SEND, pins

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
        pytest.param({"answers": ["sent", "sentt"]}, "/body/answers/1", "known: sent, ", id="no-answer"),
        pytest.param(
            {"answers": ["acme.ping/refused"]},
            "/body/answers/0",
            "no such answer of acme.send_sms: 'acme.ping/refused'",
            id="anothers-answer",
        ),
        pytest.param({"answers": [418]}, "/body/answers/0", "{status, headers, body}", id="number"),
        pytest.param({"answers": [{}]}, "/body/answers/0/status", "from 200 to 599", id="no-status"),
        pytest.param({"answers": [{"status": 199}]}, "/body/answers/0/status", "from 200", id="status-too-low"),
        pytest.param({"answers": [{"status": 600}]}, "/body/answers/0/status", "to 599", id="status-too-high"),
        pytest.param({"answers": [{"status": True}]}, "/body/answers/0/status", "a status", id="status-true"),
        pytest.param({"answers": [{"status": "200"}]}, "/body/answers/0/status", "a status", id="status-text"),
        pytest.param({"answers": [{"status": 204, "body": ""}]}, "/body/answers/0/body", "no body", id="204-with-body"),
        pytest.param({"answers": [{"status": 205, "body": 1}]}, "/body/answers/0/body", "no body", id="205-with-body"),
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
        pytest.param({"changes": []}, "/body/changes", "an object", id="change"),
        pytest.param({"changes": {"/status": 1}}, "/body/changes/~1status", "/header/<name> or", id="change-elsewhere"),
        pytest.param(
            {"changes": {"x/header/A": "1"}}, "/body/changes/x~1header~1A", "/header/<name> or", id="change-no-pointer"
        ),
        pytest.param(
            {"changes": {"/header/A/B": "1"}},
            "/body/changes/~1header~1A~1B",
            "/header/<name>",
            id="change-below-a-header",
        ),
        pytest.param(
            {"changes": {"/header/A": None}}, "/body/changes/~1header~1A", "string or a number", id="change-header-null"
        ),
        pytest.param(
            {"changes": {"/header/A": "é"}}, "/body/changes/~1header~1A", "printable", id="change-header-no-ascii"
        ),
        pytest.param(
            {"changes": {"/header/Connection": "x"}},
            "/body/changes/~1header~1Connection",
            "can be set",
            id="change-header-ours",
        ),
        pytest.param({"changes": {"/body": 1}}, "/body/changes/~1body", "pointer into /body", id="change-whole-body"),
        pytest.param({"changes": {"/body/x": 1}}, "/body/changes/~1body~1x", "of none", id="change-nothing-there"),
        pytest.param(
            {"answers": ["refused", "busy"], "changes": {"/body/field": 1}},
            "/body/changes/~1body~1field",
            "some",
            id="change-in-one",
        ),
        pytest.param(
            {"answers": ["sent", "rules"], "changes": {"/body/id": 1}},
            "/body/changes/~1body~1id",
            "by name",
            id="change-in-the-rules",
        ),
        pytest.param(
            {"answers": [LITERAL], "changes": {"/body/a/b": 1, "/body/a": 2}},
            "/body/changes/~1body~1a~1b",
            "lies within /body/a, which is changed too",
            id="change-within-another",
        ),
        pytest.param({"set": {"/header/A": "1"}}, "/body/set", "it is called changes", id="the-old-name"),
        pytest.param({"replace": 1}, "/body/replace", "true or false", id="replace"),
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
        ("GET /_mock/pins?operation=acm.*", None, 400, "/query/operation"),
        ("GET /_mock/pins?account=nobody", None, 404, "/query/account"),
        ("GET /_mock/pins?id=x", None, 400, "/query/id"),
        ("GET /_mock/pins?answer=x", None, 400, "/query/answer"),
        ("DELETE /_mock/pins?account=*&operation=send_sms", None, 400, "/query/operation"),
        ("PUT /_mock/pins/acm.*", {"account": "default", "answers": ["rules"]}, 404, "/path/operation"),
    ],
)
def test_who_and_what(acme_client: TestClient, request_line: str, body: Any, status: int, pointer: str) -> None:
    """An account must be named, so that no test pins or forgets another's by accident; what is unknown is told."""
    response = acme_client.request(*request_line.split(), json=body)
    assert (response.status_code, response.json()["pointer"]) == (status, pointer)


def test_known_names_are_told(acme_client: TestClient) -> None:
    """Of operations and answers that are not known, those that are, the nearest first."""
    body = {"account": "default", "answers": ["busi"]}
    unknown = acme_client.put("/_mock/pins/acme.send_smss", json=body).json()["detail"]
    assert unknown.startswith("there is no such operation: 'acme.send_smss'; known: acme.send_sms, ")
    assert unknown.endswith(", *")
    assert "acme.*" in unknown
    for reach in (SEND, "*"):
        refused = acme_client.put(f"/_mock/pins/{reach}", json=body)
        assert (refused.status_code, refused.json()["pointer"]) == (400, "/body/answers/0")
        assert refused.json()["detail"].startswith(f"there is no such answer of {reach}: 'busi'; known: busy, ")


def test_changes_of_many_operations(customer: Customer) -> None:
    """A member of the body must be in the answer of each operation that has one of this name."""
    body = {"account": customer.id, "answers": ["busy"], "changes": {"/body/busy": 1}}
    assert customer.client.put("/_mock/pins/acme.*", json=body).status_code == 200
    refused = customer.client.put("/_mock/pins/acme.*", json={**body, "answers": ["refused"]})
    assert (refused.status_code, refused.json()["pointer"]) == (400, "/body/changes/~1body~1busy")
