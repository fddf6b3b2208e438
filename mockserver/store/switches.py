"""What a test switches on for an account: its pins, its rate limits, its clock; and what its clock needs to know."""

from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from operator import attrgetter

from mockserver.engine.clock import REAL, Clock, Sight
from mockserver.engine.facts import Budget, Limit
from mockserver.engine.pin import PinState
from mockserver.spec.model import OperationSpec
from mockserver.spec.reach import EVERYTHING, covers, vendor_reach

_number = attrgetter("number")
MAX_FIRST_SIGHTS = 1_000  # tokens of an account whose first sight is remembered


@dataclass(slots=True)
class _Sights:
    """The first sights of an account's tokens, by digest, and when the newest one came; in real Unix seconds."""

    first: OrderedDict[bytes, Sight] = field(default_factory=OrderedDict)
    newest: float = 0.0


class AccountClocks:
    """The clocks of accounts, and the first sights of their tokens.

    An account without a clock of its own has the real time.
    """

    def __init__(self) -> None:
        self.clocks: dict[str, Clock] = {}
        self._sights: dict[str, _Sights] = {}

    def clock(self, account: str) -> Clock:
        """An account's clock."""
        return self.clocks.get(account, REAL)

    def sight(self, account: str, digest: bytes) -> Sight | None:
        """The first sight of a token that was verified for an account; None where it is new."""
        sights = self._sights.get(account)
        return sights.first.get(digest) if sights is not None else None

    def see(self, new: Iterable[tuple[str, bytes, Sight]]) -> None:
        """Note first sights of tokens that were verified: account, digest, sight. One that was noted before stays."""
        for account, digest, sight in new:
            sights = self._sights.setdefault(account, _Sights())
            if digest in sights.first:
                continue
            sights.first[digest] = sight
            sights.newest = sight.real
            if len(sights.first) > MAX_FIRST_SIGHTS:
                sights.first.popitem(last=False)

    def first_sights(self, account: str) -> dict[bytes, Sight]:
        """The first sights of an account's tokens, oldest first."""
        sights = self._sights.get(account)
        return {} if sights is None else sights.first

    def newest(self, account: str) -> float:
        """When a token of an account came that had not come before, in real Unix seconds; 0 where none did."""
        sights = self._sights.get(account)
        return sights.newest if sights is not None else 0.0

    def clear(self, account: str) -> None:
        """Give an account the real time again, and forget its tokens."""
        self.clocks.pop(account, None)
        self._sights.pop(account, None)


Key = tuple[str, str, str]  # account, operation, and the value that the contract counts by
MAX_COUNTED_VALUES = 10_000  # values counted by, of one operation of an account


class Limits:
    """Rate limits by account and operation; their windows slide over the account's own time."""

    def __init__(self) -> None:
        self.by_place: dict[tuple[str, str], Limit] = {}
        self._seen: dict[tuple[str, str], OrderedDict[str, deque[float]]] = {}

    def put(self, account: str, operation: str, limit: Limit | None) -> None:
        """Switch a limit on, or off with None; what was counted so far is forgotten."""
        key = (account, operation)
        self.by_place.pop(key, None)
        self._seen.pop(key, None)
        if limit is not None:
            self.by_place[key], self._seen[key] = limit, OrderedDict()

    def of(self, account: str) -> dict[str, Limit]:
        """The limits of an account by operation."""
        return {operation: limit for (owner, operation), limit in self.by_place.items() if owner == account}

    def budget(self, key: Key, now: float) -> Budget | None:
        """What is left of a limit at a time of the account; None where there is no limit."""
        limit = self.by_place.get(key[:2])
        if limit is None:
            return None
        seen = self._seen[key[:2]].get(key[2], deque())
        while seen and seen[0] <= now - limit.seconds:
            seen.popleft()
        while seen and seen[-1] > now:  # the clock was set back
            seen.pop()
        remaining = limit.requests - len(seen)
        wait = 0.0 if remaining > 0 else seen[-limit.requests] + limit.seconds - now
        return Budget(limit, max(remaining, 0), wait)

    def has_room(self, key: Key, now: float) -> bool:
        """Whether a request is free at a time of the account."""
        budget = self.budget(key, now)
        return budget is None or budget.remaining > 0

    def budgets(self, account: str, now: float) -> list[tuple[str, str, Budget]]:
        """Operation, value counted by, and budget, for each value that an account's requests were counted by."""
        keys = [(account, name, value) for name in self.of(account) for value in self._seen[account, name] or ("",)]
        budgets = [(key, self.budget(key, now)) for key in keys]
        return [(key[1], key[2], budget) for key, budget in budgets if budget is not None]

    def count(self, key: Key, now: float) -> None:
        """Count one request."""
        if key[:2] in self.by_place:
            values = self._seen[key[:2]]
            values.setdefault(key[2], deque()).append(now)
            if len(values) > MAX_COUNTED_VALUES:
                values.popitem(last=False)

    def counted(self, account: str, operation: str) -> dict[str, deque[float]]:
        """When requests of an operation were counted, by the value that they are counted by."""
        return self._seen.get((account, operation), {})

    def clear(self, account: str) -> None:
        """Switch all of an account's limits off."""
        for operation in self.of(account):
            self.put(account, operation, None)


MAX_RETIRED_PINS = 100  # pins of an account that are used up or removed, and can still be asked for
MAX_RETIRED_BYTES = 1024 * 1024  # of what tests wrote in them, beyond the latest pin


class Pins:
    """The pins of accounts, each used in the order in which it was made.

    The latest that were used up or removed are kept by account, so that they can say how often they were used.
    ``size`` is the bytes of what tests wrote in those that are not.
    """

    def __init__(self) -> None:
        self.size = 0
        self.by_account: dict[str, dict[str, dict[str, PinState]]] = {}  # by reach and id, oldest first
        self._retired: dict[str, dict[str, PinState]] = {}  # by id, oldest first
        self._numbers = count(1)

    def put(self, pin: PinState, *, replaces: bool = False) -> None:
        """Add a pin; ``replaces``: in place of those of the same account and reach."""
        if replaces:
            for other in list(self.by_account.get(pin.account, {}).get(pin.reach, {}).values()):
                self._retire(other)
        places = self.by_account.setdefault(pin.account, {}).setdefault(pin.reach, {})
        places[pin.id] = replace(pin, number=next(self._numbers))
        self.size += pin.size

    def restore(self, pin: PinState, *, is_retired: bool) -> None:
        """Have a pin again as it was; those that were made later have to come later."""
        if is_retired:
            self._retired.setdefault(pin.account, {})[pin.id] = pin
        else:
            self.size += pin.size
            self.by_account.setdefault(pin.account, {}).setdefault(pin.reach, {})[pin.id] = pin
        self._numbers = count(max(next(self._numbers), pin.number + 1))

    def all_retired(self, account: str) -> dict[str, PinState]:
        """The pins of an account that were used up or removed and are kept, by id, in that order."""
        return self._retired.get(account, {})

    def of(self, account: str, operation: OperationSpec) -> tuple[PinState, ...] | None:
        """An account's pins for an operation, oldest first; None where there are none."""
        places = self.by_account.get(account)
        if places is None:
            return None
        reaches = (operation.id, vendor_reach(operation.vendor), EVERYTHING)
        pins = [
            pin for reach in reaches if reach in places for pin in places[reach].values() if not pin.is_of_callbacks
        ]
        return tuple(sorted(pins, key=_number)) if pins else None

    def of_callback(self, account: str, callback: str) -> list[PinState]:
        """An account's pins for a callback, oldest first."""
        return [pin for pin in self.all(account) if pin.is_of_callbacks and covers(pin.reach, callback)]

    def are_current(self, pins: Iterable[PinState]) -> bool:
        """Whether none of these pins has changed since it was looked at."""
        for pin in pins:
            now = self.by_account.get(pin.account, {}).get(pin.reach, {}).get(pin.id)
            if now is None or now.version != pin.version:
                return False
        return True

    def use(self, pins: Sequence[PinState]) -> bool:
        """Let these pins meet a request; False, and nothing is done, where one has changed since it was looked at."""
        if not self.are_current(pins):
            return False
        for pin in pins:
            after = self.by_account[pin.account][pin.reach][pin.id].after_request()
            if after.is_spent:
                self._retire(after)
            else:
                self.by_account[pin.account][pin.reach][pin.id] = after
        return True

    def all(self, account: str | None, reach: str = EVERYTHING) -> list[PinState]:
        """The pins of an account (None: of all) for operations of a reach, oldest first."""
        accounts = list(self.by_account) if account is None else [account]
        pins = (
            pin
            for owner in accounts
            for place, pins in self.by_account.get(owner, {}).items()
            if covers(reach, place)
            for pin in pins.values()
        )
        return sorted(pins, key=_number)

    def retired(self, account: str | None, pin_id: str) -> PinState | None:
        """A pin of an account (None: of any) that was used up or removed, as it was last."""
        accounts = list(self._retired) if account is None else [account]
        return next((pins[pin_id] for pins in map(self._retired.get, accounts) if pins and pin_id in pins), None)

    def remove(self, account: str | None, reach: str = EVERYTHING, pin_id: str | None = None) -> None:
        """Remove the pins of an account (None: of all) for operations of a reach, or one of them."""
        for pin in self.all(account, reach):
            if pin_id in {None, pin.id}:
                self._retire(pin)

    def forget(self, account: str) -> None:
        """Forget the pins of an account, also those that were used up or removed."""
        self.size -= sum(pin.size for pin in self.all(account))
        self.by_account.pop(account, None)
        self._retired.pop(account, None)

    def _retire(self, pin: PinState) -> None:
        places = self.by_account[pin.account]
        del places[pin.reach][pin.id]
        self.size -= pin.size
        if not places[pin.reach]:
            del places[pin.reach]
        if not places:
            del self.by_account[pin.account]
        retired = self._retired.setdefault(pin.account, {})
        retired[pin.id] = pin
        while len(retired) > MAX_RETIRED_PINS or (
            len(retired) > 1 and sum(one.size for one in retired.values()) > MAX_RETIRED_BYTES
        ):
            del retired[next(iter(retired))]


class Seeds:
    """The seeds of accounts that were made with one, and how many ids were drawn for them."""

    def __init__(self) -> None:
        self.drawn: dict[str, tuple[int, int]] = {}

    def put(self, account: str, seed: int) -> None:
        """Give an account the ids of a seed, from the first on."""
        self.drawn[account] = (seed, 0)

    def has_drawn(self, account: str, count: int) -> bool:
        """Whether so many ids were drawn for an account; False where it has no seed."""
        return account in self.drawn and self.drawn[account][1] == count

    def advance(self, account: str, count: int) -> None:
        """Note that so many ids were drawn for an account in all."""
        self.drawn[account] = (self.drawn[account][0], count)

    def restart(self, account: str) -> bool:
        """Begin anew with the first id; False where the account has no seed."""
        if account not in self.drawn:
            return False
        self.put(account, self.drawn[account][0])
        return True

    def remove(self, account: str) -> None:
        """Forget an account."""
        self.drawn.pop(account, None)
