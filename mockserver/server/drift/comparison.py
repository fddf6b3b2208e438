"""A request and the real vendor's answer to it, held against the contract: what comes of it, as a recorded call."""

import json
from typing import NamedTuple

import msgspec

from mockserver.engine.bodies import UnreadableError
from mockserver.engine.call import Label, RecordedCall, pack_params, pack_problems, unpack_problems
from mockserver.engine.coding import InflatedTooLargeError, UnknownCodingError, codings_of, decoded
from mockserver.engine.engine import CONTRACT_CHOICES, Decision, Engine
from mockserver.engine.facts import Facts
from mockserver.engine.problem import Problem
from mockserver.engine.request import Arrival, ParsedRequest
from mockserver.engine.response import RenderedResponse
from mockserver.engine.values import ValueCompiler
from mockserver.server.control.requests import State
from mockserver.server.drift.customers import GivenCustomers
from mockserver.server.drift.departures import RealAnswer
from mockserver.server.drift.filled import FilledValues
from mockserver.server.drift.made_up import MadeUp
from mockserver.server.drift.possible import Judgement, PossibleAnswers, judge, possible
from mockserver.server.drift.recording import RealCall
from mockserver.server.drift.secrecy import RealMasker
from mockserver.server.drift.upstream import MAX_ANSWER, Received
from mockserver.spec.answer_model import Answer
from mockserver.spec.model import OperationSpec
from mockserver.spec.wording import counted

BY_REAL_VENDOR = "real"  # what chose the answer of a call that a real vendor has answered
MAX_NOTES = 20  # departures that are noted in a call; its recording has all
NOTHING_EXPECTED = PossibleAnswers(None, (), is_certain=False, problems=())
NOTHING_SAID = Judgement("", None, (), ())
OF_RAW_BODY = frozenset({b"content-length", b"content-encoding"})


class Compared(NamedTuple):
    """A call that a real vendor answered, what the contract has for it, and how the two differ."""

    call: RecordedCall
    origin: str
    may_be: PossibleAnswers
    judgement: Judgement


class Comparer:
    """Holds real answers against the contracts of a server, which decides nothing by it and remembers nothing."""

    def __init__(self, mock: State) -> None:
        self._sources = mock.sources
        self._engine = Engine(mock.contracts, mock.sources, mock.settings.max_body)
        self._compiler = ValueCompiler()
        self.customers = GivenCustomers(mock.settings, mock.contracts)
        self.made_up = MadeUp(mock, self._engine, self.customers)
        self.masker = RealMasker(mock.contracts, self.customers.credentials)

    def parse(self, operation: OperationSpec, arrival: Arrival) -> ParsedRequest:
        """Read a request, whose body is there however large. The operation may turn out to be another one."""
        limit = operation.body_limit
        if limit is not None and len(arrival.body) > limit:
            arrival = msgspec.structs.replace(arrival, oversize=len(arrival.body))
        return self._engine.parse(operation, arrival)

    def problems(self, request: ParsedRequest, facts: Facts) -> tuple[Problem, ...]:
        """What is wrong with a request, as far as this server knows its sender."""
        return _problems_of(self._decided(request, facts))

    def compare(self, request: ParsedRequest, facts: Facts, received: Received, origin: str) -> Compared:
        """What the real answer to a request says of the contract."""
        decision = self._decided(request, facts)
        knows = self.customers.knows(request, facts.owners)
        known = _expected(request.operation, decision) if knows else None
        may_be = possible(request, _problems_of(decision), known)
        filled = FilledValues(request.data, self._compiler, self._sources)
        judgement = judge(request.operation, may_be, _real_answer(received), filled)
        account = decision.call.account
        call = recorded_call(request.arrival, _label(request, judgement, received.status, origin), account, received)
        call.received_at = self._sources.now()
        call.recipient, call.problems = decision.call.recipient, pack_problems(may_be.problems)
        return Compared(call, origin, may_be, judgement)

    async def as_named_only(self, call: RecordedCall, origin: str) -> RealCall:
        """A call of a method that the contract only names, as it may be written down."""
        return await RealCall.of(call, origin, NOTHING_EXPECTED, NOTHING_SAID, self.masker, {})

    async def as_recorded(self, compared: Compared) -> RealCall:
        """A call as it may be written down."""
        owned = self.customers.owned.get(compared.call.vendor, {})
        return await RealCall.of(*compared, self.masker, owned)

    def _decided(self, request: ParsedRequest, facts: Facts) -> Decision:
        """What the mock decides by its contract alone, whatever the client prefers and a test has switched on."""
        plain = msgspec.structs.replace(request, head=msgspec.structs.replace(request.head, prefer=""))
        return self._engine.decide(plain, Facts(facts.owners, facts.now, sights=facts.sights, kept=facts.kept))


def _problems_of(decision: Decision) -> tuple[Problem, ...]:
    return tuple(Problem(**problem) for problem in unpack_problems(decision.call.problems))


def recorded_call(arrival: Arrival, label: Label, account: str, received: Received) -> RecordedCall:
    """A call as it is recorded: the answer's body without its content coding, so that secrets in it are seen."""
    body = _content(received)
    headers = [header for header in received.headers if header[0] not in OF_RAW_BODY]
    return RecordedCall(
        account=account,
        label=label,
        recipient="",
        problems="",
        method=arrival.method,
        path=arrival.path,
        path_params=pack_params(arrival.path_params),
        query=arrival.query,
        headers=arrival.headers,
        body=arrival.body,
        response_headers=RenderedResponse.of(received.status, headers, body).head,
        response_body=body,
        received_at=0.0,
    )


def _label(request: ParsedRequest, judgement: Judgement, status: int, origin: str) -> Label:
    found, nearest = judgement.sentences, judgement.answer
    answer = nearest if nearest is not None and nearest.status == status else None
    count = counted(len(found), "departure") if found else "as the contract has it"
    notes = [f"REAL {origin}: {count}", *found[:MAX_NOTES]]
    return Label(
        vendor=request.operation.vendor,
        operation=request.operation.id,
        answer="" if answer is None else answer.id,
        accepted=status < 400 if answer is None else answer.accepted,
        chosen_by=BY_REAL_VENDOR,
        reads=request.reads,
        status=status,
        notes=json.dumps(notes),
    )


def _expected(operation: OperationSpec, decision: Decision) -> Answer | None:
    """The answer that the contract has for a customer whom the server knows; a magic number is none to the vendor."""
    name = decision.call.answer.rpartition("/")[2]
    return operation.answers[name] if decision.call.chosen_by in CONTRACT_CHOICES else operation.success


def _real_answer(received: Received) -> RealAnswer:
    headers = tuple((name.decode("latin-1"), value.decode("latin-1").strip()) for name, value in received.headers)
    return RealAnswer(received.status, headers, _content(received))


def _content(received: Received) -> bytes:
    """The body without its content coding; nothing where that cannot be undone."""
    written = b", ".join(value for name, value in received.headers if name == b"content-encoding")
    try:
        return decoded(received.body, codings_of(written.decode("latin-1")), MAX_ANSWER)
    except (UnreadableError, UnknownCodingError, InflatedTooLargeError):
        return b""
