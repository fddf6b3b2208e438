"""A store whose memory is written down in a file as it changes, so that it survives the end of its process.

Memory alone decides; the file follows, and is read at the start only. What changes by a call is in the file before the
call is answered. How sending a response ended, which steps were told, and coverage follow within half a second: a crash
may lose the last of it.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mockserver.engine.account import AccountData
from mockserver.engine.call import Label, RecordedCall
from mockserver.engine.callback import OutgoingRequest
from mockserver.engine.clock import Clock
from mockserver.engine.effects import ChangeRecord, Effect, KeepRecord
from mockserver.engine.facts import Limit
from mockserver.engine.message import Message
from mockserver.engine.pin import NOTHING_USED, PinState, Uses
from mockserver.engine.request import ParsedRequest
from mockserver.engine.sources import numbers, steady_time
from mockserver.spec.callback_model import CallbackSpec
from mockserver.spec.reach import EVERYTHING
from mockserver.store.kinds import StoreUnavailableError
from mockserver.store.log import LoggedJournal, LoggedRecords, StateLog
from mockserver.store.parts import Backing, StoreParts
from mockserver.store.planned_steps import StepDue
from mockserver.store.record_list import MAX_RECORDS
from mockserver.store.restoring import RestoredStore
from mockserver.store.rows import clock_value, dump, message_value, pin_value, tally_value
from mockserver.store.sqlite_file import StoreFile
from mockserver.store.store import MAX_TEST_NAME
from mockserver.store.switches import MAX_COUNTED_VALUES, MAX_FIRST_SIGHTS
from mockserver.store.views import place_of, step_value, written_view

FLUSH_SECONDS = 0.5  # until what nobody waits for is written
MANY_CALLS = 64  # that ended or made room: they are written with the next call


class LoggedStore(RestoredStore):
    """A store that is written down in what it is given for that, which it begins with. Raises StoreError."""

    def __init__(self, file: Backing, log: StateLog, parts: StoreParts, *, run: int | None = None) -> None:
        self._log = log
        self._logged_journal = LoggedJournal(parts.max_journal_calls, parts.max_journal_bytes)
        sources = replace(parts.sources, sequence=numbers(self._take_block))
        most, pace = parts.max_accounts, parts.pace
        super().__init__(parts.registry, self._logged_journal, sources, most_accounts=most, run=run, pace=pace)
        self._records = self._logged_records = LoggedRecords()
        self._ended: list[RecordedCall] = []
        self._left: list[str] = []  # accounts that are gone, and whose coverage the file still has apart
        self._flushing: tuple[asyncio.AbstractEventLoop, asyncio.TimerHandle] | None = None
        self._file = file
        try:
            self._begin(parts)
        except BaseException:
            self._file.let_go()
            raise

    def _begin(self, parts: StoreParts) -> None:
        """Have what the file remembers, and write what is different now: values that were made up, what made room."""
        for account_id, given in self._restore(self._file, parts.contracts).items():
            vendors = self._registry.accounts[account_id].vendors
            if not vendors.keys() <= given["vendors"].keys():
                self._log.set("account", account_id, "", {**given, "vendors": {**vendors, **given["vendors"]}})
        while len(self._idle) > self._most_accounts:
            self._forget_account(next(iter(self._idle)))
        self._logged_records.planned.clear()
        self._logged_records.gone.clear()
        self._file.begin(self._log.take())

    def _take_block(self, size: int) -> range:
        block = range(self._sequence, self._sequence + size)
        self._sequence = block.stop
        self._log.set("sequence", "", "", block.stop)
        return block

    def _check(self) -> None:
        """Raise StoreUnavailableError where nothing can be written now."""
        try:
            self._file.check()
        except StoreUnavailableError as error:
            self.condition.failed(str(error))
            raise

    async def check(self) -> None:
        """Return unless the last attempt to write failed; there is another twice a second."""
        self._check()

    async def _write(self) -> None:
        """Return once all that has changed so far is in the file. Raises StoreUnavailableError."""
        began = steady_time()
        try:
            await self._file.write(self._log.take())
        except StoreUnavailableError as error:
            self.condition.failed(str(error))
            raise
        self.condition.worked(steady_time() - began)

    def _write_soon(self) -> None:
        """Have all that has changed written within half a second."""
        loop = asyncio.get_running_loop()
        if self._flushing is None or self._flushing[0] is not loop:
            self._flushing = loop, loop.call_later(FLUSH_SECONDS, self._flush)

    def _flush(self) -> None:
        self._flushing = None
        self._log_evicted()
        self._log_ended()
        self._log_coverage()
        if self._log:
            self._file.post(self._log.take())

    async def close(self) -> None:
        """Write what is left, and let go of the file."""
        if self._flushing is not None:
            self._flushing[1].cancel()
        self._flush()
        await self._file.close()

    def _log_coverage(self) -> None:
        met = self._coverage.take()
        for account in self._left:
            self._log.drop("met", account)
        self._left.clear()
        for account in met:
            self._log.set("met", account, "", tally_value(self._coverage.of(account)))

    async def commit(
        self,
        call: RecordedCall,
        uses: Uses = NOTHING_USED,
        request: ParsedRequest | None = None,
        version: int | None = None,
    ) -> bool:
        """As in memory, and return once it is in the file. Raises StoreUnavailableError."""
        self._check()
        if not await super().commit(call, uses, request, version):
            return False
        self._last_number = call.number
        self._log.put_call(call)
        if len(self._logged_journal.dropped) >= MANY_CALLS:
            self._log_evicted()
        self._write_soon()
        try:
            await self._write()
        except StoreUnavailableError:  # the client gets no answer, and a journal that is written later says so
            await self.complete(call, "aborted", 0.0)
            raise
        return True

    def _drop_calls(self, numbers: Iterable[int]) -> None:
        """Note that calls are gone; their numbers do not come again, even if they were the last."""
        self._log.drop_calls(numbers)
        self._log_number()

    def _log_number(self) -> None:
        self._log.set("number", "", "", self._last_number)

    def _log_evicted(self) -> None:
        """Note which calls have made room. Until this is written the file has them, and a restart evicts them again."""
        dropped = self._logged_journal.dropped
        if dropped:
            self._drop_calls(call.number for call in dropped)
            for account in {call.account for call in dropped}:
                self._log.set("evicted", account, "", self._journal.evicted(account))
            dropped.clear()

    def _use(self, call: RecordedCall, uses: Uses) -> None:
        account = call.account
        pins = self._pins_of({pin.account for pin in uses.pins})
        counted = self._limits.counted(account, call.operation) if uses.counts else {}
        oldest = next(iter(counted), "") if len(counted) == MAX_COUNTED_VALUES else None
        super()._use(call, uses)
        self._log_pins(pins)
        if oldest is not None and oldest not in counted:
            self._log.drop_counted(account, call.operation, oldest)
        limit = self._limits.by_place.get((account, call.operation)) if uses.counts else None
        if limit is not None:
            at = self._clocks.clock(account).at(call.received_at)
            self._log.count(account, call.operation, uses.limit_key, call.number, at, limit.seconds)
        if uses.drawn is not None:
            self._log.set("drawn", account, "", uses.drawn[1])
        for owner, digest, sight in uses.sights:
            self._log.put_first("sight", owner, digest.hex(), list(sight))
            first = self._clocks.first_sights(owner)
            if len(first) == MAX_FIRST_SIGHTS:
                self._log.drop_before("sight", owner, next(iter(first)).hex())
        self._log_effects(account, call.vendor, uses.effects)

    async def complete(self, call: RecordedCall, outcome: str, duration_ms: float) -> None:
        """As in memory; a crash may lose it, and the call is pending then."""
        if call.outcome == "pending":
            await super().complete(call, outcome, duration_ms)
            self._ended.append(call)
            if len(self._ended) >= MANY_CALLS:
                self._log_ended()
            self._write_soon()

    def _log_ended(self) -> None:
        self._log.end_calls(self._ended)
        self._ended.clear()

    async def add_account(
        self, account_id: str, values: Mapping[str, Any], test: str | None = None, seed: int | None = None
    ) -> AccountData:
        """As in memory, and return once it is in the file. Raises AccountError and StoreUnavailableError."""
        self._check()
        account = await super().add_account(account_id, values, test, seed)
        given = {"seed": seed, "test": None if test is None else test[:MAX_TEST_NAME], "born": self._born[account_id]}
        self._log.set("account", account_id, "", {"vendors": account.vendors, **given})
        await self._write()
        return account

    async def remove_account(self, account_id: str) -> None:
        """As in memory, and return once it is in the file. Raises KeyError and StoreUnavailableError."""
        self._check()
        await super().remove_account(account_id)
        await self._write()

    def _remove(self, account_id: str) -> None:
        self._forget_account(account_id)
        self._write_soon()

    def _forget_account(self, account_id: str) -> None:
        super()._remove(account_id)
        self._log.drop("account", account_id)
        self._left.append(account_id)

    async def reset_account(self, account_id: str) -> None:
        """As in memory, and return once it is in the file. Raises StoreUnavailableError."""
        self._check()
        await super().reset_account(account_id)
        await self._write()

    def _reset(self, account_id: str) -> None:
        self._log_evicted()
        self._drop_calls(self._journal.numbers(account_id))
        self._log.forget(account_id)
        super()._reset(account_id)

    async def clear_calls(self, account: str | None, admits: Callable[[Label], bool] | None = None) -> int:
        """As in memory, and return once it is in the file. Raises StoreUnavailableError."""
        self._check()
        self._log_evicted()
        before = self._journal.numbers(account)
        cleared = await super().clear_calls(account, admits)
        self._drop_calls(set(before) - set(self._journal.numbers(account)))
        if admits is None:
            self._log.drop_evicted(account)
        await self._write()
        return cleared

    async def put_pin(self, pin: PinState, *, replaces: bool = False) -> None:
        """As in memory, and return once it is in the file. Raises StoreUnavailableError."""
        self._check()
        before = self._pins_of({pin.account})
        await super().put_pin(pin, replaces=replaces)
        self._log_pins(before)
        await self._write()

    async def remove_pins(self, account: str | None, reach: str = EVERYTHING, pin_id: str | None = None) -> None:
        """As in memory, and return once it is in the file. Raises StoreUnavailableError."""
        self._check()
        before = self._pins_of(set(self._pins.by_account) if account is None else {account})
        await super().remove_pins(account, reach, pin_id)
        self._log_pins(before)
        await self._write()

    async def strike_callback(self, request: OutgoingRequest) -> PinState | None:
        """As in memory, and return once it is in the file. Raises StoreUnavailableError."""
        self._check()
        before = self._pins_of({request.account}) if self._pins.by_account else {}
        striking = await super().strike_callback(request)
        self._log_pins(before)
        if self._log:
            await self._write()
        return striking

    def _pins_of(self, accounts: Iterable[str]) -> dict[str, dict[str, PinState]]:
        return {account: {pin.id: pin for pin in self._pins.all(account)} for account in accounts}

    def _log_pins(self, before: Mapping[str, Mapping[str, PinState]]) -> None:
        """Note what has become of these accounts' pins."""
        for account, pins in before.items():
            now = {pin.id: pin for pin in self._pins.all(account)}
            for pin_id, pin in now.items():
                if pin_id not in pins:
                    self._log.put("pin", account, pin_id, pin_value(pin))
                elif pin is not pins[pin_id]:
                    self._log.set("use", account, pin_id, [pin.position, pin.met])
            retired = self._pins.all_retired(account)
            gone = [pin_id for pin_id in retired if pin_id in pins and pin_id not in now]
            for pin_id in pins.keys() - now.keys():
                self._log.drop("pin", account, pin_id)
                self._log.drop("use", account, pin_id)
            for pin_id in gone:
                self._log.put("retired", account, pin_id, pin_value(retired[pin_id]))
            if gone:
                self._log.drop_before("retired", account, next(iter(retired)))

    def _log_effects(self, account: str, vendor: str, effects: Iterable[Effect]) -> None:
        """Note what effects have left behind, which records are gone, and which steps are to come."""
        records = self._logged_records
        gone, records.gone = records.gone, []
        for of_vendor, list_name, key in gone:
            self._log.drop("kept", account, key, of=dump([of_vendor, list_name]))
            self._log.drop_list("step", account, of=dump([of_vendor, list_name, key]))
        kept = records.kept(account, vendor)
        for effect in effects:
            if isinstance(effect, KeepRecord):
                if kept[effect.list_name].get(effect.key) is effect.record:  # it may have made room already
                    self._log.put("kept", account, effect.key, effect.record, of=dump([vendor, effect.list_name]))
            elif isinstance(effect, ChangeRecord):
                self._log_change(account, vendor, effect.record)
        planned, records.planned = records.planned, []
        for step in planned:
            if step.step.place and kept[step.list_name].get(step.key) is step.record:
                value = step_value(step, written_view(step.view, self._registry.accounts.get(account), vendor, kept))
                self._log.put("step", account, str(step.number), value, of=dump([vendor, step.list_name, step.key]))

    def _log_change(self, account_id: str, vendor: str, record: dict[str, Any]) -> None:
        """Write a record that was changed where it stands."""
        account, kept = self._registry.accounts.get(account_id), self._records.kept(account_id, vendor)
        kind, at = place_of(record, {} if account is None else account.vendors.get(vendor, {}), kept)
        if kind == "kept":
            self._log.change("kept", account_id, at[1], record, of=dump([vendor, at[0]]))
        elif kind == "born":
            self._log.set("born", account_id, dump([vendor, *at]), record)

    async def receive(self, message: Message, effects: tuple[Effect, ...]) -> Message:
        """As in memory, and return once it is in the file. Raises StoreUnavailableError."""
        self._check()
        account = message.account
        message = await super().receive(message, effects)
        self._log_effects(account, message.vendor, effects)
        self._last_number = message.call
        self._log_number()
        self._log.put("received", account, str(message.call), message_value(message))
        received = self._records.received(account)
        if len(received) == MAX_RECORDS:
            self._log.drop_before("received", account, str(received[0].call))
        await self._write()
        return message

    async def run_due(self, account_id: str) -> list[StepDue]:
        """As in memory. A crash within half a second, before anything else is written, has the steps told again."""
        told = await super().run_due(account_id)
        for step in told:
            of = dump([step.vendor, step.list_name, step.key])
            self._log.drop("step", account_id, str(step.number), of=of)
        if told:
            self._write_soon()
        return told

    def _run_due(self, account_id: str) -> None:
        before = len(self._untold.get(account_id, ()))
        super()._run_due(account_id)
        for step in self._untold.get(account_id, [])[before:]:
            self._log_step(account_id, step)
            self._write_soon()

    def _log_step(self, account_id: str, step: StepDue) -> None:
        """Write what a step has made of its record, and of the message that this is a record of."""
        record = self._records.kept(account_id, step.vendor)[step.list_name][step.key]
        self._log.change("kept", account_id, step.key, record, of=dump([step.vendor, step.list_name]))
        if step.step.state is not None:
            states = self._records.states(account_id)
            self._log.set("state", account_id, f"{step.cause}/{step.index}", [step.cause, step.index, step.step.state])
            if len(states) == MAX_RECORDS:
                cause, index = next(iter(states))
                self._log.drop_before("state", account_id, f"{cause}/{index}")

    async def meet_callback(self, account_id: str, callback: CallbackSpec, fault: str) -> None:
        """As in memory; a crash may lose it."""
        await super().meet_callback(account_id, callback, fault)
        self._write_soon()

    async def set_clock(self, account_id: str, clock: Clock) -> None:
        """As in memory, and return once it is in the file. Raises StoreUnavailableError."""
        self._check()
        await super().set_clock(account_id, clock)
        await self._write()

    def _set_clock(self, account_id: str, clock: Clock) -> None:
        super()._set_clock(account_id, clock)
        self._log.set("clock", account_id, "", clock_value(clock))

    async def put_limit(self, account_id: str, operation: str, limit: Limit | None) -> None:
        """As in memory, and return once it is in the file. Raises StoreUnavailableError."""
        self._check()
        await super().put_limit(account_id, operation, limit)
        self._log.drop("limit", account_id, operation)
        self._log.drop_list("counted", account_id, operation)
        if limit is not None:
            self._log.put("limit", account_id, operation, [limit.requests, limit.seconds])
        await self._write()


class DurableStore(LoggedStore):
    """A store in a file of this process. Raises StoreError where the file cannot be used."""

    _file: StoreFile

    def __init__(self, path: Path, parts: StoreParts, *, run: int | None = None) -> None:
        super().__init__(StoreFile(path), StateLog(), parts, run=run)
