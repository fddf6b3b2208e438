"""A response on its way to the client: whole, or as a fault has it. Real bytes on a real socket."""

import asyncio
from dataclasses import dataclass
from typing import Any

from mockserver.exchange.fault import BODILESS, Fault, declared_length
from mockserver.exchange.render import Response
from mockserver.server.connection import Connection


class ClientLeft(Exception):  # noqa: N818 -- nobody's error
    """The client left before it had the whole reply."""


async def send_whole(send: Any, response: Response) -> None:
    """Send a response as it is."""
    await send({"type": "http.response.start", "status": response.status, "headers": response.headers})
    await send({"type": "http.response.body", "body": response.body})


@dataclass(frozen=True, slots=True)
class Line:
    """The way to one client: its connection (None without a real socket), and ASGI's sending end."""

    connection: Connection | None
    send: Any


async def deliver(fault: Fault, number: int, response: Response, line: Line) -> None:
    """Do what the fault says with what ``planned`` left; ``number`` is the request's, for chance. Raises ClientLeft."""
    if fault.kind == "malformed" or (fault.kind == "truncate" and response.status in BODILESS):
        await send_whole(line.send, response)
    elif fault.kind == "delay" or (fault.kind == "dribble" and not response.body):
        await _pause(fault.seconds(number), line)
        await send_whole(line.send, response)
    elif fault.kind == "dribble":
        await _dribble(fault.chunks, fault.seconds(number), response, line)
    else:
        await _break(fault.kind, response, line)


async def _dribble(chunks: int, seconds: float, response: Response, line: Line) -> None:
    """The body in so many chunks (of one byte at least) over so many seconds; headers at once."""
    body, count = response.body, min(chunks, len(response.body))
    await line.send({"type": "http.response.start", "status": response.status, "headers": response.headers})
    for number in range(count):
        await _pause(seconds / count, line)
        chunk = body[len(body) * number // count : len(body) * (number + 1) // count]
        await line.send({"type": "http.response.body", "body": chunk, "more_body": number + 1 < count})


async def _break(kind: str, response: Response, line: Line) -> None:
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
        await send_whole(send, Response(204, b"", b""))


async def _pause(seconds: float, line: Line) -> None:
    """Wait, unless the client leaves first. Raises ClientLeft."""
    if line.connection is None:
        await asyncio.sleep(seconds)
        return
    if await line.connection.left(seconds):
        raise ClientLeft
