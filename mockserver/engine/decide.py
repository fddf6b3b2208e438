"""The decision: one request and what is known of it, to one call."""

import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from sys import intern
from typing import Any

import msgspec

from mockserver.engine.account import AccountData
from mockserver.engine.authentication import authenticate
from mockserver.engine.call import Label, RecordedCall, label_of, pack_params, pack_problems
from mockserver.engine.expectation import RequestView
from mockserver.engine.facts import Facts, budget_key
from mockserver.engine.fault import Fault, planned
from mockserver.engine.pin import NOTHING_USED, Literal, PinState, Uses, lay_over
from mockserver.engine.problem import KINDS, Problem
from mockserver.engine.request import ParsedRequest, Possession
from mockserver.engine.response import Context, RenderedResponse, render
from mockserver.engine.sources import Sources
from mockserver.spec.functions import digits
from mockserver.spec.model import Answer, OperationSpec, Owned, Recipient, Rule
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
    operation: OperationSpec,
    problems: tuple[Problem, ...],
    view: Mapping[str, Any],
    recipient: str,
    *,
    prefer: str,
    pin: PinState | None,
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


def _preferred(operation: OperationSpec, prefer: str) -> Answer | None:
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


def check_owned(
    claimed: Iterable[Possession], account: AccountData | None, facts: Facts, bound: dict[str, Any]
) -> tuple[Problem, ...]:
    """The problems ``unknown`` and ``foreign``; records of the account's own values are added to ``bound``."""
    problems = []
    for one in claimed:
        place, owner = one.place, facts.owners.get(one.claim)
        if place.within is not None:
            if place.binds not in bound or _holds(bound, place, one.value):
                continue
        elif owner is not None and owner.account is account:
            bound[place.binds] = owner.record
            continue
        foreign = owner is not None and (place.within is None or owner.account is not account)
        problems.append(_problem(place, one.value, foreign=foreign))
    return tuple(problems)


def _holds(bound: dict[str, Any], place: Owned, value: Any) -> bool:
    """Whether the bound record's member is, or lists, this value."""
    inner = Pointer((place.within or place.at).tokens[1:])
    held = inner.get(bound)
    values = held if isinstance(held, list) else [] if held is MISSING else [held]
    if place.digits:
        return digits(value) in {digits(item) for item in values}
    return str(value) in {str(item) for item in values}


def _problem(place: Owned, value: Any, *, foreign: bool) -> Problem:
    if foreign:
        return Problem("foreign", str(place.at), "", "the value belongs to another account", value)
    return Problem("unknown", str(place.at), "", "nobody owns the value", value)


_ORDER = {kind: number for number, kind in enumerate(KINDS)}


LIMITED = Problem("limited", "/limit", "", "the account's rate limit is used up")


class Decision(msgspec.Struct, frozen=True):
    """What is to be sent and recorded, the problem that the answer is about, what it uses up, what goes wrong."""

    call: RecordedCall
    response: RenderedResponse
    problem: Problem | None
    uses: Uses
    fault: Fault | None


def decide(request: ParsedRequest, facts: Facts, sources: Sources) -> Decision:
    """Verify the credential, list the problems, choose the answer, render the response."""
    operation, arrival = request.operation, request.arrival
    identity = authenticate(request, facts)
    account = identity.account or facts.claimant(request.claims)
    bound: dict[str, Any] = {**identity.records}
    problems = request.problems + identity.problems
    if request.owned:
        problems += check_owned(request.owned, account, facts, bound)
    budget = facts.budgets.get(account.id) if facts.budgets and account is not None else None
    limited = budget is not None and budget.wait > 0
    if limited:
        problems += (LIMITED,)
    if len(problems) > 1:
        problems = _ordered(problems)
    view = {**request.data, "account": account.vendors[operation.vendor] if account is not None else {}, "owned": bound}
    recipient = recipient_of(operation.recipient, view)
    pin = _pin(request, account, facts) if facts.pins else None
    choice = choose(operation, problems, view, recipient, prefer=request.head.prefer, pin=pin)
    if choice is None:
        raise LookupError(f"{operation.id} has no answer to this request: the contract's check missed it")
    now, wait = facts.time(account), budget.retry_after if limited and budget is not None else None
    answer, chosen_by = choice.answer, choice.chosen_by
    response = _response(answer, Context(view, choice.problem, sources, now, wait))
    used, fault, uses = None, None, NOTHING_USED
    if pin is not None:
        used, fault, response = _pinned(pin, chosen_by, response)
    if used is not None or budget is not None:
        uses = Uses(used, "" if limited or budget is None else budget_key(request), not limited)
    if fault is None and isinstance(answer, Answer):
        label = _label(operation, answer, chosen_by, request.reads)
    else:
        label = _label_of_trouble(operation, choice, request.reads, response.status, used, fault)
    call = RecordedCall(
        sources.call_number(),
        account.id if account is not None else "",
        label,
        recipient,
        pack_problems(problems) if problems else "",
        arrival.method,
        intern(arrival.path),
        intern(pack_params(arrival.path_params)) if arrival.path_params else "",
        arrival.query,
        request.head.packed,
        arrival.body,
        response.head,
        response.body,
        facts.now,
    )
    return Decision(call, response, choice.problem, uses, fault)


def _pin(request: ParsedRequest, account: AccountData | None, facts: Facts) -> PinState | None:
    """The account's pin of this operation, where the request is one that it is for."""
    pin = facts.pins.get(account.id) if account is not None else None
    if pin is None or not pin.pattern:
        return pin
    return pin if pin.pattern.fits(RequestView(request.arrival, request.reads)) else None


def _pinned(
    pin: PinState, chosen_by: str, response: RenderedResponse
) -> tuple[PinState | None, Fault | None, RenderedResponse]:
    """What a pin does where it was chosen, or leaves the answer to the rules; a preference is spared."""
    if chosen_by != "pin" and (pin.entry is not None or chosen_by == "prefer"):
        return None, None, response
    if pin.overlay:
        response = lay_over(response, pin.overlay)
    fault = pin.striking
    return pin, fault, response if fault is None else planned(fault, response)


def _response(answer: Answer | Literal, context: Context) -> RenderedResponse:
    return answer.response if isinstance(answer, Literal) else render(answer, context)


@lru_cache(maxsize=4096)
def _label(operation: OperationSpec, answer: Answer, chosen_by: str, reads: str) -> Label:
    """The label of calls that got this answer as the contract has it."""
    given = (answer.id, answer.evidence, answer.accepted, chosen_by, reads, answer.status)
    return label_of(operation.vendor, operation.id, *given)


def _label_of_trouble(  # noqa: PLR0913, PLR0917 -- what became of a call, part by part
    operation: OperationSpec, choice: Choice, reads: str, status: int, pin: PinState | None, fault: Fault | None
) -> Label:
    """The label of a call with a fault, or with an answer that a test made up."""
    answer, kind = choice.answer, fault.kind if fault is not None else ""
    if pin is not None and fault is not None and fault.loses_reply and not pin.entries:
        given = ("", "", False, "")  # it never came to an answer
    elif isinstance(answer, Literal):
        given = ("", "off-contract", answer.accepted, choice.chosen_by)
    else:
        given = (answer.id, answer.evidence, answer.accepted, choice.chosen_by)
    notes = json.dumps(answer.warnings) if isinstance(answer, Literal) else ""
    return label_of(operation.vendor, operation.id, *given, reads, status, kind, notes)


def _ordered(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Problems in the order in which a request meets them, at most one of a kind at a place."""
    first: dict[tuple[str, str], Problem] = {}
    for problem in problems:
        first.setdefault((problem.kind, problem.at), problem)
    return tuple(sorted(first.values(), key=lambda problem: _ORDER[problem.kind]))
