"""Every statement of the vendors' pages, held against the exchange that shows it; each answer, against documents.

``fixtures/<vendor>/page.yaml`` lists what a page states, ``fixtures/<vendor>/texts.yaml`` the bodies and texts that
documents show; their form is described in fixtures/README.md.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import jsonschema
import pytest

from mockserver.spec.answer_model import Answer
from mockserver.spec.load import load_contracts
from mockserver.spec.pointer import MISSING, Pointer, join
from mockserver.spec.source import read_yaml
from tests import test_documented_behaviour
from tests.evidence import ROOT, load_case

VENDORS = sorted(file.stem for file in (ROOT / "contracts").glob("*.yaml"))
FILLED = "\x00"  # stands in a sample where an exchange has a value of its own


@cache
def data(vendor: str, name: str) -> Any:
    """A vendor's data file; a fault in it fails the test that reads it."""
    file = ROOT / "fixtures" / vendor / f"{name}.yaml"
    source = read_yaml(str(file), file.read_text("utf-8"))
    assert not source.errors, source.errors
    return source.value


def statements() -> list[Any]:
    """Each statement of each page, with its vendor."""
    found = []
    for vendor in VENDORS:
        for section, listed in data(vendor, "page")["statements"].items():
            found += [
                pytest.param(vendor, statement, id=f"{vendor}-{section}-{number}")
                for number, statement in enumerate(listed)
            ]
    return found


@pytest.mark.parametrize(("vendor", "statement"), statements())
def test_statement(vendor: str, statement: Mapping[str, Any]) -> None:
    """It is shown by exchanges that have in request and response what it states, or there is a reason why by none."""
    ways = statement.keys() & {"shown_by", "shown_in", "unserved"}
    assert len(ways) == 1, statement
    assert statement.keys() - ways <= {"says", "request", "response"}
    assert statement["says"]
    assert statement.get("unserved", "why")
    if "shown_in" in statement:
        assert hasattr(test_documented_behaviour, statement["shown_in"])
    if "shown_by" in statement:
        assert statement["shown_by"]
        assert statement.keys() & {"request", "response"}
    for name in statement.get("shown_by", ()):
        case = load_case(ROOT / "fixtures" / vendor / "send_sms" / f"{name}.yaml")
        assert case["answer"].startswith(f"{vendor}.send_sms/")
        for part in ("request", "response"):
            assert list(unlike(case[part], statement.get(part, {}))) == [], name


def unlike(part: Any, conditions: Mapping[str, Any]) -> Iterator[str]:
    """Where a part of a case does not fit the schemas by pointer; false asks that there is no value."""
    for pointer, schema in conditions.items():
        value = Pointer.parse(pointer).get(part)
        if value is MISSING:
            if schema is not False and "not" not in (schema if isinstance(schema, dict) else {}):
                yield f"{pointer} is missing"
        else:
            yield from (
                f"{pointer}: {error.message}" for error in jsonschema.Draft202012Validator(schema).iter_errors(value)
            )


@cache
def answers(vendor: str) -> list[Answer]:
    """Every answer of a vendor's contract."""
    (contract,) = load_contracts([ROOT / "contracts" / f"{vendor}.yaml"])
    operations = [operation for operation in contract.operations if operation.name == operation.spelling]
    return [answer for operation in operations for answer in operation.answers.values()]


def members(answer: Answer) -> list[tuple[str, Any]]:
    """Pointer and value of each innermost member of the body, in order; FILLED where an exchange has its own."""
    text = json.dumps(FILLED).encode().join(answer.body)
    return list(leaves(json.loads(text))) if text else []


def leaves(value: Any, *at: str | int) -> Iterator[tuple[str, Any]]:
    """Pointer and value of each innermost member."""
    if isinstance(value, dict | list) and value:
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(item, *at, key)
    else:
        yield join(*at), value


def like(pattern: str, pointer: str) -> bool:
    """Whether a pointer is this one, where * is any token."""
    return re.fullmatch(re.escape(pattern).replace(r"\*", "[^/]+"), pointer) is not None


def has_body(entry: Mapping[str, Any], answer: Answer) -> bool:
    """Whether an answer's body has just the members of this one, in their order, under the status."""
    pointers = [pointer for pointer, _ in members(answer)]
    return (
        entry.get("status", answer.status) == answer.status
        and len(pointers) == len(entry["members"])
        and all(map(like, entry["members"], pointers))
    )


def has_text(entry: Mapping[str, Any], answer: Answer, text: str) -> bool:
    """Whether a text of an answer is this one, %s and %d standing for any, beside these values, under the status."""
    pattern = re.sub(r"%(?:1\\\$)?[sd]", ".+", re.escape(entry["text"]))
    found = dict(members(answer))
    return (
        entry.get("status", answer.status) == answer.status
        and re.fullmatch(pattern, text) is not None
        and all(found.get(pointer) == value for pointer, value in entry.get("beside", {}).items())
    )


def texts(answer: Answer) -> list[str]:
    """The literal texts of an answer."""
    return [value for _, value in members(answer) if isinstance(value, str) and value not in {FILLED, ""}]


@pytest.mark.parametrize("answer", [pytest.param(a, id=a.id) for vendor in VENDORS for a in answers(vendor)])
def test_answer(answer: Answer) -> None:
    """Its body and its texts are documented ones, or it is said why they are not."""
    known = data(answer.id.partition(".")[0], "texts")
    assert [entry for entry in known["bodies"] if has_body(entry, answer)], members(answer)
    for text in texts(answer):
        assert len([entry for entry in known["texts"] if has_text(entry, answer, text)]) == 1, text


@pytest.mark.parametrize("vendor", VENDORS)
def test_documented_bodies_and_texts(vendor: str) -> None:
    """Each says which document has it or why it is ours, and stands in an answer."""
    known, served = data(vendor, "texts"), answers(vendor)
    for entry in [*known["bodies"], *known["texts"]]:
        assert entry.get("document") or entry.get("ours"), entry
        assert entry.keys() <= {"members", "text", "status", "beside", "document", "ours"}
    assert [entry for entry in known["bodies"] if not any(has_body(entry, a) for a in served)] == []
    spoken = [(answer, text) for answer in served for text in texts(answer)]
    assert [entry for entry in known["texts"] if not any(has_text(entry, *one) for one in spoken)] == []


@pytest.mark.parametrize(
    ("vendor", "member", "other"),
    [("voximplant", "/error/msg", "Unknown command."), ("polyai", "/detail", "Nope.")],
)
def test_it_bites(vendor: str, member: str, other: str) -> None:
    """A text that is not the document's, and a member that no document shows, are found."""
    known = data(vendor, "texts")
    answer = next(a for a in answers(vendor) if member in dict(members(a)))
    assert not any(has_text(entry, answer, other) for entry in known["texts"])
    longer = replace(answer, body=(answer.body[0][:-1] + b', "errors": []}',))
    assert not any(has_body(entry, longer) for entry in known["bodies"])
