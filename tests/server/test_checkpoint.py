"""Turns: others get theirs when a task has had its share of time, and not before."""

import asyncio
from itertools import count

import pytest

from mockserver.server import checkpoint
from mockserver.server.checkpoint import Turns


@pytest.mark.parametrize(
    ("share", "given"),
    [
        pytest.param(0, 12, id="no-share"),
        pytest.param(3, 4, id="three-looks-at-the-clock"),
        pytest.param(1000, 0, id="time-enough"),
    ],
)
def test_others_get_their_turn_by_time(monkeypatch: pytest.MonkeyPatch, share: float, given: int) -> None:
    """Not by how often it is asked; and after a turn there is a whole share again."""
    clock, others = count(), 0

    async def scenario() -> None:
        nonlocal others
        share_of_time, done = Turns(), False

        async def other() -> None:
            nonlocal others
            while not done:
                await asyncio.sleep(0)
                others += 1

        task = asyncio.create_task(other())
        await asyncio.sleep(0)
        for _ in range(12):
            await share_of_time.give()
        counted, done = others, True
        await task
        others = counted

    monkeypatch.setattr(checkpoint, "SHARE", share)
    monkeypatch.setattr(checkpoint, "perf_counter", lambda: next(clock))
    asyncio.run(scenario())
    assert others == given
