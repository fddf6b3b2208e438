"""The stores that must all do the same, each with two handles: what two processes would hold."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from mockserver.engine.engine import Decision, Engine
from mockserver.engine.facts import Facts
from mockserver.engine.request import ParsedRequest
from mockserver.engine.sources import Sources
from mockserver.store.accounts import Registry
from mockserver.store.journal import Journal
from mockserver.store.store import Store
from tests.engine.workbench import NOW, acme, request

T = TypeVar("T")
SEND = "acme.send_sms"


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
        """Such a request, answered: decided anew until it can be committed."""
        while True:
            one, facts, decision = await self.decided(handle, account)
            if await committed(handle, one, facts, decision):
                return decision


async def committed(handle: Store, one: ParsedRequest, facts: Facts, decision: Decision) -> bool:
    """Commit a decision as the server does."""
    return await handle.commit(decision.call, decision.uses, one, facts.version)


def message(key: str, line: str) -> ParsedRequest:
    """A message of the customer with this key, from this line."""
    return request("send_sms", headers={"x-key": key}, body={"from": line, "to": "+15550100"})


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


Opening = Callable[[Path, Bounds], Handles]
STORES: dict[str, Opening] = {"memory": in_memory}


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)
