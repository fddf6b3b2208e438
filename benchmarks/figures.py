"""What a benchmark run finds, in the shape of its JSON file. Memory is resident, in MiB; times say their unit."""

from typing import TypedDict

BARE, STARLETTE, OURS = "bare uvicorn", "Starlette", "mockserver"
REQUIRED = frozenset({BARE, STARLETTE, OURS})  # without these there is nothing to compare; a peer may fail


class Run(TypedDict):
    """One run of wrk. ``calls`` were answered; ``sent`` counts those too that were on their way at its end.

    ``cpu_us`` is the server's own processor time for one call: other work on the machine changes it least.
    """

    calls: int
    sent: int
    seconds: float
    p50_ms: float
    p99_ms: float
    most_ms: float
    cpu_us: float


class Footprint(TypedDict):
    """A server alone: seconds to its first good answer, memory, and the status of each invalid request."""

    startup_s: list[float]
    memory_at_start: float
    memory_after: float
    calls: int
    statuses: dict[str, int]


class Asked(TypedDict):
    """A question to the control API: how long its answer took, and the longest that another client waited meanwhile."""

    answer_ms: float
    stall_ms: float


class Grown(TypedDict):
    """One step of a growth: its size, the seconds it took to get there, what was asked then, and a run of load."""

    size: int
    seconds: float
    asked: dict[str, Asked]
    memory_before: float
    run: Run
    memory_after: float


class Growth(TypedDict):
    """Steps from the smallest on; only ``recorded`` has questions, and none at its first step."""

    operations: list[Grown]
    accounts: list[Grown]
    recorded: list[Grown]


class Figures(TypedDict, total=False):
    """``throughput`` is by server and scenario, the rest by server; ``missing`` says why a server has no figures."""

    about: dict[str, str]
    throughput: dict[str, dict[str, list[Run]]]
    footprint: dict[str, Footprint]
    windows: dict[str, list[Run]]
    growth: Growth
    missing: dict[str, str]


def typical(runs: list[Run]) -> Run:
    """The run whose rate is the median."""
    return sorted(runs, key=rate)[len(runs) // 2]


def rate(run: Run) -> float:
    """Requests per second."""
    return run["calls"] / run["seconds"]
