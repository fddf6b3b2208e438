"""Kills a process in the midst of its work with a store in a file, again and again, and counts what the file has lost.

``python -m tests.processes.store.kills FILE TIMES`` prints what was found as JSON. Each process is forked off one that
has imported everything, uses the file alone, and tells of a call through a pipe once the store has it.
"""

import asyncio
import json
import os
import random
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from mockserver.engine.engine import Engine
from mockserver.engine.pin import PinState
from mockserver.store.durable import DurableStore
from mockserver.store.journal import Query
from tests.engine.workbench import acme
from tests.store.stores import SEND, Bounds, Handles, World, open_file

CLIENTS = 8
LATEST_KILL = 0.15  # seconds after the start, or after the first answer
BOUNDS = Bounds(calls=10**6, journal_bytes=10**9)


def forked(work: Callable[[int], None]) -> tuple[int, int]:
    """A process that does something; its id, and the end of the pipe that it writes to."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        try:
            work(writing)
        finally:
            os._exit(0)
    os.close(writing)
    return pid, reading


def serve(path: Path, writing: int) -> None:
    """Answer requests until killed; tell each call's number and answer."""

    async def client(handles: Handles) -> None:
        while True:
            call = (await handles.send(handles.a, "one")).call
            os.write(writing, f"{call.number} {call.answer}\n".encode())

    async def work() -> None:
        world = World()
        store = open_file(path, BOUNDS, world)
        if await store.account("one") is None:
            await store.add_account("one", {})
        if not await store.pins("one"):
            await store.put_pin(PinState("p-always", "one", SEND, ("busy",), ("busy",), then="last"))
        handles = Handles(store, store, world, Engine((acme(),), world.sources()))
        await asyncio.gather(*(client(handles) for _ in range(CLIENTS)))

    asyncio.run(work())


def look(path: Path, writing: int) -> None:
    """Tell what the file has, and empty its journal."""

    async def work() -> None:
        store: DurableStore = open_file(path, BOUNDS, World())
        calls = (await store.calls(Query(limit=10**6))).calls
        used = [pin.used for pin in await store.pins(None)]
        await store.clear_calls(None)
        await store.close()
        with os.fdopen(writing, "w") as out:
            json.dump({"calls": [[call.number, call.answer] for call in calls], "used": sum(used)}, out)

    asyncio.run(work())


def killed_after(path: Path, seconds: float, *, at_work: bool) -> dict[int, str]:
    """The calls that a process had answered when it was killed; ``at_work`` counts from its first answer."""
    pid, reading = forked(lambda writing: serve(path, writing))
    first = os.read(reading, 1) if at_work else b""
    time.sleep(seconds)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    with os.fdopen(reading, "rb") as answered:
        text = (first + answered.read()).decode("ascii")
    lines = [line.split() for line in text.splitlines(keepends=True) if line.endswith("\n")]
    return {int(number): answer for number, answer in lines}


def found(path: Path) -> tuple[dict[int, str], int]:
    """The calls that the file has, and how often its pin was used."""
    pid, reading = forked(lambda writing: look(path, writing))
    with os.fdopen(reading) as kept:
        told = json.load(kept)
    os.waitpid(pid, 0)
    return dict(told["calls"]), told["used"]


def main(path: Path, times: int) -> None:
    total: Counter[str] = Counter()
    chance, used_before, numbers = random.Random(1), 0, set[int]()  # noqa: S311 -- moments
    for turn in range(times):
        answered = killed_after(path, chance.uniform(0, LATEST_KILL), at_work=turn % 2 == 1)
        kept, used = found(path)
        total["kills"] += 1
        total["answered"] += len(answered)
        total["kills_at_work"] += bool(answered)
        total["missing"] += len(answered.items() - kept.items())
        total["numbers_twice"] += len(numbers & kept.keys())
        total["uses_off"] += used - used_before != Counter(kept.values())[f"{SEND}/busy"]
        numbers |= kept.keys()
        used_before = used
    with closing(sqlite3.connect(path)) as db:
        (state,) = db.execute("PRAGMA integrity_check").fetchone()
    json.dump({**total, "integrity": state}, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
