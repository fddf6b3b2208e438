"""Reads what a store remembered from its file, when it starts."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count
from typing import Any, NamedTuple

from mockserver.coverage.tally import GONE
from mockserver.engine.clock import Sight
from mockserver.engine.effects import DueStep, EffectCompiler
from mockserver.engine.facts import Limit
from mockserver.engine.sources import FIRST_SEQUENCE_NUMBER
from mockserver.engine.values import ValueCompiler
from mockserver.spec.callback_model import OPTED_OUT
from mockserver.spec.model import Contract
from mockserver.store.accounts import AccountError
from mockserver.store.kinds import StoreError, unreadable
from mockserver.store.parts import Backing
from mockserver.store.planned_steps import StepDue
from mockserver.store.rows import (
    CallReader,
    cell_text,
    load,
    read_clock,
    read_message,
    read_pin,
    read_tally,
)
from mockserver.store.store import Store
from mockserver.store.views import born_record, read_view


class StateRow(NamedTuple):
    """A row of the state, its value read."""

    account: str
    of: str
    name: str
    value: Any


class RestoredStore(Store):
    """A store in memory that begins with what a file remembers."""

    _sequence = FIRST_SEQUENCE_NUMBER  # the next that nobody has taken
    _last_number = 0  # of a call or a message

    def _restore(self, file: Backing, contracts: tuple[Contract, ...]) -> dict[str, dict[str, Any]]:
        """Have all that the file remembers, as far as the contracts still have it. Raises StoreError.

        Returns what it says of the accounts that were made while serving.
        """
        try:
            rows: dict[str, list[StateRow]] = {}
            for kind, account, of, name, value in file.states():
                read = load(value) if isinstance(value, bytes) else value
                rows.setdefault(kind, []).append(StateRow(account, cell_text(of), cell_text(name), read))
            self._restore_state(rows, contracts)
            last = self._restore_calls(file)
            for row in rows.get("evicted", ()):
                self._journal.restore_evicted(row.account, row.value)
            numbers = [row.value for row in rows.get("number", ())]
            last_number = file.last_number()
        except AccountError as error:
            raise StoreError(f"{file.path} has an account that cannot be had here: {error.pointer} {error}") from error
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise unreadable(file.path, error) from error
        if last_number is not None:
            numbers.append(last_number)
        if numbers:
            self._last_number = max(numbers)
            self._numbers = count(self._last_number + 1)
        idle_since = {name: max(self._born[name], last.get(name, 0.0)) for name in self._idle}
        self._idle = OrderedDict.fromkeys(sorted(self._idle, key=lambda name: idle_since[name]))
        return {row.account: row.value for row in rows.get("account", ()) if row.account in self._idle}

    def _restore_state(self, rows: Mapping[str, list[StateRow]], contracts: tuple[Contract, ...]) -> None:
        uses = {row.name: row.value for row in rows.get("use", ())}
        steps: Mapping[str, DueStep] = {}
        if "step" in rows:
            steps = self._steps_of(contracts)
        takers: dict[str, Callable[[StateRow], None]] = {
            "account": lambda row: self._take_account(row, contracts),
            "born": self._take_change,
            "clock": lambda row: self._clocks.clocks.update({row.account: read_clock(row.value)}),
            "sight": lambda row: self._clocks.see([(row.account, bytes.fromhex(row.name), Sight(*row.value))]),
            "limit": lambda row: self._limits.put(row.account, row.name, Limit(*row.value)),
            "counted": self._take_counted,
            "drawn": lambda row: self._seeds.advance(row.account, row.value) if self._has_seed(row) else None,
            "pin": lambda row: self._take_pin(row, uses),
            "retired": lambda row: self._pins.restore(read_pin(row.value), is_retired=True),
            "kept": self._take_record,
            "received": lambda row: self._records.receive(read_message(row.value)),
            "state": lambda row: self._records.restore_state(row.account, *row.value),
            "step": lambda row: self._take_step(row, steps),
            "met": self._take_met,
            "sequence": self._take_sequence,
        }
        for kind, take in takers.items():
            for row in rows.get(kind, ()):
                take(row)

    def _steps_of(self, contracts: tuple[Contract, ...]) -> Mapping[str, DueStep]:
        """All steps of some contracts by place."""
        return EffectCompiler(ValueCompiler()).due_steps(contracts)

    def _restore_calls(self, file: Backing) -> dict[str, float]:
        """The calls, in the bounds that there are now; returns when the last of each account came."""
        reader, last = CallReader(), {}
        for cells in file.calls():
            call = reader.call(cells)
            self._journal.append(call)
            last[call.account] = call.received_at
            if call.more and call.cause:
                self._records.note_callback(call.account, call.cause, call.number)
        return last

    def _take_account(self, row: StateRow, contracts: tuple[Contract, ...]) -> None:
        """An account that was made while serving; one that is there from the start on now is that one."""
        if row.account in self._registry.accounts:
            return
        served = {contract.vendor for contract in contracts}
        values = {vendor: data for vendor, data in row.value["vendors"].items() if vendor in served}
        seed, test = row.value["seed"], row.value["test"]
        self._registry.add(row.account, values, lasting=self._makes_up_alike, seed=seed)
        self._born[row.account] = row.value["born"]
        self._idle[row.account] = None
        if seed is not None:
            self._seeds.put(row.account, seed)
        if test is not None:
            self._coverage.belongs(row.account, test)

    def _has_seed(self, row: StateRow) -> bool:
        return row.account in self._seeds.drawn

    def _take_change(self, row: StateRow) -> None:
        account, (vendor, *path) = self._registry.accounts.get(row.account), load(row.name.encode("utf-8"))
        record = None if account is None else born_record(account.vendors, [vendor, *path])
        if record is not None:
            self._records.restore_change(row.account, record, row.value)

    def _take_counted(self, row: StateRow) -> None:
        (by,) = load(row.name.rpartition("/")[0].encode("utf-8", "surrogatepass"))
        self._limits.count((row.account, row.of, by), row.value)

    def _take_pin(self, row: StateRow, uses: Mapping[str, Any]) -> None:
        pin = read_pin(row.value)
        position, met = uses.get(pin.id, (pin.position, pin.met))
        self._pins.restore(replace(pin, position=position, met=met), is_retired=False)

    def _take_record(self, row: StateRow) -> None:
        vendor, list_name = load(row.of.encode("utf-8", "surrogatepass"))
        self._somebody_opted_out |= list_name == OPTED_OUT
        self._records.restore_record(row.account, vendor, list_name, row.name, row.value)

    def _take_step(self, row: StateRow, steps: Mapping[str, DueStep]) -> None:
        """A step that is to come, unless the contracts have no such step any more, or its record is gone."""
        value, account = row.value, self._registry.accounts.get(row.account)
        step = steps.get(value["place"])
        kept = self._records.kept(row.account, value["vendor"])
        record = kept.get(value["list"], {}).get(value["key"])
        if step is None or record is None or account is None or value["vendor"] not in account.vendors:
            return
        due = StepDue(
            due=value["due"],
            vendor=value["vendor"],
            list_name=value["list"],
            key=value["key"],
            record=record,
            step=step,
            cause=value["cause"],
            index=value["index"],
            view=read_view(value["view"], account, value["vendor"], kept),
            recipient=value["recipient"],
            number=int(row.name),
        )
        self._records.restore_step(row.account, due)

    def _take_met(self, row: StateRow) -> None:
        """What an account had met; that of one that is gone is with the others that are."""
        account = row.account if row.account in {*self._registry.accounts, ""} else GONE
        self._coverage.restore(account, read_tally(row.value))

    def _take_sequence(self, row: StateRow) -> None:
        self._sequence = row.value
