"""What no request can meet is told, with the right place; what some request can meet is not."""

import pytest

from tests.spec.writing import Case, assert_error, changed, contract, errors_of

BAD_NUMBER = "{problem: [missing, invalid], at: /body/to, answer: bad_number}"
TRACE = "{echo: /header/x-trace, else: {new: uuid}}"
CLOSED = "{const: false}, /body/urgent: false"
RECIPIENT = "to: {type: string, x-mock: {recipient: {override: /owned/lines/number}, digits: true}}"
EXAMPLE = '{to: "+15550100", from: "+15550101", text: hi}'
SUMMARY = "      summary: Send a text\n      x-mock:\n"
URGENT = "urgent: {type: boolean}"


def rule(text: str) -> tuple[str, str]:
    return BAD_NUMBER, text


WRONG: dict[str, Case] = {
    "a rule at nothing": (
        *rule(BAD_NUMBER.replace("/to", "/tow")),
        "/body/tow",
        "no request has /body/tow: no schema of the operation names it; did you mean /body/to?",
    ),
    "a rule inside a text": (
        *rule(BAD_NUMBER.replace("/to", "/to/number")),
        "/body/to/number",
        "no request has /body/to/number",
    ),
    "what is optional is missing": (
        *rule("{problem: missing, at: /body/text, answer: bad_number}"),
        "missing, at: /body/text",
        "/body/text is never missing: no schema requires it",
    ),
    "a reason that no schema gives": (
        *rule("{problem: invalid, at: /body/to, reason: pattern, answer: bad_number}"),
        "reason: pattern",
        "nothing is invalid for its 'pattern' here: no schema of /body/to or below it has that keyword",
    ),
    "a reason anywhere": (
        *rule("{problem: invalid, reason: maxItems, answer: bad_number}"),
        "reason: maxItems",
        "no schema of the request has that keyword",
    ),
    "a condition on nothing": (
        CLOSED,
        CLOSED.replace("urgent", "urgend"),
        "/body/urgend",
        "no request has /body/urgend: no schema of the operation names it; did you mean /body/urgent?",
    ),
    **{
        f"a condition that a rule before it forbids: {condition}": (
            "- {problem: any, answer: invalid}",
            f"- {{problem: any, answer: invalid}}\n          - {{when: {{{condition}}}, answer: closed}}",
            condition,
            f"the condition can never hold: {message}",
        )
        for condition, message in (
            ("/query/Limit: {const: 0}", "the schema of /query/Limit refuses 0, and so does a rule before it"),
            ("/query/Limit: {enum: [0, -1]}", "the schema of /query/Limit refuses 0, -1, and so does a rule before it"),
            ("/query/Limit: {maximum: 0}", "by the schema of /query/Limit minimum is greater than maximum"),
        )
    },
    "a condition of another type": (
        "/body/urgent: false",
        '/body/urgent: {const: "true"}',
        "/body/urgent: {const",
        "the condition can never hold: /body/urgent is boolean, not string",
    ),
    "a condition on a record of another type": (
        CLOSED,
        CLOSED.replace("false}", "closed}"),
        "{const: closed}",
        "the condition can never hold: /owned/lines/open is boolean, not string",
    ),
    "a keyword that is none": (
        CLOSED,
        CLOSED.replace("const", "is"),
        "{is: false}",
        "'is' is no keyword of JSON Schema: it asks nothing",
    ),
    "bounds that exclude each other": (
        "/body/urgent: false",
        "/body/text: {minLength: 9, maxLength: 3}",
        "minLength",
        "the condition can never hold: minLength is greater than maxLength",
    ),
    "an echo of no parameter": (TRACE, TRACE.replace("header/x-trace", "query/Limits"), "/query/Limits", "Limit?"),
    "an echo of no member": (
        TRACE,
        TRACE.replace("header/x-trace", "body/txt"),
        "/body/txt",
        "did you mean /body/text",
    ),
    "an echo of a misspelt header": (TRACE, TRACE.replace("x-trace", "x-tracee"), "/header/x-tracee", "x-trace?"),
    "an echo of a header without else": (TRACE, "{echo: /header/x-other}", "x-other", "no request has /header/x-other"),
    "another's magic": (
        'magic: "503"',
        'magic: "429"',
        'magic: "429"',
        "the magic 429 is that of rate_limited, by its status: write another here, or one at rate_limited",
    ),
    "an example of another type": (
        EXAMPLE,
        EXAMPLE.replace("hi", "3"),
        "text: 3",
        'the example of the request is refused by its own schema: 3 is not of type "string" (at /body/text)',
    ),
    "an example without what is required": (
        EXAMPLE,
        '{to: "+15550100"}',
        'example: {to: "+15550100"}',
        '"from" is a required property',
    ),
    "an example of a parameter": ("examples: {three: {value: 3}}", "example: 0", "example: 0", "0 is less than the"),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG)
def test_wrong(case: Case) -> None:
    """Each mistake is one error, on its own line."""
    assert_error(case)


@pytest.mark.parametrize(
    ("edits", "told"),
    [
        (
            ((URGENT, "urgent: {enum: [low, high]}"), ("/body/urgent: false", "/body/urgent: {const: medium}")),
            "the condition can never hold: the values of /body/urgent are: low, high",
        ),
        (
            ((SUMMARY, f"{SUMMARY}        message: {{from: null, text: null}}\n"), (RECIPIENT, "to: {type: string}")),
            "the operation sends a message, but no value of its request is its recipient: mark one with x-mock",
        ),
        (
            ((RECIPIENT, RECIPIENT.replace("type: string", "type: boolean")), ('to: "+15550100"', "to: true")),
            "a recipient is text or a number, and this is boolean: mark the value that holds the number",
        ),
        (
            (
                (RECIPIENT, RECIPIENT.replace("type: string", "type: array, items: {type: string}")),
                ('to: "+15550100"', 'to: ["+15550100"]'),
            ),
            "a recipient is text or a number, and this is array: mark its items",
        ),
        (
            ((RECIPIENT, RECIPIENT.replace("string,", 'string, pattern: "^[a-z]+@",')), (EXAMPLE, "{}")),
            "the recipient can be no phone number: its schema refuses every one",
        ),
    ],
    ids=["value", "nobody", "boolean", "list", "pattern"],
)
def test_wrong_in_two_places(edits: tuple[tuple[str, str], ...], told: str) -> None:
    """Mistakes that need more than one edit."""
    assert any(told in error.message for error in errors_of(changed(*edits)))


@pytest.mark.parametrize(
    "edits",
    [
        ((TRACE, TRACE.replace("x-trace", "user-agent")),),
        ((TRACE, TRACE.replace("x-trace", "x-key")),),
        ((BAD_NUMBER, "{problem: invalid, reason: minimum, answer: bad_number}"),),
        ((BAD_NUMBER, "{problem: missing, at: /body, answer: bad_number}"),),
        (("/body/urgent: false", "/body/urgent: {const: true}"),),
        (("/body/urgent: false", "/body/text: {minLength: 2, maxLength: 2}"),),
        ((URGENT, "urgent: {}"), ("/body/urgent: false", "/body/urgent: {const: now}")),
        ((URGENT, f"{URGENT}\n      additionalProperties: true"), ("/body/urgent: false", "/body/other: true")),
        ((URGENT, "urgent: {type: [array], items: {type: object}}"), ("/body/urgent: false", "/body/urgent/0/a: {}")),
        (("/body/urgent: false", "/path/batch: {const: a}"),),
        ((BAD_NUMBER, "{when: {/query/Limit: {const: 0}}, answer: closed}"),),  # asked before `invalid` is refused
        (
            (URGENT, 'urgent: {type: object, patternProperties: {"^a": {}}}'),
            ("/body/urgent: false", "/body/urgent/a: {}"),
        ),
    ],
)
def test_right(edits: tuple[tuple[str, str], ...]) -> None:
    """What a request can be is no mistake."""
    contract(*edits)


@pytest.mark.parametrize(
    ("rule", "dispatch", "message"),
    [
        (
            "{when: {/body/from: false}, answer: closed}",
            False,
            "without /body/from a rule before it refuses the request",
        ),
        ("{when: {/body/from: false}, answer: closed}", True, ""),  # what comes by a query alone has no body
        ("{when: {/body/text: false}, answer: closed}", False, ""),
    ],
)
def test_a_value_that_is_never_missing(rule: str, *, dispatch: bool, message: str) -> None:
    """A member that the schema requires is there once its absence has been refused; another need not be."""
    last = "- {problem: any, answer: invalid}"
    edits = [(last, f"{last}\n          - {rule}")]
    edits += [] if dispatch else [("to: {Send: send_sms}", "known: {Send: page 1}")]
    told = [error.message for error in errors_of(changed(*edits))]
    assert told == ([f"the condition can never hold: {message}"] if message else [])


def test_a_fault_is_told_once() -> None:
    """What is wrong with a parameter is not told again where it is read."""
    text = changed(("        - name: X-Trace\n          in: header", "        - name: X-Trace\n          in: cookie"))
    assert [error.message for error in errors_of(text)] == ["a parameter stands in path, query or header"]


def test_notes() -> None:
    """What keeps a command from its work is told, though it is no mistake."""
    notes = contract((RECIPIENT, "to: {type: string}"), (f"            example: {EXAMPLE}\n", "")).notes
    assert notes == (
        "send_sms marks no recipient: no magic number works, and no assertion can name one",
        "send_sms has no example of /body: `curl` and `contract test` send none",
    )
    british = RECIPIENT.replace("string,", 'string, pattern: "^[+]44",')
    (note,) = contract((RECIPIENT, british), ("+15550100", "+447700900123")).notes
    assert note == "send_sms: the schema of /body/to refuses magic numbers such as +15005550400"


@pytest.mark.parametrize("key", ['""', "body", "/"])
def test_conditions_that_are_none(key: str) -> None:
    """A condition on what is no pointer is an error of the vocabulary, and nothing else."""
    errors = errors_of(changed(("/body/urgent: false", f"{key}: {{}}")))
    assert [error for error in errors if "does not match" in error.message] or key == "/"
