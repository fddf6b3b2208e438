"""Which answers a contract has for a request whose sender the server may not know, and which of them came."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from mockserver.engine.choice import choose, ordered
from mockserver.engine.problem import Problem
from mockserver.engine.request import ParsedRequest
from mockserver.server.drift.departures import Departure, RealAnswer, departures
from mockserver.server.drift.filled import FilledValues
from mockserver.spec.answer_model import Answer
from mockserver.spec.evidence import ANSWER_PARTS
from mockserver.spec.model import OperationSpec

UNVERIFIED = ("unknown", "signature", "claims", "expired")  # reasons that only the vendor can rule out
OF_THE_CUSTOMER = frozenset({"forbidden", "unknown", "foreign"})  # kinds that are told from what the customer owns
OPEN_ROOTS = frozenset({"account", "owned", "kept"})  # of pointers that read the customer
OVER_LIMIT = Problem("limited", "/limit", "", "")
ASSUMED = "assumed"
NO_ANSWER = "no such answer"
BODY_PLACE = "/body"
UNEXPECTED = 0.5  # departures that it counts for where the request gives no reason for an answer


@dataclass(frozen=True, slots=True)
class PossibleAnswers:
    """``expected`` is the answer as far as the request says; ``others`` may be given for what only the vendor knows.

    A rate limit and a trouble of the vendor's are always possible; ``is_certain``: nothing else is. ``problems`` are
    those of the request that anybody can see.
    """

    expected: Answer | None
    others: tuple[Answer, ...]
    is_certain: bool
    problems: tuple[Problem, ...]

    def allows(self, answer: Answer) -> bool:
        return answer is self.expected or answer in self.others


def possible(request: ParsedRequest, problems: Iterable[Problem], known: Answer | None) -> PossibleAnswers:
    """What the contract has for a request with these problems, those of an unknown sender among them.

    ``known`` is the answer for a sender whose credentials and values the server has; None for others.
    """
    operation = request.operation
    always = _always(operation, request.data)
    seen = tuple(problem for problem in problems if known is not None or _is_seen(problem))
    if known is not None:
        return PossibleAnswers(known, always, True, seen)
    expected = _chosen(operation, seen, request.data)
    open_answers = [_chosen(operation, ordered((*seen, one)), request.data) for one in _open(request, seen)]
    open_answers += _by_customer(operation, seen, expected)
    others = tuple(dict.fromkeys(answer for answer in open_answers if answer is not None and answer is not expected))
    return PossibleAnswers(expected, (*others, *always), not others, seen)


def _is_seen(problem: Problem) -> bool:
    """Whether a problem is the request's own, whoever sends it."""
    if problem.kind == "unauthenticated":
        return problem.reason not in UNVERIFIED
    return problem.kind not in OF_THE_CUSTOMER and problem.kind != "limited"


def _by_customer(operation: OperationSpec, seen: tuple[Problem, ...], expected: Answer | None) -> list[Answer]:
    """The answers of rules that look at what the customer has, before the rule by which the expected one comes."""
    answers = []
    for rule in operation.rules if seen else operation.conditions:
        if any(at.tokens[0] in OPEN_ROOTS for at, _ in rule.when):
            answers.append(rule.answer)
        elif rule.answer is expected:
            break
    return answers


def _always(operation: OperationSpec, data: Mapping[str, Any]) -> tuple[Answer, ...]:
    """The answer to too many requests, and those that no rule gives: trouble of the vendor's."""
    by_rule = {rule.answer for rule in operation.rules}
    trouble = [a for a in operation.answers.values() if a is not operation.success and a not in by_rule]
    limited = _chosen(operation, (OVER_LIMIT,), data)
    is_told = limited is not None and (
        limited.means == HTTPStatus.TOO_MANY_REQUESTS or operation.rate_limit is not None
    )
    return (limited, *trouble) if limited is not None and is_told else tuple(trouble)


def _chosen(operation: OperationSpec, problems: tuple[Problem, ...], data: Mapping[str, Any]) -> Answer | None:
    choice = choose(operation, problems, {**data, "account": {}, "owned": {}}, "", prefer="", pinned=None)
    return choice.answer if choice is not None and isinstance(choice.answer, Answer) else None


def _open(request: ParsedRequest, seen: tuple[Problem, ...]) -> Iterator[Problem]:
    """The problems that a request may have beside those that anybody sees."""
    refused = {problem.at for problem in seen}
    asks_roles = any(alternative.asks_roles for alternative in request.operation.security)
    for scheme in request.credentials:
        if scheme.at not in refused:
            yield from (Problem("unauthenticated", scheme.at, reason, "") for reason in UNVERIFIED)
            if asks_roles:
                yield Problem("forbidden", scheme.at, "", "")
    for possession in request.owned:
        yield Problem("unknown", str(possession.place.at), "", "")
        yield Problem("foreign", str(possession.place.at), "", "")
    for kept in request.operation.kept:
        yield Problem("unknown", str(kept.at), "", "")


@dataclass(frozen=True, slots=True)
class Judgement:
    """The answer of the contract that a real one comes nearest, and where it departs from it.

    ``answer`` is None where the contract has none like it. ``confirmed`` are the parts that the contract assumes, and
    that the real answer shows as they are.
    """

    operation: str
    answer: Answer | None
    departures: tuple[Departure, ...]
    confirmed: tuple[str, ...]

    @property
    def sentences(self) -> list[str]:
        subject = self.operation if self.answer is None else self.answer.id
        return [f"{subject}: {departure.sentence}" for departure in self.departures]


def judge(operation: OperationSpec, may_be: PossibleAnswers, real: RealAnswer, filled: FilledValues) -> Judgement:
    """Hold a real answer against those of the contract; which of them came, its body says rather than the request.

    Of those with another status only the expected one may have come, and only where its body looks like the real one's.
    """
    compared = [
        (answer, found)
        for answer in operation.answers.values()
        if answer.status == real.status or answer is may_be.expected
        for found in [departures(answer, real, filled)]
        if answer.status == real.status or _is_text_compared(found)
    ]
    if not compared:
        return Judgement(operation.id, None, (Departure("status", "/status", NO_ANSWER, str(real.status)),), ())

    def distance(entry: tuple[Answer, list[Departure]]) -> tuple[float, bool]:
        answer, found = entry
        return len(found) + UNEXPECTED * (not may_be.allows(answer)), answer is not may_be.expected

    answer, found = min(compared, key=distance)
    if not may_be.allows(answer) and may_be.expected is not None:
        grade = may_be.expected.evidence.grades["trigger"] or ASSUMED
        found.append(Departure("trigger", "/", may_be.expected.id, answer.id, grade))
    return Judgement(operation.id, answer, tuple(found), tuple(_confirmed(answer, found, may_be)))


def _is_text_compared(found: Iterable[Departure]) -> bool:
    """Whether the body has the answer's shape, so that its texts stand beside those of the contract."""
    return not any(departure.part == "shape" and departure.at.startswith(BODY_PLACE) for departure in found)


def _confirmed(answer: Answer, found: Collection[Departure], may_be: PossibleAnswers) -> Iterator[str]:
    departed = {departure.part for departure in found} | (set() if _is_text_compared(found) else {"text"})
    for part in ANSWER_PARTS:
        grade = answer.evidence.grades[part]
        if grade == ASSUMED and part not in departed and (part != "trigger" or _shows_trigger(answer, may_be)):
            yield part


def _shows_trigger(answer: Answer, may_be: PossibleAnswers) -> bool:
    """Whether an answer could come for this reason only."""
    return may_be.is_certain and answer is may_be.expected
