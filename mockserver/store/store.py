"""All that changes while serving, behind async methods, so that a database can take the place of memory."""

import secrets
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

import msgspec

from mockserver.coverage.tally import Coverage, Tally
from mockserver.engine.account import AccountData, Owner
from mockserver.engine.call import RUN_BITS, Label, RecordedCall, first_number, first_problem
from mockserver.engine.callback import OutgoingRequest, view_of_request, view_of_step
from mockserver.engine.clock import REAL, Clock, Sight
from mockserver.engine.credentials import Claim
from mockserver.engine.effects import Effect, is_opt_out
from mockserver.engine.facts import NOTHING, Budget, Facts, Kept, Limit, budget_key
from mockserver.engine.message import Message
from mockserver.engine.pin import NOTHING_USED, PinState, Uses, first_striking
from mockserver.engine.request import ParsedRequest
from mockserver.engine.sources import SEEDED_TIME, Sources
from mockserver.engine.values import Context
from mockserver.spec.callback_model import CallbackSpec
from mockserver.spec.model import OperationSpec
from mockserver.spec.pointer import MISSING
from mockserver.spec.reach import EVERYTHING
from mockserver.store.accounts import Registry
from mockserver.store.condition import StoreCondition
from mockserver.store.held import HeldCallbacks
from mockserver.store.journal import CallKind, Journal, Page, Query
from mockserver.store.planned_steps import StepDue
from mockserver.store.records import Records
from mockserver.store.switches import AccountClocks, Limits, Pins, Seeds
from mockserver.store.waits import Timekeeper, Waits

MAX_TEST_NAME = 1_000  # characters
MAX_STEPS_AT_ONCE = 200  # of an account that are done: each takes some microseconds
MAX_TOLD_AT_ONCE = 16  # of these: each may have a callback made
MAX_UNTOLD = 10_000  # steps of an account that are done and not told, while its receivers do not keep up
ProblemKind = tuple[str, str, str]  # vendor, operation, and the kind of a call's first problem
UNCLAIMED = ""  # the account of calls that no credential or value attributes to anybody


@dataclass(frozen=True, slots=True)
class Figures:
    """How much of what there is, or was since the start: none by account or number, which have no bound."""

    calls: Mapping[CallKind, int]
    problems: Mapping[ProblemKind, int]
    evicted: int
    journal_bytes: int
    accounts: int


NO_FIGURES = Figures({}, {}, 0, 0, 0)


class Store:
    """Accounts, calls, pins and coverage in memory.

    No method waits between reading and writing, so each is atomic. ``run`` (24 bits) tells the ids of its calls from
    those of another store; by default it is random. ``pace`` is how many seconds a second of a course takes for
    accounts whose clock nobody has set.
    """

    _makes_up_alike = False  # whether what is made up for an account is the same in all processes

    def __init__(  # noqa: PLR0913 -- what it is made of, and its settings
        self,
        registry: Registry,
        journal: Journal,
        sources: Sources,
        *,
        most_accounts: int = 10_000,
        run: int | None = None,
        pace: float = 1.0,
    ) -> None:
        self.condition = StoreCondition()
        self._pace = pace
        self._timekeeper = Timekeeper()
        self.begin_timekeeping: Callable[[], None] = _nobody  # called where something will be due, and nobody waits
        self.on_forgotten: Callable[[str], None] = _nobody_else  # called where another process has reset an account
        self._registry = registry
        self._journal = journal
        self._sources = sources
        self._pins = Pins()
        self._coverage = Coverage()
        self._limits = Limits()
        self._clocks = AccountClocks()
        self._seeds = Seeds()
        self._records = Records()
        self._somebody_opted_out = False  # lest each request ask for a record that hardly anybody leaves
        self._problems: Counter[ProblemKind] = Counter()
        self._untold: dict[str, list[StepDue]] = {}
        self._held = HeldCallbacks()
        self._version = 0  # another after each change of accounts, pins, limits and clocks
        self._numbers: Iterator[int] = count(first_number(secrets.randbits(RUN_BITS) if run is None else run))
        self._most_accounts = most_accounts
        self._idle: OrderedDict[str, None] = OrderedDict()  # accounts made while serving, longest idle first
        self._born = dict.fromkeys(registry.accounts, sources.now())
        self._waiting = Waits()
        self._waiting_for_clock = Waits()
        self.is_waited_on = True  # False once the server ends

    @property
    def sources(self) -> Sources:
        """Where time, ids and counters come from for all who use this store."""
        return self._sources

    async def open(self) -> None:
        """Begin to serve: from here on it knows what other processes do with it; memory is one process's."""

    async def check(self) -> None:
        """Return if what changes now can be kept. Raises StoreUnavailableError."""

    async def as_of_now(self, accounts: Iterable[str] = ()) -> "Store":
        """A store of which all that is known now is read without asking anybody, only to be read from.

        What is due by the clocks of ``accounts`` is done.
        """
        for account_id in accounts:
            self._run_due(account_id)
        return self

    async def facts(self, request: ParsedRequest) -> Facts:
        """What is known of those whom a request may come from: owners of its claims, their pins, clocks and budgets."""
        operation = request.operation
        reads_kept = operation.reads_kept or (self._somebody_opted_out and operation.heeds_opt_out)
        owners, now = self._registry.owners[operation.vendor], self._sources.now()
        sights: Mapping[bytes, Sight] = NOTHING
        for credential in request.credentials.values():
            owner = owners.get(credential.claim) if credential.digest and credential.claim is not None else None
            sight = self._clocks.sight(owner.account.id, credential.digest) if owner is not None else None
            if sight is not None:
                sights = {**sights, credential.digest: sight}
        if not (
            self._pins.by_account or self._limits.by_place or self._clocks.clocks or self._seeds.drawn or reads_kept
        ):
            return Facts(owners, now, sights=sights, version=self._version)
        accounts = {owners[claim].account.id for claim in request.claims if claim in owners}
        clocks = {account: self._clocks.clock(account) for account in accounts}
        pins = {account: self._pins.of(account, operation) for account in accounts}
        keys = {account: (account, operation.id, budget_key(request, owners, account)) for account in accounts}
        budgets = {account: self._limits.budget(key, clocks[account].at(now)) for account, key in keys.items()}
        seeds = {account: self._seeds.drawn.get(account) for account in accounts}
        if reads_kept:
            for account in accounts:
                self._run_due(account)
        kept = {a: self._records.kept(a, operation.vendor) for a in accounts} if reads_kept else NOTHING
        state = _present(pins), clocks, _present(budgets), sights, _present(seeds), kept
        return Facts(owners, now, *state, self._version)

    def reads_kept(self, operation: OperationSpec) -> bool:
        """Whether answers of an operation depend on what accounts keep."""
        return operation.reads_kept or (self._somebody_opted_out and operation.heeds_opt_out)

    async def claimant(self, vendor: str, claims: Iterable[Claim]) -> AccountData | None:
        """The owner of the first of these values that anybody owns."""
        return Facts(self._registry.owners[vendor], 0.0).claimant(claims)

    async def commit(
        self,
        call: RecordedCall,
        uses: Uses = NOTHING_USED,
        request: ParsedRequest | None = None,
        version: int | None = None,
    ) -> bool:
        """Record a call and what it uses up; from here on it counts, and has a number.

        ``version`` is that of the facts which it was decided by. False, and nothing is done, where these have changed
        meanwhile, or another call has used up what this one uses.
        """
        if version != self._version and version is not None:
            return False
        if uses is NOTHING_USED:
            call.number = next(self._numbers)
        elif not self._can_use(call, uses):
            return False
        else:
            call.number = next(self._numbers)
            self._use(call, uses)
        self._journal.append(call)
        if call.more or call.problems:
            self._note(call)
        if call.account in self._idle:
            self._idle.move_to_end(call.account)
        if request is not None:
            self._coverage.add(call, request)
        if self._waiting:
            self._waiting.wake(call.account)
        return True

    def _note(self, call: RecordedCall) -> None:
        """Count what is wrong with a call, and remember what a callback tells of."""
        if call.problems:
            self._problems[call.vendor, call.operation, first_problem(call.problems)] += 1
        if call.more and call.cause:
            self._records.note_callback(call.account, call.cause, call.number)

    def _can_use(self, call: RecordedCall, uses: Uses) -> bool:
        """Whether all that a call uses up is still there."""
        account = call.account
        if uses.drawn is not None and not self._seeds.has_drawn(account, uses.drawn[0]):
            return False
        if uses.counts and self._limits.by_place:
            now = self._clocks.clock(account).at(call.received_at)
            if not self._limits.has_room((account, call.operation, uses.limit_key), now):
                return False
        if uses.effects and not self._records.has_all(account, call.vendor, uses.effects):
            return False
        return self._pins.are_current(uses.pins)

    def _use(self, call: RecordedCall, uses: Uses) -> None:
        """Take off what a call uses up, and do what its answer leaves behind."""
        if uses.pins:
            self._pins.use(uses.pins)
        if uses.drawn is not None:
            self._seeds.advance(call.account, uses.drawn[1])
        self._clocks.see(uses.sights)
        now = self._clocks.clock(call.account).at(call.received_at)
        if uses.counts:
            self._limits.count((call.account, call.operation, uses.limit_key), now)
        if uses.effects:
            pace = self._pace if self._clocks.clock(call.account) is REAL else 1.0
            sent = len(call.body) + len(call.query)
            self._records.apply(call.account, call.vendor, call.number, uses.effects, now, pace, sent)
            self._wake_timekeeper_for(call.account)

    async def complete(self, call: RecordedCall, outcome: str, duration_ms: float) -> None:
        """Note how sending a call's response ended (``sent`` or ``aborted``), unless that is noted already."""
        if call.outcome == "pending":
            call.outcome, call.duration_ms = outcome, duration_ms

    async def accounts(self) -> tuple[AccountData, ...]:
        """All accounts, oldest first."""
        return tuple(self._registry.accounts.values())

    async def account(self, account_id: str) -> AccountData | None:
        """One account."""
        return self._registry.accounts.get(account_id)

    async def born(self, account_id: str) -> float:
        """When an account was made, in Unix seconds; 0 where there is none."""
        return self._born.get(account_id, 0.0)

    async def add_account(
        self, account_id: str, values: Mapping[str, Any], test: str | None = None, seed: int | None = None
    ) -> AccountData:
        """Make an account; given values win, the rest is fresh. Its calls count for ``test``. Raises AccountError.

        With a seed its values, ids and times are the same each time. Where there are too many accounts, the one that
        was idle longest makes room: a killed test run left it behind.
        """
        account = self._registry.add(account_id, values, lasting=self._makes_up_alike, seed=seed)
        self._version += 1
        if len(self._idle) >= self._most_accounts:
            self._remove(next(iter(self._idle)))
        self._idle[account_id] = None
        self._born[account_id] = self._sources.now()
        if test is not None:
            self._coverage.belongs(account_id, test[:MAX_TEST_NAME])
        if seed is not None:
            self._seeds.put(account_id, seed)
            self._start_seeded_clock(account_id)
        return account

    def _start_seeded_clock(self, account_id: str) -> None:
        self._set_clock(account_id, REAL.frozen(self._sources.now(), SEEDED_TIME))

    async def remove_account(self, account_id: str) -> None:
        """Forget an account, its calls and pins; what it covered stays. Raises KeyError where there is none."""
        self._remove(account_id)

    def _remove(self, account_id: str) -> None:
        self._registry.remove(account_id)
        del self._born[account_id]
        self._idle.pop(account_id, None)
        self._seeds.remove(account_id)
        self._reset(account_id)
        self._coverage.forget(account_id)

    async def reset_account(self, account_id: str) -> None:
        """Forget what an account did, its pins, limits and clock; its credentials stay, and a seed begins anew."""
        self._reset(account_id)

    def _reset(self, account_id: str) -> None:
        self._version += 1
        self._journal.clear(account_id)
        self._pins.forget(account_id)
        self._limits.clear(account_id)
        self._clocks.clear(account_id)
        self._records.forget(account_id)
        self._untold.pop(account_id, None)
        self._held.take(account_id)
        if self._seeds.restart(account_id):
            self._start_seeded_clock(account_id)

    async def calls(self, query: Query) -> Page:
        """One page of calls, newest first."""
        return self._journal.find(query)

    async def calls_after(
        self, account: str, number: int, most: int, admits: Callable[[Label], bool]
    ) -> list[RecordedCall]:
        """An account's calls of such labels since the one of this number, oldest first: about ``most`` at once.

        Empty only where there are no more.
        """
        return self._journal.after(account, number, most, admits)

    async def count_after(self, account: str, number: int) -> tuple[int, int]:
        """How many calls an account has since the one of this number, and the number of the last."""
        return self._journal.count_after(account, number)

    async def evicted(self, account: str) -> int:
        """How many of an account's calls had to make room."""
        return self._journal.evicted(account)

    async def close(self) -> None:
        """Let go of what is held open; memory holds nothing."""

    def end_waits(self) -> None:
        """Nobody waits for calls any more: from now on the time is always over."""
        self.is_waited_on = False
        self._waiting.wake_everybody()

    async def wait_for_call(self, account: str, seconds: float) -> None:
        """Return at an account's next call, or when the time is over."""
        if self.is_waited_on:
            await self._waiting.wait(account, seconds)

    async def call(self, number: int) -> RecordedCall | None:
        """The call of this number, if it is still here."""
        return self._journal.get(number)

    async def clear_calls(self, account: str | None, admits: Callable[[Label], bool] | None = None) -> int:
        """Forget the calls of an account (None: of all), or those of such labels; returns how many there were.

        Where only some are forgotten, it still counts how many were evicted.
        """
        return self._journal.clear(account) if admits is None else self._journal.clear_some(account, admits)

    async def put_pin(self, pin: PinState, *, replaces: bool = False) -> None:
        """Add a pin; ``replaces``: in place of those of the same account and reach."""
        self._version += 1
        self._pins.put(pin, replaces=replaces)

    async def pins(self, account: str | None, reach: str = EVERYTHING) -> list[PinState]:
        """The pins of an account (None: of all) for operations of a reach, oldest first."""
        return self._pins.all(account, reach)

    async def pin_bytes(self) -> int:
        """Bytes of what tests wrote in the pins of all accounts that are not used up."""
        return self._pins.size

    async def retired_pin(self, account: str | None, pin_id: str) -> PinState | None:
        """A pin of an account (None: of any) that was used up or removed, as it was last; the latest are kept."""
        return self._pins.retired(account, pin_id)

    async def remove_pins(self, account: str | None, reach: str = EVERYTHING, pin_id: str | None = None) -> None:
        """Remove the pins of an account (None: of all) for operations of a reach, or the one with this id."""
        self._version += 1
        self._pins.remove(account, reach, pin_id)

    async def run_due(self, account_id: str) -> list[StepDue]:
        """Take the steps of an account's records that are due on its clock; returns those that nobody has been told of.

        They come in order, ``MAX_TOLD_AT_ONCE`` at a time: none only where no more are due.
        """
        if account_id not in self._untold:
            self._run_due(account_id)
        untold = self._untold.pop(account_id, [])
        if len(untold) > MAX_TOLD_AT_ONCE:
            self._untold[account_id] = untold[MAX_TOLD_AT_ONCE:]
        return untold[:MAX_TOLD_AT_ONCE]

    def _run_due(self, account_id: str) -> None:
        now = self._clocks.clock(account_id).at(self._sources.now())
        for due in self._records.take_due(account_id, now, MAX_STEPS_AT_ONCE):
            self._change_by_step(due, due.record)
            self._have_told(account_id, due)
        self._wake_for_steps(account_id)

    def _change_by_step(self, due: StepDue, record: dict[str, Any]) -> dict[str, Any]:
        """Give a record the values that a step sets, and return these."""
        context, values = Context(view_of_step(due.view, due.list_name, record), None, self._sources, due.due), {}
        for member, make in due.step.sets:
            value = make(context)
            if value is not MISSING:
                record[member] = values[member] = value
        return values

    def _have_told(self, account_id: str, due: StepDue) -> None:
        """Remember that a step is to be told; its record as it is now: a later step may change it before that."""
        untold = self._untold.setdefault(account_id, [])
        if len(untold) < MAX_UNTOLD:
            untold.append(msgspec.structs.replace(due, record=dict(due.record)))

    def _wake_for_steps(self, account_id: str) -> None:
        if account_id in self._untold:
            self.wake_timekeeper()
            self._waiting.wake(account_id)  # a message has come to another state

    async def pending(self, account_id: str, most: int) -> list[StepDue]:
        """So many of the steps of an account's records that are to come by its clock, the next ones."""
        self._run_due(account_id)
        return self._records.pending(account_id, most)

    async def strike_callback(self, request: OutgoingRequest) -> PinState | None:
        """The pin whose fault hits an attempt at a callback, which it uses up by one; None where there is none."""
        pins = self._pins.of_callback(request.account, request.callback.id) if self._pins.by_account else ()
        striking, met = first_striking(pins, view_of_request(request)) if pins else (None, ())
        return striking if self._pins.use(met) else None

    async def meet_callback(self, account_id: str, callback: CallbackSpec, fault: str) -> None:
        """Count that an account's application got a callback, which a fault has spoilt or not."""
        if account_id in self._registry.accounts:
            self._coverage.add_callback(account_id, callback, fault)

    async def hold(self, request: OutgoingRequest) -> None:
        """Keep a callback that may go nowhere, for a test to take; the latest are kept."""
        self._held.hold(request)

    async def take_held(self, account_id: str) -> list[OutgoingRequest]:
        """The callbacks of an account that may go nowhere, oldest first; each is given once."""
        return self._held.take(account_id)

    async def next_due(self) -> list[tuple[str, float]]:
        """The accounts that have something to come while their clocks run, each with the real time when it is due."""
        now = self._sources.now()
        times = [(a, self._clocks.clock(a).real_at(due)) for a, due in self._records.waiting()]
        return [(a, time) for a, time in times if time is not None] + [(account, now) for account in self._untold]

    async def wait_for_step(self, seconds: float | None) -> None:
        """Return when something will be due sooner, or was told, or when the time is over; for one waiting task."""
        await self._timekeeper.wait(self._sources.now(), seconds)

    async def wait_for_clock(self, account_id: str, seconds: float | None) -> None:
        """Return when an account's clock was set, or when the time is over (None: never)."""
        await self._waiting_for_clock.wait(account_id, seconds)

    def wake_waiting(self, account_id: str) -> None:
        """Have whoever waits for something of an account look again."""
        self._waiting.wake(account_id)

    def wake_everybody(self) -> None:
        """Have whoever waits for anything look again."""
        self._waiting.wake_everybody()
        self._waiting_for_clock.wake_everybody()
        self.wake_timekeeper()

    def wake_timekeeper(self) -> None:
        """Have whoever looks after the clocks look again."""
        if self._timekeeper.is_waiting:
            self._timekeeper.wake()
        else:
            self.begin_timekeeping()

    def _wake_timekeeper_for(self, account_id: str) -> None:
        """The same, where an account's next step is due before it looks by itself."""
        due = self._records.next_due(account_id)
        real = None if due is None else self._clocks.clock(account_id).real_at(due)
        if real is not None and not self._timekeeper.looks_before(real):
            self.wake_timekeeper()

    async def message_state(self, account_id: str, call: int, index: int) -> str | None:
        """The state that a course has given to a message of a call; None where none has."""
        return self._records.state(account_id, call, index)

    async def receive(self, message: Message, effects: tuple[Effect, ...]) -> Message:
        """Keep a subscriber's message, and do what it leaves behind; returns it with its number."""
        message = msgspec.structs.replace(message, call=next(self._numbers))
        account, now = message.account, self._sources.now()
        pace = self._pace if self._clocks.clock(account) is REAL else 1.0
        clock = self._clocks.clock(account).at(now)
        self._records.apply(account, message.vendor, message.call, effects, clock, pace, len(message.text or ""))
        self._records.receive(message)
        self._somebody_opted_out |= any(is_opt_out(effect) for effect in effects)
        self.wake_timekeeper()
        self._waiting.wake(account)
        return message

    async def caused_by(self, account_id: str, number: int) -> list[int]:
        """The numbers of the callbacks that tell of a message, oldest first."""
        return self._records.caused_by(account_id, number)

    async def received(self, account_id: str) -> list[Message]:
        """The messages from subscribers to an account, oldest first."""
        return self._records.received(account_id)

    async def kept(self, account_id: str, vendor: str) -> Kept:
        """The records that an account keeps of a vendor's, what is due by its clock done."""
        self._run_due(account_id)
        return self._records.kept(account_id, vendor)

    async def owners(self, vendor: str) -> Mapping[Claim, Owner]:
        """Who owns the values of a vendor's accounts; nobody where it is not served: calls of it may be recorded."""
        return self._registry.owners.get(vendor, NOTHING)

    async def clock(self, account_id: str) -> tuple[Clock, float]:
        """An account's clock, and the real time."""
        return self._clocks.clock(account_id), self._sources.now()

    async def newest_token(self, account_id: str) -> float:
        """When a token of an account came that had not come before, in real Unix seconds; 0 where none did."""
        return self._clocks.newest(account_id)

    async def set_clock(self, account_id: str, clock: Clock) -> None:
        """Give an account another time."""
        self._set_clock(account_id, clock)

    def _set_clock(self, account_id: str, clock: Clock) -> None:
        self._version += 1
        self._clocks.clocks[account_id] = clock
        self.wake_timekeeper()
        self._waiting_for_clock.wake(account_id)

    async def put_limit(self, account_id: str, operation: str, limit: Limit | None) -> None:
        """Switch the rate limit of an operation on for an account, or off."""
        self._version += 1
        self._limits.put(account_id, operation, limit)

    async def budgets(self, account_id: str) -> list[tuple[str, str, Budget]]:
        """What is left of an account's limits: operation, value counted by, budget."""
        return self._limits.budgets(account_id, self._clocks.clock(account_id).at(self._sources.now()))

    async def figures(self) -> Figures:
        """What there is to count, for whoever watches the server."""
        journal = self._journal
        return Figures(
            calls=journal.totals(),
            problems=self._problems.copy(),
            evicted=journal.evictions,
            journal_bytes=journal.total_bytes,
            accounts=len(self._registry.accounts),
        )

    async def coverage(self, account: str | None) -> Tally:
        """What an account (None: all that ever were) has met of the contracts."""
        return self._coverage.of(account)


def _nobody() -> None:
    """Does nothing: the default where nobody looks after what will be due."""


def _nobody_else(_account_id: str) -> None:
    """Does nothing: the default where no other process has this store."""


def _present(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
