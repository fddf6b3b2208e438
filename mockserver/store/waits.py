"""Who waits for something of an account, and who looks after the clocks."""

import asyncio
import math


class Waits(dict[str, set[asyncio.Future[None]]]):
    """By account those who wait for something of it."""

    async def wait(self, account: str, seconds: float | None) -> None:
        """Return when somebody wakes those who wait for an account, or when the time is over (None: never)."""
        waiting = asyncio.get_running_loop().create_future()
        self.setdefault(account, set()).add(waiting)
        try:
            async with asyncio.timeout(seconds):
                await waiting
        except TimeoutError:
            pass
        finally:
            others = self.get(account)
            if others is not None:
                others.discard(waiting)
                if not others:
                    del self[account]

    def wake(self, account: str) -> None:
        """Have whoever waits for an account go on."""
        for waiting in self.pop(account, ()):
            if not waiting.done():
                waiting.set_result(None)

    def wake_everybody(self) -> None:
        """Have whoever waits for any account go on."""
        for account in list(self):
            self.wake(account)


class Timekeeper:
    """The one task that looks after the clocks, while it waits for the next step."""

    def __init__(self) -> None:
        self._waiting: asyncio.Future[None] | None = None
        self._until = 0.0  # when it looks again by itself, in real Unix seconds

    @property
    def is_waiting(self) -> bool:
        """Whether there is somebody to wake, or one who was woken and did not go on yet."""
        return self._waiting is not None

    async def wait(self, now: float, seconds: float | None) -> None:
        """Return when it is woken, or when the time is over (None: never)."""
        self._waiting = asyncio.get_running_loop().create_future()
        self._until = math.inf if seconds is None else now + seconds
        try:
            async with asyncio.timeout(seconds):  # wait_for of CPython 3.11 may swallow a cancellation
                await self._waiting
        except TimeoutError:
            pass
        finally:
            self._waiting = None

    def looks_before(self, real: float) -> bool:
        """Whether it looks by itself at this time at the latest."""
        return self._waiting is not None and self._until <= real

    def wake(self) -> None:
        """Have it look at once, if it waits."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
