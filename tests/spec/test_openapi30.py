"""Contracts that are written in OpenAPI 3.0."""

from typing import Any

import pytest

from mockserver.spec.openapi30 import NOTE, read_as_31
from tests.spec.writing import changed, contract, errors_of


@pytest.mark.parametrize(
    ("schema", "read"),
    [
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        ({"type": "string", "nullable": False}, {"type": "string"}),
        ({"type": "string", "enum": ["a"], "nullable": True}, {"type": ["string", "null"], "enum": ["a", None]}),
        ({"$ref": "#/x", "nullable": True}, {"$ref": "#/x"}),
        ({"allOf": [{}], "nullable": True}, {"anyOf": [{"allOf": [{}]}, {"type": "null"}]}),
        ({"minimum": 1, "exclusiveMinimum": True}, {"exclusiveMinimum": 1}),
        ({"maximum": 9, "exclusiveMaximum": False}, {"maximum": 9}),
        ({"exclusiveMaximum": True}, {}),
        ({"exclusiveMaximum": 7}, {"exclusiveMaximum": 7}),
        ({"properties": {"nullable": {"nullable": True}}}, {"properties": {"nullable": {}}}),
        (
            {"example": {"nullable": True}, "items": [{"nullable": True}]},
            {"example": {"nullable": True}, "items": [{}]},
        ),
    ],
)
def test_words_of_30(schema: dict[str, Any], read: dict[str, Any]) -> None:
    """Each word that 3.1 has no longer is said as 3.1 says it, in schemas and not in values."""
    document = {"openapi": "3.0.3", "components": {"schemas": {"A": schema}}}
    read_as_31(document)
    assert document == {"openapi": "3.1.0", "components": {"schemas": {"A": read}}}


def test_a_contract_in_30() -> None:
    """It is read, with a note, and is served as 3.1."""
    edit = ("openapi: 3.1.0", "openapi: 3.0.3")
    acme = contract(edit)
    assert acme.notes == (NOTE,)
    assert acme.document["openapi"] == "3.1.0"
    assert contract().notes == ()
    assert errors_of(changed(("openapi: 3.1.0", "openapi: 3.0.3"))) == []
