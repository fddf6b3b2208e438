"""The steps of an account's records that are to come, by when they are due."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection, Mapping
from math import inf
from typing import Any

import msgspec

from mockserver.engine.effects import DueStep
from mockserver.store.record_list import Record


class StepDue(msgspec.Struct, frozen=True):
    """A step that is due at a time of the account's clock, in Unix seconds; ``cause`` is the number of the call.

    ``number`` tells it from all other steps of the store; a step that was planned later has a higher one.
    """

    due: float
    vendor: str
    list_name: str
    key: str
    record: Record
    step: DueStep
    cause: int
    index: int
    view: Mapping[str, Any]
    recipient: str
    number: int = 0


Entry = tuple[float, int, StepDue]  # when it is due, its number


class PlannedSteps:
    """Steps of one account, the next one first. A record that goes takes its steps along."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []  # sorted
        self._of: dict[int, list[Entry]] = {}  # by the identity of their record, which they keep alive

    @property
    def next_due(self) -> float | None:
        """When the next one is due; None where there is none."""
        return self._entries[0][0] if self._entries else None

    def add(self, step: StepDue) -> None:
        """Plan a step."""
        entry = (step.due, step.number, step)
        insort(self._entries, entry)
        self._of.setdefault(id(step.record), []).append(entry)

    def forget(self, record: Record) -> None:
        """Forget the steps of a record."""
        for entry in self._of.pop(id(record), ()):
            del self._entries[bisect_left(self._entries, entry)]

    def first(self, most: int) -> list[StepDue]:
        """So many of them, the next ones."""
        return [step for _, _, step in self._entries[:most]]

    def due(self, now: float, most: int) -> list[StepDue]:
        """So many of those that are due, in order."""
        return self.first(min(most, bisect_right(self._entries, (now, inf))))

    def take_due(self, now: float, most: int) -> list[StepDue]:
        """The same; they are not to come any more."""
        steps = self.due(now, most)
        taken = self._entries[: len(steps)]
        del self._entries[: len(steps)]  # in place: most looks find nothing, and many steps may wait
        self._let_go(taken)
        return steps

    def take(self, numbers: Collection[int]) -> list[StepDue]:
        """Those with these numbers, in order, likewise."""
        taken = [entry for entry in self._entries if entry[1] in numbers]
        self._entries = [entry for entry in self._entries if entry[1] not in numbers]
        self._let_go(taken)
        return [step for _, _, step in taken]

    def _let_go(self, taken: list[Entry]) -> None:
        for entry in taken:
            record = id(entry[2].record)
            self._of[record].remove(entry)
            if not self._of[record]:
                del self._of[record]
