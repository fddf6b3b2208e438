"""Which store a setting names: memory, an SQLite file, or a Redis or Valkey server."""

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from mockserver.engine.sources import real_time
from mockserver.store.journal import Journal
from mockserver.store.parts import StoreParts
from mockserver.store.store import Store, StoreError

MEMORY = "memory"
REMOTE_SCHEMES = ("redis", "rediss", "valkey", "valkeys")
StoreKind = Literal["memory", "file", "remote"]


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
        from mockserver.store.durable import DurableStore  # noqa: PLC0415 -- whoever keeps nothing needs no SQLite

        return DurableStore(Path(where), parts)
    if kind == "remote":
        return _shared_store(where, parts)
    return Store(
        parts.registry,
        Journal(parts.max_journal_calls, parts.max_journal_bytes),
        parts.sources,
        most_accounts=parts.max_accounts,
        pace=parts.pace,
    )


def _shared_store(address: str, parts: StoreParts) -> Store:
    try:
        from mockserver.store.redis_link import check_server  # noqa: PLC0415 -- the package is an extra
    except ImportError as error:
        raise StoreError("for a Redis or Valkey server: pip install 'sms-vendor-mockserver[redis]'") from error
    from mockserver.store.redis_store import RedisStore  # noqa: PLC0415 -- as above

    check_server(address)
    return RedisStore(address, parts, follows_time=parts.sources.now is real_time)
