"""What a test can say about the calls of an operation, or of a whole account."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Unpack

from mockserver.matching.verdict import Count
from mockserver.testing.call import Call
from mockserver.testing.client import Control
from mockserver.testing.verification import Question, Verification, verify
from mockserver.testing.where import Conditions, Where

PAGE = "1000"


@dataclass(frozen=True, slots=True)
class AccountCalls:
    """Reads over the control API; ``seen`` are the ids of calls that a passed assertion matched, or that were read."""

    control: Control
    account: str
    seen: set[str] = field(default_factory=set)

    def calls(self, **filters: str | None) -> list[Call]:
        """Calls, oldest first, of a vendor, operation or answer; they count as looked at."""
        found = self.all(**filters)
        self.seen.update(call.id for call in found)
        return found

    def all(self, **filters: str | None) -> list[Call]:
        """Calls, oldest first, nothing counting as looked at."""
        return list(self._newest(filters))[::-1]

    def _newest(self, filters: dict[str, str | None]) -> Iterator[Call]:
        cursor: str | None = None
        while True:
            page = self.control.get("calls", account=self.account, limit=PAGE, cursor=cursor, **filters)
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
        """The calls that fit, oldest first. Raises AssertionError where they are not as many as was asked."""
        __tracebackhide__ = True
        result = self.verify(question)
        if not result.verified:
            raise AssertionError(result.message)
        self.seen.update(call.id for call in result.calls)
        if result.matched > len(result.calls):  # more fit than are shown: none of them was overlooked
            outer = {name: question.scope.get(name) for name in ("vendor", "operation")}
            self.seen.update(call.id for call in self.all(**outer))
        return list(result.calls[::-1])


class Assertions:
    """``within``: seconds to wait until there are enough; ``settle``: seconds to watch that no more follow.

    A failed assertion raises AssertionError, whose text shows the nearest calls and where they differ.
    ``where`` takes path, query, headers, body, when, recipient and answer; any other name is a TypeError.
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
        """The vendor said yes: this often, or at least once. Returns those calls, oldest first."""
        __tracebackhide__ = True
        return self._demand("assert_accepted", True, times, within, settle, where)

    def assert_called(
        self, *, times: int | None = None, within: float = 0, settle: float = 0, **where: Unpack[Where]
    ) -> list[Call]:
        """It was called, whatever the vendor said. Returns those calls, oldest first."""
        __tracebackhide__ = True
        return self._demand("assert_called", None, times, within, settle, where)

    def assert_called_once(self, *, within: float = 0, settle: float = 0, **where: Unpack[Where]) -> Call:
        """It was called exactly once. Returns that call."""
        __tracebackhide__ = True
        return self._demand("assert_called_once", None, 1, within, settle, where)[0]

    def assert_not_called(self, *, settle: float = 0, **where: Unpack[Where]) -> None:
        """It was not called, nor will be for ``settle`` seconds."""
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
        """The verdict as data, nothing raised; ``since`` is an ISO time. At least one call where no bound is given."""
        least = at_least if at_least is not None else int(at_most is None)
        extra = {"accepted": accepted, "since": since}
        question = self._question("verify", Count(least, at_most), within, settle, where, extra)
        return self._journal.verify(question)

    def _demand(  # noqa: PLR0913, PLR0917 -- the one place where all of an assertion meets
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
        given = {key: value for key, value in extra.items() if value is not None}
        return Question({**self._scope, **given}, Conditions.of(where), count, within, settle)


def refuse_to_block(name: str) -> None:
    """Raise RuntimeError in a thread whose event loop would stand still, the code under test with it."""
    import asyncio  # noqa: PLC0415 -- costs 30 ms where nobody else needs it

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError(
        f"{name} with within or settle would block the running event loop, and what it waits for with it. "
        f"Use the async form: await async_mock_vendors.<vendor>.<operation>.{name}(...), "
        "or an account of mockserver.testing.AsyncMockServer"
    )
