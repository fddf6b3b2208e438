"""Contracts that differ from ``data/small.yaml`` by a few words, and what their author is told."""

from pathlib import Path

from mockserver.spec.errors import ContractError
from mockserver.spec.load import read_contract
from mockserver.spec.model import Contract
from mockserver.spec.source import read_yaml

DATA = Path(__file__).parent / "data"
SMALL = (DATA / "small.yaml").read_text("utf-8")

Case = tuple[str, str, str, str]
"""What is written, what is written instead, text on the line that the fault must name, part of its message."""


def changed(*edits: tuple[str, str]) -> str:
    """The small contract with each first text, which must stand in it once, replaced."""
    text = SMALL
    for old, new in edits:
        assert text.count(old) == 1, f"{text.count(old)} times in the small contract: {old}"
        text = text.replace(old, new)
    return text


def faults(text: str) -> list[ContractError]:
    """Everything wrong with a contract, without repetition."""
    return sorted(set(read_contract(read_yaml("acme.yaml", text), "acme")[1].errors))


def contract(*edits: tuple[str, str]) -> Contract:
    """The small contract with these edits, which leave it without fault."""
    found, reader = read_contract(read_yaml("acme.yaml", changed(*edits)), "acme")
    assert reader.errors == []
    return found


def assert_fault(case: Case, *, alone: bool = True) -> None:
    """The edit is told once, on the right line; and unless it has consequences, nothing else is."""
    old, new, on, message = case
    text = changed((old, new))
    lines = [number for number, line in enumerate(text.splitlines(), start=1) if on in line]
    assert len(lines) == 1, f"on {len(lines)} lines: {on}"
    found = [(fault.line, fault.message) for fault in faults(text)]
    assert [line for line, text in found if message in text] == lines, found
    assert len(found) == 1 or not alone, found
