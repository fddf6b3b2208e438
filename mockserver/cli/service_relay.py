"""Services of this machine for a command in namespaces: each connection there is one to the service out here."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from mockserver.cli.namespaces import LocalService

PIECE_BYTES = 64 * 1024


@contextmanager
def relaying(services: Sequence[LocalService], sockets: Sequence[socket.socket]) -> Iterator[None]:
    """Connect those who come to each socket with its service, in a thread, until the block ends."""
    if not services:
        yield
        return
    loop = asyncio.new_event_loop()
    ended = asyncio.Event()
    pairs = list(zip(services, sockets, strict=True))
    thread = threading.Thread(target=lambda: loop.run_until_complete(_serve(pairs, ended)), name="relay", daemon=True)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()


async def _serve(pairs: Sequence[tuple[LocalService, socket.socket]], ended: asyncio.Event) -> None:
    running: set[asyncio.Task[None]] = set()

    async def start(service: LocalService, listening: socket.socket) -> asyncio.Server:
        async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None  # noqa: S101 -- a coroutine runs in one
            running.add(task)
            try:
                await _join(service, reader, writer)
            finally:
                running.discard(task)

        return await asyncio.start_server(join, sock=listening)

    servers = [await start(service, listening) for service, listening in pairs]
    await ended.wait()
    for server in servers:
        server.close()
    for task in list(running):
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


async def _join(service: LocalService, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Connect a client with a service, until both sides have said all; a service that is not there is a reset."""
    try:
        there_reader, there_writer = await asyncio.open_connection(service.host, service.port)
    except OSError:
        writer.transport.abort()
        return
    try:
        await asyncio.gather(_copy(reader, there_writer), _copy(there_reader, writer))
    finally:
        writer.transport.abort()
        there_writer.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await reader.read(PIECE_BYTES):
            writer.write(piece)
            await writer.drain()
        writer.write_eof()
