"""Figures of the server for Prometheus, in its text format. Nothing is labelled by account or number."""

from collections.abc import Iterable, Iterator, Mapping

from starlette.requests import Request
from starlette.responses import Response

from mockserver import __version__
from mockserver.server.control.requests import State, state_of
from mockserver.store.condition import StoreCondition
from mockserver.store.store import Figures

TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8"
METRIC_PREFIX = "mockserver_"

MetricSample = tuple[Mapping[str, str], float]


async def show_metrics(request: Request) -> Response:
    """``GET /_mock/metrics``."""
    state = state_of(request)
    lines = _lines(state, await state.store.figures())
    return Response("".join(f"{line}\n" for line in lines), media_type=TEXT_FORMAT)


def _lines(state: State, figures: Figures) -> Iterator[str]:
    yield from _family("info", "gauge", "The version of the server.", [({"version": __version__}, 1)])
    versions = [({"vendor": contract.vendor, "version": contract.version}, 1) for contract in state.contracts]
    yield from _family("contract_info", "gauge", "The version of each contract.", versions)
    yield from _family(
        "calls_total",
        "counter",
        "Calls by clients, with what they were answered. Without a vendor: on a path of no contract.",
        _summed(
            ({"vendor": k.vendor, "operation": k.operation, "answer": k.answer, "accepted": _word(k.accepted)}, times)
            for k, times in figures.calls.items()
            if k.direction == "in"
        ),
    )
    yield from _family(
        "callbacks_total",
        "counter",
        "Attempts at callbacks, with whether the receiver accepted them.",
        _summed(
            ({"vendor": k.vendor, "operation": k.operation, "accepted": _word(k.accepted)}, times)
            for k, times in figures.calls.items()
            if k.direction == "out"
        ),
    )
    yield from _family(
        "faults_total",
        "counter",
        "Calls and callbacks that a fault has hit.",
        _summed(
            ({"vendor": k.vendor, "operation": k.operation, "fault": k.fault}, times)
            for k, times in figures.calls.items()
            if k.fault
        ),
    )
    yield from _family(
        "problems_total",
        "counter",
        "Calls with a problem, by the kind of the first.",
        [
            ({"vendor": vendor, "operation": operation, "kind": kind}, times)
            for (vendor, operation, kind), times in figures.problems.items()
        ],
    )
    words = "Calls that had to make room, or that the store has lost."
    yield from _family("evictions_total", "counter", words, [({}, figures.evicted)])
    yield from _family("journal_bytes", "gauge", "Bytes of recorded calls.", [({}, figures.journal_bytes)])
    yield from _family("accounts", "gauge", "Accounts, built-in ones included.", [({}, figures.accounts)])
    yield from _of_store(state.store.condition)


def _of_store(condition: StoreCondition) -> Iterator[str]:
    """How the store does; memory alone has no commits."""
    families: tuple[tuple[str, str, str, float], ...] = (
        ("store_usable", "gauge", "Whether the store could be used when it was last asked.", not condition.trouble),
        ("store_commits_total", "counter", "Commits of the store that somebody waited for.", condition.commits),
        ("store_commit_seconds_total", "counter", "Seconds that these commits took.", condition.seconds),
        ("unavailable_total", "counter", "Calls that got 503: the store could not keep them.", condition.refused),
    )
    for name, kind, words, value in families:
        yield from _family(name, kind, words, [({}, value)])


def _summed(samples: Iterable[MetricSample]) -> list[MetricSample]:
    """One sample for those with the same labels."""
    sums: dict[tuple[tuple[str, str], ...], float] = {}
    for labels, value in samples:
        key = tuple(labels.items())
        sums[key] = sums.get(key, 0) + value
    return [(dict(key), value) for key, value in sums.items()]


def _family(name: str, kind: str, words: str, samples: Iterable[MetricSample]) -> Iterator[str]:
    """The lines of one metric; those that say what it is stand there before it has a value."""
    yield f"# HELP {METRIC_PREFIX}{name} {words}"
    yield f"# TYPE {METRIC_PREFIX}{name} {kind}"
    for labels, value in samples:
        inner = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        yield f"{METRIC_PREFIX}{name}{{{inner}}} {value:.17g}" if inner else f"{METRIC_PREFIX}{name} {value:.17g}"


def _word(value: bool) -> str:
    return "true" if value else "false"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
