"""Which store a setting names: memory, an SQLite file, or a Redis or Valkey server."""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from mockserver.engine.sources import Sources
from mockserver.spec.model import Contract
from mockserver.store.accounts import Registry
from mockserver.store.journal import Journal
from mockserver.store.store import Store, StoreError

MEMORY = "memory"
REMOTE_SCHEMES = ("redis", "rediss", "valkey", "valkeys")
StoreKind = Literal["memory", "file", "remote"]


@dataclass(frozen=True, slots=True)
class StoreParts:
    """What every store is made of: contracts, the accounts of the start, where time and ids come from, and bounds.

    ``pace`` is how many seconds a second of a course takes for accounts whose clock nobody has set.
    """

    contracts: tuple[Contract, ...]
    registry: Registry
    sources: Sources
    max_journal_calls: int = 10_000
    max_journal_bytes: int = 64 * 1024 * 1024
    max_accounts: int = 10_000
    pace: float = 1.0

    def journal(self) -> Journal:
        """A journal with these bounds."""
        return Journal(self.max_journal_calls, self.max_journal_bytes)


def kind_of_store(where: str) -> StoreKind:
    """What a setting names: ``memory``, the address of a server, or a file. Raises StoreError for what is none."""
    if where == MEMORY:
        return "memory"
    scheme, separator, _ = where.partition("://")
    if not separator:
        if not where or "\0" in where or where == ":memory:":
            raise StoreError(f"must be {MEMORY}, a file, or an address like redis://localhost:6379/0")
        return "file"
    if scheme.lower() not in REMOTE_SCHEMES or not _has_host(where):
        raise StoreError(
            f"must be {MEMORY}, a file, or an address with a host: {', '.join(REMOTE_SCHEMES)}://HOST[:PORT][/DB]"
        )
    return "remote"


def _has_host(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def open_store(where: str, parts: StoreParts) -> Store:
    """The store that a setting names. Raises StoreError, one line for a user, where it cannot be opened."""
    kind = kind_of_store(where)
    if kind == "file":
        raise StoreError("a file cannot be used as the store yet")
    if kind == "remote":
        raise StoreError("a Redis or Valkey server cannot be used as the store yet")
    return Store(parts.registry, parts.journal(), parts.sources, most_accounts=parts.max_accounts, pace=parts.pace)
