"""An account's calls, bounded; what had to go is counted."""

import heapq
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from mockserver.exchange.call import Call
from mockserver.spec.functions import digits
from mockserver.world.record import (
    ACCEPTED,
    ANSWER,
    NUMBER,
    OPERATION,
    OUTCOME,
    RECIPIENT,
    VENDOR,
    Record,
    completed,
    pack,
    unpack,
    weigh,
)


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
    """One account's records, oldest first, and what they weigh."""

    records: deque[Record] = field(default_factory=deque)
    size: int = 0
    evicted: int = 0


class Journal:
    """Calls of all accounts. Keeps at most so many an account, and so many bytes in all."""

    def __init__(self, calls_per_account: int, total_bytes: int) -> None:
        self._calls_per_account = calls_per_account
        self._total_bytes = total_bytes
        self._shelves: dict[str, _Shelf] = {}
        self._next = 1
        self.size = 0

    def append(self, call: Call) -> None:
        """Add a call, evicting from the largest account where there is no room."""
        shelf = self._shelves.get(call.account)
        if shelf is None:
            shelf = self._shelves[call.account] = _Shelf()
        record = pack(self._next, call)
        self._next += 1
        shelf.records.append(record)
        weight = weigh(record)
        shelf.size += weight
        self.size += weight
        if len(shelf.records) > self._calls_per_account:
            self._evict(shelf)
        if self.size > self._total_bytes:
            self._make_room()

    def _make_room(self) -> None:
        """Evict a hundredth at once, so that looking for the largest account costs little per call."""
        while self.size > self._total_bytes * 99 // 100 and self.size:
            shelf = max(self._shelves.values(), key=lambda shelf: shelf.size)
            for _ in range(max(1, len(shelf.records) // 100)):
                self._evict(shelf)

    def _evict(self, shelf: _Shelf) -> None:
        weight = weigh(shelf.records.popleft())
        shelf.size -= weight
        self.size -= weight
        shelf.evicted += 1

    def complete(self, account: str, call_id: str, outcome: str, duration_ms: float) -> None:
        """Note once how sending ended; nothing if the call is gone. It is sought from the newest on."""
        records = self._shelves[account].records if account in self._shelves else ()
        for back, record in enumerate(reversed(records), start=1):
            if record[1] == call_id:
                if record[OUTCOME] == "pending":
                    self._shelves[account].records[-back] = completed(record, outcome, duration_ms)
                return

    def get(self, call_id: str) -> Call | None:
        """The call of this id, if it is still here."""
        for account, shelf in self._shelves.items():
            for record in reversed(shelf.records):
                if record[1] == call_id:
                    return unpack(account, record)
        return None

    def after(self, account: str, number: int) -> list[tuple[int, Call]]:
        """An account's calls with a number above this one, oldest first."""
        shelf = self._shelves.get(account)
        found = []
        for record in reversed(shelf.records) if shelf else ():
            if record[NUMBER] <= number:
                break
            found.append((record[NUMBER], unpack(account, record)))
        return found[::-1]

    def find(self, query: Query) -> Page:
        """One page of calls, newest first."""
        found: list[Call] = []
        last = None
        recipient = None if query.recipient is None else digits(query.recipient)
        for account, record in self._newest(query.account):
            if query.before is not None and record[NUMBER] >= query.before:
                continue
            if not _fits(query, recipient, record):
                continue
            if len(found) == query.limit:
                return Page(tuple(found), self.evicted(query.account), last)
            found.append(unpack(account, record))
            last = record[NUMBER]
        return Page(tuple(found), self.evicted(query.account), None)

    def _newest(self, account: str | None) -> Iterator[tuple[str, Record]]:
        """The records of an account (None: of all, merged by number), newest first."""
        shelves = self._shelves.items() if account is None else [(account, self._shelves.get(account, _Shelf()))]
        lines = [_line(name, shelf) for name, shelf in shelves]
        if len(lines) == 1:
            return lines[0]
        return heapq.merge(*lines, key=_number, reverse=True)

    def evicted(self, account: str | None) -> int:
        """How many calls of an account (None: of all) had to go."""
        if account is None:
            return sum(shelf.evicted for shelf in self._shelves.values())
        shelf = self._shelves.get(account)
        return shelf.evicted if shelf else 0

    def clear(self, account: str | None) -> int:
        """Forget an account's calls (None: all), and how many were evicted; returns how many there were."""
        cleared = 0
        for name in list(self._shelves) if account is None else [account]:
            shelf = self._shelves.pop(name, _Shelf())
            self.size -= shelf.size
            cleared += len(shelf.records)
        return cleared


def _number(line: tuple[str, Record]) -> int:
    return int(line[1][NUMBER])


def _line(account: str, shelf: _Shelf) -> Iterator[tuple[str, Record]]:
    return ((account, record) for record in reversed(shelf.records))


def _fits(query: Query, recipient: str | None, record: Record) -> bool:
    return (
        (query.vendor is None or record[VENDOR] == query.vendor)
        and (query.operation is None or record[OPERATION] == query.operation)
        and (query.answer is None or query.answer in {record[ANSWER], record[ANSWER].rpartition("/")[2]})
        and (query.accepted is None or bool(record[ACCEPTED]) is query.accepted)
        and (recipient is None or (recipient != "" and digits(record[RECIPIENT]) == recipient))
    )
