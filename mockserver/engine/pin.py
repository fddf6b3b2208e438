"""Answers and faults that a test pins to operations of one account; they are used up in order."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from mockserver.engine.clock import Sight
from mockserver.engine.effects import Effect
from mockserver.engine.fault import Fault
from mockserver.engine.response import RenderedResponse
from mockserver.matching.pattern import Pattern, View
from mockserver.spec.answer_model import Answer
from mockserver.spec.model import OperationSpec
from mockserver.spec.pointer import MISSING, Pointer
from mockserver.spec.reach import covers
from mockserver.spec.wording import shortened

MAX_WARNING = 300  # characters: it may quote a body


@dataclass(frozen=True, slots=True, eq=False)
class Literal:
    """A response that a test wrote itself; ``notes`` remembers by operation where it differs from the contract."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    value: Any = None
    notes: dict[str, tuple[str, ...]] = field(default_factory=dict, repr=False)

    @property
    def accepted(self) -> bool:
        """Whether a client takes it for a success."""
        return self.status < 400

    def has_member(self, at: Pointer) -> bool:
        """Whether the body has a value here."""
        return at.get(self.value) is not MISSING

    @property
    def response(self) -> RenderedResponse:
        return RenderedResponse.of(self.status, self.headers, self.body)

    def warnings(self, operation: OperationSpec) -> tuple[str, ...]:
        """What an operation's contract does not document of it."""
        if operation.id not in self.notes:
            self.notes[operation.id] = tuple(_warnings(operation, self.status, self.value))
        return self.notes[operation.id]


PinEntry = str | Literal | None  # an answer by name or id, a response of the test's own, or the rules' answer


@dataclass(frozen=True, slots=True, eq=False)
class PinState:
    """A pin for the operations of ``reach``, made at a time in Unix seconds.

    Requests get ``entries`` from ``position`` on; then the last for ever, or the rules' answers. With a fault,
    ``entries`` may be empty. ``met`` counts the requests that the pin met, with those that chance spared. The store
    gives each pin a ``number``; a pin that was made later has a higher one. ``course`` is the name of the course that
    kept records take. ``size`` is the bytes of what the test wrote: answers, patterns, changes.
    """

    id: str
    account: str
    reach: str
    entries: tuple[PinEntry, ...]
    written: tuple[Any, ...]
    then: str = "rules"
    fault: Fault | None = None
    pattern: Pattern = field(default_factory=Pattern)
    changes: tuple[tuple[Pointer, Any], ...] = ()
    force: bool = False
    course: str | None = None
    made_at: float = 0.0
    size: int = 0
    number: int = 0
    position: int = 0
    met: int = 0

    @property
    def version(self) -> int:
        """Another number after each change, so that a pin that was looked at can be told from what it is now."""
        return self.met

    @property
    def left(self) -> int | None:
        """How many uses are left; None without end."""
        uses = self.fault.times if self.fault is not None else len(self.entries)
        return None if uses is None else max(uses - self.position, 0)

    @property
    def used(self) -> int:
        """How many requests it answered or hit. Where chance spares a request, only an answer counts."""
        return self.met if self.entries else self.position

    @property
    def is_spent(self) -> bool:
        return self.left == 0 and (self.then == "rules" or self.fault is not None)

    @property
    def is_of_callbacks(self) -> bool:
        """Whether it is for requests to the client, not for replies."""
        return self.fault is not None and self.fault.is_of_callbacks

    @property
    def is_endless(self) -> bool:
        """Whether no number of requests uses it up."""
        return self.then == "last" if self.fault is None else self.fault.times is None

    @property
    def entry(self) -> PinEntry:
        """What the next request gets; None: as the rules say."""
        return self.entries[min(self.position, len(self.entries) - 1)] if self.entries else None

    @property
    def remaining(self) -> tuple[PinEntry, ...]:
        """What the next requests can get, in order."""
        return self.entries[min(self.position, len(self.entries) - 1) :] if self.entries else (None,)

    @property
    def striking(self) -> Fault | None:
        """The fault, where chance has it hit the next request."""
        return self.fault if self.fault is not None and self.fault.strikes(self.met) else None

    @property
    def spares_next(self) -> bool:
        """Whether chance keeps its fault from the next request, so that nothing is left of the pin for it."""
        return not self.entries and self.striking is None

    def allows(self, entry: PinEntry, operation: OperationSpec, *, has_problems: bool) -> bool:
        """Whether a request to an operation can get this entry.

        The operation must have the answer. A success is for requests without problems, unless it is forced; a course is
        for requests that leave a record with such a course.
        """
        if self.course is not None and (has_problems or self.course not in operation.courses):
            return False
        if entry is None:
            return True
        answer = answer_of(entry, operation)
        return answer is not None and (self.force or not (has_problems and answer.accepted))

    def after_request(self) -> "PinState":
        """The pin after it met one request, which used it up by one unless chance spared it."""
        spared = self.fault is not None and self.striking is None
        return replace(self, position=self.position + (not spared), met=self.met + 1)


def answer_of(entry: str | Literal, operation: OperationSpec) -> Answer | Literal | None:
    """An operation's answer by name or id, or the test's own response; None where the operation has no such answer."""
    if isinstance(entry, Literal):
        return entry
    return operation.answers.get(entry.removeprefix(f"{operation.id}/"))


class Pinned(msgspec.Struct, frozen=True):
    """The pin that a request gets, and its answer (None: as the rules say); ``met`` are those that it uses up.

    These are the pin and earlier ones whose fault spared the request.
    """

    pin: PinState | None = None
    answer: Answer | Literal | None = None
    met: tuple[PinState, ...] = ()


NOT_PINNED = Pinned()


def first_fitting(pins: Iterable[PinState], operation: OperationSpec, view: View, *, has_problems: bool) -> Pinned:
    """The first of these pins, in the order in which they were made, that is for such a request.

    ``view`` is the request as patterns see it. A fault alone that spares the request leaves it to the next pin.
    """
    met: tuple[PinState, ...] = ()
    for pin in pins:
        if pin.pattern and not pin.pattern.fits(view):
            continue
        if pin.spares_next:
            met += (pin,)
        elif pin.allows(pin.entry, operation, has_problems=has_problems):
            entry = pin.entry
            return Pinned(pin, None if entry is None else answer_of(entry, operation), (*met, pin))
    return Pinned(met=met) if met else NOT_PINNED


def first_striking(pins: Iterable[PinState], view: View) -> tuple[PinState | None, tuple[PinState, ...]]:
    """The first of these pins whose fault hits a callback, and those that it meets, that one included."""
    met: tuple[PinState, ...] = ()
    for pin in pins:
        if pin.pattern and not pin.pattern.fits(view):
            continue
        met += (pin,)
        if pin.striking is not None:
            return pin, met
    return None, met


def callback_obstacle(earlier: Iterable[PinState], later: PinState, callbacks: Iterable[str]) -> PinState | None:
    """The earlier pin that keeps a later one from ever hitting a callback; None where none certainly does."""
    names = list(callbacks)
    in_the_way = (pin for pin in earlier if pin.is_of_callbacks and _answers_always(pin, later))
    return next((pin for pin in in_the_way if all(covers(pin.reach, name) for name in names)), None)


def obstacle(earlier: Iterable[PinState], later: PinState, operations: Iterable[OperationSpec]) -> PinState | None:
    """The earlier pin that keeps a later one from ever taking effect; None where none certainly does.

    ``operations`` are those of the later pin's reach. It takes effect once a request gets its first entry. Each such
    request must get an entry of an earlier pin, for ever.
    """
    in_the_way = [pin for pin in earlier if not pin.is_of_callbacks and _answers_always(pin, later)]
    if not in_the_way:
        return None
    obstacles = [
        next((pin for pin in in_the_way if _answers_instead(pin, later, operation)), None)
        for operation in operations
        if later.allows(later.entry, operation, has_problems=False)
    ]
    return None if None in obstacles else obstacles[0]


def _answers_always(pin: PinState, later: PinState) -> bool:
    """Whether a pin is never used up, spares nothing and is for all requests that the later one is for."""
    spares = pin.fault is not None and pin.fault.probability < 1 and not pin.entries
    return pin.is_endless and not spares and pin.pattern.covers(later.pattern)


def _answers_instead(pin: PinState, later: PinState, operation: OperationSpec) -> bool:
    """Whether a pin that answers always has an entry for each request that the later one has one for."""
    with_problems = later.allows(later.entry, operation, has_problems=True)
    return covers(pin.reach, operation.id) and all(
        pin.allows(entry, operation, has_problems=with_problems) for entry in pin.remaining
    )


class Uses(msgspec.Struct, frozen=True):
    """What a call uses up when it is recorded: pins that it met, and a request of the rate limit of its kind.

    ``drawn`` says how many ids a seeded account had drawn before the call, and how many after it. ``sights`` are tokens
    that were verified for the first time: account, digest, sight. ``effects`` are what its answer leaves behind.
    """

    pins: tuple[PinState, ...] = ()
    limit_key: str = ""
    counts: bool = True
    drawn: tuple[int, int] | None = None
    sights: tuple[tuple[str, bytes, Sight], ...] = ()
    effects: tuple[Effect, ...] = ()


NOTHING_USED = Uses(counts=False)


def lay_over(response: RenderedResponse, changes: tuple[tuple[Pointer, Any], ...]) -> RenderedResponse:
    """A response with a test's own values at ``/header/…`` and ``/body/…``."""
    headers = [(name, value) for name, value in response.headers if name != b"content-length"]
    body = response.body
    for pointer, value in changes:
        part, tokens = pointer.tokens[0], pointer.tokens[1:]
        if part == "header":
            name = tokens[0].lower().encode("latin-1")
            headers = [*(pair for pair in headers if pair[0] != name), (name, str(value).encode("latin-1"))]
        else:
            document = json.loads(body)
            _put(document, tokens, value)
            body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return RenderedResponse.of(response.status, headers, body)


def _put(document: Any, tokens: tuple[str, ...], value: Any) -> None:
    for token in tokens[:-1]:
        document = document[int(token) if isinstance(document, list) else token]
    if isinstance(document, list):
        document[int(tokens[-1])] = value
    else:
        document[tokens[-1]] = value


def literal(status: int, headers: Mapping[str, str], body: Any) -> Literal:
    """A response that a test wrote itself, as it is sent."""
    sent = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    if body is None:
        raw = b""
    elif isinstance(body, str):
        raw = body.encode()
    else:
        raw = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        if not any(name == b"content-type" for name, _ in sent):
            sent.append((b"content-type", b"application/json"))
    return Literal(status, tuple(sent), raw, body)


def _warnings(operation: OperationSpec, status: int, body: Any) -> list[str]:
    known = [answer for answer in operation.answers.values() if answer.status == status]
    if not known:
        return [f"off-contract: {operation.id} documents no status {status}"]
    if any(answer.schema is None or answer.schema.is_valid(body) for answer in known):
        return ["off-contract: a literal answer"]
    validator = known[0].schema
    error = next(iter(validator.iter_errors(body))) if validator else None
    words = f"off-contract: the body does not fit the schema of status {status}: {error.message if error else ''}"
    return [shortened(words, MAX_WARNING)]
