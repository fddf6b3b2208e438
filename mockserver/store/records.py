"""What accounts keep: the records that answers leave behind, and the steps that these go through in time."""

from collections import OrderedDict, deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from mockserver.engine.effects import ChangeRecord, Effect, ForgetRecord, KeepRecord
from mockserver.engine.facts import NOTHING, Kept
from mockserver.engine.message import Message
from mockserver.store.planned_steps import PlannedSteps, StepDue
from mockserver.store.record_list import MAX_RECORDS, ROOM_BYTES, Record, RecordList, extra_room

LONGEST_PACED = 60.0  # seconds after an answer; a later step is waited for as long as the contract says
Lists = dict[str, RecordList]


@dataclass(slots=True)
class _Keeping:
    """What one account keeps: lists by vendor, steps by time, and the first values of what was changed.

    ``states`` are those of messages that a step has moved on, by the number of the call and the record's index.
    ``callbacks`` are, by the number of their cause, the numbers of the calls that told of it.
    """

    lists: dict[str, Lists] = field(default_factory=dict)
    steps: PlannedSteps = field(default_factory=PlannedSteps)
    first_values: dict[int, tuple[Record, Record]] = field(default_factory=dict)
    states: OrderedDict[tuple[int, int], str] = field(default_factory=OrderedDict)
    received: deque[Message] = field(default_factory=lambda: deque(maxlen=MAX_RECORDS))
    callbacks: OrderedDict[int, list[int]] = field(default_factory=OrderedDict)


class Records:
    """The records of all accounts. No list grows without bound."""

    def __init__(self) -> None:
        self._of: dict[str, _Keeping] = {}
        self._order = count()

    def kept(self, account: str, vendor: str) -> Kept:
        """What an account keeps of a vendor's."""
        keeping = self._of.get(account)
        return NOTHING if keeping is None else keeping.lists.get(vendor, NOTHING)

    def apply(  # noqa: PLR0913, PLR0917 -- whose it is, what caused it, and when
        self,
        account: str,
        vendor: str,
        cause: int,
        effects: Iterable[Effect],
        now: float,
        pace: float,
        sent: int = 0,
    ) -> None:
        """Do what the answer to a call leaves behind, at a time of the account's clock.

        ``cause`` is the call's number. ``pace`` is how long a second of a course's first minute takes on that clock.
        ``sent`` is how many bytes the client sent: of few, no record is large.
        """
        keeping = self._of.get(account) or self._of.setdefault(account, _Keeping())
        for effect in effects:
            if isinstance(effect, KeepRecord):
                self._keep(keeping, vendor, effect, extra_room(effect.record) if sent > ROOM_BYTES else 0)
                if effect.steps:
                    self._plan_steps(keeping, vendor, cause, effect, now, pace)
            elif isinstance(effect, ChangeRecord):
                _change(keeping, effect)
            else:
                self._forget(keeping, vendor, effect)

    def _keep(self, keeping: _Keeping, vendor: str, effect: KeepRecord, extra: int) -> None:
        records = _list_of(keeping, vendor, effect.list_name)
        for key, record in records.keep(effect.key, effect.record, extra):
            self._let_go(keeping, vendor, effect.list_name, key, record)

    def _forget(self, keeping: _Keeping, vendor: str, effect: ForgetRecord) -> None:
        records = _list_of(keeping, vendor, effect.list_name)
        for key in [key for key, record in records.items() if record is effect.record]:
            records.forget(key)
            self._let_go(keeping, vendor, effect.list_name, key, effect.record)

    def _let_go(self, keeping: _Keeping, _vendor: str, _list_name: str, _key: str, record: Record) -> None:
        """Forget what else is known of a record that is gone from its list."""
        keeping.steps.forget(record)
        keeping.first_values.pop(id(record), None)

    def restore_record(self, account: str, vendor: str, list_name: str, key: str, record: Record) -> None:
        """Keep a record again."""
        keeping = self._of.setdefault(account, _Keeping())
        for gone, old in _list_of(keeping, vendor, list_name).keep(key, record, extra_room(record)):
            self._let_go(keeping, vendor, list_name, gone, old)

    def restore_step(self, account: str, step: StepDue) -> None:
        """Have a step to come again."""
        self._plan(self._of.setdefault(account, _Keeping()), step)
        self._order = count(max(next(self._order), step.number + 1))

    def restore_state(self, account: str, cause: int, index: int, state: str) -> None:
        """Have a message in the state that a step has given to it."""
        self._of.setdefault(account, _Keeping()).states[cause, index] = state

    def restore_change(self, account: str, record: Record, value: Record) -> None:
        """Change again what an account was born with; its first values are remembered."""
        self._of.setdefault(account, _Keeping()).first_values[id(record)] = (record, _copy(record))
        record.clear()
        record.update(value)

    def states(self, account: str) -> Mapping[tuple[int, int], str]:
        """The states that steps have given to an account's messages, oldest first."""
        keeping = self._of.get(account)
        return NOTHING if keeping is None else keeping.states

    def has_all(self, account: str, vendor: str, effects: Iterable[Effect]) -> bool:
        """Whether an account still keeps the records of a vendor's that these effects forget."""
        for effect in effects:
            if isinstance(effect, ForgetRecord):
                kept = self.kept(account, vendor).get(effect.list_name, NOTHING).values()
                if not any(record is effect.record for record in kept):
                    return False
        return True

    def _plan_steps(  # noqa: PLR0913, PLR0917 -- as above
        self, keeping: _Keeping, vendor: str, cause: int, effect: KeepRecord, now: float, pace: float
    ) -> None:
        for step in effect.steps:
            due = StepDue(
                due=now + step.after * (pace if step.after <= LONGEST_PACED else 1.0),
                vendor=vendor,
                list_name=effect.list_name,
                key=effect.key,
                record=effect.record,
                step=step,
                cause=cause,
                index=effect.index,
                view=effect.view,
                recipient=effect.recipient,
                number=next(self._order),
            )
            self._plan(keeping, due)

    def _plan(self, keeping: _Keeping, step: StepDue) -> None:
        keeping.steps.add(step)

    def next_due(self, account: str) -> float | None:
        """When the next step of an account is due, on its clock; None where there is none."""
        keeping = self._of.get(account)
        return None if keeping is None else keeping.steps.next_due

    def waiting(self) -> Iterator[tuple[str, float]]:
        """The accounts that have steps to come, each with when the next is due on its clock."""
        times = ((account, keeping.steps.next_due) for account, keeping in self._of.items())
        return ((account, due) for account, due in times if due is not None)

    def pending(self, account: str, most: int) -> list[StepDue]:
        """So many of the steps of an account that are to come, the next ones."""
        keeping = self._of.get(account)
        return [] if keeping is None else keeping.steps.first(most)

    def take_due(self, account: str, now: float, most: int) -> list[StepDue]:
        """The steps of an account that are due at a time of its clock, in order: so many at most."""
        keeping = self._of.get(account)
        return [] if keeping is None else _reached(keeping, keeping.steps.take_due(now, most))

    def due(self, account: str, now: float, most: int) -> list[StepDue]:
        """The steps that ``take_due`` would take."""
        keeping = self._of.get(account)
        return [] if keeping is None else keeping.steps.due(now, most)

    def take(self, account: str, numbers: Collection[int]) -> list[StepDue]:
        """The steps of an account with these numbers, in order, as ``take_due`` takes them."""
        keeping = self._of.get(account)
        return [] if keeping is None else _reached(keeping, keeping.steps.take(numbers))

    def number_steps_from(self, number: int) -> None:
        """Give the steps that are planned next these numbers, which are higher than those of all before."""
        self._order = count(number)

    def state(self, account: str, cause: int, index: int) -> str | None:
        """The state that a step has given to a message of a call; None where none has."""
        keeping = self._of.get(account)
        return None if keeping is None else keeping.states.get((cause, index))

    def note_callback(self, account: str, cause: int, number: int) -> None:
        """Note that a callback told of what a call or a message caused."""
        callbacks = self._of.setdefault(account, _Keeping()).callbacks
        callbacks.setdefault(cause, []).append(number)
        if len(callbacks) > MAX_RECORDS:
            callbacks.popitem(last=False)

    def caused_by(self, account: str, cause: int) -> list[int]:
        """The numbers of the callbacks that told of a call or a message, oldest first."""
        keeping = self._of.get(account)
        return [] if keeping is None else list(keeping.callbacks.get(cause, ()))

    def receive(self, message: Message) -> None:
        """Keep a subscriber's message."""
        self._of.setdefault(message.account, _Keeping()).received.append(message)

    def received(self, account: str) -> list[Message]:
        """The messages from subscribers to an account, oldest first."""
        keeping = self._of.get(account)
        return [] if keeping is None else list(keeping.received)

    def forget(self, account: str) -> None:
        """Forget what an account keeps; what it was born with has its first values again."""
        keeping = self._of.pop(account, None)
        if keeping is not None:
            for record, first in keeping.first_values.values():
                record.clear()
                record.update(first)


def _reached(keeping: _Keeping, steps: list[StepDue]) -> list[StepDue]:
    """Have the messages of the steps' records in the states that these give them; returns the steps."""
    for step in steps:
        if step.step.state is not None:
            keeping.states[step.cause, step.index] = step.step.state
            if len(keeping.states) > MAX_RECORDS:
                keeping.states.popitem(last=False)
    return steps


def _list_of(keeping: _Keeping, vendor: str, list_name: str) -> RecordList:
    lists = keeping.lists.get(vendor) or keeping.lists.setdefault(vendor, {})
    records = lists.get(list_name)
    if records is None:
        records = lists[list_name] = RecordList()
    return records


def _change(keeping: _Keeping, effect: ChangeRecord) -> None:
    """Change a record where it stands, so that everybody who holds it sees it; its first values are remembered."""
    keeping.first_values.setdefault(id(effect.record), (effect.record, _copy(effect.record)))
    holder: Any = effect.record
    for token in effect.tokens[:-1]:
        holder = holder[int(token) if isinstance(holder, list) else token]
    holder[int(effect.tokens[-1]) if isinstance(holder, list) else effect.tokens[-1]] = effect.value


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copy(member) for name, member in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value
