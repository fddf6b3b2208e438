"""Answers and faults that a test fixes, for an operation, a vendor or a whole account; and those fixed in vain."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Literal, Never, Self

from mockserver.matching.show import show
from mockserver.spec.reach import EVERYTHING, covers
from mockserver.testing.arguments import json_value, mapping, typed
from mockserver.testing.call import Call
from mockserver.testing.caller import caller, warn
from mockserver.testing.calls import AccountCalls
from mockserver.testing.client import ControlError, segment
from mockserver.testing.fault import FaultDict
from mockserver.testing.names import Public, nearest_hint
from mockserver.testing.where import plain_only

PIN_OPTIONS = ("where", "when", "then", "force", "changes", "course", "fault", "replace")
MAX_ANSWERS_SHOWN = 3  # of a pin


class Pin(Public):
    """Fixed answers. As a context manager it removes itself, and no other pin, at the end of the ``with`` block.

    ``data`` is the pin as the server showed it when it was made.
    """

    def __init__(self, journal: AccountCalls, data: Mapping[str, Any]) -> None:
        self._journal = journal
        self.data = data
        self.id: str = data["id"]

    @property
    def used(self) -> int:
        """How many requests it has answered, or hit with its fault; also after it was used up or removed.

        Raises ControlError if the account was reset or deleted meanwhile.
        """
        return int(self._now()["used"])

    def remove(self) -> None:
        """Remove this pin. If it is used up or removed already, nothing happens."""
        if self._is_removed_now():
            self._note_unused()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_removed_now() and kind is None:
            self._note_unused()

    def _note_unused(self) -> None:
        with suppress(ControlError):  # the account was reset at the same time
            self._journal.unused_pins += unused_lines(self._journal, [self._now()])

    def _is_removed_now(self) -> bool:
        """Remove it; False if it was gone before: used up, removed, or with its account."""
        try:
            self._journal.control.delete("pins", account=self._journal.account, id=self.id)
        except ControlError as error:
            if error.status not in {400, 404}:
                raise
            return False
        return True

    def _now(self) -> Mapping[str, Any]:
        pins = self._journal.control.get("pins", account=self._journal.account, id=self.id)["pins"]
        return dict(pins[0])

    def __repr__(self) -> str:
        return f"<Pin {self.id} of {self.data['operation']} of account {self._journal.account}>"


class Pinnable:
    """What answers can be fixed for. ``_reach`` is an operation's id, ``vendor.*`` or ``*``."""

    _journal: AccountCalls
    _reach: str

    def pin(  # noqa: PLR0913 -- the control API's own parts
        self,
        *answers: str | Mapping[str, Any],
        then: Literal["rules", "last"] = "rules",
        where: Mapping[str, Any] | None = None,
        when: Mapping[str, Any] | None = None,
        changes: Mapping[str, Any] | None = None,
        force: bool = False,
        course: str | None = None,
        fault: FaultDict | Mapping[str, Any] | None = None,
        replace: bool = False,
        **unknown: Never,
    ) -> Pin:
        """Fix the next answers: names, literals ``{status, headers, body}``, or ``"rules"`` for the contract's own.

        Pins are a list: the first that is for a request and is not used up answers it. With ``replace`` the new one
        takes the place of those that were made here before. A pin of a vendor or an account is for all of its
        operations; one that has no such answer is left to the next pin. ``changes`` puts values into the answers:
        ``{"/header/Retry-After": "0"}``. A success answers only requests without problems, unless ``force`` is true.
        ``fault`` is trouble on the way back: ``fault.reset(times=2)``; an answer beside it counts as sent all the same.
        ``course`` is what becomes of the message that the next accepted request sends: ``course="failed"``.
        Raises ControlError, also for a pin that could never take effect.
        """
        options: dict[str, Any] = {"then": then, "force": force, "changes": changes, "fault": fault}
        options["replace"] = replace
        options |= {} if course is None else {"course": course}
        body = _body(answers, where, when, options, unknown)
        journal = self._journal
        replaced = [pin for pin in _listed(journal, self._reach) if pin["operation"] == self._reach] if replace else []
        data = journal.control.put(f"pins/{segment(self._reach)}", {"account": journal.account, **body})
        journal.unused_pins += unused_lines(journal, replaced)
        journal.pin_places[data["id"]] = str(caller())
        warn("pin", data.get("warnings", ()))
        return Pin(journal, data)

    def unpin(self) -> None:
        """Remove all pins that were made here, or for one of the operations here: the contract's rules answer again."""
        note_unused(self._journal, self._reach)
        self._journal.control.delete("pins", account=self._journal.account, operation=self._reach)


def _body(
    answers: tuple[str | Mapping[str, Any], ...],
    where: Any,
    when: Any,
    options: Mapping[str, Any],
    unknown: Mapping[str, Any],
) -> dict[str, Any]:
    """A pin as the control API takes it, without its account. Raises TypeError and ValueError."""
    for name in unknown:
        hint = "; it is called changes" if name == "set" else f"; known: {', '.join(PIN_OPTIONS)}"
        raise TypeError(f"pin has no {name!r}{hint}{nearest_hint(name, PIN_OPTIONS)}")
    if not answers and options["fault"] is None and "course" not in options:
        raise TypeError("pin needs at least one answer (a name, 'rules' or {'status': …}), a fault or a course")
    for number, answer in enumerate(answers, 1):
        if not isinstance(answer, str | Mapping):
            raise TypeError(f"answer {number} must be a name, 'rules' or {{'status': …}}, not {typed(answer)}")
        json_value(f"answer {number}", answer)
    if callable(options["fault"]):
        raise TypeError(f"fault is a function: call it, as in fault.{getattr(options['fault'], '__name__', 'reset')}()")
    for name, example in (("fault", "as in fault.reset()"), ("changes", "as in {'/header/Retry-After': '7'}")):
        if options[name] is not None:
            json_value(name, mapping(name, options[name], example))
    given = {name: value for name, value in options.items() if value is not None}
    listed = {"answers": list(answers)} if answers else {}
    return {**listed, **given, **plain_only(where, when, "a pin")}


def unused_pins(journal: AccountCalls) -> list[str]:
    """A line for each pin of an account that calls did not use up, those included that are removed already.

    Raises ControlError.
    """
    return [*journal.unused_pins, *unused_lines(journal, _listed(journal, EVERYTHING))]


def note_unused(journal: AccountCalls, reach: str) -> None:
    """Remember which of the pins that are removed next calls did not use up."""
    with suppress(ControlError):  # who removes them is told
        journal.unused_pins += unused_lines(journal, _listed(journal, reach))


def _listed(journal: AccountCalls, reach: str) -> list[Mapping[str, Any]]:
    pins: list[Mapping[str, Any]] = journal.control.get("pins", account=journal.account, operation=reach)["pins"]
    return pins


def unused_lines(journal: AccountCalls, pins: Iterable[Mapping[str, Any]]) -> list[str]:
    """For each of these pins that is not used up, where it was made, what it fixes, and why. Raises ControlError.

    Chance decides how often a fault with a probability strikes, and a pin without end is used up by its first use.
    """
    idle = [pin for pin in pins if not pin["used"] or (pin["left"] and not _is_chance(pin))]
    calls = journal.all() if any(not pin["used"] for pin in idle) else ()
    return [_unused_line(journal, pin, calls) for pin in idle]


def _unused_line(journal: AccountCalls, pin: Mapping[str, Any], calls: Iterable[Call]) -> str:
    place = journal.pin_places.get(pin["id"], "")
    what = f"{place}{': ' if place else ''}pin of {pin['operation']} ({_fixed(pin)})"
    if pin["used"]:
        return f"{what} was used {pin['used']} of {pin['used'] + pin['left']} times"
    return f"{what} was never used: {_reason(journal, pin, calls)}"


def _is_chance(pin: Mapping[str, Any]) -> bool:
    return bool(pin["fault"]) and pin["fault"].get("probability", 1) < 1


def _fixed(pin: Mapping[str, Any]) -> str:
    """The answers and the fault of a pin."""
    answers = [str(answer if isinstance(answer, str) else answer["status"]) for answer in pin["answers"]]
    more = len(answers) - MAX_ANSWERS_SHOWN
    words = [*answers[:MAX_ANSWERS_SHOWN], *([f"{more} more"] if more > 0 else [])]
    words += [f"course {pin['course']}"] if pin["course"] else []
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
    if _is_chance(pin):
        return " (its fault has a probability)"
    return ""
