"""Faults over HTTP: how they are pinned, shown and used up, and what is told of a mistake."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from mockserver.engine.fault import LOSING, NEEDS_WIRE, SPOILING
from tests.live import PATIENCE, Live
from tests.server.acme_customer import Customer

Make = Callable[..., Customer]
PINS = "/_mock/pins/acme.send_sms"
MALFORMED = {"kind": "malformed"}


def put(customer: Customer, **body: Any) -> Any:
    return customer.client.put(PINS, json={"account": customer.id, **body})


def pins(customer: Customer) -> list[dict[str, Any]]:
    """The account's pins, as they are listed."""
    listed: list[dict[str, Any]] = customer.client.get(f"/_mock/pins?account={customer.id}").json()["pins"]
    return listed


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        pytest.param({}, "/body/answers", id="nothing"),
        pytest.param({"fault": None}, "/body/fault", id="null"),
        pytest.param({"fault": "reset"}, "/body/fault", id="no-object"),
        pytest.param({"fault": {}}, "/body/fault/kind", id="no-kind"),
        pytest.param({"fault": {"kind": []}}, "/body/fault/kind", id="kind-no-text"),
        pytest.param({"fault": {"kind": "reset", "a/b": 1}}, "/body/fault/a~1b", id="unknown-member"),
        pytest.param({"fault": {"kind": "reset", "times": 0}}, "/body/fault/times", id="never"),
        pytest.param({"fault": {"kind": "reset", "probability": 2}}, "/body/fault/probability", id="probability"),
        pytest.param({"fault": {"kind": "reset", "seed": 0.5}}, "/body/fault/seed", id="seed"),
        pytest.param({"fault": {"kind": "delay"}}, "/body/fault", id="delay-of-nothing"),
        pytest.param({"fault": {"kind": "delay", "uniform": [0, 61]}}, "/body/fault/uniform/1", id="uniform"),
        pytest.param({"fault": MALFORMED, "answers": ["lost"]}, "/body/answers/0", id="no-such-answer"),
        pytest.param(
            {"fault": MALFORMED, "changes": {"/body/id": 1}}, "/body/changes/~1body~1id", id="change-without-answers"
        ),
        pytest.param(
            {"fault": MALFORMED, "answers": ["sent", "rules"], "changes": {"/body/id": 1}},
            "/body/changes/~1body~1id",
            id="change-of-the-rules",
        ),
        pytest.param({"answers": [{"status": 204, "body": {}}]}, "/body/answers/0/body", id="body-without-place"),
        pytest.param({"answers": [{"status": 304, "body": ""}]}, "/body/answers/0/body", id="empty-text"),
    ],
)
def test_mistakes(customer: Customer, body: dict[str, Any], pointer: str) -> None:
    """Each mistake is refused with its place, and what was pinned before stays."""
    assert put(customer, fault=MALFORMED).status_code == 200
    refused = put(customer, **body)
    assert (refused.status_code, refused.json()["pointer"]) == (400, pointer)
    assert [pin["fault"] for pin in pins(customer)] == [MALFORMED]


@pytest.mark.parametrize("kind", sorted((LOSING | SPOILING) - NEEDS_WIRE))
def test_shown_as_written(customer: Customer, kind: str) -> None:
    """A fault is listed with its pin, as it was asked for."""
    fault = {"kind": kind, "times": 3, "probability": 0.5, "seed": 1, **({"seconds": 2} if kind == "delay" else {})}
    pinned = put(customer, fault=fault, answers=["busy", {"status": 204}]).json()
    assert (pinned["fault"], pinned["left"], pinned["answers"]) == (fault, 3, ["busy", {"status": 204}])
    assert pins(customer) == [pinned]
    assert put(customer, answers=["busy"]).json()["fault"] is None


@pytest.mark.parametrize("kind", sorted(NEEDS_WIRE))
def test_a_fault_that_needs_our_server(customer: Customer, live: Live, kind: str) -> None:
    """An application cannot break its connection: another server's is told so, and pins nothing; ours can."""
    put(customer, fault=MALFORMED)
    refused = put(customer, fault={"kind": kind})
    assert (refused.status_code, refused.json()["pointer"]) == (409, "/body/fault/kind")
    assert refused.json()["detail"].startswith(f"{kind} breaks the connection, which only mockserver's own server can")
    assert [pin["fault"] for pin in pins(customer)] == [MALFORMED]
    account = requests.post(f"{live.url}/_mock/accounts", timeout=PATIENCE).json()["id"]
    body = {"account": account, "fault": {"kind": kind, "times": 2}}
    pinned = requests.put(f"{live.url}{PINS}", json=body, timeout=PATIENCE)
    assert (pinned.status_code, pinned.json()["fault"]) == (200, body["fault"])


def met(customer: Customer, **body: Any) -> str | None:
    """The fault that a message met."""
    call = customer.call(customer.send(json={**customer.good, **body}))
    fault: str | None = call["response"]["fault"]
    return fault


def test_used_up(customer: Customer) -> None:
    """What is left is shown, and a pin that is spent is gone; one for ever stays until it is taken away."""
    assert put(customer, fault={**MALFORMED, "times": 2}).json()["left"] == 2
    assert met(customer) == "malformed"
    assert pins(customer)[0]["left"] == 1
    assert [met(customer), met(customer), pins(customer)] == ["malformed", None, []]
    assert put(customer, fault={**MALFORMED, "times": None}).json()["left"] is None
    assert {met(customer) for _ in range(5)} == {"malformed"}
    assert customer.client.delete(f"/_mock/pins?account={customer.id}").status_code == 204
    assert met(customer) is None


def test_chance(customer: Customer) -> None:
    """Requests that chance spares use nothing up, and the same seed spares the same ones."""
    fault = {**MALFORMED, "times": 3, "probability": 0.4, "seed": 11}
    fates = []
    for _ in range(2):
        put(customer, fault=fault)
        fates.append([met(customer) for _ in range(30)])
    assert fates[0] == fates[1]
    assert (fates[0].count("malformed"), fates[0].count(None), pins(customer)) == (3, 27, [])


def test_for_some_requests_only(customer: Customer) -> None:
    """A pattern keeps a fault for the requests that fit it; others neither meet it nor use it up."""
    put(customer, fault=MALFORMED, where={"body": {"text": "hit"}})
    assert [met(customer), met(customer, text="miss"), met(customer, text="hit"), met(customer, text="hit")] == [
        None,
        None,
        "malformed",
        None,
    ]


def test_values_laid_over_a_spoilt_answer(customer: Customer) -> None:
    """A fault breaks the answer as the pin has it; headers may be set whatever the answer is."""
    put(customer, fault=MALFORMED, answers=["busy"], changes={"/body/busy": "very", "/header/X-Mood": "bad"})
    response = customer.send()
    assert (response.text, response.headers["x-mood"]) == ('{"busy":"very",', "bad")
    put(customer, fault={"kind": "delay", "seconds": 0}, changes={"/header/X-Mood": "good"})
    assert customer.send().headers["x-mood"] == "good"


def test_an_account_of_its_own(make: Make) -> None:
    """A fault is one account's, for one operation of it."""
    one, other = make(), make()
    put(one, fault={**MALFORMED, "times": None})
    assert (met(other), met(one), pins(other)) == (None, "malformed", [])
    response = one.send("/base/forms", data={"a": "1"}, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert one.call(response)["response"]["fault"] is None
