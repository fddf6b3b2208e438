"""The event loop of a server."""

import asyncio
import sys
import time

import pytest

from mockserver.engine.sources import steady_time
from mockserver.server.uvicorn_server import event_loop


def test_without_uvloop_time_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits of the library's own loop end, whatever a test does to ``time.monotonic``."""
    monkeypatch.setitem(sys.modules, "uvloop", None)
    monkeypatch.setattr(time, "monotonic", lambda: 1.0)
    with asyncio.Runner(loop_factory=event_loop) as runner:
        assert type(runner.get_loop()).__module__.startswith("asyncio")
        began = steady_time()
        runner.run(asyncio.sleep(0.05))
        assert 0.04 < steady_time() - began < 10
