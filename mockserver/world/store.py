"""All that changes while serving. Async, so that a database can stand in for memory one day."""

from collections.abc import Mapping
from typing import Any

from mockserver.exchange.account import Account
from mockserver.exchange.call import Call
from mockserver.exchange.facts import Claims, Facts
from mockserver.exchange.sources import Sources
from mockserver.world.journal import Journal, Page, Query
from mockserver.world.registry import Registry

UNCLAIMED = ""  # the account of calls that nobody's credential or value explains


class Store:
    """Accounts and journal in memory. No method waits between reading and writing, so each is atomic."""

    def __init__(self, registry: Registry, journal: Journal, sources: Sources) -> None:
        self._registry = registry
        self._journal = journal
        self._sources = sources

    async def facts(self, vendor: str, claims: Claims) -> Facts:
        """Who owns what a request claims, and the time."""
        known = self._registry.owners(vendor)
        asked = (*claims.credentials, *claims.owned)
        return Facts({claim: known[claim] for claim in asked if claim in known}, self._sources.now())

    async def commit(self, call: Call) -> None:
        """Record a call. From here on it counts."""
        self._journal.append(call)

    async def complete(self, call_id: str, outcome: str, duration_ms: float) -> None:
        """Note how sending a call's response ended: ``sent`` or ``aborted``."""
        self._journal.complete(call_id, outcome, duration_ms)

    async def accounts(self) -> tuple[Account, ...]:
        """All accounts, oldest first."""
        return tuple(self._registry.accounts.values())

    async def account(self, account_id: str) -> Account | None:
        """One account."""
        return self._registry.accounts.get(account_id)

    async def add_account(self, account_id: str, given: Mapping[str, Any]) -> Account:
        """Make an account; given values win, the rest is fresh. Raises AccountFault."""
        return self._registry.add(account_id, given)

    async def remove_account(self, account_id: str) -> None:
        """Forget an account and its calls. Raises KeyError where there is none."""
        self._registry.remove(account_id)
        self._journal.clear(account_id)

    async def reset_account(self, account_id: str) -> None:
        """Forget what an account did; its credentials stay."""
        self._journal.clear(account_id)

    async def calls(self, query: Query) -> Page:
        """One page of calls, newest first."""
        return self._journal.find(query)

    async def call(self, call_id: str) -> Call | None:
        """One call."""
        return self._journal.get(call_id)

    async def clear_calls(self, account: str | None) -> int:
        """Forget the calls of an account (None: of all); returns how many there were."""
        return self._journal.clear(account)
