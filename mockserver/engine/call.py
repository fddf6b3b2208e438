"""One exchange as recorded."""

import json
import re
from typing import Any

import msgspec

from mockserver.engine.problem import Problem
from mockserver.spec.wording import shortened


class Label(msgspec.Struct, frozen=True, cache_hash=True):
    """What a call has in common with others that were answered alike; ``notes`` is JSON text, "" where there is none.

    ``rule`` is the place of the rule that chose the answer, ``acme.yaml:41``; "" where none did. ``evidence`` is the
    call's grade, ``parts`` a letter for each part of it, ``reasons`` a JSON object of where or why, each "" where the
    response is no answer of a contract. ``hint`` is what a client is told of a wish that names no answer; it stands in
    the notes, too. ``direction`` is ``in`` where a client called us, ``out`` where we called a client.
    Calls are grouped by the value of their label, so labels that were made elsewhere group alike.
    """

    vendor: str = ""
    operation: str = ""
    answer: str = ""
    evidence: str = ""
    accepted: bool = False
    chosen_by: str = ""
    reads: str = ""
    status: int = 0
    fault: str = ""
    notes: str = ""
    rule: str = ""
    parts: str = ""
    reasons: str = ""
    hint: str = ""
    direction: str = "in"


class RecordedCall(msgspec.Struct, gc=False, kw_only=True):
    """One exchange, flat and packed, as the journal keeps it; whoever shows it decodes it.

    The store adds ``number``, which only increases, when it records the call, and later how sending it ended;
    ``weight`` is the journal's. ``more`` is what few calls have, packed by ``pack_more``: each member takes room in
    every call. ``gc=False`` keeps calls out of the garbage collector's sight, else a journal of a million would make
    pauses of 100 to 600 ms.
    """

    account: str
    label: Label
    recipient: str
    problems: str
    method: str
    path: str
    path_params: str
    query: bytes
    headers: bytes
    body: bytes
    response_headers: bytes
    response_body: bytes
    received_at: float
    number: int = 0
    outcome: str = "pending"
    duration_ms: float = 0.0
    weight: int = 0
    more: str = ""

    @property
    def pin(self) -> str:
        """The id of the pin that the call used; "" where it used none."""
        return str(self._more("pin", ""))

    @property
    def recipients(self) -> list[str]:
        """All recipients, where the operation takes several."""
        recipients: list[str] = self._more("recipients", [])
        return recipients

    def is_to(self, number: str | None) -> bool:
        """Whether a number, ``+`` and digits, is the recipient, or one of several."""
        return bool(number) and (self.recipient == number or (bool(self.more) and number in self.recipients))

    @property
    def url(self) -> str:
        """Where a callback went; "" for a client's call."""
        return str(self._more("url", ""))

    @property
    def cause(self) -> int:
        """The number of the call, or of the message, that a callback is about; 0 for a client's call."""
        return int(self._more("cause", 0))

    @property
    def attempt(self) -> int:
        """Which attempt a callback is, from 1; 0 for a client's call."""
        return int(self._more("attempt", 0))

    @property
    def trace_id(self) -> str:
        """The id of the trace that the request belongs to by its ``traceparent`` (W3C); "" where it names none."""
        return trace_of(self.headers)

    def _more(self, name: str, default: Any) -> Any:
        return msgspec.json.decode(self.more).get(name, default) if self.more else default

    @property
    def id(self) -> str:
        """``run-number``, both in hex, as clients know the call."""
        return call_id(self.number)

    @property
    def vendor(self) -> str:
        return self.label.vendor

    @property
    def operation(self) -> str:
        return self.label.operation

    @property
    def answer(self) -> str:
        return self.label.answer

    @property
    def evidence(self) -> str:
        return self.label.evidence

    @property
    def accepted(self) -> bool:
        return self.label.accepted

    @property
    def chosen_by(self) -> str:
        return self.label.chosen_by

    @property
    def reads(self) -> str:
        return self.label.reads

    @property
    def status(self) -> int:
        return self.label.status

    @property
    def fault(self) -> str:
        return self.label.fault

    @property
    def notes(self) -> str:
        return self.label.notes

    @property
    def rule(self) -> str:
        return self.label.rule


MAX_PROBLEMS = 100  # of a call that are recorded
MAX_PROBLEM_TEXT = 1_000  # characters of a problem's pointer, or of its message
RUN_BITS = 24  # a call's number is the run's number above these bits, and the count of calls in them
_COUNT = (1 << RUN_BITS) - 1


def first_number(run: int) -> int:
    """The number of the first call of a run, so that ids of two runs differ."""
    return (run << RUN_BITS) + 1


def call_id(number: int) -> str:
    """The id of the call of this number."""
    return "%06x-%06x" % (number >> RUN_BITS, number & _COUNT)  # noqa: UP031 -- 0.2 us less


def call_number(text: str) -> int | None:
    """The number of the call with this id; None where the text is no id."""
    run, _, number = text.partition("-")
    try:
        value = (int(run, 16) << RUN_BITS) + int(number, 16)
    except ValueError:
        return None
    return value if call_id(value) == text else None


_HEADER = b": ".join


def pack_headers(headers: list[tuple[bytes, bytes]]) -> bytes:
    """Headers as one bytes value, as they stand on the wire."""
    return b"\r\n".join(map(_HEADER, headers))


def split_headers(packed: bytes) -> list[tuple[bytes, bytes]]:
    """Packed headers as they were."""
    return [line.partition(b": ")[::2] for line in packed.split(b"\r\n")] if packed else []


def unpack_headers(packed: bytes) -> list[list[str]]:
    """``[[name, value], …]`` of packed headers."""
    lines = packed.decode("latin-1").split("\r\n") if packed else []
    return [list(line.split(": ", 1)) for line in lines]


TRACEPARENT = re.compile(  # as W3C's Trace Context has it, in lower case; a version after 00 may append members
    rb"(?:\A|\r\n)(?i:traceparent): [ \t]*(?:00(?=[^\r]{53}[ \t]*(?:\r\n|\Z))|(?!00|ff)[0-9a-f]{2})"
    rb"-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-[^\r]*)?[ \t]*(?:\r\n|\Z)"
)


def trace_of(packed: bytes) -> str:
    """The trace id in packed headers; "" where there is none, or it is malformed."""
    found = TRACEPARENT.search(packed)
    return found[1].decode("ascii") if found is not None else ""


def pack_more(**members: Any) -> str:
    """What few calls have, as JSON text: ``pin``, ``recipients``; of a callback ``url``, ``cause``, ``attempt``."""
    return msgspec.json.encode(members).decode()


def pack_params(params: dict[str, str]) -> str:
    """Path parameters as JSON text; "" where there is none."""
    return msgspec.json.encode(params).decode() if params else ""


def unpack_params(packed: str) -> dict[str, str]:
    """Path parameters by name."""
    params: dict[str, str] = json.loads(packed or "{}")
    return params


def pack_problems(problems: tuple[Problem, ...]) -> str:
    """Problems as JSON text: the first of them, cut where they are long; "" where there is none."""
    if not problems:
        return ""
    return json.dumps(
        [
            [p.kind, shortened(p.at, MAX_PROBLEM_TEXT), p.reason, shortened(p.message, MAX_PROBLEM_TEXT)]
            for p in problems[:MAX_PROBLEMS]
        ]
    )


def first_problem(packed: str) -> str:
    """The kind of the first of packed problems."""
    return packed.split('"', 2)[1]


def unpack_problems(packed: str) -> list[dict[str, Any]]:
    """``[{kind, at, reason, message}, …]`` of packed problems."""
    names = ("kind", "at", "reason", "message")
    return [dict(zip(names, problem, strict=True)) for problem in json.loads(packed or "[]")]
