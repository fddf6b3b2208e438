"""What the benchmarks send, and what each server is told to make of it."""

import json
from pathlib import Path

import pytest

from benchmarks import stubs
from benchmarks.growth import write_contract
from benchmarks.peers import NotInstalledError, peers, program
from benchmarks.scenarios import SCENARIOS, invalid_sends, scenario, send, wire
from mockserver.spec.load import contract_files, load_contracts

INVALID = ["wrong key", "missing field", "wrong type"]


def test_wire() -> None:
    """A request is one HTTP/1.1 message whose length is right, and without the zero byte that separates requests."""
    for name in SCENARIOS:
        for request in scenario(name):
            head, _, body = wire(request).partition(b"\r\n\r\n")
            assert head.startswith(f"{request.method} {request.path} HTTP/1.1\r\n".encode())
            assert f"content-length: {len(body)}".encode() in head
            assert b"\0" not in head + body
    assert len(scenario("mixed")) == 5


def test_invalid_sends_are_wrong_in_one_thing() -> None:
    """Each differs from the good one in what its name says."""
    good, wrong = send(), invalid_sends()
    assert list(wrong) == INVALID
    assert wrong["wrong key"].body == good.body
    assert json.loads(wrong["missing field"].body).keys() == {"message"}
    assert wrong["wrong type"].body == good.body.replace('"+14155551234"', "14155551234")


def test_peers_know_both_credentials(tmp_path: Path) -> None:
    """Each peer's stub names both values; the document is the contract's but for its parameters."""
    stub = stubs.stub()
    stubs.write_wiremock(stub, tmp_path)
    wiremock = (tmp_path / "mappings/send.json").read_text("utf-8")
    texts = [stubs.openapi(stub), stubs.mockoon(stub, by_schema=True), stubs.mockoon(stub, by_schema=False), wiremock]
    for text in texts:
        json.loads(text)
        assert stub.good.headers["x-polyai-auth-token"] in text
        assert stub.good.headers["x-token-id"] in text
    assert stub.schema["properties"]["user_number"] == {
        "description": "Recipient phone number in E.164 format.",
        "type": "string",
        "pattern": r"^\+[1-9][0-9]{1,14}$",
    }
    assert "x-mock" in json.dumps(stub.document)


def test_a_peer_that_cannot_be_installed_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the programs that a peer needs there is a reason to show, and no folder or process is left."""
    monkeypatch.setenv("PATH", str(tmp_path))
    for peer in peers(stubs.stub()):
        with pytest.raises(NotInstalledError, match="npm is missing"):
            program(peer, tmp_path / "own")
    assert not (tmp_path / "own").exists()


@pytest.mark.parametrize("size", [1, 20])
def test_grown_contract(size: int, tmp_path: Path) -> None:
    """A contract of so many operations, each under its own path with all of the original's answers."""
    paths = write_contract(tmp_path, size)
    (contract,) = load_contracts(contract_files([tmp_path]))
    grown = [operation for operation in contract.operations if operation.path in paths]
    assert [operation.path for operation in grown] == paths
    assert len({operation.id for operation in grown}) == size
    assert {len(operation.answers) for operation in grown} == {len(grown[0].answers)}
