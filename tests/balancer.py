"""A small proxy in front of several servers: connections in turn, to those that are ready and take them."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import cycle

LOOK_SECONDS = 0.1  # between questions whether servers are ready


class Balancer:
    """Hands connections on to servers of this machine by their ports."""

    def __init__(self, ports: Sequence[int]) -> None:
        self.url = ""
        self.ready: set[int] = set()
        self._ports = tuple(ports)
        self._turns = cycle(ports)
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, started: threading.Event, over: asyncio.Event) -> None:
        """Take connections until it is over."""
        await self._look()
        server = await asyncio.start_server(self._handle, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        looking = asyncio.create_task(self._look_on())
        started.set()
        await over.wait()
        server.close()
        for task in (looking, *self._tasks):
            task.cancel()
        await asyncio.gather(looking, *self._tasks, return_exceptions=True)

    async def _look_on(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self._look()

    async def _look(self) -> None:
        """Ask each server whether it is ready."""
        answers = await asyncio.gather(*map(_is_ready, self._ports))
        self.ready = {port for port, is_ready in zip(self._ports, answers, strict=True) if is_ready}

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Relay one connection until either side ends it."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            for _ in self._ports:
                if (port := next(self._turns)) in self.ready:
                    with suppress(OSError):
                        there = await asyncio.open_connection("127.0.0.1", port)
                        await _relayed((reader, writer), there)
                        return
        finally:
            self._tasks.discard(task)
            writer.close()


Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _is_ready(port: int) -> bool:
    with suppress(OSError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(b"GET /_mock/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return b" 200 " in await reader.readline()
        finally:
            writer.close()
    return False


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
def balanced(ports: Sequence[int]) -> Iterator[Balancer]:
    """A proxy in front of these ports, in a thread of its own, until the block ends."""
    started, over = threading.Event(), asyncio.Event()
    loop, balancer = asyncio.new_event_loop(), Balancer(ports)
    thread = threading.Thread(target=loop.run_until_complete, args=(balancer.serve(started, over),))
    thread.start()
    started.wait()
    try:
        yield balancer
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()
