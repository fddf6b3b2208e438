"""The system's own time, with files in memory and without."""

import os
import tempfile
from typing import Any

import pytest

from mockserver.engine.sources import real_time
from mockserver.server import system_time as module
from mockserver.server.system_time import system_time

LATE = 0.1  # seconds: the kernel dates files with a tick


def refused(*_: Any, **__: Any) -> Any:
    raise OSError


@pytest.mark.parametrize("missing", [(), (os,), (os, tempfile)])
def test_it_is_now(missing: tuple[Any, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the system has."""
    for library in missing:
        monkeypatch.setattr(library, "memfd_create" if library is os else "TemporaryFile", refused)
    assert -LATE < system_time() - real_time() <= 0.001


def test_no_moved_clock_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither of them."""
    now = real_time()
    monkeypatch.setattr(module, "real_time", refused)
    assert abs(system_time() - now) < 10
    monkeypatch.delattr(os, "memfd_create", raising=False)
    assert abs(system_time() - now) < 10
