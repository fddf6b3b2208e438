"""Every exchange under fixtures/ replayed, and every answer of every contract reached by one."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from mockserver.server.application import Application
from tests.evidence import ROOT, Replay, case_files, case_id, differences, load_case

LEAST_PER_VENDOR = 15


@pytest.fixture(scope="module")
def replays(app: Application) -> dict[str, Replay]:
    accounts = {account.id: account for account in asyncio.run(app.store.accounts())}
    return {contract.vendor: Replay(contract, accounts, time.time()) for contract in app.contracts}


@pytest.mark.parametrize("file", case_files(), ids=case_id)
def test_exchange(file: Path, client: TestClient, replays: dict[str, Replay]) -> None:
    """The vendor's answer, evidence and body are those that the fixture shows, and the call is its account's."""
    case, replay = load_case(file), replays[file.parts[-3]]
    sent = replay.request(case)
    response = client.request(sent.method, sent.url, headers=sent.headers, content=sent.content)
    assert response.headers["x-mock-answer"] == case["answer"], (response.headers, response.text)
    expected = replay.value(case["response"])
    assert expected.keys() <= {"status", "headers", "json", "text"}
    found: dict[str, Any] = {"status": response.status_code}
    if "json" in expected:
        found["json"] = response.json()
    else:
        expected.setdefault("text", "")
        found["text"] = response.text
    if "headers" in expected:
        found["headers"] = {name: response.headers.get(name) for name in expected["headers"]}
    assert list(differences(expected, found)) == []
    call = client.get(f"/_mock/calls/{response.headers['x-mock-call']}").json()
    assert (call["account"], call["answer"], call["outcome"]) == (case["account"], case["answer"], "sent")


def test_every_answer_is_reached(app: Application) -> None:
    """No answer of any contract is without an exchange that shows it."""
    documented = {a.id for c in app.contracts for o in c.operations for a in o.answers.values()}
    assert documented - {load_case(file)["answer"] for file in case_files()} == set()


@pytest.mark.parametrize("vendor", sorted(file.parent.name for file in ROOT.glob("fixtures/*/accounts.yaml")))
def test_enough_evidence(vendor: str) -> None:
    """Each vendor has evidence enough to be trusted."""
    assert sum(file.parts[-3] == vendor for file in case_files()) >= LEAST_PER_VENDOR
