"""What a document says once for all of its operations."""

import json

import pytest

from mockserver.spec.errors import ContractError
from mockserver.spec.model import Contract
from mockserver.spec.source import read_yaml
from tests.spec.writing import SMALL, changed, contract, errors_of

ACCOUNT = "x-mock:\n  account:\n"
SHARED = """x-mock:
  gates:
    - {problem: method, answer: method_not_allowed}
  rules:
    - {when: {/account/key: {const: broken}}, answer: server_error}
    - {problem: any, answer: invalid}
  responses:
    "400":
      description: Refused.
      headers: {X-Shared: {schema: {type: string}, example: all}}
      content:
        application/json; charset=utf-8:
          schema: {type: object, required: [shared]}
          examples:
            invalid: {value: {shared: 0}, x-mock: {evidence: {page: page 9}}}
            spare: {value: {shared: 1}, x-mock: {evidence: {page: page 9}}}
    "500":
      description: Broken.
      x-mock: {name: server_error, evidence: {assumed: A guess.}}
    "405": {description: No., x-mock: {name: method_not_allowed, evidence: {page: page 9}}}
  account:
"""
OWN_METHOD = "          - {problem: method, answer: method_not_allowed}\n"
OWN_ANY = "          - {problem: any, answer: invalid}\n"


EDITS = ((ACCOUNT, SHARED), (OWN_METHOD, ""), (OWN_ANY, ""))


def shared(*edits: tuple[str, str]) -> Contract:
    """The small contract with shared rules in place of some of its own, and shared responses."""
    return contract(*EDITS, *edits)


def errors_with(old: str, new: str) -> list[ContractError]:
    """The errors where the shared part is written differently."""
    assert SHARED.count(old) == 1
    return errors_of(changed(*EDITS[1:], (ACCOUNT, SHARED.replace(old, new))))


def test_rules() -> None:
    """Gates come before an operation's own rules, the others after them; a spelling has them too."""
    for operation in shared().operations[:2]:
        first, last = operation.rules[0], operation.rules[-1]
        assert (first.kinds, first.answer.name) == (frozenset({"method"}), "method_not_allowed")
        assert (last.kinds, last.answer.name) == (None, "invalid")
        assert operation.rules[-2].answer.name == "server_error"


def test_examples_join_those_of_the_same_status_and_type() -> None:
    """But not where the operation has an answer of that name; schemas and headers are those of both."""
    send = shared().operations[0]
    assert send.answers["invalid"].sample != {"shared": 0}
    assert send.answers["spare"].sample == {"shared": 1}
    assert send.answers["spare"].status == send.answers["invalid"].status == 400
    assert send.answers["server_error"].body == (b"",)
    schema = send.answers["invalid"].schema
    assert schema is not None
    assert schema.is_valid({"shared": 1})
    assert schema.is_valid(send.answers["invalid"].sample)
    assert b"x-shared" in {name for name, _, _ in send.answers["invalid"].headers}


def test_the_document_is_shown_joined() -> None:
    """A spelling without responses shows those of its operation."""
    spelling = "      requestBody: *body\n"
    document = shared((spelling + '      responses: {"401": *plain}\n', spelling)).document
    for path in ("/sms/{batch}", "/sms/{batch}/"):
        responses = document["paths"][path]["post"]["responses"]
        (media,) = responses["400"]["content"].values()
        assert {"invalid", "spare"} <= media["examples"].keys()
        assert len(media["schema"]["anyOf"]) == 2
        assert responses["500"]["x-mock"]["name"] == "server_error"


def test_a_rule_that_no_operation_meets() -> None:
    """It is an error where it stands."""
    messages = [(error.pointer, error.message) for error in errors_with("{problem: any,", "{problem: limited, at: /x,")]
    assert ("/x-mock/rules/1", "a rule never reachable: no operation can meet it") in messages


def test_a_rule_about_a_record_that_an_operation_does_not_name() -> None:
    """It holds where the record is bound, and does nothing elsewhere."""
    open_lines = SHARED.replace("{/account/key: {const: broken}}", "{/owned/lines/open: {const: false}}")
    changes = (ACCOUNT, open_lines), *EDITS[1:]
    send, _, command = contract(*changes).operations
    assert [rule.answer.name for rule in send.conditions] == ["closed", "server_error"]
    assert command.conditions == ()


def test_an_own_rule_behind_a_gate() -> None:
    """A gate that answers all that an operation's own rule would, makes that rule an error."""
    (error,) = errors_of(changed(*EDITS[::2]))
    assert error.message == "a rule never reachable: the rules before it answer all that it would"


def test_a_shared_response_without_a_body_cannot_join_one_with_one() -> None:
    """The error is at the shared response."""
    messages = [(error.pointer, error.message) for error in errors_with('"500":', '"401":')]
    assert ("/x-mock/responses/401", "401 has no body in one place: its answers cannot join") in messages


@pytest.mark.parametrize("member", ["content", "headers"])
@pytest.mark.parametrize("by", ["an operation", "all"])
def test_a_member_that_is_no_mapping(member: str, by: str) -> None:
    """Whoever wrote it so is told, at its line."""
    document = read_yaml("acme.yaml", changed(*EDITS)).value
    shared_part = document["x-mock"]["responses"]
    responses = shared_part if by == "all" else next(iter(document["paths"].values()))["post"]["responses"]
    responses["400"][member] = ["text"]
    errors = errors_of(json.dumps(document))
    assert [error for error in errors if error.message == f"'{member}' must be a mapping"], errors


def test_a_fault_of_a_shared_answer_has_its_place() -> None:
    """It is told once, at the line where it is written."""
    errors = errors_with("value: {shared: 1}", "value: {share: 1}")
    (line,) = (number for number, text in enumerate(changed(*EDITS).splitlines(), 1) if "            spare:" in text)
    assert {error.line for error in errors} == {line}
    assert all("/examples/spare/value" in error.pointer for error in errors)


KNOWN = 'x-mock:\n  known: {"GET /sms/{batch}": Show, "PUT /lists": Lists}\n  account:\n'
PAGES = 'x-mock:\n  pages: [{url: "https://acme.test/docs", read: "2026-11-26"}]\n  account:\n'


def test_known() -> None:
    """Methods that nobody answers, by path; one that the contract answers is an error."""
    assert contract((ACCOUNT, KNOWN)).known == {"/sms/{batch}": {"GET": "Show"}, "/lists": {"PUT": "Lists"}}
    (error,) = errors_of(SMALL.replace(ACCOUNT, KNOWN.replace("GET", "POST")))
    assert (error.pointer, error.message) == (
        "/x-mock/known/POST ~1sms~1{batch}",
        "POST /sms/{batch} is mocked: the contract has an operation there",
    )


def test_pages() -> None:
    """Addresses, and the day on which each was read."""
    (page,) = contract((ACCOUNT, PAGES)).pages
    assert (page.url, page.read) == ("https://acme.test/docs", "2026-11-26")


@pytest.mark.parametrize("read", ["2026-13-01", "yesterday", ""])
def test_days(read: str) -> None:
    """A day is written as a date."""
    assert errors_of(SMALL.replace(ACCOUNT, PAGES.replace("2026-11-26", read)))
