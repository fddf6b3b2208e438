"""What a test can assert about the calls of an operation, a vendor's or an account's."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Unpack

from mockserver.matching.verdict import Count
from mockserver.testing.call import Call
from mockserver.testing.client import Control
from mockserver.testing.verification import Question, Verification, verify
from mockserver.testing.where import Conditions, Where

PAGE_CALLS = "1000"  # calls read at a time


@dataclass(frozen=True, slots=True)
class AccountCalls:
    """The recorded calls of an account. ``seen`` are the ids of those that a test has read or an assertion matched.

    ``pin_places`` says by its id in which file and line a pin was made. ``unused_pins`` has a line for each pin whose
    ``with`` block ended before a call used it.
    """

    control: Control
    account: str
    seen: set[str] = field(default_factory=set)
    pin_places: dict[str, str] = field(default_factory=dict)
    unused_pins: list[str] = field(default_factory=list)

    def calls(self, **filters: str | None) -> list[Call]:
        """The calls of a vendor, operation or answer, oldest first. They count as read."""
        calls = self.all(**filters)
        self.seen.update(call.id for call in calls)
        return calls

    def all(self, **filters: str | None) -> list[Call]:
        """The calls of a vendor, operation or answer, oldest first. They do not count as read."""
        return list(self._newest(filters))[::-1]

    def _newest(self, filters: dict[str, str | None]) -> Iterator[Call]:
        cursor: str | None = None
        while True:
            page = self.control.get("calls", account=self.account, limit=PAGE_CALLS, cursor=cursor, **filters)
            yield from (Call(data) for data in page["calls"])
            cursor = page["next"]
            if cursor is None:
                return

    def verify(self, question: Question) -> Verification:
        """The verdict on these calls."""

        def ask(shape: Any, wait: float) -> Any:
            return self.control.post("calls/verify", {"account": self.account, **shape}, wait)

        return verify(question, ask)

    def demand(self, question: Question) -> list[Call]:
        """The calls that fit, oldest first. Raises AssertionError if there are not as many as the question demands."""
        __tracebackhide__ = True
        result = self.verify(question)
        if not result.verified:
            raise AssertionError(result.message)
        self.seen.update(call.id for call in result.calls)
        if result.matched > len(result.calls):  # more calls fit than are listed, and none of them is overlooked
            outer = {name: question.scope.get(name) for name in ("vendor", "operation")}
            self.seen.update(call.id for call in self.all(**outer))
        return list(result.calls[::-1])


class Assertions:
    """Assertions about recorded calls.

    ``within``: seconds to wait for enough calls. ``settle``: seconds to wait afterwards, in which no further call may
    come. ``where`` takes path, query, headers, body, when, recipient and answer; any other name is a TypeError. A
    failed assertion raises AssertionError, whose text shows the nearest calls and where they differ.
    """

    def __init__(self, journal: AccountCalls, scope: Mapping[str, str]) -> None:
        self._journal = journal
        self._scope = scope

    @property
    def calls(self) -> list[Call]:
        """All calls, oldest first."""
        return self._journal.calls(**self._scope)

    def assert_accepted(
        self, *, times: int | None = None, within: float = 0, settle: float = 0, **where: Unpack[Where]
    ) -> list[Call]:
        """The vendor accepted calls: exactly ``times``, or at least one. Returns them, oldest first."""
        __tracebackhide__ = True
        return self._demand("assert_accepted", True, times, within, settle, where)

    def assert_called(
        self, *, times: int | None = None, within: float = 0, settle: float = 0, **where: Unpack[Where]
    ) -> list[Call]:
        """There were calls, accepted or refused: exactly ``times``, or at least one. Returns them, oldest first."""
        __tracebackhide__ = True
        return self._demand("assert_called", None, times, within, settle, where)

    def assert_called_once(self, *, within: float = 0, settle: float = 0, **where: Unpack[Where]) -> Call:
        """There was exactly one call. Returns it."""
        __tracebackhide__ = True
        return self._demand("assert_called_once", None, 1, within, settle, where)[0]

    def assert_not_called(self, *, settle: float = 0, **where: Unpack[Where]) -> None:
        """There was no call, and none comes within ``settle`` seconds."""
        __tracebackhide__ = True
        self._demand("assert_not_called", None, 0, 0, settle, where)

    def verify(  # noqa: PLR0913 -- the control API's own parts
        self,
        *,
        at_least: int | None = None,
        at_most: int | None = None,
        accepted: bool | None = None,
        since: str | None = None,
        within: float = 0,
        settle: float = 0,
        **where: Unpack[Where],
    ) -> Verification:
        """The verdict as data; it never raises AssertionError. ``since`` is an ISO time.

        Without ``at_least`` and ``at_most`` the question is whether there was at least one call.
        """
        least = at_least if at_least is not None else int(at_most is None)
        extra = {"accepted": accepted, "since": since}
        question = self._question("verify", Count(least, at_most), within, settle, where, extra)
        return self._journal.verify(question)

    def _demand(  # noqa: PLR0913, PLR0917 -- all parts of an assertion
        self, name: str, accepted: bool | None, times: int | None, within: float, settle: float, where: Where
    ) -> list[Call]:
        __tracebackhide__ = True
        count = Count() if times is None else Count.exactly(times)
        question = self._question(name, count, within, settle, where, {"accepted": accepted})
        return self._journal.demand(question)

    def _question(  # noqa: PLR0913, PLR0917 -- as above
        self, name: str, count: Count, within: float, settle: float, where: Where, extra: Mapping[str, Any]
    ) -> Question:
        if within or settle:
            refuse_to_block(name)
        scope = {**self._scope, **{key: value for key, value in extra.items() if value is not None}}
        return Question(scope, Conditions.of(where), count, within, settle)


def refuse_to_block(name: str) -> None:
    """Raise RuntimeError in a thread with a running event loop: waiting would block it and the code under test."""
    import asyncio  # noqa: PLC0415 -- takes 30 ms, and many tests never need it

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError(
        f"{name} with within or settle would block the running event loop, and what it waits for with it. "
        f"Use the async form: await async_mock_vendors.<vendor>.<operation>.{name}(...), "
        "or an account of mockserver.testing.AsyncMockServer"
    )
