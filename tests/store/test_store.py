"""The store: what any implementation of it must do for accounts and calls."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from mockserver.engine.call import call_id
from mockserver.store.accounts import Registry
from mockserver.store.journal import Journal, Query
from mockserver.store.store import UNCLAIMED, Store
from tests.engine.workbench import NOW, acme, fixed_sources, recorded, request

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


@pytest.fixture
def store() -> Store:
    store = Store(Registry((acme(),)), Journal(100, 10**6), fixed_sources(), run=0)
    run(store.add_account("one", {"acme": {"key": "k" * 20}}))
    run(store.add_account("two", {}))
    for account in ("one", "two", UNCLAIMED, "one"):
        run(store.commit(recorded(account=account, outcome="pending")))
    return store


def ids(store: Store, account: str | None = None) -> list[int]:
    return [call.number for call in run(store.calls(Query(account=account))).calls]


def test_facts_tell_who_owns_what(store: Store) -> None:
    """Owners of claimed values, and the time."""
    facts = run(store.facts(request("send_sms", headers={"x-key": "k" * 20}, body={"from": "5"})))
    assert facts.now == NOW
    assert facts.owners["/account/key", "k" * 20].account is run(store.account("one"))
    assert ("/account/lines/number", "5") not in facts.owners


def test_claimant(store: Store) -> None:
    """The first claim that anybody owns says whose a call is."""
    mine = ("/account/key", "k" * 20)
    assert run(store.claimant("acme", [("/account/key", "x"), mine])) is run(store.account("one"))
    assert run(store.claimant("acme", [])) is None


def test_accounts(store: Store) -> None:
    """Oldest first; one by id; none for an unknown id."""
    assert [account.id for account in run(store.accounts())] == ["one", "two"]
    assert run(store.account("three")) is None


def test_calls(store: Store) -> None:
    """A committed call has the next number and counts at once; its outcome is noted when it is sent."""
    assert ids(store) == [4, 3, 2, 1]
    newest = run(store.call(4))
    assert newest is not None
    run(store.complete(newest, "sent", 2.0))
    call = run(store.call(4))
    assert call is not None
    assert (call.outcome, call.duration_ms) == ("sent", 2.0)
    run(store.complete(newest, "aborted", 9.0))
    assert (call.outcome, call.duration_ms) == ("sent", 2.0), "the first word counts"
    assert run(store.call(9)) is None


def test_ids_of_two_stores_differ() -> None:
    """A test that looks at a server started anew never takes its calls for those of the one before."""
    numbers = []
    for _ in range(2):
        store = Store(Registry((acme(),)), Journal(100, 10**6), fixed_sources())
        for _ in range(50):
            run(store.commit(recorded()))
        numbers.append([call.number for call in run(store.calls(Query(limit=50))).calls])
    assert all(of_one == sorted(of_one, reverse=True) for of_one in numbers)
    assert len({call_id(number) for of_one in numbers for number in of_one}) == 100


def test_reset_and_clear_are_one_accounts(store: Store) -> None:
    """What an account did is forgotten, what it owns stays; others are as before."""
    run(store.reset_account("one"))
    assert ids(store) == [3, 2]
    assert run(store.account("one")) is not None
    assert run(store.clear_calls(UNCLAIMED)) == 1
    assert ids(store) == [2]
    assert run(store.clear_calls(None)) == 1


def test_remove(store: Store) -> None:
    """The account goes with its calls, and its values are free; an unknown one is an error."""
    run(store.remove_account("one"))
    assert ids(store) == [3, 2]
    assert run(store.account("one")) is None
    run(store.add_account("again", {"acme": {"key": "k" * 20}}))
    with pytest.raises(KeyError):
        run(store.remove_account("one"))


def test_the_account_that_is_idle_longest_makes_room(store: Store) -> None:
    """What a killed test run left behind does not pile up; those that the server started with stay."""
    crowded = Store(Registry((acme(),)), Journal(10, 10**6), fixed_sources(), most_accounts=2)
    for name in ("one", "two"):
        run(crowded.add_account(name, {}))
    run(crowded.commit(recorded(account="one")))
    run(crowded.add_account("three", {}))
    assert [account.id for account in run(crowded.accounts())] == ["one", "three"]
    assert len(run(crowded.calls(Query(account="one"))).calls) == 1
