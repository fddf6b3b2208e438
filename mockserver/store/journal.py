"""Recorded calls of all accounts, in bounded memory; calls that had to make room are counted."""

import heapq
from bisect import bisect_left, bisect_right
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from operator import attrgetter
from typing import NamedTuple

from mockserver.engine.call import Label, RecordedCall
from mockserver.engine.expectation import Expectation, as_recorded

Line = deque[RecordedCall]  # calls by rising number
MIN_PART = 256  # calls that are taken of a line at once, at least
_number = attrgetter("number")


def first_above(lines: Sequence[Line], above: int, most: int) -> list[RecordedCall]:
    """The first calls of all lines with a higher number, oldest first: about ``most``, and none only at the end."""
    size = most if len(lines) == 1 else max(MIN_PART, most // max(1, len(lines)))
    parts = [part for line in lines if (part := _following(line, above, size))]
    if len(parts) < 2:
        return parts[0] if parts else []
    calls = sorted(chain.from_iterable(parts), key=_number)
    ends = [part[-1].number for part in parts if len(part) == size]  # behind the first of these, calls may be missing
    return calls[: bisect_right(calls, min(ends), key=_number)] if ends else calls


def last_below(lines: Sequence[Line], before: int | None, most: int) -> list[RecordedCall]:
    """The last ``most`` calls of all lines, with a number below ``before`` (None: of all), newest first."""
    if len(lines) > most:  # at worst, each of the newest calls stands in another line
        lasts = [_last(line, before) for line in lines]
        least = sorted(lasts)[-most]
        lines = [line for line, last in zip(lines, lasts, strict=True) if last >= least]
    return _merged([_preceding(line, before, most) for line in lines], most)


def last_below_that(
    lines: Sequence[Line], before: int | None, most: int, fits: Callable[[RecordedCall], bool]
) -> list[RecordedCall]:
    """As ``last_below``, only calls that fit."""
    return _merged([list(islice(filter(fits, _backwards(line, before)), most)) for line in lines], most)


def find_number(line: Line, number: int) -> RecordedCall | None:
    """The call of this number."""
    at = count_below(line, number)
    return line[at] if at < len(line) and line[at].number == number else None


def count_below(line: Line, number: int) -> int:
    """How many calls have a lower number. Numbers differ, so a line without gaps needs no search."""
    if not line or number <= line[0].number:
        return 0
    size, last = len(line), line[-1].number
    if number > last:
        return size
    return bisect_left(line, number, max(0, size - 1 - last + number), min(size, number - line[0].number), key=_number)


def _merged(parts: list[list[RecordedCall]], most: int) -> list[RecordedCall]:
    parts = [part for part in parts if part]
    return parts[0][:most] if len(parts) == 1 else list(islice(heapq.merge(*parts, key=_number, reverse=True), most))


def _following(line: Line, number: int, most: int) -> list[RecordedCall]:
    if not line or line[-1].number <= number:
        return []
    start = count_below(line, number + 1)
    return _part(line, start, min(start + most, len(line)))


def _preceding(line: Line, before: int | None, most: int) -> list[RecordedCall]:
    end = len(line) if before is None else count_below(line, before)
    return _part(line, max(0, end - most), end)[::-1]


def _last(line: Line, before: int | None) -> int:
    """The number of the last call below this one; -1 where there is none."""
    if before is None:
        return line[-1].number if line else -1
    end = count_below(line, before)
    return line[end - 1].number if end else -1


def _part(line: Line, start: int, end: int) -> list[RecordedCall]:
    """A slice of a line. A deque rotates by whole blocks of pointers; reaching the slice by steps would take longer."""
    line.rotate(-start)
    try:
        return list(islice(line, end - start))
    finally:
        line.rotate(start)


def _backwards(line: Line, before: int | None) -> Iterator[RecordedCall]:
    return islice(reversed(line), 0 if before is None else len(line) - count_below(line, before), None)


BLOCK_BYTES = 64  # bytes; sizes are counted in blocks
CALL_OVERHEAD = 512 + BLOCK_BYTES  # bytes of a call beside its texts and bytes, and a block to round up
LINE_BLOCKS = 800 // BLOCK_BYTES + 1  # blocks that an empty deque takes


@dataclass(frozen=True, slots=True)
class Query:
    """Which calls are asked for: each part that is not None must equal the call's. ``before`` is a page's cursor."""

    account: str | None = None
    vendor: str | None = None
    operation: str | None = None
    answer: str | None = None
    recipient: str | None = None
    accepted: bool | None = None
    direction: str | None = None
    trace: str | None = None
    limit: int = 100
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Calls, newest first; how many were evicted of those asked for; the cursor of the next page."""

    calls: tuple[RecordedCall, ...]
    evicted: int
    next: int | None


@dataclass(slots=True)
class _Shelf:
    """One account's calls, oldest first, and the same by label, so that calls of an answer are found at once."""

    calls: deque[RecordedCall] = field(default_factory=deque)
    by_label: dict[Label, deque[RecordedCall]] = field(default_factory=dict)
    size: int = LINE_BLOCKS
    evicted: int = 0


class CallKind(NamedTuple):
    """What calls are counted by; there are no more kinds than the contracts make."""

    vendor: str
    operation: str
    answer: str
    accepted: bool
    direction: str
    fault: str


def _kind(label: Label) -> CallKind:
    return CallKind(label.vendor, label.operation, label.answer, label.accepted, label.direction, label.fault)


class Journal:
    """Calls of all accounts: at most so many of an account, and so many bytes in all.

    ``evictions`` counts the calls that had to make room since the start, whatever was cleared meanwhile.
    """

    def __init__(self, calls_per_account: int, total_bytes: int) -> None:
        self._calls_per_account = calls_per_account
        self._max_blocks = total_bytes // BLOCK_BYTES
        self._shelves: dict[str, _Shelf] = {}
        self._gone: Counter[CallKind] = Counter()
        self._evicted: dict[Label, int] = {}  # not among those that are gone yet
        self.size = 0
        self.evictions = 0

    def append(self, call: RecordedCall) -> None:
        """Add a call, evicting from the largest account where there is no room."""
        shelf = self._shelves.get(call.account)
        if shelf is None:
            shelf = self._new_shelf(call.account)
        alike = shelf.by_label.get(call.label)
        if alike is None:
            alike = shelf.by_label[call.label] = deque()
            blocks = _line_blocks(call.label)
            shelf.size += blocks
            self.size += blocks
        shelf.calls.append(call)
        alike.append(call)
        call.weight = weight = weigh(call)
        shelf.size += weight
        self.size += weight
        if len(shelf.calls) > self._calls_per_account:
            self._evict(shelf)
        if self.size > self._max_blocks:
            self._make_room()

    def _new_shelf(self, account: str) -> _Shelf:
        shelf = self._shelves[account] = _Shelf()
        self.size += LINE_BLOCKS
        return shelf

    def _make_room(self) -> None:
        """Evict a hundredth, always from the largest account, so that finding it costs little per call."""
        largest = [(-shelf.size, name) for name, shelf in self._shelves.items() if shelf.calls]
        heapq.heapify(largest)
        while largest and self.size > self._max_blocks * 99 // 100:
            shelf = self._shelves[largest[0][1]]
            for _ in range(max(1, len(shelf.calls) // 100)):
                self._evict(shelf)
            if shelf.calls:
                heapq.heapreplace(largest, (-shelf.size, largest[0][1]))
            else:
                heapq.heappop(largest)

    def _evict(self, shelf: _Shelf) -> None:
        call = shelf.calls.popleft()
        alike = shelf.by_label[call.label]
        alike.popleft()  # the account's oldest call is also the oldest of its label
        weight = call.weight
        self._evicted[call.label] = self._evicted.get(call.label, 0) + 1
        if not alike:
            self._gone[_kind(call.label)] += self._evicted.pop(call.label)
            del shelf.by_label[call.label]
            weight += _line_blocks(call.label)
        shelf.size -= weight
        self.size -= weight
        shelf.evicted += 1
        self.evictions += 1

    def get(self, number: int) -> RecordedCall | None:
        """The call of this number, if it is still here."""
        for shelf in self._shelves.values():
            calls = shelf.calls
            if calls and calls[0].number <= number <= calls[-1].number:
                found = find_number(calls, number)
                if found is not None:
                    return found
        return None

    def after(self, account: str, number: int, most: int, admits: Callable[[Label], bool]) -> list[RecordedCall]:
        """An account's calls with a higher number, of labels that ``admits`` accepts, oldest first: about ``most``."""
        shelf = self._shelves.get(account)
        return first_above(_lines(shelf, admits), number, most) if shelf else []

    def count_after(self, account: str, number: int) -> tuple[int, int]:
        """How many calls of an account have a higher number, and the number of the last one."""
        shelf = self._shelves.get(account)
        if not shelf or not shelf.calls or shelf.calls[-1].number <= number:
            return 0, number
        return len(shelf.calls) - count_below(shelf.calls, number + 1), shelf.calls[-1].number

    def find(self, query: Query) -> Page:
        """One page of calls, newest first."""
        account = query.account
        shelves = list(self._shelves.values()) if account is None else [self._shelves.get(account, _Shelf())]
        calls = _newest(_all_lines(shelves, query), query)
        page, more = tuple(calls[: query.limit]), len(calls) > query.limit
        return Page(page, self.evicted(account), page[-1].number if more else None)

    def evicted(self, account: str | None) -> int:
        """How many calls of an account (None: of all) had to make room."""
        if account is None:
            return sum(shelf.evicted for shelf in self._shelves.values())
        shelf = self._shelves.get(account)
        return shelf.evicted if shelf else 0

    def evicted_by_account(self) -> dict[str, int]:
        """How many calls of each account had to make room."""
        return {name: shelf.evicted for name, shelf in self._shelves.items()}

    def count_lost(self, account: str, lost: int) -> None:
        """Count calls of an account that are gone as if they had made room."""
        self.restore_evicted(account, lost)
        self.evictions += lost

    def restore_evicted(self, account: str, evicted: int) -> None:
        """Count calls of an account that had to make room before its calls were read again."""
        shelf = self._shelves.get(account) or self._new_shelf(account)
        shelf.evicted += evicted

    def all_calls(self) -> Iterator[RecordedCall]:
        """The calls of all accounts, those of each together, oldest first."""
        return chain.from_iterable(shelf.calls for shelf in self._shelves.values())

    def numbers(self, account: str | None) -> list[int]:
        """The numbers of an account's calls (None: of all accounts)."""
        shelves = list(self._shelves.values()) if account is None else [self._shelves.get(account, _Shelf())]
        return [call.number for shelf in shelves for call in shelf.calls]

    @property
    def total_bytes(self) -> int:
        """Bytes that the calls take."""
        return self.size * BLOCK_BYTES

    def totals(self) -> Mapping[CallKind, int]:
        """How many calls of each kind were recorded since the start, those included that are forgotten."""
        labels: Counter[Label] = Counter(self._evicted)
        for shelf in self._shelves.values():
            for label, line in shelf.by_label.items():
                labels[label] += len(line)
        totals = self._gone.copy()
        for label, number in labels.items():
            totals[_kind(label)] += number
        return totals

    def clear(self, account: str | None) -> int:
        """Forget an account's calls (None: all), and how many were evicted; returns how many there were."""
        cleared = 0
        for name in list(self._shelves) if account is None else [account]:
            shelf = self._shelves.pop(name, None)
            if shelf is not None:
                self.size -= shelf.size
                cleared += len(shelf.calls)
                self._count_gone(shelf, shelf.by_label)
        return cleared

    def clear_some(self, account: str | None, admits: Callable[[Label], bool]) -> int:
        """Forget an account's calls (None: of all accounts) of such labels; returns how many there were."""
        shelves = list(self._shelves.values()) if account is None else [self._shelves.get(account, _Shelf())]
        return sum(self._clear_labels(shelf, [label for label in shelf.by_label if admits(label)]) for shelf in shelves)

    def _count_gone(self, shelf: _Shelf, labels: Iterable[Label]) -> None:
        for label in labels:
            self._gone[_kind(label)] += len(shelf.by_label[label])

    def _clear_labels(self, shelf: _Shelf, labels: list[Label]) -> int:
        self._count_gone(shelf, labels)
        lines = [shelf.by_label.pop(label) for label in labels]
        gone = sum(map(_line_blocks, labels)) + sum(call.weight for line in lines for call in line)
        shelf.size -= gone
        self.size -= gone
        if lines:
            shelf.calls = deque(heapq.merge(*shelf.by_label.values(), key=_number))
        return sum(map(len, lines))


def weigh(call: RecordedCall) -> int:
    """Blocks of 64 bytes that a call takes: numbers so small that Python keeps one object of each."""
    return (
        CALL_OVERHEAD
        + _bytes(call.path)
        + (_bytes(call.path_params) if call.path_params else 0)
        + len(call.recipient)
        + len(call.problems)
        + len(call.more)
        + len(call.query)
        + len(call.headers)
        + len(call.body)
        + len(call.response_headers)
        + len(call.response_body)
    ) // BLOCK_BYTES


def _bytes(text: str) -> int:
    """Bytes that a text takes at most: one character beyond ASCII may make each of the others take four."""
    return len(text) if text.isascii() else 4 * len(text)


def _line_blocks(label: Label) -> int:
    """Blocks that a label takes with an empty line of its own."""
    return LINE_BLOCKS + len(label.notes) // BLOCK_BYTES


def _lines(shelf: _Shelf, admits: Callable[[Label], bool]) -> list[Line]:
    """The lines of an account that hold the calls of these labels."""
    admitted = [line for label, line in shelf.by_label.items() if admits(label)]
    return [shelf.calls] if len(admitted) == len(shelf.by_label) else admitted


def _all_lines(shelves: list[_Shelf], query: Query) -> list[Line]:
    """The lines that hold the calls of a query. Each label is looked at once, however many accounts have it."""
    asked = Expectation(query.vendor, query.operation, query.answer, query.accepted, direction=query.direction)
    if asked == Expectation():
        return [shelf.calls for shelf in shelves]
    labels: set[Label] = set().union(*(shelf.by_label for shelf in shelves))
    admitted = {label for label in labels if asked.admits(label)}
    return [line for shelf in shelves for label, line in shelf.by_label.items() if label in admitted]


def _newest(lines: list[Line], query: Query) -> list[RecordedCall]:
    """The calls of a page, and one more where there is another page."""
    most, fits = query.limit + 1, _test(query)
    return last_below(lines, query.before, most) if fits is None else last_below_that(lines, query.before, most, fits)


def _test(query: Query) -> Callable[[RecordedCall], bool] | None:
    """What is asked of a call beside its label; None where that is nothing."""
    trace = query.trace
    if query.recipient is None:
        return None if trace is None else lambda call: call.trace_id == trace
    recipient = as_recorded(query.recipient)  # None is nobody's
    return lambda call: call.is_to(recipient) and trace in {None, call.trace_id}
