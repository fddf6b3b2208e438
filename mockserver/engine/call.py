"""One exchange as recorded."""

import json
from functools import lru_cache
from typing import Any

import msgspec

from mockserver.engine.problem import Problem


class Label(msgspec.Struct, frozen=True, eq=False):
    """What a call has in common with others that were answered alike. ``notes``: JSON text, "" where there is none."""

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


label_of = lru_cache(maxsize=4096)(Label)  # the one of these parts: calls are kept together by it


class RecordedCall(msgspec.Struct, gc=False):
    """One exchange, flat, as the journal keeps it; only how it ended is added later. What shows it decodes it.

    ``number`` only increases; ``weight`` is the journal's. ``gc=False``: the garbage collector looks at none of them,
    else a journal of a million would make pauses of 100 to 600 ms.
    """

    number: int
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
    outcome: str = "pending"
    duration_ms: float = 0.0
    weight: int = 0

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


RUN = 24  # bits of a call's number that count; those above tell one run of a server from another
_COUNT = (1 << RUN) - 1


def call_id(number: int) -> str:
    """The id of the call of this number."""
    return "%06x-%06x" % (number >> RUN, number & _COUNT)  # noqa: UP031 -- 0.2 us less


def call_number(text: str) -> int | None:
    """The number that an id stands for; None where it is no id."""
    run, _, number = text.partition("-")
    try:
        found = (int(run, 16) << RUN) + int(number, 16)
    except ValueError:
        return None
    return found if call_id(found) == text else None


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


def pack_params(params: dict[str, str]) -> str:
    """Path parameters as JSON text; "" where there is none."""
    return msgspec.json.encode(params).decode() if params else ""


def unpack_params(packed: str) -> dict[str, str]:
    """Path parameters by name."""
    params: dict[str, str] = json.loads(packed or "{}")
    return params


def pack_problems(problems: tuple[Problem, ...]) -> str:
    """Problems as JSON text; "" where there is none."""
    if not problems:
        return ""
    return json.dumps([[p.kind, p.at, p.reason, p.message] for p in problems])


def unpack_problems(packed: str) -> list[dict[str, Any]]:
    """``[{kind, at, reason, message}, …]`` of packed problems."""
    names = ("kind", "at", "reason", "message")
    return [dict(zip(names, problem, strict=True)) for problem in json.loads(packed or "[]")]
