"""Contracts that differ from ``data/small.yaml`` by a few words, and the errors that their author gets."""

from pathlib import Path

from mockserver.spec.errors import ContractError
from mockserver.spec.load import read_contract
from mockserver.spec.model import Contract
from mockserver.spec.source import read_yaml

DATA = Path(__file__).parent / "data"
SMALL = (DATA / "small.yaml").read_text("utf-8")

Case = tuple[str, str, str, str]
"""What is written, what is written instead, text on the line that the error must name, part of its message."""


def changed(*edits: tuple[str, str]) -> str:
    """The text of the small contract, each first text of an edit, which it has once, replaced by the second."""
    text = SMALL
    for old, new in edits:
        assert text.count(old) == 1, f"{text.count(old)} times in the small contract: {old}"
        text = text.replace(old, new)
    return text


def errors_of(text: str) -> list[ContractError]:
    """All errors of a contract, without repetition."""
    return sorted(set(read_contract(read_yaml("acme.yaml", text), "acme")[1].errors))


def contract(*edits: tuple[str, str]) -> Contract:
    """The small contract with these edits, which leave it without an error."""
    result, reader = read_contract(read_yaml("acme.yaml", changed(*edits)), "acme")
    assert reader.errors == []
    return result


def assert_error(case: Case, *, alone: bool = True) -> None:
    """The edit is one error, on the right line, and unless it has consequences the only one."""
    old, new, on, message = case
    text = changed((old, new))
    lines = [number for number, line in enumerate(text.splitlines(), start=1) if on in line]
    assert len(lines) == 1, f"on {len(lines)} lines: {on}"
    errors = [(error.line, error.message) for error in errors_of(text)]
    assert [line for line, text in errors if message in text] == lines, errors
    assert len(errors) == 1 or not alone, errors
