"""Every exchange under fixtures/ replayed, however the application is served; every answer reached by one."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from mockserver.server.application import Application
from tests.evidence import ROOT, Replay, case_files, case_id, complaints, load_case
from tests.server.programs import in_process, replays_in

LEAST_PER_VENDOR = 15


@pytest.fixture(scope="module")
def replays(app: Application) -> dict[str, Replay]:
    return replays_in(app)


@pytest.mark.parametrize("file", case_files(), ids=case_id)
def test_exchange(file: Path, client: TestClient, replays: dict[str, Replay]) -> None:
    """The vendor's answer, evidence and body are those that the fixture shows, and the call is its account's."""
    case, replay = load_case(file), replays[file.parts[-3]]
    send = in_process(client)
    reply = send(replay.prepare(case, send))
    assert complaints(case, replay, reply) == []
    call = client.get(f"/_mock/calls/{reply.headers['x-mock-call']}").json()
    assert (call["account"], call["answer"], call["outcome"]) == (case["account"], case["answer"], "sent")


def test_every_answer_is_reached(app: Application) -> None:
    """No answer of any contract is without an exchange that shows it."""
    documented = {a.id for c in app.contracts for o in c.operations for a in o.answers.values()}
    assert documented - {load_case(file)["answer"] for file in case_files()} == set()


@pytest.mark.parametrize("vendor", sorted(file.parent.name for file in ROOT.glob("fixtures/*/accounts.yaml")))
def test_enough_evidence(vendor: str) -> None:
    """Each vendor has evidence enough to be trusted."""
    assert sum(file.parts[-3] == vendor for file in case_files()) >= LEAST_PER_VENDOR
