"""The matcher runs where a user's tests run: beside any dependency, or none."""

import subprocess
import sys

import pytest

from tests.evidence import ROOT


@pytest.mark.parametrize(
    "module",
    [
        "mockserver.matching.compare",
        "mockserver.matching.explain",
        "mockserver.matching.pattern",
        "mockserver.matching.show",
        "mockserver.matching.verdict",
        "mockserver.testing.assertions",
    ],
)
def test_the_standard_library_is_enough(module: str) -> None:
    """It can be imported by a Python that has no other package."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import {module}"
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True, cwd=ROOT)
