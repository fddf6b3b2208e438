"""Operations, other spellings of an operation, and operations that dispatch to others."""

import pytest

from mockserver.spec.evidence import Graded
from mockserver.spec.model import RateLimit
from mockserver.spec.pointer import Pointer
from tests.spec.writing import Case, assert_error, changed, contract, errors_of

ID = "      operationId: send_sms_slash\n"
LIMIT = "rate_limit: {requests: 3, seconds: 60, by: account, evidence: {assumed: A guess.}}"
ALONE: dict[str, Case] = {
    "path": (
        "  /command:\n",
        "  command:\n",
        "  command:",
        "the path 'command' is never met: a path must start with '/'",
    ),
    "path with a query": ("  /command:\n", "  /a?b=c:\n", "/a?b=c:", "'/a?b=c' is never met: a path ends before ?"),
    "no id": (ID, "", "x-mock: {same_as: send_sms}", "'operationId' is missing"),
    "id of no text": (ID, "      operationId: 5\n", "operationId: 5", "'operationId' must be a string"),
    "id of two words": (ID, "      operationId: send slash\n", "send slash", "a plain word, not 'send slash'"),
    "id beyond ASCII": (ID, "      operationId: sénd\n", "sénd", "a plain word, not 'sénd'"),
    "same_as and more": (
        "{same_as: send_sms}",
        "{same_as: send_sms, body_limit: 5}",
        "body_limit: 5}",
        "same_as takes all but parameters_from and evidence from the other operation",
    ),
    "dispatch to nothing": (
        "to: {Send: send_sms}",
        "to: {Send: send}",
        "{Send: send}",
        "there is no operation 'send' that answers",
    ),
    "dispatch to a spelling": (
        "{Send: send_sms}",
        "{Send: send_sms_slash}",
        "{Send: send_",
        "there is no operation 'send_sms_slash'",
    ),
}
CONSEQUENTIAL: dict[str, Case] = {
    "same_as nothing": (
        "same_as: send_sms}",
        "same_as: send}",
        "same_as: send}",
        "there is no operation 'send' that answers by itself",
    ),
    "same_as itself": (
        "same_as: send_sms}",
        "same_as: send_sms_slash}",
        "same_as: send_sms_slash}",
        "there is no operation",
    ),
    "no operation": (
        "    get:\n      operationId: command",
        "    get: 5\n    head:\n      operationId: command",
        "get: 5",
        "'get' must be a mapping",
    ),
}


@pytest.mark.parametrize("case", ALONE.values(), ids=ALONE)
def test_one_error(case: Case) -> None:
    """A mistake in an operation is one error, on its own line."""
    assert_error(case)


def test_a_path_of_ours() -> None:
    """What stands below the control API's own path at a server is no vendor's."""
    errors = errors_of(changed(("https://eu.acme.test/", "https://eu.acme.test/_mock")))
    assert any("'/command' is never met: /_mock is the mock's own" in error.message for error in errors)


@pytest.mark.parametrize("case", CONSEQUENTIAL.values(), ids=CONSEQUENTIAL)
def test_error(case: Case) -> None:
    """A mistake that other operations depend on is an error too, beside others."""
    assert_error(case, alone=False)


def test_second_id() -> None:
    """Of two operations with the same name the second is an error, and the errors of a third are not hidden."""
    text = changed((ID, "      operationId: send_sms\n"), ("to: {Send: send_sms}", "to: {Send: send}"))
    assert [(error.pointer, error.message) for error in errors_of(text)] == [
        ("/paths/~1sms~1{batch}~1/post/operationId", "a second operation named 'send_sms'"),
        ("/paths/~1command/get/x-mock/dispatch/to/Send", "there is no operation 'send' that answers by itself"),
    ]


def test_without_success() -> None:
    """An operation that can only refuse is an error, unless it dispatches to others."""
    text = changed(("name: sent\n", "name: sent\n            means: 400\n"))
    assert [(error.pointer, error.message) for error in errors_of(text)] == [
        ("/paths/~1sms~1{batch}/post/responses", "no answer means success"),
        ("/paths/~1sms~1{batch}~1/post/responses", "no answer means success"),
    ]


def test_success() -> None:
    """Success is the answer named sent, or else the first that accepts."""
    other = '        "200": {description: Ok., x-mock: {name: fine, evidence: {page: page 1}}}\n        "202":\n'
    assert success(('        "202":\n', other)) == "sent"
    assert success(('        "202":\n', other), ("name: sent\n", "name: taken\n")) == "fine"


def success(*edits: tuple[str, str]) -> str | None:
    success = contract(*edits).operations[0].success
    return None if success is None else success.name


def test_spelling() -> None:
    """Another spelling has the behaviour of the operation it spells, and a path of its own."""
    send, slash, _ = contract().operations
    assert (slash.id, slash.name, slash.spelling) == ("acme.send_sms", "send_sms", "send_sms_slash")
    assert (slash.method, slash.path) == ("POST", "/sms/{batch}/")
    assert (slash.answers, slash.rules, slash.success) == (send.answers, send.rules, send.success)
    assert (slash.rate_limit, slash.body_limit) == (RateLimit(3, 60, None, Graded("assumed", "A guess.")), 1000)
    assert [parameter.name for parameter in slash.parameters] == ["batch"]


def test_spelling_stands_before() -> None:
    """Spellings and dispatching operations may come before those they name; the order stays the document's."""
    first = """paths:
  /a:
    get:
      operationId: a
      security: []
      responses: {}
      parameters:
        - {name: cmd, in: query, required: true, schema: {type: string}}
      x-mock: {same_as: command}
"""
    assert [operation.spelling for operation in contract(("paths:\n", first)).operations] == [
        "a",
        "send_sms",
        "send_sms_slash",
        "command",
    ]


def test_limits() -> None:
    """A rate limit counts by account or by a value of the request; its header is among those that are read."""
    limit = "rate_limit: {requests: 1, seconds: 2, by: /header/x-line, evidence: {page: page 4}}"
    by = contract((LIMIT, limit)).operations[0]
    assert by.rate_limit == RateLimit(1, 2, Pointer(("header", "x-line")), Graded("page", "page 4"))
    assert by.headers == {"x-key", "x-line", "x-trace"}


def test_limit_without_evidence() -> None:
    """A limit's figures say where they are published."""
    case = (LIMIT, LIMIT.partition(", evidence")[0] + "}", "rate_limit: {", "'evidence' is a required property")
    assert_error(case, alone=False)


def test_dispatch() -> None:
    """An operation that dispatches finds others by a value, and reads the headers that those read."""
    send, _, command = contract().operations
    assert command.dispatch is not None
    assert (command.dispatch.by, command.dispatch.to) == (Pointer(("query", "cmd")), {"Send": send})
    assert command.success is None
    assert command.headers == send.headers == {"x-key", "x-trace"}
    by_header = contract(("by: /query/cmd", "by: /header/x-command")).operations[2]
    assert by_header.headers == {"x-key", "x-trace", "x-command"}


def test_declared() -> None:
    """The fields of a request are its parameters and the body's members; for some, all values are known."""
    text = "text: {type: object, properties: {kind: {enum: [a, b]}}}"
    send = contract(("text: {type: string}", text), ("text: hi}", "text: {}}")).operations[0]
    assert [at for at, *_ in send.declared] == [
        "/path/batch",
        "/header/x-trace",
        "/query/Limit",
        "/body/to",
        "/body/from",
        "/body/text",
        "/body/urgent",
    ]
    assert ("/body/to", "body", "to") in send.declared
    assert send.enumerated == (
        (Pointer(("body", "text", "kind")), ("a", "b")),
        (Pointer(("body", "urgent")), (True, False)),
    )


def test_magic_needs_a_recipient() -> None:
    """Only an operation with a recipient has magic numbers."""
    send, slash, command = contract().operations
    assert send.magic["503"] is send.answers["closed"]
    assert None not in send.magic
    assert slash.magic == send.magic
    assert command.magic == {}
