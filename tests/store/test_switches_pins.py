"""The pins of all accounts: a list for each, used up once."""

import asyncio
from dataclasses import replace
from itertools import count

import pytest

from mockserver.engine.pin import PinState, Uses
from mockserver.store.accounts import Registry
from mockserver.store.journal import Journal, Query
from mockserver.store.store import Store
from mockserver.store.switches import MAX_RETIRED_PINS, Pins
from tests.engine.workbench import acme, fixed_sources, operation, recorded, request

SEND = operation("send_sms")
PING = operation("ping")
NUMBERS = count()


def pin(account: str = "one", reach: str = "acme.send_sms", *, uses: int = 1, then: str = "rules") -> PinState:
    return PinState(f"p-{next(NUMBERS)}", account, reach, ("busy",) * uses, ("busy",) * uses, then)


def of(pins: Pins, account: str = "one") -> list[str]:
    """The ids of the pins for messages."""
    return [one.id for one in pins.of(account, SEND) or ()]


def use_first(pins: Pins, account: str = "one") -> None:
    (first, *_) = pins.of(account, SEND) or ()
    assert pins.use((first,))


def test_used_up_in_order_and_gone() -> None:
    """After its last use a pin makes room for the next one; one whose last answer stays is never gone."""
    pins, twice, endless, never = Pins(), pin(uses=2), pin(then="last"), pin()
    assert not pins.by_account
    for one in (twice, endless, never):
        pins.put(one)
    left = []
    for _ in range(4):
        left.append(of(pins))
        use_first(pins)
    assert left == [[twice.id, endless.id, never.id]] * 2 + [[endless.id, never.id]] * 2


def test_those_for_an_operation_in_the_order_in_which_they_were_made() -> None:
    """Its own, its vendor's and those for everything; not another operation's, vendor's or account's."""
    pins = Pins()
    mine = [pin(reach="*"), pin(), pin(reach="acme.*"), pin(), pin(reach="*")]
    others = [pin(reach="acme.ping"), pin(reach="acm.*"), pin(reach="other.send_sms"), pin("two")]
    for one in (others[0], mine[0], mine[1], others[1], *mine[2:], *others[2:]):
        pins.put(one)
    assert of(pins) == [one.id for one in mine]
    assert pins.of("one", PING) is not None
    assert pins.of("three", SEND) is None
    assert [one.id for one in pins.all("one", "acme.send_sms")] == [mine[1].id, mine[3].id]
    assert len(pins.all("one", "acme.*")) == 4
    assert [len(pins.all("one")), len(pins.all(None))] == [8, 9]


def test_replacing_is_for_the_same_reach_only() -> None:
    """What is replaced is that operation's of that account, and the new pin comes last."""
    pins = Pins()
    wide, old, older, theirs, new = pin(reach="*"), pin(), pin(), pin("two"), pin()
    for one in (old, older, wide, theirs):
        pins.put(one)
    pins.put(new, replaces=True)
    assert (of(pins), of(pins, "two")) == ([wide.id, new.id], [theirs.id])


def test_a_use_counts_once() -> None:
    """Of two requests that looked at the same pin, the second has to look again."""
    pins, mine = Pins(), pin(uses=2)
    pins.put(mine)
    (seen,) = pins.of("one", SEND) or ()
    assert [pins.use((seen,)), pins.use((seen,))] == [True, False]
    (left,) = pins.of("one", SEND) or ()
    assert (left.left, left.used, left.version) == (1, 1, 1)
    pins.remove("one")
    assert not pins.use((left,))


def test_all_of_them_are_used_or_none() -> None:
    """A request that met several pins has to look again where one of them has changed."""
    pins, first, second = Pins(), pin(uses=2), pin(uses=2)
    pins.put(first)
    pins.put(second)
    seen = pins.of("one", SEND) or ()
    assert pins.use(seen[1:])
    assert not pins.use(seen)
    assert [one.used for one in pins.of("one", SEND) or ()] == [0, 1]


def test_a_pin_that_was_looked_at_elsewhere_can_be_used() -> None:
    """Its id and version say which it is, not that it is the same object."""
    pins, mine = Pins(), pin(uses=2)
    pins.put(mine)
    seen = replace(mine)
    assert pins.use((seen,))
    assert not pins.use((seen,))


@pytest.mark.parametrize(
    ("account", "reach", "left"),
    [
        ("one", "*", ["two acme.send_sms"]),
        ("one", "acme.ping", ["one acme.send_sms", "one acme.*", "one *", "two acme.send_sms"]),
        ("one", "acme.*", ["one *", "two acme.send_sms"]),
        (None, "acme.send_sms", ["one acme.ping", "one acme.*", "one *"]),
        (None, "*", []),
        ("three", "*", ["one acme.send_sms", "one acme.ping", "one acme.*", "one *", "two acme.send_sms"]),
    ],
)
def test_remove(account: str | None, reach: str, left: list[str]) -> None:
    """Those of an account or of all, for an operation, all of a vendor's, or all; no wider ones and no others."""
    pins = Pins()
    for one in (pin(), pin(reach="acme.ping"), pin(reach="acme.*"), pin(reach="*"), pin("two")):
        pins.put(one)
    pins.remove(account, reach)
    assert [f"{one.account} {one.reach}" for one in pins.all(None)] == left


def test_one_is_removed() -> None:
    """The one with the id, and no other."""
    pins, first, second = Pins(), pin(), pin()
    pins.put(first)
    pins.put(second)
    pins.remove("one", "*", first.id)
    assert of(pins) == [second.id]


def test_what_is_gone_can_be_asked_for() -> None:
    """Used up, removed or replaced, it says how often it was used, until so many others are gone or it is forgotten."""
    pins, used_up, removed, replaced = Pins(), pin(), pin(), pin(uses=2)
    for one in (used_up, removed, replaced):
        pins.put(one)
    use_first(pins)
    pins.remove("one", "*", removed.id)
    use_first(pins)
    pins.put(pin(), replaces=True)
    gone = [pins.retired(account, one.id) for account in ("one", None) for one in (used_up, removed, replaced)]
    assert [one.used for one in gone if one is not None] == [1, 0, 1] * 2
    assert pins.retired("two", used_up.id) is None
    for _ in range(MAX_RETIRED_PINS):
        pins.put(pin(), replaces=True)
    assert pins.retired("one", used_up.id) is None
    pins.forget("one")
    assert (pins.retired(None, replaced.id), pins.by_account) == (None, {})


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
    """Reset or removed, it has none, and none that could be asked for; others keep theirs."""

    async def scenario() -> None:
        store, gone = Store(Registry((acme(),)), Journal(10, 10**6), fixed_sources()), pin()
        for account in ("one", "two"):
            await store.add_account(account, {})
            await store.put_pin(pin(account))
        await store.put_pin(gone)
        await store.remove_pins("one", pin_id=gone.id)
        assert await store.retired_pin("one", gone.id) is not None
        await getattr(store, forget)("one")
        assert [one.account for one in await store.pins(None)] == ["two"]
        assert await store.retired_pin("one", gone.id) is None

    asyncio.run(scenario())
