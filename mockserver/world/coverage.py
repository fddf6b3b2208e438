"""Which documented answers an application has met. Counted at commit, so nothing that follows takes it away."""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from mockserver.exchange.bodies import integral
from mockserver.exchange.call import Call

FORCED = frozenset({"prefer", "pin", "magic"})
KEPT_TESTS = 100  # ids of tests kept for an answer, and values for a field
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
    fields: dict[str, set[tuple[str, ...]]] = field(default_factory=lambda: defaultdict(set))
    values: dict[str, dict[str, dict[str, None]]] = field(default_factory=lambda: defaultdict(dict))
    faults: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))


def value_key(value: Any) -> str:
    """The same for values that are the same in JSON; ``1`` and ``true`` are not, and a list is no key of a dict."""
    return _ENCODER.encode(integral(value))


class Coverage:
    """Tallies by account, and one of all that outlives the accounts."""

    def __init__(self) -> None:
        self.total = Tally()
        self._accounts: dict[str, Tally] = {}
        self._tests: dict[str, str] = {}

    def belongs(self, account: str, test: str) -> None:
        """From now on an account's calls count for a test."""
        self._tests[account] = test

    def add(self, call: Call, names: tuple[str, ...], values: Iterable[tuple[str, Any]]) -> None:
        """Count a call; ``names`` are the pointers of its request's fields, ``values`` those of enumerated ones."""
        if not (call.answer or call.fault):
            return
        keys = [(pointer, value_key(value)) for pointer, value in values]
        own = self._accounts.get(call.account)
        if own is None:
            own = self._accounts[call.account] = Tally()
        test = self._tests.get(call.account)
        for tally in (self.total, own):
            if call.fault:
                faults = tally.faults[call.operation]
                faults[call.fault] = faults.get(call.fault, 0) + 1
            if not call.answer:
                continue
            met = tally.answers[call.answer]
            if call.chosen_by in FORCED:
                met.forced += 1
            else:
                met.natural += 1
            if test is not None and len(met.tests) < KEPT_TESTS:
                met.tests[test] = None
            tally.fields[call.operation].add(names)
            for pointer, key in keys:
                seen = tally.values[call.operation].setdefault(pointer, {})
                if len(seen) < KEPT_TESTS:
                    seen[key] = None

    def of(self, account: str | None) -> Tally:
        """The tally of an account that is still here (None: of all that ever were)."""
        return self.total if account is None else self._accounts.get(account, Tally())

    def forget(self, account: str) -> None:
        """Drop an account's own tally; the total keeps what it met."""
        self._accounts.pop(account, None)
        self._tests.pop(account, None)
