"""Rate limits that tests switched on, and the requests that count against them."""

from collections import deque

from mockserver.exchange.budget import Budget, Limit

Key = tuple[str, str, str]  # account, operation, and the value that the contract counts by


class Limits:
    """By account and operation; windows slide over the account's own time."""

    def __init__(self) -> None:
        self._limits: dict[tuple[str, str], Limit] = {}
        self._seen: dict[Key, deque[float]] = {}

    def __bool__(self) -> bool:
        return bool(self._limits)

    def put(self, account: str, operation: str, limit: Limit | None) -> None:
        """Switch a limit on, or off; what was counted so far is forgotten."""
        self._forget(account, operation)
        if limit is not None:
            self._limits[account, operation] = limit

    def of(self, account: str) -> dict[str, Limit]:
        """The limits of an account by operation."""
        return {operation: limit for (owner, operation), limit in self._limits.items() if owner == account}

    def budget(self, key: Key, now: float) -> Budget | None:
        """What is left at a time; None where there is no limit."""
        limit = self._limits.get(key[:2])
        if limit is None:
            return None
        seen = self._seen.get(key, deque())
        while seen and seen[0] <= now - limit.seconds:
            seen.popleft()
        remaining = limit.requests - len(seen)
        wait = 0.0 if remaining > 0 else seen[-limit.requests] + limit.seconds - now
        return Budget(limit, max(remaining, 0), wait)

    def budgets(self, account: str, now: float) -> list[tuple[str, str, Budget]]:
        """Operation, value counted by, and budget, of all that an account was counted for."""
        keys = [key for key in self._seen if key[0] == account]
        keys += [(account, name, "") for name in self.of(account) if not any(key[1] == name for key in keys)]
        found = [(key, self.budget(key, now)) for key in keys]
        return [(key[1], key[2], budget) for key, budget in found if budget is not None]

    def count(self, key: Key, now: float) -> None:
        """Count one request."""
        if key[:2] in self._limits:
            self._seen.setdefault(key, deque()).append(now)

    def clear(self, account: str) -> None:
        """Switch all of an account's limits off."""
        for operation in self.of(account):
            self._forget(account, operation)

    def _forget(self, account: str, operation: str) -> None:
        self._limits.pop((account, operation), None)
        for key in [key for key in self._seen if key[:2] == (account, operation)]:
            del self._seen[key]
