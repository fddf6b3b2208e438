"""Questions that no request can answer are refused, doubtful ones are warned of; what may be answered is asked."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from mockserver.server.application import create_app
from mockserver.server.control import questions
from mockserver.server.control.questions import MAX_WARNINGS
from mockserver.server.settings import Settings
from mockserver.spec.members import strangers
from tests.server.acme_customer import SETTINGS

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
    "asked",
    [
        {"where": {"query": {f"n{number}": "x" for number in range(1_000)}}},
        {"where": {"json": {f"n{number}": {"x": 1} for number in range(1_000)}}},
        {"when": {f"/body/n{number}": {"type": "string"} for number in range(200)}},
        {"when": {"/body" + "/x" * 100 + str(number): False for number in range(200)}},
    ],
)
def test_a_large_question_is_compared_in_part(five: TestClient, asked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many names it has and operations there are, few are held against each other."""
    compared = [0]

    def counting(document: Any, schema: Any, value: Any, at: str) -> Any:
        compared[0] += str(value).count(":")
        return strangers(document, schema, value, at)

    monkeypatch.setattr(questions, "strangers", counting)
    ask(five, **asked)
    assert compared[0] <= 20 * questions.MAX_COMPARISONS


@pytest.mark.parametrize(
    ("recipient", "says"),
    [
        ("", "is no phone number"),
        ("not a number", "is no phone number"),
        ("abc131", "is no phone number"),
        ("+1\x1b[31m", "is no phone number"),
        ("+", "is no phone number"),
        ("+\u0661\u0665", "is no phone number"),
        ("(415) 555-0123", "write it as +1 (415) 555-0123, say"),
        (" (415) 555-0123", "lacks a plus sign and a country code"),
        ("4155550123", "write it as +14155550123, say"),
        ("1234", "lacks a plus sign and a country code"),
        ("0049301234567", "lacks a plus sign and a country code"),
        ("1234567890123456", "has 16 digits, and a phone number 15 at most"),
        ("+1234567890123456", "has 16 digits, and a phone number 15 at most"),
    ],
)
def test_a_recipient_that_no_call_has(five: TestClient, recipient: str, says: str) -> None:
    """It is repeated, and told how to ask for what was literally sent; a list refuses it as well."""
    detail = refused(five, "/body/recipient", POLYAI, recipient=recipient)
    assert repr(recipient) in detail
    assert says in detail
    assert "ask json={...}, form={...} or query={...} for what was literally sent" in detail
    if recipient:  # a parameter that is empty is absent
        listed = five.get("/_mock/calls", params={"recipient": recipient})
        assert (listed.status_code, listed.json()["pointer"]) == (400, "/query/recipient")
        assert says in listed.json()["detail"]
        assert "json=" not in listed.json()["detail"], "a list has no such parameter"
        assert "/_mock/calls/verify" in listed.json()["detail"]


@pytest.mark.parametrize("recipient", ["+14155550123", "14155550123", "1 (415) 555-0123", "+1", "447700900222"])
def test_a_recipient_that_calls_have(five: TestClient, recipient: str) -> None:
    """By its digits, however it is written."""
    assert warnings(five, POLYAI, recipient=recipient) == []


def test_a_recipient_that_is_doubtful(five: TestClient) -> None:
    """A client may have sent it so, but no country code is like that."""
    (warning,) = warnings(five, POLYAI, recipient="+0301234567")
    assert warning == "the recipient is looked for as +0301234567: no country code begins with 0"


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
    for others in ({"accepted": False}, {"answer": "unauthorized"} if operation == POLYAI else {"accepted": False}):
        assert warnings(five, operation, where=where, **others) == []
    (warning,) = warnings(five, operation, where=where)
    assert warning.startswith(f"only a refused call can have it: its schema does not allow this value of {at} (")


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
        "202": {description: Taken., x-mock: {name: sent, evidence: {page: a page}}}
        "400": {description: Refused., x-mock: {name: refused, evidence: {page: a page}}}
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


def test_pins_are_for_texts_too(acme: TestClient) -> None:
    """A pin whose requests nobody can send would never be used."""
    pin = {"account": "default", "answers": ["sent"], "where": {"query": {"a": 5}}}
    response = acme.put("/_mock/pins/acme.send_sms", json=pin)
    assert (response.status_code, response.json()["pointer"]) == (400, "/body/where/query/a")


@pytest.mark.parametrize(
    ("vendor", "operation", "part", "cure"),
    [
        pytest.param("five", POLYAI, "form", "its body is read as json: ask json={...}", id="form"),
        pytest.param("five", VOXIMPLANT, "json", "its body is read as form: ask form={...}", id="json"),
        pytest.param("acme", "acme.get_typed", "json", "it has no body: ask query={...}", id="nothing"),
    ],
)
def test_how_a_body_is_read(request: pytest.FixtureRequest, vendor: str, operation: str, part: str, cure: str) -> None:
    """Where no operation in scope reads a body so, no call has such a one; a pin for it is refused."""
    client: TestClient = request.getfixturevalue(vendor)
    where, told = {part: {"text": "Hi"}}, f"no request to {operation} is read as {part}; {cure}"
    for others in ({}, {"accepted": True}, {"accepted": False}):
        assert warnings(client, operation, where=where, **others) == [told]
    answered = client.put(f"/_mock/pins/{operation}", json={"account": "default", "answers": ["rules"], "where": where})
    assert (answered.status_code, answered.json()["pointer"]) == (400, f"/body/where/{part}")
    assert answered.json()["detail"] == told


def test_a_header_that_is_misspelt(five: TestClient) -> None:
    """A client may send any header; one that is much like a known one is warned of."""
    misspelt: list[dict[str, Any]] = [{"where": {"headers": {"X-TOKN-ID": "x"}}}, {"when": {"/header/x-tokn-id": {}}}]
    for asked in misspelt:
        (warning,) = warnings(five, POLYAI, **asked)
        assert warning == "no contract in scope names the header x-tokn-id; one that is known is x-token-id"
    assert "content-type" in warnings(five, where={"headers": {"Content-Typ": "x"}})[0]
    for name in ("X-Token-Id", "User-Agent", "X-Debug"):
        assert warnings(five, POLYAI, where={"headers": {name: "x"}}) == []


def test_a_call_that_fits_puts_doubts_to_rest(five: TestClient) -> None:
    """A member that a client sends is no misspelling; one that must be absent may be one all the same."""
    key, connector = "polyai-default-api-key-0000000000000001a", five.get("/_mock/accounts/default").json()
    owned = connector["vendors"]["polyai"]["owned"]["connectors"][0]["id"]
    body = {"user_number": "+14155550123", "message": "Hi", "campaign": "x"}
    five.post("/v1/outbound-sms", json=body, headers={"X-PolyAi-Auth-Token": key, "X-TOKEN-ID": owned})
    question = {"account": "default", "operation": POLYAI}
    found = five.post(VERIFY, json={**question, "where": {"json": {"campaign": "x"}}}).json()
    assert (found["verified"], found["warnings"]) == (True, [])
    absent = five.post(VERIFY, json={**question, "when": {"/body/user_numbr": False}}).json()
    assert (absent["verified"], len(absent["warnings"])) == (True, 1)
    five.delete("/_mock/calls?account=default")


@pytest.mark.parametrize(
    ("schema", "at", "nearest"),
    [
        pytest.param({"maxLenght": 160}, "/maxLenght", "maxLength", id="word"),
        pytest.param({"anyOf": [{}, {"patern": "x"}]}, "/anyOf/1/patern", "pattern", id="in a list"),
        pytest.param({"properties": {"maxLenght": {"Type": "x"}}}, "/properties/maxLenght/Type", "type", id="by name"),
        pytest.param({"not": {"enums": []}}, "/not/enums", "enum", id="below"),
    ],
)
def test_a_word_that_is_none_of_json_schema(five: TestClient, schema: Any, at: str, nearest: str) -> None:
    """It would be ignored, and anything would fit: for questions and pins it is refused with the word that is meant."""
    pointer = f"/body/when/~1body~1message{at}"
    detail = refused(five, pointer, POLYAI, when={"/body/message": schema})
    assert f"there is no such keyword of JSON Schema: {at.rpartition('/')[2]!r}; known: {nearest}, " in detail
    pin = {"account": "default", "answers": ["sent"], "when": {"/body/message": schema}}
    assert five.put(f"/_mock/pins/{POLYAI}", json=pin).json()["pointer"] == pointer


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"maxLenght": True}, "const": {"maxLenght": 1}, "x-note": 1, "$comment": "x"},
        {"enum": [{"maxLenght": 1}], "required": ["maxLenght"], "dependencies": {"maxLenght": ["a"]}},
    ],
)
def test_what_only_looks_like_a_word_of_json_schema(five: TestClient, schema: Any) -> None:
    """A name of a member, or within a value."""
    assert ask(five, POLYAI, when={"/body": schema})["verified"] is True


@pytest.mark.parametrize(
    ("pinned", "pointer"),
    [
        pytest.param({"where": {"json": {"message": 5}}}, "/body/where/json/message", id="type"),
        pytest.param({"where": {"body": "Hi"}}, "/body/where/body", id="whole body"),
    ],
)
def test_a_pin_that_no_request_gets(five: TestClient, pinned: dict[str, Any], pointer: str) -> None:
    """A success is for requests without problems; whatever else may be for others, and is warned of."""
    pin = {"account": "default", "answers": ["sent"], **pinned}
    refusal = five.put(f"/_mock/pins/{POLYAI}", json=pin).json()
    assert (refusal["pointer"], "unless force is true" in refusal["detail"]) == (pointer, True)
    for others in ({"force": True}, {"answers": ["rate_limited"]}, {"answers": ["sent", "rules"]}):
        (warning,) = five.put(f"/_mock/pins/{POLYAI}", json={**pin, **others}).json()["warnings"]
        assert warning.startswith("only a refused call can have it: ")
    five.delete("/_mock/pins?account=default")


def test_a_pin_for_a_member_that_is_unknown(five: TestClient, closed: TestClient) -> None:
    """It is warned of; where the schema forbids it, a success for it is refused."""
    pin = {"account": "default", "answers": ["sent"], "where": {"json": {"mesage": "x"}}}
    (warning,) = five.put(f"/_mock/pins/{POLYAI}", json=pin).json()["warnings"]
    assert warning.startswith("/json/mesage is in no schema")
    five.delete("/_mock/pins?account=default")
    pin["where"] = {"json": {"txt": "x"}}
    refusal = closed.put("/_mock/pins/closed.send", json=pin)
    assert (refusal.status_code, refusal.json()["pointer"]) == (400, "/body/where/json/txt")


def test_a_pins_pattern(acme: TestClient) -> None:
    """A pin that is for requests which no operation in its reach takes is refused as well."""
    for reach in ("acme.send_sms", "acme.*", "*"):
        pin = {"account": "default", "answers": ["busy"], "where": {"path": "/nowhere"}}
        response = acme.put(f"/_mock/pins/{reach}", json=pin)
        assert (response.status_code, response.json()["pointer"]) == (400, "/body/where/path")
        pin["where"] = {"path": {"id": "1"}}
        assert acme.put(f"/_mock/pins/{reach}", json=pin).json()["pointer"] == "/body/where/path/id"


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_pins_of_nobody(acme: TestClient, method: str) -> None:
    """An unknown account is 404, an unknown operation 400, with what is known."""
    response = acme.request(method, "/_mock/pins?account=defalt")
    assert (response.status_code, response.json()["pointer"]) == (404, "/query/account")
    assert response.json()["detail"].startswith("there is no such account: 'defalt'; known: default, second, *")
    for url in ("/_mock/pins", "/_mock/calls") if method == "DELETE" else ("/_mock/pins",):
        response = acme.request(method, f"{url}?account=default&operation=acme.pign")
        assert (response.status_code, response.json()["pointer"]) == (400, "/query/operation")
        assert response.json()["detail"].startswith("there is no such operation: 'acme.pign'; known: acme.ping,")
