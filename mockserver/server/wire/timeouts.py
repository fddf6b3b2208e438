"""Connections that wait too long, found by a look at all of them once a second: no request pays for a timer."""

import math
from collections.abc import Iterable
from enum import Enum, auto
from typing import Protocol

from mockserver.server.settings import Settings

LINGER_SECONDS = 2.0  # that a client has to read the last answer, and close


class Wait(Enum):
    """What a connection waits for."""

    SERVER = auto()  # however long a fault or a verification takes
    READER = auto()  # to take what was written
    REQUEST = auto()  # the rest of one
    NEXT = auto()  # a request's first byte
    END = auto()  # of the client, which has its last answer


class Waiting(Protocol):
    """A connection, as it is looked after."""

    @property
    def wait(self) -> tuple[Wait, int]:
        """What it waits for, and a number that changes when it waits for the next such thing."""

    def overdue(self, wait: Wait) -> None:
        """Do what is due after so long a wait."""


class Timeouts:
    """Remembers what each connection waits for, and since when."""

    def __init__(self, settings: Settings) -> None:
        self._patience = {
            Wait.SERVER: math.inf,
            Wait.READER: settings.request_timeout,
            Wait.REQUEST: settings.request_timeout,
            Wait.NEXT: settings.idle_timeout,
            Wait.END: LINGER_SECONDS,
        }
        self._seen: dict[Waiting, tuple[tuple[Wait, int], float]] = {}

    def __call__(self, connections: Iterable[Waiting], now: float) -> None:
        """Look at all open connections; ``now`` in seconds of any clock."""
        seen = {}
        for connection in tuple(connections):
            wait = connection.wait
            before, since = self._seen.get(connection, (wait, now))
            since = since if before == wait else now
            seen[connection] = wait, since
            if now - since >= self._patience[wait[0]]:
                connection.overdue(wait[0])
        self._seen = seen
