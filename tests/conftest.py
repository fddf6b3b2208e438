"""The lanes, and one server of the real contracts for a session: tests that count calls make accounts of their own."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from mockserver.server.application import Application

TESTS = Path(__file__).parent
LANES = frozenset({"browser", "fuzz", "load", "processes", "tools"})
"""Folders whose tests take long or need more than Python. Each test in one carries its name as a marker."""


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


@pytest.fixture(scope="session")
def app() -> "Application":
    from mockserver.server.application import create_app  # noqa: PLC0415 -- as above

    return create_app()


@pytest.fixture(scope="session")
def client(app: "Application") -> "Iterator[TestClient]":
    from starlette.testclient import TestClient  # noqa: PLC0415 -- as above

    with TestClient(app, base_url="http://localhost") as client:
        yield client
