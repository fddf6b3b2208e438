"""A memory that follows the changes which several servers agree on: each has the same effect in all of them.

A change that cannot be made, as by a user's mistake, is none for all of them; its author is told why.
"""

from collections import Counter
from collections.abc import Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from mockserver.coverage.tally import NOTHING_UNMET, Unmet
from mockserver.engine.account import AccountData
from mockserver.engine.call import Label, RecordedCall, first_number
from mockserver.engine.callback import OutgoingRequest
from mockserver.engine.effects import DueStep
from mockserver.engine.facts import Limit
from mockserver.engine.pin import PinState
from mockserver.engine.request import ParsedRequest
from mockserver.engine.sources import Sources
from mockserver.spec.model import Contract
from mockserver.store.accounts import AccountError
from mockserver.store.changes import CallChanges, Holdings, ToldChange, read_change, read_label, read_request
from mockserver.store.durable import LoggedStore
from mockserver.store.held import MAX_HELD
from mockserver.store.losses import MAX_LOSSES, LossCount, Losses, LostCalls
from mockserver.store.parts import StoreParts
from mockserver.store.restoring import StateRow
from mockserver.store.row_mirror import RowMirror
from mockserver.store.rows import dump, load, read_clock, read_message, read_pin
from mockserver.store.store import MAX_STEPS_AT_ONCE

T = TypeVar("T")
STEP_NUMBERS = 20  # bits of a step's number that tell it from others of the same change
INDEX_BITS = 40  # of a version of the facts; those above tell memories apart


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the servers of a store remember at a checkpoint, and the changes since, each with its index."""

    path: str
    run: int
    checkpoint: int
    rows: Mapping[bytes, bytes]
    calls: Sequence[tuple[int, bytes]]
    ends: Mapping[int, tuple[str, float]]
    changes: Sequence[tuple[int, bytes]]


class Memory(LoggedStore):
    """The memory of one of several servers; ``index`` is that of the last change that it has applied.

    ``name`` tells the server from the others: what is due is told by whoever has made it so. ``era`` tells the memory
    from those that the server had before.
    """

    _makes_up_alike = True  # for contracts that not all of the servers have

    def __init__(self, name: str, era: int, snapshot: Snapshot, parts: StoreParts, changes: CallChanges) -> None:
        self.index = snapshot.checkpoint
        self.leaders: dict[str, str] = {}  # by account whose steps and clock come from this server
        self._name = name
        self._era = era
        self._first = first_number(snapshot.run) - 1
        self._changes = changes
        self._applying: ToldChange | None = None
        self._real_time = parts.sources.now
        self._losses = Losses()
        self._callbacks = {one.id: one for contract in parts.contracts for one in contract.callbacks}
        self.rows = RowMirror(snapshot.rows)
        sources = Sources(self._now, parts.sources.uuid, parts.sources.sequence)
        file = _Beginning(snapshot, self.rows, self._first)
        super().__init__(file, self.rows, replace(parts, sources=sources), run=snapshot.run)
        self._sources = sources
        self._records.number_steps_from(self.index << STEP_NUMBERS)
        for index, change in snapshot.changes:
            self.apply(index, change)

    @property
    def version(self) -> int:
        """What facts are that are known now."""
        return (self._era << INDEX_BITS) + self.index

    def is_of(self, version: int) -> bool:
        """Whether facts of this version come from this memory."""
        return version >> INDEX_BITS == self._era

    @staticmethod
    def index_at(version: int) -> int:
        """The index of the last change that facts of this version know."""
        return version & ((1 << INDEX_BITS) - 1)

    def _now(self) -> float:
        """The time: of a change that is being applied when that was made, the same for all."""
        return self._real_time() if self._applying is None else self._applying.at

    def number(self, index: int) -> int:
        """The number of the call or message that comes with a change."""
        return self._first + index

    def index_of(self, number: int) -> int:
        """The index of the change that a call or message came with."""
        return number - self._first

    def apply(self, index: int, written: bytes, call: RecordedCall | None = None) -> Any:
        """Apply the next change; returns what comes of it, an error where it is no change.

        ``call`` is that of the change, where it is at hand.
        """
        change = read_change(written)
        self.index = self.rows.index = index
        self._applying = change
        self._numbers = iter((self.number(index),))  # one is needed at most
        self._records.number_steps_from(index << STEP_NUMBERS)
        try:
            if change.kind == "call":
                return self._apply_call(change.body, call)
            return getattr(self, f"_apply_{change.kind}")(*change.body)
        except AccountError as error:
            return error
        finally:
            self._applying = None

    def holdings(self, account: str, vendor: str) -> Holdings:
        """Where the records of an account stand."""
        return Holdings(self._registry.accounts.get(account), vendor, self._records.kept(account, vendor))

    def pins_by_id(self, account: str) -> dict[str, PinState]:
        """The pins of an account that are not used up."""
        return {pin.id: pin for pin in self._pins.all(account)} if account in self._pins.by_account else {}

    def pins_of_callback(self, account: str, callback: str) -> list[PinState]:
        """The pins of an account for a callback, oldest first."""
        return self._pins.of_callback(account, callback) if self._pins.by_account else []

    def accounts_of(self, request: ParsedRequest) -> set[str]:
        """The accounts that a request names by what they own."""
        owners = self._registry.owners[request.operation.vendor]
        return {owners[claim].account.id for claim in request.claims if claim in owners}

    def labels(self, account: str | None) -> set[Label]:
        """The labels of an account's calls (None: of all accounts)."""
        return {call.label for call in self.all_calls() if account in {None, call.account}}

    def unmet(self, account: str, label: Label, request: ParsedRequest) -> Unmet:
        """What a call is the first of its account to show of the contracts."""
        return self._coverage.unmet(account, request) if label.answer else NOTHING_UNMET

    def has_limit(self, account: str, operation: str) -> bool:
        """Whether requests of an operation are counted for an account."""
        return (account, operation) in self._limits.by_place

    def fresh_account(self, account_id: str, values: Mapping[str, Any], seed: int | None) -> AccountData:
        """An account with values made up for what is not given; it is not there yet. Raises AccountError."""
        account = self._registry.add(account_id, values, seed=seed)
        self._registry.remove(account_id)
        return account

    def has_untold(self, account_id: str) -> bool:
        """Whether steps of an account are done of which nobody has been told."""
        return account_id in self._untold

    def next_steps(self, account: str) -> list[tuple[int, dict[str, Any]]]:
        """The steps that are due on an account's clock, each with the values that it sets."""
        now = self._clocks.clock(account).at(self._sources.now())
        copies: dict[int, dict[str, Any]] = {}
        found = []
        for due in self._records.due(account, now, MAX_STEPS_AT_ONCE):
            record = copies.setdefault(id(due.record), dict(due.record))
            found.append((due.number, self._change_by_step(due, record)))
        return found

    def lost_with(self, left: int, loss: str, found: "Memory") -> LostCalls:
        """What is lost with a store that has only the changes up to ``left``, of which ``found`` is the memory.

        What was told of earlier losses may be lost, too; those who know it already count it once.
        """
        after, there = self.number(left), {call.number: call.received_at for call in found.all_calls()}
        lost, calls, staying = self._losses.standing(), Counter[str](), set[str]()
        for call in self.all_calls():
            if call.number <= after:
                staying.add(call.account)
            elif there.get(call.number) != call.received_at:
                calls[call.account] += 1
        for account, evicted in self._journal.evicted_by_account().items():
            if account not in staying:  # or those that made room were older than one that the store still has
                calls[account] += evicted - self._losses.counted(account)
        return {**lost, loss: {account: number for account, number in calls.items() if number}}

    def numbers(self) -> list[int]:
        """The numbers of all calls."""
        return self._journal.numbers(None)

    def all_calls(self) -> Iterator[RecordedCall]:
        """All calls, those of each account together."""
        return self._journal.all_calls()

    def for_checkpoint(self) -> None:
        """Have everything in the rows."""
        self._log_evicted()
        self._log_coverage()

    def _run_due(self, account_id: str) -> None:
        """Nothing: steps come as changes."""

    def _steps_of(self, _contracts: tuple[Contract, ...]) -> Mapping[str, DueStep]:
        """Those that changes tell of."""
        return self._changes.steps

    def _log_number(self) -> None:
        """Nothing: numbers come from the indexes of changes."""

    async def _write(self) -> None:
        """Nothing: rows go with a checkpoint."""

    def _write_soon(self) -> None:
        """Nothing: as above."""

    def _apply_call(self, body: Any, call: RecordedCall | None) -> bool:
        call = self._changes.call(body) if call is None else call
        account, holdings = call.account, self.holdings(call.account, call.vendor)
        uses = self._changes.uses(body, account, self.pins_by_id(account), holdings)
        if not _done(self.commit(call, uses)):
            self.rows.drop_calls([self.number(self.index)])
            return False
        met = self._changes.met(body)
        if met is not None:
            self._coverage.meet(account, call.label, met)
        if uses.effects:
            self._lead(account)
        return True

    def _lead(self, account: str) -> None:
        if self._applying is not None:
            self.leaders[account] = self._applying.author

    def _apply_account(self, account_id: str, written: bytes, test: str | None, seed: int | None) -> AccountData:
        values = {vendor: data for vendor, data in load(written).items() if vendor in self._registry.owners}
        return _done(self.add_account(account_id, values, test, seed))

    def _forget_account(self, account_id: str) -> None:
        super()._forget_account(account_id)
        self._losses.forget(account_id)
        self.rows.drop_list("lost", account_id)

    def _apply_remove(self, account_id: str) -> KeyError | None:
        if account_id not in self._registry.accounts:
            return KeyError(account_id)
        _done(self.remove_account(account_id))
        return None

    def _apply_reset(self, account_id: str) -> None:
        _done(self.reset_account(account_id))

    def _reset(self, account_id: str) -> None:
        super()._reset(account_id)
        self._reset_losses(account_id)
        self.leaders.pop(account_id, None)
        if self._applying is not None and self._applying.author != self._name:
            self.on_forgotten(account_id)

    def _apply_clear(self, account: str | None, labels: list[bytes] | None) -> int:
        admitted = None if labels is None else {read_label(label) for label in labels}
        if admitted is None:
            self._reset_losses(account)
        return _done(self.clear_calls(account, None if admitted is None else admitted.__contains__))

    def _apply_pin(self, written: bytes, replaces: bool) -> None:
        _done(self.put_pin(read_pin(load(written)), replaces=replaces))

    def _apply_unpin(self, account: str | None, reach: str, pin_id: str | None) -> None:
        _done(self.remove_pins(account, reach, pin_id))

    def _apply_strike(self, account: str, pins: list[list[Any]]) -> bool:
        here = self.pins_by_id(account)
        met = [replace(here[pin_id], met=version) for pin_id, version in pins if pin_id in here]
        before = self._pins_of({account})
        is_used = len(met) == len(pins) and self._pins.use(met)
        self._log_pins(before)
        return is_used

    def _apply_clock(self, account: str, written: bytes) -> None:
        self._lead(account)
        _done(self.set_clock(account, read_clock(load(written))))

    def _apply_limit(self, account: str, operation: str, limit: list[Any] | None) -> None:
        _done(self.put_limit(account, operation, None if limit is None else Limit(*limit)))

    def _apply_receive(self, written: bytes, effects: bytes) -> Any:
        message = read_message(load(written))
        self._lead(message.account)
        holdings = self.holdings(message.account, message.vendor)
        return _done(self.receive(message, self._changes.effects(effects, holdings)))

    def _apply_due(self, account: str, written: bytes) -> None:
        values = dict(load(written))
        for step in self._records.take(account, values.keys()):
            step.record.update(values[step.number])
            of = dump([step.vendor, step.list_name, step.key])
            self.rows.drop("step", account, str(step.number), of=of)
            self._log_step(account, step)
            if self._applying is not None and self._applying.author == self._name:
                self._have_told(account, step)
        self._wake_for_steps(account)
        self.wake_waiting(account)

    def _restore_state(self, rows: Mapping[str, list[StateRow]], contracts: tuple[Contract, ...]) -> None:
        super()._restore_state(rows, contracts)
        for row in rows.get("held", ()):
            self._hold_written(row.value)
        for row in rows.get("lost", ()):
            self._losses.restore(row.account, row.name, LossCount(*row.value))

    def _hold_written(self, written: Sequence[Any]) -> None:
        request = read_request(written, self._callbacks)
        if request is not None:
            self._held.hold(request)

    def _apply_hold(self, written: bytes) -> None:
        value = load(written)
        self._hold_written(value)
        self.rows.put("held", value[1], str(self.index), value)
        self.rows.drop_oldest("held", value[1], MAX_HELD)

    def _apply_take(self, account: str) -> list[OutgoingRequest]:
        self.rows.drop_list("held", account)
        return _done(self.take_held(account))

    def _apply_callback(self, account: str, label: bytes) -> None:
        if account in self._registry.accounts:
            self._coverage.meet(account, read_label(label), NOTHING_UNMET)

    def _apply_ends(self, *ends: list[Any]) -> None:
        for index, outcome, duration_ms in ends:
            call = self._journal.get(self.number(index))
            if call is not None and call.outcome == "pending":
                call.outcome, call.duration_ms = outcome, duration_ms

    def _apply_lost(self, lost: LostCalls) -> None:
        """Note that the store has lost calls: whoever asks for them is told."""
        told = ((account, loss, calls) for loss, counts in lost.items() for account, calls in counts.items())
        for account, loss, calls in told:
            if account not in self._registry.accounts and account:
                continue
            more = self._losses.tell(account, loss, calls)
            if more:
                self._journal.count_lost(account, more)
                self.rows.set("evicted", account, "", self._journal.evicted(account))
                self._log_losses(account)
                self.rows.drop_oldest("lost", account, MAX_LOSSES)

    def _reset_losses(self, account: str | None) -> None:
        for name in self._losses.reset(account):
            self._log_losses(name)

    def _log_losses(self, account: str) -> None:
        for loss, count in self._losses.of(account).items():
            self.rows.set("lost", account, loss, list(count))


class _Beginning:
    """What a memory begins with, as the file of a store would have it; nothing is written there."""

    def __init__(self, snapshot: Snapshot, rows: RowMirror, first: int) -> None:
        self.path = snapshot.path
        self._snapshot = snapshot
        self._rows = rows
        self._first = first

    def states(self) -> Iterable[tuple[Any, ...]]:
        """The rows of the state."""
        return self._rows.states()

    def calls(self) -> Iterator[tuple[Any, ...]]:
        """The calls up to the checkpoint."""
        for index, written in self._snapshot.calls:
            if index <= self._snapshot.checkpoint:
                _, *cells = read_change(written).body[0]
                outcome, duration_ms = self._snapshot.ends.get(index, (cells[-3], cells[-2]))
                yield (self._first + index, *cells[:-3], outcome, duration_ms, cells[-1])

    @staticmethod
    def last_number() -> int | None:
        """Nobody asks: numbers come from the indexes of changes."""
        return None

    def begin(self, _statements: object) -> None:
        """Nothing to write."""

    def let_go(self) -> None:
        """Nothing is held."""

    def check(self) -> None:
        """Nothing can fail."""

    async def write(self, _statements: object) -> None:
        """Nothing to write."""

    def post(self, _statements: object) -> None:
        """Nothing to write."""

    async def close(self) -> None:
        """Nothing is held."""


def _done(work: Coroutine[Any, Any, T]) -> T:
    """The result of what waits for nothing, as nothing does that a memory does alone."""
    try:
        work.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    work.close()
    raise RuntimeError("a memory waits for something")
