"""One client's connection: what a fault does with it, and whether the client is still there."""

import asyncio
import socket
import struct
from typing import Any


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
