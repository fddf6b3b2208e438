"""Commands are tested without the settings of whoever runs the tests."""

import os

import pytest


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("MOCKSERVER_"):
            monkeypatch.delenv(name)
