"""A mixed load over all vendors: each call is recorded once, and nothing is left behind. MOCKSERVER_SOAK: how many."""

import asyncio
import contextlib
import os

from mockserver.server.application import create_app
from tests.live import PATIENCE
from tests.load.healthy_customer import Connect, connecting
from tests.load.loaded_server import HEALTH, Server, control
from tests.load.mixed import Worker
from tests.server.in_loop_server import served
from tests.streams import Client

CALLS = int(os.environ.get("MOCKSERVER_SOAK", "4000"))
WORKERS = 8
SLOW = min(1000, CALLS // 100)  # connections that send a byte now and then
DRIP_SECONDS = 0.5
GROWTH = 4 * 1024 * 1024  # bytes: what a heap may grow that holds no more than before; 0.8 MiB was seen


async def assert_nothing_is_recorded(client: Client) -> None:
    """Neither accounts that were made nor calls, those included that nobody claims."""
    accounts = (await client.ask(control("GET", "accounts"))).json["accounts"]
    calls = (await client.ask(control("GET", "calls"))).json
    assert [account["id"] for account in accounts] == ["default", "second"]
    assert calls == {"calls": [], "evicted": 0, "next": None}


async def be_slow(connect: Connect) -> None:
    """Send a request byte by byte, and begin anew whenever the server has had enough of it."""
    while True:
        client = await connect()
        with contextlib.suppress(OSError):
            for at in range(len(HEALTH) - 1):
                await client.send(HEALTH[at : at + 1])
                await asyncio.sleep(DRIP_SECONDS)
        client.close()


def test_soak(own_server: Server) -> None:
    """The second half of a load needs no more memory than the first, and at the end no descriptor or thread is left."""

    async def half(number: int) -> None:
        async with connecting(own_server) as connect:
            slow = [asyncio.create_task(be_slow(connect)) for _ in range(SLOW)]
            workers = [Worker(connect, seed=number * WORKERS + at) for at in range(WORKERS)]
            await asyncio.gather(*(worker.work(CALLS // 2 // WORKERS) for worker in workers))
            for task in slow:
                task.cancel()
            await asyncio.gather(*slow, return_exceptions=True)
            await assert_nothing_is_recorded(await connect())

    asyncio.run(half(0))
    memory = own_server.memory
    asyncio.run(half(1))
    assert own_server.memory - memory < GROWTH


def test_no_task_is_left() -> None:
    """Once all clients have left, the server has the tasks it began with, and one that looks after the clocks."""

    async def test() -> None:
        async with served(create_app()) as (port, state):
            before = asyncio.all_tasks()
            workers = [Worker(lambda: Client.connect(port), seed=at) for at in range(4)]
            await asyncio.gather(*(worker.work(100) for worker in workers))
            async with asyncio.timeout(PATIENCE):
                while state.connections or state.tasks:  # noqa: ASYNC110 -- uvicorn sets no event
                    await asyncio.sleep(0.01)
            left = [str(task.get_coro()) for task in asyncio.all_tasks() - before]
            assert [name for name in left if "Courier._run" not in name] == []
            assert len(left) <= 1

    asyncio.run(test())
