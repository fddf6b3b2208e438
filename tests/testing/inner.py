"""Test runs inside of tests."""

from collections.abc import Mapping
from pathlib import Path

import pytest

import mockserver.engine.signing  # noqa: F401 -- a run within this one forgets its modules, and cryptography is loaded once only

SENDING = Path(__file__).with_name("sending.py")
OTHERS = ("schemathesis", "hypothesispytest", "anyio", "pytest_cov")  # plugins that take a second to load
QUIET = [word for name in OTHERS for word in ("-p", f"no:{name}")] + ["-p", "no:cacheprovider", "-W", "error"]


def write(pytester: pytest.Pytester, test: str, **more: str) -> None:
    """A test file, and the client that it uses."""
    head = "import os\nimport pytest\nfrom sending import send\n"
    sources: Mapping[str, str] = {"sending": SENDING.read_text("utf-8"), "test_app": head + test, **more}
    for name, source in sources.items():
        pytester.makepyfile(**{name: source})


def here(pytester: pytest.Pytester, *args: str) -> pytest.RunResult:
    """A run within this process."""
    return pytester.runpytest_inprocess(*QUIET, *args)


def apart(pytester: pytest.Pytester, *args: str) -> pytest.RunResult:
    """A run of its own, which finds the plugin by its entry point as a user's does."""
    return pytester.runpytest_subprocess(*QUIET, *args)
