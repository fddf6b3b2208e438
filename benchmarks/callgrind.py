"""Instructions that a server executes for one request: bare uvicorn and mockserver, on a real socket under valgrind.

Each server is run twice, with few and with many requests. What both runs share, such as the start, cancels out.
"""

import argparse
import http.client
import json
import os
import shutil
import socket
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TypedDict

from benchmarks.figures import BARE, OURS
from benchmarks.machine import code, first_line
from benchmarks.scenarios import Sample, sends, wire
from benchmarks.servers import SERVER_CORE, Program, ServerError, our_program, plain_programs, running
from benchmarks.table import markdown, ratio
from mockserver.server.settings import LOG_FORMS, variable

VENDORS = ("polyai", "voximplant", "opentact", "koreai", "avaamo")
SIGNED = "voximplant"  # whose send has a signed token
LOW, HIGH = 100, 900
PATIENCE = 600  # seconds: under valgrind a server takes fifty times as long to start
SAME_EACH_TIME = {"PYTHONHASHSEED": "0"}
ANSWER = "x-mock-answer"  # the header that says which answer it is; bare uvicorn has none


class Counted(TypedDict):
    """What a run finds, in the shape of its JSON file: instructions of a request by scenario and server."""

    about: dict[str, str]
    requests: list[int]
    instructions: dict[str, dict[str, float]]


def main() -> None:
    """Count, and print the table."""
    parser = arguments()
    options = parser.parse_args()
    low, high = options.requests
    if not 0 < low < high:
        parser.error("--requests: LOW must be positive, and HIGH must be more")
    _require_machine()
    about = code() | {"valgrind": first_line("valgrind", "--version"), "log": options.log}
    counted: Counted = {"about": about, "requests": [low, high], "instructions": {}}
    programs = [*(program for program in plain_programs() if program.name == BARE)]
    programs.append(our_program({variable("log"): options.log}))
    for name in options.scenario or VENDORS:
        counted["instructions"][name] = found = {}
        request = sends()[name]  # its token is new
        for program in programs:
            print(f"{time.strftime('%H:%M:%S')} {name}, {program.name}", flush=True)
            try:
                found[program.name] = instructions(program, request, low, high)
            except (ServerError, OSError, http.client.HTTPException) as fault:
                raise SystemExit(f"benchmarks: {program.name}, {name}: {fault}") from fault
        if options.json:
            options.json.write_text(json.dumps(counted, indent=2) + "\n", "utf-8")
    print(f"\n{table(counted)}")


def arguments() -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser(prog="benchmarks/instructions.py", description=__doc__)
    parser.add_argument(
        "--scenario", action="append", choices=VENDORS, help="whose send to measure; repeatable [all vendors]"
    )
    parser.add_argument(
        "--requests",
        nargs=2,
        type=int,
        default=(LOW, HIGH),
        metavar=("LOW", "HIGH"),
        help=f"in the two runs of a server [{LOW} {HIGH}]",
    )
    parser.add_argument("--log", choices=LOG_FORMS, default="off", help="mockserver's, a line for each call [off]")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    return parser


def instructions(program: Program, request: Sample, low: int, high: int) -> float:
    """Instructions of one request: the difference of two runs. Raises ServerError."""
    with running(program, request):
        pass  # Python keeps what it has compiled, so that both counted starts are alike
    most, seconds = _counted_run(program, request, high, 0)
    least, _ = _counted_run(program, request, low, seconds)
    return per_request((low, least), (high, most))


def per_request(low: tuple[int, int], high: tuple[int, int]) -> float:
    """Instructions of one request, from the requests and the instructions of two runs."""
    return (high[1] - low[1]) / (high[0] - low[0])


def under_callgrind(program: Program, file: Path) -> Program:
    """A program whose instructions are counted; the totals are in the file when it has ended."""
    valgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={file}"]
    return replace(
        program,
        command=lambda port: [*valgrind, *program.command(port)],
        environment={**program.environment, **SAME_EACH_TIME},
    )


def total(text: str) -> int:
    """The instructions in what callgrind wrote. Raises ServerError where the server did not end by itself."""
    found = [line.partition(":")[2] for line in text.splitlines() if line.startswith("totals:")]
    if not found:
        raise ServerError("callgrind wrote no totals: the server was killed")
    return sum(int(value) for value in found)


def table(counted: Counted) -> str:
    """The figures as a table, in thousands of instructions."""
    rows = [
        [name, f"{found[BARE] / 1000:.1f}", f"{found[OURS] / 1000:.1f}", ratio(found[BARE], found[OURS])]
        for name, found in counted["instructions"].items()
    ]
    return markdown(
        ["scenario", "bare, k instructions a request", "ours, k instructions a request", "bare / ours"], rows
    )


def converse(port: int, request: Sample, calls: int) -> None:
    """Send a request so many times over one connection, each in one write. Raises ServerError where one is refused."""
    data = wire(request)
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        for _ in range(calls):
            connection.sendall(data)
            answer = http.client.HTTPResponse(connection, method=request.method)
            answer.begin()
            text = answer.read()
            name = answer.getheader(ANSWER)
            if answer.status >= 300 or (name is not None and not name.endswith("/sent")):
                raise ServerError(f"it answered {answer.status} {name} {text.decode(errors='replace')[:200]}")
            if answer.will_close:
                raise ServerError("it does not keep the connection")


def _counted_run(program: Program, request: Sample, calls: int, seconds: float) -> tuple[int, float]:
    """All instructions of a run, and how long it served; at least ``seconds``, as uvicorn's clock ticks also count."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "callgrind.out"
        with running(under_callgrind(program, file), request, PATIENCE) as server:
            converse(server.port, sends()[SIGNED], 1)  # what is loaded once a server answers is there in both runs
            begun = time.perf_counter()
            converse(server.port, request, calls)
            time.sleep(max(0, begun + seconds - time.perf_counter()))
            served = time.perf_counter() - begun
        return total(file.read_text("utf-8") if file.exists() else ""), served


def _require_machine() -> None:
    """Valgrind, taskset and the server's core."""
    for tool in ("valgrind", "taskset"):
        if shutil.which(tool) is None:
            raise SystemExit(f"benchmarks: {tool} is missing: apt-get install valgrind util-linux")
    if SERVER_CORE not in os.sched_getaffinity(0):
        raise SystemExit(f"benchmarks: core {SERVER_CORE} is needed, for the servers")
