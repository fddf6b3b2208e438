"""The decision: one request and what the world knows of it, to one call."""

import json
from typing import Any, NamedTuple

from mockserver.exchange.account import Account
from mockserver.exchange.call import Call, pack_headers, pack_params, pack_problems
from mockserver.exchange.choose import Choice, choose, recipient_of
from mockserver.exchange.credentials import authenticate
from mockserver.exchange.expectation import received
from mockserver.exchange.facts import Claims, Facts, named_account
from mockserver.exchange.fault import Fault, planned
from mockserver.exchange.match import differences
from mockserver.exchange.ownership import check_owned
from mockserver.exchange.pin import Literal, Pin, Uses, lay_over
from mockserver.exchange.problem import KINDS, Problem
from mockserver.exchange.render import Context, Response, render
from mockserver.exchange.request import Request
from mockserver.exchange.sources import Sources

_ORDER = {kind: number for number, kind in enumerate(KINDS)}


LIMITED = Problem("limited", "/limit", "", "the account's rate limit is used up")


class Decision(NamedTuple):
    """What is to be sent and recorded, the problem that the answer is about, what it uses up, what goes wrong."""

    call: Call
    response: Response
    problem: Problem | None
    uses: Uses
    fault: Fault | None


def decide(request: Request, asked: Claims, facts: Facts, sources: Sources) -> Decision:
    """Verify the credential, list the problems, choose the answer, render the response."""
    operation = request.operation
    identity = authenticate(request, facts)
    account = identity.account or named_account(asked, facts)
    bound: dict[str, Any] = dict(identity.records)
    unowned = check_owned(request, account, facts, bound)
    budget = facts.budgets.get(account.id) if account is not None else None
    limited = (LIMITED,) if budget is not None and budget.wait > 0 else ()
    problems = _ordered(request.problems + identity.problems + unowned + limited)
    owned = account.vendors[operation.vendor] if account else {}
    view = {**request.data, "account": owned, "owned": bound}
    recipient = recipient_of(operation.recipient, view)
    pin = _pin(request, account, facts) if facts.pins else None
    now = facts.clock(account).at(facts.now)
    choice = choose(operation, problems, view, recipient, prefer=request.prefer, pin=pin)
    if choice is None:
        raise LookupError(f"{operation.id} has no answer to this request: the contract's check missed it")
    met = choice.chosen_by == "pin" or (choice.chosen_by != "prefer" and pin is not None and pin.entry is None)
    used = pin if met else None
    fault = used.striking if used is not None else None
    wait = budget.retry_after if limited and budget is not None else None
    response = _response(choice, used, Context(view, choice.problem, sources, now, wait))
    if fault is not None:
        response = planned(fault, response)
    call = _call(
        request,
        account,
        choice,
        response,
        (problems, recipient),
        sources.call_id(),
        facts.now,
        fault.kind if fault else "",
    )
    if used is not None and fault is not None and fault.loses_reply and not used.entries:
        call = call._replace(answer="", evidence="", accepted=0, chosen_by="")  # it never came to an answer
    return Decision(call, response, choice.problem, Uses(used, "" if limited else asked.limit_key, not limited), fault)


def _pin(request: Request, account: Account | None, facts: Facts) -> Pin | None:
    """The account's pin of this operation, where the request is one that it is for."""
    pin = facts.pins.get(account.id) if account is not None else None
    if pin is None or not pin.pattern:
        return pin
    return None if differences(pin.pattern, received(request)) else pin


def _response(choice: Choice, pin: Pin | None, context: Context) -> Response:
    answer = choice.answer
    response = answer.response if isinstance(answer, Literal) else render(answer, context)
    return lay_over(response, pin.overlay) if pin is not None and pin.overlay else response


def _call(  # noqa: PLR0913, PLR0917 -- the parts of one record
    request: Request,
    account: Account | None,
    choice: Choice,
    response: Response,
    found: tuple[tuple[Problem, ...], str],
    call_id: str,
    now: float,
    fault: str,
) -> Call:
    operation, arrival, answer = request.operation, request.arrival, choice.answer
    problems, recipient = found
    return Call(
        id=call_id,
        account=account.id if account else "",
        vendor=operation.vendor,
        operation=operation.id,
        answer="" if isinstance(answer, Literal) else answer.id,
        evidence="off-contract" if isinstance(answer, Literal) else answer.evidence,
        accepted=int(answer.status < 400 if isinstance(answer, Literal) else answer.accepted),
        chosen_by=choice.chosen_by,
        recipient=recipient,
        problems=pack_problems(problems),
        method=arrival.method,
        path=arrival.path,
        path_params=pack_params(arrival.path_params),
        query=arrival.query,
        headers=pack_headers(arrival.headers),
        reads=request.reads,
        body=arrival.body,
        status=response.status,
        response_headers=pack_headers(response.headers),
        response_body=response.body,
        fault=fault,
        outcome="pending",
        received_at=now,
        duration_ms=0.0,
        notes=json.dumps(answer.warnings) if isinstance(answer, Literal) else "",
    )


def fields_seen(request: Request) -> tuple[str, ...]:
    """The pointers of the declared fields that a request gave."""
    data = request.data
    found = []
    for at, part, name in request.operation.declared:
        given = data.get(part)
        if isinstance(given, dict) and name in given:
            found.append(at)
    return tuple(found)


def values_seen(request: Request) -> list[tuple[str, Any]]:
    """The values that a request gave to parameters that have only a few."""
    return [
        (str(pointer), value)
        for pointer, allowed in request.operation.enumerated
        if (value := pointer.get(request.data)) in allowed
    ]


def _ordered(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Problems in the order in which a request meets them, at most one of a kind at a place."""
    if len(problems) < 2:
        return problems
    first: dict[tuple[str, str], Problem] = {}
    for problem in problems:
        first.setdefault((problem.kind, problem.at), problem)
    return tuple(sorted(first.values(), key=lambda problem: _ORDER[problem.kind]))
