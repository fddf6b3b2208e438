"""An account's calls, bounded; what had to go is counted."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from mockserver.exchange.call import Call
from mockserver.spec.functions import digits

OVERHEAD = 600  # bytes of a record beside its texts, roughly


@dataclass(frozen=True, slots=True)
class Query:
    """Which calls: each part that is not None must equal the call's. ``before`` is a page's cursor."""

    account: str | None = None
    vendor: str | None = None
    operation: str | None = None
    answer: str | None = None
    recipient: str | None = None
    accepted: bool | None = None
    limit: int = 100
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Calls, newest first; how many were evicted from where was asked; the cursor of the next page."""

    calls: tuple[Call, ...]
    evicted: int
    next: int | None


@dataclass(slots=True)
class _Shelf:
    """One account's calls by number, oldest first, and what they weigh."""

    numbers: deque[int] = field(default_factory=deque)
    size: int = 0
    evicted: int = 0


class Journal:
    """Calls of all accounts. Keeps at most so many an account, and so many bytes in all."""

    def __init__(self, calls_per_account: int, total_bytes: int) -> None:
        self._calls_per_account = calls_per_account
        self._total_bytes = total_bytes
        self._calls: dict[int, Call] = {}
        self._numbers: dict[str, int] = {}
        self._shelves: dict[str, _Shelf] = {}
        self._next = 1
        self.size = 0

    def append(self, call: Call) -> None:
        """Add a call, evicting from the largest account where there is no room."""
        shelf = self._shelves.setdefault(call.account, _Shelf())
        self._calls[self._next] = call
        self._numbers[call.id] = self._next
        shelf.numbers.append(self._next)
        self._next += 1
        weight = weigh(call)
        shelf.size += weight
        self.size += weight
        if len(shelf.numbers) > self._calls_per_account:
            self._evict(shelf)
        if self.size > self._total_bytes:
            self._make_room()

    def _make_room(self) -> None:
        """Evict a hundredth at once, so that looking for the largest account costs little per call."""
        while self.size > self._total_bytes * 99 // 100 and self._calls:
            shelf = max(self._shelves.values(), key=lambda shelf: shelf.size)
            for _ in range(max(1, len(shelf.numbers) // 100)):
                self._evict(shelf)

    def _evict(self, shelf: _Shelf) -> None:
        self._forget(shelf, shelf.numbers.popleft())
        shelf.evicted += 1

    def _forget(self, shelf: _Shelf, number: int) -> None:
        call = self._calls.pop(number)
        del self._numbers[call.id]
        weight = weigh(call)
        shelf.size -= weight
        self.size -= weight

    def complete(self, call_id: str, outcome: str, duration_ms: float) -> None:
        """Note once how sending ended; nothing if the call is gone."""
        number = self._numbers.get(call_id)
        if number is None or self._calls[number].outcome != "pending":
            return
        call = self._calls[number]
        self._calls[number] = call._replace(outcome=outcome, duration_ms=duration_ms)
        grown = len(outcome) - len(call.outcome)
        self._shelves[call.account].size += grown
        self.size += grown

    def get(self, call_id: str) -> Call | None:
        """The call of this id, if it is still here."""
        number = self._numbers.get(call_id)
        return None if number is None else self._calls[number]

    def after(self, account: str, number: int) -> list[tuple[int, Call]]:
        """An account's calls with a number above this one, oldest first."""
        shelf = self._shelves.get(account)
        found = []
        for one in reversed(shelf.numbers) if shelf else ():
            if one <= number:
                break
            found.append((one, self._calls[one]))
        return found[::-1]

    def find(self, query: Query) -> Page:
        """One page of calls, newest first."""
        found: list[Call] = []
        last = None
        for number in self._newest(query):
            call = self._calls[number]
            if not _fits(query, call):
                continue
            if len(found) == query.limit:
                return Page(tuple(found), self.evicted(query.account), last)
            found.append(call)
            last = number
        return Page(tuple(found), self.evicted(query.account), None)

    def _newest(self, query: Query) -> Iterator[int]:
        if query.account is not None:
            shelf = self._shelves.get(query.account)
            numbers: Iterator[int] = reversed(shelf.numbers) if shelf else iter(())
        else:
            numbers = reversed(self._calls)
        return (number for number in numbers if query.before is None or number < query.before)

    def evicted(self, account: str | None) -> int:
        """How many calls of an account (None: of all) had to go."""
        if account is None:
            return sum(shelf.evicted for shelf in self._shelves.values())
        shelf = self._shelves.get(account)
        return shelf.evicted if shelf else 0

    def clear(self, account: str | None) -> int:
        """Forget an account's calls (None: all), and how many were evicted; returns how many there were."""
        accounts = list(self._shelves) if account is None else [account]
        cleared = 0
        for name in accounts:
            shelf = self._shelves.pop(name, None)
            for number in shelf.numbers if shelf else ():
                self._forget(shelf or _Shelf(), number)
                cleared += 1
        return cleared


def weigh(call: Call) -> int:
    """Bytes that a call takes, roughly."""
    return OVERHEAD + sum(len(part) for part in call if isinstance(part, str | bytes))


def _fits(query: Query, call: Call) -> bool:
    return (
        (query.vendor is None or call.vendor == query.vendor)
        and (query.operation is None or call.operation == query.operation)
        and (query.answer is None or call.answer == query.answer or call.answer.endswith(f"/{query.answer}"))
        and (query.recipient is None or digits(call.recipient) == digits(query.recipient) != "")
        and (query.accepted is None or bool(call.accepted) is query.accepted)
    )
