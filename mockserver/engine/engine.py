"""The engine: one request, and what is known of it, to one decision."""

import json
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import msgspec

from mockserver.engine.account import AccountData
from mockserver.engine.authentication import Authenticator
from mockserver.engine.bodies import UnreadableError, read_form, read_multipart, read_query
from mockserver.engine.call import Label, RecordedCall, pack_more, pack_params, pack_problems, unpack_headers
from mockserver.engine.choice import MAX_NOTE, Choice, check_kept, check_owned, choose, ordered
from mockserver.engine.clock import Sight
from mockserver.engine.coding import content_of
from mockserver.engine.credentials import Claim, CredentialReader
from mockserver.engine.effects import Effect, EffectCompiler
from mockserver.engine.expectation import RequestView
from mockserver.engine.facts import NOTHING, Budget, Facts, budget_key
from mockserver.engine.fault import Fault, planned
from mockserver.engine.inbound import OptOuts
from mockserver.engine.pin import NOT_PINNED, NOTHING_USED, Literal, Pinned, PinState, Uses, first_fitting, lay_over
from mockserver.engine.problem import Problem
from mockserver.engine.recipient import recipient_of, recipients_of
from mockserver.engine.request import DEFAULT_MAX_BODY, Arrival, ParsedRequest, RequestParser
from mockserver.engine.response import RenderedResponse, Renderer
from mockserver.engine.sources import SeededIds, Sources
from mockserver.engine.values import Context, ValueCompiler
from mockserver.spec.answer_model import Answer
from mockserver.spec.callback_model import OPTED_OUT
from mockserver.spec.evidence import OFF_CONTRACT, Graded
from mockserver.spec.model import Contract, OperationSpec

MAX_LABELS = 4_096
MAX_SHARED_TEXTS = 4_096
MAX_SHARED_LENGTH = 1_024  # characters; a longer text is not shared
CONTRACT_CHOICES = frozenset({"rule", "default"})  # what chooses an answer where no test does
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


class Understood(msgspec.Struct, frozen=True):
    """Whose a request is, its problems in order, the view that rules and values read, and what is left of its limit.

    ``sights`` are tokens that were verified for the first time.
    """

    account: AccountData | None
    problems: tuple[Problem, ...]
    view: dict[str, Any]
    budget: Budget | None
    sights: tuple[tuple[str, bytes, Sight], ...]

    @property
    def is_limited(self) -> bool:
        return self.budget is not None and self.budget.wait > 0


class Engine:
    """Decides what requests to some contracts are answered with.

    Its methods do no I/O and read no clock but ``sources``. It owns all that is remembered between requests, each
    memory bounded: heads, credentials, verified tokens, prepared answers, labels. They go with the engine. ``max_body``
    is the most bytes of a body without its content coding, where its operation sets no limit.
    """

    def __init__(self, contracts: tuple[Contract, ...], sources: Sources, max_body: int = DEFAULT_MAX_BODY) -> None:
        self._schemes = {contract.vendor: contract.schemes for contract in contracts}
        self._sources = sources
        self._reader = CredentialReader()
        self._parser = RequestParser(self._reader, max_body)
        self._authenticator = Authenticator()
        compiler = ValueCompiler()
        self._renderer = Renderer(contracts, compiler)
        self._effects = EffectCompiler(compiler).of_all(contracts)
        self._opt_outs = OptOuts(contracts, compiler)
        self._answer_label = lru_cache(maxsize=MAX_LABELS)(_answer_label)
        self._shared_label: Callable[[Label], Label] = lru_cache(maxsize=MAX_LABELS)(_itself)
        self._shared: Callable[[str], str] = lru_cache(maxsize=MAX_SHARED_TEXTS)(_itself)

    def parse(self, operation: OperationSpec, arrival: Arrival) -> ParsedRequest:
        """Read an arrival. The operation may turn out to be one that it dispatches to."""
        return self._parser.parse(operation, arrival)

    def claims(self, arrival: Arrival) -> Iterator[tuple[str, list[Claim]]]:
        """By vendor the account values that any credential in header, query or form names; for unknown paths."""
        headers = {name.lower(): value for name, value in unpack_headers(arrival.headers)}
        query = {**_form(headers, content_of(arrival)), **dict(read_query(arrival.query))}
        data = {"path": {}, "query": query, "header": headers}
        for vendor, schemes in self._schemes.items():
            carried = self._reader.read(schemes, data).values()
            yield vendor, [credential.claim for credential in carried if credential.claim is not None]

    def decide(self, request: ParsedRequest, facts: Facts) -> Decision:
        """Verify the credential, list the problems, choose the answer, render the response.

        Raises LookupError where the contract has no answer, which its check should have told.
        """
        asked = self._understood(request, facts)
        operation, account, view = request.operation, asked.account, asked.view
        recipient = recipient_of(operation.recipient, view)
        pinned = _pinned(request, account, facts, has_problems=bool(asked.problems)) if facts.pins else NOT_PINNED
        choice = choose(operation, asked.problems, view, recipient, prefer=request.head.prefer, pinned=pinned.answer)
        if choice is None:
            raise LookupError(f"{operation.id} has no answer to this request: the contract's check missed it")
        ids = _seeded_ids(account, facts) if facts.seeds else None
        time = facts.time(account) if facts.clocks else facts.now
        wait = asked.budget.retry_after if asked.budget is not None and asked.is_limited else None
        context = Context(view, choice.problem, ids or self._sources, time, wait, operation.schemes)
        answer = choice.answer
        response = answer.response if isinstance(answer, Literal) else self._renderer.render(answer, context)
        filled, fault = response.filled, None
        effects: tuple[Effect, ...] = ()
        if pinned is not NOT_PINNED:
            pinned, fault, response = _applied(pinned, choice.chosen_by, response)
        if account is not None and answer in self._effects and _takes_effect(fault, pinned.pin):
            course = pinned.pin.course if pinned.pin is not None else None
            effects = self._effects[answer](context, response.body, recipient, course)
        if fault is not None:
            response = planned(fault, response)  # the vendor's memory has the whole answer
        uses = NOTHING_USED
        if effects or pinned.met or asked.budget is not None or ids is not None or asked.sights:
            counts = asked.budget is not None and not asked.is_limited
            limit_key = budget_key(request, facts.owners, account.id) if counts and account is not None else ""
            drawn = None if ids is None else ids.drawn
            uses = Uses(pinned.met, limit_key, counts, drawn, asked.sights, effects)
        label = (
            self._answer_label(
                operation,
                answer,
                choice.chosen_by,
                choice.rule,
                choice.problem is LIMITED,
                filled,
                request.reads,
                choice.notes,
                request.notes,
            )
            if fault is None and isinstance(answer, Answer)
            else self._label_of_trouble(request, choice, filled, response.status, pinned.pin, fault)
        )
        call = self._record(request, account, label, recipient, asked.problems, response, facts.now)
        if pinned.pin is not None or "recipients" in view:
            pin_id = pinned.pin.id if pinned.pin is not None else ""
            call.more = pack_more(pin=pin_id, recipients=[entry["to"] for entry in view.get("recipients", ())])
        if pinned.pin is None:
            return Decision(call, choice.problem, uses, None)
        return Decision(call, choice.problem, uses, fault, pinned.pin.met)

    def _understood(self, request: ParsedRequest, facts: Facts) -> "Understood":
        """Whose the request is, what is wrong with it, and what its answer may read."""
        operation = request.operation
        identity = self._authenticator.authenticate(request, facts)
        account = identity.account or facts.claimant(request.claims)
        bound = {**identity.records}
        problems = request.problems + identity.problems
        if request.owned:
            problems += check_owned(request.owned, account, facts, bound)
        view = {**request.data, "account": account.vendors[operation.vendor] if account else {}, "owned": bound}
        if operation.reads_kept or facts.kept:
            view["kept"] = kept = facts.kept.get(account.id, NOTHING) if account is not None else NOTHING
            problems += check_kept(operation.kept, request.data, kept, bound)
            opted_out = self._opt_outs.find(operation, Context(view, None, self._sources, facts.now), kept)
            if opted_out is not None:
                bound[OPTED_OUT] = opted_out
        if operation.recipient is not None and operation.recipient.is_several:
            view["recipients"] = recipients_of(operation, view)
        budget = facts.budgets.get(account.id) if facts.budgets and account is not None else None
        if budget is not None and budget.wait > 0:
            problems += (LIMITED,)
        if len(problems) > 1:
            problems = ordered(problems)
        if problems and operation.lists_problems:
            view["problems"] = [problem.entry for problem in problems]
        return Understood(account, problems, view, budget, identity.sights)

    def _label_of_trouble(  # noqa: PLR0913, PLR0917 -- what became of a call, part by part
        self,
        request: ParsedRequest,
        choice: Choice,
        filled: Graded | None,
        status: int,
        pin: PinState | None,
        fault: Fault | None,
    ) -> Label:
        """The label of a call with a fault, or with an answer that a test wrote itself."""
        operation, reads, answer = request.operation, request.reads, choice.answer
        label = Label(operation.vendor, operation.id, reads=reads)
        never_answered = pin is not None and fault is not None and fault.loses_reply and not pin.entries
        if not never_answered and isinstance(answer, Answer):
            chosen = choice.chosen_by, choice.rule, choice.problem is LIMITED, filled
            label = self._answer_label(operation, answer, *chosen, reads, choice.notes, request.notes)
        else:
            warnings = answer.warnings(operation) if isinstance(answer, Literal) else ()
            told = _notes((*warnings, *choice.notes, *request.notes))
            label = msgspec.structs.replace(label, notes=told, hint=_hint(choice.notes))
        if not never_answered and isinstance(answer, Literal):
            label = msgspec.structs.replace(
                label,
                evidence=OFF_CONTRACT,
                accepted=answer.accepted,
                chosen_by=choice.chosen_by,
                rule=choice.rule,
            )
        kind = fault.kind if fault is not None else ""
        return self._shared_label(msgspec.structs.replace(label, status=status, fault=kind))

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
        # By keyword, 0.1 us more than by position: of its 13 values 11 are texts or bytes, easily swapped.
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


def _itself(value: Any) -> Any:
    return value


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


def _takes_effect(fault: Fault | None, pin: PinState | None) -> bool:
    """Whether an answer leaves something behind: a fault that loses it does not, unless the answer is pinned, too."""
    return fault is None or not fault.loses_reply or (pin is not None and bool(pin.entries))


def _applied(
    pinned: Pinned, chosen_by: str, response: RenderedResponse
) -> tuple[Pinned, Fault | None, RenderedResponse]:
    """What is used of the pins, which fault strikes, and the response that it would strike.

    A preference leaves pins as they are.
    """
    if chosen_by == "prefer":
        return NOT_PINNED, None, response
    pin = pinned.pin
    if pin is None:
        return pinned, None, response
    if pin.changes:
        response = lay_over(response, pin.changes)
    return pinned, pin.striking, response


def _seeded_ids(account: AccountData | None, facts: Facts) -> SeededIds | None:
    """Where the ids of an account that was made with a seed come from."""
    seed = facts.seeds.get(account.id) if account is not None else None
    return None if seed is None else SeededIds(*seed)


def _answer_label(  # noqa: PLR0913, PLR0917 -- what a label is made of; they are what it is remembered by
    operation: OperationSpec,
    answer: Answer,
    chosen_by: str,
    rule: str,
    limited: bool,
    filled: Graded | None,
    reads: str,
    hints: tuple[str, ...],
    notes: tuple[str, ...],
) -> Label:
    """The label of calls that got an answer as the contract has it."""
    evidence = answer.evidence.bounded("text", filled)
    if limited and operation.rate_limit is not None:
        evidence = evidence.bounded("trigger", operation.rate_limit.evidence)
    evidence = evidence.of_call(operation.evidence, chosen=chosen_by in CONTRACT_CHOICES)
    return Label(
        vendor=operation.vendor,
        operation=operation.id,
        answer=answer.id,
        evidence=evidence.grade,
        accepted=answer.accepted,
        chosen_by=chosen_by,
        reads=reads,
        status=answer.status,
        notes=_notes((*hints, *notes)),
        rule=rule,
        parts=evidence.letters,
        reasons=json.dumps(evidence.reasons),
        hint=_hint(hints),
    )


def _notes(notes: tuple[str, ...]) -> str:
    return json.dumps(notes) if notes else ""


def _hint(hints: tuple[str, ...]) -> str:
    return " | ".join(hints)[:MAX_NOTE]
