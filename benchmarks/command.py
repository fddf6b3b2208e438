"""The command line of the benchmarks: what to measure, and where the figures go."""

import argparse
import json
import os
import shutil
import tempfile
import time
from pathlib import Path

from benchmarks.chart import chart
from benchmarks.figures import BARE, REQUIRED, STARLETTE, Figures
from benchmarks.growth import growth
from benchmarks.load import LoadError
from benchmarks.machine import about
from benchmarks.measure import footprint, throughput, windows
from benchmarks.peers import NotInstalledError, peers, program
from benchmarks.servers import LOAD_CORE, ROOT, SERVER_CORE, Program, ServerError, our_program, plain_programs
from benchmarks.stubs import stub
from benchmarks.table import fill, tables

PAGE = ROOT / "benchmarks/README.md"


def main() -> None:
    """Measure, or read an earlier run's figures; print, write and draw them."""
    options = arguments().parse_args()
    if options.read:
        figures: Figures = json.loads(options.read.read_text("utf-8"))
    else:
        _require_machine()
        try:
            figures = measure(options)
        except (ServerError, LoadError) as fault:
            raise SystemExit(f"benchmarks: {fault}") from fault
    made = tables(figures)
    for name, table in made.items():
        print(f"\n{name}\n\n{table}")
    if options.chart:
        options.chart.write_text(chart(figures), "utf-8")
    if options.write:
        PAGE.write_text(fill(PAGE.read_text("utf-8"), made), "utf-8")


def arguments() -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser(prog="benchmarks/run.py", description=__doc__)
    parser.add_argument("--short", action="store_true", help="bare uvicorn and mockserver only; under 3 minutes")
    parser.add_argument("--seconds", type=int, help="of each run [4; short: 2]")
    parser.add_argument("--rounds", type=int, default=3, help="interleaved [3]")
    parser.add_argument(
        "--peers", action=argparse.BooleanOptionalAction, help="other mock servers, from npm [yes; short: no]"
    )
    parser.add_argument("--growth", action="store_true", help="also with more operations, accounts and calls")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    parser.add_argument("--chart", type=Path, metavar="FILE.svg", help="draw them there")
    parser.add_argument("--write", action="store_true", help="put the tables into benchmarks/README.md")
    parser.add_argument("--read", type=Path, metavar="FILE", help="measure nothing: take the figures of an earlier run")
    return parser


def measure(options: argparse.Namespace) -> Figures:
    """All figures that were asked for; they are written as they come. Raises ServerError, LoadError."""
    seconds = options.seconds or (2 if options.short else 4)
    with_peers = not options.short if options.peers is None else options.peers
    figures: Figures = {"about": about(seconds, options.rounds), "missing": {}}
    plain = plain_programs()
    programs = [p for p in plain if p.name != STARLETTE or not options.short] + [our_program()]
    with tempfile.TemporaryDirectory() as folder:
        if with_peers:
            programs += _installed_peers(Path(folder), figures["missing"])
        _alone(programs, figures)
        _keep(figures, options.json)
        _say(f"{options.rounds} rounds of {len(programs)} servers")
        standing = [p for p in programs if p.name not in figures["missing"]]
        figures["throughput"], dropped = throughput(standing, seconds, options.rounds)
        figures["missing"] |= {name: f"failed: {why}" for name, why in dropped.items()}
        _keep(figures, options.json)
    if not options.short:
        _say("a million calls")
        figures["windows"] = windows([*(p for p in plain if p.name == BARE), our_program()])
        _keep(figures, options.json)
    if options.growth:
        _say("growth")
        figures["growth"] = growth()
        _keep(figures, options.json)
    return figures


def _installed_peers(folder: Path, missing: dict[str, str]) -> list[Program]:
    found = []
    known = stub()
    for number, peer in enumerate(peers(known)):
        _say(f"installing {peer.name}")
        try:
            found.append(program(peer, folder / str(number)))
        except NotInstalledError as why:
            missing[peer.name] = f"not installed: {why}"
    return found


def _alone(programs: list[Program], figures: Figures) -> None:
    """Start, memory and refusals of each server; a peer that fails is named."""
    figures["footprint"] = {}
    for one in programs:
        _say(f"{one.name} alone")
        try:
            figures["footprint"][one.name] = footprint(one)
        except (ServerError, LoadError) as fault:
            if one.name in REQUIRED:
                raise
            figures["missing"][one.name] = f"failed: {fault}"


def _keep(figures: Figures, file: Path | None) -> None:
    if file:
        file.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def _require_machine() -> None:
    """Two cores, wrk and taskset; this process and its load keep to one core."""
    for tool in ("wrk", "taskset"):
        if shutil.which(tool) is None:
            raise SystemExit(f"benchmarks: {tool} is missing: apt-get install wrk util-linux")
    if not {SERVER_CORE, LOAD_CORE} <= os.sched_getaffinity(0):
        raise SystemExit(f"benchmarks: cores {SERVER_CORE} and {LOAD_CORE} are needed, one for servers, one for load")
    os.sched_setaffinity(0, {LOAD_CORE})
