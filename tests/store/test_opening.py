"""Which store a setting names."""

import pytest

from mockserver.engine.sources import Sources
from mockserver.store.accounts import Registry
from mockserver.store.kinds import StoreError, StoreKind, kind_of_store
from mockserver.store.opening import open_store
from mockserver.store.parts import StoreParts
from mockserver.store.store import Store
from tests.engine.workbench import acme


@pytest.mark.parametrize(
    ("where", "kind"),
    [
        ("memory", "memory"),
        ("calls.db", "file"),
        ("./memory", "file"),
        ("C:\\data\\calls.db", "file"),
        ("a:b.db", "file"),
        ("redis://localhost", "remote"),
        ("REDISS://u:p@cache.example:6380/2", "remote"),
        ("valkey://[::1]:6379/0", "remote"),
    ],
)
def test_kinds(where: str, kind: StoreKind) -> None:
    """A name, a file, or an address."""
    assert kind_of_store(where) == kind


@pytest.mark.parametrize(
    "where", ["", ":memory:", "a\0b", "redis://", "redis://:6379", "redis://h:x", "postgres://h/d"]
)
def test_what_names_no_store(where: str) -> None:
    """Nothing, SQLite's own memory, an address without a host or of another kind of server."""
    with pytest.raises(StoreError, match="must be memory, a file, or an address"):
        kind_of_store(where)


def test_memory() -> None:
    """The bounds and the sources are those that are given."""
    sources = Sources.real()
    store = open_store("memory", StoreParts((acme(),), Registry((acme(),)), sources))
    assert type(store) is Store
    assert store.sources is sources


def test_a_server_of_another_kind() -> None:
    """It is refused in one line."""
    with pytest.raises(StoreError, match="a Redis or Valkey server cannot be used as the store yet"):
        open_store("redis://localhost", StoreParts((acme(),), Registry((acme(),)), Sources.real()))
