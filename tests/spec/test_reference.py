"""The vocabulary explains itself: every word has a description, and the reference is made of them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema
import pytest

from mockserver.engine.problem import KINDS
from mockserver.spec.answers import CANONICAL_STATUSES
from mockserver.spec.functions import FUNCTIONS
from mockserver.spec.reference import reference
from mockserver.spec.rules import JWT_REASONS

whole = cache(reference)  # the reference, made once for all words
VOCABULARY: dict[str, Any] = json.loads(files("mockserver.spec").joinpath("x-mock.schema.json").read_text("utf-8"))
PARTS: dict[str, Any] = VOCABULARY["$defs"]


def schemas(node: Any, at: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every mapping below a node of the schema, with its place."""
    if isinstance(node, dict):
        yield at, node
        for name, member in node.items():
            if name not in {"examples", "enum", "const"}:
                yield from schemas(member, f"{at}/{name}")
    elif isinstance(node, list):
        for index, item in enumerate(node):
            yield from schemas(item, f"{at}/{index}")


ALL = list(schemas(PARTS))
WORDS = [
    (f"{at}/properties/{name}", name, word)
    for at, node in ALL
    if not at.endswith("/properties")
    for name, word in node.get("properties", {}).items()
]
ENUMERATIONS = [(at, node) for at, node in ALL if isinstance(node.get("enum"), list)]
EXAMPLES = [(kind, example) for kind, part in PARTS.items() for example in part.get("examples", ())]


@pytest.mark.parametrize(("name", "word"), [word[1:] for word in WORDS], ids=[at for at, _, _ in WORDS])
def test_every_word_is_described(name: str, word: dict[str, Any]) -> None:
    """A word says in a sentence or more what it means, and stands in the reference."""
    assert word.get("description", "").endswith(".")
    assert f"- `{name}`" in whole()
    assert word["description"] in whole()


@pytest.mark.parametrize("kind", PARTS)
def test_every_part_is_described(kind: str) -> None:
    """Each part of the vocabulary says what it is."""
    assert PARTS[kind].get("description", "").endswith(".")


@pytest.mark.parametrize("node", [node for _, node in ENUMERATIONS], ids=[at for at, _ in ENUMERATIONS])
def test_every_member_is_described(node: dict[str, Any]) -> None:
    """Each value of an enumeration has a sentence of its own, which editors show."""
    assert len(node["enum"]) == len(node["enumDescriptions"])
    assert [text for text in node["enumDescriptions"] if not text.endswith(".")] == []


@pytest.mark.parametrize(("kind", "example"), EXAMPLES)
def test_examples_fit(kind: str, example: Any) -> None:
    """What the schema shows as an example is accepted by it."""
    validator = jsonschema.Draft202012Validator({**VOCABULARY, "$ref": f"#/$defs/{kind}"})
    assert [error.message for error in validator.iter_errors(example)] == []


def test_problem_kinds() -> None:
    """The kinds of the vocabulary are the engine's, in its order, after the word for all of them."""
    assert tuple(PARTS["kind"]["enum"]) == ("any", *KINDS)


def test_words_that_the_code_knows() -> None:
    """Reasons, names with a canonical status and functions are told in the reference, and no other function is."""
    text = whole()
    assert [
        reason for reason in JWT_REASONS if f"`{reason}`" not in PARTS["rule"]["properties"]["reason"]["description"]
    ] == []
    magic = PARTS["answer"]["properties"]["magic"]["description"]
    assert [name for name, status in CANONICAL_STATUSES.items() if f"`{name}` {status}" not in magic] == []
    functions = text.partition("### Functions\n")[2]
    assert [line.split("`")[1] for line in functions.splitlines() if line.startswith("- ")] == list(FUNCTIONS)


def test_command() -> None:
    """``python -m mockserver.spec.reference`` prints the reference."""
    command = [sys.executable, "-X", "utf8", "-m", "mockserver.spec.reference"]
    assert subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout == whole()
