"""Why a call got its answer: the lines of the contract that chose it, and the pins that did not."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from mockserver.engine.call import RecordedCall
from mockserver.engine.expectation import RequestView
from mockserver.engine.pin import PinState
from mockserver.server.checkpoint import TimeShare
from mockserver.server.control.requests import State
from mockserver.server.serialize import content_type_of
from mockserver.server.shown_differences import ShownDifferences
from mockserver.spec.pointer import MISSING
from mockserver.spec.reach import covers
from mockserver.spec.source import read_text

LINES_BEFORE, LINES_BEHIND = 2, 7  # the one that chose, in an excerpt
MAX_PINS_SHOWN = 5
MAX_DIFFERENCES_SHOWN = 10  # of one pin


async def why(state: State, call: RecordedCall) -> dict[str, Any]:
    """``{rule, pins}``: ``rule`` has the lines around the one that chose, None where no rule did.

    ``pins`` are those of the account that could have answered, the nearest first, each with what kept it from it.
    """
    return {
        "rule": await asyncio.to_thread(_excerpt, state, call.vendor, call.rule) if call.rule else None,
        "pins": [pin async for pin in _pins(state, call)],
    }


def _excerpt(state: State, vendor: str, rule: str) -> dict[str, Any] | None:
    """The lines of a contract's file around that of a rule; None where they cannot be read any more."""
    name, _, number = rule.rpartition(":")
    file = next((contract.file for contract in state.contracts if contract.vendor == vendor), "")
    if not number.isdigit():
        return None
    try:
        lines = read_text(Path(file)).splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    first = max(int(number) - LINES_BEFORE, 1)
    return {"file": name, "line": int(number), "first": first, "lines": lines[first - 1 : int(number) + LINES_BEHIND]}


async def _pins(state: State, call: RecordedCall) -> AsyncIterator[dict[str, Any]]:
    if not call.operation or call.label.direction == "out":
        return
    pins = [pin for pin in await state.store.pins(call.account) if covers(pin.reach, call.operation)]
    view, share, found = RequestView(call, call.reads), TimeShare(), []
    for pin in pins:
        if pin.id != call.pin and not pin.is_of_callbacks:
            found.append((len(pin.pattern.differences(view)), pin))
            await share.checkpoint()
    for _, pin in sorted(found, key=lambda one: (one[0], -one[1].number))[:MAX_PINS_SHOWN]:
        yield _pin_shape(state, call, pin, view)


def _pin_shape(state: State, call: RecordedCall, pin: PinState, view: RequestView) -> dict[str, Any]:
    show, content_type = ShownDifferences(state.masker), content_type_of(call.headers)
    differences = [
        {
            "pointer": one.pointer,
            "expected": show.differing(one.pointer, one.expected, content_type),
            "found": None if one.found is MISSING else show.differing(one.pointer, one.found, content_type),
        }
        for one in pin.pattern.differences(view)[:MAX_DIFFERENCES_SHOWN]
    ]
    return {
        "id": pin.id,
        "operation": pin.reach,
        "answers": list(pin.written),
        "fault": dict(pin.fault.written) if pin.fault is not None else None,
        "reason": _reason(call, pin, is_unlike=bool(differences)),
        "differences": differences,
    }


def _reason(call: RecordedCall, pin: PinState, *, is_unlike: bool) -> str:
    """What kept a pin from a call, in a sentence."""
    if pin.made_at > call.received_at:
        return "it was made after the call"
    if is_unlike:
        return "the request differs from what it is for"
    if call.pin:
        return "another pin answered first"
    if call.problems:
        return "its answer is for requests without problems"
    return "it spared this request, or has no answer of this operation"
