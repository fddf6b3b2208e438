"""The pins of all accounts: one an operation, used up once."""

import asyncio
from dataclasses import replace
from itertools import count

import pytest

from mockserver.engine.pin import PinState, Uses
from mockserver.store.accounts import Registry
from mockserver.store.journal import Journal, Query
from mockserver.store.store import Store
from mockserver.store.switches import Pins
from tests.engine.workbench import acme, fixed_sources, operation, recorded, request

BUSY = operation("send_sms").answers["busy"]
NUMBERS = count()


def pin(account: str = "one", name: str = "acme.send_sms", *, uses: int = 1, then: str = "rules") -> PinState:
    return PinState(f"p-{next(NUMBERS)}", account, name, (BUSY,) * uses, ("busy",) * uses, then)


def used(pins: Pins, account: str = "one") -> PinState | None:
    """The pin after its next use."""
    found = pins.get(account, "acme.send_sms")
    assert found is not None
    assert pins.use(found)
    return pins.get(account, "acme.send_sms")


def test_used_up_in_order_and_gone() -> None:
    """After its last use there is none; one whose last answer stays is never gone."""
    pins = Pins()
    assert not pins.by_place
    pins.put(pin(uses=2))
    pins.put(pin("two", then="last"))
    after = used(pins)
    assert after is not None
    assert after.left == 1
    assert used(pins) is None
    for _ in range(3):
        assert used(pins, "two") is not None
    assert pins


def test_a_use_counts_once() -> None:
    """Of two requests that looked at the same pin, the second has to look again."""
    pins, seen = Pins(), pin(uses=2)
    pins.put(seen)
    assert [pins.use(seen), pins.use(seen)] == [True, False]
    left = pins.get("one", "acme.send_sms")
    assert left is not None
    assert left.left == 1
    pins.put(pin())
    assert not pins.use(left), "another pin has taken its place"
    pins.clear("one")
    assert not pins.use(left)


def test_a_pin_that_was_looked_at_elsewhere_can_be_used() -> None:
    """Its id and version say which it is, not that it is the same object."""
    pins, mine = Pins(), pin(uses=2)
    pins.put(mine)
    seen = replace(mine)
    assert pins.use(seen)
    assert not pins.use(seen)
    left = pins.get("one", "acme.send_sms")
    assert left is not None
    assert (left.id, left.version, seen.version) == (mine.id, 1, 0)


def test_one_an_operation_of_an_account() -> None:
    """A new one takes the place of the old; others' are apart."""
    pins, mine, mine_too, theirs = Pins(), pin(), pin(name="acme.ping"), pin("two")
    for one in (pin(uses=3), mine, mine_too, theirs):
        pins.put(one)
    assert pins.get("one", "acme.send_sms") is mine
    assert pins.get("one", "acme.rpc") is pins.get("three", "acme.send_sms") is None
    assert pins.all(None) == [mine, mine_too, theirs]
    assert pins.all("one") == [mine, mine_too]


@pytest.mark.parametrize(
    ("account", "name", "left"),
    [
        ("one", None, ["two send_sms"]),
        ("one", "acme.ping", ["one send_sms", "two send_sms"]),
        (None, "acme.send_sms", ["one ping"]),
        (None, None, []),
        ("three", None, ["one send_sms", "one ping", "two send_sms"]),
    ],
)
def test_clear(account: str | None, name: str | None, left: list[str]) -> None:
    """Those of an account or of all, of one operation or of all; no others."""
    pins = Pins()
    for one in (pin(), pin(name="acme.ping"), pin("two")):
        pins.put(one)
    pins.clear(account, name)
    assert [f"{one.account} {one.operation.partition('.')[2]}" for one in pins.all(None)] == left


def test_a_call_whose_pin_is_gone_is_not_recorded() -> None:
    """The store takes the call and the use together, or neither; then the request is decided again."""

    async def scenario() -> None:
        store = Store(Registry((acme(),)), Journal(10, 10**6), fixed_sources())
        await store.add_account("one", {"acme": {"key": "k" * 20}})
        mine, other = (request(to, headers={"x-key": "k" * 20}) for to in ("send_sms", "ping"))
        await store.put_pin(pin())
        seen = (await store.facts(mine)).pins["one"]
        assert dict((await store.facts(other)).pins) == {}
        call = recorded(account="one")
        assert [await store.commit(call, Uses(seen)), await store.commit(call, Uses(seen))] == [True, False]
        assert len((await store.calls(Query())).calls) == 1
        assert dict((await store.facts(mine)).pins) == {}

    asyncio.run(scenario())


@pytest.mark.parametrize("forget", ["reset_account", "remove_account"])
def test_pins_go_with_what_an_account_did(forget: str) -> None:
    """Reset or removed, it has none; others keep theirs."""

    async def scenario() -> None:
        store = Store(Registry((acme(),)), Journal(10, 10**6), fixed_sources())
        for account in ("one", "two"):
            await store.add_account(account, {})
            await store.put_pin(pin(account))
        await getattr(store, forget)("one")
        assert [one.account for one in await store.pins(None)] == ["two"]

    asyncio.run(scenario())
