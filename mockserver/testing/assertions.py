"""What a test can assert about the calls of an operation, a vendor or an account."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Unpack

from mockserver.matching.verdict import Count
from mockserver.testing.arguments import moment, seconds, whole
from mockserver.testing.call import Call
from mockserver.testing.caller import pending_tasks, refuse_to_block, warn
from mockserver.testing.calls import AccountCalls, Calls
from mockserver.testing.messages import Messages, assert_delivered
from mockserver.testing.names import Public
from mockserver.testing.verification import Question, Verification, verify
from mockserver.testing.where import Conditions, Where

COUNT_OPTIONS = ("times", "within", "settle")  # what most assertions take beside the parts of a call
ONCE_OPTIONS = ("within", "settle")
NEVER_OPTIONS = ("settle",)
VERIFY_OPTIONS = ("at_least", "at_most", "accepted", "since", "within", "settle")


class Assertions(Public):
    """Assertions about recorded calls.

    ``within``: seconds to wait for enough calls. ``settle``: seconds to wait afterwards, in which no further call may
    come. ``where`` takes path, query, headers, body, json, form, when, recipient and answer; any other name is a
    TypeError. A failed assertion raises AssertionError, whose text shows the nearest calls and where they differ. One
    that passes and may mean nothing, since a name in it is unknown, say, gives a MockServerWarning.
    """

    def __init__(self, journal: AccountCalls, scope: Mapping[str, str]) -> None:
        self._journal = journal
        self._scope = scope

    @property
    def calls(self) -> Calls:
        """All calls, oldest first, with ``first`` and ``last``. They count as read."""
        return self._journal.calls(**self._scope)

    @property
    def call_count(self) -> int:
        """How many calls are recorded. Who counts calls has not read them."""
        return self.verify(at_least=0).matched

    @property
    def called(self) -> bool:
        """Whether a call is recorded."""
        return self.call_count > 0

    def assert_accepted(
        self, *, times: int | None = None, within: float = 0, settle: float = 0, **where: Unpack[Where]
    ) -> Calls:
        """The vendor accepted calls: exactly ``times``, or at least one. Returns them, oldest first."""
        __tracebackhide__ = True
        return self._demand(_Demand("assert_accepted", COUNT_OPTIONS, True, times, within, settle), where)

    def assert_accepted_once(self, *, within: float = 0, settle: float = 0, **where: Unpack[Where]) -> Call:
        """The vendor accepted exactly one call. Returns it."""
        __tracebackhide__ = True
        return self._demand(_Demand("assert_accepted_once", ONCE_OPTIONS, True, 1, within, settle), where)[0]

    def assert_refused(
        self, *, times: int | None = None, within: float = 0, settle: float = 0, **where: Unpack[Where]
    ) -> Calls:
        """The vendor refused calls: exactly ``times``, or at least one. Returns them, oldest first."""
        __tracebackhide__ = True
        return self._demand(_Demand("assert_refused", COUNT_OPTIONS, False, times, within, settle), where)

    def assert_called(
        self, *, times: int | None = None, within: float = 0, settle: float = 0, **where: Unpack[Where]
    ) -> Calls:
        """There were calls, accepted or refused: exactly ``times``, or at least one. Returns them, oldest first."""
        __tracebackhide__ = True
        return self._demand(_Demand("assert_called", COUNT_OPTIONS, None, times, within, settle), where)

    def assert_called_once(self, *, within: float = 0, settle: float = 0, **where: Unpack[Where]) -> Call:
        """There was exactly one call. Returns it."""
        __tracebackhide__ = True
        return self._demand(_Demand("assert_called_once", ONCE_OPTIONS, None, 1, within, settle), where)[0]

    def assert_not_called(self, *, settle: float = 0, **where: Unpack[Where]) -> None:
        """There was no call, and none comes within ``settle`` seconds."""
        __tracebackhide__ = True
        self._demand(_Demand("assert_not_called", NEVER_OPTIONS, None, 0, 0, settle), where)

    def assert_delivered(self, *, recipient: str | None = None, times: int = 1, within: float = 0) -> Messages:
        """Exactly so many messages that were sent here have been delivered. Returns them, oldest first.

        Raises TypeError where no message is ever delivered, since the vendor documents no such course.
        """
        __tracebackhide__ = True
        return assert_delivered(self._journal, self._scope, recipient, times, within)

    def verify(  # noqa: PLR0913 -- the control API's own parts
        self,
        *,
        at_least: int | None = None,
        at_most: int | None = None,
        accepted: bool | None = None,
        since: str | datetime | None = None,
        within: float = 0,
        settle: float = 0,
        **where: Unpack[Where],
    ) -> Verification:
        """The verdict as data; it never raises AssertionError.

        ``since`` is a datetime or an ISO 8601 text; without a zone it is UTC. Without ``at_least`` and ``at_most`` the
        question is whether there was at least one call.
        """
        least = int(at_most is None) if at_least is None else whole("at_least", at_least)
        count = Count(least, None if at_most is None else whole("at_most", at_most))
        earliest = None if since is None else moment("since", since)
        _check_wait("verify", within, settle)
        conditions = Conditions.of(where, "verify", VERIFY_OPTIONS)
        return self._ask("verify", Question(self._outer(accepted, earliest), conditions, count, within, settle))

    def _demand(self, demand: "_Demand", where: Where) -> Calls:
        """The calls that fit, oldest first. Raises AssertionError if there are not as many as are demanded."""
        __tracebackhide__ = True
        count = Count() if demand.times is None else Count.exactly(whole("times", demand.times))
        _check_wait(demand.name, demand.within, demand.settle)
        conditions = Conditions.of(where, demand.name, demand.options)
        question = Question(self._outer(demand.accepted), conditions, count, demand.within, demand.settle)
        result = self._ask(demand.name, question)
        if not result.verified:
            hint = "" if demand.within or result.matched >= count.least else self._asked_too_early(demand)
            raise AssertionError(result.message + hint)
        self._journal.seen.update(call.id for call in result.calls)
        if result.matched > len(result.calls):  # more calls fit than are listed, and none of them is overlooked
            self._journal.seen.update(call.id for call in self._journal.all(**self._scope))
        return Calls(result.calls[::-1])

    def _asked_too_early(self, demand: "_Demand") -> str:
        """A line where the calls may be on their way; the report of the test says whether they came."""
        self._journal.note_early(demand.name, self._scope)
        tasks = pending_tasks()
        if not tasks:
            return ""
        pending = "1 task of the event loop is" if tasks == 1 else f"{tasks} tasks of the event loop are"
        return f"\nAsked without `within=` while {pending} pending: within=2 waits up to 2 seconds for the call(s)."

    def _outer(self, accepted: bool | None, since: str | None = None) -> dict[str, Any]:
        extra = {"accepted": accepted, "since": since}
        return {**self._scope, **{name: value for name, value in extra.items() if value is not None}}

    def _ask(self, name: str, question: Question) -> Verification:
        control, account = self._journal.control, self._journal.account
        result = verify(question, lambda shape, wait: control.post("calls/verify", {"account": account, **shape}, wait))
        if result.verified:  # else the message has them
            warn(name, result.warnings)
        return result


@dataclass(frozen=True, slots=True)
class _Demand:
    """What an assertion was given beside the parts of a call. ``options`` are the names that it takes beside them."""

    name: str
    options: tuple[str, ...]
    accepted: bool | None
    times: int | None
    within: float
    settle: float


def _check_wait(name: str, within: float, settle: float) -> None:
    if seconds("within", within) or seconds("settle", settle):
        refuse_to_block(f"{name} with within or settle", f"<vendor>.<operation>.{name}(...)")
