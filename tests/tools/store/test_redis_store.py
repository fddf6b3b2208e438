"""Servers that share a Redis server: what each trouble of it, of them or between them may not do."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from mockserver.engine.call import RecordedCall
from mockserver.engine.clock import REAL
from mockserver.engine.effects import KeepRecord
from mockserver.engine.pin import PinState, Uses
from mockserver.engine.sources import Sources
from mockserver.spec.model import OperationSpec
from mockserver.store import agreement, redis_link
from mockserver.store.accounts import Registry
from mockserver.store.agreement import Agreement
from mockserver.store.journal import Query
from mockserver.store.kinds import StoreError, StoreUnavailableError
from mockserver.store.open_store import open_store
from mockserver.store.parts import StoreParts
from mockserver.store.redis_store import RedisStore
from mockserver.store.store import Store
from tests.engine.workbench import NOW, acme, recorded
from tests.redis_server import RedisServer, redis_server
from tests.store.stores import DELIVERED, SEND, Bounds, Handles, World, in_redis, message, open_shared, run
from tests.tools.store.shared import Group, picture, trips

PIN_NUMBERS = count()
RUN_SHIFT = 24


@pytest.fixture
def handles(redis_db: RedisServer, tmp_path: Path) -> Iterator[Handles]:
    """Two servers that have the account ``one``."""
    opened = in_redis(redis_db.url)(tmp_path, Bounds())
    run(opened.a.add_account("one", {}))
    run(opened.b.account("one"))
    yield opened
    run(opened.close())


async def sent(handle: Store, times: int = 1, account: str = "one") -> list[RecordedCall]:
    """Calls that are recorded, and known to have been sent."""
    calls = [recorded(account=account, received_at=NOW) for _ in range(times)]
    for call in calls:
        assert await handle.commit(call)
    return calls


async def numbers(handle: Store, account: str = "one") -> list[int]:
    """The numbers of an account's calls, oldest first."""
    return [call.number for call in (await handle.calls(Query(account=account))).calls][::-1]


async def until_found(work: Callable[[], Any]) -> Any:
    """What comes of some work, once the store gives an answer again."""
    while True:
        with suppress(StoreUnavailableError):
            return await work()
        await asyncio.sleep(0.02)


def test_racing_calls_use_a_pin_as_often_as_it_says(handles: Handles) -> None:
    """Of 60 requests at once, by both servers, 20 get the pin's answer: not one more or less."""

    async def scenario() -> None:
        await handles.a.put_pin(PinState("p", "one", SEND, ("busy",) * 20, ("busy",) * 20))
        decisions = await asyncio.gather(*(handles.send(handles.both[n % 2], "one") for n in range(60)))
        answers = [decision.call.answer for decision in decisions]
        assert sorted(answers) == [f"{SEND}/busy"] * 20 + [f"{SEND}/sent"] * 40
        assert sorted(await numbers(handles.b)) == sorted(decision.call.number for decision in decisions)

    run(scenario())


def test_a_call_takes_one_round_trip(handles: Handles, redis_db: RedisServer) -> None:
    """Those that come while one is under way share the next one."""

    async def scenario() -> None:
        one = await handles.message(handles.a, "one")
        before = trips(redis_db)
        for _ in range(10):
            call = (await handles.answered(handles.a, one)).call
            await handles.a.complete(call, "sent", 1.0)  # is told with the next
        assert trips(redis_db) - before <= 10 + await follows()
        before = trips(redis_db)
        await asyncio.gather(*(handles.answered(handles.a, one) for _ in range(50)))
        assert trips(redis_db) - before <= 3 + await follows()

    async def follows() -> int:
        """How often the other server may have asked what is new: once for each telling, and the checkpoints of both."""
        return 12

    run(scenario())


def test_functions_that_are_flushed_are_loaded_anew(handles: Handles, redis_db: RedisServer) -> None:
    """A call that was not run is sent again, and recorded once."""

    async def scenario() -> None:
        calls = await sent(handles.a)
        redis_db.do("FUNCTION", "FLUSH")
        calls += await sent(handles.b)
        redis_db.do("FUNCTION", "FLUSH")
        assert await numbers(handles.a) == [call.number for call in calls]

    run(scenario())


def test_functions_of_another_version_are_replaced(redis_db: RedisServer) -> None:
    """A server that starts brings its own."""
    redis_db.do("FUNCTION", "LOAD", OTHER_FUNCTIONS)

    async def scenario() -> None:
        store = open_shared(redis_db.url, Bounds(), World())
        assert await store.accounts() == ()
        await store.close()

    run(scenario())


OTHER_FUNCTIONS = """#!lua name=sms_mockserver
redis.register_function('sms_mockserver_open', function() return redis.error_reply('of another version') end)
"""


def test_an_unanswered_call_is_not_sent_again(
    handles: Handles, redis_db: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store runs it later, once: the client got no answer, the journal has it. All goes on afterwards."""
    monkeypatch.setattr(redis_link, "REDIS_ANSWER_SECONDS", 0.3)
    monkeypatch.setattr(Agreement, "_is_time_for_checkpoint", lambda _: False)  # which would meet the trouble first

    async def scenario() -> None:
        store = open_shared(redis_db.url, Bounds(), handles.world)
        await store.account("one")
        blocked = asyncio.create_task(asyncio.to_thread(redis_db.do, "EVAL", BUSY_FOR_A_SECOND, "0"))
        await asyncio.sleep(0.2)
        with pytest.raises(StoreUnavailableError, match=r"the store at redis://127\.0\.0\.1:\d+/0 gives no answer"):
            await sent(store)
        await blocked
        assert len(await until_found(lambda: numbers(store))) == len(await numbers(handles.b)) == 1
        await sent(store)
        assert len(await numbers(handles.b)) == 2
        await store.close()

    run(scenario())


BUSY_FOR_A_SECOND = """
local function now() local time = redis.call('TIME') return time[1] + time[2] / 1000000 end
local ending = now() + 1
while now() < ending do end
"""


def test_a_server_that_is_killed_comes_back_with_what_was_answered(tmp_path: Path) -> None:
    """Meanwhile the store says why it cannot be used; nothing has to be started again, and nothing was lost."""

    async def scenario(server: RedisServer) -> None:
        world = World()
        a, b = (open_shared(server.url, Bounds(), world) for _ in "ab")
        await a.add_account("one", {})
        calls = await sent(a) + await sent(b)
        server.kill()
        for store in (a, b):
            with pytest.raises(StoreUnavailableError, match="the store at redis://"):
                await sent(store)
            with pytest.raises(StoreUnavailableError, match="the store at redis://"):
                await store.calls(Query())
        server.start()
        assert await until_found(lambda: numbers(a)) == [call.number for call in calls]
        assert await until_found(lambda: numbers(b)) == [call.number for call in calls]
        calls += await sent(a)
        assert await numbers(b) == [call.number for call in calls]
        assert await a.evicted("one") == 0
        await a.close()
        await b.close()

    with redis_server(tmp_path) as server:
        run(scenario(server))


def test_an_emptied_server_is_no_empty_journal(handles: Handles, redis_db: RedisServer) -> None:
    """Accounts that were made are gone. Of the others, lost calls are counted; no number comes twice."""

    async def scenario() -> None:
        strays = await sent(handles.a, 3, account="") + await sent(handles.b, 2, account="")
        await sent(handles.a)
        await numbers(handles.b)
        redis_db.empty()
        assert await handles.a.account("one") is None
        assert await handles.b.account("one") is None
        assert await handles.a.evicted("") == await handles.b.evicted("") == 5
        later = await sent(handles.b, account="")
        assert await numbers(handles.a, "") == [later[0].number]
        assert later[0].number not in {call.number for call in strays}
        assert await handles.a.evicted("") == 5

    run(scenario())


def test_what_was_lost_is_lost_for_good(redis_db: RedisServer) -> None:
    """A store that is emptied again loses what it was told of the first time, and of what had made room."""

    async def scenario() -> None:
        small = Group(redis_db)
        a, b = (small.open(Bounds(calls=2)) for _ in "ab")
        await sent(a, 5, account="")
        assert await a.evicted("") == 3
        for _ in range(3):
            await numbers(b, "")
            redis_db.empty()
            assert await a.evicted("") == await b.evicted("") == 5
        assert (await a.figures()).evicted == (await b.figures()).evicted == 5
        await sent(b, account="")
        await a.reset_account("")
        assert await numbers(b, "") == []
        redis_db.empty()
        assert await b.evicted("") == await a.evicted("") == 0
        await small.close()

    run(scenario())


def test_what_was_decided_before_the_store_was_emptied_is_decided_again(
    handles: Handles, redis_db: RedisServer
) -> None:
    """It relies on accounts that are gone."""

    async def scenario() -> None:
        one, facts, decision = await handles.decided(handles.a, "one")
        redis_db.empty()
        assert not await handles.a.commit(decision.call, decision.uses, one, facts.version)
        assert (await handles.answered(handles.a, one)).call.account == ""

    run(scenario())


def test_a_store_that_went_back_is_told_from_what_it_was(tmp_path: Path) -> None:
    """It was started with an older copy of itself: the calls since are lost, and said to be; no number comes twice."""

    async def scenario(server: RedisServer) -> None:
        world = World()
        a, b = (open_shared(server.url, Bounds(), world) for _ in "ab")
        await a.add_account("one", {})
        kept = await sent(a, 2)
        await numbers(b)
        server.do("SAVE")
        lost = await sent(a, 3)
        server.kill()
        server.start()
        assert await until_found(lambda: numbers(b)) == [call.number for call in kept]
        first = await sent(b)  # which knows of none that is lost
        assert (await numbers(a))[:2] == [call.number for call in kept]
        assert await a.evicted("one") == await b.evicted("one") == 3
        later = first + await sent(a, 5)
        assert {call.number for call in later}.isdisjoint(call.number for call in lost)
        assert await numbers(a) == await numbers(b)
        await a.close()
        await b.close()

    with redis_server(tmp_path, lasts=False) as server:
        run(scenario(server))


def test_each_loss_is_counted(tmp_path: Path) -> None:
    """Also a smaller one after a reset; one that a reset has forgotten is not told again."""

    async def scenario(server: RedisServer) -> None:
        group = Group(server)
        a, b = group.open(), group.open()
        await sent(a, account="")
        await lose(server, a, 5)
        assert await until_found(lambda: a.evicted("")) == await until_found(lambda: b.evicted("")) == 5
        await a.reset_account("")
        assert await a.evicted("") == await b.evicted("") == 0
        await sent(a, account="")
        await lose(server, a, 3)
        assert await until_found(lambda: a.evicted("")) == await until_found(lambda: b.evicted("")) == 3
        await lose(server, a, 0)
        assert await until_found(lambda: a.evicted("")) == await until_found(lambda: b.evicted("")) == 3
        server.kill()  # with what was told of the last loss
        server.start()
        assert await until_found(lambda: a.evicted("")) == await until_found(lambda: b.evicted("")) == 3
        await group.close()

    with redis_server(tmp_path, lasts=False) as server:
        run(scenario(server))


async def lose(server: RedisServer, store: RedisStore, times: int) -> None:
    """So many calls are answered, and gone after a restart."""
    await store.settle()
    server.do("SAVE")
    await sent(store, times, account="")
    await store.settle()
    server.kill()
    server.start()


def test_a_loss_is_counted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that slept meanwhile tells of it when what others told stands in a checkpoint, even after a reset."""
    monkeypatch.setattr(Agreement, "_listen", never)

    async def scenario(server: RedisServer) -> None:
        group = Group(server)
        a, asleep = group.open(), group.open()
        await a.add_account("one", {})
        await sent(a)
        server.do("SAVE")
        lost = await sent(a, 3, account="") + await sent(a, 2)
        assert len(await numbers(asleep, "")) == 3
        server.kill()
        server.start()
        await until_found(lambda: a.evicted(""))
        await a.reset_account("one")
        await put_together(a)
        await put_together(a)  # so that what was told is in no entry of the log
        for store in (asleep, a, group.open()):
            assert await until_found(partial(store.evicted, "")) == len(lost) - 2
            assert await store.evicted("one") == 0
        assert len({str(await picture(store)) for store in group.stores}) == 1
        await a.clear_calls(None)
        assert [await store.evicted("") for store in group.stores] == [0, 0, 0]
        await a.remove_account("one")
        assert len({str(await picture(store)) for store in group.stores}) == 1
        await group.close()

    with redis_server(tmp_path, lasts=False) as server:
        run(scenario(server))


async def put_together(store: RedisStore) -> None:
    """Have a checkpoint made."""
    await sent(store, account="unlisted")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(agreement, "CHECKPOINT_CHANGES", 1)
        await store.account("one")


def test_a_store_that_is_lost_while_it_is_read(redis_db: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that could not read what there is now does not take it for what it knew."""
    together = redis_link.RedisLink.together

    async def cut_off(link: redis_link.RedisLink, *_: Any) -> Any:
        await link.close()
        monkeypatch.setattr(redis_link.RedisLink, "together", together)
        raise StoreUnavailableError("gives no answer")

    async def scenario() -> None:
        group = Group(redis_db)
        store = group.open()
        await sent(store, 3, account="")
        monkeypatch.setattr(redis_link.RedisLink, "together", cut_off)
        redis_db.empty()
        with suppress(StoreUnavailableError):
            await store.evicted("")
        assert await numbers(store, "") == []
        assert await store.evicted("") == 3
        await group.close()

    run(scenario())


def test_how_sending_ended_is_told_after_a_failure(
    handles: Handles, redis_db: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a lost connection nor a store without room keeps the others from knowing it."""

    async def scenario() -> None:
        call = recorded(account="one", received_at=NOW, outcome="pending")
        assert await handles.a.commit(call)
        redis_db.do("CLIENT", "KILL", "TYPE", "normal")
        await handles.a.complete(call, "sent", 1.0)
        with suppress(StoreUnavailableError):
            await handles.a.account("one")
        await until_found(a_of(handles).settle)
        assert await outcomes() == ["sent"]
        later = recorded(account="one", received_at=NOW, outcome="pending")
        assert await handles.a.commit(later)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(agreement, "MAX_WAITING_BYTES", 0)
            await handles.a.complete(later, "aborted", 1.0)
            await handles.a.account("one")
        await a_of(handles).settle()
        assert await outcomes() == ["aborted", "sent"]

    async def outcomes() -> list[str]:
        return [call.outcome for call in (await handles.b.calls(Query(account="one"))).calls]

    run(scenario())


async def never(_: Agreement) -> None:
    """Nobody listens."""
    await asyncio.sleep(0)


def test_a_server_that_has_fallen_behind(
    handles: Handles, redis_db: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By more changes than one answer has, or by what is no more in the log: it has all when it asks."""

    async def scenario() -> None:
        deaf = open_shared(redis_db.url, Bounds(calls=10_000), handles.world)
        with pytest.raises(StoreUnavailableError, match="other bounds"):
            await deaf.account("one")
        await deaf.close()
        monkeypatch.setattr(Agreement, "_listen", never)
        deaf = open_shared(redis_db.url, Bounds(), handles.world)
        await deaf.account("one")
        await asyncio.gather(*(sent(handles.a) for _ in range(2_500)))
        assert await numbers(deaf) == await numbers(handles.b)
        monkeypatch.setattr(agreement, "CHECKPOINT_CHANGES", 10)
        for _ in range(5):
            await sent(handles.a, 20)
        assert await picture(deaf) == await picture(a_of(handles))
        await deaf.close()

    run(scenario())


def a_of(handles: Handles) -> RedisStore:
    assert isinstance(handles.a, RedisStore)
    return handles.a


def test_a_store_without_room(handles: Handles, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody puts changes together, they may not fill the store; once somebody does, all goes on."""
    monkeypatch.setattr(agreement, "MAX_WAITING_BYTES", 4_000)
    monkeypatch.setattr(agreement, "CHECKPOINT_SECONDS", 0.2)

    async def scenario() -> None:
        with pytest.raises(StoreUnavailableError, match="has no room"):
            await sent(handles.a, 100)
        await until_found(lambda: sent(handles.b))

    run(scenario())


def test_clocks_of_hosts_that_differ(handles: Handles, redis_db: RedisServer) -> None:
    """The time is the store's, for servers whose hosts are seconds apart."""

    async def scenario() -> None:
        real = Sources.real()
        stores = [shifted(redis_db, seconds, real) for seconds in (-5.0, 5.0)]
        for store in stores:
            await store.account("one")
        (_, early), (_, late) = [await store.clock("one") for store in stores]
        assert abs(early - late) < 2
        assert abs(early - real.now()) < 2
        for store in stores:
            await store.close()

    run(scenario())


def shifted(server: RedisServer, seconds: float, real: Sources) -> RedisStore:
    """The store of a host whose clock is wrong."""
    return open_shared(server.url, Bounds(), ShiftedWorld(seconds, real), follows_time=True)


class ShiftedWorld(World):
    """A host's clock that is some seconds ahead."""

    def __init__(self, seconds: float, real: Sources) -> None:
        super().__init__()
        self._seconds, self._real = seconds, real

    def sources(self) -> Sources:
        return replace(self._real, now=lambda: self._real.now() + self._seconds)


def test_what_another_server_had_to_tell_is_told_when_it_is_gone(handles: Handles) -> None:
    """Whoever set it off is first; the others wait a second for it."""

    async def scenario() -> None:
        effect = KeepRecord("sent", "m1", {"id": "m1"}, (DELIVERED,), view={"account": {}, "owned": {}})
        call = recorded(account="one", vendor="acme", received_at=NOW)
        assert await handles.a.commit(call, Uses(effects=(effect,), counts=False))
        await handles.b.kept("one", "acme")
        assert await handles.a.next_due() == [("one", NOW + 10)]
        assert await handles.b.next_due() == [("one", NOW + 11)]
        handles.world.now += 12
        assert [step.step.name for step in await handles.b.run_due("one")] == ["delivered"]
        assert await handles.a.run_due("one") == []

    run(scenario())


def test_what_waits_for_an_account_goes_with_it_on_all_servers(handles: Handles) -> None:
    """A reset by one is told to whoever does something for the account on another, and a new clock."""

    async def scenario() -> None:
        forgotten: dict[str, list[str]] = {"a": [], "b": []}
        handles.a.on_forgotten, handles.b.on_forgotten = forgotten["a"].append, forgotten["b"].append
        woken = asyncio.Event()
        handles.b.begin_timekeeping = woken.set
        await handles.a.set_clock("one", REAL.advanced(NOW, 5))
        async with asyncio.timeout(10):
            await woken.wait()
        await handles.a.reset_account("one")
        await handles.b.account("one")
        assert forgotten == {"a": [], "b": ["one"]}

    run(scenario())


def test_numbers_of_a_sequence_are_one_servers(handles: Handles) -> None:
    """Two servers never take the same; one that has been given none yet says so."""

    async def scenario() -> None:
        taken = [one.sources.sequence() for one in handles.both for _ in range(3_000)]
        assert len(set(taken)) == len(taken)

    run(scenario())
    fresh = open_shared("redis://127.0.0.1:1/0", Bounds(), handles.world)
    with pytest.raises(StoreUnavailableError, match="has given no numbers yet"):
        fresh.sources.sequence()


def test_texts_that_are_no_utf_8(handles: Handles) -> None:
    """They come to the other server as they are."""

    async def scenario() -> None:
        call = recorded(account="one", path="/\ud800", body=b"\xff\x00")
        await handles.a.commit(call)
        found = await handles.b.call(call.number)
        assert found is not None
        assert (found.path, found.body) == ("/\ud800", b"\xff\x00")

    run(scenario())


def test_after_its_end_a_store_says_so(redis_db: RedisServer) -> None:
    """Nobody waits for ever."""

    async def scenario() -> None:
        store = open_shared(redis_db.url, Bounds(), World())
        assert not store.reads_kept(acme_send())
        store.wake_timekeeper()
        store.end_waits()
        await store.add_account("one", {})
        await store.wait_for_call("one", 60)
        await store.close()
        with pytest.raises(StoreUnavailableError, match="is closed, as its server has ended"):
            await store.account("one")
        await store.close()

    run(scenario())


def test_a_server_ends_though_its_store_hangs(redis_db: RedisServer) -> None:
    """It waits half a second for what it has still to tell, not for as long as a call waits for its answer."""

    async def scenario() -> None:
        store = open_shared(redis_db.url, Bounds(), World())
        await store.open()
        await sent(store, account="")
        blocked = asyncio.create_task(asyncio.to_thread(redis_db.do, "EVAL", BUSY_FOR_A_SECOND, "0"))
        await asyncio.sleep(0.2)
        (call,) = [recorded(account="", outcome="pending")]
        waiting = asyncio.create_task(store.commit(call))
        await asyncio.sleep(0)
        await store.close()
        assert not blocked.done(), "the store has not answered yet"
        with pytest.raises(StoreUnavailableError, match="is closed, as its server has ended"):
            await waiting
        await blocked

    run(scenario())


def test_a_store_that_hangs_is_waited_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By those that have come meanwhile, too; others are told at once, until it gives answers again, without a call."""
    monkeypatch.setattr(redis_link, "REDIS_ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(agreement, "HANGING_SECONDS", 0.2)
    monkeypatch.setattr(agreement, "TRY_AGAIN_SECONDS", 0.1)

    async def scenario(server: RedisServer) -> None:
        store = open_shared(server.url, Bounds(), World())
        told = asyncio.Queue[str]()
        store.condition.tell = told.put_nowait
        await store.open()
        server.hang()
        first = asyncio.create_task(sent(store, account=""))
        await asyncio.sleep(0.1)
        with pytest.raises(StoreUnavailableError, match="gives no answer"):
            await sent(store, account="")
        assert first.done(), "who came later has waited as long as the first"
        for ask in (lambda: sent(store, account=""), store.check, store.accounts):
            asking = asyncio.create_task(ask())
            await asyncio.sleep(0)
            assert asking.done(), "whoever comes now is told at once"
            assert isinstance(asking.exception(), StoreUnavailableError)
        assert isinstance(first.exception(), StoreUnavailableError)
        assert (await store.figures()).accounts == 0
        assert (await told.get()).endswith("; until the store can be used again, calls get 503")
        server.go_on()
        async with asyncio.timeout(20):
            assert await told.get() == "the store can be used again"
        await store.check()
        await store.close()

    with redis_server(tmp_path) as server:
        run(scenario(server))


def test_a_store_that_goes_is_told_though_nobody_calls(tmp_path: Path) -> None:
    """And that it is back."""

    async def scenario(server: RedisServer) -> None:
        store = open_shared(server.url, Bounds(), World())
        told = asyncio.Queue[str]()
        store.condition.tell = told.put_nowait
        await store.add_account("one", {})
        assert store.condition.commits > 0
        server.kill()
        async with asyncio.timeout(20):
            assert (await told.get()).startswith("the store at redis://")
            server.start()
            assert await told.get() == "the store can be used again"
        assert (await store.figures()).accounts == 1
        await store.close()

    with redis_server(tmp_path) as server:
        run(scenario(server))


def test_a_store_that_is_gone_at_the_start_is_found_later(tmp_path: Path) -> None:
    """The server begins nevertheless, and works as soon as the store does."""

    async def scenario(server: RedisServer) -> None:
        server.kill()
        store = open_shared(server.url, Bounds(), World())
        await store.open()
        with pytest.raises(StoreUnavailableError, match="cannot be reached"):
            await store.facts(message("key", "line"))
        assert (await store.figures()).accounts == 0
        server.start()
        await store.add_account("one", {})
        await store.close()

    with redis_server(tmp_path) as server:
        run(scenario(server))


def test_a_change_that_cannot_be_followed(handles: Handles, redis_db: RedisServer) -> None:
    """Something else writes into the store: it is told, and no answer rests on what is left."""

    async def scenario() -> None:
        redis_db.do("HINCRBY", redis_link.META, "head", "1")
        redis_db.do("XADD", redis_link.LOG, f"{2}-0", "e", "nonsense")
        with pytest.raises(StoreUnavailableError, match="cannot be followed: "):
            await handles.b.account("one")
        with pytest.raises(StoreUnavailableError, match="cannot be followed: "):
            await handles.a.calls(Query())

    run(scenario())


def test_a_store_that_a_server_opens(redis_db: RedisServer) -> None:
    """With the time of the store, which has to have been made with the same bounds."""

    async def scenario(store: Store) -> None:
        await store.open()
        assert await store.accounts() == ()
        await store.close()

    parts = StoreParts((acme(),), Registry((acme(),)), Sources.real())
    run(scenario(open_store(redis_db.url, parts)))
    run(scenario(open_store(redis_db.url, parts)))
    with pytest.raises(StoreError, match=r"other bounds .* than ours .*: start all with the same, or empty the store"):
        open_store(redis_db.url, replace(parts, max_accounts=5))


def test_a_store_of_another_version(redis_db: RedisServer) -> None:
    """It is not read."""

    async def scenario() -> None:
        store = open_shared(redis_db.url, Bounds(), World())
        await store.open()
        await store.close()
        redis_db.do("HSET", redis_link.META, "format", "999")
        store = open_shared(redis_db.url, Bounds(), World())
        with pytest.raises(StoreUnavailableError, match="was made by another version of mockserver"):
            await store.accounts()
        await store.close()

    run(scenario())


def test_what_accounts_keep_is_asked_of_the_store(handles: Handles, monkeypatch: pytest.MonkeyPatch) -> None:
    """An operation that reads what another server has kept a moment ago finds it."""
    monkeypatch.setattr(OperationSpec, "reads_kept", property(lambda _: True))

    async def scenario() -> None:
        effect = KeepRecord("sent", "m1", {"id": "m1"}, view={"account": {}, "owned": {}})
        call = recorded(account="one", vendor="acme", received_at=NOW)
        assert await handles.a.commit(call, Uses(effects=(effect,), counts=False))
        one = await handles.message(handles.b, "one")
        facts = await handles.b.facts(one)
        assert facts.kept["one"]["sent"] == {"m1": {"id": "m1"}}
        assert handles.b.reads_kept(one.operation)

    run(scenario())


def acme_send() -> Any:
    from tests.engine.workbench import operation  # noqa: PLC0415 -- read late, as its contract is

    return operation("send_sms")


def test_every_method_asks_the_store() -> None:
    """None is left that would look at a memory of its own."""
    inherited = [name for name in vars(Store) if not name.startswith("_") and name not in vars(RedisStore)]
    assert inherited == []
