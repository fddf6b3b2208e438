"""A connection of an asyncio client that sends raw bytes: many at once, well-behaved or not."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any, Self

from tests.live import PATIENCE


@dataclass(frozen=True)
class Answer:
    """Header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Client:
    """One connection; waiting for more than a broken server needs is a TimeoutError."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def connect(cls, port: int, **options: Any) -> Self:
        """``options`` are those of ``asyncio.open_connection``."""
        async with asyncio.timeout(PATIENCE):  # wait_for of CPython 3.11 may swallow a cancellation
            return cls(*await asyncio.open_connection("127.0.0.1", port, **options))

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        async with asyncio.timeout(PATIENCE):
            await self.writer.drain()

    async def in_pieces(self, data: bytes, size: int) -> None:
        """Send so that the server takes the pieces one by one."""
        for at in range(0, len(data), size):
            await self.send(data[at : at + size])
            await asyncio.sleep(0.002)

    async def answer(self) -> Answer:
        """The next answer. Raises IncompleteReadError where the connection ends before it does."""
        async with asyncio.timeout(PATIENCE):
            head = await self.reader.readuntil(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        return Answer(int(first.split(" ")[1]), headers, body)

    async def ask(self, data: bytes) -> Answer:
        """The answer to a request."""
        await self.send(data)
        return await self.answer()

    async def rest(self) -> bytes:
        """What comes until the server ends the connection."""
        async with asyncio.timeout(PATIENCE):
            return await self.reader.read()

    def close(self) -> None:
        """End it at once; the server sees a reset where it had more to say."""
        self.writer.transport.abort()
