"""The decision: one request and what the world knows of it, to one call."""

from typing import Any, NamedTuple

from mockserver.exchange.call import Call, pack_headers, pack_params, pack_problems
from mockserver.exchange.choose import choose, recipient_of
from mockserver.exchange.credentials import authenticate
from mockserver.exchange.facts import Claims, Facts, named_account
from mockserver.exchange.ownership import check_owned
from mockserver.exchange.problem import KINDS, Problem
from mockserver.exchange.render import Context, Response, render
from mockserver.exchange.request import Request
from mockserver.exchange.sources import Sources
from mockserver.spec.contract import Answer

_ORDER = {kind: number for number, kind in enumerate(KINDS)}


class Decision(NamedTuple):
    """What is to be sent and recorded, and the problem that the answer is about, if any."""

    call: Call
    answer: Answer
    response: Response
    problem: Problem | None


def decide(request: Request, asked: Claims, facts: Facts, sources: Sources) -> Decision:
    """Verify the credential, list the problems, choose the answer, render the response."""
    operation, arrival = request.operation, request.arrival
    identity = authenticate(request, facts)
    account = identity.account or named_account(asked, facts)
    bound: dict[str, Any] = dict(identity.records)
    unowned = check_owned(request, account, facts, bound)
    problems = _ordered(request.problems + identity.problems + unowned)
    owned = account.vendors[operation.vendor] if account else {}
    view = {**request.data, "account": owned, "owned": bound}
    recipient = recipient_of(operation.recipient, view)
    choice = choose(operation, problems, view, recipient, request.prefer)
    if choice is None:
        raise LookupError(f"{operation.id} has no answer to this request: the contract's check missed it")
    response = render(choice.answer, Context(view, choice.problem, sources, facts.now))
    call = Call(
        id=sources.call_id(),
        account=account.id if account else "",
        vendor=operation.vendor,
        operation=operation.id,
        answer=choice.answer.id,
        evidence=choice.answer.evidence,
        accepted=int(choice.answer.accepted),
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
        fault="",
        outcome="pending",
        received_at=facts.now,
        duration_ms=0.0,
    )
    return Decision(call, choice.answer, response, choice.problem)


def _ordered(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Problems in the order in which a request meets them, at most one of a kind at a place."""
    if len(problems) < 2:
        return problems
    first: dict[tuple[str, str], Problem] = {}
    for problem in problems:
        first.setdefault((problem.kind, problem.at), problem)
    return tuple(sorted(first.values(), key=lambda problem: _ORDER[problem.kind]))
