"""One account's calls, and which of them a test has looked at."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from mockserver.testing.call import Call
from mockserver.testing.control import Control
from mockserver.testing.verification import Question, Verification, verify

PAGE = "1000"


@dataclass(frozen=True, slots=True)
class Journal:
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
