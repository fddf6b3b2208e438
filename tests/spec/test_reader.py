"""References, kinds of members, and the closed vocabulary of x-mock."""

import pytest

from mockserver.spec import reader as reading
from mockserver.spec.reader import Reader
from mockserver.spec.source import Source, read
from tests.spec.writing import Case, assert_fault, changed, contract, faults

LIMITED = "{problem: limited, answer: rate_limited}"
NO_LINE = "value: {code: 4, texts: [none]}\n                  x-mock: {source: page 2}"
VOCABULARY: dict[str, Case] = {
    "document": ("  files:", "  filse:", "filse:", "unknown key 'filse'; known here: account, files"),
    "operation": (
        "body_limit: 1000",
        "body_limits: 1000",
        "body_limits:",
        "unknown key 'body_limits'; known here: body_limit, dispatch, parameters_from, rate_limit, rules, same_as",
    ),
    "rule": (
        LIMITED,
        LIMITED.replace("{", "{anwser: x, "),
        "anwser",
        "unknown key 'anwser'; known here: answer, at, problem, reason, when",
    ),
    "answer": (
        NO_LINE,
        NO_LINE.replace("{source", "{sorce: x, source"),
        "sorce",
        "unknown key 'sorce'; known here: assumed, fill, magic, means, name, source",
    ),
    "echo": (
        "/body/texts/0: {echo: /problem/name}",
        "/body/texts/0: {echo: /problem/name, esle: {new: uuid}}",
        "esle",
        "unknown key 'esle'; known here: echo, else",
    ),
    "new": ("else: {new: uuid}", "else: {new: uuid, add: 1}", "add:", "unknown key 'add'; known here: new, plus"),
    "scheme": (
        "x-mock: {accept: {equals: /account/key}}",
        "x-mock: {accept: {equals: /account/key}, acept: 1}",
        "acept",
        "unknown key 'acept'; known here: accept",
    ),
    "schema": (
        "urgent: {type: boolean}",
        "urgent: {type: boolean, x-mock: {digit: true}}",
        "digit:",
        "unknown key 'digit'; known here: digits, owned, recipient",
    ),
    "account": (
        "key: {new: token, length: 20}",
        "key: {new: token, lenght: 20}",
        "lenght",
        "unknown key 'lenght'; known here: bytes, digits, form, length, new, prefix",
    ),
}
SHAPES: dict[str, Case] = {
    "no such new": ("key: {new: token, length: 20}", "key: {new: word}", "{new: word}", "'word' is not one of ['uuid'"),
    "no such fill": ("else: {new: uuid}", "else: {new: word}", "{new: word}", "'word' is not one of ['uuid', 'seq"),
    "pointer": ("/body/code: {call", "/body/co~de: {call", "/body/co~de", "'/body/co~de' does not match"),
    "pointer of a condition": ("/body/urgent: false", "/boby/urgent: false", "/boby", "'/boby/urgent' does not match"),
    "file pointer": ("{key: /account/key}", "{key: /account}", "{key: /account}", "'/account' does not match"),
    "a list": ("security: []", "security: none", "security: none", "'security' must be a list"),
    "text": ("title: Acme SMS", "title: 5", "title: 5", "'title' must be a string"),
    "text that is empty": ("title: Acme SMS", 'title: ""', "title:", "'title' must be a string"),
    "text that is missing": ("{title: Acme SMS, version", "{version", "info:", "'title' is missing"),
    "unread component": (
        "    Count:",
        "    Unused: {x-mock: {digits: true}}\n    Count:",
        "Unused",
        "x-mock is not read",
    ),
    "unread path": (
        "  /command:\n",
        "  /command:\n    x-mock: {rules: []}\n",
        "x-mock: {rules: []}",
        "x-mock is not read",
    ),
    "unread server": (
        "  - url: https://eu.acme.test/\n",
        "  - url: https://eu.acme.test/\n    x-mock: {x: [1]}\n",
        "x-mock: {x: [1]}",
        "x-mock is not read here",
    ),
    "example's schema": (
        "{code: 4, texts: [none]}",
        "{code: four, texts: [none]}",
        "{code: four,",
        'the example does not fit its schema: "four" is not of type "integer"',
    ),
    "$ref in a circle": (
        "X-Left: {schema: {type: integer}, example: 3}",
        'X-Left: {$ref: "#/paths/~1sms~1{batch}/post/responses/202/headers/X-Left"}',
        "X-Left: {$ref:",
        "$ref leads round in a circle",
    ),
}
CONSEQUENTIAL: dict[str, Case] = {
    "example's value": ("value: Unauthorized", "vlaue: Unauthorized", "vlaue", "'value' is missing"),
    "no such problem": (LIMITED, LIMITED.replace("limited,", "limit,"), "problem: limit,", "'limit' is not one of"),
    "neither problem nor when": (LIMITED, "{answer: rate_limited}", "- {answer: rate_l", "needs 'problem' or 'when'"),
    "no answer": (LIMITED, "{problem: limited}", "- {problem: limited}", "'answer' is a required property"),
    "scheme of no shape": (
        "x-mock: {accept: {equals: /account/key}}",
        "x-mock: yes",
        "x-mock: yes",
        "'yes' is not of type",
    ),
    "a mapping": ('info: {title: Acme SMS, version: "7"}', "info: Acme", "info: Acme", "'info' must be a mapping"),
    "a list of mappings": ("  - Key: []", "  - Key", "  - Key", "must be a mapping"),
    "no account": (
        "x-mock:\n  account:",
        "x-mock: # all\n  acount:",
        "x-mock: # all",
        "'account' is a required property",
    ),
    "$ref outside": (
        'schema: {$ref: "#/components/schemas/Message"}',
        'schema: {$ref: "other.yaml#/Message"}',
        "other.yaml",
        "$ref must stay inside this document: #/…",
    ),
    "$ref to nothing": (
        'schema: {$ref: "#/components/schemas/Message"}',
        'schema: {$ref: "#/components/schemas/Massage"}',
        "Massage",
        "$ref points at nothing: #/components/schemas/Massage",
    ),
    "$ref of no text": ('{"401": *plain}\n\ncomp', '{"401": {$ref: 5}}\n\ncomp', "{$ref: 5}", "$ref must stay inside"),
}


@pytest.mark.parametrize("case", {**VOCABULARY, **SHAPES}.values(), ids=[*VOCABULARY, *SHAPES])
def test_one_fault(case: Case) -> None:
    """What is out of the vocabulary, or of another shape than it must be, is one fault, on its own line."""
    assert_fault(case)


@pytest.mark.parametrize("case", CONSEQUENTIAL.values(), ids=CONSEQUENTIAL)
def test_fault(case: Case) -> None:
    """So is what other parts depend on, whatever else is told of those."""
    assert_fault(case, alone=False)


def test_faults_beside_one_another() -> None:
    """A key that nobody knows hides nothing else of its block: neither of one rule nor of one fill."""
    text = changed(
        (LIMITED, "{problem: limited, att: /body, answer: rate_limitd, reason: ''}"),
        ("/body/code: {call: sms_segments,", "/body/cod: {call: sms_segment, with: 1,"),
    )
    found = [(fault.line, fault.message.partition(";")[0]) for fault in faults(text)]
    rule, fill = (1 + text[: text.index(marker)].count("\n") for marker in ("rate_limitd", "/body/cod:"))
    assert {message for line, message in found if line == rule} == {
        "'' should be non-empty",
        "no answer 'rate_limitd'",
        "unknown key 'att'",
    }
    assert {message for line, message in found if line == fill} == {
        "fill calls 'sms_segment'",
        "fill points at nothing: /body/cod",
        "unknown key 'with'",
    }
    assert {line for line, _ in found} == {rule, fill}


def test_vocabulary_read_in_two_ways() -> None:
    """Where only the faster validator finds a fault, it is told all the same."""
    reader = Reader(read("f", '{x-mock: {magic: "123\\n", source: x}}'), "acme")
    assert reading.explain("answer", reader.document["x-mock"]) == []
    reader.x_mock(reader.document, "answer")
    assert [fault.message for fault in reader.errors] == ["does not fit the vocabulary of 'answer'"]


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ('"{}"', "not a JSON Schema: must be a mapping"),
        ("[]", "not a JSON Schema: must be a mapping"),
        ("{type: text}", 'not a JSON Schema: "text" is not valid under any'),
        ("{items: {$ref: 'https://acme.test/schema'}}", "$ref must stay inside this document: #/…"),
        ("{anyOf: [{$ref: '#/components/schemas/None'}]}", "$ref points at nothing: #/components/schemas/None"),
        ("{$ref: '#/c'}", "not a JSON Schema: Pointer '/c' does not exist"),
        ("{$dynamicRef: '#c'}", "not a JSON Schema: Anchor 'c' does not exist"),
    ],
)
def test_no_schema(schema: str, message: str) -> None:
    """What is no JSON Schema, or leads out of the document's schemas, is a fault and compiles to nothing."""
    reader = Reader(read("f", f"a: {schema}\nc: {{}}\ncomponents: []\n"), "acme")
    assert reader.schema(reader.document, reader.document["a"], "a") is None
    (fault,) = reader.errors
    assert (fault.line, fault.message.startswith(message)) == (1, True), fault


def test_reference_that_is_data() -> None:
    """What looks like a reference in an example or an enumeration is none."""
    data = {"$ref": "#/nowhere"}
    reader = Reader(Source("f", {}), "acme")
    validator = reader.schema(reader.document, {"enum": [data], "default": data, "examples": [data]})
    assert validator is not None
    assert validator.is_valid(data)


def test_schema_fault_where_it_stands() -> None:
    """A fault of a schema stands where it is written, beneath a reference too."""
    text = changed(("code: {type: integer}", "code: {type: int}"), ("minimum: 1", "minimum: one"))
    found = {fault.pointer for fault in faults(text)}
    assert {"/components/schemas/Error/properties/code/type", "/components/schemas/Count/minimum"} <= found


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        ("{properties: {'401': {type: int}}}", "/a/properties/401/type"),
        ("{properties: {'007': {type: int}}}", "/a/properties"),
        ("{allOf: [{}, {type: int}]}", "/a/allOf/1/type"),
    ],
)
def test_schema_fault_below_digits(schema: str, pointer: str) -> None:
    """A validator takes a name in digits for an index: the fault is told as near as can be."""
    reader = Reader(read("f", f"a: {schema}"), "acme")
    assert reader.schema(reader.document, reader.document["a"], "a") is None
    assert [fault.pointer for fault in reader.errors] == [pointer]


def test_schema_refers_to_components() -> None:
    """A schema sees the document's components by reference, or is simply true."""
    reader = Reader(read("f", "components: {schemas: {A: {type: integer}}}"), "acme")
    validator = reader.schema(reader.document, {"$ref": "#/components/schemas/A"})
    assert validator is not None
    assert (validator.is_valid(1), validator.is_valid("1")) == (True, False)
    anything = reader.schema(reader.document, True)
    assert anything is not None
    assert anything.is_valid(None)
    assert reader.errors == []


def test_references_chain() -> None:
    """A reference to a reference leads to what that one refers to."""
    found = contract(
        ("X-Left: {schema: {type: integer}, example: 3}", 'X-Left: {$ref: "#/components/headers/Left"}'),
        (
            "components:\n",
            "components:\n  headers: {Left: {$ref: '#/components/headers/L'}, L: {example: 8, schema: {}}}\n",
        ),
    )
    assert (b"x-left", b"8") in [header[:2] for header in found.operations[0].answers["sent"].headers]


@pytest.mark.parametrize("ref", ["#", "#anchor", "/a", "other.yaml#/a", "", 5])
def test_references_stay_inside(ref: object) -> None:
    """Only a pointer into this document is one: neither the whole document, nor an anchor, nor another file."""
    reader = Reader(Source("f", {"a": {"$ref": ref}}), "acme")
    reader.target(reader.document["a"])
    assert [error.message for error in reader.errors] == ["$ref must stay inside this document: #/…"]
