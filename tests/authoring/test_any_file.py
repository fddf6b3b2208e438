"""No OpenAPI file ends an import in a traceback, keeps it for long, or makes a wrong contract."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.authoring.draft import read_draft
from mockserver.authoring.importing import Importer
from mockserver.authoring.openapi_file import OpenApiFile
from mockserver.authoring.writing import contract_text, write_fixtures
from mockserver.spec.errors import ContractErrors
from mockserver.spec.load import read_contract, read_contracts
from mockserver.spec.source import read_yaml
from tests.properties import examples

ORDINARY = yaml.safe_load("""
openapi: 3.0.3
info: {title: Acme, version: "1"}
servers: [{url: "https://{region}.acme.test/v1/{account}", variables: {region: {default: eu}, account: {default: a}}}]
security: [{Key: []}, {Login: []}]
paths:
  /messages/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string, pattern: "^SM[0-9a-f]{32}$"}}]
    get:
      parameters: [{name: tags, in: query, style: form, explode: false, schema: {type: array, items: {type: string}}}]
      responses:
        "200": {description: One, headers: {X-Of: {schema: {type: string}, example: a}}}
        default: {description: None}
  /messages:
    post:
      operationId: send
      requestBody:
        required: true
        content:
          application/json: {schema: {$ref: "#/components/schemas/Message"}, example: {to: "1", text: Hi}}
          application/x-www-form-urlencoded:
            schema: {type: object, properties: {to: {type: array, items: {type: string}}}}
            encoding: {to: {style: form, explode: true}}
      responses:
        "202":
          description: Taken
          content:
            application/json:
              schema: {allOf: [{$ref: "#/components/schemas/Message"}], required: [id]}
              examples: {one: {value: {id: "1", to: "1"}}}
components:
  schemas:
    Message:
      type: object
      required: [to, id]
      properties:
        id: {type: string, readOnly: true, minLength: 1, maxLength: 9}
        to: {type: string, nullable: true, pattern: "^[^a0-]+$"}
        text: {oneOf: [{type: string, enum: [Hi]}, {type: integer, minimum: 0, exclusiveMinimum: true}]}
        replies: {type: array, minItems: 1, items: {$ref: "#/components/schemas/Message"}}
      additionalProperties: {type: string}
  securitySchemes:
    Key: {type: apiKey, in: header, name: X-Key}
    Login: {type: http, scheme: basic}
""")
SCHEMAS = {
    "no alternative fits": {"oneOf": [{"type": "object"}, {"properties": {"to": {"type": "string"}}}]},
    "lookahead": {"properties": {"to": {"type": "string", "pattern": "^(?=.*[0-9])(?!0)[a-z]+$"}}, "required": ["to"]},
    "not": {"properties": {"to": {"not": {"type": "string"}}}, "required": ["to"]},
    "two at once": {
        "allOf": [
            {"properties": {"to": {}}, "required": ["to"], "additionalProperties": False},
            {"properties": {"a": {"type": "string"}}, "required": ["a"]},
        ]
    },
    "tuple": {"properties": {"to": {"type": "array", "prefixItems": [{"$ref": "#/$defs/A"}], "items": False}}},
    "an example that misfits": {"properties": {"to": {"type": "string", "pattern": "^(a+)+$", "example": "b"}}},
    "a class that excludes": {"properties": {"to": {"type": "string", "pattern": r"^[^\w\s-]+$"}}},
    "a long text": {"properties": {"to": {"type": "string", "minLength": 10**10}}, "required": ["to"]},
    "a long list": {"properties": {"to": {"type": "array", "minItems": 10**9, "items": {}}}, "required": ["to"]},
    "many alternatives": {
        "properties": {f"a{n}": {"oneOf": [{"$ref": "#/components/schemas/A"}] * 9} for n in range(9)}
    },
    "numbers without a type": {"properties": {"a": {"enum": [0, 1]}, "b": {"const": True}}, "required": ["a"]},
    "numbers of a part": {"allOf": [{"properties": {"a": {"type": "integer"}}, "required": ["a"]}]},
    "a file that cannot be": {
        "properties": {"a": {"$ref": "\0.yaml#/A"}, "b": {"$ref": "no.yaml"}, "c": {"$ref": "#a"}}
    },
    "itself": {"$ref": "#/components/schemas/A"},
    "a member of its kind": {"properties": {"to": {"items": {"$ref": "#/components/schemas/A"}}}},
    "members that are words": {"properties": {"$ref": {"type": "string"}, "x-mock": {"type": "string"}}},
}
COMPONENTS = {
    "A": {"type": "object", "required": ["to"], "properties": {"to": {"type": "string"}}, "oneOf": [
        {"$ref": "#/components/schemas/B"}, {"$ref": "#/components/schemas/A"}]},
    "B": {"allOf": [{"$ref": "#/components/schemas/A"}, {"properties": {"b": {"$ref": "#/components/schemas/B"}}}]},
}  # fmt: skip
ANYTHING: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(
        [None, True, 0, 200, -1, 1.5, 10**30, "", "text", "{", "#", "/", "a: b", "\u2028\x85", [], {}, [[]], {"": {}}]
    ),
    st.sampled_from([["a"], {"a": None}, {"$ref": "#/components/schemas/Message"}, {"$ref": "#"}, {"$ref": 1}]),
    st.text(max_size=4),
)


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of each value within a document."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*at, key)
        if isinstance(item, dict | list):
            yield from places(item, (*at, key))


PLACES = list(places(ORDINARY))


def replaced(document: Any, at: tuple[Any, ...], value: Any) -> None:
    """Put a value in the place of another, if that is still there; nothing in its place is none."""
    for key in at[:-1]:
        document = document[key] if isinstance(document, dict) and key in document else None
    if isinstance(document, dict):
        document[at[-1]] = value


def judge(text: str) -> list[str]:
    """What is wrong with the contract that is made of a file, and with its draft; a file may also be refused."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "acme.yaml"
        file.write_text(text, "utf-8")
        try:
            source = OpenApiFile(file)
            imported = Importer(source, "acme").imported(source.endpoints())
        except ContractErrors as refused:
            return [] if refused.errors else ["refused for nothing"]
        contract, reader = read_contract(read_yaml("acme.yaml", contract_text(imported.document)), "acme")
        if not reader.errors:
            write_fixtures(contract, Path(folder) / "fixtures")
        drafted = read_contracts([], dict([read_draft(file)]))[1]
        return [str(error) for error in (*reader.errors, *drafted)]


def fields_of(schema: Any) -> list[tuple[str, Any]]:
    return [("whole", schema), *schema.get("properties", {}).items()]


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
def test_any_schema(schema: Any, kind: str) -> None:
    """A body that no sample fits, or that is like itself, makes a contract without a fault, soon; so do parameters."""
    document = copy.deepcopy(ORDINARY)
    fields = [{"name": name, "in": "query", "required": True, "schema": part} for name, part in fields_of(schema)]
    document["paths"]["/messages"]["post"]["parameters"] = fields
    document["paths"]["/messages"]["post"]["requestBody"]["content"] = {kind: {"schema": schema}}
    document["components"]["schemas"] |= copy.deepcopy(COMPONENTS)
    begun = monotonic()
    assert judge(json.dumps(document)) == []
    assert monotonic() - begun < 20


@settings(deadline=None, database=None, derandomize=True, max_examples=examples(200))
@given(st.lists(st.tuples(st.sampled_from(PLACES), ANYTHING), min_size=1, max_size=3))
def test_any_value_anywhere(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    """Whatever stands in the place of what should: it is refused in words, or left out."""
    document = copy.deepcopy(ORDINARY)
    for at, value in changes:
        replaced(document, at, value)
    assert judge(json.dumps(document)) == []


@pytest.mark.parametrize(
    "text", ['{"a": "\\ud800"}', "[" * 3000, '{"a": NaN}', "openapi: [3.0", "\x00", "? {a: b}\n: c"]
)
def test_any_text(text: str) -> None:
    """What is no such file at all is refused."""
    assert judge(text) == []
    assert judge(f'{{"openapi": "3.0.0", "paths": {text}}}') == []
