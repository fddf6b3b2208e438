"""TimeShare: others get theirs when a task has had its share of time, and not before."""

import asyncio
from collections.abc import Iterable
from itertools import count

import pytest

from mockserver.server import checkpoint
from mockserver.server.checkpoint import TimeShare

PIECES = 12  # after each of which the task asks


def turns_of_others(clock: Iterable[float], monkeypatch: pytest.MonkeyPatch) -> int:
    """How often another task works while one does its pieces; each look at the clock takes the next time of it."""
    times, others = iter(clock), 0
    monkeypatch.setattr(checkpoint, "steady_time", lambda: next(times))

    async def scenario() -> int:
        nonlocal others
        share, done = TimeShare(), False

        async def other() -> None:
            nonlocal others
            while not done:
                await asyncio.sleep(0)
                others += 1

        task = asyncio.create_task(other())
        await asyncio.sleep(0)
        for _ in range(PIECES):
            await share.checkpoint()
        counted, done = others, True
        await task
        return counted

    return asyncio.run(scenario())


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
    monkeypatch.setattr(checkpoint, "SHARE", share)
    assert turns_of_others(count(), monkeypatch) == given


def test_a_share_is_a_few_milliseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of pieces that take a millisecond each, others wait for no more than three."""
    assert turns_of_others(count(step=0.001), monkeypatch) >= PIECES // 3
