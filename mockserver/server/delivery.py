"""A response on its way to the client: whole, or as a fault has it. Real bytes on a real socket."""

import asyncio
import socket
import struct
from dataclasses import dataclass
from typing import Any

from mockserver.exchange.fault import Fault
from mockserver.exchange.render import Response


class ClientLeft(Exception):  # noqa: N818 -- nobody's error
    """The client left before it had the whole reply."""


async def send_whole(send: Any, response: Response) -> None:
    """Send a response as it is."""
    await send({"type": "http.response.start", "status": response.status, "headers": response.headers})
    await send({"type": "http.response.body", "body": response.body})


@dataclass(frozen=True, slots=True)
class Line:
    """The way to one client: its connection (None without a real socket), and ASGI's two ends."""

    transport: Any
    receive: Any
    send: Any


async def deliver(fault: Fault, number: int, response: Response, line: Line) -> None:
    """Do what the fault says with what ``planned`` left; ``number`` is the request's, for chance. Raises ClientLeft."""
    receive, send = line.receive, line.send
    if fault.kind == "delay":
        await _pause(fault.seconds(number), receive)
        await send_whole(send, response)
    elif fault.kind == "dribble":
        await _dribble(fault, number, response, line)
    elif fault.kind == "malformed":
        await send_whole(send, response)
    elif fault.kind == "timeout":
        await _until_gone(receive)
        raise ClientLeft
    else:
        await _break(fault.kind, response, line.transport, send)


async def _dribble(fault: Fault, number: int, response: Response, line: Line) -> None:
    """The body in so many chunks over so many seconds; headers at once."""
    receive, send = line.receive, line.send
    body, chunks = response.body, fault.chunks
    if not body:
        await _pause(fault.seconds(number), receive)
        await send_whole(send, response)
        return
    await send({"type": "http.response.start", "status": response.status, "headers": response.headers})
    size = -(-len(body) // chunks)
    pause = fault.seconds(number) / chunks
    for at in range(0, len(body), size):
        await _pause(pause, receive)
        await send({"type": "http.response.body", "body": body[at : at + size], "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _break(kind: str, response: Response, transport: Any, send: Any) -> None:
    """End the connection at once, after as many bytes as the fault lets through."""
    if transport is None:
        raise ConnectionError(f"the fault {kind!r} needs a real socket: run the server, not the application alone")
    if kind == "truncate":
        declared = [pair for pair in response.headers if pair[0] != b"content-length"]
        declared.append((b"content-length", b"%d" % (len(response.body) * 2 + 1)))
        await send({"type": "http.response.start", "status": response.status, "headers": declared})
        await send({"type": "http.response.body", "body": response.body, "more_body": True})
        transport.close()
        # uvicorn logs an answer that does not end: the rest goes nowhere, the transport being closed
        await send({"type": "http.response.body", "body": b" " * (len(response.body) + 1)})
        return
    if kind == "reset":
        raw = transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close means RST
        transport.abort()
    else:
        if kind == "garbage":
            transport.write(response.body)
        transport.close()
    # uvicorn logs an application that answers nothing: this answer goes nowhere, the transport being closed
    await send_whole(send, Response(204, [], b""))


async def _pause(seconds: float, receive: Any) -> None:
    """Wait, unless the client leaves first. Raises ClientLeft."""
    gone = asyncio.ensure_future(_until_gone(receive))
    done, _ = await asyncio.wait({gone}, timeout=seconds)
    if done:
        raise ClientLeft
    gone.cancel()


async def _until_gone(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
