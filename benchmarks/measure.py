"""What is measured of each server: alone, in interleaved rounds, and over a long run."""

import contextlib
import statistics
from collections.abc import Iterator, Sequence

from benchmarks.figures import BARE, OURS, REQUIRED, Footprint, Run, rate
from benchmarks.load import LoadError, load
from benchmarks.scenarios import COMPARED, SCENARIOS, invalid_sends, scenario, send
from benchmarks.servers import Program, Server, ServerError, running

STARTS = 3
RECORDED = 200_000  # calls before memory is looked at again
SLOWEST = 60  # seconds that recording may take, and that warming up may
WINDOWS, WINDOW = 10, 100_000
GAIN = 1.05  # a server whose rate grows by less is warm


def footprint(program: Program) -> Footprint:
    """One server alone, started afresh. Raises ServerError, LoadError."""
    good = send()
    startups = []
    for _ in range(STARTS - 1):
        with running(program, good) as server:
            startups.append(server.startup)
    with running(program, good) as server:
        at_start = server.memory()
        statuses = {what: server.status(request) for what, request in invalid_sends().items()}
        recorded = load(server, [good], SLOWEST, RECORDED)
        return {
            "startup_s": [*startups, server.startup],
            "memory_at_start": at_start,
            "memory_after": server.memory(),
            "calls": recorded["sent"],
            "statuses": statuses,
        }


def throughput(
    programs: Sequence[Program], seconds: int, rounds: int
) -> tuple[dict[str, dict[str, list[Run]]], dict[str, str]]:
    """Runs by server and scenario; and why a peer dropped out. Raises the faults of what is required."""
    found: dict[str, dict[str, list[Run]]] = {}
    dropped: dict[str, str] = {}
    with contextlib.ExitStack() as stack:
        servers: dict[str, Server] = {}
        for program in programs:
            with _dropping(program, dropped):
                servers[program.name] = stack.enter_context(running(program, send()))
                warm_up(program, servers[program.name], seconds)
        for _ in range(rounds):
            for name in SCENARIOS:
                for program in programs:
                    if program.name in dropped or (name != COMPARED and program.name not in {BARE, OURS}):
                        continue
                    with _dropping(program, dropped):
                        run = _run(program, servers[program.name], name, seconds)
                        found.setdefault(program.name, {}).setdefault(name, []).append(run)
    return {name: runs for name, runs in found.items() if name not in dropped}, dropped


@contextlib.contextmanager
def _dropping(program: Program, dropped: dict[str, str]) -> Iterator[None]:
    """Let a peer fail without ending the whole measurement."""
    try:
        yield
    except (ServerError, LoadError, OSError) as fault:
        if program.name in REQUIRED:
            raise
        dropped[program.name] = str(fault)


def warm_up(program: Program, server: Server, seconds: int) -> None:
    """Run until the rate grows no more: a server that compiles itself needs tens of seconds."""
    best = 0.0
    for _ in range(SLOWEST // seconds):
        now = rate(_run(program, server, COMPARED, seconds))
        if now < best * GAIN:
            return
        best = now


def _run(program: Program, server: Server, name: str, seconds: int) -> Run:
    if program.forget is not None:
        server.status(program.forget)
    return load(server, scenario(name), seconds)


def windows(programs: Sequence[Program]) -> dict[str, list[Run]]:
    """From the first call to the millionth: runs of 100,000 calls one after another, the servers' interleaved."""
    good = send()
    with contextlib.ExitStack() as stack:
        servers = {program.name: stack.enter_context(running(program, good)) for program in programs}
        found: dict[str, list[Run]] = {name: [] for name in servers}
        for _ in range(WINDOWS):
            for name, server in servers.items():
                found[name].append(load(server, [good], 10 * SLOWEST, WINDOW))
    return found


def median_rate(runs: Sequence[Run]) -> float:
    """Requests per second, the median of the runs."""
    return statistics.median(rate(run) for run in runs)


def median_p99(runs: Sequence[Run]) -> float:
    """Milliseconds that 99 of 100 requests stay under, the median of the runs."""
    return statistics.median(run["p99_ms"] for run in runs)


def median_cpu(runs: Sequence[Run]) -> float:
    """Microseconds of the server's processor for one call, the median of the runs."""
    return statistics.median(run["cpu_us"] for run in runs)
