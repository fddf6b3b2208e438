"""A name that is not known: on every route the same refusal, with its pointer and what is known."""

from typing import Any

import pytest

from mockserver.server.control.requests import MAX_NAMES_LISTED
from tests.server.acme_customer import Customer
from tests.server.conftest import Make

VERIFY = ("POST", "/_mock/calls/verify")
CALLS = ("GET", "/_mock/calls")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("GET", "/_mock/calls?account=defalt", id="calls"),
        pytest.param("DELETE", "/_mock/calls?account=defalt", id="clear-calls"),
        pytest.param("GET", "/_mock/coverage?account=defalt", id="coverage"),
        pytest.param("POST", "/_mock/calls/verify", id="verify"),
        pytest.param("GET", "/_mock/accounts/defalt", id="account"),
        pytest.param("DELETE", "/_mock/accounts/defalt", id="delete-account"),
        pytest.param("POST", "/_mock/accounts/defalt/reset", id="reset"),
        pytest.param("POST", "/_mock/accounts/defalt/clock", id="clock"),
        pytest.param("PUT", "/_mock/accounts/defalt/limits", id="limits"),
    ],
)
def test_an_account_is_404_anywhere(customer: Customer, method: str, path: str) -> None:
    """In a path, a query or a body; the nearest of the known ones is first."""
    body = {"account": "defalt"} if path.endswith("verify") else {}
    response = customer.client.request(method, path, json=body)
    problem = response.json()
    pointer = "/query/account" if "?" in path else "/body/account" if body else "/path/id"
    assert (response.status_code, problem["pointer"]) == (404, pointer)
    assert problem["detail"].startswith("there is no such account: 'defalt'; known: default, second")
    assert customer.id in problem["detail"]


def test_few_of_many_accounts_are_named(make: Make) -> None:
    """The newest, for the older ones may be left behind."""
    made = [make() for _ in range(MAX_NAMES_LISTED + 5)]
    detail = made[0].client.get("/_mock/calls?account=%20").json()["detail"]
    assert made[-1].id in detail
    assert made[0].id not in detail


def test_everybody_and_nobody(customer: Customer) -> None:
    """``*`` lists the calls of all, as no account does; ``unclaimed`` those of nobody."""
    sent = customer.send().headers["x-mock-call"]
    ids = [[call["id"] for call in customer.calls(account=account)] for account in ("*", "", "unclaimed")]
    assert ids[0] == ids[1]
    assert sent in ids[0]
    assert sent not in ids[2]
    refused = customer.client.post("/_mock/calls/verify", json={"account": "*"})
    assert (refused.status_code, refused.json()["pointer"]) == (404, "/body/account")
    assert "known: default, second, unclaimed," in refused.json()["detail"]


NAMES = [
    pytest.param({"vendor": "acmee"}, "vendor", "no such vendor: 'acmee'; known: acme", id="vendor"),
    pytest.param({"operation": "acme.pign"}, "operation", "operation: 'acme.pign'; known: acme.ping,", id="operation"),
    pytest.param({"answer": "sendt"}, "answer", "no such answer: 'sendt'; known: sent,", id="answer"),
    pytest.param({"answer": "acme.ping"}, "answer", "no such answer: 'acme.ping'; known: ", id="no-answer"),
    pytest.param(
        {"operation": "acme.ping", "answer": "sent"},
        "answer",
        "no such answer of acme.ping: 'sent'; known: done, refused",
        id="anothers-answer",
    ),
    pytest.param(
        {"operation": "acme.ping", "answer": "acme.send_sms/sent"},
        "answer",
        "no such answer of acme.ping: 'acme.send_sms/sent'; known: acme.ping/done, acme.ping/refused",
        id="anothers-answer-by-id",
    ),
    pytest.param({"vendor": "acme", "answer": "x"}, "answer", "answer of acme: 'x'; known: sent,", id="vendors-answer"),
    pytest.param({"answer": "busy", "accepted": True}, "accepted", "that answer means refused", id="not-accepted"),
    pytest.param({"answer": "sent", "accepted": False}, "accepted", "that answer means accepted", id="accepted"),
]


@pytest.mark.parametrize(("asked", "name", "says"), NAMES)
@pytest.mark.parametrize("root", ["query", "body"])
def test_what_cannot_be(customer: Customer, asked: dict[str, Any], name: str, says: str, root: str) -> None:
    """A list and a verification refuse the same names, and names that contradict each other."""
    if root == "query":
        query = {part: str(value).lower() if value in {True, False} else value for part, value in asked.items()}
        response = customer.client.get("/_mock/calls", params={"account": customer.id, **query})
    else:
        response = customer.client.post("/_mock/calls/verify", json={"account": customer.id, **asked})
    assert (response.status_code, response.json()["pointer"]) == (400, f"/{root}/{name}")
    assert says in response.json()["detail"]


@pytest.mark.parametrize(
    "asked",
    [
        {"operation": "acme.send_sms", "answer": "acme.send_sms/sent", "accepted": True},
        {"vendor": "acme", "operation": "acme.send_sms", "answer": "busy", "accepted": False},
        {"operation": "acme.rpc"},
        {"answer": "refused"},
        {"answer": "done", "accepted": True},
    ],
)
def test_what_can_be(customer: Customer, asked: dict[str, Any]) -> None:
    """Names that agree are taken."""
    for count in ({"exactly": 0}, {"at_least": 1}):
        body = {"account": customer.id, "count": count, **asked}
        assert customer.client.post("/_mock/calls/verify", json=body).status_code == 200
    query = {part: str(value).lower() if value in {True, False} else value for part, value in asked.items()}
    assert customer.client.get("/_mock/calls", params=query).status_code == 200


def test_vendors_elsewhere(customer: Customer) -> None:
    """404 in a path, 400 in a body; a limit names a vendor or an operation that has one."""
    client = customer.client
    shown = client.get("/_mock/contracts/acmee")
    assert (shown.status_code, shown.json()["pointer"]) == (404, "/path/vendor")
    assert shown.json()["detail"] == "there is no such vendor: 'acmee'; known: acme"
    made = client.post("/_mock/accounts", json={"vendors": {"acmee": {}}})
    assert (made.status_code, made.json()["pointer"]) == (400, "/body/vendors/acmee")
    assert made.json()["detail"] == "there is no such vendor: 'acmee'; known: acme"
    limited = client.put(f"/_mock/accounts/{customer.id}/limits", json={"acmee": True})
    assert (limited.status_code, limited.json()["pointer"]) == (400, "/body/acmee")
    assert "'acmee'; known: none" in limited.json()["detail"]
