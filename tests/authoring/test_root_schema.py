"""The editors' schema of contracts: JSON Schema to the letter, and named by each contract of ours."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from mockserver.authoring.skeleton import skeleton
from mockserver.authoring.writing import MODELINE, contract_text
from mockserver.spec.near_keys import SCHEMA_KEYWORDS, inner_schemas
from mockserver.spec.root_schema import root_schema, schema_text
from mockserver.spec.source import read_yaml
from tests.evidence import ROOT
from tests.guides import COMMAND, EDITORS_SCHEMA
from tests.spec.writing import SMALL

OF_EDITORS = {"enumDescriptions"}  # hovers of VS Code and yaml-language-server
CONTRACTS = sorted((ROOT / "contracts").glob("*.yaml"))
OF_VENDORS = sorted((ROOT / "tests" / "vendors" / "contracts").glob("*.yaml"))
OF_TESTS = [
    *OF_VENDORS,
    *(ROOT / "tests" / name for name in ("spec/data/small.yaml", "twoway/parcel.yaml", "vendors/words.yaml")),
]


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


@pytest.mark.parametrize("file", [*CONTRACTS, *OF_VENDORS], ids=lambda file: file.stem)
def test_our_contracts_name_it(file: Any) -> None:
    """The first line leads to it."""
    first = file.read_text("utf-8").partition("\n")[0]
    assert first.partition("=")[0] == MODELINE.partition("=")[0]
    assert (file.parent / first.partition("=")[2]).resolve() == EDITORS_SCHEMA


def marked(text: str) -> list[str]:
    """The places that an editor marks in a contract."""
    return [error.json_path for error in Draft202012Validator(root_schema()).iter_errors(read_yaml("a", text).value)]


@pytest.mark.parametrize("file", [*CONTRACTS, *OF_TESTS], ids=lambda file: file.stem)
def test_nothing_is_marked_in_what_is_right(file: Path) -> None:
    """Neither in our contracts nor in those that tests are made of."""
    assert marked(file.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("requestBody:", "requestbody:"),
        ("parameters:", "paramters:"),
        ("security:", "secuirty:"),
        ("title: Acme SMS", "titel: Acme SMS"),
        ("x-mock: {owned", "x-mocks: {owned"),
        ("{const: false}", "{cosnt: false}"),
        ("securitySchemes:", "securitySchemas:"),
        ("{echo: ", "{ecko: "),
        ("{new: uuid}", "{nwe: uuid}"),
        ("{new: uuid}", "{new: uuid, length: 3}"),
        ("{echo: /header/x-trace, ", "{join: abc, "),
    ],
)
def test_a_misspelt_key_is_marked(old: str, new: str) -> None:
    """One of OpenAPI, of JSON Schema, also in a condition, or our own."""
    assert old in SMALL
    assert marked(SMALL.replace(old, new, 1))


def test_it_is_current() -> None:
    """The file beside our contracts is made of the vocabulary as it is."""
    assert EDITORS_SCHEMA.read_text("utf-8") == schema_text(), f"renew it: {COMMAND}"


def test_begun_contracts_name_it() -> None:
    """So do those that `contract new` and `contract import` write."""
    assert skeleton("acme").startswith(MODELINE)
    assert contract_text({"openapi": "3.1.0"}).startswith(MODELINE)
