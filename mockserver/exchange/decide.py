"""The decision: one request and what the world knows of it, to one call."""

import json
from functools import lru_cache
from typing import Any

import msgspec

from mockserver.exchange.account import Account
from mockserver.exchange.budget import budget_key
from mockserver.exchange.call import Call, Label, pack_headers, pack_params, pack_problems
from mockserver.exchange.choose import choose, recipient_of
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
    budget = facts.budgets.get(account.id) if account is not None and facts.budgets else None
    limited = budget is not None and budget.wait > 0
    if limited:
        problems += (LIMITED,)
    if len(problems) > 1:
        problems = _ordered(problems)
    view = {**request.data, "account": account.vendors[operation.vendor] if account is not None else {}, "owned": bound}
    recipient = recipient_of(operation.recipient, view)
    pin = _pin(request, account, facts) if facts.pins else None
    choice = choose(operation, problems, view, recipient, prefer=request.prefer, pin=pin)
    if choice is None:
        raise LookupError(f"{operation.id} has no answer to this request: the contract's check missed it")
    used = pin if choice.chosen_by == "pin" or _meets_fault(pin, choice.chosen_by) else None
    now, wait = facts.clock(account).at(facts.now), budget.retry_after if limited and budget is not None else None
    response = _response(choice.answer, used, Context(view, choice.problem, sources, now, wait))
    fault = used.striking if used is not None else None
    if fault is not None:
        response = planned(fault, response)
    chosen_by = choice.chosen_by
    answer: Answer | Literal | None = choice.answer
    if used is not None and fault is not None and fault.loses_reply and not used.entries:
        answer, chosen_by = None, ""  # it never came to an answer
    call = Call(
        sources.call_number(),
        account.id if account is not None else "",
        _label(operation, answer, chosen_by, request.reads, response.status, fault.kind if fault is not None else ""),
        recipient,
        pack_problems(problems) if problems else "",
        arrival.method,
        arrival.path,
        pack_params(arrival.path_params) if arrival.path_params else "",
        arrival.query,
        arrival.headers,
        arrival.body,
        pack_headers(response.headers),
        response.body,
        facts.now,
    )
    uses = NOTHING_USED
    if used is not None or budget is not None:
        uses = Uses(used, "" if limited or budget is None else budget_key(request), not limited)
    return Decision(call, response, choice.problem, uses, fault)


def _meets_fault(pin: Pin | None, chosen_by: str) -> bool:
    """Whether a pin that leaves the answer to the rules has its fault for this request: a preference is spared."""
    return pin is not None and pin.entry is None and chosen_by != "prefer"


def _pin(request: Request, account: Account | None, facts: Facts) -> Pin | None:
    """The account's pin of this operation, where the request is one that it is for."""
    pin = facts.pins.get(account.id) if account is not None else None
    if pin is None or not pin.pattern:
        return pin
    return None if differences(pin.pattern, received(request)) else pin


def _response(answer: Answer | Literal, pin: Pin | None, context: Context) -> Response:
    response = answer.response if isinstance(answer, Literal) else render(answer, context)
    return lay_over(response, pin.overlay) if pin is not None and pin.overlay else response


@lru_cache(maxsize=4096)
def _label(  # noqa: PLR0913, PLR0917 -- what calls can have in common
    operation: Operation, answer: Answer | Literal | None, chosen_by: str, reads: str, status: int, fault: str
) -> Label:
    """The one label of all calls that were answered so."""
    given = {"chosen_by": chosen_by, "reads": reads, "status": status, "fault": fault}
    if isinstance(answer, Literal):
        given |= {"evidence": "off-contract", "accepted": answer.accepted, "notes": json.dumps(answer.warnings)}
    elif answer is not None:
        given |= {"answer": answer.id, "evidence": answer.evidence, "accepted": answer.accepted}
    return Label(operation.vendor, operation.id, **given)  # type: ignore[arg-type]


def _ordered(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Problems in the order in which a request meets them, at most one of a kind at a place."""
    first: dict[tuple[str, str], Problem] = {}
    for problem in problems:
        first.setdefault((problem.kind, problem.at), problem)
    return tuple(sorted(first.values(), key=lambda problem: _ORDER[problem.kind]))
