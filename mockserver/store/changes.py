"""What servers with one store tell each other, as bytes: each change of it, and what of a call's uses others must know.

What stands in an account or among its records is told by its place: each server has records of its own.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import msgspec

from mockserver.coverage.tally import NOTHING_UNMET, Unmet
from mockserver.engine.account import AccountData
from mockserver.engine.call import Label, RecordedCall
from mockserver.engine.callback import OutgoingRequest
from mockserver.engine.clock import Sight
from mockserver.engine.effects import ChangeRecord, DueStep, Effect, ForgetRecord, KeepRecord
from mockserver.engine.facts import Kept
from mockserver.engine.pin import NOTHING_USED, PinState, Uses
from mockserver.spec.callback_model import CallbackSpec
from mockserver.store.rows import CallReader, CallWriter, dump, load
from mockserver.store.views import place_of, read_view, record_at, written_view

ALL_ACCOUNTS = "*"  # what decisions rely on that concerns all accounts: which there are; no account has this id
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


@dataclass(frozen=True, slots=True)
class SharedChange:
    """A change to be agreed on: its kind and what belongs to it.

    It holds only while nothing of ``relies_on`` has changed since it was ``decided_at``, and changes ``changes``.
    """

    kind: str
    body: Any
    relies_on: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    decided_at: int | None = None  # None: at what is known when it is sent


class ToldChange(NamedTuple):
    """A change as all servers are told it: when it was sent and by whom."""

    kind: str
    at: float
    author: str
    body: Any


def written_change(change: SharedChange, at: float, author: str) -> bytes:
    """A change as bytes."""
    return _encode((change.kind, at, author, change.body))


def read_change(written: bytes) -> ToldChange:
    """The change of these bytes. Raises ValueError (msgspec.DecodeError) or TypeError."""
    return ToldChange(*_decode(written))


class Holdings(NamedTuple):
    """What one account has of one vendor's: where records stand."""

    account: AccountData | None
    vendor: str
    kept: Kept

    @property
    def data(self) -> Mapping[str, Any]:
        return {} if self.account is None else self.account.vendors.get(self.vendor, {})


class CallChanges:
    """Writes and reads calls with what they use up and leave behind; ``steps`` are those of all courses by place."""

    def __init__(self, steps: Mapping[str, DueStep]) -> None:
        self.steps = steps
        self._writer = CallWriter()
        self._reader = CallReader()

    def body(self, call: RecordedCall, uses: Uses, met: Unmet | None, holdings: Holdings) -> Any:
        """A call and its uses as others are told."""
        used = None if uses is NOTHING_USED else self._written_uses(uses, holdings)
        seen = None if met is None else [met.operation, met.fields, met.values]
        return [self._writer.row(call), used, seen]

    def call(self, body: Any) -> RecordedCall:
        """The call of a body."""
        return self._reader.call(tuple(body[0]))

    def uses(self, body: Any, account: str, pins: Mapping[str, PinState], holdings: Holdings) -> Uses:
        """The uses of a call's body; ``pins`` are those of its account by id."""
        if body[1] is None:
            return NOTHING_USED
        used, limit_key, counts, drawn, sights, effects = body[1]
        return Uses(
            pins=tuple(replace(pins.get(id_, PinState(id_, account, "", (), ())), met=met) for id_, met in used),
            limit_key=limit_key,
            counts=counts,
            drawn=None if drawn is None else (drawn[0], drawn[1]),
            sights=tuple((owner, digest, Sight(real, is_own)) for owner, digest, real, is_own in sights),
            effects=self.effects(effects, holdings),
        )

    @staticmethod
    def met(body: Any) -> Unmet | None:
        """What the request of a call's body was the first to send; None where nobody counts it."""
        if body[2] is None:
            return None
        operation, fields, values = body[2]
        return Unmet(operation, tuple(fields), tuple((at, key) for at, key in values)) if operation else NOTHING_UNMET

    def _written_uses(self, uses: Uses, holdings: Holdings) -> list[Any]:
        sights = [[account, digest, *sight] for account, digest, sight in uses.sights]
        pins = [[pin.id, pin.version] for pin in uses.pins]
        return [pins, uses.limit_key, uses.counts, uses.drawn, sights, self.written_effects(uses.effects, holdings)]

    @staticmethod
    def written_effects(effects: Iterable[Effect], holdings: Holdings) -> bytes:
        """Effects as JSON; "" where there are none."""
        effects = tuple(effects)
        new = [effect.record for effect in effects if isinstance(effect, KeepRecord)]
        return dump([_written_effect(effect, holdings, new) for effect in effects]) if effects else b""

    def effects(self, written: bytes, holdings: Holdings) -> tuple[Effect, ...]:
        """The effects that were written, on the records of this server."""
        values = load(written) if written else []
        new = [value[3] for value in values if value[0] == "keep"]
        return tuple(self._effect(value, holdings, new) for value in values)

    def _effect(self, value: Any, holdings: Holdings, new: Sequence[dict[str, Any]]) -> Effect:
        account, vendor, kept = holdings
        if value[0] == "keep":
            _, list_name, key, record, steps, index, view, recipient = value
            known = tuple(self.steps[place] for place in steps if place in self.steps)
            read = read_view(view, account, vendor, kept, new)
            return KeepRecord(list_name, key, record, known, index, read, recipient)
        if value[0] == "change":
            _, place, tokens, changed = value
            return ChangeRecord(record_at(place, holdings.data, kept, new) or {}, tuple(tokens), changed)
        _, list_name, place = value
        return ForgetRecord(list_name, record_at(place, holdings.data, kept, new) or {})


def _written_effect(effect: Effect, holdings: Holdings, new: Sequence[dict[str, Any]]) -> list[Any]:
    account, vendor, kept = holdings
    if isinstance(effect, KeepRecord):
        view = written_view(effect.view, account, vendor, kept, new)
        steps = [step.place for step in effect.steps]
        return ["keep", effect.list_name, effect.key, effect.record, steps, effect.index, view, effect.recipient]
    place = [*place_of(effect.record, holdings.data, kept, new)]
    if isinstance(effect, ChangeRecord):
        return ["change", place, effect.tokens, effect.value]
    return ["forget", effect.list_name, place]


def written_request(request: OutgoingRequest) -> list[Any]:
    """A callback as JSON values."""
    texts = [part.decode("latin-1") for part in (request.headers, request.body)]
    account, cause, index = request.account, request.cause, request.index
    return [request.callback.id, account, request.url, *texts, cause, index, request.recipient]


def read_request(written: Sequence[Any], callbacks: Mapping[str, CallbackSpec]) -> OutgoingRequest | None:
    """The callback of these values; None where the contracts have none of this id."""
    name, account, url, headers, body, *rest = written
    if name not in callbacks:
        return None
    packed = headers.encode("latin-1"), body.encode("latin-1")
    return OutgoingRequest(callbacks[name], account, url, *packed, *rest)


def written_label(label: Label) -> bytes:
    """A label as JSON."""
    return dump(msgspec.structs.asdict(label))


def read_label(written: bytes) -> Label:
    """The label that was written."""
    return Label(**load(written))
