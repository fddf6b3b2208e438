"""Was it called: what is asked of the server, and what is compared here because only Python can."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mockserver.matching.compare import Difference, masked
from mockserver.matching.explain import Explanation
from mockserver.matching.pattern import Pattern, View, answer_view, headers_view, value_at
from mockserver.matching.verdict import Count, Miss, nearest
from mockserver.spec.pointer import MISSING
from mockserver.testing.call import Call
from mockserver.testing.where import Conditions

MAX_WAIT_SECONDS = 60.0  # seconds that the server waits for one question

Ask = Callable[[Mapping[str, Any], float], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Question:
    """``scope`` is what the control API takes beside the conditions (vendor, operation, accepted, since)."""

    scope: Mapping[str, Any]
    conditions: Conditions
    count: Count
    within: float = 0.0
    settle: float = 0.0

    def shape(self, count: Count, within: float = 0.0, settle: float = 0.0) -> dict[str, Any]:
        """The plain part as the control API takes it."""
        most = {} if count.most is None else {"at_most": count.most}
        times = {"count": {"at_least": count.least, **most}, "within": within, "settle": settle}
        return {**self.scope, **self.conditions.plain, **times}


@dataclass(frozen=True, slots=True)
class Verification:
    """``verified`` is None where it cannot be known; ``calls`` fit, newest first, at most a hundred of ``matched``.

    Secrets are masked in ``calls``, ``nearest`` and ``message``. ``warnings`` say what makes the question doubtful.
    """

    verified: bool | None
    matched: int
    evicted: int
    calls: tuple[Call, ...]
    nearest: tuple[Miss[Call], ...]
    message: str
    warnings: tuple[str, ...] = ()


def verify(question: Question, ask: Ask) -> Verification:
    """The verdict. ``ask`` puts a question to the server, given the seconds that it may take."""
    if question.conditions.own:
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
            Miss(Call(miss["call"]), tuple(Difference(**difference) for difference in miss["differences"]))
            for miss in answer["nearest"]
        ),
        message=answer["message"],
        warnings=tuple(answer["warnings"]),
    )


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A call that fits the plain part: its request as it was sent, as it may be shown, and where it differs."""

    call: Call
    shown: View
    differences: tuple[Difference, ...]

    def miss(self, mask: Callable[[str], str]) -> Miss[Call]:
        """The call and its differences, secrets masked."""
        return Miss(self.call, tuple(self._masked(difference, mask) for difference in self.differences))

    def _masked(self, difference: Difference, mask: Callable[[str], str]) -> Difference:
        found = difference.found
        if found is not MISSING:
            shown = value_at(self.shown, difference.pointer)
            found = masked(found, mask) if shown is MISSING else shown  # the name of a member was masked, too
        return Difference(difference.pointer, masked(difference.expected, mask), found)


class _Comparison:
    """The server's candidates for the plain part, held against what has an ``==`` of its own."""

    def __init__(self, question: Question, ask: Ask) -> None:
        self._question = question
        self._ask = ask
        self._candidates: list[_Candidate] = []
        self._masks: dict[str, str] = {}
        self._plain = self._look(Count(0))

    def verdict(self) -> Verification:
        question, count = self._question, self._question.count
        deadline = time.monotonic() + question.within
        while len(self._fitting) < count.least and self._wait(deadline):
            pass
        deadline = time.monotonic() + question.settle
        while not count.is_exceeded(len(self._fitting)) and self._wait(deadline):
            pass
        return self._decided()

    @property
    def _fitting(self) -> list[Call]:
        return [candidate.call for candidate in self._candidates if not candidate.differences]

    def _wait(self, deadline: float) -> bool:
        """Wait for another candidate; False when the time is over."""
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        self._plain = self._look(Count(self._plain.matched + 1), min(left, MAX_WAIT_SECONDS))
        return True

    def _look(self, count: Count, within: float = 0.0) -> Verification:
        answer = self._ask({**self._question.shape(count, within), "views": True}, within)
        plain = _read(answer)
        self._masks = answer["masks"]
        self._candidates = [
            _candidate(call, view, self._question.conditions.own)
            for call, view in zip(plain.calls, answer["views"], strict=True)
        ]
        return plain

    def _decided(self) -> Verification:
        question, fitting, plain = self._question, self._fitting, self._plain
        unseen = plain.matched - len(plain.calls) + plain.evicted
        verified = question.count.verdict(len(fitting), unseen)
        misses = nearest(candidate.miss(self._mask) for candidate in self._candidates if candidate.differences)
        explanation = Explanation(
            what=str(question.scope.get("operation", "any vendor")),
            count=question.count,
            accepted=question.scope.get("accepted"),
            recipient=question.conditions.plain.get("recipient"),
            matched=len(fitting),
            among=f"{plain.matched} fit the plain parts",
            unknown=_unseen(unseen) if verified is None else "",
            fitting=[call.data for call in fitting],
            nearest=[Miss(miss.call.data, miss.differences) for miss in misses],
        )
        message, near = "\n".join(explanation.lines()), tuple(misses)
        if not verified:
            answer = _read(self._ask(question.shape(question.count), 0))
            if not answer.verified and not near:  # the server knows more than that none of its calls fits
                message, near = message if verified is None else answer.message, answer.nearest
        warnings = plain.warnings if fitting else self._warnings()
        message = "\n".join([message, *(f"Warning: {one}" for one in warnings if f"Warning: {one}" not in message)])
        return Verification(verified, len(fitting), plain.evicted, tuple(fitting), near, message, warnings)

    def _warnings(self) -> tuple[str, ...]:
        """What the server says about the names of all members, those included that are compared here."""
        named = {**self._question.scope, **self._question.conditions.with_names(), "count": {"at_least": 0}}
        return _read(self._ask(named, 0)).warnings

    def _mask(self, text: str) -> str:
        """A text of the test's own, which may name secrets as they are or as Python writes them in quotes."""
        for secret in sorted(self._masks, key=len, reverse=True):
            for written in (secret, repr(secret)[1:-1]):
                text = text.replace(written, self._masks[secret])
        return text


def _candidate(call: Call, view: Mapping[str, Any], own: Pattern) -> _Candidate:
    differences = own.differences(_as_view(view["sent"]))
    return _Candidate(call, _as_view(view["shown"]), tuple(differences))


def _as_view(parts: Mapping[str, Any]) -> View:
    """A request in the control API's shape as patterns see it."""
    return {**parts, "headers": headers_view(parts["headers"]), "answer": answer_view(parts.get("answer", ""))}


def _unseen(number: int) -> str:
    return (
        f"{number} more calls were evicted or are too many to be compared here. "
        "Say more in plain values or by when=, or reset earlier"
    )
