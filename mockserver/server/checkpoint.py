"""Long work done in pieces, so that no request waits for another's."""

import asyncio
from time import perf_counter

SHARE = 0.002  # seconds that a task works before others get their turn


class Turns:
    """One task's share of time; it asks after each piece of its work, and pieces should take far less."""

    def __init__(self) -> None:
        self._until = perf_counter() + SHARE

    async def give(self) -> None:
        """Let others work, if this task has had its share."""
        if perf_counter() >= self._until:
            await asyncio.sleep(0)
            self._until = perf_counter() + SHARE
