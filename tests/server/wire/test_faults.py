"""How a fault sends what is left of a response in pieces, and how long it pauses."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.engine.fault import read_fault
from mockserver.engine.response import RenderedResponse
from mockserver.server.wire import faults as delivery
from mockserver.server.wire.faults import deliver
from tests.properties import examples

PROPERTY = settings(deadline=None, database=None, derandomize=True, max_examples=examples(100))


def delivered(fault: dict[str, Any], body: bytes) -> tuple[list[bytes], list[float]]:
    """The pieces of a body as they were sent, and the pauses."""
    sent: list[dict[str, Any]] = []
    pauses: list[float] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def pause(seconds: float, exchange: Any, first: bytes) -> None:
        pauses.append(seconds)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delivery, "_pause", pause)
        response = RenderedResponse.of(202, [], body)
        asyncio.run(deliver(read_fault(fault), 0, response, None, send))
    assert sent[0] == {"type": "http.response.start", "status": 202, "headers": response.headers}
    assert [message.get("more_body", False) for message in sent[1:]] == [True] * (len(sent) - 2) + [False]
    return [message["body"] for message in sent[1:] if message["body"] or len(sent) == 2], pauses


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
