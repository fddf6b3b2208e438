"""How many answers of the contracts a coverage document has met, for gates, people and programs."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import groupby
from typing import Any

from mockserver.coverage.document import CoverageError, Document
from mockserver.spec.evidence import is_enough


@dataclass(frozen=True, slots=True)
class Selection:
    """The answers that count: of these vendors (none: all), of this grade at least, without those of ``exclude``."""

    vendors: tuple[str, ...] = ()
    evidence: str | None = None
    exclude: tuple[str, ...] = ()

    def takes(self, row: "Row") -> bool:
        return (
            (not self.vendors or row.operation.partition(".")[0] in self.vendors)
            and (self.evidence is None or is_enough(row.evidence, self.evidence))
            and not any(fnmatchcase(row.id, pattern) for pattern in self.exclude)
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One answer of a contract: how often it was met, by itself and by force, and in how many tests."""

    operation: str
    name: str
    status: int
    evidence: str
    natural: int
    forced: int
    tests: int

    @property
    def id(self) -> str:
        return f"{self.operation}/{self.name}"

    @property
    def is_covered(self) -> bool:
        return self.natural + self.forced > 0


@dataclass(frozen=True, slots=True)
class Score:
    """The rows of the answers that count, and their figures."""

    rows: tuple[Row, ...]

    @property
    def total(self) -> int:
        return len(self.rows)

    @property
    def covered(self) -> int:
        return sum(row.is_covered for row in self.rows)

    @property
    def natural(self) -> int:
        """The number of answers met without force."""
        return sum(row.natural > 0 for row in self.rows)

    @property
    def percent(self) -> float:
        """From 0 to 100; 0 if no answer counts."""
        return 100 * self.covered / self.total if self.rows else 0.0

    def __str__(self) -> str:
        forced = self.covered - self.natural
        return f"{self.covered} of {self.total} answers, {self.percent:.1f} %: {self.natural} natural, {forced} forced"


def score(document: Document, selection: Selection) -> Score:
    """The answers that count. Raises CoverageError for a vendor that is not in the document."""
    for vendor in selection.vendors:
        if vendor not in document["contracts"]:
            raise CoverageError(f"there is no vendor {vendor!r}; known: {', '.join(document['contracts'])}")
    return Score(tuple(row for row in _rows(document) if selection.takes(row)))


def failures(document: Document, counted: Score, require: Iterable[str], fail_under: float | None) -> list[str]:
    """A line for each gate that failed. Raises CoverageError for a required answer that no contract has."""
    known = {row.id: row for row in _rows(document)}
    lines = []
    for answer in require:
        if answer not in known:
            raise CoverageError(f"there is no answer {answer!r}; known: {', '.join(known)}")
        if not known[answer].is_covered:
            lines.append(f"{answer} is required and was never met")
    if fail_under is not None and counted.percent < fail_under:
        lines.append(f"{counted.percent:.1f} % is below {fail_under:g} %")
    return lines


def _rows(document: Document) -> Iterable[Row]:
    for operation, met in document["operations"].items():
        for name, answer in met["answers"].items():
            counts = answer["natural"], answer["forced"], len(answer["tests"])
            yield Row(operation, name, answer["status"], answer["evidence"], *counts)


def render_report(form: str, document: Document, counted: Score, failed: Sequence[str]) -> str:
    """The report as text, markdown or json; ``failed`` are the lines of the gates that failed."""
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
    """The answers that were met, and those that were not."""
    return [row for row in part.rows if row.is_covered], [row for row in part.rows if not row.is_covered]


def _beside(met: Document) -> Iterator[str]:
    """Request fields and values that were never sent, and faults that were met. No percentage includes them."""
    fields = met["fields"]
    if fields["unseen"]:
        sent, known = len(fields["seen"]), len(fields["seen"]) + len(fields["unseen"])
        yield f"request fields {sent} of {known}, never sent: {', '.join(map(str, fields['unseen']))}"
    for pointer, values in met["values"].items():
        if values["unseen"]:
            yield f"{pointer} never sent as: {', '.join(json.dumps(value) for value in values['unseen'])}"
    if met["faults"]:
        yield f"faults met: {', '.join(f'{name} ({times})' for name, times in met['faults'].items())}"
