"""What a draft answers to problems that its contract has no rule for yet: a refusal as many vendors have it."""

import json
from collections.abc import Mapping
from typing import NamedTuple

from mockserver.spec.answer_model import Answer
from mockserver.spec.evidence import DRAFT, read_evidence
from mockserver.spec.model import Rule


class _DraftRefusal(NamedTuple):
    """An answer by its usual name, and the problem kinds that get it."""

    name: str
    status: int
    kinds: tuple[str, ...]


_REFUSALS = (
    _DraftRefusal("method_not_allowed", 405, ("method",)),
    _DraftRefusal("unsupported_media_type", 415, ("media_type",)),
    _DraftRefusal("too_large", 413, ("too_large",)),
    _DraftRefusal("unauthorized", 401, ("unauthenticated",)),
    _DraftRefusal("forbidden", 403, ("forbidden",)),
    _DraftRefusal("invalid", 400, ("unreadable", "missing", "invalid")),
    _DraftRefusal("not_found", 404, ("unknown", "foreign")),
    _DraftRefusal("rate_limited", 429, ("limited",)),
)


def draft_refusals(answers: Mapping[str, Answer], operation_id: str) -> tuple[dict[str, Answer], tuple[Rule, ...]]:
    """The answers and rules that come after those of an operation; its own answer of a usual name is taken instead."""
    added: dict[str, Answer] = {}
    rules = []
    for refusal in _REFUSALS:
        own = answers.get(refusal.name)
        answer = own if own is not None and not own.accepted else _answer(refusal, operation_id)
        if answer is not own:
            added[answer.name] = answer
        says = f"a draft, without a rule for {', '.join(refusal.kinds)}"
        rules.append(Rule(answer, frozenset(refusal.kinds), True, None, None, (), DRAFT, says))
    return added, tuple(rules)


def _answer(refusal: _DraftRefusal, operation_id: str) -> Answer:
    name = f"draft_{refusal.name}"
    sample = {"type": "about:blank", "title": refusal.name.replace("_", " ").capitalize(), "status": refusal.status}
    return Answer(
        name=name,
        id=f"{operation_id}/{name}",
        status=refusal.status,
        means=refusal.status,
        magic=None,
        evidence=read_evidence({DRAFT: "Served unfinished."}, has_headers=False)[0],
        headers=((b"content-type", b"application/problem+json", None),),
        body=(json.dumps(sample).encode("ascii"),),
        fills=(),
        schema=None,
        sample=sample,
    )
