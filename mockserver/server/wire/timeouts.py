"""Connections that wait too long, found by a look at all of them once a second: no request pays for a timer."""

import math
from collections.abc import Iterable
from enum import Enum, auto
from typing import Any

from mockserver.server.settings import Settings
from mockserver.server.wire.limits import fields_size, header_too_large, too_slow
from mockserver.server.wire.protocol import Bounded

LINGER = 2.0  # seconds that a refused client has to read why


class Wait(Enum):
    """What a connection waits for."""

    SERVER = auto()  # however long a fault or a verification takes
    READER = auto()  # to take what was written
    REQUEST = auto()  # the rest of one
    NEXT = auto()  # a request's first byte
    END = auto()  # of the client, which was refused


class Sweep:
    """Remembers what each connection waits for, and since when."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._patience = {
            Wait.SERVER: math.inf,
            Wait.READER: settings.request_timeout,
            Wait.REQUEST: settings.request_timeout,
            Wait.NEXT: settings.idle_timeout,
            Wait.END: LINGER,
        }
        self._seen: dict[Bounded, tuple[Wait, Any, float]] = {}

    def __call__(self, protocols: Iterable[Any], now: float) -> None:
        """Look at all open connections, each a Bounded; ``now`` in seconds of any clock."""
        seen = {}
        for protocol in tuple(protocols):
            wait = waits_for(protocol)
            request = protocol.running if wait is Wait.READER else protocol.scope
            before = self._seen.get(protocol)
            if before is None or before[0] is not wait or before[1] is not request:
                before = (wait, request, now)
            seen[protocol] = before
            self._end(protocol, wait, now - before[2])
        self._seen = seen

    def _end(self, protocol: Bounded, wait: Wait, seconds: float) -> None:
        """Do what is due after so many seconds of waiting."""
        settings, is_due = self._settings, seconds >= self._patience[wait]
        if wait is Wait.REQUEST and is_due:
            protocol.refuse(too_slow(settings.request_timeout))
        elif wait is Wait.REQUEST and _fields_size(protocol) > settings.max_head:
            protocol.refuse(header_too_large(settings.max_head))
        elif wait is Wait.NEXT and is_due:
            protocol.transport.close()
        elif wait in {Wait.READER, Wait.END} and is_due:
            protocol.connection.reset()


def _fields_size(protocol: Bounded) -> int:
    """Of the newest request, with what came behind its body."""
    return fields_size(protocol.scope["headers"]) if protocol.scope else 0


def waits_for(protocol: Bounded) -> Wait:
    """What a connection waits for, as uvicorn's state has it."""
    cycle = protocol.cycle
    if protocol in protocol.lingering:
        return Wait.END
    if protocol.transport.get_write_buffer_size():
        return Wait.READER
    if cycle is None or cycle.response_complete:
        return Wait.REQUEST if protocol.has_unfinished_head else Wait.NEXT
    return Wait.REQUEST if cycle.more_body and not protocol.pipeline else Wait.SERVER
