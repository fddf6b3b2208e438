"""Commands are tested without the settings of whoever runs the tests."""

import os
from collections.abc import Iterator

import pytest

from tests.cli.running import taken_port


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    for name in os.environ:
        if name.startswith("MOCKSERVER_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.getbasetemp() / "state"))  # certificates are kept there


@pytest.fixture
def taken() -> Iterator[str]:
    with taken_port() as port:
        yield port
