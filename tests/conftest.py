"""The lanes, and one server of the real contracts for a session: tests that count calls make accounts of their own."""

import gc
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mockserver.spec import load
from mockserver.spec.load import read_file

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from mockserver.server.application import Application
    from mockserver.spec.source import Source

TESTS = Path(__file__).parent
ROOT = TESTS.parent
pytest.register_assert_rewrite("tests.evidence")
LANES = frozenset({"browser", "fuzz", "load", "processes", "tools"})
"""Folders whose tests take long or need more than Python. Each test in one carries its name as a marker."""


def pytest_configure(config: pytest.Config) -> None:
    """Read each contract of this repository once: no test changes one, and reading the built-in ones takes 0.15 s."""
    kept: dict[Path, Any] = {}

    def read_once(
        file: Path, overlays: Collection[Path] = (), draft: "Source | None" = None, *, is_proven: bool = False
    ) -> Any:
        if overlays or draft is not None or ROOT not in file.parents:
            return read_file(file, overlays, draft, is_proven=is_proven)
        if file not in kept:
            kept[file] = read_file(file)  # with every proof, whatever is asked
        return kept[file]

    patch = pytest.MonkeyPatch()
    patch.setattr(load, "read_file", read_once)
    config.add_cleanup(patch.undo)


def pytest_collection_finish() -> None:
    """What is collected stays to the end: the garbage collector leaves it alone, and comes less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A lane runs where ``-m`` names it, or its path is given. Otherwise not even its modules are imported."""
    is_lane = collection_path.parent == TESTS and collection_path.name in LANES
    return True if is_lane and collection_path.name not in re.findall(r"\w+", config.option.markexpr) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of each lane."""
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0] if item.path.is_relative_to(TESTS) else ""
        if folder in LANES:
            item.add_marker(folder)


# These import the server only where a test uses it: the tests of a contract's reader start without.


@pytest.fixture
def contracts_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Contracts that no other test holds."""
    monkeypatch.setattr(load, "read_file", read_file)


@pytest.fixture(scope="session")
def app() -> "Application":
    from mockserver.server.application import create_app  # noqa: PLC0415 -- as above
    from mockserver.server.settings import Settings  # noqa: PLC0415 -- likewise

    return create_app(Settings())  # without settings it would log to the run's own output


@pytest.fixture(scope="session")
def client(app: "Application") -> "Iterator[TestClient]":
    from starlette.testclient import TestClient  # noqa: PLC0415 -- as above

    with TestClient(app, base_url="http://localhost") as client:
        yield client
