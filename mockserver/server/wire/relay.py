"""Bytes both ways between a client and the real host that it is let through to."""

import asyncio
from typing import Any, Self

from mockserver.server.wire.timeouts import Wait

CONNECT_SECONDS = 10.0  # to reach the real host


class Relay(asyncio.Protocol):
    """One of two ends: what comes here goes out at the other one, no faster than it is taken there.

    The far end begins with a ``greeting`` to the near one, whose transport is there before it is connected.
    """

    other: "Relay"

    def __init__(self, connections: set[Any], transport: Any = None, greeting: bytes = b"") -> None:
        self._connections = connections
        self._greeting = greeting
        self.transport = transport
        self.is_ended = False  # nothing more comes here

    @classmethod
    def pair(cls, connections: set[Any], near: Any, greeting: bytes) -> tuple[Self, Self]:
        """The end of a client whose transport is ``near``, and that of the host it is to be connected with."""
        one, other = cls(connections, near), cls(connections, greeting=greeting)
        one.other, other.other = other, one
        return one, other

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self._connections.add(self)
        if self._greeting:
            self.other.transport.write(self._greeting)

    def data_received(self, data: bytes) -> None:
        self.other.transport.write(data)

    def eof_received(self) -> bool:
        """Whether this end stays open, for what the other one still says."""
        self.is_ended = True
        to = self.other.transport
        if self.other.is_ended or to.is_closing() or not to.can_write_eof():
            to.close()
            return False
        to.write_eof()
        return True

    def connection_lost(self, error: Exception | None) -> None:
        self._connections.discard(self)
        to = self.other.transport
        if error is None:
            to.close()
        else:
            to.abort()

    def pause_writing(self) -> None:
        self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        self.other.transport.resume_reading()

    @property
    def wait(self) -> tuple[Wait, int]:
        """Its ends alone know how long to wait for each other."""
        return Wait.SERVER, 0

    def overdue(self, wait: Wait) -> None:
        """Nothing is."""

    def shutdown(self) -> None:
        """The server ends."""
        self.transport.abort()
