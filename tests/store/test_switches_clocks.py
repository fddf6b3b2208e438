"""The clocks of accounts, and first sights of tokens."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from mockserver.engine.account import tokens
from mockserver.engine.clock import REAL, Sight
from mockserver.engine.engine import Engine
from mockserver.engine.pin import Uses
from mockserver.engine.request import ParsedRequest
from mockserver.store import switches
from mockserver.store.accounts import Registry
from mockserver.store.journal import Journal
from mockserver.store.store import Store
from mockserver.store.switches import AccountClocks
from tests.engine.workbench import NOW, acme, fixed_sources, recorded, request

T = TypeVar("T")
OPERATION = "acme.send_sms"
KEYS = {"one": "k" * 20, "two": "l" * 20}


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def test_clocks_are_real_until_set() -> None:
    """An account has the real time, until it gets another, and again once that is cleared."""
    found, clock = AccountClocks(), REAL.advanced(NOW, 5)
    assert found.clock("one") is REAL
    found.clocks["one"] = clock
    assert (found.clock("one"), found.clock("two")) == (clock, REAL)
    found.clear("one")
    found.clear("nobody")
    assert found.clock("one") is REAL


def seen(at: float) -> Sight:
    return Sight(at, is_own=False)


def test_first_sight() -> None:
    """A token's first sight stays, however often it comes again."""
    found = AccountClocks()
    found.see([("one", digest, seen(at)) for digest, at in [(b"a", 1.0), (b"b", 2.0), (b"a", 3.0)]])
    assert [found.sight("one", digest) for digest in (b"a", b"b", b"c")] == [seen(1.0), seen(2.0), None]
    assert found.sight("two", b"a") is None, "another account has not seen it"


def test_the_newest_sight() -> None:
    """The latest time at which a token of an account came that had not come before; other accounts' do not count."""
    found = AccountClocks()
    newest = [found.newest("one")]
    for digest, at in [(b"a", 1.0), (b"b", 2.0), (b"a", 3.0)]:
        found.see([("one", digest, seen(at))])
        newest.append(found.newest("one"))
    assert newest == [0, 1, 2, 2]
    assert found.newest("two") == 0
    found.clear("one")
    assert found.newest("one") == 0, "it goes with its account"


def test_first_sights_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many of an account are remembered, the latest; a token that was forgotten is new again."""
    monkeypatch.setattr(switches, "MAX_FIRST_SIGHTS", 3)
    found = AccountClocks()
    found.see([("two", b"a", seen(7.0))])
    found.see([("one", digest, seen(at)) for at, digest in enumerate([b"a", b"b", b"c", b"d"])])
    assert [found.sight("one", digest) for digest in [b"d", b"c", b"b", b"a"]] == [seen(3), seen(2), seen(1), None]
    assert found.sight("two", b"a") == seen(7.0), "nobody's tokens push out another's"


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
    assert dict(run(store.facts(signed)).sights) == {}
    assert [run(store.newest_token(account)) for account in KEYS] == [0, 0], "to ask notes nothing"
    run(store.commit(recorded(account="two"), Uses(sights=(("one", credential.digest, seen(NOW)),))))
    assert [run(store.newest_token(account)) for account in KEYS] == [NOW, 0]
    assert dict(run(store.facts(signed)).sights) == {credential.digest: seen(NOW)}
    clock = REAL.advanced(NOW, 60)
    run(store.set_clock("one", clock))
    assert dict(run(store.facts(signed)).sights) == {credential.digest: seen(NOW)}
    assert dict(run(store.facts(sent("one"))).sights) == {}, "nobody's token is of no account"
    assert run(store.facts(sent("one"))).clocks == {"one": clock}
    assert run(store.facts(sent("two"))).clocks == {"two": REAL}


def test_only_verified_tokens_are_seen(store: Store) -> None:
    """Junk in an account's name leaves nothing behind: neither first sights, nor a wait for its clock."""
    engine = Engine((acme(),), fixed_sources())
    good = signed_request(store, "one")
    (text,) = (credential.text for credential in good.credentials.values())
    for number in range(20):
        junk = request("by_kid", headers={"x-token": f"{text[:-8]}{number:08}"})
        decision = engine.decide(junk, run(store.facts(junk)))
        assert decision.uses.sights == ()
        run(store.commit(decision.call, decision.uses, junk))
    assert run(store.newest_token("one")) == 0
    decision = engine.decide(good, run(store.facts(good)))
    run(store.commit(decision.call, decision.uses, good))
    assert run(store.newest_token("one")) == NOW
    assert engine.decide(good, run(store.facts(good))).uses.sights == (), "once"
