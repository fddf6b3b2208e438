"""The clocks of accounts, and first sights of tokens."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from mockserver.engine.account import tokens
from mockserver.engine.clock import REAL, Clock
from mockserver.engine.facts import Limit
from mockserver.engine.pin import Uses
from mockserver.engine.request import ParsedRequest
from mockserver.store import switches
from mockserver.store.accounts import Registry
from mockserver.store.journal import Journal
from mockserver.store.store import Store
from mockserver.store.switches import Times
from tests.engine.workbench import NOW, acme, fixed_sources, recorded, request

T = TypeVar("T")
OPERATION = "acme.send_sms"
KEYS = {"one": "k" * 20, "two": "l" * 20}


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def test_clocks_are_real_until_set() -> None:
    """An account has the real time, until it gets another, and again once that is cleared."""
    found, clock = Times(), REAL.advanced(NOW, 5)
    assert found.clock("one") is REAL
    found.clocks["one"] = clock
    assert (found.clock("one"), found.clock("two")) == (clock, REAL)
    found.clear("one")
    found.clear("nobody")
    assert found.clock("one") is REAL


def test_first_sight() -> None:
    """A token's first sight stays, however often it comes again."""
    found = Times()
    sights = [found.first_seen("one", digest, at) for digest, at in [(b"a", 1.0), (b"b", 2.0), (b"a", 3.0)]]
    assert sights == [1.0, 2.0, 1.0]
    assert found.first_seen("two", b"a", 4.0) == 4.0, "another account has not seen it"


def test_the_newest_sight() -> None:
    """The latest time at which a token of an account came that had not come before; other accounts' do not count."""
    found = Times()
    newest = [found.newest("one")]
    for digest, at in [(b"a", 1.0), (b"b", 2.0), (b"a", 3.0)]:
        found.first_seen("one", digest, at)
        newest.append(found.newest("one"))
    assert newest == [0, 1, 2, 2]
    assert found.newest("two") == 0
    found.clear("one")
    assert found.newest("one") == 0, "it goes with its account"


def test_first_sights_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many of an account are remembered, the latest; a token that was forgotten is new again."""
    monkeypatch.setattr(switches, "MAX_FIRST_SIGHTS", 3)
    found = Times()
    found.first_seen("two", b"a", 7.0)
    for at, digest in enumerate([b"a", b"b", b"c", b"d"]):
        found.first_seen("one", digest, at)
    assert [found.first_seen("one", digest, 9.0) for digest in [b"d", b"c", b"b", b"a"]] == [3, 2, 1, 9.0]
    assert found.first_seen("two", b"a", 9.0) == 7.0, "nobody's tokens push out another's"


@pytest.fixture
def store() -> Store:
    store = Store(Registry((acme(),)), Journal(100, 10**6), fixed_sources())
    for account, key in KEYS.items():
        run(store.add_account(account, {"acme": {"key": key}}))
    return store


def sent(account: str) -> ParsedRequest:
    """A message with a token that nobody has seen."""
    return request("send_sms", headers={"x-key": KEYS[account], "x-token": "a.b.c"}, body={})


def signed_request(store: Store, account_id: str) -> ParsedRequest:
    """A request with a token of the account's first client."""
    account = run(store.account(account_id))
    assert account is not None
    return request("by_kid", headers={"x-token": tokens(acme(), account.vendors["acme"], NOW)["Kid"]})


def test_facts_tell_clocks_and_first_sights(store: Store) -> None:
    """Of the accounts that a request may be from, and of its own tokens."""
    signed = signed_request(store, "one")
    (credential,) = signed.credentials.values()
    assert dict(run(store.facts(signed)).first_seen) == {}, "the time is real, so nobody asks"
    assert [run(store.newest_token(account)) for account in KEYS] == [NOW, 0]
    clock = REAL.advanced(NOW, 60)
    run(store.set_clock("one", clock))
    assert dict(run(store.facts(signed)).first_seen) == {credential.digest: NOW}
    assert dict(run(store.facts(sent("one"))).first_seen) == {}, "nobody's token is of no account"
    assert run(store.facts(sent("one"))).clocks == {"one": clock}
    assert run(store.facts(sent("two"))).clocks == {"two": REAL}
    assert run(store.clock("one")) == (clock, NOW)


def test_windows_follow_the_accounts_clock(store: Store) -> None:
    """A request counts at the account's own time, and is free again when the clock was advanced far enough."""

    def remaining(account: str) -> int:
        facts = run(store.facts(sent(account)))
        assert [budget.remaining for _, _, budget in run(store.budgets(account))] == [facts.budgets[account].remaining]
        return facts.budgets[account].remaining

    def advance(account: str, seconds: float) -> None:
        clock: Clock = run(store.clock(account))[0]
        run(store.set_clock(account, clock.advanced(NOW, seconds)))

    for account in KEYS:
        run(store.put_limit(account, OPERATION, Limit(1, 60)))
        advance(account, 500)
        run(store.commit(recorded(account=account, operation=OPERATION, received_at=NOW), Uses()))
    assert (remaining("one"), remaining("two")) == (0, 0)
    advance("one", 59)
    assert (remaining("one"), remaining("two")) == (0, 0)
    advance("one", 1)
    assert (remaining("one"), remaining("two")) == (1, 0)


def test_what_was_limited_does_not_count(store: Store) -> None:
    """A refused request lengthens no wait; nor does another account's, or another operation's."""
    run(store.put_limit("one", OPERATION, Limit(2, 60)))
    run(store.commit(recorded(account="one", operation=OPERATION, received_at=NOW), Uses(counts=False)))
    run(store.commit(recorded(account="two", operation=OPERATION, received_at=NOW), Uses()))
    run(store.commit(recorded(account="one", operation="acme.rpc", received_at=NOW), Uses()))
    assert [budget.remaining for _, _, budget in run(store.budgets("one"))] == [2]


def test_reset_gives_real_time_and_no_limits(store: Store) -> None:
    """A reset account is as a fresh one; another keeps its clock and its limits."""
    for account in KEYS:
        run(store.put_limit(account, OPERATION, Limit(1, 60)))
        run(store.set_clock(account, REAL.advanced(NOW, 60)))
    run(store.reset_account("one"))
    assert (run(store.clock("one"))[0], run(store.budgets("one"))) == (REAL, [])
    assert run(store.clock("two"))[0] is not REAL
    assert len(run(store.budgets("two"))) == 1
