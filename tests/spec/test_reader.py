"""References, kinds of members, and the closed vocabulary of x-mock."""

import pytest

from mockserver.spec.load import read_contract
from mockserver.spec.reader import Reader, explain_block
from mockserver.spec.source import Source, read_yaml
from tests.spec.writing import Case, assert_error, changed, contract, errors_of

LIMITED = "{problem: limited, answer: rate_limited}"
NO_LINE = "value: {code: 4, texts: [none]}\n                  x-mock: {evidence: {page: page 2}}"
VOCABULARY: dict[str, Case] = {
    "document": ("  files:", "  filse:", "filse:", "unknown key 'filse'; known here: account, files"),
    "operation": (
        "body_limit: 1000",
        "body_limits: 1000",
        "body_limits:",
        "unknown key 'body_limits'; known here: body_limit, dispatch, evidence, message, parameters_from, rate_limit",
    ),
    "rule": (
        LIMITED,
        LIMITED.replace("{", "{anwser: x, "),
        "anwser",
        "unknown key 'anwser'; known here: answer, at, problem, reason, when",
    ),
    "answer": (
        NO_LINE,
        NO_LINE.replace("{evidence", "{sorce: x, evidence", 1),
        "sorce",
        "unknown key 'sorce'; known here: changes, evidence, fill, forgets, keeps, magic, means, name",
    ),
    "echo": (
        "/body/texts/0: {echo: /problem/name}",
        "/body/texts/0: {echo: /problem/name, esle: {new: uuid}}",
        "esle",
        "unknown key 'esle'; known here: as, echo, else, evidence, when",
    ),
    "new": (
        "else: {new: uuid}",
        "else: {new: uuid, add: 1}",
        "add:",
        "unknown key 'add'; known here: as, evidence, format, length, new, plus, prefix, when",
    ),
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
        "unknown key 'digit'; known here: digits, kept, owned, recipient",
    ),
    "account": (
        "key: {new: token, length: 20}",
        "key: {new: token, lenght: 20}",
        "lenght",
        "unknown key 'lenght'; known here: bytes, digits, form, length, new, prefix",
    ),
}
SHAPES: dict[str, Case] = {
    "no such new": ("key: {new: token, length: 20}", "key: {new: word}", "{new: word}", '"word" is not one of "uuid"'),
    "no such fill": ("else: {new: uuid}", "else: {new: word}", "{new: word}", '"word" is not one of "uuid", "seq'),
    "pointer": ("/body/code: {call", "/body/co~de: {call", "/body/co~de", '"/body/co~de" does not match'),
    "pointer of a condition": ("/body/urgent: false", "/boby/urgent: false", "/boby", '"/boby/urgent" does not match'),
    "file pointer": ("{key: /account/key}", "{key: /account}", "{key: /account}", '"/account" does not match'),
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
    "no such problem": (LIMITED, LIMITED.replace("limited,", "limit,"), "problem: limit,", '"limit" is not one of'),
    "neither problem nor when": (LIMITED, "{answer: rate_limited}", "- {answer: rate_l", "needs 'problem' or 'when'"),
    "no answer": (LIMITED, "{problem: limited}", "- {problem: limited}", "'answer' is a required property"),
    "scheme of no shape": (
        "x-mock: {accept: {equals: /account/key}}",
        "x-mock: yes",
        "x-mock: yes",
        '"yes" is not of type',
    ),
    "a mapping": ('info: {title: Acme SMS, version: "7"}', "info: Acme", "info: Acme", "'info' must be a mapping"),
    "a list of mappings": ("  - Key: []", "  - Key", "  - Key", "must be a mapping"),
    "no account": (
        "x-mock:\n  account:",
        "x-mock: # all\n  acount:",
        "acount:",
        "unknown key 'acount'; known here: account, files, gates",
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
def test_one_error(case: Case) -> None:
    """A key that is not in the vocabulary, or a member of a wrong shape, is one error, on its own line."""
    assert_error(case)


@pytest.mark.parametrize("case", CONSEQUENTIAL.values(), ids=CONSEQUENTIAL)
def test_error(case: Case) -> None:
    """A mistake that other parts depend on is an error too, beside those of the other parts."""
    assert_error(case, alone=False)


def test_errors_beside_one_another() -> None:
    """An unknown key hides no other error of its block, neither in a rule nor in a fill."""
    text = changed(
        (LIMITED, "{problem: limited, att: /body, answer: rate_limitd, reason: ''}"),
        ("/body/code: {call: sms_segments,", "/body/cod: {call: sms_segment, with: 1,"),
    )
    errors = [(error.line, error.message.partition(";")[0]) for error in errors_of(text)]
    rule, fill = (1 + text[: text.index(marker)].count("\n") for marker in ("rate_limitd", "/body/cod:"))
    assert {message for line, message in errors if line == rule} == {
        "'' should be non-empty",
        "no answer 'rate_limitd'",
        "unknown key 'att'",
    }
    assert {message for line, message in errors if line == fill} == {
        "fill calls 'sms_segment'",
        "fill points at nothing: /body/cod",
        "unknown key 'with'",
    }
    assert {line for line, _ in errors} == {rule, fill}


def test_the_document_stays_as_it_is() -> None:
    """Reading leaves out members that are not in the vocabulary without deleting them from the document."""
    text = changed((LIMITED, "{problem: limited, att: /body, answer: rate_limited}"), ("  files:", "  filse:"))
    source, untouched = read_yaml("acme.yaml", text), read_yaml("acme.yaml", text).value
    _, reader = read_contract(source, "acme")
    assert {error.message.partition(";")[0] for error in reader.errors} == {"unknown key 'att'", "unknown key 'filse'"}
    assert source.value == untouched


def test_places_of_what_stays() -> None:
    """Members and items that stay keep their places when something before them is left out."""
    text = "x-mock:\n  evidence: {page: x}\n  rules:\n  fill:\n    /body/a: {new: uuid, plus: x}\n"
    text += "    /body/b: {new: uuid}\n"
    reader = Reader(read_yaml("f", text), "acme")
    block = reader.x_mock(reader.document, "answer")
    assert block == {"evidence": {"page": "x"}, "fill": {"/body/a": {"new": "uuid"}, "/body/b": {"new": "uuid"}}}
    assert [reader.source.place(block, key).line for key in (None, "evidence", "fill")] == [2, 2, 4]
    assert [reader.source.place(block["fill"], key).line for key in block["fill"]] == [5, 6]
    assert sorted(error.line for error in reader.errors) == [3, 5]
    assert reader.x_mock(reader.document, "answer") is block
    assert len(reader.errors) == 2
    listed = Reader(read_yaml("f", "x-mock:\n  rules:\n  - {word: 1}\n  - {problem: any, answer: no}\n"), "acme")
    rules = listed.x_mock(listed.document, "operation")["rules"]
    assert rules == [{"problem": "any", "answer": "no"}]
    assert listed.source.place(rules, 0).line == listed.source.place(rules[0]).line == 4


def test_vocabulary_read_in_two_ways() -> None:
    """An error that only the faster validator finds is reported all the same."""
    reader = Reader(read_yaml("f", '{x-mock: {magic: "123\\n", evidence: {page: x}}}'), "acme")
    assert explain_block("answer", reader.document["x-mock"]) == []
    reader.x_mock(reader.document, "answer")
    assert [error.message for error in reader.errors] == ["does not fit the vocabulary of 'answer'"]


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
    """What is not a JSON Schema, or refers to something outside the document, is an error and compiles to None."""
    reader = Reader(read_yaml("f", f"a: {schema}\nc: {{}}\ncomponents: []\n"), "acme")
    assert reader.schema(reader.document, reader.document["a"], "a") is None
    (error,) = reader.errors
    assert (error.line, error.message.startswith(message)) == (1, True), error


def test_reference_that_is_data() -> None:
    """What looks like a reference in an example or an enumeration is a plain value."""
    data = {"$ref": "#/nowhere"}
    reader = Reader(Source("f", {}), "acme")
    validator = reader.schema(reader.document, {"enum": [data], "default": data, "examples": [data]})
    assert validator is not None
    assert validator.is_valid(data)


def test_schema_error_where_it_stands() -> None:
    """An error in a schema has the place of the schema, also behind a reference."""
    text = changed(("code: {type: integer}", "code: {type: int}"), ("minimum: 1", "minimum: one"))
    errors = {error.pointer for error in errors_of(text)}
    assert {"/components/schemas/Error/properties/code/type", "/components/schemas/Count/minimum"} <= errors


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        ("{properties: {'401': {type: int}}}", "/a/properties/401/type"),
        ("{properties: {'007': {type: int}}}", "/a/properties"),
        ("{allOf: [{}, {type: int}]}", "/a/allOf/1/type"),
    ],
)
def test_schema_error_below_digits(schema: str, pointer: str) -> None:
    """A validator takes a name of digits for an index: the error is as near to its place as possible."""
    reader = Reader(read_yaml("f", f"a: {schema}"), "acme")
    assert reader.schema(reader.document, reader.document["a"], "a") is None
    assert [error.pointer for error in reader.errors] == [pointer]


def test_schema_refers_to_components() -> None:
    """A schema can refer to the document's components, and can be simply true."""
    reader = Reader(read_yaml("f", "components: {schemas: {A: {type: integer}}}"), "acme")
    validator = reader.schema(reader.document, {"$ref": "#/components/schemas/A"})
    assert validator is not None
    assert (validator.is_valid(1), validator.is_valid("1")) == (True, False)
    anything = reader.schema(reader.document, True)
    assert anything is not None
    assert anything.is_valid(None)
    assert reader.errors == []


def test_references_chain() -> None:
    """A reference to a reference leads to what the second refers to."""
    acme = contract(
        ("X-Left: {schema: {type: integer}, example: 3}", 'X-Left: {$ref: "#/components/headers/Left"}'),
        (
            "components:\n",
            "components:\n  headers: {Left: {$ref: '#/components/headers/L'}, L: {example: 8, schema: {}}}\n",
        ),
    )
    assert (b"x-left", b"8") in [header[:2] for header in acme.operations[0].answers["sent"].headers]


@pytest.mark.parametrize("ref", ["#", "#anchor", "/a", "other.yaml#/a", "", 5])
def test_references_stay_inside(ref: object) -> None:
    """Only a pointer into this document is one: neither the whole document, nor an anchor, nor another file."""
    reader = Reader(Source("f", {"a": {"$ref": ref}}), "acme")
    reader.target(reader.document["a"])
    assert [error.message for error in reader.errors] == ["$ref must stay inside this document: #/…"]


@pytest.mark.parametrize(
    "schemas",
    [
        '{A: {$ref: "#/components/schemas/A"}}',
        '{A: {$ref: "#/components/schemas/B"}, B: {$ref: "#/components/schemas/A"}}',
    ],
)
def test_a_schema_that_only_refers_to_itself_is_an_error(schemas: str) -> None:
    """It would let anything through."""
    reader = Reader(read_yaml("acme.yaml", f"components: {{schemas: {schemas}}}"), "acme")
    assert reader.schema(reader.document, {"$ref": "#/components/schemas/A"}) is None
    assert {error.message for error in reader.errors} == {"$ref leads round in a circle"}


def test_a_schema_may_refer_to_itself_in_its_members() -> None:
    """A tree is no circle."""
    text = 'components: {schemas: {A: {properties: {a: {$ref: "#/components/schemas/A"}}}}}'
    reader = Reader(read_yaml("acme.yaml", text), "acme")
    assert reader.schema(reader.document, {"$ref": "#/components/schemas/A"}) is not None
    assert reader.errors == []
