"""What the plain run must not pay for."""

import subprocess
import sys

from tests.conftest import TESTS
from tests.evidence import ROOT
from tests.live import PATIENCE

WITHOUT_SERVER = ["spec", "matching", "engine", "coverage", "store"]
PROBE = """
import importlib, sys
for module in sys.argv[1:]:
    importlib.import_module(module)
print(sorted({"mockserver.server", "starlette", "uvicorn", "schemathesis"} & sys.modules.keys()))
"""


def test_unit_tests_start_without_the_server() -> None:
    """The tests of the lower wings, and the conftest above them, import neither the server nor schemathesis."""
    files = [TESTS / "conftest.py", *(file for wing in WITHOUT_SERVER for file in sorted((TESTS / wing).glob("*.py")))]
    modules = [".".join(file.relative_to(ROOT).with_suffix("").parts) for file in files]
    command = [sys.executable, "-c", PROBE, *modules]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (ended.stdout, ended.stderr) == ("[]\n", "")
