"""Verification: calls awaited, one too many caught, verdicts that know what they cannot know."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from mockserver.engine.call import RUN_BITS, RecordedCall
from mockserver.engine.expectation import Expectation
from mockserver.matching.pattern import Pattern
from mockserver.matching.verdict import MAX_NEAREST, Count
from mockserver.server import checkpoint, verification
from mockserver.server.verification import CALLS_IN_A_ROW, CALLS_SEARCHED, Asked, Verdict, verify
from mockserver.store.accounts import Registry
from mockserver.store.journal import Journal
from mockserver.store.store import Store
from tests.engine.workbench import acme, fixed_sources, recorded
from tests.store.stores import SEND, STORES, Bounds

LONG = 60  # seconds that nobody waits: PATIENCE ends a test that would
PATIENCE = 10
ONCE, ANY = Count(1, 1), Count()
HI = Expectation(pattern=Pattern({"body": {"text": "Hi"}}))


class Spied(Store):
    """A store that counts how often it was asked for new calls, and by whom."""

    def __init__(self, calls: int = 10_000) -> None:
        super().__init__(Registry((acme(),)), Journal(calls, 10**8), fixed_sources(), run=0)
        self.asked: list[str] = []

    async def calls_after(self, account: str, number: int, *how: Any) -> Any:
        self.asked.append(account)
        return await super().calls_after(account, number, *how)

    async def call_comes(self, text: str = "Hi", account: str = "one", **changes: Any) -> None:
        body = b'{"text": "%s"}' % text.encode()
        changes = {"vendor": "acme", "operation": "acme.send_sms", "reads": "json", "body": body, **changes}
        await self.commit(recorded(account=account, **changes))


def run(scenario: Callable[[Spied], Awaitable[None]], calls: int = 10_000) -> None:
    """A scenario that ends by itself."""

    async def limited() -> None:
        await asyncio.wait_for(scenario(Spied(calls)), PATIENCE)

    asyncio.run(limited())


def asked(count: Count = ANY, expectation: Expectation = HI, account: str = "one", **wait: float) -> Asked:
    return Asked(account, expectation, count, **wait)


async def started(store: Spied, *questions: Asked) -> list["asyncio.Task[Verdict]"]:
    """Verifications that wait by now."""
    tasks = [asyncio.create_task(verify(store, one)) for one in questions]
    await asyncio.sleep(0.01)
    assert not any(task.done() for task in tasks)
    return tasks


def ids(verdict: Verdict) -> list[int]:
    return [count(call) for call in verdict.matched]


def count(call: RecordedCall) -> int:
    """A call's number, counted from the first of its run."""
    return call.number % (1 << RUN_BITS)


def nearest(verdict: Verdict) -> list[int]:
    return [count(miss.call) for miss in verdict.nearest]


def test_what_is_there_needs_no_wait() -> None:
    """Enough calls are enough at once, oldest first; others are only counted."""

    async def scenario(store: Spied) -> None:
        for text in ("Hi", "Bye", "Hi"):
            await store.call_comes(text)
        await store.call_comes(account="two")
        found = await verify(store, asked(Count(2), within=LONG))
        assert (found.verified, ids(found), found.recorded, found.evicted, found.nearest) == (
            True,
            [1, 3],
            3,
            0,
            [],
        )

    run(scenario)


def test_a_call_that_comes_while_waiting() -> None:
    """It ends the wait; one that does not fit, or too few, do not."""

    async def scenario(store: Spied) -> None:
        (waiting,) = await started(store, asked(Count(2), within=LONG))
        for text in ("Hi", "Bye"):
            await store.call_comes(text)
            await asyncio.sleep(0.01)
            assert not waiting.done()
        await store.call_comes()
        found = await waiting
        assert (found.verified, ids(found), found.recorded) == (True, [1, 3], 3)

    run(scenario)


def test_a_call_that_never_comes() -> None:
    """When the time is over the verdict is no, with what came instead; a settling time is not waited for."""

    async def scenario(store: Spied) -> None:
        await store.call_comes("Bye")
        found = await verify(store, asked(ONCE, within=0.05, settle=LONG))
        assert (found.verified, ids(found), nearest(found)) == (False, [], [1])
        await store.call_comes()  # a waiter that gave up is in nobody's way

    run(scenario)


@pytest.mark.parametrize("count", [ONCE, Count(0, 1)], ids=str)
def test_settling_catches_a_duplicate(count: Count) -> None:
    """One call too many is told as soon as it comes, not at the end."""

    async def scenario(store: Spied) -> None:
        (waiting,) = await started(store, asked(count, within=LONG, settle=LONG))
        await store.call_comes()
        await asyncio.sleep(0.01)
        await store.call_comes("Bye")
        await asyncio.sleep(0.01)
        assert not waiting.done()
        await store.call_comes()
        found = await waiting
        assert (found.verified, ids(found)) == (False, [1, 3])

    run(scenario)


def test_settling_ends_well() -> None:
    """Without one too many, the verdict after that time is yes; without a bound there is nothing to watch for."""

    async def scenario(store: Spied) -> None:
        await store.call_comes()
        assert (await verify(store, asked(ONCE, settle=0.05))).verified is True
        assert (await verify(store, asked(ANY, settle=LONG))).verified is True

    run(scenario)


def test_no_time_no_wait() -> None:
    """The default is a look at what is there now."""

    async def scenario(store: Spied) -> None:
        assert (await verify(store, asked(ONCE))).verified is False
        assert (await verify(store, asked(Count(0, 0)))).verified is True

    run(scenario)


@pytest.mark.parametrize(
    ("count", "verified"),
    [
        pytest.param(Count(2), True, id="enough-are-here"),
        pytest.param(Count(3), None, id="the-missing-one-may-be-gone"),
        pytest.param(Count(0), True, id="any-number"),
        pytest.param(Count(2, 2), None, id="one-too-many-may-be-gone"),
        pytest.param(Count(0, 5), None, id="many-may-be-gone"),
        pytest.param(Count(1, 1), False, id="too-many-are-here"),
        pytest.param(Count(0, 0), False, id="none-was-meant"),
    ],
)
def test_evicted_calls_leave_the_verdict_open(count: Count, verified: bool | None) -> None:
    """Of five calls three are kept, two of which fit; after a reset nothing is open any more."""

    async def scenario(store: Spied) -> None:
        for text in ("Bye", "Bye", "Hi", "Bye", "Hi"):
            await store.call_comes(text)
        found = await verify(store, asked(count))
        assert (found.verified, len(found.matched), found.evicted) == (verified, 2, 2)
        assert bool(found.nearest) is (verified is not True)
        await store.reset_account("one")
        assert (await verify(store, asked(Count(0, 0)))).verified is True

    run(scenario, calls=3)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A share of time that is over at once, and few calls taken at a time."""
    monkeypatch.setattr(checkpoint, "SHARE", 0)
    monkeypatch.setattr(verification, "CALLS_AT_ONCE", 40)


async def beside(looking: "asyncio.Task[Verdict]", work: Callable[[int], Awaitable[None]]) -> int:
    """Do something each time that others get their turn; returns how often they did."""
    count = 0
    while not looking.done():
        await asyncio.sleep(0)
        count += 1
        await work(count)
    return count


@pytest.mark.usefixtures("hurried")
def test_many_calls_are_looked_at_in_turns() -> None:
    """Other requests get theirs in between, and a call that comes then is seen without another one to wake us."""

    async def scenario(store: Spied) -> None:
        for _ in range(400):
            await store.call_comes("Bye")

        async def call_comes(turn: int) -> None:
            if turn == 2:
                assert store.asked == ["one"], "it is still at its first look"
                await store.call_comes()

        looking = asyncio.create_task(verify(store, asked(within=LONG)))
        assert await beside(looking, call_comes) >= 400 / CALLS_IN_A_ROW
        found = looking.result()
        assert (found.verified, ids(found), found.recorded) == (True, [401], 401)

    run(scenario)


@pytest.mark.usefixtures("hurried")
def test_a_failure_is_explained_in_turns() -> None:
    """To hold calls against what was expected, member by member, takes longest of all."""

    async def scenario(store: Spied) -> None:
        async def nothing(_turn: int) -> None: ...

        for _ in range(100):
            await store.call_comes("Bye")
        looking = asyncio.create_task(verify(store, asked()))
        assert await beside(looking, nothing) >= 100 / CALLS_IN_A_ROW + 100
        assert len(looking.result().nearest) == MAX_NEAREST

    run(scenario)


@pytest.mark.usefixtures("hurried")
def test_calls_that_come_and_go_while_others_have_their_turn() -> None:
    """What makes room before it was looked at is counted as evicted, not as found; nothing is found twice."""

    async def scenario(store: Spied) -> None:
        for _ in range(200):
            await store.call_comes()

        async def calls_come(turn: int) -> None:
            for _ in range(20 if turn < 6 else 0):
                await store.call_comes()

        looking = asyncio.create_task(verify(store, asked(ONCE)))
        await beside(looking, calls_come)
        found = looking.result()
        assert found.evicted == 100
        assert ids(found) == sorted(set(ids(found)))
        assert ids(found)[-100:] == list(range(201, 301))
        assert len(found.matched) < found.recorded == 300

    run(scenario, calls=200)


@pytest.mark.usefixtures("hurried")
def test_a_reset_while_others_have_their_turn() -> None:
    """The calls that are left are looked at, and those that come after it."""

    async def scenario(store: Spied) -> None:
        for _ in range(200):
            await store.call_comes("Bye")

        async def reset(turn: int) -> None:
            if turn == 3:
                await store.reset_account("one")
                await store.call_comes()

        looking = asyncio.create_task(verify(store, asked(ONCE)))
        await beside(looking, reset)
        assert (looking.result().verified, ids(looking.result())) == (True, [201])

    run(scenario)


def test_calls_answered_otherwise_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pattern is held against those calls alone whose answer is the one that was meant."""

    async def scenario(store: Spied) -> None:
        for number in range(300):
            await store.call_comes(answer="acme.send_sms/sent" if number % 100 == 0 else "acme.send_sms/busy")
        found = await verify(store, asked(Count(3), Expectation(answer="sent", pattern=HI.pattern)))
        assert (found.verified, ids(found), found.recorded) == (True, [1, 101, 201], 300)
        assert len(read) == 3

    read: list[bytes] = []

    def read_json(raw: bytes) -> Any:
        read.append(raw)
        return {"text": "Hi"}

    monkeypatch.setattr("mockserver.engine.expectation.read_json", read_json)
    run(scenario)


def test_calls_of_several_answers_are_found_in_order() -> None:
    """However they were answered, as long as it is what was meant."""

    async def scenario(store: Spied) -> None:
        for number in range(30):
            await store.call_comes(answer=f"acme.send_sms/{number % 4}", accepted=number % 4 > 0)
        found = await verify(store, asked(expectation=Expectation(accepted=True)))
        assert ids(found) == [number for number in range(1, 31) if (number - 1) % 4 > 0]

    run(scenario)


def test_several_wait_for_one_account() -> None:
    """One call wakes them all, each for what it asked."""

    async def scenario(store: Spied) -> None:
        bye = Expectation(pattern=Pattern({"body": {"text": "Bye"}}))
        one, another, third = await started(
            store, asked(within=LONG), asked(Count(2), within=LONG), asked(expectation=bye, within=LONG)
        )
        await store.call_comes()
        assert (await one).verified is True
        assert not another.done()
        await store.call_comes("Bye")
        assert (await third).verified is True
        await store.call_comes()
        assert ids(await another) == [1, 3]

    run(scenario)


def test_another_accounts_calls_wake_nobody() -> None:
    """Who waits for one account is not even asked to look."""

    async def scenario(store: Spied) -> None:
        mine, _ = tasks = await started(store, asked(within=LONG), asked(account="", within=LONG))
        store.asked.clear()
        for _ in range(3):
            await store.call_comes(account="two")
            await asyncio.sleep(0.01)
        assert store.asked == []
        await store.call_comes()
        await mine
        assert set(store.asked) == {"one"}
        tasks[1].cancel()

    run(scenario)


def test_a_reset_does_not_end_the_wait() -> None:
    """What comes after it is awaited as before."""

    async def scenario(store: Spied) -> None:
        await store.call_comes("Bye")
        (waiting,) = await started(store, asked(within=LONG))
        await store.reset_account("one")
        await store.call_comes()
        assert ids(await waiting) == [2]

    run(scenario)


def test_the_nearest_are_few_and_ranked() -> None:
    """Calls of the operation that was meant come first, then those with fewer differences, then later ones."""

    async def scenario(store: Spied) -> None:
        meant = Expectation(operation="acme.send_sms", answer="sent", pattern=Pattern({"body": {"text": "Hi"}}))
        await store.call_comes("far", answer="acme.send_sms/busy")
        await store.call_comes("early", answer="acme.send_sms/sent")
        await store.call_comes("late", answer="acme.send_sms/sent")
        await store.call_comes(operation="acme.ping", answer="acme.ping/sent")
        found = await verify(store, asked(expectation=meant))
        assert nearest(found) == [3, 2, 1]
        assert [[one.pointer for one in near.differences] for near in found.nearest[1:]] == [
            ["/body/text"],
            ["/answer", "/body/text"],
        ]
        assert len(found.nearest) == MAX_NEAREST

    run(scenario)


def test_the_nearest_are_sought_among_the_latest() -> None:
    """A long journal does not make a failure slow; what fits is not near."""

    async def scenario(store: Spied) -> None:
        await store.call_comes("one difference", answer="acme.send_sms/sent")
        for _ in range(CALLS_SEARCHED - 1):
            await store.call_comes("two", answer="acme.send_sms/busy")
        meant = Expectation(answer="sent", pattern=HI.pattern)
        await store.call_comes(answer="acme.send_sms/sent")
        found = await verify(store, asked(Count(2), meant))
        assert nearest(found) == [CALLS_SEARCHED - back for back in range(3)]

    run(scenario)


@pytest.mark.parametrize("kind", STORES)
def test_who_verifies_waits_for_calls_of_the_other_handle(kind: str, tmp_path: Path) -> None:
    """The verdict comes with the call, and counts each call once."""

    async def scenario() -> None:
        handles = STORES[kind](tmp_path, Bounds())
        for account in ("one", "two"):
            await handles.a.add_account(account, {})
        expectation = Expectation(operation=SEND)
        question = Asked("one", expectation, Count(least=2, most=2), within=60)
        verdict = asyncio.create_task(verify(handles.b, question))
        await asyncio.sleep(0)
        await handles.send(handles.a, "two")
        await handles.send(handles.a, "one")
        await asyncio.sleep(0)
        assert not verdict.done()
        await handles.send(handles.b, "one")
        found = await verdict
        assert (found.verified, len(found.matched), found.recorded) == (True, 2, 2)
        await handles.close()

    asyncio.run(asyncio.wait_for(scenario(), PATIENCE))
