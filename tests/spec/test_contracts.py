"""The contracts that are shipped, and the vocabulary they are written in."""

import json
from importlib.resources import files
from typing import Any

import jsonschema
import pytest

from mockserver.spec.answers import CANONICAL_STATUSES
from mockserver.spec.evidence import GRADES
from mockserver.spec.load import contract_files, load_contracts
from mockserver.spec.model import Contract
from mockserver.spec.reader import explain_block
from tests.evidence import ROOT

CONTRACTS = {contract.vendor: contract for contract in load_contracts(contract_files([ROOT / "contracts"]))}
VOCABULARY: dict[str, Any] = json.loads(files("mockserver.spec").joinpath("x-mock.schema.json").read_text("utf-8"))
WITHOUT = {
    "avaamo": {"unauthorized"},  # it takes no credential
    "opentact": {"forbidden"},  # its keys have no scopes
}

every_contract = pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)


def test_five() -> None:
    """There are contracts of five vendors."""
    assert sorted(CONTRACTS) == ["avaamo", "koreai", "opentact", "polyai", "voximplant"]


@every_contract
def test_evidence(contract: Contract) -> None:
    """Every part of every answer says where it was seen or why it is assumed, in a line."""
    answers = [answer for operation in contract.operations for answer in operation.answers.values()]
    for answer in answers:
        for part in answer.evidence.parts.values():
            assert part is None or (part.grade in GRADES and len(part.why) > 4 and "\n" not in part.why), answer.id


@every_contract
def test_names(contract: Contract) -> None:
    """Each vendor's send operation is send_sms, its success sent, and its refusals have the promised names."""
    send = next(operation for operation in contract.operations if operation.name == operation.spelling == "send_sms")
    assert send.success is send.answers["sent"]
    assert send.success.accepted
    expected = CANONICAL_STATUSES.keys() - WITHOUT.get(contract.vendor, set())
    assert CANONICAL_STATUSES.keys() & send.answers.keys() == expected
    assert [name for name in expected if send.answers[name].accepted] == []
    assert send.recipient is not None
    assert expected <= {answer.name for answer in send.magic.values()}


@every_contract
def test_answers_are_ready(contract: Contract) -> None:
    """An answer's bytes are the literal sample, which fits its schema."""
    for operation in contract.operations:
        for answer in operation.answers.values():
            literal = [text for _, text, _ in answer.fills]
            body = b"".join(part for pair in zip(answer.body, [*literal, b""], strict=True) for part in pair)
            if answer.schema is not None:
                assert json.loads(body) == answer.sample
                assert answer.schema.is_valid(answer.sample)


def test_vocabulary() -> None:
    """The vocabulary is a JSON Schema, closed wherever it describes a mapping of its own."""
    jsonschema.Draft202012Validator.check_schema(VOCABULARY)
    for name in ("document", "operation", "rule", "answer", "security_scheme", "jwt", "schema", "grade", "page"):
        assert VOCABULARY["$defs"][name]["additionalProperties"] is False


@pytest.mark.parametrize("kind", ["document", "operation", "answer", "security_scheme", "schema"])
def test_vocabulary_knows_its_parts(kind: str) -> None:
    """Each place of x-mock has its part of the vocabulary, in which an unknown key is an error."""
    assert [path for path, _ in explain_block(kind, {"nonsense": 1}) if path == ["nonsense"]] == [["nonsense"]]
    assert [path for path, _ in explain_block(kind, "nonsense")] == [[]]
