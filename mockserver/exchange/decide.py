"""The decision: one request and what the world knows of it, to one call."""

import json
from functools import lru_cache
from sys import intern
from typing import Any

import msgspec

from mockserver.exchange.account import Account
from mockserver.exchange.budget import budget_key
from mockserver.exchange.call import Call, Label, label_of, pack_params, pack_problems
from mockserver.exchange.choose import Choice, choose, recipient_of
from mockserver.exchange.credentials import authenticate
from mockserver.exchange.expectation import received
from mockserver.exchange.facts import Facts
from mockserver.exchange.fault import Fault, planned
from mockserver.exchange.match import differences
from mockserver.exchange.ownership import check_owned
from mockserver.exchange.pin import NOTHING_USED, Literal, Pin, Uses, lay_over
from mockserver.exchange.problem import KINDS, Problem
from mockserver.exchange.render import Context, Response, render
from mockserver.exchange.request import Request
from mockserver.exchange.sources import Sources
from mockserver.spec.contract import Answer, Operation

_ORDER = {kind: number for number, kind in enumerate(KINDS)}


LIMITED = Problem("limited", "/limit", "", "the account's rate limit is used up")


class Decision(msgspec.Struct, frozen=True):
    """What is to be sent and recorded, the problem that the answer is about, what it uses up, what goes wrong."""

    call: Call
    response: Response
    problem: Problem | None
    uses: Uses
    fault: Fault | None


def decide(request: Request, facts: Facts, sources: Sources) -> Decision:
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
    call = Call(
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


def _pin(request: Request, account: Account | None, facts: Facts) -> Pin | None:
    """The account's pin of this operation, where the request is one that it is for."""
    pin = facts.pins.get(account.id) if account is not None else None
    if pin is None or not pin.pattern:
        return pin
    return None if differences(pin.pattern, received(request)) else pin


def _pinned(pin: Pin, chosen_by: str, response: Response) -> tuple[Pin | None, Fault | None, Response]:
    """What a pin does where it was chosen, or leaves the answer to the rules; a preference is spared."""
    if chosen_by != "pin" and (pin.entry is not None or chosen_by == "prefer"):
        return None, None, response
    if pin.overlay:
        response = lay_over(response, pin.overlay)
    fault = pin.striking
    return pin, fault, response if fault is None else planned(fault, response)


def _response(answer: Answer | Literal, context: Context) -> Response:
    return answer.response if isinstance(answer, Literal) else render(answer, context)


@lru_cache(maxsize=4096)
def _label(operation: Operation, answer: Answer, chosen_by: str, reads: str) -> Label:
    """The label of calls that got this answer as the contract has it."""
    given = (answer.id, answer.evidence, answer.accepted, chosen_by, reads, answer.status)
    return label_of(operation.vendor, operation.id, *given)


def _label_of_trouble(  # noqa: PLR0913, PLR0917 -- what became of a call, part by part
    operation: Operation, choice: Choice, reads: str, status: int, pin: Pin | None, fault: Fault | None
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
