"""Was it called: what is asked of the server, and what is compared here because only Python can."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mockserver.testing.call import Call
from mockserver.testing.comparison import Difference
from mockserver.testing.explanation import explain
from mockserver.testing.where import Pattern

LONGEST = 60.0  # seconds that the server waits for one question

_KINDS = {None: "", True: "accepted ", False: "refused "}

Ask = Callable[[Mapping[str, Any], float], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Count:
    """How many calls are meant; no ``most`` means any number above."""

    least: int = 1
    most: int | None = None

    @classmethod
    def exactly(cls, number: int) -> "Count":
        return cls(number, number)

    def __str__(self) -> str:
        if self.least == self.most:
            return f"exactly {self.least}"
        if self.most is None:
            return f"at least {self.least}"
        return f"at most {self.most}" if self.least == 0 else f"from {self.least} to {self.most}"

    @property
    def shape(self) -> dict[str, int]:
        """As the control API takes it."""
        return {"at_least": self.least} if self.most is None else {"at_least": self.least, "at_most": self.most}

    def is_exceeded(self, number: int) -> bool:
        return self.most is not None and number > self.most


@dataclass(frozen=True, slots=True)
class Question:
    """``scope`` is what the control API takes beside the pattern (vendor, operation, accepted, since)."""

    scope: Mapping[str, Any]
    pattern: Pattern
    count: Count
    within: float = 0.0
    settle: float = 0.0

    def shape(self, count: Count, within: float = 0.0, settle: float = 0.0) -> dict[str, Any]:
        """The plain part as the control API takes it."""
        return {**self.scope, **self.pattern.plain, "count": count.shape, "within": within, "settle": settle}


@dataclass(frozen=True, slots=True)
class Miss:
    """A call that was not the one, and where it differs."""

    call: Call
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Verification:
    """``verified`` is None where it cannot be known; ``calls`` fit, newest first, at most a hundred of ``matched``."""

    verified: bool | None
    matched: int
    evicted: int
    calls: tuple[Call, ...]
    nearest: tuple[Miss, ...]
    message: str


def verify(question: Question, ask: Ask) -> Verification:
    """The verdict. ``ask`` puts a question to the server, given the seconds that it may take."""
    if question.pattern.own:
        return _Comparison(question, ask).verdict()
    within, settle = question.within, question.settle
    return _read(ask(question.shape(question.count, within, settle), within + settle))


def _read(answer: Mapping[str, Any]) -> Verification:
    return Verification(
        verified=answer["verified"],
        matched=answer["matched"],
        evicted=answer["evicted"],
        calls=tuple(Call(data) for data in answer["calls"]),
        nearest=tuple(
            Miss(Call(near["call"]), tuple(Difference(**one) for one in near["differences"]))
            for near in answer["nearest"]
        ),
        message=answer["message"],
    )


class _Comparison:
    """The server's candidates for the plain part, held against what has an ``==`` of its own."""

    def __init__(self, question: Question, ask: Ask) -> None:
        self._question = question
        self._ask = ask
        self._fits: list[Call] = []
        self._misses: list[Miss] = []
        self._candidates = self._look(Count(0))

    def verdict(self) -> Verification:
        question, count = self._question, self._question.count
        deadline = time.monotonic() + question.within
        while len(self._fits) < count.least and self._wait(deadline):
            pass
        deadline = time.monotonic() + question.settle
        while not count.is_exceeded(len(self._fits)) and self._wait(deadline):
            pass
        return self._decided()

    def _wait(self, deadline: float) -> bool:
        """Wait for another candidate; False when the time is over."""
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        self._candidates = self._look(Count(self._candidates.matched + 1), min(left, LONGEST))
        return True

    def _look(self, count: Count, within: float = 0.0) -> Verification:
        candidates = _read(self._ask(self._question.shape(count, within), within))
        compared = [(call, self._question.pattern.differences(call)) for call in candidates.calls]
        self._fits = [call for call, differences in compared if not differences]
        self._misses = [Miss(call, tuple(differences)) for call, differences in compared if differences]
        return candidates

    def _decided(self) -> Verification:
        question, candidates = self._question, self._candidates
        unseen = candidates.matched - len(candidates.calls) + candidates.evicted
        verified = _decide(len(self._fits), question.count, unseen)
        nearest = tuple(sorted(self._misses, key=lambda miss: len(miss.differences))[:3])
        plain = None if verified else _read(self._ask(question.shape(question.count), 0))
        message = explain(
            str(question.scope.get("operation", "any operation")),
            f"{question.count} {_KINDS[question.scope.get('accepted')]}call(s)",
            len(self._fits),
            candidates.matched,
            unseen=unseen if verified is None else 0,
            exceeding=self._fits if question.count.is_exceeded(len(self._fits)) else (),
            nearest=[(miss.call, miss.differences) for miss in nearest],
            plain=plain.message if plain is not None and not plain.verified else "",
        )
        return Verification(verified, len(self._fits), candidates.evicted, tuple(self._fits), nearest, message)


def _decide(fits: int, count: Count, unseen: int) -> bool | None:
    """Calls that could not be compared leave open whatever they could change."""
    if count.is_exceeded(fits):
        return False
    if unseen and (fits < count.least or count.most is not None):
        return None
    return fits >= count.least
