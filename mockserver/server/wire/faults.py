"""Faults as bytes on a real socket: a response goes out whole, late, damaged, or not at all."""

import asyncio
from typing import Any

from mockserver.engine.fault import Fault
from mockserver.engine.response import RenderedResponse
from mockserver.server.wire.asgi import HttpExchange
from mockserver.spec.answer_model import BODILESS_STATUSES

STATUS_LINE = b"HTTP/1.1 "  # how each begins


class ClientLeftError(Exception):
    """The client left before it had the whole reply."""


async def send_whole(send: Any, response: RenderedResponse) -> None:
    """Send a response as it is."""
    await send({"type": "http.response.start", "status": response.status, "headers": response.headers})
    await send({"type": "http.response.body", "body": response.body})


async def deliver(
    fault: Fault, number: int, response: RenderedResponse, exchange: HttpExchange | None, send: Any
) -> None:
    """Do what the fault says with what ``planned`` left of a response.

    ``number`` is the number of the request, for chance. ``exchange`` is None without a connection of our own. Raises
    ClientLeftError.
    """
    if fault.kind == "malformed" or (fault.kind == "truncate" and response.status in BODILESS_STATUSES):
        await send_whole(send, response)
    elif fault.kind == "delay" or (fault.kind == "dribble" and not response.body):
        await _pause(fault.seconds(number), exchange, STATUS_LINE[:1])
        await send_whole(send, response)
    elif fault.kind == "dribble":
        await _dribble(fault.chunks, fault.seconds(number), response, exchange, send)
    else:
        await _break(fault.kind, response, exchange)


async def _dribble(
    chunks: int, seconds: float, response: RenderedResponse, exchange: HttpExchange | None, send: Any
) -> None:
    """The body in so many chunks (of one byte at least) over so many seconds; headers at once."""
    body, count = response.body, min(chunks, len(response.body))
    await send({"type": "http.response.start", "status": response.status, "headers": response.headers})
    await send({"type": "http.response.body", "body": b"", "more_body": True})
    for number in range(count):
        chunk = body[len(body) * number // count : len(body) * (number + 1) // count]
        await _pause(seconds / count, exchange, chunk[:1])
        await send({"type": "http.response.body", "body": chunk, "more_body": number + 1 < count})


async def _break(kind: str, response: RenderedResponse, exchange: HttpExchange | None) -> None:
    """End the connection at once, or have the client do it, after as many bytes as the fault lets through."""
    if exchange is None:
        raise ConnectionError(f"the fault {kind!r} needs a real socket: run the server, not the application alone")
    connection = exchange.connection
    if kind == "truncate":
        await exchange.send({"type": "http.response.start", "status": response.status, "headers": response.headers})
        await exchange.send({"type": "http.response.body", "body": response.body, "more_body": True})
    elif kind == "garbage":
        connection.transport.write(response.body)
    connection.mute()
    if kind == "timeout":
        await connection.left()
    elif kind == "reset":
        connection.reset()
    else:
        connection.transport.close()


async def _pause(seconds: float, exchange: HttpExchange | None, first: bytes) -> None:
    """Wait, unless the client leaves first; the next byte is ``first``. Raises ClientLeftError."""
    if exchange is None:
        await asyncio.sleep(seconds)
    elif await exchange.connection.leaves_within(seconds, first):
        raise ClientLeftError
