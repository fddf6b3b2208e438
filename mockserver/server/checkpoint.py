"""Long work done in pieces, so that no request waits for another's."""

import asyncio

from mockserver.engine.sources import steady_time

SHARE = 0.002  # seconds that a task works before others get their turn


class TimeShare:
    """One task's share of time; it asks after each piece of its work, and pieces should take far less."""

    def __init__(self) -> None:
        self._until = steady_time() + SHARE

    async def checkpoint(self) -> None:
        """Let others work, if this task has had its share."""
        if steady_time() >= self._until:
            await asyncio.sleep(0)
            self._until = steady_time() + SHARE
