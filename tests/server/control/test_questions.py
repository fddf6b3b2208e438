"""Questions that no request can answer are refused, doubtful ones are warned of; what may be answered is asked."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from mockserver.server.application import create_app
from mockserver.server.control.questions import MAX_WARNINGS
from mockserver.server.settings import Settings
from tests.server.customers import SETTINGS

VERIFY = "/_mock/calls/verify"
POLYAI, OPENTACT, AVAAMO, VOXIMPLANT = (f"{name}.send_sms" for name in ("polyai", "opentact", "avaamo", "voximplant"))


@pytest.fixture(scope="module")
def five() -> Iterator[TestClient]:
    """A server of the five vendors."""
    with TestClient(create_app(Settings()), base_url="http://localhost") as client:
        yield client


@pytest.fixture(scope="module")
def acme() -> Iterator[TestClient]:
    with TestClient(create_app(SETTINGS), base_url="http://localhost") as client:
        yield client


def ask(client: TestClient, operation: str | None = None, **asked: Any) -> Any:
    """What is answered where no such call is expected, and what is warned of; or the refusal."""
    scope = {} if operation is None else {"operation": operation}
    response = client.post(VERIFY, json={"account": "default", "count": {"exactly": 0}, **scope, **asked})
    assert response.status_code in {200, 400}, response.text
    return response.json()


def refused(client: TestClient, pointer: str, operation: str | None = None, **asked: Any) -> str:
    """The refusal of a question, which names its part."""
    problem = ask(client, operation, **asked)
    assert problem.get("pointer") == pointer, problem
    detail: str = problem["detail"]
    return detail


def warnings(client: TestClient, operation: str | None = None, **asked: Any) -> list[str]:
    """The warnings of a question that is answered; they are in the message, too."""
    verdict = ask(client, operation, **asked)
    found: list[str] = verdict["warnings"]
    assert verdict["verified"] is True
    assert [line for line in verdict["message"].splitlines() if line.startswith("Warning: ")] == [
        f"Warning: {warning}" for warning in found
    ]
    return found


@pytest.mark.parametrize(
    ("recipient", "says"),
    [
        ("", "no phone number"),
        ("not a number", "no phone number"),
        ("+", "no phone number"),
        ("+\u0661\u0665", "no phone number"),
        ("(415) 555-0123", "no country code"),
        (" (415) 555-0123", "no country code"),
    ],
)
def test_a_recipient_that_no_call_has(five: TestClient, recipient: str, says: str) -> None:
    """It is told how to ask for what was literally sent; a list refuses it as well."""
    detail = refused(five, "/body/recipient", POLYAI, recipient=recipient)
    assert says in detail
    assert "ask json={...}" in detail
    if recipient:  # a parameter that is empty is absent
        listed = five.get("/_mock/calls", params={"recipient": recipient})
        assert (listed.status_code, listed.json()["pointer"]) == (400, "/query/recipient")


@pytest.mark.parametrize("recipient", ["+14155550123", "14155550123", "1 (415) 555-0123", "+1", "447700900222"])
def test_a_recipient_that_calls_have(five: TestClient, recipient: str) -> None:
    """By its digits, however it is written."""
    assert warnings(five, POLYAI, recipient=recipient) == []


@pytest.mark.parametrize("recipient", ["4155550123", "0049301234567", "+0301234567"])
def test_a_recipient_that_is_doubtful(five: TestClient, recipient: str) -> None:
    """A client may have sent it so, but it looks as if the country code is missing."""
    (warning,) = warnings(five, POLYAI, recipient=recipient)
    assert f"looked for as +{recipient.removeprefix('+')}" in warning


def test_an_operation_without_a_recipient(acme: TestClient) -> None:
    """None of its calls has one."""
    assert "acme.ping names a recipient" in refused(acme, "/body/recipient", "acme.ping", recipient="+14155550123")


def test_a_path_that_no_operation_has(five: TestClient) -> None:
    """In a narrow scope no call can have it; else one that was answered 404 can."""
    where = {"path": "/v1/outbound"}
    narrow: list[dict[str, Any]] = [{"operation": POLYAI}, {"vendor": "polyai"}, {"answer": "sent"}, {"accepted": True}]
    for scope in narrow:
        assert "'/v1/outbound'; known: /v1/outbound-sms" in refused(five, "/body/where/path", **scope, where=where)
    wide: list[dict[str, Any]] = [{}, {"accepted": False}]
    for scope in wide:
        (warning,) = warnings(five, where=where, **scope)
        assert warning.startswith("only a call that was answered 404 can have this path")
    for path in ("/v1/outbound-sms", "/polyai/v1/outbound-sms"):
        assert warnings(five, POLYAI, where={"path": path}) == []


def test_path_parameters(five: TestClient) -> None:
    """By name, as the operation's path has them; a call that was answered 404 has none."""
    assert warnings(five, AVAAMO, where={"path": {"channel_uuid": "x"}}, when={"/path/channel_uuid": True}) == []
    detail = refused(five, "/body/where/path/channel", AVAAMO, where={"path": {"channel": "x"}})
    assert detail == f"there is no such path parameter of {AVAAMO}: 'channel'; known: channel_uuid"
    assert "'id'" in refused(five, "/body/where/path/id", where={"path": {"id": "1"}})
    assert "'id'" in refused(five, "/body/when/~1path~1id", AVAAMO, when={"/path/id": {}})
    assert "'id'" in "".join(warnings(five, AVAAMO, when={"/path/id": False}))


@pytest.mark.parametrize(
    "where",
    [{"query": {"a": 5}}, {"query": {"a": None}}, {"headers": {"a": True}}, {"path": {"number": 5}}],
)
def test_what_is_text_on_the_wire(acme: TestClient, where: dict[str, dict[str, Any]]) -> None:
    """A query, a header or a path parameter never equals a number."""
    ((part, values),) = where.items()
    assert "text" in refused(acme, f"/body/where/{part}/{next(iter(values))}", where=where)


def test_an_unknown_member_is_warned_of(five: TestClient) -> None:
    """Of the body or the query, whatever else is asked; the nearest of the known names is first."""
    (warning,) = warnings(five, POLYAI, where={"body": {"user_numbr": "x"}})
    assert warning == f"/body/user_numbr is in no schema of {POLYAI}; known there: user_number, message, agent_number"
    for schema in (True, False):
        assert warnings(five, POLYAI, when={"/body/user_numbr": schema}, accepted=True) == [warning]
    assert "known there: none" in warnings(five, POLYAI, where={"query": {"q": "1"}})[0]
    assert len(warnings(five, POLYAI, where={"body": {f"m{number}": 1 for number in range(30)}})) == MAX_WARNINGS + 1


def test_members_that_are_known(five: TestClient) -> None:
    """Where any operation in scope names it, where others are welcome, where it is a credential or dispatches."""
    assert warnings(five, where={"body": {"first_name": "Jane"}}) == []
    assert warnings(five, AVAAMO, where={"body": {"first_name": "Jane"}}) == []
    assert warnings(five, where={"headers": {"X-Any": "x"}}) == []
    for part in ("query", "body"):  # a form's fields are in both
        fields = {"sms_body": "Hi", "account_id": "1", "api_key": "x", "cmd": "SendSmsMessage"}
        assert warnings(five, VOXIMPLANT, where={part: fields}, accepted=True) == []
        assert "sms_bdy" in warnings(five, VOXIMPLANT, where={part: {"sms_bdy": "Hi"}})[0]


@pytest.mark.parametrize(
    ("operation", "where", "at"),
    [
        pytest.param(POLYAI, {"body": {"user_number": "(415) 555-0123"}}, "/body/user_number", id="pattern"),
        pytest.param(POLYAI, {"body": {"message": 5}}, "/body/message", id="type"),
        pytest.param(POLYAI, {"body": "Hi"}, "/body", id="whole-body"),
        pytest.param(OPENTACT, {"body": {"to": 5}}, "/body/to", id="minimum"),
        pytest.param(VOXIMPLANT, {"query": {"sms_body": "x" * 766}}, "/query/sms_body", id="too-long"),
        pytest.param(VOXIMPLANT, {"query": {"store_body": "maybe"}}, "/query/store_body", id="no-boolean"),
    ],
)
def test_a_value_that_is_never_accepted(five: TestClient, operation: str, where: dict[str, Any], at: str) -> None:
    """Of accepted calls it cannot be asked, of any calls it can; the value is not repeated."""
    for accepted in ({"accepted": True}, {"answer": "sent"}):
        detail = refused(five, f"/body/where{at}", operation, where=where, **accepted)
        assert f"its schema does not allow this value of {at} (" in detail
        assert "Ask without accepted" in detail
    for others in ({}, {"accepted": False}, {"answer": "unauthorized"} if operation == POLYAI else {}):
        assert warnings(five, operation, where=where, **others) == []


@pytest.mark.parametrize(
    "where",
    [
        pytest.param({"body": {"user_number": "+14155550123"}}, id="good"),
        pytest.param({"body": {}}, id="partial"),
        pytest.param({"body": {"message": ""}}, id="empty"),
        pytest.param({"headers": {"x-token-id": ""}}, id="header"),  # of two the last counts
    ],
)
def test_a_value_that_may_be_accepted(five: TestClient, where: dict[str, Any]) -> None:
    """What is left out may be there, so a partial value is no violation."""
    assert warnings(five, POLYAI, where=where, accepted=True) == []


CLOSED = """
openapi: 3.1.0
info: {title: Closed, version: "1"}
servers: [{url: "https://closed.test"}]
x-mock: {account: {key: {new: token, length: 40}}}
paths:
  /send:
    post:
      operationId: send
      security: []
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              properties:
                text: {type: string}
                kind: {enum: [a, b]}
                more: {type: object, properties: {n: {type: integer}}, additionalProperties: false}
              additionalProperties: false
              if: {properties: {kind: {const: a}}}
              then: {properties: {text: {maxLength: 1}}}
      responses:
        "202": {description: Taken., x-mock: {name: sent, source: a page}}
        "400": {description: Refused., x-mock: {name: refused, source: a page}}
      x-mock: {rules: [{problem: any, answer: refused}]}
"""


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A server of a vendor that forbids what it does not name."""
    folder = tmp_path_factory.mktemp("contracts")
    (folder / "closed.yaml").write_text(CLOSED, "utf-8")
    with TestClient(create_app(Settings(builtin=False, contracts=(folder,))), base_url="http://localhost") as client:
        yield client


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        pytest.param({"where": {"body": {"txt": "Hi"}}}, "/body/where/body/txt", id="member"),
        pytest.param({"where": {"body": {"more": {"m": 1}}}}, "/body/where/body/more/m", id="below"),
        pytest.param({"when": {"/body/txt": {}}}, "/body/when/~1body~1txt", id="pointer"),
    ],
)
def test_a_member_that_is_forbidden(closed: TestClient, asked: dict[str, Any], pointer: str) -> None:
    """No accepted call has it; a refused one may, so of any calls it is unknown."""
    for accepted in ({"accepted": True}, {"answer": "sent"}):
        assert "its schema forbids /body/" in refused(closed, pointer, **asked, **accepted)
    for others in ({}, {"accepted": False}, {"answer": "refused"}):
        assert len(warnings(closed, **asked, **others)) == 1


def test_what_only_some_requests_forbid(closed: TestClient) -> None:
    """A condition may not be met by what the question leaves open; a forbidden member may well be absent."""
    assert warnings(closed, where={"body": {"text": "long", "kind": "b"}}, accepted=True) == []
    assert warnings(closed, where={"body": {"text": "long"}}, accepted=True) == []
    assert len(warnings(closed, when={"/body/txt": False}, accepted=True)) == 1


def test_a_refused_call_does_not_answer_for_accepted_ones(closed: TestClient) -> None:
    """Though there is a call with the member that is forbidden, none of the accepted ones has it."""
    assert closed.post("/send", json={"txt": "Hi"}).status_code == 400
    question = {"account": "unclaimed", "where": {"body": {"txt": "Hi"}}}
    assert closed.post(VERIFY, json=question).json()["verified"] is True
    assert closed.post(VERIFY, json={**question, "accepted": True}).status_code == 400


def test_a_forced_answer(acme: TestClient) -> None:
    """The answer that a pin forces on a bad request makes it an accepted one."""
    made = acme.post("/_mock/accounts", json={}).json()
    key, number = made["vendors"]["acme"]["credentials"]["key"], made["vendors"]["acme"]["owned"]["lines"][0]["number"]
    question = {
        "account": made["id"],
        "operation": "acme.send_sms",
        "accepted": True,
        "where": {"body": {"text": "x" * 21}},
    }
    assert acme.post(VERIFY, json=question).json()["pointer"] == "/body/where/body/text"
    acme.put("/_mock/pins/acme.send_sms", json={"account": made["id"], "answers": ["sent"], "force": True})
    body = {"from": number, "to": "+14155550123", "text": "x" * 21}
    assert acme.post("/base/messages", json=body, headers={"X-Key": key}).status_code == 202
    assert acme.post(VERIFY, json=question).json()["verified"] is True
