"""What a store in a file remembers when its process starts again."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule

from mockserver.coverage.tally import Tally
from mockserver.engine.call import pack_more
from mockserver.engine.callback import OutgoingRequest
from mockserver.engine.clock import REAL, Sight
from mockserver.engine.effects import ChangeRecord, DueStep, ForgetRecord, KeepRecord
from mockserver.engine.engine import Engine
from mockserver.engine.facts import Limit
from mockserver.engine.fault import read_fault
from mockserver.engine.message import RECEIVED, Message
from mockserver.engine.pin import PinState, Uses, literal
from mockserver.matching.pattern import Pattern
from mockserver.spec.pointer import Pointer
from mockserver.store import durable, record_list, records, switches
from mockserver.store.accounts import Registry
from mockserver.store.durable import DurableStore
from mockserver.store.journal import Query
from mockserver.store.kinds import StoreError
from mockserver.store.parts import StoreParts
from mockserver.store.rows import pin_value
from tests.engine.workbench import NOW, acme, recorded
from tests.store.stores import SEND, Bounds, Handles, World, callback_spec, in_a_file, open_file, run
from tests.store.test_contract_machine import BOUNDS, TwoHandles

VIEW: dict[str, Any] = {"account": {}, "owned": {}}


@dataclass
class Machine:
    """One process after another with the same file."""

    path: Path
    bounds: Bounds
    world: World
    store: DurableStore

    @property
    def handles(self) -> Handles:
        return Handles(self.store, self.store, self.world, Engine((acme(),), self.world.sources()))

    async def restart(self, bounds: Bounds | None = None) -> DurableStore:
        """The store of the next process."""
        await self.store.close()
        self.store = open_file(self.path, bounds or self.bounds, self.world)
        return self.store


@contextmanager
def machine_in(folder: Path, bounds: Bounds) -> Iterator[Machine]:
    world = World()
    machine = Machine(folder / "calls.db", bounds, world, open_file(folder / "calls.db", bounds, world))
    yield machine
    run(machine.store.close())


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """A store with the accounts ``one`` and ``two``."""
    with machine_in(tmp_path, Bounds()) as machine:
        for name in ("one", "two"):
            run(machine.store.add_account(name, {}))
        yield machine


def test_accounts(machine: Machine) -> None:
    """Their values, when they were made, in which order; one that was removed stays away, a clash is still one."""

    async def scenario() -> None:
        await machine.store.add_account("three", {}, test="t::three")
        before = {account.id: account.vendors for account in await machine.store.accounts()}
        one = await machine.handles.message(machine.store, "one")
        machine.world.now += 10
        await machine.store.remove_account("two")
        store = await machine.restart()
        del before["two"]
        assert {account.id: account.vendors for account in await store.accounts()} == before
        assert await store.born("one") == NOW
        assert (await store.facts(one)).claimant(one.claims) is await store.account("one")
        await machine.handles.send(store, "three")
        assert list((await store.coverage("three")).answers[f"{SEND}/sent"].tests) == ["t::three"]
        store = await machine.restart()
        assert list((await store.coverage("three")).answers[f"{SEND}/sent"].tests) == ["t::three"]

    run(scenario())


def test_the_account_that_is_idle_longest_is_still_known(machine: Machine) -> None:
    """By when it was made, or by its last call; more than there may be now make room."""

    async def scenario() -> None:
        machine.world.now += 10
        await machine.handles.send(machine.store, "one")
        store = await machine.restart(Bounds(accounts=2))
        await store.add_account("three", {})
        assert [account.id for account in await store.accounts()] == ["one", "three"]
        store = await machine.restart(Bounds(accounts=1))
        assert [account.id for account in await store.accounts()] == ["three"]
        store = await machine.restart()
        assert [account.id for account in await store.accounts()] == ["three"]
        assert (await store.calls(Query(account="one"))).calls == ()

    run(scenario())


def test_an_account_of_the_start_has_its_id_and_another_vendor_its_values(tmp_path: Path) -> None:
    """An account that the settings have now is theirs; values that somebody has now are refused in one line."""
    path, world = tmp_path / "calls.db", World()

    def opened(registry: Registry) -> DurableStore:
        return DurableStore(path, StoreParts((acme(),), registry, world.sources()))

    async def scenario() -> None:
        store = opened(Registry((acme(),)))
        made = await store.add_account("one", {"acme": {"name": "made while serving"}})
        line = made.vendors["acme"]["lines"][0]
        await effect(store, ChangeRecord(line, ("open",), value=False))
        key = (await store.add_account("two", {})).vendors["acme"]["key"]
        await store.close()
        registry = Registry((acme(),))
        registry.add("one", {"acme": {"name": "of the settings", "lines": []}})
        store = opened(registry)
        one = await store.account("one")
        assert one is not None
        assert one.vendors["acme"]["name"] == "of the settings"
        await store.close()
        registry = Registry((acme(),))
        registry.add("other", {"acme": {"key": key}})
        with pytest.raises(StoreError, match=r"calls\.db has an account that cannot be had here: /vendors/acme/key"):
            opened(registry)
        store = opened(Registry((acme(),)))  # what was refused holds no lock
        await store.close()

    run(scenario())


def test_contracts_that_come_and_go(tmp_path: Path) -> None:
    """Without a contract an account is without that vendor's part; a new contract gives it values that stay."""
    path, world = tmp_path / "calls.db", World()

    async def vendors(*contracts: Any) -> Any:
        store = DurableStore(path, StoreParts(contracts, Registry(contracts), world.sources()))
        if await store.account("one") is None:
            await store.add_account("one", {})
        account = await store.account("one")
        await store.close()
        assert account is not None
        return account.vendors

    async def scenario() -> None:
        assert await vendors() == {}
        made = await vendors(acme())
        assert await vendors(acme()) == made
        assert await vendors() == {}
        assert await vendors(acme()) == made

    run(scenario())


def test_calls(machine: Machine) -> None:
    """Every call, how it ended, under the same number; numbers go on rising, also where the last calls are gone."""

    async def scenario() -> None:
        call = recorded(
            account="one", vendor="acme", answer="a", notes='["ü"]', path="/ü", body=b"\xff", outcome="pending"
        )
        await machine.store.commit(call)
        await machine.store.complete(call, "sent", 2.5)
        stray = recorded(more=pack_more(url="x"), problems='[["invalid", "", "", ""]]', recipient="+1")
        await machine.store.commit(stray)
        last = recorded(account="two")
        await machine.store.commit(last)
        await machine.store.clear_calls("two")
        store = await machine.restart()
        assert await store.call(call.number) == call
        assert await store.call(stray.number) == stray
        assert (await store.calls(Query())).calls == (stray, call)
        assert [one.number for one in (await store.calls(Query(vendor="acme"))).calls] == [call.number]
        after = recorded(account="one")
        await store.commit(after)
        assert after.number == last.number + 1

    run(scenario())


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(text="\ud800\0ü\U0001f600", body=b"")
@given(text=st.text(st.characters(exclude_categories=()), max_size=8), body=st.binary(max_size=8))
def test_any_text(machine: Machine, text: str, body: bytes) -> None:
    """Also one with lone surrogates, which is no UTF-8, or with zeros."""

    async def scenario() -> None:
        call = recorded(account="one", recipient=text, path=text, notes=text, method=text, body=body, headers=body)
        assert await machine.store.commit(call, Uses(effects=(KeepRecord("texts", text, {text: text}),), counts=False))
        await machine.store.put_limit("one", text, Limit(1, 60))
        store = await machine.restart()
        assert await store.call(call.number) == call
        assert (await store.kept("one", ""))["texts"][text] == {text: text}
        assert [operation for operation, _, _ in await store.budgets("one")] == [text]
        await store.put_limit("one", text, None)
        assert await (await machine.restart()).budgets("one") == []

    run(scenario())


def test_bounds_hold_and_what_was_evicted_stays_counted(machine: Machine) -> None:
    """A call that made room does not come back; with less room now more of them go, also from the file."""

    async def scenario() -> None:
        store = await machine.restart(Bounds(calls=5))
        calls = [recorded(account="one") for _ in range(8)]
        for call in calls:
            await store.commit(call)
        store = await machine.restart(Bounds(calls=5))
        page = await store.calls(Query(account="one"))
        assert ([call.number for call in page.calls], page.evicted) == ([one.number for one in calls[:2:-1]], 3)
        store = await machine.restart(Bounds(calls=2))
        assert (await store.calls(Query(account="one"))).evicted == 6
        store = await machine.restart()
        page = await store.calls(Query(account="one"))
        assert ([call.number for call in page.calls], page.evicted) == ([one.number for one in calls[:5:-1]], 6)
        await store.clear_calls(None)
        assert await (await machine.restart()).evicted("one") == 0

    run(scenario())


def test_some_calls_cleared(machine: Machine) -> None:
    """Those of a label go, the others stay."""

    async def scenario() -> None:
        for vendor in ("acme", "", "acme"):
            await machine.store.commit(recorded(account="one", vendor=vendor))
        await machine.store.clear_calls("one", lambda label: label.vendor == "acme")
        store = await machine.restart()
        assert [call.vendor for call in (await store.calls(Query(account="one"))).calls] == [""]

    run(scenario())


SCHEMA = {"type": "object", "required": ["to"]}
WHOLE = PinState(
    id="p-whole",
    account="one",
    reach=SEND,
    entries=("sent", None, literal(418, {"X-A": "ü".encode().decode("latin-1")}, {"a": ["ü", 1]})),
    written=("sent", "rules", {"status": 418}),
    then="last",
    fault=read_fault({"kind": "delay", "uniform": [0, 0.5], "times": None, "seed": 3}),
    pattern=Pattern(
        {"json": {"to": 1}},
        ((Pointer(("body",)), jsonschema_rs.validator_for(SCHEMA), SCHEMA), (Pointer(("body", "x")), None, False)),
    ),
    changes=((Pointer(("body", "id")), "x"),),
    force=True,
    course="delivered",
    made_at=NOW,
    size=700,
)


def test_pins(machine: Machine) -> None:
    """Whole, with what is left of them, in their order; those that were used up can still be asked for."""

    async def scenario() -> None:
        store = machine.store
        await store.put_pin(WHOLE)
        twice, once, gone = [PinState(f"p-{n}", "two", SEND, ("busy",) * n, ("busy",) * n) for n in (2, 1, 3)]
        for pin in (twice, once, gone):
            await store.put_pin(pin)
        await store.remove_pins("two", SEND, gone.id)
        for _ in range(3):
            assert (await machine.handles.send(store, "two")).call.answer == f"{SEND}/busy"
        last = PinState("p-last", "two", SEND, ("busy",) * 2, ("busy",) * 2)
        await store.put_pin(last)
        await machine.handles.send(store, "two")
        shown = [pin_value(pin) for pin in await store.pins(None)]
        retired = {pin: await store.retired_pin("two", pin.id) for pin in (twice, once, gone)}
        store = await machine.restart()
        assert [pin_value(pin) for pin in await store.pins(None)] == shown
        assert await store.pin_bytes() == WHOLE.size, "what a bound counts"
        (whole,) = await store.pins("one")
        assert whole.pattern.fits({"json": {"to": 1}, "body": {"to": 1}})
        assert not whole.pattern.fits({"json": {"to": 1}, "body": {}})
        for pin, was in retired.items():
            found = await store.retired_pin("two", pin.id)
            assert found is not None
            assert was is not None
            assert pin_value(found) == pin_value(was)
        await store.put_pin(replace(last, id="p-more"), replaces=True)
        assert (await machine.handles.send(store, "two")).call.answer == f"{SEND}/busy"
        assert [pin.id for pin in await store.pins("two")] == ["p-more"]
        await store.remove_pins(None)
        assert await (await machine.restart()).pins(None) == []
        assert not {"pin", "use"} & set(await rows_of(machine))

    run(scenario())


def test_a_pin_of_callbacks_that_struck(machine: Machine) -> None:
    """It does not strike again in the next process."""

    async def scenario() -> None:
        callback = callback_spec()
        request = OutgoingRequest(callback, "one", "http://localhost/", b"", b"{}", 1, 0)
        assert await machine.store.strike_callback(request) is None
        await machine.store.put_pin(PinState("p-lost", "one", callback.id, (), (), fault=read_fault({"kind": "lost"})))
        assert await machine.store.strike_callback(request) is not None
        await machine.store.meet_callback("one", callback, "")
        store = await machine.restart()
        assert await store.strike_callback(request) is None
        assert (await store.coverage("one")).answers[callback.request.id].natural == 1

    run(scenario())


def test_clocks_limits_sights_and_seeds(machine: Machine) -> None:
    """The time of an account, what is left of its limits, when its tokens came, how many ids it has drawn."""

    async def scenario() -> None:
        store, handles = machine.store, machine.handles
        await store.set_clock("one", REAL.advanced(NOW, 60).frozen(NOW, None))
        await store.put_limit("one", SEND, Limit(2, 60))
        await store.put_limit("two", SEND, Limit(5, 60))
        await store.put_limit("two", SEND, None)
        await handles.send(store, "one")
        await store.add_account("seeded", {}, seed=7)
        first = (await handles.send(store, "seeded")).call.response_body
        sights = (("two", b"\x00d", Sight(NOW - 5, is_own=True)),)
        await store.commit(recorded(account="two"), Uses(sights=sights, counts=False))
        clock = await store.clock("one")
        store = await machine.restart()
        handles = machine.handles
        assert await store.clock("one") == clock
        assert await store.budgets("two") == []
        ((_, _, budget),) = await store.budgets("one")
        assert (budget.remaining, budget.limit) == (1, Limit(2, 60))
        assert await store.newest_token("two") == NOW - 5
        second = (await handles.send(store, "seeded")).call.response_body
        assert second != first
        store = await machine.restart()
        await store.reset_account("seeded")
        assert (await machine.handles.send(store, "seeded")).call.response_body == first
        await store.reset_account("one")
        await store.reset_account("two")
        store = await machine.restart()
        assert await store.clock("one") == (REAL, NOW)
        assert await store.budgets("one") == []
        assert await store.newest_token("two") == 0
        assert (await store.calls(Query(account="one"))).calls == ()

    run(scenario())


def test_another_limit_counts_anew(machine: Machine) -> None:
    """Also after a restart."""

    async def scenario() -> None:
        await machine.store.put_limit("one", SEND, Limit(2, 60))
        await machine.handles.send(machine.store, "one")
        await machine.store.put_limit("one", SEND, Limit(2, 60))
        ((_, _, budget),) = await (await machine.restart()).budgets("one")
        assert budget.remaining == 2

    run(scenario())


async def keep(store: DurableStore, key: str, **record: Any) -> None:
    effect = KeepRecord("sent", key, {"id": key, **record}, (), view=VIEW)
    assert await store.commit(recorded(account="one", vendor="acme"), Uses(effects=(effect,), counts=False))


async def keep_with_steps(store: DurableStore, key: str) -> None:
    """Keep two records that go through two steps; one of these gives their messages a state."""
    steps = (DueStep("delivered", 1, "delivered", (("state", lambda _: "delivered"),)), DueStep("unseen", 2, None, ()))
    for name in (f"{key}x", key):
        kept = KeepRecord("sent", name, {"id": name}, steps, view=VIEW)
        await store.commit(recorded(account="one", vendor="acme", received_at=NOW), Uses(effects=(kept,), counts=False))


async def effect(store: DurableStore, *effects: Any) -> None:
    assert await store.commit(recorded(account="one", vendor="acme"), Uses(effects=effects, counts=False))


def test_records(machine: Machine) -> None:
    """In their order, as they were changed; those that were deleted stay so. What accounts were born with, too."""

    async def scenario() -> None:
        store = machine.store
        for key in ("m1", "m2", "m3"):
            await keep(store, key, state="new", deep=[{"x": 1}])
        kept = (await store.kept("one", "acme"))["sent"]
        await effect(store, ChangeRecord(kept["m2"], ("deep", "0", "x"), 2), ForgetRecord("sent", kept["m1"]))
        await keep(store, "m2", state="again")
        one = await store.account("one")
        assert one is not None
        await effect(store, ChangeRecord(one.vendors["acme"]["lines"][0], ("open",), value=False))
        await effect(store, ChangeRecord({"a": 1}, ("a",), 2))  # nothing that lasts
        step = DueStep("delivered", 9, "delivered", (), place="where a contract has it")
        for _ in range(2):
            await effect(store, KeepRecord("stepping", "s", {"id": "s"}, (step,), view=VIEW))
        assert (await rows_of(machine)).count("step") == 1, "those of the first record are gone with it"
        store = await machine.restart()
        kept = (await store.kept("one", "acme"))["sent"]
        assert list(kept.items()) == [
            ("m3", {"id": "m3", "state": "new", "deep": [{"x": 1}]}),
            ("m2", {"id": "m2", "state": "again"}),
        ]
        assert (await machine.handles.send(store, "one")).call.answer == f"{SEND}/closed"
        await effect(store, ChangeRecord(kept["m3"], ("state",), "changed"))
        store = await machine.restart()
        assert (await store.kept("one", "acme"))["sent"]["m3"]["state"] == "changed"
        await store.reset_account("one")
        assert (await machine.handles.send(store, "one")).call.answer == f"{SEND}/sent"
        store = await machine.restart()
        assert not (await store.kept("one", "acme")).get("sent")
        assert (await machine.handles.send(store, "one")).call.answer == f"{SEND}/sent"

    run(scenario())


def test_messages_and_the_callbacks_of_them(machine: Machine) -> None:
    """What subscribers sent, what it left, which callbacks told of it; no later call has a message's number."""

    async def scenario() -> None:
        message = Message("one", "acme", "inbound", "+1", "+2", "Hi \ud800", RECEIVED, 0, 0, NOW)
        left = KeepRecord("inbox", "k", {"id": "k"}, view=VIEW)
        message = await machine.store.receive(message, (left,))
        callback = recorded(account="one", direction="out", more=pack_more(cause=message.call))
        await machine.store.commit(callback)
        await machine.store.receive(msgspec.structs.replace(message, text="Hi again"), ())
        kept = await machine.store.kept("one", "acme")
        await effect(machine.store, KeepRecord("inbox", "gone", {"id": "gone"}, view=VIEW))
        forget = ForgetRecord("inbox", kept["inbox"]["gone"])
        last = await machine.store.receive(msgspec.structs.replace(message, text="forgets"), (forget,))
        await machine.store.clear_calls("two")
        store = await machine.restart()
        assert [one.text for one in await store.received("one")] == ["Hi \ud800", "Hi again", "forgets"]
        assert (await store.received("one"))[0] == message
        assert await store.caused_by("one", message.call) == [callback.number]
        assert list((await store.kept("one", "acme"))["inbox"]) == ["k"]
        after = recorded(account="one")
        await store.commit(after)
        assert after.number == last.call + 1

    run(scenario())


def test_no_list_in_the_file_grows_without_bound(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records, messages, first sights and values counted by make room in the file as they do in memory."""
    for module in (durable, record_list, records):
        monkeypatch.setattr(module, "MAX_RECORDS", 3)
    for module in (durable, switches):
        monkeypatch.setattr(module, "MAX_FIRST_SIGHTS", 3)
        monkeypatch.setattr(module, "MAX_COUNTED_VALUES", 3)
    monkeypatch.setattr(switches, "MAX_RETIRED_PINS", 3)

    async def scenario() -> None:
        store = await machine.restart()
        await store.put_limit("one", "", Limit(9, 60))
        for turn in range(5):
            await keep(store, f"m{turn}")
            await store.receive(Message("one", "acme", "inbound", None, None, f"{turn}", RECEIVED, 0, 0, NOW), ())
            sight = ("one", bytes([turn]), Sight(NOW + turn, is_own=False))
            await store.commit(recorded(account="one", received_at=NOW), Uses(sights=(sight,), limit_key=f"k{turn}"))
            pin = PinState(f"p-{turn}", "one", SEND, ("busy",), ("busy",))
            await store.put_pin(pin)
            await store.remove_pins("one", SEND, pin.id)
        for turn in range(2):
            await keep_with_steps(store, f"n{turn}")
            await store.set_clock("one", REAL.advanced(NOW, 100 * turn + 100))
            assert [step.step.name for step in await store.run_due("one")] == ["delivered"] * 2 + ["unseen"] * 2
        rows = await rows_of(machine)
        kinds = ("kept", "received", "sight", "counted", "retired", "state")
        assert {kind: rows.count(kind) for kind in kinds} == dict.fromkeys(kinds, 3)
        store = machine.store
        kept = (await store.kept("one", "acme"))["sent"]
        assert [(key, record.get("state")) for key, record in kept.items()] == [
            ("n0", "delivered"),
            ("n1x", "delivered"),
            ("n1", "delivered"),
        ]
        assert [message.text for message in await store.received("one")] == ["2", "3", "4"]
        assert sorted(key for _, key, _ in await store.budgets("one")) == ["k2", "k3", "k4"]
        assert await store.newest_token("one") == NOW + 4

    run(scenario())


def test_steps_go_with_their_record(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record that made room leaves no step in the file, though the clock stands still."""
    monkeypatch.setattr(record_list, "MAX_RECORDS", 3)

    async def scenario() -> None:
        await machine.store.set_clock("one", REAL.frozen(NOW, NOW))
        steps = (DueStep("delivered", 1, None, (), "acme.send/sent#0/delivered"),)
        for turn in range(5):
            kept = KeepRecord("sent", f"m{turn}", {"id": turn}, steps, view=VIEW)
            await effect(machine.store, kept)
        assert (await rows_of(machine)).count("step") == 3

    run(scenario())


def test_large_records_make_room_in_the_file(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large one counts for several, before a restart and after it."""
    monkeypatch.setattr(record_list, "MAX_RECORDS", 9)

    async def scenario() -> None:
        text = "x" * 3 * record_list.ROOM_BYTES
        for turn in range(4):
            kept = KeepRecord("sent", f"m{turn}", {"id": turn, "text": text}, (), view=VIEW)
            call = recorded(account="one", vendor="acme", body=text.encode())
            await machine.store.commit(call, Uses(effects=(kept,), counts=False))
        assert (await rows_of(machine)).count("kept") == 2
        await keep(machine.store, "small")
        await keep(machine.store, "other")
        assert list((await machine.store.kept("one", "acme"))["sent"]) == ["m3", "small", "other"]

    run(scenario())


async def rows_of(machine: Machine) -> list[str]:
    """The kinds of the rows of the file's state."""
    await machine.store.close()
    with closing(sqlite3.connect(machine.path)) as db:
        kinds = [kind for (kind,) in db.execute("SELECT kind FROM state ORDER BY id")]
    machine.store = open_file(machine.path, machine.bounds, machine.world)
    return kinds


def test_a_window_that_slides_leaves_no_rows(machine: Machine) -> None:
    """A limit's counted requests are gone from the file when the window has passed them."""

    async def scenario() -> None:
        await machine.store.put_limit("one", SEND, Limit(3, 60))
        for _ in range(6):
            await machine.handles.send(machine.store, "one")
            machine.world.now += 61
        assert (await rows_of(machine)).count("counted") == 1

    run(scenario())


def test_coverage(machine: Machine) -> None:
    """What was met stays met, also by accounts that are gone since."""

    async def scenario() -> None:
        for _ in range(2):
            for name in ("one", "two"):
                await machine.handles.send(machine.store, name)
            store = await machine.restart()
        before: Tally = await store.coverage(None)
        assert before.answers[f"{SEND}/sent"].natural == 4
        await store.remove_account("two")
        assert (await store.coverage(None)).answers == before.answers
        store = await machine.restart()
        assert (await store.coverage(None)).answers == before.answers
        assert (await store.coverage("one")).answers[f"{SEND}/sent"].natural == 2
        assert (await rows_of(machine)).count("met") == 2

    run(scenario())


def test_ids_of_a_sequence_do_not_come_again(tmp_path: Path) -> None:
    """Whatever a process had taken of it, the next one goes on after that."""
    path, world = tmp_path / "calls.db", World()

    def draw() -> tuple[int, int]:
        store = open_file(path, Bounds(), world)
        drawn = store.sources.sequence(), store.sources.sequence()
        run(store.close())
        return drawn

    assert [draw(), draw()] == [(9001, 9002), (10_001, 10_002)]


class Restarted(TwoHandles):
    """The same random use of a store, which is closed and opened again in between."""

    opening = staticmethod(in_a_file)

    @rule()
    def restart(self) -> None:
        self.on_their_way.clear()
        self.run(self.handles.close())
        self.handles = in_a_file(Path(self.folder.name), BOUNDS)


def test_random_use() -> None:
    """Whatever is done, after a restart it is as one store would have it."""
    Restarted.TestCase.settings = settings(
        deadline=None, database=None, derandomize=True, max_examples=6, stateful_step_count=40
    )
    Restarted.TestCase().runTest()


async def soon(machine: Machine, sql: str) -> list[Any]:
    """Rows of the file, once what nobody waits for is written."""
    for _ in range(5):
        await asyncio.sleep(0)
    machine.store._file.post([])  # noqa: SLF001 -- a file in use is read by nobody else
    await machine.store._file.write([])  # noqa: SLF001
    return machine.store._file._db.execute(sql).fetchall()  # noqa: SLF001


def test_what_nobody_waits_for_follows_soon(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """How sending ended, what made room, and coverage are written while the server runs, not when it ends only."""
    monkeypatch.setattr(durable, "FLUSH_SECONDS", 0)

    async def scenario() -> None:
        store = await machine.restart(Bounds(calls=1))
        machine.store = store
        await machine.handles.send(store, "one")
        decision = await machine.handles.send(store, "one")
        await store.complete(decision.call, "sent", 1.5)
        assert await soon(machine, "SELECT number, outcome FROM calls") == [(decision.call.number, "sent")]
        assert await soon(machine, "SELECT account FROM state WHERE kind = 'met'") == [("one",)]
        assert await soon(machine, "SELECT value FROM state WHERE kind = 'evicted'") == [(b"1",)]

    run(scenario())


def test_many_that_ended_are_written_with_the_next_call(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under load, nothing heaps up until half a second is over."""
    monkeypatch.setattr(durable, "FLUSH_SECONDS", 1000)
    monkeypatch.setattr(durable, "MANY_CALLS", 2)

    async def scenario() -> None:
        for _ in range(2):
            decision = await machine.handles.send(machine.store, "one")
            await machine.store.complete(decision.call, "sent", 1.5)
        await machine.handles.send(machine.store, "one")
        outcomes = await soon(machine, "SELECT outcome FROM calls ORDER BY number")
        assert outcomes == [("sent",), ("sent",), ("pending",)]

    run(scenario())


def test_what_made_room_is_forgotten_with_the_rest(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reset or a clearing leaves nothing in the file that a crash could bring back."""
    monkeypatch.setattr(durable, "FLUSH_SECONDS", 1000)

    async def scenario() -> None:
        store = await machine.restart(Bounds(calls=1))
        for forget in (store.reset_account, store.clear_calls):
            for _ in range(3):
                await machine.handles.send(store, "one")
            assert len(await soon(machine, "SELECT number FROM calls")) == 3
            await forget("one")
            assert await soon(machine, "SELECT number FROM calls") == []
            assert await soon(machine, "SELECT value FROM state WHERE kind = 'evicted'") == []

    run(scenario())


def test_an_account_that_comes_again_has_its_own_coverage(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the first of this id had met is with those that are gone, and stays there."""
    monkeypatch.setattr(durable, "FLUSH_SECONDS", 0)

    async def scenario() -> None:
        store = machine.store
        await machine.handles.send(store, "one")
        await store.remove_account("one")
        await store.add_account("one", {})
        await machine.handles.send(store, "one")
        for _ in range(2):
            assert len(await soon(machine, "SELECT account FROM state WHERE kind = 'met'")) == 2
            await store.put_pin(PinState(f"p-{_}", "one", SEND, ("busy",), ("busy",)))
        store = await machine.restart()
        assert (await store.coverage("one")).answers[f"{SEND}/sent"].natural == 1
        assert (await store.coverage(None)).answers[f"{SEND}/sent"].natural == 2

    run(scenario())
