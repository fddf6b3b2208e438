"""Pins that no call used, and why: what a test has fixed without effect."""

from collections.abc import Iterable, Mapping
from typing import Any

from mockserver.matching.show import show
from mockserver.spec.reach import EVERYTHING, covers
from mockserver.testing.call import Call
from mockserver.testing.calls import AccountCalls
from mockserver.testing.client import ControlError

MAX_ANSWERS_SHOWN = 3


def unused_pins(journal: AccountCalls, calls: Iterable[Call]) -> list[str]:
    """A line for each pin of an account that no call used; ``calls`` are all of the account's, oldest first.

    Those that the test itself removed are left out, unless their ``with`` block ended. Raises ControlError.
    """
    try:
        pins = journal.control.get("pins", account=journal.account)["pins"]
    except ControlError as error:
        if error.status != 404:  # where the account is deleted, so are its pins
            raise
        pins = []
    calls = list(calls)
    return [*journal.unused_pins, *(unused_line(journal, pin, calls) for pin in pins if not pin["used"])]


def unused_line(journal: AccountCalls, pin: Mapping[str, Any], calls: Iterable[Call]) -> str:
    """Where a pin was made, what it fixes, and why no call used it. Raises ControlError."""
    place = journal.pin_places.get(pin["id"], "")
    what = f"pin of {pin['operation']} ({_fixed(pin)})"
    return f"{place}{': ' if place else ''}{what} was never used: {_reason(journal, pin, calls)}"


def _fixed(pin: Mapping[str, Any]) -> str:
    """The answers and the fault of a pin."""
    answers = [str(answer if isinstance(answer, str) else answer["status"]) for answer in pin["answers"]]
    more = len(answers) - MAX_ANSWERS_SHOWN
    words = [*answers[:MAX_ANSWERS_SHOWN], *([f"{more} more"] if more > 0 else [])]
    return ", ".join([*words, *([f"fault {pin['fault']['kind']}"] if pin["fault"] else [])])


def _reason(journal: AccountCalls, pin: Mapping[str, Any], calls: Iterable[Call]) -> str:
    reach = pin["operation"]
    called = [call for call in calls if call.operation is not None and covers(reach, call.operation)]
    later = [call for call in called if call.data["received_at"] >= pin["made_at"]]
    if not later:
        before = f" after it was made; {len(called)} came before" if called else ""
        return f"no call{'' if reach == EVERYTHING else f' of {reach}'} came{before}"
    difference = _difference(journal, pin) if pin["where"] or pin["when"] else None
    if difference is not None:
        return f"none of {len(later)} call(s) is as it asks; the nearest: {difference}"
    return f"{len(later)} call(s) came that did not get it, the last: {later[-1]}{_hint(pin, later[-1])}"


def _difference(journal: AccountCalls, pin: Mapping[str, Any]) -> str | None:
    """Where the nearest call since a pin was made differs from its ``where`` or ``when``; None if one does not."""
    reach = pin["operation"]
    scope = {"vendor": reach[:-2]} if reach.endswith(".*") else {} if reach == EVERYTHING else {"operation": reach}
    asked = {"where": pin["where"], "when": pin["when"], "since": pin["made_at"], **scope}
    try:
        verdict = journal.control.post("calls/verify", {"account": journal.account, **asked})
    except ControlError:  # a pin may ask what no verification may
        return None
    if verdict["matched"] or not verdict["nearest"]:
        return None
    difference = verdict["nearest"][0]["differences"][0]
    return f"{difference['pointer']}: {show(difference['expected'], difference['found'])}"


def _hint(pin: Mapping[str, Any], call: Call) -> str:
    """The likely cause, if a call that a pin was for did not get it."""
    if call.problems and pin["answers"] and not pin["force"]:
        return " (a pinned success is for requests without problems, unless force=True)"
    if pin["fault"] and pin["fault"].get("probability", 1) < 1:
        return " (its fault has a probability)"
    return ""
