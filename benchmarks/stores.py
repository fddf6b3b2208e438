"""What each store costs, side by side: ``python benchmarks/stores.py [--store URL …]``.

A server with its memory alone and one with a fresh SQLite file run on core 0 and are loaded from core 1, one at a time,
in interleaved rounds: PolyAI's send, with 1 and with 16 connections kept alive. Medians of the rounds. ``--store`` adds
a store, such as ``redis://localhost``, and with ``--workers N`` so many processes on it, which use both cores.
"""

import argparse
import contextlib
import sys
import tempfile
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])  # what is measured is this checkout

from benchmarks.figures import Run
from benchmarks.load import load
from benchmarks.measure import median_cpu, median_p99, median_rate
from benchmarks.scenarios import send
from benchmarks.servers import Server, our_program, running
from benchmarks.table import markdown

HEADER = ("store", "connections", "requests/s", "p99 ms", "CPU µs a call")
AT_ONCE = (1, 16)  # connections


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="benchmarks/stores.py", description=__doc__)
    parser.add_argument("--store", action="append", default=[], metavar="URL", help="a further store")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="on each further store, too [1]")
    parser.add_argument("--seconds", type=int, default=5, help="of a run [5]")
    parser.add_argument("--rounds", type=int, default=5, help="of runs [5]")
    options = parser.parse_args()
    sys.stdout.write(measured(options.store, options.workers, options.seconds, options.rounds) + "\n")


def measured(further: list[str], workers: int, seconds: int, rounds: int) -> str:
    """The table of all stores; each of the ``further`` ones with one process, and with several."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        stores = {"memory": ("memory", 1), "SQLite file": (f"{folder}/calls.db", 1)}
        stores |= {f"{s}, workers: {n}": (s, n) for s in further for n in sorted({1, workers})}
        servers: dict[str, Server] = {}
        for name, (store, processes) in stores.items():
            program = our_program({"MOCKSERVER_STORE": store, "MOCKSERVER_LOG": "off"}, processes)
            servers[name] = stack.enter_context(running(program, send()))
        runs: dict[tuple[str, int], list[Run]] = {(name, at_once): [] for name in servers for at_once in AT_ONCE}
        for server in servers.values():
            load(server, [send()], seconds)  # warm, and with a full journal
        for _ in range(rounds):
            for (name, at_once), found in runs.items():
                found.append(load(servers[name], [send()], seconds, connections=at_once))
    rows = [
        (name, str(at_once), f"{median_rate(found):,.0f}", f"{median_p99(found):.2f}", f"{median_cpu(found):.1f}")
        for (name, at_once), found in runs.items()
    ]
    return markdown(HEADER, rows)


if __name__ == "__main__":
    main()
