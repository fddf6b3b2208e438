"""The command line, in this process and as one of its own."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner, Result

from mockserver.cli import cli
from tests.live import PATIENCE

COMMAND = [sys.executable, "-m", "mockserver"]
STARTING = 600  # seconds: ten thousand accounts, on a machine that has ten times more to do
READY = "Credentials: "  # the last line that a server prints before it waits for requests


def invoke(*args: str | Path, **environment: str) -> Result:
    """The command within this process."""
    return CliRunner().invoke(cli, list(map(str, args)), env=environment, prog_name="mockserver")


def run(*args: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command as a process, to its end."""
    command = [*COMMAND, *map(str, args)]
    return subprocess.run(
        command, env=surroundings(**environment), capture_output=True, text=True, timeout=PATIENCE, check=False
    )


@contextmanager
def taken_port() -> Iterator[str]:
    """A port that somebody has: a server that should have been refused before ends there, and does not run for ever."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        yield str(holder.getsockname()[1])


def surroundings(**environment: str) -> dict[str, str]:
    """The environment of this process without settings of ours, and with no proxy before this machine."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MOCKSERVER_")}
    return {**kept, "no_proxy": "*", **environment}


def odd_account(folder: Path, numbers: list[str]) -> Path:
    """A file with the account ``odd``, whole, so that each process knows the same one; Kore.ai's numbers are given."""
    part = folder / "part.json"
    part.write_text(json.dumps({"id": "odd", "vendors": {"koreai": {"numbers": numbers}}}, ensure_ascii=False), "utf-8")
    vendors = json.loads(invoke("account", "odd", "--accounts", part).stdout)["vendors"]
    whole = {vendor: {**known["credentials"], **known["owned"]} for vendor, known in vendors.items()}
    file = folder / "odd.json"
    file.write_text(json.dumps({"id": "odd", "vendors": whole}, ensure_ascii=False), "utf-8")
    return file


@dataclass(frozen=True)
class Serving:
    """A server as a process; ``lines`` is what it said until it was ready."""

    process: subprocess.Popen[str]
    lines: list[str]

    @property
    def url(self) -> str:
        """The address it says that it is ready on."""
        return self.lines[0].rpartition(" ")[2]


@contextmanager
def serving(*args: str | Path, **environment: str) -> Iterator[Serving]:
    """``mockserver serve`` until the block ends."""
    with serving_by([*COMMAND, "serve", *map(str, args)], surroundings(**environment)) as server:
        yield server


@contextmanager
def serving_by(
    command: Sequence[str], environment: Mapping[str, str], stderr: int = subprocess.PIPE
) -> Iterator[Serving]:
    """The server that a command starts, until the block ends; ``stderr`` is a file's descriptor."""
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=stderr, text=True)
    try:
        yield Serving(process, lines_until_ready(process))
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)


def lines_until_ready(process: subprocess.Popen[str], patience: float = STARTING) -> list[str]:
    """The lines that a server prints until it is ready. One that takes more than ``patience`` seconds is killed."""
    assert process.stdout is not None
    lines: list[str] = []
    overdue = threading.Event()

    def kill() -> None:
        overdue.set()
        process.kill()

    guard = threading.Timer(patience, kill)
    guard.start()
    try:
        while not lines or not lines[-1].startswith(READY):
            line = process.stdout.readline()
            if not line:
                _, complaint = process.communicate()
                ended = f"ended with status {process.returncode}"
                end = f"was killed, since it was not ready within {patience} s" if overdue.is_set() else ended
                raise AssertionError(f"the server {end}; its output: {lines}, its errors: {complaint!r}")
            lines.append(line.rstrip("\n"))
    finally:
        guard.cancel()
    return lines
