"""What every store does, by two servers that share a Redis server; and that they do what one store alone would do."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule

from mockserver.store import agreement
from tests.redis_server import RedisServer
from tests.store.stores import Bounds, Handles, in_redis, open_shared, run
from tests.store.test_contract import *  # noqa: F403 -- all tests of that module, with the fixtures of this one
from tests.store.test_contract import BOUNDS
from tests.store.test_contract_machine import BOUNDS as MACHINE_BOUNDS
from tests.store.test_contract_machine import TwoHandles
from tests.tools.store.shared import pictures


@pytest.fixture  # type: ignore[no-redef]  # in place of that module's
def handles(redis_db: RedisServer, tmp_path: Path) -> Iterator[Handles]:
    """A store with the accounts ``one`` and ``two``."""
    opened = in_redis(redis_db.url)(tmp_path, Bounds())
    for name in ("one", "two"):
        run(opened.a.add_account(name, {}))
    yield opened
    seen = run(pictures(opened, redis_db))
    run(opened.close())
    assert_alike(seen)


def assert_alike(seen: list[Any]) -> None:
    """Both servers, and one that starts afterwards, have the same."""
    for rows, calls in seen[1:]:
        assert rows == seen[0][0]
        assert calls == seen[0][1]


@pytest.fixture  # type: ignore[no-redef]  # as above
def small(redis_db: RedisServer, tmp_path: Path) -> Iterator[Handles]:
    """A store with little room, and the account ``one``."""
    opened = in_redis(redis_db.url)(tmp_path, BOUNDS)
    run(opened.a.add_account("one", {}))
    yield opened
    run(opened.close())


class Servers(TwoHandles):
    """Two servers of which one is at times another that has just started; changes are put together after three."""

    url = ""

    @rule(which=st.booleans())
    def start_anew(self, which: bool) -> None:
        old = self.handle(which)
        self.run(old.close())
        new = open_shared(self.url, MACHINE_BOUNDS, self.handles.world)
        self.handles = replace(self.handles, b=new) if which else replace(self.handles, a=new)
        self.on_their_way.clear()


def test_two_servers(redis_db: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is done by whichever server, both see what one alone would have made of it."""
    monkeypatch.setattr(agreement, "CHECKPOINT_CHANGES", 3)

    def opened(folder: Path, bounds: Bounds) -> Handles:
        redis_db.empty()
        return in_redis(redis_db.url)(folder, bounds)

    machine = type("Machine", (Servers,), {"opening": staticmethod(opened), "url": redis_db.url})
    machine.TestCase.settings = settings(  # type: ignore[attr-defined]  # hypothesis makes it
        deadline=None, database=None, derandomize=True, max_examples=30, stateful_step_count=40
    )
    machine.TestCase().runTest()  # type: ignore[attr-defined]
