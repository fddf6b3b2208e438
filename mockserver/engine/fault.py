"""Trouble on the way to the client, of a reply or a callback, as a test asks for it: the server makes it."""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mockserver.engine.bodies import integral
from mockserver.engine.call import pack_headers
from mockserver.engine.response import RenderedResponse
from mockserver.spec.answer_model import BODILESS_STATUSES
from mockserver.spec.pointer import join

LOSING = frozenset({"timeout", "reset", "empty", "garbage"})  # the reply is lost altogether
SPOILING = frozenset({"delay", "truncate", "dribble", "malformed"})  # the reply comes late or damaged
OF_CALLBACKS = frozenset({"duplicate", "late", "lost", "wrong_signature"})  # trouble on the way to a receiver
NEEDS_WIRE = LOSING | {"truncate"}  # breaks the connection itself, which an ASGI application cannot
GARBAGE = b"\x00\xff\x13NOT HTTP AT ALL\x00\r\n\r\n"
MAX_DELAY = 60.0  # seconds
MAX_LATE = 366 * 86400.0  # seconds of the account's clock

MEMBERS_BY_KIND = {
    "delay": {"seconds", "uniform", "lognormal"},
    "dribble": {"seconds", "chunks"},
    "late": {"seconds"},
}
COMMON_MEMBERS = {"kind", "times", "probability", "seed"}


class FaultError(ValueError):
    """A fault is not written as it must be; ``pointer`` says where."""

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(message)
        self.pointer = pointer


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of trouble.

    ``times`` is how often it strikes, None for ever; ``delay`` names a distribution of seconds and its two numbers;
    ``seed`` makes chance repeatable; ``written`` is the fault as the test wrote it.
    """

    kind: str
    times: int | None
    probability: float
    seed: int
    delay: tuple[str, float, float]
    chunks: int
    written: Mapping[str, Any]

    @property
    def is_of_callbacks(self) -> bool:
        """Whether it hits requests to the client, not replies."""
        return self.kind in OF_CALLBACKS

    @property
    def loses_reply(self) -> bool:
        """Whether the client gets no answer at all."""
        return self.kind in LOSING

    def strikes(self, number: int) -> bool:
        """Whether the fault hits the request of this number, counted from 0."""
        return self.probability >= 1 or self._chance("strike", number).random() < self.probability

    def seconds(self, number: int) -> float:
        """How long the reply to the request of this number waits or takes, in seconds."""
        how, first, second = self.delay
        if how == "uniform":
            return self._chance("delay", number).uniform(first, second)
        if how == "lognormal":
            return min(first * math.exp(self._chance("delay", number).gauss(0, second)), MAX_DELAY)
        return first

    def _chance(self, of: str, number: int) -> random.Random:
        return random.Random(f"{self.seed}/{of}/{number}")  # noqa: S311 -- repeatable chance, not a secret


def read_fault(block: Any) -> Fault:
    """A fault as the control API has it. Raises FaultError."""
    if not isinstance(block, Mapping):
        raise FaultError("", "must be an object")
    kind = block.get("kind")
    if not isinstance(kind, str) or kind not in LOSING | SPOILING | OF_CALLBACKS:
        replies, callbacks = ", ".join(sorted(LOSING | SPOILING)), ", ".join(sorted(OF_CALLBACKS))
        raise FaultError("/kind", f"must be one of: {replies}; of callbacks: {callbacks}")
    allowed = COMMON_MEMBERS | MEMBERS_BY_KIND.get(kind, set())
    for name in block:
        if name not in allowed:
            raise FaultError(join(name), f"is not known for {kind}; known: {', '.join(sorted(allowed))}")
    return Fault(
        kind=kind,
        times=None if block.get("times", 1) is None else _whole(block, "times", 1, 1_000_000),
        probability=_number(block.get("probability", 1), "/probability", 0, 1),
        seed=_whole(block, "seed", 0, 2**63 - 1) if "seed" in block else 0,
        delay=_delay(block),
        chunks=_whole(block, "chunks", 2, 1000) if "chunks" in block else 5,
        written=dict(block),
    )


def _delay(block: Mapping[str, Any]) -> tuple[str, float, float]:
    names = [name for name in ("seconds", "uniform", "lognormal") if name in block]
    if block["kind"] == "dribble" and not names:
        return "fixed", 1.0, 0.0
    if block["kind"] not in MEMBERS_BY_KIND:
        return "fixed", 0.0, 0.0
    if block["kind"] == "late":
        return "fixed", _number(block.get("seconds"), "/seconds", 0, MAX_LATE), 0.0
    if len(names) != 1:
        raise FaultError("", "a delay needs one of: seconds, uniform, lognormal")
    value = block[names[0]]
    if names[0] == "seconds":
        return "fixed", _number(value, "/seconds", 0, MAX_DELAY), 0.0
    if names[0] == "uniform":
        if not isinstance(value, list) or len(value) != 2:
            raise FaultError("/uniform", "must be [least, most] in seconds")
        least, most = (_number(item, f"/uniform/{index}", 0, MAX_DELAY) for index, item in enumerate(value))
        if least > most:
            raise FaultError("/uniform", "the least is above the most")
        return "uniform", least, most
    if not isinstance(value, Mapping) or value.keys() != {"median", "sigma"}:
        raise FaultError("/lognormal", "must be {median, sigma}, the median in seconds")
    median = _number(value["median"], "/lognormal/median", 0, MAX_DELAY)
    return "lognormal", median, _number(value["sigma"], "/lognormal/sigma", 0, 10)


def _number(value: Any, at: str, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise FaultError(at, f"must be a number from {least:g} to {most:g}")
    return float(value)


def _whole(block: Mapping[str, Any], name: str, least: int, most: int) -> int:
    value = integral(block.get(name, 1))
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise FaultError(f"/{name}", f"must be a whole number from {least} to {most}")
    return value


def planned(fault: Fault, response: RenderedResponse) -> RenderedResponse:
    """What a fault leaves of a response: the bytes that are sent and recorded."""
    if fault.loses_reply:
        return RenderedResponse(0, b"", GARBAGE if fault.kind == "garbage" else b"")
    if fault.kind == "truncate" and response.status not in BODILESS_STATUSES:
        return _with_body(response, response.body[: len(response.body) // 2], len(response.body) or 1)
    if fault.kind == "malformed" and response.status not in BODILESS_STATUSES:
        body = (response.body.rstrip()[:-1] or b"{") + b","  # no JSON ends so
        return _with_body(response, body, len(body))
    return response


def _with_body(response: RenderedResponse, body: bytes, declared: int) -> RenderedResponse:
    headers = [pair for pair in response.headers if pair[0] != b"content-length"]
    return RenderedResponse(response.status, pack_headers([*headers, (b"content-length", b"%d" % declared)]), body)
