"""Which store a setting names."""

import socket
import sys
from contextlib import closing

import pytest

from mockserver.engine.sources import Sources
from mockserver.store.accounts import Registry
from mockserver.store.kinds import StoreError, StoreKind, kind_of_store
from mockserver.store.open_store import open_store
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
        ("redis://h/", "remote"),
        ("VALKEYS://h?ssl_ca_certs=ca.pem", "remote"),
        ("file:calls.db", "file"),
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


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("redis://h/abc", "a number for its database"),
        ("redis://h/0/1", "a number for its database"),
        ("redis://h/-1", "a number for its database"),
        ("redis://h/0?timeout=1", "must not have 'timeout' in its query"),
        ("redis://h?ssl_ca_certs=ca.pem", "must not have 'ssl_ca_certs' in its query"),
        ("rediss://h?ssl_ca=", "with rediss or valkeys, ssl_ca_certs, ssl_cert_reqs, .* are"),
        ("redis://h#2", "no fragment"),
    ],
)
def test_an_address_with_what_is_not_read(where: str, said: str) -> None:
    """No server is asked for something else than what was written."""
    with pytest.raises(StoreError, match=said):
        kind_of_store(where)


def test_memory() -> None:
    """The bounds and the sources are those that are given."""
    sources = Sources.real()
    store = open_store("memory", StoreParts((acme(),), Registry((acme(),)), sources))
    assert type(store) is Store
    assert store.sources is sources


def test_a_server_that_is_not_there() -> None:
    """It is refused in one line, which has no password."""
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}/0"
        with pytest.raises(StoreError, match=f"^redis://{address} cannot be reached: ") as error:
            open_store(f"redis://me:secret@{address}", parts())
    assert "secret" not in str(error.value)


def test_a_server_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install is told."""
    monkeypatch.setitem(sys.modules, "mockserver.store.redis_link", None)
    with pytest.raises(StoreError, match=r"pip install 'sms-vendor-mockserver\[redis\]'"):
        open_store("redis://localhost", parts())


def parts() -> StoreParts:
    return StoreParts((acme(),), Registry((acme(),)), Sources.real())
