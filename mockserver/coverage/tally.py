"""Which documented answers an application has met. A recorded call counts even after it is evicted."""

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
from mockserver.spec.answer_model import Answer
from mockserver.spec.callback_model import CallbackSpec
from mockserver.spec.model import Contract, OperationSpec
from mockserver.spec.pointer import Pointer

FORCED_CHOICES = frozenset({"prefer", "pin", "magic"})
MAX_TESTS_PER_ANSWER = 100  # ids of tests kept for an answer
MAX_OPEN_COUNTS = 1_000  # labels of an account that are counted apart before they are added to its tally
_ENCODER = json.JSONEncoder(sort_keys=True)


@dataclass(slots=True)
class Met:
    """How often an answer was met by itself (natural) and by force, and in which tests."""

    natural: int = 0
    forced: int = 0
    tests: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True)
class Tally:
    """What an account, or all accounts together, have met.

    ``answers`` are by id; ``fields``, ``values`` (by pointer and ``value_key``) and ``faults`` by operation.
    """

    answers: dict[str, Met] = field(default_factory=lambda: defaultdict(Met))
    fields: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    values: dict[str, dict[str, dict[str, None]]] = field(default_factory=lambda: defaultdict(dict))
    faults: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))

    def __bool__(self) -> bool:
        return bool(self.answers or self.fields or self.values or self.faults)

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
    """The declared fields and enumerated values of an operation that no call has sent yet."""

    fields: tuple[tuple[str, str, str], ...]
    values: tuple[tuple[Pointer, tuple[Any, ...]], ...]


NOTHING_UNSEEN = _Unseen((), ())  # for calls that met no answer of the contract


@dataclass(frozen=True, slots=True)
class Unmet:
    """What a request is the first to send: fields, and enumerated values by pointer and ``value_key``."""

    operation: str = ""
    fields: tuple[str, ...] = ()
    values: tuple[tuple[str, str], ...] = ()


NOTHING_UNMET = Unmet()


@dataclass(slots=True)
class _LabelCount:
    """The number of calls of a label, and what its operation has not seen yet."""

    unseen: _Unseen
    times: int = 0


@dataclass(slots=True)
class _Counts:
    """What an account has met, its test, and the calls since by label, which are in no tally yet.

    ``told`` is what was taken of it, ``fresh`` what has come since. The more an account has met, the less there is to
    do for a call.
    """

    told: Tally = field(default_factory=Tally)
    fresh: Tally = field(default_factory=Tally)
    test: str | None = None
    since: dict[Label, _LabelCount] = field(default_factory=dict)
    unseen: dict[str, _Unseen] = field(default_factory=dict)

    def begin(self, label: Label, operation: OperationSpec) -> _LabelCount:
        """A count for a label that has none yet."""
        if len(self.since) >= MAX_OPEN_COUNTS:
            self.settle()
        unseen = self._unseen(operation)
        count = self.since[label] = _LabelCount(unseen if label.answer else NOTHING_UNSEEN)
        return count

    def see(self, unseen: _Unseen, fields: list[tuple[str, str, str]], request: ParsedRequest) -> None:
        """Note fields and enumerated values that no request sent before."""
        name = request.operation.id
        if fields:
            self.fresh.fields[name].update(at for at, _, _ in fields)
            unseen.fields = tuple(entry for entry in unseen.fields if entry not in fields)
        for pointer, values in unseen.values:
            value = pointer.get(request.data)
            if value in values:
                key = value_key(value)
                self.fresh.values[name].setdefault(str(pointer), {})[key] = None
                left = tuple(value for value in values if value_key(value) != key)
                unseen.values = tuple((at, left if at == pointer else rest) for at, rest in unseen.values)

    def unmet(self, request: ParsedRequest) -> Unmet:
        """What of a request no request before it has sent."""
        operation, data = request.operation, request.data
        unseen = self._unseen(operation)
        body = data.get("body")
        parts = data if isinstance(body, dict) else {**data, "body": {}}
        fields = tuple(at for at, part, name in unseen.fields if name in parts[part])
        sent = ((at, at.get(data), values) for at, values in unseen.values)
        values = tuple((str(at), value_key(value)) for at, value, values in sent if value in values)
        return Unmet(operation.id, fields, values) if fields or values else NOTHING_UNMET

    def meet(self, label: Label, met: Unmet) -> None:
        """Count a call of this label, and what it was the first to send."""
        self.fresh.add(label, 1, self.test)
        if met is NOTHING_UNMET or not label.answer:
            return
        self.fresh.fields[met.operation].update(met.fields)
        for at, key in met.values:
            self.fresh.values[met.operation].setdefault(at, {})[key] = None
        unseen = self.unseen.get(met.operation)
        if unseen is not None:
            unseen.fields = tuple(entry for entry in unseen.fields if entry[0] not in met.fields)
            sent = set(met.values)
            unseen.values = tuple(
                (at, tuple(value for value in values if (str(at), value_key(value)) not in sent))
                for at, values in unseen.values
            )

    def _unseen(self, operation: OperationSpec) -> _Unseen:
        unseen = self.unseen.get(operation.id)
        if unseen is None:
            unseen = self.unseen[operation.id] = _Unseen(operation.declared, operation.enumerated)
        return unseen

    def settle(self) -> None:
        """Have all calls so far in the tallies."""
        for label, count in self.since.items():
            self.fresh.add(label, count.times, self.test)
        self.since.clear()

    def everything(self) -> Tally:
        """All that was met so far."""
        self.settle()
        if not self.told:
            return self.fresh
        met = Tally()
        met.merge(self.told)
        met.merge(self.fresh)
        return met

    def take(self) -> Tally:
        """What was met since this was last asked."""
        self.settle()
        taken, self.fresh = self.fresh, Tally()
        self.told.merge(taken)
        return taken


def value_key(value: Any) -> str:
    """A text that is the same for values that are the same in JSON: ``1`` and ``1.0``, but not ``1`` and ``true``."""
    return _ENCODER.encode(integral(value))


GONE = "*"  # stands for all deleted accounts; no account has this id


class Coverage:
    """Tallies by account; deleted accounts have one together."""

    def __init__(self) -> None:
        self._accounts: dict[str, _Counts] = {}

    @property
    def total(self) -> Tally:
        """What all accounts have met together, deleted ones included."""
        total = Tally()
        for counts in self._accounts.values():
            total.merge(counts.everything())
        return total

    def take(self) -> dict[str, Tally]:
        """What each account has met since this was last asked; deleted ones are GONE, with all that they ever met."""
        return {account: taken for account, counts in self._accounts.items() if (taken := counts.take())}

    def restore(self, account: str, met: Tally) -> None:
        """Add what an account had met, as it was taken."""
        self._accounts.setdefault(account, _Counts()).told.merge(met)

    def belongs(self, account: str, test: str) -> None:
        """Count an account's calls for a test from now on."""
        counts = self._accounts.setdefault(account, _Counts())
        counts.settle()
        counts.test = test

    def add(self, call: RecordedCall, request: ParsedRequest) -> None:
        """Count a call, and note the fields and enumerated values of its request."""
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

    def unmet(self, account: str, request: ParsedRequest) -> Unmet:
        """What of a request its account has not sent before."""
        return self._accounts.setdefault(account, _Counts()).unmet(request)

    def meet(self, account: str, label: Label, met: Unmet) -> None:
        """Count a call of an account where its request is not at hand, only what it was the first to send."""
        self._accounts.setdefault(account, _Counts()).meet(label, met)

    def add_callback(self, account: str, callback: CallbackSpec, fault: str) -> None:
        """Count a callback that an account's application got; by force, where a fault has spoilt it."""
        self.meet(account, label_of_callback(callback, fault), NOTHING_UNMET)

    def of(self, account: str | None) -> Tally:
        """The tally of an account, or with None of all accounts, deleted ones included."""
        if account is None:
            return self.total
        counts = self._accounts.get(account)
        return counts.everything() if counts is not None else Tally()

    def forget(self, account: str) -> None:
        """Drop the tally of an account; the total keeps it."""
        counts = self._accounts.pop(account, None)
        if counts is not None:
            self._accounts.setdefault(GONE, _Counts()).fresh.merge(counts.everything())


def label_of_callback(callback: CallbackSpec, fault: str) -> Label:
    """What a callback is counted as that a fault has spoilt or not."""
    chosen_by = "pin" if fault else ""
    return Label(callback.vendor, callback.id, callback.request.id, chosen_by=chosen_by, fault=fault)


def coverage_shape(contracts: tuple[Contract, ...], tally: Tally) -> dict[str, Any]:
    """The coverage document ``{format, version, contracts, operations}``, with answers that were never met."""
    operations = {o.id: o for c in contracts for o in c.operations if o.name == o.spelling}
    return {
        "format": DOCUMENT_FORMAT,
        "version": __version__,
        "contracts": {c.vendor: {"hash": contract_hash(c), "version": c.version} for c in contracts},
        "operations": {
            **{name: _operation(operation, tally) for name, operation in operations.items()},
            **{callback.id: _callback(callback, tally) for c in contracts for callback in c.callbacks},
        },
    }


def contract_hash(contract: Contract) -> str:
    """A hash of what the contract says, the same however the file is written."""
    text = json.dumps(contract.document, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _callback(callback: CallbackSpec, tally: Tally) -> dict[str, Any]:
    """A callback has one row: whether the application got it."""
    return {
        "answers": {callback.request.name: _answer(callback.request, tally)},
        "fields": {"seen": [], "unseen": []},
        "values": {},
        "faults": dict(tally.faults.get(callback.id, {})),
    }


def _operation(operation: OperationSpec, tally: Tally) -> dict[str, Any]:
    seen = tally.fields.get(operation.id, set())
    declared = [at for at, _, _ in operation.declared]
    met = tally.values.get(operation.id, {})
    return {
        "answers": {answer.name: _answer(answer, tally) for answer in operation.answers.values()},
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


def _answer(answer: Answer, tally: Tally) -> dict[str, Any]:
    met = _met(tally.answers.get(answer.id, Met()))
    return {"status": answer.status, "evidence": answer.evidence.grade, **met}


def _met(met: Met) -> dict[str, Any]:
    return {"natural": met.natural, "forced": met.forced, "tests": list(met.tests)}
