"""What a test switches on for an account: its pins, its rate limits, its clock."""

from collections import OrderedDict, deque

from mockserver.engine.clock import REAL, Clock
from mockserver.engine.facts import Budget, Limit
from mockserver.engine.pin import PinState

MAX_FIRST_SIGHTS = 10_000  # tokens whose first sight is remembered


class Times:
    """Accounts without a clock of their own have the real time."""

    def __init__(self) -> None:
        self.clocks: dict[str, Clock] = {}
        self._first: OrderedDict[int, float] = OrderedDict()  # by hash: tokens are long, and secret
        self.newest = 0.0  # when a token came that had not come before

    def clock(self, account: str) -> Clock:
        """An account's clock."""
        return self.clocks.get(account, REAL)

    def first_seen(self, token: str, real: float) -> float:
        """When a token came for the first time, in real Unix seconds."""
        key = hash(token)
        if key not in self._first:
            self._first[key] = self.newest = real
            if len(self._first) > MAX_FIRST_SIGHTS:
                self._first.popitem(last=False)
        return self._first[key]

    def clear(self, account: str) -> None:
        """Give an account the real time again."""
        self.clocks.pop(account, None)


Key = tuple[str, str, str]  # account, operation, and the value that the contract counts by
MAX_COUNTED_VALUES = 10_000  # values counted by, of one operation of an account


class Limits:
    """By account and operation; windows slide over the account's own time."""

    def __init__(self) -> None:
        self.by_place: dict[tuple[str, str], Limit] = {}
        self._seen: dict[tuple[str, str], dict[str, deque[float]]] = {}

    def put(self, account: str, operation: str, limit: Limit | None) -> None:
        """Switch a limit on, or off; what was counted so far is forgotten."""
        key = (account, operation)
        self.by_place.pop(key, None)
        self._seen.pop(key, None)
        if limit is not None:
            self.by_place[key], self._seen[key] = limit, {}

    def of(self, account: str) -> dict[str, Limit]:
        """The limits of an account by operation."""
        return {operation: limit for (owner, operation), limit in self.by_place.items() if owner == account}

    def budget(self, key: Key, now: float) -> Budget | None:
        """What is left at a time; None where there is no limit."""
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

    def budgets(self, account: str, now: float) -> list[tuple[str, str, Budget]]:
        """Operation, value counted by, and budget, of all that an account was counted for."""
        keys = [(account, name, value) for name in self.of(account) for value in self._seen[account, name] or ("",)]
        found = [(key, self.budget(key, now)) for key in keys]
        return [(key[1], key[2], budget) for key, budget in found if budget is not None]

    def count(self, key: Key, now: float) -> None:
        """Count one request."""
        if key[:2] in self.by_place:
            values = self._seen[key[:2]]
            values.setdefault(key[2], deque()).append(now)
            if len(values) > MAX_COUNTED_VALUES:
                del values[next(iter(values))]

    def clear(self, account: str) -> None:
        """Switch all of an account's limits off."""
        for operation in self.of(account):
            self.put(account, operation, None)


class Pins:
    """At most one pin for an operation of an account; a new one takes its place."""

    def __init__(self) -> None:
        self.by_place: dict[tuple[str, str], PinState] = {}

    def put(self, pin: PinState) -> None:
        """Set a pin."""
        self.by_place[pin.account, pin.operation] = pin

    def get(self, account: str, operation: str) -> PinState | None:
        """The pin of an operation of an account."""
        return self.by_place.get((account, operation))

    def use(self, pin: PinState) -> bool:
        """Use a pin up by one; False where it is not as it was when it was looked at."""
        key = (pin.account, pin.operation)
        if self.by_place.get(key) is not pin:
            return False
        used = pin.used()
        if used.is_spent:
            del self.by_place[key]
        else:
            self.by_place[key] = used
        return True

    def all(self, account: str | None) -> list[PinState]:
        """The pins of an account (None: of all)."""
        return [pin for pin in self.by_place.values() if account is None or pin.account == account]

    def clear(self, account: str | None, operation: str | None = None) -> None:
        """Forget the pins of an account (None: of all), or of one operation of it."""
        for pin in self.all(account):
            if operation is None or pin.operation == operation:
                del self.by_place[pin.account, pin.operation]
