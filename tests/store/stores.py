"""The stores that must all do the same, each with two handles: what two processes would hold."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from mockserver.engine.effects import DueStep
from mockserver.engine.engine import Decision, Engine
from mockserver.engine.facts import Facts
from mockserver.engine.request import ParsedRequest
from mockserver.engine.sources import Sources
from mockserver.spec.callback_model import CallbackSpec
from mockserver.spec.value_model import Constant
from mockserver.store.accounts import Registry
from mockserver.store.durable import DurableStore
from mockserver.store.journal import Journal
from mockserver.store.parts import StoreParts
from mockserver.store.store import Store
from tests.engine.workbench import NOW, acme, operation, request

if TYPE_CHECKING:
    from mockserver.store.redis_store import RedisStore

T = TypeVar("T")
SEND = "acme.send_sms"
DELIVERED = DueStep("delivered", 10, "delivered", (("state", lambda context: f"at {context.now - NOW:g}"),), "test/1")
FAILED = DueStep("failed", 20, "failed", (), "test/2")


class World:
    """Time that stands still until a test moves it, and ids that are counted."""

    def __init__(self) -> None:
        self.now = NOW
        self._drawn = 0

    def sources(self) -> Sources:
        return Sources(lambda: self.now, lambda: f"uuid-{self._draw()}", self._draw)

    def _draw(self) -> int:
        self._drawn += 1
        return self._drawn


@dataclass(frozen=True)
class Handles:
    """Two handles to one store; what is done by one is seen by the other."""

    a: Store
    b: Store
    world: World
    engine: Engine

    @property
    def both(self) -> tuple[Store, Store]:
        return self.a, self.b

    async def close(self) -> None:
        """End what either of them holds open."""
        for handle in {id(one): one for one in self.both}.values():
            await handle.close()

    async def message(self, handle: Store, account: str) -> ParsedRequest:
        """A request of an account that is accepted unless a test asks for something else."""
        mine = await handle.account(account)
        assert mine is not None
        data: Any = mine.vendors["acme"]
        return message(data["key"], data["lines"][0]["number"])

    async def decided(self, handle: Store, account: str) -> tuple[ParsedRequest, Facts, Decision]:
        """A decision on such a request that is not committed yet."""
        one = await self.message(handle, account)
        facts = await handle.facts(one)
        return one, facts, self.engine.decide(one, facts)

    async def send(self, handle: Store, account: str) -> Decision:
        """Such a request, answered."""
        return await self.answered(handle, await self.message(handle, account))

    async def answered(self, handle: Store, one: ParsedRequest) -> Decision:
        """A request, decided anew until it can be committed."""
        while True:
            facts = await handle.facts(one)
            decision = self.engine.decide(one, facts)
            if await committed(handle, one, facts, decision):
                return decision

    async def settled(self) -> None:
        """Return once both know what may take a while to be known: how sending ended."""


async def committed(handle: Store, one: ParsedRequest, facts: Facts, decision: Decision) -> bool:
    """Commit a decision as the server does."""
    return await handle.commit(decision.call, decision.uses, one, facts.version)


def message(key: str, line: str) -> ParsedRequest:
    """A message of the customer with this key, from this line."""
    return request("send_sms", headers={"x-key": key}, body={"from": line, "to": "+15550100"})


def callback_spec() -> CallbackSpec:
    """A callback to an address of the customer's."""
    address, request = Constant("http://localhost/"), operation("send_sms").answers["sent"]
    return CallbackSpec("acme", "receipt", "POST", ("sent/delivered",), address, request, 1.0, ())


@dataclass(frozen=True)
class Bounds:
    """How much a store keeps."""

    calls: int = 100
    journal_bytes: int = 10**6
    accounts: int = 100


def in_memory(_: Path, bounds: Bounds) -> Handles:
    """One process has one store: both handles are the same."""
    world = World()
    journal = Journal(bounds.calls, bounds.journal_bytes)
    store = Store(Registry((acme(),)), journal, world.sources(), most_accounts=bounds.accounts, run=0)
    return Handles(store, store, world, Engine((acme(),), world.sources()))


def in_a_file(folder: Path, bounds: Bounds) -> Handles:
    """One process has one store, and its file to itself."""
    world = World()
    store = open_file(folder / "calls.db", bounds, world)
    return Handles(store, store, world, Engine((acme(),), world.sources()))


def open_file(path: Path, bounds: Bounds, world: World) -> DurableStore:
    """The store of a file, as a process that starts has it."""
    parts = StoreParts(
        (acme(),), Registry((acme(),)), world.sources(), bounds.calls, bounds.journal_bytes, bounds.accounts
    )
    return DurableStore(path, parts, run=0)


Opening = Callable[[Path, Bounds], Handles]
STORES: dict[str, Opening] = {"memory": in_memory, "sqlite": in_a_file}


@dataclass(frozen=True)
class SharedHandles(Handles):
    """The handles of two servers."""

    async def settled(self) -> None:
        for handle in self.both:
            await handle.settle()  # type: ignore[attr-defined]  # theirs have it


def in_redis(url: str) -> Opening:
    """Two servers that share what a Redis server has."""

    def opened(_: Path, bounds: Bounds) -> Handles:
        world = World()
        a, b = (open_shared(url, bounds, world) for _ in "ab")
        return SharedHandles(a, b, world, Engine((acme(),), world.sources()))

    return opened


def open_shared(url: str, bounds: Bounds, world: World, *, follows_time: bool = False) -> "RedisStore":
    """The store of a server that shares it, with the steps of these tests, which no contract has."""
    from mockserver.store.redis_store import RedisStore  # noqa: PLC0415 -- the package is an extra

    contracts = (replace(acme(), callbacks=(callback_spec(),)),)
    parts = StoreParts(
        contracts, Registry(contracts), world.sources(), bounds.calls, bounds.journal_bytes, bounds.accounts
    )
    return RedisStore(url, parts, {step.place: step for step in (DELIVERED, FAILED)}, follows_time=follows_time)


_RUNNERS: list[asyncio.Runner] = []


@contextmanager
def one_loop() -> Iterator[None]:
    """Have ``run`` use one loop: a connection is a loop's."""
    with asyncio.Runner() as runner:
        _RUNNERS.append(runner)
        yield
        _RUNNERS.remove(runner)


def run(work: Coroutine[Any, Any, T]) -> T:
    return _RUNNERS[-1].run(work) if _RUNNERS else asyncio.run(work)
