"""A store that several servers share through Redis or Valkey; each has a memory that follows the changes of all.

Answers are decided by the memory as it is, and recorded in one round trip, which fails where what they rely on has
changed meanwhile. Whoever asks what is recorded, pinned or set is told what it was when that was asked, by whichever
server it came.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from msgspec.structs import replace

from mockserver.coverage.tally import Tally, label_of_callback
from mockserver.engine.account import AccountData, Owner
from mockserver.engine.call import Label, RecordedCall
from mockserver.engine.callback import OutgoingRequest, view_of_request
from mockserver.engine.clock import Clock
from mockserver.engine.credentials import Claim
from mockserver.engine.effects import ChangeRecord, DueStep, Effect, EffectCompiler, ForgetRecord, is_opt_out
from mockserver.engine.facts import Budget, Facts, Kept, Limit
from mockserver.engine.message import Message
from mockserver.engine.pin import NOTHING_USED, PinState, Uses, first_striking
from mockserver.engine.request import ParsedRequest
from mockserver.engine.sources import Sources
from mockserver.engine.values import ValueCompiler
from mockserver.spec.callback_model import CallbackSpec
from mockserver.spec.model import OperationSpec
from mockserver.spec.reach import EVERYTHING
from mockserver.store.agreement import STALE, Agreement
from mockserver.store.changes import ALL_ACCOUNTS, CallChanges, SharedChange, written_label, written_request
from mockserver.store.following import Memory
from mockserver.store.journal import Page, Query
from mockserver.store.kinds import StoreUnavailableError
from mockserver.store.parts import StoreParts
from mockserver.store.planned_steps import StepDue
from mockserver.store.rows import clock_value, dump, message_value, pin_value
from mockserver.store.store import MAX_TEST_NAME, NO_FIGURES, Figures, Store

TAKEOVER_SECONDS = 1.0  # after which a server tells what another should have told


def due_of(account_id: str) -> str:
    """What a claim on the steps that are due relies on."""
    return f"{account_id}/due"


class RedisStore(Store):
    """One server's hold on a shared store.

    Each method that has to ask the store raises StoreUnavailableError where that gives no answer. ``steps`` are those
    of the contracts' courses by place, or others. ``follows_time``: the time is the store's, not this host's.
    """

    def __init__(
        self, url: str, parts: StoreParts, steps: Mapping[str, DueStep] | None = None, *, follows_time: bool = False
    ) -> None:
        # What Store remembers itself stands in the memory that follows.
        self.is_waited_on = True
        self.begin_timekeeping: Callable[[], None] = _nothing
        self.on_forgotten: Callable[[str], None] = _nothing_for
        if steps is None:
            steps = EffectCompiler(ValueCompiler()).due_steps(parts.contracts)
        self._changes = CallChanges(steps)
        self.agreement = Agreement(url, parts, self._changes, self._take_memory, follows_time=follows_time)
        self.condition = self.agreement.condition

    def _take_memory(self, memory: Memory) -> None:
        memory.begin_timekeeping = lambda: self.begin_timekeeping()  # noqa: PLW0108 -- whoever that is by then
        memory.on_forgotten = lambda account: self.on_forgotten(account)  # noqa: PLW0108 -- as above
        memory.wake_timekeeper()

    @property
    def sources(self) -> Sources:
        """The store's time, and ids; a sequence of which no two servers have the same numbers."""
        return self.agreement.sources

    async def _agree(self, kind: str, *body: Any, changes: Iterable[str] = ()) -> Any:
        """What comes of a change that relies on nothing."""
        change, result = SharedChange(kind, body, changes=tuple(changes)), STALE
        while result is STALE:  # the store was read anew meanwhile
            result = await self.agreement.agree(change)
        return result

    async def open(self) -> None:
        """Follow the others from here on; a store that gives no answer now is asked again with the first request."""
        with suppress(StoreUnavailableError):
            await self.agreement.known()

    async def check(self) -> None:
        """Return if the store gives an answer."""
        await self.agreement.current()

    async def as_of_now(self, accounts: Iterable[str] = ()) -> Store:
        """As in memory: the one that follows the store, asked once."""
        memory = await self.agreement.current()
        for account_id in accounts:
            memory = await self._claim_due(account_id, memory)
        return memory

    async def facts(self, request: ParsedRequest) -> Facts:
        """As in memory, of which ``version`` is what is known; what accounts keep is asked of the store."""
        memory = await self.agreement.known()
        if memory.reads_kept(request.operation):
            memory = await self.agreement.current()
            owners = await memory.owners(request.operation.vendor)
            for account in {owners[claim].account.id for claim in request.claims if claim in owners}:
                memory = await self._claim_due(account)
        facts = await memory.facts(request)
        return replace(facts, version=memory.version)

    def reads_kept(self, operation: OperationSpec) -> bool:
        """As in memory."""
        memory = self.agreement.memory
        return operation.reads_kept if memory is None else memory.reads_kept(operation)

    async def claimant(self, vendor: str, claims: Iterable[Claim]) -> AccountData | None:
        """As in memory."""
        return await (await self.agreement.current()).claimant(vendor, claims)

    async def commit(
        self,
        call: RecordedCall,
        uses: Uses = NOTHING_USED,
        request: ParsedRequest | None = None,
        version: int | None = None,
    ) -> bool:
        """As in memory, in one round trip."""
        while True:
            memory = await self.agreement.known()
            if version is not None and not memory.is_of(version):
                return False
            result = await self.agreement.agree(self._call_change(memory, call, uses, request, version), call)
            if result is not STALE:
                return bool(result)
            if version is not None:
                return False

    def _call_change(
        self, memory: Memory, call: RecordedCall, uses: Uses, request: ParsedRequest | None, version: int | None
    ) -> SharedChange:
        account = call.account
        met = None if request is None else memory.unmet(account, call.label, request)
        body = self._changes.body(call, uses, met, memory.holdings(account, call.vendor))
        if version is None:
            return SharedChange("call", body, changes=self._changed_by(memory, call, uses))
        relies_on = {ALL_ACCOUNTS, account}
        if request is not None:
            relies_on |= memory.accounts_of(request)
        return SharedChange(
            "call", body, tuple(relies_on), self._changed_by(memory, call, uses), memory.index_at(version)
        )

    @staticmethod
    def _changed_by(memory: Memory, call: RecordedCall, uses: Uses) -> tuple[str, ...]:
        """What other decisions rely on and this call changes."""
        if uses is NOTHING_USED:
            return ()
        is_counted = uses.counts and memory.has_limit(call.account, call.operation)
        is_changed = any(isinstance(effect, ChangeRecord | ForgetRecord) for effect in uses.effects)
        return (call.account,) if uses.pins or uses.drawn is not None or is_counted or is_changed else ()

    async def complete(self, call: RecordedCall, outcome: str, duration_ms: float) -> None:
        """As in memory; the store is told with the next round trip, and may never be: the call is pending then."""
        if call.outcome == "pending":
            call.outcome, call.duration_ms = outcome, duration_ms
            self.agreement.end(call)

    async def settle(self) -> None:
        """Return once the store is told all that it was to be told."""
        await self.agreement.settle()

    async def accounts(self) -> tuple[AccountData, ...]:
        """As in memory."""
        return await (await self.agreement.current()).accounts()

    async def account(self, account_id: str) -> AccountData | None:
        """As in memory."""
        return await (await self.agreement.current()).account(account_id)

    async def born(self, account_id: str) -> float:
        """As in memory."""
        return await (await self.agreement.current()).born(account_id)

    async def add_account(
        self, account_id: str, values: Mapping[str, Any], test: str | None = None, seed: int | None = None
    ) -> AccountData:
        """As in memory. Raises AccountError."""
        test = None if test is None else test[:MAX_TEST_NAME]
        while True:
            memory = await self.agreement.current()
            vendors = dump(memory.fresh_account(account_id, values, seed).vendors)
            body = [account_id, vendors, test, seed]
            result = await self.agreement.agree(
                SharedChange("account", body, (ALL_ACCOUNTS,), (ALL_ACCOUNTS,), memory.index)
            )
            if result is not STALE:
                account: AccountData = result
                return account

    async def remove_account(self, account_id: str) -> None:
        """As in memory. Raises KeyError."""
        await self._agree("remove", account_id, changes=(ALL_ACCOUNTS, account_id, due_of(account_id)))

    async def reset_account(self, account_id: str) -> None:
        """As in memory."""
        await self._agree("reset", account_id, changes=(account_id, due_of(account_id)))

    async def calls(self, query: Query) -> Page:
        """As in memory."""
        return await (await self.agreement.current()).calls(query)

    async def calls_after(
        self, account: str, number: int, most: int, admits: Callable[[Label], bool]
    ) -> list[RecordedCall]:
        """As in memory."""
        return await (await self.agreement.current()).calls_after(account, number, most, admits)

    async def count_after(self, account: str, number: int) -> tuple[int, int]:
        """As in memory."""
        return await (await self.agreement.current()).count_after(account, number)

    async def evicted(self, account: str) -> int:
        """As in memory; calls that the store has lost are counted, too."""
        return await (await self.agreement.current()).evicted(account)

    async def close(self) -> None:
        """Tell the store what it has not been told, and let go of it."""
        await self.agreement.close()

    def end_waits(self) -> None:
        """As in memory."""
        self.is_waited_on = False
        if self.agreement.memory is not None:
            self.agreement.memory.end_waits()
            self.agreement.memory.wake_everybody()

    async def wait_for_call(self, account: str, seconds: float) -> None:
        """As in memory; it also returns where the store was read anew."""
        if self.is_waited_on:
            await (await self.agreement.known()).wait_for_call(account, seconds)

    async def call(self, number: int) -> RecordedCall | None:
        """As in memory."""
        return await (await self.agreement.current()).call(number)

    async def clear_calls(self, account: str | None, admits: Callable[[Label], bool] | None = None) -> int:
        """As in memory."""
        labels = None
        if admits is not None:
            memory = await self.agreement.current()
            labels = [written_label(label) for label in memory.labels(account) if admits(label)]
        cleared: int = await self._agree("clear", account, labels)
        return cleared

    async def put_pin(self, pin: PinState, *, replaces: bool = False) -> None:
        """As in memory."""
        await self._agree("pin", dump(pin_value(pin)), replaces, changes=(pin.account,))

    async def pins(self, account: str | None, reach: str = EVERYTHING) -> list[PinState]:
        """As in memory."""
        return await (await self.agreement.current()).pins(account, reach)

    async def pin_bytes(self) -> int:
        """As in memory."""
        return await (await self.agreement.current()).pin_bytes()

    async def retired_pin(self, account: str | None, pin_id: str) -> PinState | None:
        """As in memory."""
        return await (await self.agreement.current()).retired_pin(account, pin_id)

    async def remove_pins(self, account: str | None, reach: str = EVERYTHING, pin_id: str | None = None) -> None:
        """As in memory."""
        changes = (ALL_ACCOUNTS,) if account is None else (account,)
        await self._agree("unpin", account, reach, pin_id, changes=changes)

    async def run_due(self, account_id: str) -> list[StepDue]:
        """As in memory; each step is told by one server. What one that is killed had still to tell is lost."""
        memory = await self.agreement.current()
        if not memory.has_untold(account_id):
            memory = await self._claim_due(account_id, memory)
        return await memory.run_due(account_id)

    async def _claim_due(self, account_id: str, memory: Memory | None = None) -> Memory:
        """Have the steps done that are due: those whom no other server was quicker to claim are told here.

        Returns ``memory``, by default as it is now, or the one in which they are done.
        """
        memory = memory or await self.agreement.current()
        while steps := memory.next_steps(account_id):
            relies_on, changes = (account_id, due_of(account_id)), (due_of(account_id),)
            claim = SharedChange("due", [account_id, dump(steps)], relies_on, changes, memory.index)
            result = await self.agreement.agree(claim)
            memory = await self.agreement.known()
            if result is not STALE:
                break
        return memory

    async def pending(self, account_id: str, most: int) -> list[StepDue]:
        """As in memory."""
        return await (await self._claim_due(account_id)).pending(account_id, most)

    async def strike_callback(self, request: OutgoingRequest) -> PinState | None:
        """As in memory."""
        account = request.account
        while True:
            memory = await self.agreement.current()
            pins = memory.pins_of_callback(account, request.callback.id)
            striking, met = first_striking(pins, view_of_request(request)) if pins else (None, ())
            if not met:
                return None
            used = [account, [[pin.id, pin.version] for pin in met]]
            result = await self.agreement.agree(SharedChange("strike", used, (account,), (account,), memory.index))
            if result is not STALE and result:
                return striking

    async def hold(self, request: OutgoingRequest) -> None:
        """As in memory."""
        await self._agree("hold", dump(written_request(request)))

    async def take_held(self, account_id: str) -> list[OutgoingRequest]:
        """As in memory."""
        taken: list[OutgoingRequest] = await self._agree("take", account_id)
        return taken

    async def meet_callback(self, account_id: str, callback: CallbackSpec, fault: str) -> None:
        """As in memory."""
        await self._agree("callback", account_id, written_label(label_of_callback(callback, fault)))

    async def next_due(self) -> list[tuple[str, float]]:
        """As in memory; what another server has set off is its to tell at first."""
        memory = await self.agreement.known()
        name = self.agreement.name
        times = await memory.next_due()
        return [(a, due if memory.leaders.get(a) in {None, name} else due + TAKEOVER_SECONDS) for a, due in times]

    async def wait_for_step(self, seconds: float | None) -> None:
        """As in memory."""
        await (await self.agreement.known()).wait_for_step(seconds)

    async def wait_for_clock(self, account_id: str, seconds: float | None) -> None:
        """As in memory."""
        await (await self.agreement.known()).wait_for_clock(account_id, seconds)

    def wake_waiting(self, account_id: str) -> None:
        """As in memory."""
        if self.agreement.memory is not None:
            self.agreement.memory.wake_waiting(account_id)

    def wake_everybody(self) -> None:
        """As in memory."""
        if self.agreement.memory is not None:
            self.agreement.memory.wake_everybody()

    def wake_timekeeper(self) -> None:
        """As in memory."""
        if self.agreement.memory is not None:
            self.agreement.memory.wake_timekeeper()

    async def message_state(self, account_id: str, call: int, index: int) -> str | None:
        """As in memory."""
        return await (await self.agreement.current()).message_state(account_id, call, index)

    async def receive(self, message: Message, effects: tuple[Effect, ...]) -> Message:
        """As in memory."""
        account = message.account
        changes = (account,) if any(is_opt_out(effect) for effect in effects) else ()
        result: Any = STALE
        while result is STALE:
            memory = await self.agreement.current()
            written = self._changes.written_effects(effects, memory.holdings(account, message.vendor))
            result = await self.agreement.agree(
                SharedChange("receive", [dump(message_value(message)), written], (), changes)
            )
        received: Message = result
        return received

    async def caused_by(self, account_id: str, number: int) -> list[int]:
        """As in memory."""
        return await (await self.agreement.current()).caused_by(account_id, number)

    async def received(self, account_id: str) -> list[Message]:
        """As in memory."""
        return await (await self.agreement.current()).received(account_id)

    async def kept(self, account_id: str, vendor: str) -> Kept:
        """As in memory."""
        return await (await self._claim_due(account_id)).kept(account_id, vendor)

    async def owners(self, vendor: str) -> Mapping[Claim, Owner]:
        """As in memory."""
        return await (await self.agreement.current()).owners(vendor)

    async def clock(self, account_id: str) -> tuple[Clock, float]:
        """As in memory."""
        return await (await self.agreement.current()).clock(account_id)

    async def newest_token(self, account_id: str) -> float:
        """As in memory."""
        return await (await self.agreement.current()).newest_token(account_id)

    async def set_clock(self, account_id: str, clock: Clock) -> None:
        """As in memory."""
        await self._agree("clock", account_id, dump(clock_value(clock)), changes=(account_id, due_of(account_id)))

    async def put_limit(self, account_id: str, operation: str, limit: Limit | None) -> None:
        """As in memory."""
        written = None if limit is None else [limit.requests, limit.seconds]
        await self._agree("limit", account_id, operation, written, changes=(account_id,))

    async def budgets(self, account_id: str) -> list[tuple[str, str, Budget]]:
        """As in memory."""
        return await (await self.agreement.current()).budgets(account_id)

    async def figures(self) -> Figures:
        """As in memory, of what this server has followed since it began, whether or not the store gives an answer."""
        with suppress(StoreUnavailableError):
            await self.agreement.current()
        memory = self.agreement.memory
        return NO_FIGURES if memory is None else await memory.figures()

    async def coverage(self, account: str | None) -> Tally:
        """As in memory."""
        return await (await self.agreement.current()).coverage(account)


def _nothing() -> None:
    """Nobody looks after what will be due."""


def _nothing_for(_account_id: str) -> None:
    """Nobody does anything for accounts."""
