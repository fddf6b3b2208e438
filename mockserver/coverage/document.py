"""Contract coverage documents, as ``GET /_mock/coverage`` gives them: read and merged."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

DOCUMENT_FORMAT = 1  # raised when a member changes its meaning
Document = Mapping[str, Any]


class CoverageError(ValueError):
    """Documents cannot be read or counted together; the text says which and why."""


def read_document(text: str, name: str) -> Document:
    """A document from its JSON text; ``name`` is for the message. Raises CoverageError."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise CoverageError(f"{name} is not JSON: {error}") from error
    if not isinstance(document, dict) or not {"format", "contracts", "operations"} <= document.keys():
        raise CoverageError(f"{name} is no coverage document: --mockserver-cov-json and GET /_mock/coverage make them")
    if document["format"] != DOCUMENT_FORMAT:
        raise CoverageError(f"{name} has format {document['format']!r}; this mockserver reads format {DOCUMENT_FORMAT}")
    return document


def merge_documents(documents: Mapping[str, Document]) -> Document:
    """Documents by name as one, counts added. Raises CoverageError where a contract is not the same in all."""
    contracts: dict[str, Any] = {}
    homes: dict[str, str] = {}
    operations: dict[str, Any] = {}
    for name, document in documents.items():
        for vendor, contract in document["contracts"].items():
            first = homes.setdefault(vendor, name)
            known = contracts.setdefault(vendor, contract)
            if known["hash"] != contract["hash"]:
                raise CoverageError(
                    f"{first} and {name} are of different contracts of {vendor}: "
                    f"{known['hash']} ({known['version']}) and {contract['hash']} ({contract['version']})"
                )
        for operation, met in document["operations"].items():
            operations[operation] = _operation(operations.get(operation, _EMPTY_OPERATION), met)
    versions = dict.fromkeys(document.get("version", "") for document in documents.values())
    return {
        "format": DOCUMENT_FORMAT,
        "version": ", ".join(versions),
        "contracts": contracts,
        "operations": operations,
    }


_EMPTY_OPERATION: Document = {"answers": {}, "fields": {"seen": [], "unseen": []}, "values": {}, "faults": {}}


def _operation(one: Document, other: Document) -> Document:
    return {
        "answers": _by_name(one["answers"], other["answers"], _answer),
        "fields": _seen(one["fields"], other["fields"]),
        "values": _by_name(one["values"], other["values"], _seen),
        "faults": _sum(one["faults"], other["faults"]),
    }


def _by_name(one: Mapping[str, Any], other: Mapping[str, Any], both: Any) -> dict[str, Any]:
    merged = dict(one)
    for name, value in other.items():
        merged[name] = both(merged[name], value) if name in merged else value
    return merged


def _answer(one: Document, other: Document) -> Document:
    return {
        **one,
        "natural": one["natural"] + other["natural"],
        "forced": one["forced"] + other["forced"],
        "tests": _distinct([*one["tests"], *other["tests"]]),
    }


def _seen(one: Document, other: Document) -> Document:
    seen = _distinct([*one["seen"], *other["seen"]])
    known = {json.dumps(value) for value in seen}
    unseen = [value for value in _distinct([*one["unseen"], *other["unseen"]]) if json.dumps(value) not in known]
    return {"seen": seen, "unseen": unseen}


def _distinct(values: Iterable[Any]) -> list[Any]:
    """Each value once, in the order in which they came; 1 and true are two values."""
    return list({json.dumps(value): value for value in values}.values())


def _sum(one: Any, other: Any) -> Any:
    """Two counts, or two mappings or lists of whatever depth, put together."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return _by_name(one, other, _sum)
    if isinstance(one, list) and isinstance(other, list):
        return _distinct([*one, *other])
    return one + other if isinstance(one, int) and isinstance(other, int) else one
