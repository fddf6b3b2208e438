"""How much of the contracts a coverage document has met, and whether that is enough."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from mockserver.testing.coverage import CoverageFault, Document


@dataclass(frozen=True, slots=True)
class Selection:
    """Which answers count: of these vendors (none: all), of this evidence, none that fits an excluded pattern."""

    vendors: tuple[str, ...] = ()
    evidence: str | None = None
    exclude: tuple[str, ...] = ()

    def takes(self, row: "Row") -> bool:
        return (
            (not self.vendors or row.operation.partition(".")[0] in self.vendors)
            and self.evidence in {None, row.evidence}
            and not any(fnmatchcase(row.id, pattern) for pattern in self.exclude)
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One answer of the contract; ``natural`` and ``forced`` are how often it was met, ``tests`` in how many tests."""

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
    """The rows that count."""

    rows: tuple[Row, ...]

    @property
    def total(self) -> int:
        return len(self.rows)

    @property
    def covered(self) -> int:
        return sum(row.is_covered for row in self.rows)

    @property
    def natural(self) -> int:
        """Answers met without force."""
        return sum(row.natural > 0 for row in self.rows)

    @property
    def percent(self) -> float:
        """0 to 100; 0 where no answer counts."""
        return 100 * self.covered / self.total if self.rows else 0.0

    def __str__(self) -> str:
        forced = self.covered - self.natural
        return f"{self.covered} of {self.total} answers, {self.percent:.1f} %: {self.natural} natural, {forced} forced"


def score(document: Document, selection: Selection) -> Score:
    """The answers that count. Raises CoverageFault for a vendor that the document does not know."""
    for vendor in selection.vendors:
        if vendor not in document["contracts"]:
            raise CoverageFault(f"there is no vendor {vendor!r}; known: {', '.join(document['contracts'])}")
    return Score(tuple(row for row in _rows(document) if selection.takes(row)))


def failures(document: Document, counted: Score, require: Iterable[str], fail_under: float | None) -> list[str]:
    """A line for each gate that is not passed. Raises CoverageFault for a required answer that no contract has."""
    known = {row.id: row for row in _rows(document)}
    lines = []
    for answer in require:
        if answer not in known:
            raise CoverageFault(f"there is no answer {answer!r}; known: {', '.join(known)}")
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
