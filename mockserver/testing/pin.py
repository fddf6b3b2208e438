"""Answers and faults that a test fixes, for an operation, a vendor or a whole account."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Literal, Never, Self

from mockserver.testing.calls import AccountCalls
from mockserver.testing.client import ControlError, segment
from mockserver.testing.fault import FaultDict
from mockserver.testing.place import caller
from mockserver.testing.unused import unused_line
from mockserver.testing.where import plain_only


class Pin:
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
        self._is_removed_now()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_removed_now() and kind is None:
            with suppress(ControlError):  # the account was reset at the same time
                pin = self._now()
                if not pin["used"]:
                    self._journal.unused_pins.append(unused_line(self._journal, pin, self._journal.all()))

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
        Raises ControlError, also for a pin that could never take effect.
        """
        options = {"then": then, "force": force, "changes": changes, "fault": fault, "replace": replace}
        body = _body(answers, where, when, options, unknown)
        journal = self._journal
        data = journal.control.put(f"pins/{segment(self._reach)}", {"account": journal.account, **body})
        journal.pin_places[data["id"]] = _PLACE.get() or caller()
        return Pin(journal, data)

    def unpin(self) -> None:
        """Remove all pins that were made here, or for one of the operations here: the contract's rules answer again."""
        self._journal.control.delete("pins", account=self._journal.account, operation=self._reach)


def _body(
    answers: tuple[str | Mapping[str, Any], ...],
    where: Mapping[str, Any] | None,
    when: Mapping[str, Any] | None,
    options: Mapping[str, Any],
    unknown: Mapping[str, Any],
) -> dict[str, Any]:
    """A pin as the control API takes it, without its account. Raises TypeError."""
    for name in unknown:
        known = "it is called changes" if name == "set" else f"known: where, when, {', '.join(options)}"
        raise TypeError(f"pin has no {name!r}; {known}")
    if not answers and options["fault"] is None:
        raise TypeError("pin needs at least one answer (a name, 'rules' or {'status': …}), or a fault")
    pattern = plain_only({**(where or {}), **({} if when is None else {"when": when})}, "a pin")
    given = {name: value for name, value in options.items() if value is not None}
    return {"answers": list(answers), **given, **pattern}


_PLACE = ContextVar("place", default="")  # where a pin is made that another thread asks the server for


def made_at(place: str, make: Callable[[], Pin]) -> Pin:
    """A pin that counts as made at a place, wherever this runs."""
    token = _PLACE.set(place)
    try:
        return make()
    finally:
        _PLACE.reset(token)
