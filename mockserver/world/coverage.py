"""Which documented answers an application has met. Counted at commit, so nothing that follows takes it away."""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from mockserver.exchange.bodies import integral
from mockserver.exchange.call import Call, Label
from mockserver.exchange.request import Request
from mockserver.spec.pointer import Pointer

FORCED = frozenset({"prefer", "pin", "magic"})
KEPT_TESTS = 100  # ids of tests kept for an answer
KEPT_COUNTS = 1_000  # different ones of one account before they are put together
_ENCODER = json.JSONEncoder(sort_keys=True)


@dataclass(slots=True)
class Met:
    """How often an answer was met by itself and by force, and in which tests."""

    natural: int = 0
    forced: int = 0
    tests: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True)
class Tally:
    """What one account, or all together, have met: answers by id, and names and values (by key) by operation."""

    answers: dict[str, Met] = field(default_factory=lambda: defaultdict(Met))
    fields: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    values: dict[str, dict[str, dict[str, None]]] = field(default_factory=lambda: defaultdict(dict))
    faults: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, label: Label, times: int, test: str | None) -> None:
        """Count calls of this label."""
        if label.fault:
            faults = self.faults[label.operation]
            faults[label.fault] = faults.get(label.fault, 0) + times
        if not label.answer:
            return
        met = self.answers[label.answer]
        if label.chosen_by in FORCED:
            met.forced += times
        else:
            met.natural += times
        if test is not None and len(met.tests) < KEPT_TESTS:
            met.tests[test] = None

    def merge(self, other: "Tally") -> None:
        """Add what another tally has."""
        for answer, met in other.answers.items():
            mine = self.answers[answer]
            mine.natural += met.natural
            mine.forced += met.forced
            for test in met.tests:
                if len(mine.tests) < KEPT_TESTS:
                    mine.tests[test] = None
        for operation, names in other.fields.items():
            self.fields[operation] |= names
        for operation, pointers in other.values.items():
            for pointer, keys in pointers.items():
                self.values[operation].setdefault(pointer, {}).update(keys)
        for operation, faults in other.faults.items():
            for fault, times in faults.items():
                self.faults[operation][fault] = self.faults[operation].get(fault, 0) + times


@dataclass(slots=True)
class _Unseen:
    """Declared fields as an operation has them, and what values of enumerated ones are left."""

    fields: tuple[tuple[str, str, str], ...]
    values: tuple[tuple[Pointer, tuple[Any, ...]], ...]


@dataclass(slots=True)
class _Counts:
    """One account's tally, its test, calls counted since by label, and by operation what was not seen yet.

    So there is the less to do for a call, the more an account has met.
    """

    tally: Tally = field(default_factory=Tally)
    test: str | None = None
    since: dict[Label, int] = field(default_factory=dict)
    unseen: dict[str, _Unseen] = field(default_factory=dict)

    def look(self, request: Request) -> None:
        """Note fields that no request before gave, and values that no enumerated one had."""
        operation, data = request.operation, request.data
        unseen = self.unseen.get(operation.id)
        if unseen is None:
            unseen = self.unseen[operation.id] = _Unseen(operation.declared, operation.enumerated)
        if not isinstance(data.get("body"), dict):
            data = {**data, "body": {}}
        found = [entry for entry in unseen.fields if entry[2] in data[entry[1]]]
        if found:
            self.tally.fields[operation.id].update(at for at, _, _ in found)
            unseen.fields = tuple(entry for entry in unseen.fields if entry not in found)
        for pointer, values in unseen.values:
            value = pointer.get(request.data)
            if value in values:
                key = value_key(value)
                self.tally.values[operation.id].setdefault(str(pointer), {})[key] = None
                left = tuple(one for one in values if value_key(one) != key)
                unseen.values = tuple((at, left if at == pointer else others) for at, others in unseen.values)

    def settle(self) -> Tally:
        """The tally with all that was counted."""
        for label, times in self.since.items():
            self.tally.add(label, times, self.test)
        self.since.clear()
        return self.tally


def value_key(value: Any) -> str:
    """The same for values that are the same in JSON; ``1`` and ``true`` are not, and a list is no key of a dict."""
    return _ENCODER.encode(integral(value))


class Coverage:
    """Tallies by account, and what those met that are gone."""

    def __init__(self) -> None:
        self._gone = Tally()
        self._accounts: dict[str, _Counts] = {}

    @property
    def total(self) -> Tally:
        """What all accounts that ever were have met together."""
        total = Tally()
        total.merge(self._gone)
        for counts in self._accounts.values():
            total.merge(counts.settle())
        return total

    def belongs(self, account: str, test: str) -> None:
        """From now on an account's calls count for a test."""
        counts = self._accounts.setdefault(account, _Counts())
        counts.settle()
        counts.test = test

    def add(self, call: Call, request: Request) -> None:
        """Count a call, and the fields and enumerated values that its request gave."""
        counts = self._accounts.get(call.account)
        if counts is None:
            counts = self._accounts[call.account] = _Counts()
        label = call.label
        counts.since[label] = counts.since.get(label, 0) + 1
        if len(counts.since) > KEPT_COUNTS:
            counts.settle()
        if label.answer:
            counts.look(request)

    def of(self, account: str | None) -> Tally:
        """The tally of an account that is still here (None: of all that ever were)."""
        if account is None:
            return self.total
        counts = self._accounts.get(account)
        return counts.settle() if counts is not None else Tally()

    def forget(self, account: str) -> None:
        """Drop an account's own tally; the total keeps what it met."""
        counts = self._accounts.pop(account, None)
        if counts is not None:
            self._gone.merge(counts.settle())
