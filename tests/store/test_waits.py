"""Waiting for something of an account, and for the next step of a course."""

import asyncio

import pytest

from mockserver.store.waits import Timekeeper, Waits

NOW = 1000.0
SOON = 0.01  # seconds


def test_who_waits_for_an_account_goes_on_when_it_is_woken() -> None:
    """Those of another account wait on, and nobody is left behind at the end."""

    async def scenario() -> None:
        waits = Waits()
        one, other = (asyncio.create_task(waits.wait(name, None)) for name in ("one", "other"))
        await asyncio.sleep(0)
        waits.wake("one")
        await one
        assert not other.done()
        waits.wake_everybody()
        await other
        assert not waits

    asyncio.run(scenario())


def test_a_wait_ends_with_its_time() -> None:
    """It raises nothing, and whoever waits beside it waits on."""

    async def scenario() -> None:
        waits = Waits()
        other = asyncio.create_task(waits.wait("one", None))
        await waits.wait("one", SOON)
        assert waits
        assert not other.done()
        waits.wake("one")
        await other

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("seconds", "due", "looks"),
    [
        pytest.param(60.0, NOW + 61, True, id="later than it looks"),
        pytest.param(60.0, NOW + 59, False, id="sooner"),
        pytest.param(None, NOW + 1e9, False, id="it never looks by itself"),
    ],
)
def test_when_a_timekeeper_looks_by_itself(seconds: float | None, due: float, *, looks: bool) -> None:
    """It need not be woken for what is due later."""

    async def scenario() -> None:
        timekeeper = Timekeeper()
        assert not timekeeper.looks_before(due)
        waiting = asyncio.create_task(timekeeper.wait(NOW, seconds))
        await asyncio.sleep(0)
        assert timekeeper.is_waiting
        assert timekeeper.looks_before(due) == looks
        timekeeper.wake()
        timekeeper.wake()
        await waiting
        assert not timekeeper.is_waiting

    asyncio.run(scenario())
