"""Answers and faults that a test pins to one operation of one account; they are used up in order."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from mockserver.engine.fault import Fault
from mockserver.engine.response import RenderedResponse
from mockserver.matching.pattern import Pattern
from mockserver.spec.model import Answer, OperationSpec
from mockserver.spec.pointer import MISSING, Pointer


@dataclass(frozen=True, slots=True, eq=False)
class Literal:
    """A response that a test wrote itself; ``warnings`` say where it differs from the contract."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    warnings: tuple[str, ...]
    value: Any = None

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


@dataclass(frozen=True, slots=True, eq=False)
class PinState:
    """``entries`` (None: as the rules say) from ``position`` on; then the last for ever, or the rules.

    With a fault, ``entries`` may be empty. ``met`` counts the requests that the pin met, with those that chance spared.
    """

    id: str
    account: str
    operation: str
    entries: tuple[Answer | Literal | None, ...]
    written: tuple[Any, ...]
    then: str = "rules"
    fault: Fault | None = None
    pattern: Pattern = field(default_factory=Pattern)
    overlay: tuple[tuple[Pointer, Any], ...] = ()
    force: bool = False
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
    def is_spent(self) -> bool:
        return self.left == 0 and (self.then == "rules" or self.fault is not None)

    @property
    def entry(self) -> Answer | Literal | None:
        """What the next request gets; None: as the rules say."""
        return self.entries[min(self.position, len(self.entries) - 1)] if self.entries else None

    @property
    def striking(self) -> Fault | None:
        """The fault, where chance has it hit the next request."""
        return self.fault if self.fault is not None and self.fault.strikes(self.met) else None

    def used(self) -> "PinState":
        """The pin after one more request, which uses it up by one unless chance spares the request."""
        spared = self.fault is not None and self.striking is None
        return replace(self, position=self.position + (not spared), met=self.met + 1)


class Uses(msgspec.Struct, frozen=True):
    """What a call uses up when it is recorded: a pin, and a request of the rate limit of its kind.

    ``drawn`` says how many ids a seeded account had drawn before the call, and how many after it.
    """

    pin: PinState | None = None
    limit_key: str = ""
    counts: bool = True
    drawn: tuple[int, int] | None = None


NOTHING_USED = Uses(counts=False)


def lay_over(response: RenderedResponse, overlay: tuple[tuple[Pointer, Any], ...]) -> RenderedResponse:
    """A response with a test's own values at ``/header/…`` and ``/body/…``."""
    headers = [(name, value) for name, value in response.headers if name != b"content-length"]
    body = response.body
    for pointer, value in overlay:
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


def literal(operation: OperationSpec, status: int, headers: Mapping[str, str], body: Any) -> Literal:
    """A response that a test wrote itself, compared with what the contract documents."""
    sent = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    if body is None:
        raw = b""
    elif isinstance(body, str):
        raw = body.encode()
    else:
        raw = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        if not any(name == b"content-type" for name, _ in sent):
            sent.append((b"content-type", b"application/json"))
    return Literal(status, tuple(sent), raw, tuple(_warnings(operation, status, body)), body)


def _warnings(operation: OperationSpec, status: int, body: Any) -> list[str]:
    known = [answer for answer in operation.answers.values() if answer.status == status]
    if not known:
        return [f"off-contract: {operation.id} documents no status {status}"]
    if any(answer.schema is None or answer.schema.is_valid(body) for answer in known):
        return ["off-contract: a literal answer"]
    validator = known[0].schema
    error = next(iter(validator.iter_errors(body))) if validator else None
    return [f"off-contract: the body does not fit the schema of status {status}: {error.message if error else ''}"]
