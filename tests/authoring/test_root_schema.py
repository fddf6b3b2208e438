"""The editors' schema of contracts: JSON Schema to the letter, and named by each contract of ours."""

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from mockserver.authoring.root_schema import root_schema, schema_text
from mockserver.authoring.skeleton import skeleton
from mockserver.authoring.writing import MODELINE, contract_text
from mockserver.spec.near_keys import SCHEMA_KEYWORDS, inner_schemas
from tests.evidence import ROOT
from tests.guides import COMMAND, EDITORS_SCHEMA

OF_EDITORS = {"enumDescriptions"}  # hovers of VS Code and yaml-language-server
CONTRACTS = sorted((ROOT / "contracts").glob("*.yaml"))


def schemas(schema: Any) -> Iterator[dict[str, Any]]:
    """A schema, and all in it."""
    if isinstance(schema, dict):
        yield schema
        for inner in inner_schemas(schema):
            yield from schemas(inner)


def test_it_is_json_schema_to_the_letter() -> None:
    """It fits its own meta-schema, has no word that JSON Schema has not, and each reference leads somewhere."""
    schema = root_schema()
    Draft202012Validator.check_schema(schema)
    every = list(schemas(schema))
    assert len(every) > 300
    assert {word for one in every for word in one} - SCHEMA_KEYWORDS == OF_EDITORS
    references = {one["$ref"] for one in every if "$ref" in one}
    assert references <= {f"#/$defs/{name}" for name in schema["$defs"]}
    for one in every:
        if "enumDescriptions" in one:
            assert len(one["enumDescriptions"]) == len(one["enum"]), one
        for example in one.get("examples", []):
            Draft202012Validator({**one, "$defs": schema["$defs"]}).validate(example)


@pytest.mark.parametrize("file", CONTRACTS, ids=lambda file: file.stem)
def test_our_contracts_name_it(file: Any) -> None:
    """The first line leads to it."""
    first = file.read_text("utf-8").partition("\n")[0]
    assert f"{first}\n" == MODELINE
    assert (file.parent / first.partition("=")[2]).resolve() == EDITORS_SCHEMA


def test_it_is_current() -> None:
    """The file beside our contracts is made of the vocabulary as it is."""
    assert EDITORS_SCHEMA.read_text("utf-8") == schema_text(), f"renew it: {COMMAND}"


def test_begun_contracts_name_it() -> None:
    """So do those that `contract new` and `contract import` write."""
    assert skeleton("acme").startswith(MODELINE)
    assert contract_text({"openapi": "3.1.0"}).startswith(MODELINE)
