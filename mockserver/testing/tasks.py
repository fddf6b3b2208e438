"""Whether other tasks of an event loop may still send what an assertion missed."""

import sys
from contextvars import Context, ContextVar, copy_context

_COUNTED = ContextVar("tasks", default=0)  # other tasks of the loop that a thread works for


def context_of_loop() -> Context:
    """The context for a thread that works for the running task: there, too, ``pending_tasks`` is that loop's."""
    context = copy_context()
    context.run(_COUNTED.set, pending_tasks())
    return context


def pending_tasks() -> int:
    """How many tasks of the event loop are not done, beside the one that runs; 0 without a loop."""
    asyncio = sys.modules.get("asyncio")  # takes 30 ms to import, and many tests never need it
    if asyncio is None:
        return 0
    try:
        return len(asyncio.all_tasks() - {asyncio.current_task()})
    except RuntimeError:  # no loop runs in this thread
        return _COUNTED.get()
