"""Programs that the tests install and run."""

import os
import subprocess
import sys
from pathlib import Path

INSTALLING = 600  # seconds, on a slow line


def execute(*command: str | Path, cwd: Path | None = None, timeout: float = INSTALLING) -> str:
    """What a program prints; its failure is the test's, with all that it said."""
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PIP_CONSTRAINT"}}
    ended = subprocess.run(
        command,
        cwd=cwd,
        env={**environment, "no_proxy": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert ended.returncode == 0, f"{command}\n{ended.stdout}\n{ended.stderr}"
    return ended.stdout


def virtual_environment(folder: Path, *requirements: str | Path) -> Path:
    """The Python of an environment with just these; one that is whole already is used again."""
    python, whole = folder / "bin" / "python", folder / "whole"
    if not whole.exists():
        execute(sys.executable, "-m", "venv", "--clear", folder)
        execute(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements)
        whole.touch()
    return python
