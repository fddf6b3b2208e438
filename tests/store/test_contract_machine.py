"""Two handles to one store, used in any order: what is committed is what one store alone would answer."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mockserver.engine.engine import Decision
from mockserver.engine.facts import Facts, Limit
from mockserver.engine.pin import PinState
from mockserver.engine.request import ParsedRequest
from mockserver.store.journal import Query
from mockserver.store.store import Store
from tests.store.stores import SEND, STORES, Bounds, Handles, Opening, committed, message

T = TypeVar("T")
NAMES = ("one", "two")
BOUNDS = Bounds(calls=6)
PIN_NUMBERS = count()


@dataclass
class Customer:
    """What a store must know of an account: uses left by pin, oldest first, the limit, its calls by answer."""

    key: str
    line: str
    pins: dict[str, int] = field(default_factory=dict)
    limit: int | None = None
    answers: list[str] = field(default_factory=list)
    evicted: int = 0

    def answered(self) -> str:
        """What the next request gets, which uses it up."""
        pin = next((name for name, left in self.pins.items() if left), None)
        is_limited = self.limit == 0
        if self.limit is not None and not is_limited:
            self.limit -= 1
        if pin is not None:
            self.pins[pin] -= 1
            return f"{SEND}/busy"
        return f"{SEND}/refused" if is_limited else f"{SEND}/sent"

    def record(self, answer: str) -> None:
        self.answers.append(answer)
        if len(self.answers) > BOUNDS.calls:
            del self.answers[0]
            self.evicted += 1


@dataclass
class Seen:
    """A request of somebody's on its way: the facts that it is decided by."""

    name: str
    key: str
    one: ParsedRequest
    facts: Facts
    decision: Decision


class TwoHandles(RuleBasedStateMachine):
    """Requests look at one moment and are committed at another, by either handle; meanwhile anything may change."""

    opening: Opening = staticmethod(STORES["memory"])

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.loop = asyncio.new_event_loop()
        self.handles: Handles = self.opening(Path(self.folder.name), BOUNDS)
        self.customers: dict[str, Customer] = {}
        self.on_their_way: list[Seen] = []
        self.strays = 0
        self.come(which=False, name="one")

    def teardown(self) -> None:
        self.run(self.handles.close())
        self.loop.close()
        self.folder.cleanup()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def handle(self, which: bool) -> Store:
        return self.handles.both[which]

    @rule(which=st.booleans(), name=st.sampled_from(NAMES))
    def come(self, which: bool, name: str) -> None:
        if name not in self.customers:
            data: Any = self.run(self.handle(which).add_account(name, {})).vendors["acme"]
            self.customers[name] = Customer(data["key"], data["lines"][0]["number"])

    @rule(which=st.booleans(), name=st.sampled_from(NAMES), uses=st.integers(1, 3))
    def pin(self, which: bool, name: str, uses: int) -> None:
        if name in self.customers:
            pin = PinState(f"p-{next(PIN_NUMBERS)}", name, SEND, ("busy",) * uses, ("busy",) * uses)
            self.run(self.handle(which).put_pin(pin))
            self.customers[name].pins[pin.id] = uses

    @rule(which=st.booleans(), name=st.sampled_from(NAMES), most=st.one_of(st.none(), st.integers(1, 3)))
    def limit(self, which: bool, name: str, most: int | None) -> None:
        if name in self.customers:
            self.run(self.handle(which).put_limit(name, SEND, None if most is None else Limit(most, 60)))
            self.customers[name].limit = most

    @rule(which=st.booleans(), name=st.sampled_from(NAMES), what=st.sampled_from(["go", "reset", "unpin", "clear"]))
    def undo(self, which: bool, name: str, what: str) -> None:
        """Take an account away, or what it did, or what is pinned for it."""
        handle, customer = self.handle(which), self.customers.get(name)
        if customer is None:
            return
        if what == "go":
            self.run(handle.remove_account(name))
            del self.customers[name]
        elif what == "reset":
            self.run(handle.reset_account(name))
            self.customers[name] = Customer(customer.key, customer.line)
        elif what == "unpin":
            self.run(handle.remove_pins(name))
            customer.pins.clear()
        else:
            self.run(handle.clear_calls(name))
            customer.answers, customer.evicted = [], 0

    @rule(which=st.booleans(), name=st.sampled_from(NAMES), times=st.integers(1, 4))
    def look(self, which: bool, name: str, times: int) -> None:
        """Requests arrive, and are decided by what is known now."""
        for _ in range(times if name in self.customers else 0):
            customer = self.customers[name]
            one = message(customer.key, customer.line)
            facts = self.run(self.handle(which).facts(one))
            decision = self.handles.engine.decide(one, facts)
            self.on_their_way.append(Seen(name, customer.key, one, facts, decision))

    @rule(which=st.lists(st.booleans(), min_size=2, max_size=6), name=st.sampled_from(NAMES))
    def rush(self, which: list[bool], name: str) -> None:
        """Requests that all look before any of them is committed."""
        before = len(self.on_their_way)
        for one in which:
            self.look(which=one, name=name, times=1)
        while len(self.on_their_way) > before:
            self.answer(which=which[-1], turn=before)

    @precondition(lambda self: self.on_their_way)
    @rule(which=st.booleans(), turn=st.integers(0, 99))
    def answer(self, which: bool, turn: int) -> None:
        """One of the requests on their way is committed, decided again until it can be: once, if nothing interferes."""
        seen = self.on_their_way.pop(turn % len(self.on_their_way))
        handle, decision = self.handle(which), seen.decision
        if not self.run(committed(handle, seen.one, seen.facts, decision)):
            facts = self.run(handle.facts(seen.one))
            decision = self.handles.engine.decide(seen.one, facts)
            assert self.run(committed(handle, seen.one, facts, decision)), "nothing has changed since it looked"
        customer = self.customers.get(seen.name)
        if customer is None or customer.key != seen.key:
            assert decision.call.account == ""
            self.strays += 1
            return
        assert decision.call.account == seen.name
        assert decision.call.answer == customer.answered()
        customer.record(decision.call.answer)

    @invariant()
    def both_see_the_same(self) -> None:
        for handle in self.handles.both:
            assert {account.id for account in self.run(handle.accounts())} == set(self.customers)
            for name, customer in self.customers.items():
                page = self.run(handle.calls(Query(account=name)))
                assert [call.answer for call in page.calls][::-1] == customer.answers
                assert page.evicted == customer.evicted
                numbers = [call.number for call in page.calls]
                assert numbers == sorted(numbers, reverse=True)
                left = {pin.id: pin.left for pin in self.run(handle.pins(name))}
                assert left == {pin_id: left for pin_id, left in customer.pins.items() if left}
                budgets = [budget.remaining for _, _, budget in self.run(handle.budgets(name))]
                assert budgets == ([] if customer.limit is None else [customer.limit])
            assert len(self.run(handle.calls(Query(account=""))).calls) == min(self.strays, BOUNDS.calls)


@pytest.mark.parametrize("kind", STORES)
def test_two_handles(kind: str) -> None:
    """Whatever is done by whichever handle, both see what one alone would have made of it."""
    machine = type("Machine", (TwoHandles,), {"opening": staticmethod(STORES[kind])})
    machine.TestCase.settings = settings(  # type: ignore[attr-defined]  # hypothesis makes it
        deadline=None, database=None, derandomize=True, max_examples=30, stateful_step_count=40
    )
    machine.TestCase().runTest()  # type: ignore[attr-defined]
