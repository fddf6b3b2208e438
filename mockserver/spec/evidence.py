"""How far the parts of an answer, and of a call, are known, and where from."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

GRADES = ("recorded", "page", "vendor", "sibling", "assumed")  # best first
THRESHOLDS = ("page", "vendor", "sibling")  # grades that a test or a gate may ask for at least
ANSWER_PARTS = ("status", "headers", "shape", "text", "trigger")  # of an answer; a call has `request` beside them
CALL_PARTS = (*ANSWER_PARTS, "request")
UNCOUNTED = "text"  # the part that no grade of a whole is made of
OFF_CONTRACT = "off-contract"  # what a call with a response of a test's own relies on
DRAFT = "draft"  # what a call to a contract relies on that is served unfinished
NO_LETTER = "-"  # in place of a letter: there is no such part

_RANK = {grade: rank for rank, grade in enumerate((*GRADES, DRAFT))}
_LETTER_MEANS = {grade[0].upper(): grade for grade in _RANK}


@dataclass(frozen=True, slots=True)
class Graded:
    """A grade, and in one line where it was seen or why it is assumed."""

    grade: str
    why: str

    @property
    def rank(self) -> int:
        """0 for the best grade; the higher, the less is known."""
        return _RANK[self.grade]


ON_ITS_PAGE = Graded("page", "")  # an operation's spelling where its contract does not say otherwise


def graded(block: Mapping[str, str]) -> Graded:
    """The grade that a contract writes as ``{grade: where or why}``."""
    ((grade, why),) = block.items()
    return Graded(grade, why)


@dataclass(frozen=True)
class Evidence:
    """The parts by name, in their order; None for a part that there is not, or that does not count."""

    parts: Mapping[str, Graded | None]

    @cached_property
    def grade(self) -> str:
        """The worst grade of all parts but the text."""
        counted = [part for name, part in self.parts.items() if part is not None and name != UNCOUNTED]
        return max(counted, key=lambda part: part.rank).grade

    @property
    def grades(self) -> dict[str, str | None]:
        """The grade of each part by its name."""
        return {name: None if part is None else part.grade for name, part in self.parts.items()}

    @cached_property
    def letters(self) -> str:
        """A letter for each part: the first of its grade."""
        return "".join(NO_LETTER if part is None else part.grade[0].upper() for part in self.parts.values())

    def bounded(self, name: str, limit: Graded | None) -> "Evidence":
        """The same with this part graded ``limit`` where that is worse."""
        part = self.parts[name]
        if limit is None or part is None or part.rank >= limit.rank:
            return self
        return Evidence({**self.parts, name: limit})

    def of_call(self, request: Graded, *, chosen: bool) -> "Evidence":
        """An answer's evidence as that of a call; ``chosen``: the contract chose the answer, not a test."""
        trigger = self.parts["trigger"] if chosen else None
        return Evidence({**self.parts, "trigger": trigger, "request": request})

    @cached_property
    def reasons(self) -> dict[str, str]:
        """Where or why, of each part that is written with a place."""
        return {name: part.why for name, part in self.parts.items() if part is not None and part.why}


def read_evidence(block: Mapping[str, Any], *, has_headers: bool) -> tuple[Evidence, list[str]]:
    """The evidence of an answer as a contract writes it, and what is wrong with it."""
    if not block.keys() & {"default", *ANSWER_PARTS}:
        block = {"default": block}
    parts: dict[str, Graded | None] = {}
    mistakes = []
    for name in ANSWER_PARTS:
        written = block.get(name, block.get("default"))
        if written is None:
            mistakes.append(f"evidence says nothing of {name!r}, and has no default")
            written = {"assumed": "Not written."}
        parts[name] = graded(written)
    if not has_headers:
        parts["headers"] = None
        if "headers" in block:
            mistakes.append("evidence of headers, and the answer has none beside Content-Type")
    return Evidence(parts), mistakes


def is_enough(grade: str, threshold: str) -> bool:
    """Whether a grade is the threshold or better. What is no grade, as off-contract, is nothing to be judged."""
    return grade not in GRADES or _RANK[grade] <= _RANK[threshold]


def spelled(letters: str) -> dict[str, str | None]:
    """The grade of each part of a call by the part's name; None where there is no such part."""
    return {name: _LETTER_MEANS.get(letter) for name, letter in zip(CALL_PARTS, letters, strict=True)}


def worse_parts(grade: str, letters: str) -> str:
    """A call's grade, then each part that is worse: ``page; text=assumed``."""
    parts = spelled(letters).items() if letters else ()
    worse = [f"; {name}={part}" for name, part in parts if part is not None and _RANK[part] > _RANK[grade]]
    return grade + "".join(worse)
