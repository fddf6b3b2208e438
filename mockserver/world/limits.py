"""Rate limits that tests switched on, and the requests that count against them."""

from collections import deque

from mockserver.exchange.budget import Budget, Limit

Key = tuple[str, str, str]  # account, operation, and the value that the contract counts by
KEPT = 10_000  # values counted by, of one operation of an account


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
            if len(values) > KEPT:
                del values[next(iter(values))]

    def clear(self, account: str) -> None:
        """Switch all of an account's limits off."""
        for operation in self.of(account):
            self.put(account, operation, None)
