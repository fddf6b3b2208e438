"""Contract coverage documents as ``GET /_mock/coverage`` returns them: read from text, and merged."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

DOCUMENT_FORMAT = 2  # raised when a member changes its meaning: evidence is a grade since 2
Document = Mapping[str, Any]


class CoverageError(ValueError):
    """Documents cannot be read or counted together; the message names them and says why."""


def read_document(text: str, name: str) -> Document:
    """A document from its JSON text; ``name`` stands for it in messages. Raises CoverageError."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CoverageError(f"{name} is not JSON: {error}") from error
    if not isinstance(document, dict) or not {"format", "contracts", "operations"} <= document.keys():
        raise CoverageError(f"{name} is no coverage document: --mockserver-cov-json and GET /_mock/coverage make them")
    if document["format"] != DOCUMENT_FORMAT:
        raise CoverageError(f"{name} has format {document['format']!r}; this mockserver reads format {DOCUMENT_FORMAT}")
    import jsonschema_rs  # noqa: PLC0415 -- a test run that merges nothing may not have it

    violation = next(iter(jsonschema_rs.validator_for(_SHAPE).iter_errors(document)), None)
    if violation is not None:
        at = "".join(f"/{token}" for token in violation.instance_path) or "/"
        raise CoverageError(f"{name} is no coverage document: {at}: {violation.message[:MAX_ERROR_SHOWN]}")
    return document


MAX_ERROR_SHOWN = 200  # characters of what is wrong with a document
_TIMES = {"type": "integer", "minimum": 0, "maximum": 10**15}
_SEEN = {"type": "object", "required": ["seen", "unseen"], "additionalProperties": {"type": "array"}}
_ANSWER = {
    "type": "object",
    "required": ["status", "evidence", "natural", "forced", "tests"],
    "properties": {
        "status": _TIMES,
        "evidence": {"type": "string"},
        "natural": _TIMES,
        "forced": _TIMES,
        "tests": {"type": "array", "items": {"type": "string"}},
    },
}
_OPERATION = {
    "type": "object",
    "required": ["answers", "fields", "values", "faults"],
    "properties": {
        "answers": {"type": "object", "additionalProperties": _ANSWER},
        "fields": _SEEN,
        "values": {"type": "object", "additionalProperties": _SEEN},
        "faults": {"type": "object", "additionalProperties": _TIMES},
    },
}
_CONTRACT = {
    "type": "object",
    "required": ["hash", "version"],
    "properties": {"hash": {"type": "string"}, "version": {"type": "string"}},
}
_SHAPE = {
    "properties": {
        "version": {"type": "string"},
        "contracts": {"type": "object", "additionalProperties": _CONTRACT},
        "operations": {"type": "object", "additionalProperties": _OPERATION},
    }
}


def merge_documents(documents: Mapping[str, Document]) -> Document:
    """All documents, given by name, as one with their counts added. Raises CoverageError if a contract differs."""
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


def _operation(first: Document, second: Document) -> Document:
    return {
        "answers": _by_name(first["answers"], second["answers"], _answer),
        "fields": _seen(first["fields"], second["fields"]),
        "values": _by_name(first["values"], second["values"], _seen),
        "faults": _sum(first["faults"], second["faults"]),
    }


def _by_name(first: Mapping[str, Any], second: Mapping[str, Any], combine: Any) -> dict[str, Any]:
    merged = dict(first)
    for name, value in second.items():
        merged[name] = combine(merged[name], value) if name in merged else value
    return merged


def _answer(first: Document, second: Document) -> Document:
    return {
        **first,
        "natural": first["natural"] + second["natural"],
        "forced": first["forced"] + second["forced"],
        "tests": _distinct([*first["tests"], *second["tests"]]),
    }


def _seen(first: Document, second: Document) -> Document:
    seen = _distinct([*first["seen"], *second["seen"]])
    known = {json.dumps(value) for value in seen}
    unseen = [value for value in _distinct([*first["unseen"], *second["unseen"]]) if json.dumps(value) not in known]
    return {"seen": seen, "unseen": unseen}


def _distinct(values: Iterable[Any]) -> list[Any]:
    """Each value once, in order of first appearance; 1 and true are two values."""
    return list({json.dumps(value): value for value in values}.values())


def _sum(first: Any, second: Any) -> Any:
    """The sum of two counts; of two mappings or lists, member by member."""
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return _by_name(first, second, _sum)
    if isinstance(first, list) and isinstance(second, list):
        return _distinct([*first, *second])
    return first + second if isinstance(first, int) and isinstance(second, int) else first
