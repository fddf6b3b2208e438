"""Why a call got its answer: the contract's lines, and the pins that did not apply."""

from typing import Any

import pytest

from tests.engine.workbench import ACME
from tests.server.acme_customer import Customer


def why(customer: Customer, response: Any) -> dict[str, Any]:
    found = customer.client.get(f"/_mock/calls/{response.headers['x-mock-call']}/why")
    assert found.status_code == 200
    shape: dict[str, Any] = found.json()
    return shape


def pin(customer: Customer, **body: Any) -> str:
    put = customer.client.put("/_mock/pins/acme.send_sms", json={"account": customer.id, **body})
    assert put.status_code == 200, put.text
    return str(put.json()["id"])


def test_the_rule(customer: Customer) -> None:
    """The lines around the one that chose, as the file has them."""
    response = customer.send(json={**customer.good, "text": "t" * 30})
    rule = why(customer, response)["rule"]
    lines = ACME.read_text("utf-8").splitlines()
    assert f"{rule['file']}:{rule['line']}" == response.headers["x-mock-rule"]
    assert rule["lines"] == lines[rule["first"] - 1 : rule["first"] - 1 + len(rule["lines"])]
    assert rule["first"] < rule["line"] < rule["first"] + len(rule["lines"])


def test_no_rule(customer: Customer) -> None:
    """Nothing chose an ordinary success, and nothing a path of no operation."""
    assert why(customer, customer.send()) == {"rule": None, "pins": []}
    assert why(customer, customer.send("/nowhere")) == {"rule": None, "pins": []}


def test_a_file_that_is_gone(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The contract was read when the server started; its file may be another one now."""

    def gone(_file: Any) -> str:
        raise OSError

    monkeypatch.setattr("mockserver.server.control.why.read_text", gone)
    assert why(customer, customer.send(json={}))["rule"] is None


def test_pins_that_did_not_apply(customer: Customer) -> None:
    """The nearest first, each with what kept it; the one that answered is not among them."""
    far = pin(customer, answers=["closed"], where={"json": {"to": "+1999", "text": "x"}})
    near = pin(customer, answers=["closed"], where={"json": {"to": "+1999"}})
    success = pin(customer, answers=["sent"])
    refused = why(customer, customer.send(json={**customer.good, "text": "t" * 30}))["pins"]
    assert [one["id"] for one in refused] == [success, near, far]
    assert refused[0]["reason"] == "its answer is for requests without problems"
    assert refused[1]["differences"] == [{"pointer": "/json/to", "expected": "+1999", "found": customer.good["to"]}]
    assert refused[2]["differences"][1]["expected"] == "x"
    answered = why(customer, customer.send())["pins"]
    assert {one["id"] for one in answered} == {near, far}


def test_another_pin_or_a_later_one(customer: Customer) -> None:
    """A call is told of pins that came after it, too, and why they could not answer it."""
    first = pin(customer, answers=["closed"])
    second = pin(customer, answers=["closed"], replace=False)
    response = customer.send()
    later = pin(customer, answers=["sent"])
    reasons = {one["id"]: one["reason"] for one in why(customer, response)["pins"]}
    assert reasons == {second: "another pin answered first", later: "it was made after the call"}
    assert first not in reasons


def test_a_pin_that_chance_kept_away(customer: Customer) -> None:
    """A fault may spare a request."""
    spared = pin(customer, fault={"kind": "delay", "seconds": 0.01, "probability": 0.0, "times": None})
    (one,) = why(customer, customer.send())["pins"]
    assert (one["id"], one["fault"]["kind"]) == (spared, "delay")
    assert "spared" in one["reason"]


def test_secrets_are_masked(customer: Customer) -> None:
    """In what was expected, and in what was found."""
    pin(customer, answers=["closed"], where={"headers": {"x-key": "another-secret-key"}})
    shape = why(customer, customer.send())
    assert customer.mine["key"] not in str(shape)
    assert "another-secret-key" not in str(shape)
