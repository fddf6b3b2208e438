"""The store: what any implementation of it must do for accounts and calls."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from mockserver.exchange.facts import Claims
from mockserver.world.journal import Journal, Query
from mockserver.world.registry import Registry
from mockserver.world.store import UNCLAIMED, Store
from tests.exchange.workbench import NOW, acme, fixed_sources, recorded

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


@pytest.fixture
def store() -> Store:
    store = Store(Registry((acme(),)), Journal(100, 10**6), fixed_sources())
    run(store.add_account("one", {"acme": {"key": "k" * 20}}))
    run(store.add_account("two", {}))
    for number, account in enumerate(["one", "two", UNCLAIMED, "one"]):
        run(store.commit(recorded(id=f"c{number}", account=account, outcome="pending")))
    return store


def ids(store: Store, account: str | None = None) -> list[str]:
    return [call.id for call in run(store.calls(Query(account=account))).calls]


def test_facts_are_what_was_asked_for(store: Store) -> None:
    """Only owners of claimed values are told, and the time."""
    mine, nobodys = ("/account/key", "k" * 20), ("/account/key", "x")
    facts = run(store.facts("acme", "acme.send_sms", Claims((mine, nobodys), (nobodys,))))
    assert facts.now == NOW
    assert list(facts.owners) == [mine]
    owner = facts.owner(mine)
    assert owner is not None
    assert owner.account is run(store.account("one"))
    assert facts.owner(nobodys) is facts.owner(None) is None


def test_accounts(store: Store) -> None:
    """Oldest first; one by id; none for an unknown id."""
    assert [account.id for account in run(store.accounts())] == ["one", "two"]
    assert run(store.account("three")) is None


def test_calls(store: Store) -> None:
    """A committed call counts at once; its outcome is noted when it is sent."""
    assert ids(store) == ["c3", "c2", "c1", "c0"]
    newest = run(store.call("c3"))
    assert newest is not None
    run(store.complete(newest, "sent", 2.0))
    call = run(store.call("c3"))
    assert call is not None
    assert (call.outcome, call.duration_ms) == ("sent", 2.0)
    assert run(store.call("c9")) is None


def test_reset_and_clear_are_one_accounts(store: Store) -> None:
    """What an account did is forgotten, what it owns stays; others are as before."""
    run(store.reset_account("one"))
    assert ids(store) == ["c2", "c1"]
    assert run(store.account("one")) is not None
    assert run(store.clear_calls(UNCLAIMED)) == 1
    assert ids(store) == ["c1"]
    assert run(store.clear_calls(None)) == 1


def test_remove(store: Store) -> None:
    """The account goes with its calls, and its values are free; an unknown one is an error."""
    run(store.remove_account("one"))
    assert ids(store) == ["c2", "c1"]
    assert run(store.account("one")) is None
    run(store.add_account("again", {"acme": {"key": "k" * 20}}))
    with pytest.raises(KeyError):
        run(store.remove_account("one"))


def test_the_account_that_is_idle_longest_makes_room(store: Store) -> None:
    """What a killed test run left behind does not pile up; those that the server started with stay."""
    crowded = Store(Registry((acme(),)), Journal(10, 10**6), fixed_sources(), most_accounts=2)
    for name in ("one", "two"):
        run(crowded.add_account(name, {}))
    run(crowded.commit(recorded(id="c1", account="one")))
    run(crowded.add_account("three", {}))
    assert [account.id for account in run(crowded.accounts())] == ["one", "three"]
    assert len(run(crowded.calls(Query(account="one"))).calls) == 1
