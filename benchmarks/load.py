"""Load on a server: wrk with one thread and 16 connections, each answer checked for success."""

import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import Run
from benchmarks.scenarios import Sample, wire
from benchmarks.servers import Server

CONNECTIONS = 16
SCRIPT = Path(__file__).with_name("load.lua")


class LoadError(RuntimeError):
    """A server refused or dropped requests that it should have accepted."""


def load(
    server: Server,
    requests: Sequence[Sample],
    seconds: int,
    calls: int | None = None,
    connections: int = CONNECTIONS,
) -> Run:
    """Send the requests in turn for whole seconds, or until so many are sent. Raises LoadError."""
    before = server.cpu()
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"\0".join(wire(request) for request in requests))
        file.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", str(SCRIPT)]
        command += [f"http://127.0.0.1:{server.port}", "--", file.name, *([str(calls)] if calls else [])]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds + 60)
    if done.returncode:
        raise LoadError(f"wrk failed: {(done.stderr or done.stdout).strip()}")
    return read_run(done.stdout, server.cpu() - before)


def read_run(text: str, cpu: float) -> Run:
    """The figures in what wrk and our script print; ``cpu`` seconds were the server's. Raises LoadError."""
    found = json.loads(text.splitlines()[-1])
    refused, broken = found.pop("refused"), found.pop("broken")
    if refused or broken or not found["calls"]:
        raise LoadError(f"of {found['calls']:,} answers {refused:,} were refusals, and {broken:,} connections failed")
    run: Run = found | {"cpu_us": cpu / found["calls"] * 1e6}
    return run
