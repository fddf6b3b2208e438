"""A small proxy in front of several servers: connections in turn, to those that take them."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import cycle


class Balancer:
    """Hands connections on to servers of this machine by their ports."""

    def __init__(self, ports: Sequence[int]) -> None:
        self._ports = cycle(ports)
        self._most_tries = len(ports)
        self._tasks: set[asyncio.Task[None]] = set()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Relay one connection until either side ends it."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            for _ in range(self._most_tries):
                with suppress(OSError):
                    there = await asyncio.open_connection("127.0.0.1", next(self._ports))
                    await _relayed((reader, writer), there)
                    return
        finally:
            self._tasks.discard(task)
            writer.close()

    async def end(self) -> None:
        """Cut what is left."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _relayed(here: Stream, there: Stream) -> None:
    try:
        copies = [asyncio.create_task(_copy(here[0], there[1])), asyncio.create_task(_copy(there[0], here[1]))]
        try:
            await asyncio.wait(copies)
        finally:
            for copy in copies:
                copy.cancel()
            await asyncio.gather(*copies, return_exceptions=True)
    finally:
        there[1].close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    with suppress(OSError):
        writer.write_eof()


@contextmanager
def balanced(ports: Sequence[int]) -> Iterator[str]:
    """The address of a proxy in front of these ports, in a thread of its own, until the block ends."""
    ready, over = threading.Event(), asyncio.Event()
    loop, address = asyncio.new_event_loop(), []

    async def serve() -> None:
        balancer = Balancer(ports)
        server = await asyncio.start_server(balancer.handle, "127.0.0.1", 0)
        address.append(server.sockets[0].getsockname()[1])
        ready.set()
        await over.wait()
        server.close()
        await balancer.end()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    ready.wait()
    try:
        yield f"http://127.0.0.1:{address[0]}"
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()
