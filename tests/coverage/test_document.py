"""Coverage documents, merged."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.coverage.document import CoverageError, merge_documents, read_document
from mockserver.coverage.report import Selection, render_report, score
from mockserver.testing import MockServer
from tests.coverage.documents import answer, document, operation
from tests.properties import examples
from tests.testing.sending import send


def test_counts_are_added_and_tests_listed_once() -> None:
    """Natural and forced counts are added apart, and each test is listed once."""
    first = document(send=operation(sent=answer(200, 2, 0, "a", "b"), busy=answer(429)))
    second = document(send=operation(sent=answer(200, 1, 3, "b", "c"), busy=answer(429, 0, 1, "c")), version="0.2.0")
    merged = merge_documents({"one": first, "two": second})
    answers = merged["operations"]["acme.send"]["answers"]
    assert answers == {"sent": answer(200, 3, 3, "a", "b", "c"), "busy": answer(429, 0, 1, "c")}
    assert (merged["format"], merged["version"]) == (2, "0.1.0, 0.2.0")
    assert merged["contracts"] == first["contracts"]


def test_what_one_has_seen_is_seen() -> None:
    """A field or value stays unseen only if no document has seen it; 1 and true are two values."""
    first = operation(
        {"seen": ["/body/a"], "unseen": ["/body/b", "/body/c"]}, {"/q": {"seen": [1], "unseen": [True, 2]}}
    )
    second = operation(
        {"seen": ["/body/b"], "unseen": ["/body/a", "/body/c"]}, {"/q": {"seen": [2], "unseen": [1, True]}}
    )
    merged = merge_documents({"one": document(send=first), "two": document(send=second)})["operations"]["acme.send"]
    assert merged["fields"] == {"seen": ["/body/a", "/body/b"], "unseen": ["/body/c"]}
    assert json.dumps(merged["values"]) == '{"/q": {"seen": [1, 2], "unseen": [true]}}'


def test_faults_are_added() -> None:
    """Counts are added by kind; any other value there is merged."""
    first = operation(None, None, {"reset": 1, "delay": {"tests": ["a"], "times": 1}})
    second = operation(None, None, {"reset": 2, "empty": 1, "delay": {"tests": ["a", "b"], "times": 2}})
    merged = merge_documents({"one": document(send=first), "two": document(send=second)})["operations"]["acme.send"]
    assert merged["faults"] == {"reset": 3, "delay": {"tests": ["a", "b"], "times": 3}, "empty": 1}


def test_vendors_of_either_are_in_both() -> None:
    """A merged document has the contracts of all documents."""
    other = document(send=operation(sent=answer()))
    other["contracts"] = {"other": other["contracts"]["acme"]}
    other["operations"] = {"other.send": other["operations"]["acme.send"]}
    merged = merge_documents({"one": document(send=operation(sent=answer())), "two": other})
    assert list(merged["contracts"]) == ["acme", "other"]
    assert list(merged["operations"]) == ["acme.send", "other.send"]


def test_different_contracts_are_refused() -> None:
    """Counts of different contracts are never added; the error names both files."""
    first, second, third = document(), document(), document(contract="h2")
    with pytest.raises(CoverageError, match=r"one\.json and three\.json are of different contracts of acme: h1 .*h2"):
        merge_documents({"one.json": first, "two.json": second, "three.json": third})


@settings(deadline=None, database=None, max_examples=examples(50))
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.sampled_from("abc")), min_size=1, max_size=5))
def test_merging_in_steps_is_merging_at_once(counts: list[tuple[int, int, str]]) -> None:
    """Documents can be merged one after another, as workers end."""
    documents = [document(send=operation(sent=answer(200, *count))) for count in counts]
    at_once = merge_documents({str(number): part for number, part in enumerate(documents)})
    in_steps: Any = documents[0]
    for part in documents[1:]:
        in_steps = merge_documents({"before": in_steps, "now": part})
    assert in_steps["operations"] == at_once["operations"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "a.json is not JSON"),
        ("[]", "a.json is no coverage document"),
        ('{"format": 1, "operations": {}}', "a.json is no coverage document"),
        ('{"format": 1, "contracts": {}, "operations": {}}', "a.json has format 1; this mockserver reads format 2"),
        ('{"format": 2, "contracts": [], "operations": {}}', "a.json is no coverage document: /contracts: "),
        ('{"format": 2, "contracts": {}, "operations": []}', "a.json is no coverage document: /operations: "),
        ('{"format": 2, "contracts": {"x": 1}, "operations": {}}', "a.json is no .*: /contracts/x: 1 is not"),
        ('{"format": 2, "contracts": {}, "operations": {"a": {}}}', "a.json is no .*: /operations/a: .* required"),
        ('{"format": 2, "version": [], "contracts": {}, "operations": {}}', "a.json is no .*: /version: "),
        ("[" * 200_000, "a.json is not JSON"),
        ("9" * 5000, "a.json is not JSON"),
    ],
)
def test_what_is_no_document_is_told(text: str, message: str) -> None:
    """The error names the file and what is wrong with it."""
    with pytest.raises(CoverageError, match=message):
        read_document(text, "a.json")


def spoiled(value: Any, data: st.DataObject) -> Any:
    """The value with one thing in it changed, left out or added."""
    if isinstance(value, dict | list) and value and data.draw(st.integers(0, 5)):
        key = data.draw(st.sampled_from([*(value if isinstance(value, dict) else range(len(value)))]))
        members = dict(value) if isinstance(value, dict) else dict(enumerate(value))
        if data.draw(st.booleans()) and not isinstance(members[key], dict | list):
            del members[key]
        else:
            members[key] = spoiled(members[key], data)
        return members if isinstance(value, dict) else [*members.values()]
    return data.draw(st.sampled_from([None, -1, 10**30, 1.5, "", "x", [], [[]], {}, {"": 1}, True]))


@settings(deadline=None, database=None, max_examples=examples(200), derandomize=True)
@given(st.data())
def test_whatever_is_wrong_with_a_document_is_told(data: st.DataObject) -> None:
    """No file breaks the merge: it is counted, or refused by its name."""
    whole = document(
        send=operation(
            {"seen": ["/body"], "unseen": []},
            {"/x": {"seen": [1], "unseen": []}},
            {"reset": 1},
            sent=answer(200, 1, 0, "t"),
        )
    )
    text = json.dumps(spoiled(whole, data))
    with contextlib.suppress(CoverageError):
        merged = merge_documents({"a.json": read_document(text, "a.json"), "b.json": whole})
        assert render_report("text", merged, score(merged, Selection()), [])


def test_a_servers_own_document_is_read_and_merged(mock_server: MockServer) -> None:
    """The server's document is one that is read and merged here."""
    with mock_server.account(test="t::one") as account:
        send(account.polyai)
        read_back = read_document(json.dumps(mock_server.coverage(account.id)), "live")
    merged = merge_documents({"one": read_back, "two": read_back})
    sent = merged["operations"]["polyai.send_sms"]["answers"]["sent"]
    assert (sent["natural"], sent["forced"], sent["tests"]) == (2, 0, ["t::one"])
    assert merged.keys() == read_back.keys()
    assert merged["operations"]["polyai.send_sms"].keys() == read_back["operations"]["polyai.send_sms"].keys()
