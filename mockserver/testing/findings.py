"""What a whole test run noticed, put together from its tests and its workers."""

import json
from typing import Any

from mockserver.testing.call import Call
from mockserver.testing.coverage import Document, merge
from mockserver.testing.score import Score

MOST_LINES = 20  # refusals listed


class Findings:
    """Answers met that are assumed, refusals that nobody asserted on, coverage."""

    def __init__(self) -> None:
        self._assumed: dict[str, list[str]] = {}
        self._refused: list[str] = []
        self._lost = 0
        self.coverage: Document | None = None
        self.counted: Score | None = None
        self.complaints: list[str] = []

    def meet(self, test: str, assumed: list[str]) -> None:
        """A test got answers that are assumed."""
        for answer in assumed:
            self._assumed.setdefault(answer, []).append(test)

    def overlook(self, test: str, refused: list[Call]) -> None:
        """A test left refusals without an assertion."""
        self._refused += [f"{test}: {call}" for call in refused]

    def cover(self, document: Document) -> None:
        """Add coverage. Raises CoverageFault where it is of other contracts."""
        known = {} if self.coverage is None else {"before": self.coverage}
        self.coverage = merge({**known, "now": document})

    def lose(self) -> None:
        """A worker ended without telling."""
        self._lost += 1

    def dump(self) -> str:
        """As text, for another process."""
        return json.dumps({"assumed": self._assumed, "refused": self._refused, "coverage": self.coverage})

    def absorb(self, dumped: str) -> None:
        """Add what another process dumped."""
        other: dict[str, Any] = json.loads(dumped)
        for answer, tests in other["assumed"].items():
            self._assumed.setdefault(answer, []).extend(tests)
        self._refused += other["refused"]
        if other["coverage"] is not None:
            self.cover(other["coverage"])

    def assumed_line(self) -> str | None:
        """How many tests got assumed answers, and which."""
        if not self._assumed:
            return None
        tests = {test for met in self._assumed.values() for test in met}
        answers = ", ".join(f"{answer} ({len(set(met))})" for answer, met in sorted(self._assumed.items()))
        verb = "test got" if len(tests) == 1 else "tests got"
        return f"{len(tests)} {verb} answers that the contract only assumes: {answers}"

    def refused_lines(self) -> list[str]:
        """Each refusal by a rule that no test asserted on."""
        more = len(self._refused) - MOST_LINES
        return self._refused[:MOST_LINES] + ([f"… and {more} more"] if more > 0 else [])

    def lost_line(self) -> str | None:
        """How many workers' findings are missing."""
        return f"{self._lost} worker(s) crashed: what their tests met is not counted" if self._lost else None
