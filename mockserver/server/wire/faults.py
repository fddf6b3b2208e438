"""Faults as bytes on a real socket: a response goes out whole, late, damaged, or not at all."""

import asyncio
import socket
import struct
from dataclasses import dataclass
from typing import Any

from mockserver.engine.fault import Fault, declared_length
from mockserver.engine.response import RenderedResponse
from mockserver.spec.model import BODILESS_STATUSES


class Connection:
    """uvicorn writes to the transport itself until a fault mutes it; ``gone`` is set when the connection is lost."""

    def __init__(self, transport: Any) -> None:
        self.transport = transport
        self.gone = asyncio.Event()
        self.is_muted = False
        self.is_deaf = False  # what the client sends is thrown away
        self.is_half_closed = False  # the client sends no more
        self.is_watched = False  # somebody waits for the client to leave

    def mute(self, send: Any) -> None:
        """Take the connection from uvicorn: what its ``send`` is given from now on goes nowhere.

        Reading never rests, so that the client's end is noticed.
        """
        self.is_muted = self.is_deaf = True
        cycle = getattr(send, "__self__", None)  # uvicorn's, unless something stands between
        if cycle is not None:
            cycle.transport = _Mute(self.transport)
        self.transport.resume_reading()

    def reset(self) -> None:
        """End the connection at once: what was not sent is dropped, by the kernel too."""
        raw = self.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close means RST
        self.transport.abort()

    async def left(self, seconds: float | None = None) -> bool:
        """Whether the client leaves within so many seconds (None: wait until it does). To send no more is to leave."""
        self.is_watched = True
        if self.is_half_closed:
            self.transport.close()
        try:
            await asyncio.wait_for(self.gone.wait(), seconds)
        except TimeoutError:
            return False
        finally:
            self.is_watched = False
        return True


class _Mute:
    """A transport that nothing goes out by."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    def write(self, data: bytes) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class ClientLeftError(Exception):
    """The client left before it had the whole reply."""


async def send_whole(send: Any, response: RenderedResponse) -> None:
    """Send a response as it is."""
    await send({"type": "http.response.start", "status": response.status, "headers": response.headers})
    await send({"type": "http.response.body", "body": response.body})


@dataclass(frozen=True, slots=True)
class Line:
    """The way to one client: its connection (None without a real socket), and ASGI's sending end."""

    connection: Connection | None
    send: Any


async def deliver(fault: Fault, number: int, response: RenderedResponse, line: Line) -> None:
    """Do what the fault says with what ``planned`` left.

    ``number`` is the number of the request, for chance. Raises ClientLeftError.
    """
    if fault.kind == "malformed" or (fault.kind == "truncate" and response.status in BODILESS_STATUSES):
        await send_whole(line.send, response)
    elif fault.kind == "delay" or (fault.kind == "dribble" and not response.body):
        await _pause(fault.seconds(number), line)
        await send_whole(line.send, response)
    elif fault.kind == "dribble":
        await _dribble(fault.chunks, fault.seconds(number), response, line)
    else:
        await _break(fault.kind, response, line)


async def _dribble(chunks: int, seconds: float, response: RenderedResponse, line: Line) -> None:
    """The body in so many chunks (of one byte at least) over so many seconds; headers at once."""
    body, count = response.body, min(chunks, len(response.body))
    await line.send({"type": "http.response.start", "status": response.status, "headers": response.headers})
    for number in range(count):
        await _pause(seconds / count, line)
        chunk = body[len(body) * number // count : len(body) * (number + 1) // count]
        await line.send({"type": "http.response.body", "body": chunk, "more_body": number + 1 < count})


async def _break(kind: str, response: RenderedResponse, line: Line) -> None:
    """End the connection at once, or have the client do it, after as many bytes as the fault lets through."""
    connection, send = line.connection, line.send
    if connection is None:
        raise ConnectionError(f"the fault {kind!r} needs a real socket: run the server, not the application alone")
    if kind == "truncate":
        await send({"type": "http.response.start", "status": response.status, "headers": response.headers})
        await send({"type": "http.response.body", "body": response.body, "more_body": True})
    elif kind == "garbage":
        connection.transport.write(response.body)
    connection.mute(send)
    if kind == "timeout":
        await connection.left()
    elif kind == "reset":
        connection.reset()
    else:
        connection.transport.close()
    # uvicorn logs an application that does not answer to the end: this end goes nowhere, the connection being mute
    if kind == "truncate":
        missing = declared_length(response) - len(response.body)
        await send({"type": "http.response.body", "body": b" " * missing})
    else:
        await send_whole(send, RenderedResponse(204, b"", b""))


async def _pause(seconds: float, line: Line) -> None:
    """Wait, unless the client leaves first. Raises ClientLeftError."""
    if line.connection is None:
        await asyncio.sleep(seconds)
        return
    if await line.connection.left(seconds):
        raise ClientLeftError
