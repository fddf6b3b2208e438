"""What every store does, whatever it is made of: two handles see one world, and nothing is used up twice."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from mockserver.engine.call import pack_more
from mockserver.engine.callback import OutgoingRequest
from mockserver.engine.clock import REAL, Sight
from mockserver.engine.effects import ChangeRecord, DueStep, ForgetRecord, KeepRecord
from mockserver.engine.facts import Limit
from mockserver.engine.fault import read_fault
from mockserver.engine.message import RECEIVED, Message
from mockserver.engine.pin import PinState, Uses
from mockserver.engine.request import ParsedRequest
from mockserver.store.accounts import AccountError
from mockserver.store.journal import Query
from mockserver.store.store import UNCLAIMED, Store
from tests.engine.workbench import NOW, recorded
from tests.store.stores import DELIVERED, FAILED, SEND, STORES, Bounds, Handles, callback_spec, committed, run

BOUNDS = Bounds(calls=5, accounts=2)
VIEW: dict[str, Any] = {"account": {}, "owned": {}}
PIN_NUMBERS = count()


@pytest.fixture(params=STORES)
def handles(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Handles]:
    """A store with the accounts ``one`` and ``two``."""
    opened = STORES[request.param](tmp_path, Bounds())
    for name in ("one", "two"):
        run(opened.a.add_account(name, {}))
    yield opened
    run(opened.close())


@pytest.fixture(params=STORES)
def small(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Handles]:
    """A store with little room, and the account ``one``."""
    opened = STORES[request.param](tmp_path, BOUNDS)
    run(opened.a.add_account("one", {}))
    yield opened
    run(opened.close())


def pin(account: str = "one", *, uses: int = 1, answer: str = "busy") -> PinState:
    return PinState(f"p-{next(PIN_NUMBERS)}", account, SEND, (answer,) * uses, (answer,) * uses)


def test_an_account_is_known_at_once_by_both(handles: Handles) -> None:
    """Who owns what; once it is removed, its values are free, and its requests are nobody's."""

    async def scenario() -> None:
        one = await handles.message(handles.b, "one")
        assert (await handles.send(handles.b, "one")).call.account == "one"
        assert await owner(handles.b, one) == await owner(handles.a, one) == "one"
        await handles.a.remove_account("one")
        assert await owner(handles.b, one) is None
        assert (await handles.answered(handles.b, one)).call.account == UNCLAIMED
        assert await handles.b.account("one") is None
        assert [account.id for account in await handles.b.accounts()] == ["two"]
        with pytest.raises(KeyError):
            await handles.b.remove_account("one")
        await handles.b.add_account("again", {"acme": {"key": one.data["header"]["x-key"]}})
        assert await owner(handles.a, one) == "again"

    async def owner(handle: Store, one: ParsedRequest) -> str | None:
        account = await handle.claimant("acme", one.claims)
        return None if account is None else account.id

    run(scenario())


def test_an_account_that_clashes_changes_nothing(handles: Handles) -> None:
    """Neither an id nor a value is given twice, whichever handle asks; the one who had it keeps it."""

    async def scenario() -> None:
        mine = await handles.a.account("one")
        assert mine is not None
        with pytest.raises(AccountError):
            await handles.b.add_account("one", {})
        with pytest.raises(AccountError):
            await handles.b.add_account("three", {"acme": {"key": mine.vendors["acme"]["key"]}})
        assert [account.id for account in await handles.a.accounts()] == ["one", "two"]
        assert (await handles.send(handles.b, "one")).call.account == "one"

    run(scenario())


CHANGES: dict[str, Callable[[Store], Awaitable[Any]]] = {
    "an-account-comes": lambda store: store.add_account("three", {}),
    "another-goes": lambda store: store.remove_account("two"),
    "it-goes": lambda store: store.remove_account("one"),
    "it-is-reset": lambda store: store.reset_account("one"),
    "a-pin": lambda store: store.put_pin(pin()),
    "a-pin-is-removed": lambda store: store.remove_pins("one"),
    "a-limit": lambda store: store.put_limit("one", SEND, Limit(1, 60)),
    "a-clock": lambda store: store.set_clock("one", REAL.advanced(NOW, 60)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_decided_before_a_change_is_decided_again(handles: Handles, change: str) -> None:
    """A reset, a pin or another account while a request is answered: its facts are old, and nothing is recorded."""

    async def scenario() -> None:
        one, facts, decision = await handles.decided(handles.a, "one")
        await CHANGES[change](handles.b)
        assert not await committed(handles.a, one, facts, decision)
        assert (await handles.b.calls(Query())).calls == ()
        facts = await handles.a.facts(one)
        decision = handles.engine.decide(one, facts)
        assert await committed(handles.a, one, facts, decision)
        assert decision.call.account == (UNCLAIMED if change == "it-goes" else "one")
        answer = {"a-pin": "busy", "it-goes": "refused"}.get(change, "sent")
        assert decision.call.answer == f"{SEND}/{answer}"

    run(scenario())


def test_a_pin_is_used_exactly_as_often_as_it_says(handles: Handles) -> None:
    """Ten requests that saw the same pin of three uses: three get it, whoever commits first, and seven decide again."""

    async def scenario() -> None:
        await handles.a.put_pin(pin(uses=3))
        waiting = [await handles.decided(handles.both[number % 2], "one") for number in range(10)]
        at_once = [await committed(handles.both[n % 2], *one) for n, one in enumerate(waiting)]
        assert at_once == [True] + [False] * 9
        answers = [(await handles.send(handles.both[n % 2], "one")).call.answer for n in range(9)]
        assert answers == [f"{SEND}/busy"] * 2 + [f"{SEND}/sent"] * 7
        assert await handles.b.pins("one") == []

    run(scenario())


def test_pins(handles: Handles) -> None:
    """A second pin stands beside the first unless it replaces it; one that is gone can still be asked for."""

    async def scenario() -> None:
        first, second, third, other = pin(), pin(answer="closed"), pin(), pin("two")
        for one in (first, second, other):
            await handles.a.put_pin(one)
        assert [one.id for one in await handles.b.pins("one")] == [first.id, second.id]
        assert [one.id for one in await handles.b.pins(None)] == [first.id, second.id, other.id]
        assert (await handles.send(handles.b, "one")).call.answer == f"{SEND}/busy"
        used = await handles.a.retired_pin("one", first.id)
        assert used is not None
        assert (used.used, used.left) == (1, 0)
        await handles.b.put_pin(third, replaces=True)
        assert [one.id for one in await handles.a.pins("one")] == [third.id]
        assert await handles.a.retired_pin("one", second.id) is not None
        await handles.a.remove_pins("one", SEND, third.id)
        assert await handles.b.pins("one") == []
        assert [one.id for one in await handles.b.pins("two")] == [other.id]
        await handles.a.remove_account("two")
        assert await handles.b.pins(None) == []
        assert await handles.b.retired_pin("two", other.id) is None

    run(scenario())


def test_a_limit_lets_no_more_through_than_it_says(handles: Handles) -> None:
    """Requests that all saw one free are not all let through; the window slides on the account's own clock."""

    async def scenario() -> None:
        await handles.a.put_limit("one", SEND, Limit(2, 60))
        await handles.send(handles.b, "one")
        waiting = [await handles.decided(handles.both[number % 2], "one") for number in range(4)]
        assert [await committed(handles.both[n % 2], *one) for n, one in enumerate(waiting)] == [True] + [False] * 3
        assert (await handles.send(handles.b, "one")).call.answer == f"{SEND}/refused"
        ((_, _, budget),) = await handles.b.budgets("one")
        assert (budget.remaining, budget.wait) == (0, 60)
        assert await handles.a.budgets("two") == []
        await handles.b.set_clock("one", REAL.advanced(NOW, 60))
        assert (await handles.send(handles.a, "one")).call.answer == f"{SEND}/sent"
        await handles.a.put_limit("one", SEND, None)
        assert await handles.b.budgets("one") == []

    run(scenario())


def test_clocks(handles: Handles) -> None:
    """A clock is one account's, seen by both handles, told to whoever waits for it, and gone with a reset."""

    async def scenario() -> None:
        assert await handles.b.clock("one") == (REAL, NOW)
        told = asyncio.create_task(handles.b.wait_for_clock("one", 5))
        await asyncio.sleep(0)
        frozen = REAL.frozen(NOW, NOW + 100)
        await handles.a.set_clock("one", frozen)
        await told
        assert await handles.b.clock("one") == (frozen, NOW)
        assert await handles.b.clock("two") == (REAL, NOW)
        await handles.b.reset_account("one")
        assert await handles.a.clock("one") == (REAL, NOW)

    run(scenario())


def test_ids_of_a_seed_are_drawn_once(handles: Handles) -> None:
    """Two requests at once do not get the same ids, and a reset begins anew with the first."""

    async def scenario() -> None:
        await handles.a.add_account("seeded", {}, seed=7)
        first, second = [await handles.decided(handle, "seeded") for handle in handles.both]
        assert await committed(handles.a, *first)
        assert not await committed(handles.b, *second)
        bodies = [first[2].call.response_body, (await handles.send(handles.b, "seeded")).call.response_body]
        assert bodies[0] != bodies[1]
        await handles.b.reset_account("seeded")
        assert [(await handles.send(h, "seeded")).call.response_body for h in handles.both] == bodies

    run(scenario())


def test_a_first_sight_stays(handles: Handles) -> None:
    """When a token was first seen is known to both handles, until a reset."""

    async def scenario() -> None:
        for handle, at in ((handles.a, NOW - 5), (handles.b, NOW)):
            sights = (("one", b"digest", Sight(at, is_own=False)),)
            assert await handle.commit(recorded(account="one"), Uses(sights=sights, counts=False))
        assert [await handle.newest_token("one") for handle in handles.both] == [NOW - 5] * 2
        assert await handles.b.newest_token("two") == 0
        await handles.b.reset_account("one")
        assert await handles.a.newest_token("one") == 0

    run(scenario())


async def keep(handle: Store, key: str = "m1", *, steps: tuple[DueStep, ...] = (), account: str = "one") -> int:
    """Commit a call that leaves a record; returns the call's number."""
    effect = KeepRecord("sent", key, {"id": key, "state": "new"}, steps, view=VIEW, recipient="+15550100")
    call = recorded(account=account, vendor="acme", received_at=NOW)
    assert await handle.commit(call, Uses(effects=(effect,), counts=False))
    return call.number


def test_records(handles: Handles) -> None:
    """Kept by an account in the order in which they came, changed where they stand, deleted once, and reset."""

    async def scenario() -> None:
        for key in ("m1", "m2", "m3"):
            await keep(handles.a, key)
        kept = await handles.b.kept("one", "acme")
        assert list(kept["sent"]) == ["m1", "m2", "m3"]
        assert not (await handles.b.kept("two", "acme")).get("sent")
        changed = ChangeRecord(kept["sent"]["m2"], ("state",), "old")
        assert await handles.b.commit(recorded(account="one", vendor="acme"), Uses(effects=(changed,)))
        assert (await handles.a.kept("one", "acme"))["sent"]["m2"] == {"id": "m2", "state": "old"}
        forgotten = [Uses(effects=(ForgetRecord("sent", await record_of(one, "m1")),)) for one in handles.both]
        assert await handles.a.commit(recorded(account="one", vendor="acme"), forgotten[0])
        assert not await handles.b.commit(recorded(account="one", vendor="acme"), forgotten[1]), "it is gone already"
        assert list((await handles.b.kept("one", "acme"))["sent"]) == ["m2", "m3"]
        await handles.b.reset_account("one")
        assert not (await handles.a.kept("one", "acme")).get("sent")

    run(scenario())


def test_what_an_account_was_born_with_can_change_and_comes_back(handles: Handles) -> None:
    """A changed possession is seen by both handles, and has its first value after a reset."""

    async def scenario() -> None:
        mine = await handles.a.account("one")
        assert mine is not None
        line = mine.vendors["acme"]["lines"][0]
        assert await handles.a.commit(
            recorded(account="one", vendor="acme"), Uses(effects=(ChangeRecord(line, ("open",), value=False),))
        )
        assert (await handles.send(handles.b, "one")).call.answer == f"{SEND}/closed"
        await handles.b.reset_account("one")
        assert (await handles.send(handles.a, "one")).call.answer == f"{SEND}/sent"

    run(scenario())


async def record_of(handle: Store, key: str) -> dict[str, Any]:
    """A record that was sent as this handle has it."""
    kept = await handle.kept("one", "acme")
    return kept["sent"][key]


def test_steps_are_taken_once(handles: Handles) -> None:
    """What is due by the account's clock is told to one handle alone, in order; the record and its message changed."""

    async def scenario() -> None:
        number = await keep(handles.a, steps=(FAILED, DELIVERED))
        gone = await keep(handles.a, "m2", steps=(DELIVERED,))
        record = await record_of(handles.a, "m2")
        assert await handles.a.commit(
            recorded(account="one", vendor="acme"), Uses(effects=(ForgetRecord("sent", record),))
        )
        assert [step.step.name for step in await handles.b.pending("one", 5)] == ["delivered", "failed"]
        assert [step.step.name for step in await handles.b.pending("one", 1)] == ["delivered"]
        assert await handles.a.next_due() == [("one", NOW + 10)]
        assert await handles.b.run_due("one") == []
        await handles.a.set_clock("one", REAL.advanced(NOW, 15))
        assert (await handles.b.kept("one", "acme"))["sent"]["m1"]["state"] == "at 10"
        (told,) = await handles.b.run_due("one")
        assert (told.step.name, told.cause, told.key, told.recipient) == ("delivered", number, "m1", "+15550100")
        assert await handles.a.run_due("one") == []
        assert await handles.a.message_state("one", number, 0) == "delivered"
        assert await handles.b.message_state("one", gone, 0) is None
        await handles.b.set_clock("one", REAL.advanced(NOW, 25))
        assert [step.step.name for step in await handles.a.run_due("one")] == ["failed"]
        assert await handles.a.next_due() == []

    run(scenario())


def test_what_is_due_goes_with_a_reset(handles: Handles) -> None:
    """Nothing that an account was to be told of happens after a reset."""

    async def scenario() -> None:
        await keep(handles.a, steps=(DELIVERED,))
        await handles.b.reset_account("one")
        await handles.a.set_clock("one", REAL.advanced(NOW, 15))
        assert await handles.a.run_due("one") == []
        assert await handles.b.pending("one", 5) == []

    run(scenario())


def test_messages_of_subscribers(handles: Handles) -> None:
    """Each has a number of its own among those of calls, is one account's, and knows the callbacks that told of it."""

    async def scenario() -> None:
        first = recorded(account="one")
        await handles.a.commit(first)
        text = Message("one", "acme", "inbound", "+1", "+2", "hi", RECEIVED, 0, 0, NOW)
        message = await handles.b.receive(text, (KeepRecord("inbox", "k", {"id": "k"}, view=VIEW),))
        assert message.call > first.number
        assert await handles.a.received("one") == [message]
        assert await handles.a.received("two") == []
        assert list((await handles.a.kept("one", "acme"))["inbox"]) == ["k"]
        callback = recorded(account="one", direction="out", more=pack_more(cause=message.call))
        await handles.a.commit(callback)
        assert callback.number > message.call
        assert await handles.b.caused_by("one", message.call) == [callback.number]
        await handles.a.reset_account("one")
        assert await handles.b.received("one") == []
        assert await handles.b.caused_by("one", message.call) == []

    run(scenario())


def test_a_fault_hits_one_callback(handles: Handles) -> None:
    """A pin that spoils a callback once spoils one, whichever handle makes it; who got it is counted."""

    async def scenario() -> None:
        callback = callback_spec()
        request = OutgoingRequest(callback, "one", "http://localhost/", b"", b"{}", 1, 0)
        fault = read_fault({"kind": "lost"})
        spoiling = PinState("p-lost", "one", callback.id, (), (), fault=fault)
        await handles.a.put_pin(spoiling)
        struck = [await handle.strike_callback(request) for handle in (handles.b, handles.a)]
        assert [one.id if one is not None else None for one in struck] == ["p-lost", None]
        await handles.a.meet_callback("one", callback, "")
        await handles.b.meet_callback("nobody", callback, "")
        met = (await handles.b.coverage("one")).answers
        assert {name: one.natural for name, one in met.items()} == {callback.request.id: 1}

    run(scenario())


def test_callbacks_that_may_go_nowhere(handles: Handles) -> None:
    """Kept by either, given once, by account; gone with a reset."""

    async def scenario() -> None:
        spec = callback_spec()
        requests = [OutgoingRequest(spec, who, f"http://h/{n}", b"", b"\xff", n, 0) for n, who in enumerate(OWNERS)]
        for turn, request in enumerate(requests):
            await handles.both[turn % 2].hold(request)
        taken = await handles.b.take_held("one")
        assert [(one.url, one.body, one.callback.id) for one in taken] == [
            ("http://h/0", b"\xff", spec.id),
            ("http://h/2", b"\xff", spec.id),
        ]
        assert await handles.a.take_held("one") == []
        await handles.a.reset_account("two")
        assert await handles.b.take_held("two") == []

    run(scenario())


OWNERS = ("one", "two", "one")


def test_calls_have_rising_numbers(handles: Handles) -> None:
    """By whatever handle: a higher number was committed later, and both find it at once."""

    async def scenario() -> None:
        calls = [recorded(account=name) for name in ("one", UNCLAIMED, "two", "one")]
        for turn, call in enumerate(calls):
            await handles.both[turn % 2].commit(call)
            assert await handles.both[(turn + 1) % 2].call(call.number) is not None
        order = [call.number for call in calls]
        assert order == sorted(set(order))
        assert [call.number for call in (await handles.b.calls(Query())).calls] == order[::-1]
        mine = [order[0], order[3]]
        assert [call.number for call in await handles.b.calls_after("one", 0, 10, lambda _: True)] == mine
        assert await handles.a.calls_after("one", 0, 10, lambda label: label.vendor == "acme") == []
        assert await handles.b.count_after("one", order[0]) == (1, order[3])
        assert await handles.b.count_after("one", order[3]) == (0, order[3])
        assert await handles.a.call(order[3] + 1) is None

    run(scenario())


def test_how_sending_ended(handles: Handles) -> None:
    """It is pending until that is told; the first word counts."""

    async def scenario() -> None:
        call = recorded(account="one", outcome="pending")
        await handles.a.commit(call)
        assert await outcome(handles.b, call.number) == ("pending", 0)
        await handles.a.complete(call, "sent", 2.5)
        await handles.a.complete(call, "aborted", 9.0)
        await handles.settled()
        assert await outcome(handles.b, call.number) == ("sent", 2.5)

    async def outcome(handle: Store, number: int) -> tuple[str, float]:
        call = await handle.call(number)
        assert call is not None
        return call.outcome, call.duration_ms

    run(scenario())


def test_bounds(small: Handles) -> None:
    """So many calls of an account and no more; what had to go is counted until the account is cleared."""

    async def scenario() -> None:
        calls = [recorded(account="one", vendor="acme" if turn % 2 else "") for turn in range(8)]
        for turn, call in enumerate(calls):
            await small.both[turn % 2].commit(call)
        page = await small.b.calls(Query(account="one", limit=3))
        assert [call.number for call in page.calls] == [call.number for call in calls[:4:-1]]
        assert page.evicted == await small.a.evicted("one") == (await small.b.figures()).evicted == 3
        rest = await small.a.calls(Query(account="one", limit=3, before=page.next))
        assert [call.number for call in rest.calls] == [calls[4].number, calls[3].number]
        assert await small.b.call(calls[2].number) is None
        assert await small.a.clear_calls("one", lambda label: label.vendor == "acme") == 3
        assert [call.number for call in (await small.b.calls(Query())).calls] == [calls[6].number, calls[4].number]
        assert await small.b.evicted("one") == 3
        assert await small.b.clear_calls(None) == 2
        assert await small.a.evicted("one") == 0
        assert (await small.a.figures()).calls == (await small.b.figures()).calls
        assert sum((await small.a.figures()).calls.values()) == 8, "what is forgotten stays counted"

    run(scenario())


def test_the_account_that_is_idle_longest_makes_room(small: Handles) -> None:
    """With what it did; what it covered stays."""

    async def scenario() -> None:
        await small.a.add_account("two", {}, test="t::two")
        await small.b.put_pin(pin("two"))
        await small.send(small.b, "two")
        await small.send(small.a, "one")
        await small.b.add_account("three", {})
        assert [account.id for account in await small.a.accounts()] == ["one", "three"]
        assert (await small.a.calls(Query(account="two"))).calls == ()
        assert await small.b.pins(None) == []
        assert (await small.b.coverage("two")).answers == {}
        met = (await small.a.coverage(None)).answers
        assert met[f"{SEND}/busy"].forced == met[f"{SEND}/sent"].natural == 1
        assert list(met[f"{SEND}/busy"].tests) == ["t::two"]
        assert await small.a.born("three") == NOW
        assert await small.b.born("two") == 0

    run(scenario())


def test_whoever_waits_is_told_that_the_server_ends(handles: Handles) -> None:
    """Nobody waits for calls any longer."""

    async def scenario() -> None:
        waiting = asyncio.create_task(handles.a.wait_for_call("one", 60))
        await asyncio.sleep(0)
        handles.a.end_waits()
        await waiting
        await handles.a.wait_for_call("one", 60)
        assert not handles.a.is_waited_on

    run(scenario())


WAITS: dict[str, tuple[Callable[[Store], Awaitable[Any]], Callable[[Store], Awaitable[Any]]]] = {
    "for-a-step": (lambda store: store.wait_for_step(60), lambda store: keep(store, steps=(DELIVERED,))),
    "for-a-clock": (
        lambda store: store.wait_for_clock("one", 60),
        lambda store: store.set_clock("one", REAL.advanced(NOW, 60)),
    ),
}


@pytest.mark.parametrize("what", WAITS)
def test_a_wait_that_is_cancelled_as_it_ends_is_cancelled(handles: Handles, what: str) -> None:
    """A task that is told to end does not go on because what it waited for came in the same turn."""
    wait, wake = WAITS[what]

    async def endlessly() -> None:
        while True:
            await wait(handles.a)

    async def scenario() -> None:
        waiting = asyncio.create_task(endlessly())
        await asyncio.sleep(0.01)
        await wake(handles.a)
        waiting.cancel()
        await asyncio.wait([waiting], timeout=0.1)
        assert waiting.cancelled()

    run(scenario())


@pytest.mark.parametrize(
    ("looks_in", "steps", "wakes"),
    [
        pytest.param(60, (), False, id="nothing to come"),
        pytest.param(DELIVERED.after - 1, (DELIVERED,), False, id="later than it looks"),
        pytest.param(60, (DELIVERED,), True, id="before it looks"),
    ],
)
def test_a_send_wakes_whoever_looks_after_the_clocks_where_it_must(
    handles: Handles, looks_in: float, steps: tuple[DueStep, ...], *, wakes: bool
) -> None:
    """Most sends leave nothing that is due before the next look: a look at each would cost as much as the send."""

    async def scenario() -> None:
        await handles.a.clock("one")
        waiting = asyncio.create_task(handles.a.wait_for_step(looks_in))
        await asyncio.sleep(0.01)
        await keep(handles.a, steps=steps)
        await asyncio.wait([waiting], timeout=0.1)
        assert waiting.done() == wakes
        waiting.cancel()

    run(scenario())
