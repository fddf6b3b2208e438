"""Contract coverage as it is shown: every documented answer, met or not."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from starlette.testclient import TestClient

import mockserver
from mockserver.coverage.tally import Coverage, Tally, contract_hash, coverage_shape, value_key
from mockserver.server.application import create_app
from mockserver.server.control.contracts import description
from mockserver.spec.load import load_contracts
from mockserver.spec.pointer import Pointer
from tests.engine.workbench import ACME, acme, arrive, operation, parse, recorded
from tests.server.acme_customer import SETTINGS, Customer
from tests.server.conftest import Make

SEND = "acme.send_sms"


def covered(customer: Customer, **query: str) -> dict[str, Any]:
    """What the customer met, or whoever is asked for."""
    response = customer.client.get("/_mock/coverage", params={"account": customer.id, **query})
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document


def met(document: dict[str, Any], name: str = SEND) -> dict[str, tuple[int, int]]:
    """Natural and forced counts of the answers of an operation that were met."""
    answers = document["operations"][name]["answers"]
    return {key: (one["natural"], one["forced"]) for key, one in answers.items() if one["natural"] or one["forced"]}


def test_nothing_met_is_all_there_is(customer: Customer) -> None:
    """Every answer of every operation with a count of nought, and its status and evidence; in the documented shape."""
    document = covered(customer)
    schema = {**description(), "$ref": "#/components/schemas/Coverage"}
    jsonschema.Draft202012Validator(schema).validate(document)
    assert (document["format"], document["version"]) == (2, mockserver.__version__)
    assert document["contracts"] == {"acme": {"hash": contract_hash(acme()), "version": "1"}}
    assert list(document["operations"]) == [one.id for one in acme().operations]
    assert all(met(document, name) == {} for name in document["operations"])
    assert document["operations"][SEND]["answers"]["too_long"] == {
        "status": 400, "evidence": "assumed", "natural": 0, "forced": 0, "tests": [],
    }  # fmt: skip
    assert document["operations"][SEND]["fields"]["seen"] == []
    assert document["operations"][SEND]["faults"] == {}


def test_what_a_client_met(customer: Customer) -> None:
    """By the rules, or forced by pin, preference and magic; a literal answer counts as none."""
    pin = {"account": customer.id, "answers": ["busy", {"status": 418}, "rules"]}
    customer.client.put(f"/_mock/pins/{SEND}", json=pin)
    for _ in range(4):
        customer.send(json={**customer.good, "text": "Hi"})
    customer.send(headers={"Prefer": "example=delayed"})
    customer.send(json={**customer.good, "to": "+15005550503"})
    customer.send(json={"from": "1"})
    document = covered(customer)
    assert met(document) == {"sent": (2, 0), "delayed": (0, 1), "refused": (1, 0), "busy": (0, 2)}
    fields = document["operations"][SEND]["fields"]
    assert fields["seen"] == ["/body/from", "/body/to", "/body/text"]
    assert fields["unseen"] == ["/header/x-trace", "/body/instead", "/body/sender", "/body/code", "/body/when"]


def test_a_header_is_seen(customer: Customer) -> None:
    """However the client or the contract wrote it."""
    customer.send(headers={"x-TRACE": "1"})
    assert "/header/x-trace" in covered(customer)["operations"][SEND]["fields"]["seen"]


def test_values_of_few(customer: Customer) -> None:
    """Where a parameter has a few values only, those that were sent and those that were not."""
    for query in ("flag=1", "flag=maybe", "whole=5"):
        customer.send(f"/base/typed/5?{query}", "GET")
    found = covered(customer)["operations"]["acme.get_typed"]
    assert found["values"] == {"/query/flag": {"seen": [True], "unseen": [False]}}
    assert found["fields"] == {"seen": ["/path/number", "/query/flag", "/query/whole"], "unseen": ["/query/real"]}


def test_values_of_any_kind() -> None:
    """Lists, null, and numbers that Python takes for booleans are told apart."""
    allowed = ([1], 1, True, None, "1", {"a": 1})
    one = replace(operation("send_sms"), enumerated=((Pointer.parse("/body/v"), allowed),))
    coverage, call = Coverage(), recorded(operation=SEND, answer=f"{SEND}/sent")
    contract = (replace(acme(), operations=(one,)),)
    sends: list[tuple[Any, list[Any]]] = [([1], [[1]]), (1.0, [[1], 1]), ({"a": 1}, [[1], 1, {"a": 1}])]
    for sent, seen in sends:
        coverage.add(call, parse(one, arrive("send_sms", body={"v": sent})))
        found = coverage_shape(contract, coverage.total)["operations"][SEND]["values"]["/body/v"]
        assert [value_key(value) for value in found["seen"]] == [value_key(value) for value in seen]
        assert len(found["seen"]) + len(found["unseen"]) == len(allowed)


def test_faults_and_other_spellings() -> None:
    """Faults by kind; an operation that is another's spelling is not listed beside it."""
    tally = Tally()
    tally.faults[SEND]["reset"] = 2
    one = operation("send_sms")
    contract = replace(acme(), operations=(one, replace(one, spelling="send_sms_too", declared=())))
    (found,) = coverage_shape((contract,), tally)["operations"].values()
    assert (found["faults"], len(found["fields"]["unseen"])) == ({"reset": 2}, len(one.declared))


def test_faults_met(customer: Customer) -> None:
    """A fault counts beside the answer that it spoilt."""
    pin = {"account": customer.id, "answers": ["busy"], "fault": {"kind": "malformed"}}
    assert customer.client.put(f"/_mock/pins/{SEND}", json=pin).status_code == 200
    customer.send()
    document = covered(customer)
    assert document["operations"][SEND]["faults"] == {"malformed": 1}
    assert met(document) == {"busy": (0, 1)}


def test_tests_are_named(acme_client: TestClient) -> None:
    """By the id that the account was made for."""
    made = acme_client.post("/_mock/accounts", json={"test": "tests/test_app.py::test_it[é]"}).json()
    customer = Customer(acme_client, made)
    customer.send()
    document = covered(customer)
    assert document["operations"][SEND]["answers"]["sent"]["tests"] == ["tests/test_app.py::test_it[é]"]
    acme_client.delete(f"/_mock/accounts/{customer.id}")


def test_it_outlives_calls_and_accounts() -> None:
    """The journal keeps two, is reset, the account goes; the total knows it all, and counts all accounts together."""
    settings = replace(SETTINGS, max_journal_calls=2)
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        one, other = Customer.made(client), Customer.made(client)
        for _ in range(4):
            one.send()
        other.send()
        client.post(f"/_mock/accounts/{one.id}/reset")
        assert met(covered(one)) == {"sent": (4, 0)}
        assert met(covered(other)) == {"sent": (1, 0)}
        client.delete(f"/_mock/accounts/{one.id}")
        gone = client.get("/_mock/coverage", params={"account": one.id})
        assert (gone.status_code, gone.json()["pointer"]) == (404, "/query/account")
        assert met(client.get("/_mock/coverage").json()) == {"sent": (5, 0)}


def test_accounts_are_apart(make: Make) -> None:
    """What one met, the other did not."""
    one, other = make(), make()
    one.send()
    assert (met(covered(one)), met(covered(other))) == ({"sent": (1, 0)}, {})


@pytest.mark.parametrize(
    ("query", "status", "pointer"),
    [
        ("account=nobody", 404, "/query/account"),
        ("account=unclaimed", 404, "/query/account"),
        ("vendor=acme", 400, "/query/vendor"),
        ("account=a&account=b", 400, "/query/account"),
    ],
)
def test_refused(acme_client: TestClient, query: str, status: int, pointer: str) -> None:
    """Each mistake is told where it is."""
    response = acme_client.get(f"/_mock/coverage?{query}")
    assert (response.status_code, response.json()["pointer"]) == (status, pointer)


def test_the_hash_is_of_what_a_contract_says(tmp_path: Path) -> None:
    """Not of how it is written: another order and no comments are the same; another status is not."""
    document = yaml.safe_load(ACME.read_text("utf-8"))
    rewritten, changed = tmp_path / "same" / "acme.yaml", tmp_path / "other" / "acme.yaml"
    for file in (rewritten, changed):
        file.parent.mkdir()
    rewritten.write_text(yaml.safe_dump(document, sort_keys=True), "utf-8")
    document["info"]["description"] = "Another text."
    changed.write_text(yaml.safe_dump(document), "utf-8")
    same, other = (contract_hash(load_contracts([file])[0]) for file in (rewritten, changed))
    assert same == contract_hash(acme()) != other
