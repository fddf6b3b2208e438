"""Parameters, request bodies, and the schema that a whole request must fit."""

import pytest

from mockserver.spec.model import Parameter
from mockserver.spec.pointer import MISSING
from tests.spec.writing import Case, assert_error, contract

TRACE = "        - name: X-Trace\n          in: header\n          schema: {type: string}\n          example: abc\n"
LIMIT = '{name: Limit, in: query, schema: {$ref: "#/components/schemas/Count"}, examples: {three: {value: 3}}}'
ALONE: dict[str, Case] = {
    "in a cookie": (TRACE, TRACE.replace("header", "cookie"), "in: cookie", "stands in path, query or header"),
    "in a list": (TRACE, TRACE.replace("header", "[header]"), "in: [header]", "stands in path, query or header"),
    "name": (TRACE, TRACE.replace("X-Trace", "5"), "name: 5", "'name' must be a string"),
    "schema": (LIMIT, "{name: Limit, in: query}", "{name: Limit", "'schema' is missing"),
    "schema that is none": (LIMIT, "{name: Limit, in: query, schema: {minimum: x}}", "minimum: x", "not a JSON Schema"),
    "undeclared in the path": (
        "  /command:\n",
        "  /command/{a}:\n",
        "operationId: command",
        "the path parameter 'a' stands only in the path or only in 'parameters'",
    ),
    "absent from the path": (
        "- {name: cmd, in",
        "- {name: a, in: path, required: true, schema: {}}\n        - {name: cmd, in",
        "operationId: command",
        "the path parameter 'a' stands only in",
    ),
    "schema of a text": (
        "      requestBody: *body\n",
        "      requestBody: {content: {text/plain: {schema: {type: string}}}}\n",
        "text/plain: {schema",
        "only JSON and forms can have a schema",
    ),
    "schema of a body that is none": (
        "      requestBody: *body\n",
        "      requestBody: {content: {application/x-www-form-urlencoded: {schema: {minimum: x}}}}\n",
        "minimum: x",
        "not a JSON Schema",
    ),
    "content": (
        "      requestBody: *body\n",
        "      requestBody: {required: 1}\n",
        "{required: 1}",
        "'content' is missing",
    ),
}


ALONE |= {
    f"{what} in a header": (
        "          schema: {type: string}\n          example: abc",
        f"          schema: {schema}",
        f"          schema: {schema}",
        "in a parameter is not read, so that every value is refused",
    )
    for what, schema in (
        ("an object", "{type: [object, 'null']}"),
        ("objects", "{type: array, items: {type: object}}"),
        ("lists", "{type: array, items: {type: array, items: {type: string}}}"),
    )
}


@pytest.mark.parametrize("case", ALONE.values(), ids=ALONE)
def test_error(case: Case) -> None:
    """A mistake in a parameter or a body is an error on its own line."""
    assert_error(case, alone="body" not in case[0])


def test_parameters() -> None:
    """Header names are lower case, parameters of the path item come first, and types are those of the schemas."""
    assert contract().operations[0].parameters == (
        Parameter("batch", "path", True, None, MISSING),
        Parameter("x-trace", "header", False, None, "abc"),
        Parameter("Limit", "query", False, "integer", 3),
    )


def test_parameter_of_path_item_overridden() -> None:
    """An operation's own parameter replaces the one of that name of its path item."""
    own = "- {name: batch, in: path, required: true, schema: {type: integer}, example: 7}\n"
    (parameter, *_) = contract((TRACE, f"        {own}{TRACE}")).operations[0].parameters
    assert parameter == Parameter("batch", "path", True, "integer", 7)


COMMAND = "      operationId: command\n"
FORMS = """      requestBody:
        content:
          Application/JSON; charset=utf-8: {schema: {type: object, properties: {n: {type: integer}}, required: [n]}}
          application/vnd.acme+json: {schema: {type: array}}
          application/octet-stream: {}
          application/x-www-form-urlencoded: {schema: {type: object, properties: {n: {type: integer}}, required: [n]}}
          multipart/form-data: {}
          "*/*": {examples: {a: {value: 1}}}
"""


def test_body() -> None:
    """Each media type has its essence as its name and is read as JSON, as a form, or not at all."""
    body = contract((COMMAND, COMMAND + FORMS)).operations[2].body
    assert body is not None
    assert not body.required
    assert {essence: media.reads for essence, media in body.media.items()} == {
        "application/json": "json",
        "application/vnd.acme+json": "json",
        "application/octet-stream": "nothing",
        "application/x-www-form-urlencoded": "form",
        "multipart/form-data": "multipart",
        "*/*": "json",
    }
    assert body.media["application/x-www-form-urlencoded"].coerce == {"n": "integer"}
    assert body.media["*/*"].example == 1
    assert body.media["multipart/form-data"].example is MISSING
    assert contract().operations[2].body is None


@pytest.mark.parametrize(
    ("essence", "data", "fits"),
    [
        ("", {"query": {"cmd": "a"}}, True),
        ("", {"query": {}}, False),
        ("", {"query": {"cmd": "a"}, "body": "unread"}, True),
        ("application/json", {"body": {"n": 1}}, True),
        ("application/json", {"body": {"n": "1"}}, False),
        ("application/vnd.acme+json", {"body": {}}, False),
        ("application/octet-stream", {"body": 5}, True),
        ("application/x-www-form-urlencoded", {"body": {}}, False),
        ("application/x-www-form-urlencoded", {"query": {}, "body": {"n": 1}}, False),
        ("multipart/form-data", {"body": {}}, True),
    ],
)
def test_validators(essence: str, data: dict[str, object], fits: bool) -> None:
    """For each media type there is one schema of parameters and body together."""
    validators = contract((COMMAND, COMMAND + FORMS)).operations[2].validators
    assert validators[essence].is_valid(data) is fits


def test_optional_parameters() -> None:
    """What is not required may be absent; what is present must fit."""
    validator = contract().operations[0].validators[""]
    assert validator.is_valid({"path": {"batch": "b"}, "query": {}, "header": {}})
    assert validator.is_valid({"path": {"batch": "b"}, "query": {"Limit": 1}, "header": {"x-trace": "t"}})
    assert not validator.is_valid({"path": {"batch": "b"}, "query": {"Limit": 0}, "header": {}})
    assert not validator.is_valid({"path": {"batch": "b"}, "query": {}, "header": {"x-trace": 5}})


def test_merged_form() -> None:
    """If form fields count as query parameters, their schema has no body."""
    edits = (
        (COMMAND, COMMAND + FORMS),
        ("        dispatch:", "        parameters_from: [query, form]\n        dispatch:"),
    )
    merged = contract(*edits).operations[2]
    assert merged.merges_form
    form = merged.validators["application/x-www-form-urlencoded"]
    assert form.is_valid({"query": {"cmd": "a"}, "body": "unread"})
    assert not form.is_valid({"query": {}})
    assert not merged.validators["application/json"].is_valid({"query": {"cmd": "a"}, "body": {}})
