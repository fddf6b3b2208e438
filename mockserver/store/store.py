"""All that changes while serving, behind async methods, so that a database can take the place of memory."""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from itertools import count
from typing import Any

from mockserver.coverage.tally import Coverage, Tally
from mockserver.engine.account import AccountData
from mockserver.engine.call import RUN_BITS, Label, RecordedCall, first_number
from mockserver.engine.clock import REAL, Clock, Sight
from mockserver.engine.credentials import Claim
from mockserver.engine.facts import NOTHING, Budget, Facts, Limit, budget_key
from mockserver.engine.pin import NOTHING_USED, PinState, Uses
from mockserver.engine.request import ParsedRequest
from mockserver.engine.sources import SEEDED_TIME, Sources
from mockserver.spec.reach import EVERYTHING
from mockserver.store.accounts import Registry
from mockserver.store.journal import Journal, Page, Query
from mockserver.store.switches import Limits, Pins, Seeds, Times

MAX_TEST_NAME = 1_000  # characters
UNCLAIMED = ""  # the account of calls that no credential or value attributes to anybody


class Store:
    """Accounts, calls, pins and coverage in memory.

    No method waits between reading and writing, so each is atomic. ``run`` (24 bits) tells the ids of its calls from
    those of another store; by default it is random.
    """

    def __init__(
        self,
        registry: Registry,
        journal: Journal,
        sources: Sources,
        most_accounts: int = 10_000,
        run: int | None = None,
    ) -> None:
        self._registry = registry
        self._journal = journal
        self._sources = sources
        self._pins = Pins()
        self._coverage = Coverage()
        self._limits = Limits()
        self._times = Times()
        self._seeds = Seeds()
        self._numbers = count(first_number(secrets.randbits(RUN_BITS) if run is None else run))
        self._most_accounts = most_accounts
        self._idle: OrderedDict[str, None] = OrderedDict()  # accounts made while serving, longest idle first
        self._born = dict.fromkeys(registry.accounts, sources.now())
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}
        self.is_waited_on = True  # False once the server ends

    async def facts(self, request: ParsedRequest) -> Facts:
        """What is known of those whom a request may come from: owners of its claims, their pins, clocks and budgets."""
        operation = request.operation
        owners, now = self._registry.owners[operation.vendor], self._sources.now()
        sights: Mapping[bytes, Sight] = NOTHING
        for credential in request.credentials.values():
            owner = owners.get(credential.claim) if credential.digest and credential.claim is not None else None
            sight = self._times.sight(owner.account.id, credential.digest) if owner is not None else None
            if sight is not None:
                sights = {**sights, credential.digest: sight}
        if not (self._pins.by_account or self._limits.by_place or self._times.clocks or self._seeds.drawn):
            return Facts(owners, now, sights=sights) if sights else Facts(owners, now)
        accounts = {owners[claim].account.id for claim in request.claims if claim in owners}
        clocks = {account: self._times.clock(account) for account in accounts}
        pins = {account: self._pins.of(account, operation) for account in accounts}
        key = budget_key(request)
        budgets = {
            account: self._limits.budget((account, operation.id, key), clocks[account].at(now)) for account in accounts
        }
        seeds = {account: self._seeds.drawn.get(account) for account in accounts}
        return Facts(owners, now, _present(pins), clocks, _present(budgets), sights, _present(seeds))

    async def claimant(self, vendor: str, claims: Iterable[Claim]) -> AccountData | None:
        """The owner of the first of these values that anybody owns."""
        return Facts(self._registry.owners[vendor], 0.0).claimant(claims)

    async def commit(self, call: RecordedCall, uses: Uses = NOTHING_USED, request: ParsedRequest | None = None) -> bool:
        """Record a call and what it uses up; from here on it counts, and has a number.

        False, and nothing is done, where a pin that it uses has changed meanwhile, or its ids were drawn by another.
        """
        if uses.drawn is not None and not self._seeds.has_drawn(call.account, uses.drawn[0]):
            return False
        if uses.pins and not self._pins.use(uses.pins):
            return False
        if uses.drawn is not None:
            self._seeds.advance(call.account, uses.drawn[1])
        self._times.see(uses.sights)
        if uses.counts:
            now = self._times.clock(call.account).at(call.received_at)
            self._limits.count((call.account, call.operation, uses.limit_key), now)
        call.number = next(self._numbers)
        self._journal.append(call)
        if call.account in self._idle:
            self._idle.move_to_end(call.account)
        if request is not None:
            self._coverage.add(call, request)
        if self._waiting:
            for waiting in self._waiting.pop(call.account, ()):
                if not waiting.done():
                    waiting.set_result(None)
        return True

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
        account = self._registry.add(account_id, values, seed=seed)
        if len(self._idle) >= self._most_accounts:
            await self.remove_account(next(iter(self._idle)))
        self._idle[account_id] = None
        self._born[account_id] = self._sources.now()
        if test is not None:
            self._coverage.belongs(account_id, test[:MAX_TEST_NAME])
        if seed is not None:
            self._seeds.put(account_id, seed)
            await self._start_seeded_clock(account_id)
        return account

    async def _start_seeded_clock(self, account_id: str) -> None:
        await self.set_clock(account_id, REAL.frozen(self._sources.now(), SEEDED_TIME))

    async def remove_account(self, account_id: str) -> None:
        """Forget an account, its calls and pins; what it covered stays. Raises KeyError where there is none."""
        self._registry.remove(account_id)
        del self._born[account_id]
        self._idle.pop(account_id, None)
        self._seeds.remove(account_id)
        await self.reset_account(account_id)
        self._coverage.forget(account_id)

    async def reset_account(self, account_id: str) -> None:
        """Forget what an account did, its pins, limits and clock; its credentials stay, and a seed begins anew."""
        self._journal.clear(account_id)
        self._pins.forget(account_id)
        self._limits.clear(account_id)
        self._times.clear(account_id)
        if self._seeds.restart(account_id):
            await self._start_seeded_clock(account_id)

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

    def end_waits(self) -> None:
        """Nobody waits for calls any more: from now on the time is always over."""
        self.is_waited_on = False
        for waiting in [one for its in self._waiting.values() for one in its]:
            if not waiting.done():
                waiting.set_result(None)

    async def wait_for_call(self, account: str, seconds: float) -> None:
        """Return at an account's next call, or when the time is over."""
        if not self.is_waited_on:
            return
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(account, set()).add(waiting)
        try:
            await asyncio.wait_for(waiting, seconds)
        except TimeoutError:
            pass
        finally:
            others = self._waiting.get(account)
            if others is not None:
                others.discard(waiting)
                if not others:
                    self._waiting.pop(account)

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
        self._pins.put(pin, replaces=replaces)

    async def pins(self, account: str | None, reach: str = EVERYTHING) -> list[PinState]:
        """The pins of an account (None: of all) for operations of a reach, oldest first."""
        return self._pins.all(account, reach)

    async def retired_pin(self, account: str | None, pin_id: str) -> PinState | None:
        """A pin of an account (None: of any) that was used up or removed, as it was last; the latest are kept."""
        return self._pins.retired(account, pin_id)

    async def remove_pins(self, account: str | None, reach: str = EVERYTHING, pin_id: str | None = None) -> None:
        """Remove the pins of an account (None: of all) for operations of a reach, or the one with this id."""
        self._pins.remove(account, reach, pin_id)

    async def clock(self, account_id: str) -> tuple[Clock, float]:
        """An account's clock, and the real time."""
        return self._times.clock(account_id), self._sources.now()

    async def newest_token(self, account_id: str) -> float:
        """When a token of an account came that had not come before, in real Unix seconds; 0 where none did."""
        return self._times.newest(account_id)

    async def set_clock(self, account_id: str, clock: Clock) -> None:
        """Give an account another time."""
        self._times.clocks[account_id] = clock

    async def put_limit(self, account_id: str, operation: str, limit: Limit | None) -> None:
        """Switch the rate limit of an operation on for an account, or off."""
        self._limits.put(account_id, operation, limit)

    async def budgets(self, account_id: str) -> list[tuple[str, str, Budget]]:
        """What is left of an account's limits: operation, value counted by, budget."""
        return self._limits.budgets(account_id, self._times.clock(account_id).at(self._sources.now()))

    async def coverage(self, account: str | None) -> Tally:
        """What an account (None: all that ever were) has met of the contracts."""
        return self._coverage.of(account)


def _present(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
