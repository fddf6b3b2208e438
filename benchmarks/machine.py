"""What a run was made with: versions, processor, settings."""

import os
import platform
import subprocess
import time
from importlib.metadata import version
from pathlib import Path

from benchmarks.load import CONNECTIONS
from benchmarks.servers import ROOT

PACKAGES = ("uvicorn", "uvloop", "httptools", "starlette")


def about(seconds: int, rounds: int) -> dict[str, str]:
    """What was measured, with what, when."""
    return code() | {
        "processor": f"{_processor()}, {os.cpu_count()} cores; one for the server, one for the load",
        "Node.js": first_line("node", "--version"),
        "Java": first_line("java", "-version"),
        "load": f"{first_line('wrk', '-v').partition(' [')[0]}, 1 thread, {CONNECTIONS} connections",
        "other work": f"load average {os.getloadavg()[0]:.1f} at the start; figures of a busy machine mean little",
        "runs": f"{rounds} rounds of {seconds} s, interleaved; medians",
    }


def code() -> dict[str, str]:
    """What was measured, when, and on which processor and versions."""
    return {
        "date": time.strftime("%Y-%m-%d"),
        "commit": first_line("git", "-C", str(ROOT), "describe", "--always", "--dirty"),
        "processor": _processor(),
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "packages": ", ".join(f"{name} {version(name)}" for name in PACKAGES),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def first_line(*command: str) -> str:
    """The first line that a program prints, wherever it prints it; "none" where there is no such program."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return "none"
    return ((done.stdout or done.stderr).strip().splitlines() or ["none"])[0]
