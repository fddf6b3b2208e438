"""What tests of a shared store look at: all that a server's memory has, as values that can be compared."""

import json
from dataclasses import dataclass, field
from typing import Any

from mockserver.store.redis_store import RedisStore
from tests.redis_server import RedisServer
from tests.store.stores import Bounds, Handles, World, open_shared


async def picture(store: RedisStore) -> Any:
    """All rows and calls that a server has, in their order."""
    memory = await store.agreement.current()
    memory.for_checkpoint()
    rows = [(*row[:4], json.loads(row[4])) for row in memory.rows.states()]
    calls = [
        (call.number, call.account, call.label, call.body, call.outcome)
        for number in sorted(memory.numbers())
        if (call := await memory.call(number)) is not None
    ]
    return sorted(rows, key=lambda row: row[:3]), calls


async def pictures(handles: Handles, server: RedisServer) -> list[Any]:
    """What both servers have, and what one has that starts now."""
    new = open_shared(server.url, Bounds(), handles.world)
    try:
        return [await picture(one) for one in (*handles.both, new) if isinstance(one, RedisStore)]
    finally:
        await new.close()


@dataclass
class Group:
    """Servers that share a store, and the accounts that were made."""

    server: RedisServer
    world: World = field(default_factory=World)
    stores: list[RedisStore] = field(default_factory=list)

    def open(self, bounds: Bounds | None = None) -> RedisStore:
        """One more server."""
        store = open_shared(self.server.url, bounds or Bounds(), self.world)
        self.stores.append(store)
        return store

    async def close(self) -> None:
        for store in self.stores:
            await store.close()


def trips(server: RedisServer) -> int:
    """How often a function of ours was called."""
    stats: Any = server.do("INFO", "commandstats")
    return int(stats["cmdstat_fcall"]["calls"])
