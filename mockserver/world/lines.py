"""Lines of calls, each in the order of its numbers: a part of one is read without walking the rest."""

import heapq
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from operator import attrgetter

from mockserver.exchange.call import Call

Line = deque[Call]
FEWEST = 256  # calls taken of a line at once, however many lines there are
_number = attrgetter("number")


def oldest(lines: Sequence[Line], above: int, most: int) -> list[Call]:
    """The first calls with a number above this one, oldest first: about ``most``; none only where there is none."""
    size = most if len(lines) == 1 else max(FEWEST, most // max(1, len(lines)))
    parts = [part for line in lines if (part := _following(line, above, size))]
    if len(parts) < 2:
        return parts[0] if parts else []
    found = sorted(chain.from_iterable(parts), key=_number)
    ends = [part[-1].number for part in parts if len(part) == size]  # behind the first of these, some may be missing
    return found[: bisect_right(found, min(ends), key=_number)] if ends else found


def newest(lines: Sequence[Line], before: int | None, most: int) -> list[Call]:
    """The last ``most`` calls, with a number below this one (None: of all), newest first."""
    if len(lines) > most:  # at worst, each of the newest is of another line
        lasts = [_last(line, before) for line in lines]
        least = sorted(lasts)[-most]
        lines = [line for line, last in zip(lines, lasts, strict=True) if last >= least]
    return _merged([_preceding(line, before, most) for line in lines], most)


def newest_to(lines: Sequence[Line], before: int | None, most: int, recipient: str) -> list[Call]:
    """As ``newest``, of those with this recipient."""
    return _merged([list(islice(_to(line, before, recipient), most)) for line in lines], most)


def find(line: Line, number: int) -> Call | None:
    """The call of this number."""
    at = place(line, number)
    return line[at] if at < len(line) and line[at].number == number else None


def place(line: Line, number: int) -> int:
    """How many calls have a lower number. No two have the same, so a line without gaps needs no search."""
    if not line or number <= line[0].number:
        return 0
    size, last = len(line), line[-1].number
    if number > last:
        return size
    return bisect_left(line, number, max(0, size - 1 - last + number), min(size, number - line[0].number), key=_number)


def _merged(parts: list[list[Call]], most: int) -> list[Call]:
    parts = [part for part in parts if part]
    return parts[0][:most] if len(parts) == 1 else list(islice(heapq.merge(*parts, key=_number, reverse=True), most))


def _following(line: Line, number: int, most: int) -> list[Call]:
    if not line or line[-1].number <= number:
        return []
    start = place(line, number + 1)
    return _part(line, start, min(start + most, len(line)))


def _preceding(line: Line, before: int | None, most: int) -> list[Call]:
    end = len(line) if before is None else place(line, before)
    return _part(line, max(0, end - most), end)[::-1]


def _last(line: Line, before: int | None) -> int:
    """The number of the last call below this one; -1 where there is none."""
    if before is None:
        return line[-1].number if line else -1
    end = place(line, before)
    return line[end - 1].number if end else -1


def _part(line: Line, start: int, end: int) -> list[Call]:
    """A slice of a line. Turning it moves pointers by the block; to walk it would mean to look at every call."""
    line.rotate(-start)
    try:
        return list(islice(line, end - start))
    finally:
        line.rotate(start)


def _to(line: Line, before: int | None, recipient: str) -> Iterator[Call]:
    behind = 0 if before is None else len(line) - place(line, before)
    return (call for call in islice(reversed(line), behind, None) if call.recipient == recipient)
