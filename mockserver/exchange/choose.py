"""Which answer a request gets, and why: a preference, a rule, a magic recipient, or success."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from mockserver.exchange.pin import Literal, Pin
from mockserver.exchange.problem import Problem
from mockserver.spec.contract import Answer, Operation, Recipient, Rule
from mockserver.spec.functions import digits
from mockserver.spec.pointer import MISSING, Pointer

MAGIC = "15005550"  # +1 500 555 0NNN: no customer can have such a number
_PREFERENCE = re.compile(r'(?:^|[;,\s])(example|code)\s*=\s*"?([A-Za-z0-9_]+)"?')


class Choice(msgspec.Struct, frozen=True):
    """An answer, why it was chosen (prefer, pin, rule, magic, default), and the problem it answers, if any.

    A literal is a test's own response, which no contract has.
    """

    answer: Answer | Literal
    chosen_by: str
    problem: Problem | None


def choose(  # noqa: PLR0913 -- all that may decide, in one place
    operation: Operation,
    problems: tuple[Problem, ...],
    view: Mapping[str, Any],
    recipient: str,
    *,
    prefer: str,
    pin: Pin | None,
) -> Choice | None:
    """The answer to a request; ``view`` is what ``when`` reads. None where the contract has none (a bare dispatch)."""
    first = problems[0] if problems else None
    preferred = _preferred(operation, prefer) if prefer else None
    if preferred is not None and not (preferred.accepted and problems):
        return Choice(preferred, "prefer", first)
    if pin is not None and pin.entry is not None and (pin.force or not (problems and pin.entry.accepted)):
        return Choice(pin.entry, "pin", first)
    for rule in operation.rules if problems else operation.conditions:  # no problem: 2 us less
        problem = _met(rule, problems) if rule.on_problem else None
        if (rule.on_problem and problem is None) or not _fits(rule, view):
            continue
        return Choice(rule.answer, "rule", problem)
    if recipient[1:9] == MAGIC and len(recipient) == 12:
        magic = operation.magic.get(recipient[-3:])
        if magic is not None:
            return Choice(magic, "magic", None)
    return Choice(operation.success, "default", None) if operation.success else None


def _met(rule: Rule, problems: tuple[Problem, ...]) -> Problem | None:
    """The first problem that the rule is about."""
    for problem in problems:
        if rule.kinds is not None and problem.kind not in rule.kinds:
            continue
        if rule.reason is not None and rule.reason != problem.reason:
            continue
        if rule.at is None or rule.at.covers(Pointer.parse(problem.at)):
            return problem
    return None


def _fits(rule: Rule, view: Mapping[str, Any]) -> bool:
    for pointer, condition in rule.when:
        value = pointer.get(view)
        if condition is None:
            if value is not MISSING:
                return False
        elif value is MISSING or not condition.is_valid(value):
            return False
    return True


def _preferred(operation: Operation, prefer: str) -> Answer | None:
    """What ``Prefer: example=name`` or ``Prefer: code=429`` asks for (Prism's convention), if there is such."""
    for key, value in _PREFERENCE.findall(prefer):
        if key == "example":
            return operation.answers.get(value)
        return next((a for a in operation.answers.values() if str(a.status) == value), None) or next(
            (a for a in operation.answers.values() if str(a.means) == value), None
        )
    return None


def recipient_of(recipient: Recipient | None, view: Mapping[str, Any]) -> str:
    """The recipient as ``+`` and digits, or "" where there is none."""
    if recipient is None:
        return ""
    value = recipient.override.get(view) if recipient.override is not None else MISSING
    if value is MISSING or value is None:
        value = recipient.at.get(view)
    if not isinstance(value, str | int | float):
        return ""
    number = digits(value)
    return f"+{number}" if number else ""
