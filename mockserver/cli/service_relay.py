"""Services of this machine for a command in namespaces: each connection there is one to the service out here.

The names that it asks for are answered here, too.
"""

import asyncio
import contextlib
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address

import click

from mockserver.cli.asked_names import NameAnswerer
from mockserver.cli.common import CommandError
from mockserver.cli.namespaces import INSIDE_ADDRESS, WEB_PORTS, Isolated, LocalService

PIECE_BYTES = 64 * 1024
_SERVICE = re.compile(r"(?:\[(?P<address>[0-9a-fA-F:.]+)\]|(?P<name>[\w.-]+)):(?P<port>[0-9]{1,5})", re.ASCII)


def read_services(texts: Sequence[str]) -> tuple[LocalService, ...]:
    """What ``--with`` names, each once. Raises CommandError for what cannot be let in."""
    found = {(service.address, service.port): service for service in map(_service, texts)}
    for text, service in zip(texts, map(_service, texts), strict=True):
        other = found[service.address, service.port]
        if service.address == INSIDE_ADDRESS and service.port in WEB_PORTS:
            raise CommandError(f"--with {text}: port {service.port} is the vendors' hosts' inside; use another one")
        if other != service:
            here = f"both would be {INSIDE_ADDRESS}:{service.port} inside"
            raise CommandError(f"--with {text} and --with {other.host}:{other.port}: {here}; give one another port")
    return tuple(found.values())


def _service(text: str) -> LocalService:
    read = _SERVICE.fullmatch(text)
    if read is None or not 0 < int(read["port"]) < 65536:
        raise CommandError(f"--with is HOST:PORT, as localhost:5432, not {text!r}")
    service = LocalService((read["address"] or read["name"]).lower(), int(read["port"]))
    if read["address"] and not service.is_address:
        raise CommandError(f"--with {text}: {service.host} is no address")
    if service.is_address and not ip_address(service.host).is_loopback:
        raise CommandError(f"--with {text}: inside there are this machine's own addresses only; give the host's name")
    return service


@contextmanager
def relaying(services: Sequence[LocalService], isolated: Isolated, note: Callable[[str], None]) -> Iterator[None]:
    """Serve a command in namespaces, in a thread, until the block ends.

    Those who come to the socket of a service are connected with it; ``note`` is called with each name that is nobody.
    At the end a line tells of each service that could not be reached.
    """
    loop = asyncio.new_event_loop()
    ended = asyncio.Event()
    pairs = list(zip(services, isolated.services, strict=True))
    missed: dict[LocalService, str] = {}

    async def serve() -> None:
        names, _ = await loop.create_datagram_endpoint(lambda: NameAnswerer(isolated.known, note), sock=isolated.names)
        await _serve(pairs, ended, missed)
        names.close()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), name="relay", daemon=True)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()
        for service, reason in missed.items():
            click.echo(f"mockserver: --with {service}: could not be reached: {reason}", err=True)


async def _serve(
    pairs: Sequence[tuple[LocalService, socket.socket]], ended: asyncio.Event, missed: dict[LocalService, str]
) -> None:
    running: set[asyncio.Task[None]] = set()

    async def start(service: LocalService, listening: socket.socket) -> asyncio.Server:
        async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None  # noqa: S101 -- a coroutine runs in one
            running.add(task)
            try:
                await _join(service, reader, writer, missed)
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
    await asyncio.sleep(0)  # transports close their sockets in the next turn
    await asyncio.sleep(0)


async def _join(
    service: LocalService, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, missed: dict[LocalService, str]
) -> None:
    """Connect a client with a service, until both sides have said all; a service that is not there is a reset.

    Where one side is reset, or cannot be written to, the other one is reset too.
    """
    try:
        there_reader, there_writer = await asyncio.open_connection(service.host, service.port)
    except OSError as error:
        missed[service] = error.strerror or str(error)
        _reset(writer)
        return
    try:
        async with asyncio.TaskGroup() as both:
            both.create_task(_copy(reader, there_writer))
            both.create_task(_copy(there_reader, writer))
        for end in (writer, there_writer):
            end.close()
            await end.wait_closed()
    except* OSError:
        _reset(writer)
        _reset(there_writer)
    finally:
        writer.transport.abort()
        there_writer.transport.abort()


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection as one that broke: nothing that was not sent is."""
    with contextlib.suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what comes, and its end. Raises OSError."""
    while piece := await reader.read(PIECE_BYTES):
        writer.write(piece)
        await writer.drain()
    writer.write_eof()
