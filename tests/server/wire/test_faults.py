"""How a fault sends what is left of a response: pieces and pauses, and a connection that is taken from uvicorn."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.engine.fault import read_fault
from mockserver.engine.response import RenderedResponse
from mockserver.server.wire import faults as delivery
from mockserver.server.wire.faults import Connection, Line, deliver

PATIENCE = 20  # seconds; only what is broken needs them
PROPERTY = settings(deadline=None, database=None, derandomize=True, max_examples=100)


class Transport:
    """What was done with it, in order."""

    def __init__(self) -> None:
        self.done: list[Any] = []

    def write(self, data: bytes) -> None:
        self.done.append(data)

    def __getattr__(self, name: str) -> Any:
        return lambda: self.done.append(name)


def delivered(fault: dict[str, Any], body: bytes) -> tuple[list[bytes], list[float]]:
    """The pieces of a body as they were sent, and the pauses."""
    sent: list[dict[str, Any]] = []
    pauses: list[float] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def pause(seconds: float, line: Line) -> None:
        pauses.append(seconds)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delivery, "_pause", pause)
        response = RenderedResponse.of(202, [], body)
        asyncio.run(deliver(read_fault(fault), 0, response, Line(None, send)))
    assert sent[0] == {"type": "http.response.start", "status": 202, "headers": response.headers}
    assert [message.get("more_body", False) for message in sent[1:]] == [True] * (len(sent) - 2) + [False]
    return [message["body"] for message in sent[1:]], pauses


@PROPERTY
@given(st.binary(min_size=1, max_size=300), st.integers(2, 50), st.floats(0, 60))
def test_dribble(body: bytes, chunks: int, seconds: float) -> None:
    """As many chunks as asked for, or as there are bytes; all alike, none empty; their pauses are the time in all."""
    pieces, pauses = delivered({"kind": "dribble", "chunks": chunks, "seconds": seconds}, body)
    assert b"".join(pieces) == body
    assert len(pieces) == len(pauses) == min(chunks, len(body))
    sizes = sorted(map(len, pieces))
    assert 1 <= sizes[0] <= sizes[-1] <= sizes[0] + 1
    assert all(one == other for one, other in pairwise(pauses))
    assert sum(pauses) == pytest.approx(seconds)


@pytest.mark.parametrize(("kind", "body"), [("delay", b"{}"), ("delay", b""), ("dribble", b"")])
def test_delay(kind: str, body: bytes) -> None:
    """One pause, then all at once; what has no body cannot come in pieces, but late."""
    assert delivered({"kind": kind, "seconds": 3}, body) == ([body], [3])


class Cycle:
    """A request as uvicorn answers it: its ``send`` writes to its transport."""

    def __init__(self, transport: Any) -> None:
        self.transport = transport

    def send(self, data: bytes) -> None:
        self.transport.write(data)


def test_a_mute_connection() -> None:
    """Once a fault has it, nothing that uvicorn writes goes out; it can be closed, and the client's end is read."""
    transport = Transport()
    cycle, connection = Cycle(transport), Connection(transport)
    cycle.send(b"before")
    connection.mute(cycle.send)
    cycle.send(b"after")
    cycle.transport.close()
    assert transport.done == [b"before", "resume_reading", "close"]


@pytest.mark.parametrize("leaves", [True, False])
def test_a_client_may_leave(leaves: bool) -> None:
    """Waiting ends when the client does, or when the time is over; one that sends no more has its connection closed."""

    async def wait() -> tuple[bool, bool]:
        transport = Transport()
        connection = Connection(transport)
        connection.is_half_closed = leaves
        transport.close = connection.gone.set  # type: ignore[attr-defined]
        left = await connection.left(PATIENCE if leaves else 0.01)
        return left, connection.is_watched

    assert asyncio.run(wait()) == (leaves, False)
