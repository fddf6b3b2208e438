"""The engine: one request, and what is known of it, to one decision."""

import json
from collections.abc import Iterator
from functools import lru_cache

import msgspec

from mockserver.engine.account import AccountData
from mockserver.engine.authentication import Authenticator
from mockserver.engine.bodies import UnreadableError, read_form, read_multipart
from mockserver.engine.call import Label, RecordedCall, pack_params, pack_problems, unpack_headers
from mockserver.engine.choice import Choice, check_owned, choose, ordered, recipient_of
from mockserver.engine.credentials import Claim, CredentialReader
from mockserver.engine.expectation import RequestView
from mockserver.engine.facts import Facts, budget_key
from mockserver.engine.fault import Fault, planned
from mockserver.engine.pin import NOT_PINNED, NOTHING_USED, Literal, Pinned, PinState, Uses, first_fitting, lay_over
from mockserver.engine.problem import Problem
from mockserver.engine.request import Arrival, ParsedRequest, RequestParser, read_query
from mockserver.engine.response import Context, RenderedResponse, Renderer
from mockserver.engine.sources import SeededIds, Sources
from mockserver.spec.model import Answer, Contract, OperationSpec

MAX_LABELS = 4_096
MAX_SHARED_TEXTS = 4_096
MAX_SHARED_LENGTH = 1_024  # characters; a longer text is not shared
LIMITED = Problem("limited", "/limit", "", "the account's rate limit is used up")


class Decision(msgspec.Struct, frozen=True):
    """The call to record, with the response to send; the problem that it answers; what it uses up; its fault.

    ``number`` is the request's, among those that met the fault.
    """

    call: RecordedCall
    problem: Problem | None
    uses: Uses
    fault: Fault | None
    number: int = 0


class Engine:
    """Decides what requests to some contracts are answered with.

    Its methods do no I/O and read no clock but ``sources``. It owns all that is remembered between requests, each
    memory bounded: heads, credentials, verified tokens, prepared answers, labels. They go with the engine.
    """

    def __init__(self, contracts: tuple[Contract, ...], sources: Sources) -> None:
        self._schemes = {contract.vendor: contract.schemes for contract in contracts}
        self._sources = sources
        self._reader = CredentialReader()
        self._parser = RequestParser(self._reader)
        self._authenticator = Authenticator()
        self._renderer = Renderer(contracts)
        self._answer_label = lru_cache(maxsize=MAX_LABELS)(_answer_label)
        self._trouble_label = lru_cache(maxsize=MAX_LABELS)(Label)
        self._shared = lru_cache(maxsize=MAX_SHARED_TEXTS)(_itself)

    def parse(self, operation: OperationSpec, arrival: Arrival) -> ParsedRequest:
        """Read an arrival. The operation may turn out to be one that it dispatches to."""
        return self._parser.parse(operation, arrival)

    def claims(self, arrival: Arrival) -> Iterator[tuple[str, list[Claim]]]:
        """By vendor the account values that any credential in header, query or form names; for unknown paths."""
        headers = {name.lower(): value for name, value in unpack_headers(arrival.headers)}
        query = {**_form(headers, arrival.body), **dict(read_query(arrival.query))}
        data = {"path": {}, "query": query, "header": headers}
        for vendor, schemes in self._schemes.items():
            carried = self._reader.read(schemes, data).values()
            yield vendor, [credential.claim for credential in carried if credential.claim is not None]

    def decide(self, request: ParsedRequest, facts: Facts) -> Decision:
        """Verify the credential, list the problems, choose the answer, render the response.

        Raises LookupError where the contract has no answer, which its check should have told.
        """
        operation = request.operation
        identity = self._authenticator.authenticate(request, facts)
        account = identity.account or facts.claimant(request.claims)
        bound = {**identity.records}
        problems = request.problems + identity.problems
        if request.owned:
            problems += check_owned(request.owned, account, facts, bound)
        budget = facts.budgets.get(account.id) if facts.budgets and account is not None else None
        limited = budget is not None and budget.wait > 0
        if limited:
            problems += (LIMITED,)
        if len(problems) > 1:
            problems = ordered(problems)
        view = {**request.data, "account": account.vendors[operation.vendor] if account else {}, "owned": bound}
        recipient = recipient_of(operation.recipient, view)
        pinned = _pinned(request, account, facts, has_problems=bool(problems)) if facts.pins else NOT_PINNED
        choice = choose(operation, problems, view, recipient, prefer=request.head.prefer, pinned=pinned.answer)
        if choice is None:
            raise LookupError(f"{operation.id} has no answer to this request: the contract's check missed it")
        ids = _seeded_ids(account, facts) if facts.seeds else None
        time = facts.time(account) if facts.clocks else facts.now
        context = Context(
            view,
            choice.problem,
            ids or self._sources,
            time,
            budget.retry_after if limited and budget is not None else None,
        )
        answer = choice.answer
        response = answer.response if isinstance(answer, Literal) else self._renderer.render(answer, context)
        fault, uses = None, NOTHING_USED
        if pinned is not NOT_PINNED:
            pinned, fault, response = _applied(pinned, choice.chosen_by, response)
        if pinned.met or budget is not None or ids is not None or identity.sights:
            limit_key = "" if limited or budget is None else budget_key(request)
            uses = Uses(pinned.met, limit_key, not limited, None if ids is None else ids.drawn, identity.sights)
        label = (
            self._answer_label(operation, answer, choice.chosen_by, request.reads, choice.rule)
            if fault is None and isinstance(answer, Answer)
            else self._label_of_trouble(operation, choice, request.reads, response.status, pinned.pin, fault)
        )
        call = self._record(request, account, label, recipient, problems, response, facts.now)
        if pinned.pin is None:
            return Decision(call, choice.problem, uses, None)
        call.pin = pinned.pin.id
        return Decision(call, choice.problem, uses, fault, pinned.pin.met)

    def _label_of_trouble(  # noqa: PLR0913, PLR0917 -- what became of a call, part by part
        self,
        operation: OperationSpec,
        choice: Choice,
        reads: str,
        status: int,
        pin: PinState | None,
        fault: Fault | None,
    ) -> Label:
        """The label of a call with a fault, or with an answer that a test wrote itself."""
        answer, rule = choice.answer, choice.rule
        parts = _answer_parts(answer, choice.chosen_by)
        if pin is not None and fault is not None and fault.loses_reply and not pin.entries:
            parts, rule = ("", "", False, ""), ""  # the request was never answered
        notes = json.dumps(answer.warnings(operation)) if isinstance(answer, Literal) else ""
        kind = fault.kind if fault is not None else ""
        return self._trouble_label(operation.vendor, operation.id, *parts, reads, status, kind, notes, rule)

    def _record(  # noqa: PLR0913, PLR0917 -- the parts of a call
        self,
        request: ParsedRequest,
        account: AccountData | None,
        label: Label,
        recipient: str,
        problems: tuple[Problem, ...],
        response: RenderedResponse,
        now: float,
    ) -> RecordedCall:
        arrival = request.arrival
        # By keyword, 0.1 us more than by position: of its 12 values ten are texts or bytes, easily swapped.
        return RecordedCall(
            account=account.id if account is not None else "",
            label=label,
            recipient=recipient,
            problems=pack_problems(problems) if problems else "",
            method=arrival.method,
            path=self._share(arrival.path),
            path_params=self._share(pack_params(arrival.path_params)) if arrival.path_params else "",
            query=arrival.query,
            headers=request.head.packed,
            body=arrival.body,
            response_headers=response.head,
            response_body=response.body,
            received_at=now,
        )

    def _share(self, text: str) -> str:
        """The text, one object for texts that are equal: in a journal of a million calls it takes room once."""
        return self._shared(text) if len(text) <= MAX_SHARED_LENGTH else text


def _itself(text: str) -> str:
    return text


def _form(headers: dict[str, str], body: bytes) -> dict[str, str]:
    """The fields of a body that calls itself a form; none where it is no form."""
    content_type = headers.get("content-type", "").lower()
    try:
        if content_type.startswith("multipart/form-data"):
            return dict(read_multipart(body, headers["content-type"].encode("latin-1")))
        return dict(read_form(body)) if content_type.startswith("application/x-www-form-urlencoded") else {}
    except UnreadableError:
        return {}


def _pinned(request: ParsedRequest, account: AccountData | None, facts: Facts, *, has_problems: bool) -> Pinned:
    """What the account's pins have for a request."""
    pins = facts.pins.get(account.id) if account is not None else None
    if pins is None:
        return NOT_PINNED
    view = RequestView(request.arrival, request.reads)
    return first_fitting(pins, request.operation, view, has_problems=has_problems)


def _applied(
    pinned: Pinned, chosen_by: str, response: RenderedResponse
) -> tuple[Pinned, Fault | None, RenderedResponse]:
    """What is used of the pins, and what becomes of the response; a preference leaves pins as they are."""
    if chosen_by == "prefer":
        return NOT_PINNED, None, response
    pin = pinned.pin
    if pin is None:
        return pinned, None, response
    if pin.changes:
        response = lay_over(response, pin.changes)
    fault = pin.striking
    return pinned, fault, response if fault is None else planned(fault, response)


def _seeded_ids(account: AccountData | None, facts: Facts) -> SeededIds | None:
    """Where the ids of an account that was made with a seed come from."""
    seed = facts.seeds.get(account.id) if account is not None else None
    return None if seed is None else SeededIds(*seed)


def _answer_label(operation: OperationSpec, answer: Answer, chosen_by: str, reads: str, rule: str) -> Label:
    """The label of calls that got an answer as the contract has it."""
    return Label(operation.vendor, operation.id, *_answer_parts(answer, chosen_by), reads, answer.status, rule=rule)


def _answer_parts(answer: Answer | Literal, chosen_by: str) -> tuple[str, str, bool, str]:
    """What a label says of an answer: id, evidence, accepted, chosen by."""
    if isinstance(answer, Literal):
        return "", "off-contract", answer.accepted, chosen_by
    return answer.id, answer.evidence, answer.accepted, chosen_by
