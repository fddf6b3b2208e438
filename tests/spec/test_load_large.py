"""Contracts of a megabyte: what is done for each part of one is done once, and does not grow with the rest."""

import json
import sys
from typing import Any

import jsonschema_rs
import pytest

from mockserver.spec.load import read_contract
from mockserver.spec.source import read_yaml

FIELDS = 40  # of each schema
CHAIN = 10  # schemas that refer to one another


def large(paths: int, version: str = "3.1.0") -> str:
    """A contract with so many paths, each with a schema of its own: 12 KB a path."""
    text = "What this field of a message is for, in the many words of a vendor's page. " * 2
    schemas: dict[str, Any] = {"Error": {"type": "object", "properties": {"code": {"type": "integer"}}}}
    operations = {}
    for number in range(paths):
        properties = {
            f"field_{i}": {"type": "string", "maxLength": 100 + i, "description": text} for i in range(FIELDS)
        }
        properties["error"] = {"$ref": "#/components/schemas/Error"}
        if number % CHAIN:
            properties["next"] = {"$ref": f"#/components/schemas/Message{number - 1}"}
        schemas[f"Message{number}"] = {"type": "object", "properties": properties}
        operations[f"/messages{number}"] = {"post": operation(number)}
    scheme = {"type": "apiKey", "in": "header", "name": "X-Key", "x-mock": {"accept": {"equals": "/account/key"}}}
    document = {
        "openapi": version,
        "info": {"title": "Large", "version": "1"},
        "servers": [{"url": "https://large.test"}],
        "x-mock": {"account": {"key": {"new": "token"}}},
        "components": {"schemas": schemas, "securitySchemes": {"Key": scheme}},
        "security": [{"Key": []}],
        "paths": operations,
    }
    return json.dumps(document, indent=1)


def operation(number: int) -> dict[str, Any]:
    def answer(name: str, schema: str) -> Any:
        example = {"value": {}, "x-mock": {"evidence": {"assumed": "a guess"}}}
        content = {"schema": {"$ref": f"#/components/schemas/{schema}"}, "examples": {name: example}}
        return {"description": name, "content": {"application/json": content}}

    body = {"schema": {"$ref": f"#/components/schemas/Message{number}"}}
    return {
        "operationId": f"send_{number}",
        "x-mock": {"rules": [{"problem": "any", "answer": "refused"}]},
        "requestBody": {"content": {"application/json": body}},
        "responses": {"200": answer("sent", f"Message{number}"), "400": answer("refused", "Error")},
    }


def calls_to_read(text: str) -> int:
    """How many calls of Python it takes to read a contract."""
    calls = 0

    def count(_frame: Any, event: str, _arg: Any) -> None:
        nonlocal calls
        calls += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        reader = read_contract(read_yaml("large.json", text), "large")[1]
    finally:
        sys.setprofile(before)
    assert reader.errors == []
    return calls


def test_the_work_grows_with_the_file_and_no_faster() -> None:
    """Twice as many paths take twice as many steps."""
    small, twice = large(CHAIN), large(2 * CHAIN)
    assert len(twice) > 1.9 * len(small)
    assert calls_to_read(twice) < 2.1 * calls_to_read(small)


def test_schemas_are_compiled_with_what_they_refer_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each comes with those of its chain, and not with all of a megabyte; one that is only named is compiled once."""
    compiled: list[int] = []
    real = jsonschema_rs.validator_for

    def counting(schema: Any, **options: Any) -> Any:
        compiled.append(len(schema.get("components", {}).get("schemas", {})))
        return real(schema, **options)

    monkeypatch.setattr(jsonschema_rs, "validator_for", counting)
    paths = 4 * CHAIN
    assert read_contract(read_yaml("large.json", large(paths)), "large")[1].errors == []
    assert len(compiled) < 5 * paths
    assert max(compiled) == CHAIN + 1


@pytest.mark.parametrize("paths", [1, 130])
def test_another_openapi_is_all_that_is_said(paths: int) -> None:
    """What else would be wrong with it is only that it is none of ours; nothing of it is read."""
    text = large(paths, "4.0.0").replace('"type": "string"', '"type": "string", "nullable": 5', 1)
    assert paths == 1 or len(text) > 1_400_000
    contract, reader = read_contract(read_yaml("large.json", text), "large")
    assert [error.message for error in reader.errors] == ["openapi must be 3.1.x, or 3.0.x: this is 4.0.0"]
    assert contract.operations == ()
    swagger = read_contract(read_yaml("a.yaml", 'swagger: "2.0"\npaths: {}\n'), "a")[1]
    assert [error.message for error in swagger.errors] == ["openapi must be 3.1.x, or 3.0.x: this is 2.0"]


def test_a_raw_file_is_told_how_to_begin() -> None:
    """A file without a word of ours is not judged line by line: a command makes a contract of it."""
    text = 'openapi: "3.0.1"\npaths: {/a: {get: {operationId: kebab-case}}}\n'
    contract, reader = read_contract(read_yaml("raw.yaml", text), "raw")
    assert [(error.unfinished, error.message[:24]) for error in reader.errors] == [(True, "a raw OpenAPI document, ")]
    assert contract.operations == ()
