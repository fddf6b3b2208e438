"""Something bad happens to a server, and beside it a healthy customer goes on as if nothing were the matter."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from tests.live import PATIENCE
from tests.load.loaded_server import Customer, Server, control
from tests.streams import Client

Connect = Callable[..., Awaitable[Client]]
AFTERWARDS = 10  # calls of the healthy customer once the bad is over


@asynccontextmanager
async def connecting(server: Server) -> AsyncIterator[Connect]:
    """Makes connections that end with the block."""
    clients: list[Client] = []

    async def connect(**options: Any) -> Client:
        clients.append(await server.connect(**options))
        return clients[-1]

    try:
        yield connect
    finally:
        for client in clients:
            client.close()
        await asyncio.sleep(0)  # the event loop's turn


def beside_a_healthy_customer(server: Server, bad: Callable[[Connect], Awaitable[None]]) -> None:
    """Run ``bad``, whose connections end with it. The customer's answers are right, and its calls recorded."""

    async def all_of_it() -> None:
        async with connecting(server) as connect:
            client = await connect()
            customer = await Customer.made(client)
            ending = asyncio.Event()
            going = asyncio.create_task(_go_on(customer, client, ending))
            async with connecting(server) as connect_badly:
                await bad(connect_badly)
            enough = customer.calls + AFTERWARDS
            await until(lambda: customer.calls >= enough or going.done())
            ending.set()
            await going
            await customer.assert_recorded(client)
            await client.ask(control("DELETE", f"accounts/{customer.id}"))

    asyncio.run(all_of_it())


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for something that a server does."""
    async with asyncio.timeout(PATIENCE):
        while not is_so():  # noqa: ASYNC110 -- it does so in another process
            await asyncio.sleep(0.01)


async def _go_on(customer: Customer, client: Client, ending: asyncio.Event) -> None:
    while not ending.is_set():
        for operation in customer.requests:
            answer = await customer.call(client, operation)
            assert answer.headers["x-mock-answer"] == f"{operation}/sent"
            await asyncio.sleep(0.001)
