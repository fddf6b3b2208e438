"""Coverage for people and programs: text, Markdown, JSON."""

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from mockserver.testing.coverage import Document
from mockserver.testing.score import Row, Score


def render(form: str, document: Document, counted: Score, failed: Sequence[str]) -> str:
    """``form`` is text, markdown or json; ``failed`` are the gates that were not passed."""
    if form == "json":
        return json.dumps(_summary(document, counted, failed), indent=2)
    return "\n".join((_markdown if form == "markdown" else _text)(document, counted, failed))


def _operations(counted: Score) -> Iterator[tuple[str, Score]]:
    for operation, rows in groupby(counted.rows, key=lambda row: row.operation):
        yield operation, Score(tuple(rows))


def _text(document: Document, counted: Score, failed: Sequence[str]) -> Iterator[str]:
    for operation, part in _operations(counted):
        yield f"{operation}: {part.covered} of {part.total}"
        met, unmet = _divided(part)
        for row in met:
            tests = f"in {row.tests} test(s)" if row.tests else ""
            counts = f"natural {row.natural:<5} forced {row.forced:<5}"
            yield f"  {row.status} {row.name:24} {row.evidence:10} {counts} {tests}".rstrip()
        if met and unmet:
            yield f"  not met: {', '.join(row.name for row in unmet)}"
        if met:
            yield from (f"  {line}" for line in _beside(document["operations"][operation]))
    yield f"{counted}"
    yield from (f"FAILED: {line}" for line in failed)


def _markdown(document: Document, counted: Score, failed: Sequence[str]) -> Iterator[str]:
    yield f"## Contract coverage: {counted.percent:.1f} %"
    yield ""
    yield f"{counted}."
    yield ""
    yield "| answer | status | evidence | natural | forced | tests |"
    yield "| --- | --- | --- | ---: | ---: | ---: |"
    for row in counted.rows:
        mark = "" if row.is_covered else " (not met)"
        yield f"| {row.id}{mark} | {row.status} | {row.evidence} | {row.natural} | {row.forced} | {row.tests} |"
    for operation, part in _operations(counted):
        lines = list(_beside(document["operations"][operation])) if part.covered else []
        if lines:
            yield ""
            yield f"{operation}: {'; '.join(lines)}"
    for line in failed:
        yield ""
        yield f"**Failed:** {line}"


def _summary(document: Document, counted: Score, failed: Sequence[str]) -> dict[str, Any]:
    return {
        "percent": round(counted.percent, 2),
        "covered": counted.covered,
        "total": counted.total,
        "natural": counted.natural,
        "forced": counted.covered - counted.natural,
        "contracts": document["contracts"],
        "operations": {
            operation: {
                "covered": part.covered,
                "total": part.total,
                "met": [row.name for row in _divided(part)[0]],
                "unmet": [row.name for row in _divided(part)[1]],
                "fields": document["operations"][operation]["fields"],
                "values": document["operations"][operation]["values"],
                "faults": document["operations"][operation]["faults"],
            }
            for operation, part in _operations(counted)
        },
        "failures": list(failed),
    }


def _divided(part: Score) -> tuple[list[Row], list[Row]]:
    """The answers met and those not met."""
    return [row for row in part.rows if row.is_covered], [row for row in part.rows if not row.is_covered]


def _beside(met: Document) -> Iterator[str]:
    """Request fields and values that never came where others did, and faults met; no part of any percentage."""
    fields = met["fields"]
    if fields["unseen"]:
        sent, known = len(fields["seen"]), len(fields["seen"]) + len(fields["unseen"])
        yield f"request fields {sent} of {known}, never sent: {', '.join(map(str, fields['unseen']))}"
    for pointer, values in met["values"].items():
        if values["unseen"]:
            yield f"{pointer} never sent as: {', '.join(json.dumps(value) for value in values['unseen'])}"
    if met["faults"]:
        yield f"faults met: {', '.join(f'{name} ({times})' for name, times in met['faults'].items())}"
