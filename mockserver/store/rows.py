"""What a store remembers as values that a file can hold, and read again: JSON, texts and bytes.

A text may have lone surrogates, which are no UTF-8; it is written as bytes then.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from mockserver.coverage.tally import Met, Tally
from mockserver.engine.call import Label, RecordedCall
from mockserver.engine.clock import Clock, Stretch
from mockserver.engine.expectation import compile_schema
from mockserver.engine.fault import read_fault
from mockserver.engine.message import Message
from mockserver.engine.pin import Literal, PinEntry, PinState
from mockserver.matching.pattern import Pattern
from mockserver.spec.pointer import Pointer

MAX_LABELS_WRITTEN = 4_096  # whose JSON is remembered
Cell = str | bytes | int | float | None
Statement = tuple[str, tuple[Cell, ...] | list[tuple[Cell, ...]]]  # of a list, once for each of its rows
CALL_COLUMNS = (
    "number", "account", "label", "recipient", "problems", "method", "path", "path_params", "query", "headers", "body",
    "response_headers", "response_body", "received_at", "outcome", "duration_ms", "more",
)  # fmt: skip
_TEXT_COLUMNS = ("account", "recipient", "problems", "method", "path", "path_params", "outcome", "more")


def dump(value: Any) -> bytes:
    """A value as JSON; what JSON has no form for is written as text."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str).encode("utf-8", "surrogatepass")


def load(written: bytes) -> Any:
    """The value that was written. Raises ValueError."""
    return json.loads(written.decode("utf-8", "surrogatepass"))


def text_cell(text: str) -> str | bytes:
    """A text as it can be written."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def cell_text(cell: str | bytes) -> str:
    """The text that was written."""
    return cell if isinstance(cell, str) else cell.decode("utf-8", "surrogatepass")


class CallWriter:
    """Writes calls; labels, of which there are few, once."""

    def __init__(self) -> None:
        self._label = lru_cache(maxsize=MAX_LABELS_WRITTEN)(_label_cell)

    def row(self, call: RecordedCall) -> tuple[Cell, ...]:
        """A call's cells, as CALL_COLUMNS has them."""
        return (
            call.number,
            text_cell(call.account),
            self._label(call.label),
            text_cell(call.recipient),
            text_cell(call.problems),
            text_cell(call.method),
            text_cell(call.path),
            text_cell(call.path_params),
            call.query,
            call.headers,
            call.body,
            call.response_headers,
            call.response_body,
            call.received_at,
            call.outcome,
            call.duration_ms,
            text_cell(call.more),
        )


def _label_cell(label: Label) -> str | bytes:
    return text_cell(json.dumps(msgspec.structs.asdict(label), ensure_ascii=False, separators=(",", ":")))


class CallReader:
    """Reads calls; those with equal labels share one."""

    def __init__(self) -> None:
        self._labels: dict[str | bytes, Label] = {}

    def call(self, row: tuple[Any, ...]) -> RecordedCall:
        """The call of these cells. Raises ValueError or TypeError."""
        cells: dict[str, Any] = dict(zip(CALL_COLUMNS, row, strict=True))
        written = cells["label"]
        if written not in self._labels:
            self._labels[written] = Label(**json.loads(cell_text(written)))
        texts = {name: cell_text(cells[name]) for name in _TEXT_COLUMNS}
        return RecordedCall(**{**cells, **texts, "label": self._labels[written]})


def pin_value(pin: PinState) -> dict[str, Any]:
    """A pin as JSON values."""
    return {
        "id": pin.id,
        "account": pin.account,
        "reach": pin.reach,
        "entries": [_entry_value(entry) for entry in pin.entries],
        "written": list(pin.written),
        "then": pin.then,
        "fault": None if pin.fault is None else dict(pin.fault.written),
        "where": pin.pattern.where,
        "when": [[str(pointer), schema] for pointer, _, schema in pin.pattern.when],
        "changes": [[str(pointer), value] for pointer, value in pin.changes],
        "force": pin.force,
        "course": pin.course,
        "made_at": pin.made_at,
        "size": pin.size,
        "number": pin.number,
        "position": pin.position,
        "met": pin.met,
    }


def read_pin(value: Mapping[str, Any]) -> PinState:
    """The pin of such values. Raises ValueError, KeyError or TypeError."""
    when = tuple(
        (Pointer.parse(pointer), None if schema is False else compile_schema(schema), schema)
        for pointer, schema in value["when"]
    )
    made: dict[str, Any] = {
        "entries": tuple(_read_entry(entry) for entry in value["entries"]),
        "written": tuple(value["written"]),
        "fault": None if value["fault"] is None else read_fault(value["fault"]),
        "pattern": Pattern(value["where"], when),
        "changes": tuple((Pointer.parse(pointer), changed) for pointer, changed in value["changes"]),
    }
    plain = {name: member for name, member in value.items() if name not in {*made, "where", "when"}}
    return PinState(**plain, **made)


def _entry_value(entry: PinEntry) -> Any:
    if not isinstance(entry, Literal):
        return entry
    headers = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in entry.headers]
    return {"status": entry.status, "headers": headers, "body": entry.body.decode("latin-1"), "value": entry.value}


def _read_entry(entry: Any) -> PinEntry:
    if not isinstance(entry, dict):
        named: str | None = entry
        return named
    headers = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in entry["headers"])
    return Literal(entry["status"], headers, entry["body"].encode("latin-1"), entry["value"])


def clock_value(clock: Clock) -> list[Any]:
    """A clock as JSON values."""
    return [[stretch.real, stretch.virtual, stretch.frozen] for stretch in clock.stretches]


def read_clock(value: list[Any]) -> Clock:
    """The clock of such values."""
    return Clock(tuple(Stretch(real, virtual, frozen) for real, virtual, frozen in value))


def message_value(message: Message) -> dict[str, Any]:
    """A subscriber's message as JSON values."""
    return msgspec.structs.asdict(message)


def read_message(value: Mapping[str, Any]) -> Message:
    """The message of such values."""
    return Message(**value)


def tally_value(tally: Tally) -> dict[str, Any]:
    """What was met of the contracts as JSON values."""
    return {
        "answers": {name: [met.natural, met.forced, list(met.tests)] for name, met in tally.answers.items()},
        "fields": {name: sorted(fields) for name, fields in tally.fields.items()},
        "values": {name: {at: list(keys) for at, keys in places.items()} for name, places in tally.values.items()},
        "faults": tally.faults,
    }


def read_tally(value: Mapping[str, Any]) -> Tally:
    """The tally of such values."""
    tally = Tally()
    for name, (natural, forced, tests) in value["answers"].items():
        tally.answers[name] = Met(natural, forced, dict.fromkeys(tests))
    for name, fields in value["fields"].items():
        tally.fields[name] = set(fields)
    for name, places in value["values"].items():
        tally.values[name] = {at: dict.fromkeys(keys) for at, keys in places.items()}
    for name, faults in value["faults"].items():
        tally.faults[name] = dict(faults)
    return tally
