"""Servers to measure: started on a core of their own, waited for, asked, weighed and stopped."""

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from benchmarks.figures import BARE, OURS, STARLETTE
from benchmarks.scenarios import Sample

ROOT = Path(__file__).resolve().parents[1]
SERVER_CORE, LOAD_CORE = 0, 1
POLL = 0.005  # seconds between two looks at a starting server
PATIENCE = 60  # seconds that a server may take to start, or to answer
LONGEST_ANSWER = 600  # seconds that the control API may take


class ServerError(RuntimeError):
    """A server did not start; the text has its last words."""


@dataclass(frozen=True, slots=True)
class Program:
    """How a server is started on a port, and on which cores; ``forget`` empties a journal that would fill memory."""

    name: str
    command: Callable[[int], list[str]]
    environment: Mapping[str, str] = field(default_factory=dict)
    forget: Sample | None = None
    cores: tuple[int, ...] = (SERVER_CORE,)


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers; ``startup`` is the seconds from its start to its first good answer."""

    port: int
    pid: int
    startup: float

    def memory(self) -> float:
        """Resident memory of the process and its children, in MiB."""
        pages = sum(_resident_pages(pid) for pid in _family(self.pid))
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def cpu(self) -> float:
        """Seconds of processor time that the process and its children have used."""
        ticks = sum(_ticks(pid) for pid in _family(self.pid))
        return ticks / os.sysconf("SC_CLK_TCK")

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """A JSON answer of the control API. Raises ServerError where it is no success."""
        headers = {} if body is None else {"content-type": "application/json"}
        request = Sample(method, path, headers, "" if body is None else json.dumps(body))
        status, text = exchange(self.port, request, LONGEST_ANSWER)
        if status >= 300:
            raise ServerError(f"{method} {path} was answered {status}: {text}")
        return json.loads(text) if text else None

    def status(self, request: Sample) -> int:
        """The status of the answer to a request."""
        return exchange(self.port, request, PATIENCE)[0]


def our_program(environment: Mapping[str, str] | None = None, workers: int = 1) -> Program:
    """The checkout's server; ``environment`` is its settings. Several ``workers`` may use both cores."""
    command = [sys.executable, "-m", "mockserver", "serve", "--workers", str(workers), "--port"]
    cores = (SERVER_CORE,) if workers == 1 else (SERVER_CORE, LOAD_CORE)
    return Program(OURS, lambda port: [*command, str(port)], environment or {}, cores=cores)


def plain_programs() -> list[Program]:
    """Bare uvicorn and bare Starlette, run as ours is."""
    options = ["--log-level", "warning", "--no-access-log", "--no-server-header", "--ws", "none"]
    uvicorn = [sys.executable, "-m", "uvicorn", "--app-dir", str(ROOT), *options, "--port"]
    return [
        Program(BARE, lambda port: [*uvicorn, str(port), "benchmarks.asgi:bare"]),
        Program(STARLETTE, lambda port: [*uvicorn, str(port), "--factory", "benchmarks.asgi:starlette"]),
    ]


@contextlib.contextmanager
def running(program: Program, first: Sample, patience: float = PATIENCE) -> Iterator[Server]:
    """A server from when it accepts ``first``, within so many seconds, until the block ends. Raises ServerError."""
    port = _free_port()
    with tempfile.TemporaryFile() as output:
        begun = time.perf_counter()
        process = subprocess.Popen(
            ["taskset", "-c", ",".join(map(str, program.cores)), *program.command(port)],
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(ROOT), **program.environment},
        )
        try:
            _wait(process, port, first, output, patience)
            yield Server(port, process.pid, time.perf_counter() - begun)
        finally:
            _stop(process)


def exchange(port: int, request: Sample, timeout: float) -> tuple[int, str]:
    """Status and body of an answer. Raises OSError or HTTPException where there is none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(request.method, request.path, request.body.encode() or None, request.headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    finally:
        connection.close()


def _wait(process: subprocess.Popen[bytes], port: int, first: Sample, output: IO[bytes], patience: float) -> None:
    """Until the first request is accepted."""
    deadline = time.perf_counter() + patience
    answer = "none"
    while time.perf_counter() < deadline:
        if process.poll() is not None:
            raise ServerError(f"it ended with {process.returncode}: {_last_words(output)}")
        try:
            status, text = exchange(port, first, patience)
        except (OSError, http.client.HTTPException):
            time.sleep(POLL)
            continue
        if status < 300:
            return
        answer = f"{status} {text[:200]}"
        time.sleep(POLL)
    raise ServerError(f"no good answer in {patience} s; the last was: {answer}; it said: {_last_words(output)}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _last_words(output: IO[bytes]) -> str:
    output.seek(0)
    return " / ".join(output.read().decode(errors="replace").strip().splitlines()[-3:]) or "nothing"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def _family(pid: int) -> list[int]:
    """A process and all that it started, and they."""
    parents = {int(file.name): _stat(int(file.name))[1] for file in Path("/proc").glob("[0-9]*")}

    def descend(member: int) -> list[int]:
        children = [child for child, parent in parents.items() if parent == str(member)]
        return [member, *(one for child in children for one in descend(child))]

    return descend(pid)


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the program's name; zeros for a process that has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(") ")[2].split()
    except OSError:
        return ["0"] * 50


def _ticks(pid: int) -> int:
    """User and system time, that of children which have ended included."""
    return sum(int(field) for field in _stat(pid)[11:15])


def _resident_pages(pid: int) -> int:
    return int(_stat(pid)[21])
