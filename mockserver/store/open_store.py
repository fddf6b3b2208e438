"""Opens the store that a setting names: memory, an SQLite file, or a Redis or Valkey server."""

from pathlib import Path

from mockserver.engine.sources import real_time
from mockserver.store.journal import Journal
from mockserver.store.kinds import StoreError, kind_of_store
from mockserver.store.parts import StoreParts
from mockserver.store.store import Store


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

    found = check_server(address)
    store = RedisStore(address, parts, follows_time=parts.sources.now is real_time)
    if found is not None:
        store.agreement.check_settings(*found)
    return store
