"""The test that asks: its line, what else runs in its event loop, and what it is warned of."""

import inspect
import sys
import warnings
from collections.abc import Iterable
from contextlib import suppress
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass
from pathlib import Path


class MockServerWarning(UserWarning):
    """A question or a pin that passes and may mean nothing: a name in it that no contract has, say."""


@dataclass(frozen=True)
class CallerLine:
    """A line of a file."""

    file: str
    line: int

    def __str__(self) -> str:
        """``tests/test_app.py:12``; without a file ""."""
        file = Path(self.file)
        with suppress(ValueError):  # elsewhere
            file = file.relative_to(Path.cwd())
        return f"{file}:{self.line}" if self.file else ""


NOWHERE = CallerLine("", 0)
_PLACE = ContextVar("place", default=NOWHERE)  # of what a thread works for
_TASKS = ContextVar("tasks", default=0)  # other tasks of the loop that a thread works for


def caller() -> CallerLine:
    """The line that called into this package, also where a thread does the work."""
    known = _PLACE.get()
    if known is not NOWHERE:
        return known
    frame = inspect.currentframe()
    while frame is not None and str(frame.f_globals.get("__name__")).startswith("mockserver."):
        frame = frame.f_back
    return NOWHERE if frame is None else CallerLine(frame.f_code.co_filename, frame.f_lineno)


def warn(of: str, doubts: Iterable[str]) -> None:
    """Warn the line that called into this package; ``of`` is what it asked or fixed."""
    place = caller()
    for doubt in doubts:
        warnings.warn_explicit(f"{of}: {doubt}", MockServerWarning, place.file or "mockserver", place.line)


def context_for_thread(place: CallerLine) -> Context:
    """The context for a thread that works for the running task: there, too, place and loop are the task's."""
    context = copy_context()
    context.run(_PLACE.set, place)
    context.run(_TASKS.set, pending_tasks())
    return context


def pending_tasks() -> int:
    """How many tasks of the event loop are not done, beside the one that runs; 0 without a loop."""
    asyncio = sys.modules.get("asyncio")  # takes 30 ms to import, and many tests never need it
    if asyncio is None:
        return 0
    try:
        return len(asyncio.all_tasks() - {asyncio.current_task()})
    except RuntimeError:  # no loop runs in this thread
        return _TASKS.get()


def refuse_to_block(what: str, instead: str) -> None:
    """Raise RuntimeError in a thread with a running event loop: waiting would block it and the code under test."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError(
        f"{what} would block the running event loop, and what it waits for with it. "
        f"Use the async form: await async_mock_vendors.{instead}, "
        "or an account of mockserver.testing.AsyncMockServer"
    )
