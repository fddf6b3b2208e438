"""Which documented answers an application has met. Counted at commit, so nothing that follows takes it away."""

import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from mockserver import __version__
from mockserver.coverage.document import DOCUMENT_FORMAT
from mockserver.engine.bodies import integral
from mockserver.engine.call import Label, RecordedCall
from mockserver.engine.request import ParsedRequest
from mockserver.spec.model import Contract, OperationSpec
from mockserver.spec.pointer import Pointer

FORCED_CHOICES = frozenset({"prefer", "pin", "magic"})
MAX_TESTS_PER_ANSWER = 100  # ids of tests kept for an answer
MAX_OPEN_COUNTS = 1_000  # different ones of one account before they are put together
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
        if label.chosen_by in FORCED_CHOICES:
            met.forced += times
        else:
            met.natural += times
        if test is not None and len(met.tests) < MAX_TESTS_PER_ANSWER:
            met.tests[test] = None

    def merge(self, other: "Tally") -> None:
        """Add what another tally has."""
        for answer, met in other.answers.items():
            mine = self.answers[answer]
            mine.natural += met.natural
            mine.forced += met.forced
            for test in met.tests:
                if len(mine.tests) < MAX_TESTS_PER_ANSWER:
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
    """Declared fields of an operation that no call gave yet, and what values of enumerated ones are left."""

    fields: tuple[tuple[str, str, str], ...]
    values: tuple[tuple[Pointer, tuple[Any, ...]], ...]


NOTHING_UNSEEN = _Unseen((), ())  # of calls that met no answer of the contract


@dataclass(slots=True)
class _Count:
    """How many calls there were of a label, and what its operation has not seen yet."""

    unseen: _Unseen
    times: int = 0


@dataclass(slots=True)
class _Counts:
    """One account's tally, its test, and calls counted since by label.

    There is the less to do for a call, the more an account has met.
    """

    tally: Tally = field(default_factory=Tally)
    test: str | None = None
    since: dict[Label, _Count] = field(default_factory=dict)
    unseen: dict[str, _Unseen] = field(default_factory=dict)

    def begin(self, label: Label, operation: OperationSpec) -> _Count:
        """A count for calls of another label."""
        if len(self.since) >= MAX_OPEN_COUNTS:
            self.settle()
        unseen = self.unseen.get(operation.id)
        if unseen is None:
            unseen = self.unseen[operation.id] = _Unseen(operation.declared, operation.enumerated)
        count = self.since[label] = _Count(unseen if label.answer else NOTHING_UNSEEN)
        return count

    def see(self, unseen: _Unseen, fields: list[tuple[str, str, str]], request: ParsedRequest) -> None:
        """Note fields that no request before gave, and values that no enumerated one had."""
        name = request.operation.id
        if fields:
            self.tally.fields[name].update(at for at, _, _ in fields)
            unseen.fields = tuple(entry for entry in unseen.fields if entry not in fields)
        for pointer, values in unseen.values:
            value = pointer.get(request.data)
            if value in values:
                key = value_key(value)
                self.tally.values[name].setdefault(str(pointer), {})[key] = None
                left = tuple(one for one in values if value_key(one) != key)
                unseen.values = tuple((at, left if at == pointer else others) for at, others in unseen.values)

    def settle(self) -> Tally:
        """The tally with all that was counted."""
        for label, count in self.since.items():
            self.tally.add(label, count.times, self.test)
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

    def add(self, call: RecordedCall, request: ParsedRequest) -> None:
        """Count a call, and the fields and enumerated values that its request gave."""
        counts = self._accounts.get(call.account)
        if counts is None:
            counts = self._accounts[call.account] = _Counts()
        count = counts.since.get(call.label) or counts.begin(call.label, request.operation)
        count.times += 1
        unseen, data = count.unseen, request.data
        if not isinstance(data.get("body"), dict):
            data = {**data, "body": {}}
        fields = [entry for entry in unseen.fields if entry[2] in data[entry[1]]]
        if fields or unseen.values:
            counts.see(unseen, fields, request)

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


def coverage_shape(contracts: tuple[Contract, ...], tally: Tally) -> dict[str, Any]:
    """``{format, version, contracts, operations}``; zero counts included."""
    operations = {o.id: o for c in contracts for o in c.operations if o.name == o.spelling}
    return {
        "format": DOCUMENT_FORMAT,
        "version": __version__,
        "contracts": {c.vendor: {"hash": contract_hash(c), "version": c.version} for c in contracts},
        "operations": {name: _operation(operation, tally) for name, operation in operations.items()},
    }


def contract_hash(contract: Contract) -> str:
    """Of what the document says, however it is written."""
    text = json.dumps(contract.document, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _operation(operation: OperationSpec, tally: Tally) -> dict[str, Any]:
    seen = tally.fields.get(operation.id, set())
    declared = [at for at, _, _ in operation.declared]
    met = tally.values.get(operation.id, {})
    return {
        "answers": {
            answer.name: {
                "status": answer.status,
                "evidence": answer.evidence,
                **_met(tally.answers.get(answer.id, Met())),
            }
            for answer in operation.answers.values()
        },
        "fields": {
            "seen": [at for at in declared if at in seen],
            "unseen": [at for at in declared if at not in seen],
        },
        "values": {
            str(at): {
                "seen": [value for value in allowed if value_key(value) in met.get(str(at), {})],
                "unseen": [value for value in allowed if value_key(value) not in met.get(str(at), {})],
            }
            for at, allowed in operation.enumerated
        },
        "faults": dict(tally.faults.get(operation.id, {})),
    }


def _met(met: Met) -> dict[str, Any]:
    return {"natural": met.natural, "forced": met.forced, "tests": list(met.tests)}
