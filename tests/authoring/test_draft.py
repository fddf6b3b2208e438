"""Drafts: what is unfinished is served, and says so; what is wrong is still an error."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from mockserver.authoring.draft import read_draft
from mockserver.authoring.skeleton import skeleton
from mockserver.server.application import create_app
from mockserver.server.settings import Settings
from mockserver.spec.errors import ContractErrors
from mockserver.spec.load import read_contracts
from tests.authoring.raw import RAW


def served(file: Path) -> TestClient:
    return TestClient(create_app(Settings(builtin=False), drafts=dict([read_draft(file)])), base_url="http://localhost")


def test_a_raw_file(tmp_path: Path) -> None:
    """It answers by its own examples and refuses what its schema refuses; the vendor is named as its file is."""
    file = tmp_path / "Acme-SMS.yaml"
    file.write_text(RAW, "utf-8")
    with served(file) as client:
        sent = client.post("/v1/messages", json={"to": "+12025550123"})
        assert (sent.status_code, sent.json(), sent.headers["x-mock-evidence"]) == (201, {"id": "abc"}, "draft")
        assert sent.headers["x-mock-answer"] == "acme_sms.send_sms/sent"
        refused = client.post("/v1/messages", json={})
        assert (refused.status_code, refused.headers["x-mock-rule"]) == (400, "draft")  # no line of it is on disk


def test_which_operation_sends(tmp_path: Path) -> None:
    """Of all that a file posts, the one that has a recipient is the one that sends."""
    other = "  /accounts:\n    post: {operationId: createAccount, responses: {200: {description: Ok}}}\n"
    file = tmp_path / "acme.yaml"
    file.write_text(RAW.replace("paths:\n", f"paths:\n{other}"), "utf-8")
    with served(file) as client:
        assert client.post("/v1/accounts").headers["x-mock-answer"] == "acme.create_account/sent"
        sent = client.post("/v1/messages", json={"to": "+12025550123"})
        assert sent.headers["x-mock-answer"] == "acme.send_sms/sent"


def test_an_unfinished_contract(tmp_path: Path) -> None:
    """Without the rule for what is wrong it is refused elsewhere; a draft is served, and has an answer of its own."""
    file = tmp_path / "acme.yaml"
    left_out = ("problem: any", "  rules:", '    "400":')
    kept = [line for line in skeleton("acme").splitlines() if not any(text in line for text in left_out)]
    file.write_text("\n".join(kept), "utf-8")
    errors = read_contracts([file])[1]
    assert errors
    assert all(error.unfinished for error in errors)
    with served(file) as client:
        login = {"X-Api-Key": client.post("/_mock/accounts", json={}).json()["vendors"]["acme"]["tokens"]["Key"]}
        sms = {"to": "+12025550123", "text": "Hi"}
        replies = [client.post("/messages", json=body, headers=login) for body in (sms, {})]
        assert [reply.status_code for reply in replies] == [202, 400]
        assert replies[1].json() == {"type": "about:blank", "title": "Invalid", "status": 400}
        assert (replies[1].headers["x-mock-answer"], replies[1].headers["x-mock-rule"]) == (
            "acme.send_sms/draft_invalid",
            "draft",
        )
        assert client.post("/messages", json=sms).headers["x-mock-answer"] == "acme.send_sms/unauthorized"
        assert client.put("/messages", json=sms).headers["x-mock-answer"] == "acme.send_sms/method_not_allowed"
        assert {reply.headers["x-mock-evidence"] for reply in replies} == {"draft"}


def test_what_is_wrong(tmp_path: Path) -> None:
    """A file that is not there, or no YAML, is told as of any contract."""
    broken = tmp_path / "broken.yaml"
    with pytest.raises(ContractErrors, match="cannot be read"):
        served(broken)
    broken.write_text("[", "utf-8")
    with pytest.raises(ContractErrors, match="not YAML"):
        served(broken)
