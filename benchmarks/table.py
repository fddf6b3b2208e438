"""Figures as Markdown tables, and where they stand in a page."""

import re
import statistics
from collections.abc import Callable, Sequence

from benchmarks.figures import BARE, OURS, Figures, Footprint, Grown, rate
from benchmarks.measure import RECORDED, WINDOW, median_cpu, median_p99, median_rate
from benchmarks.scenarios import COMPARED


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; all columns but the first are aligned right."""
    rule = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, rule, *rows))


def ratio(value: float, base: float) -> str:
    """A ratio with two digits that say something."""
    share = value / base
    return f"{share:.2f}" if share >= 0.1 else f"{share:.2g}"


def tables(figures: Figures) -> dict[str, str]:
    """Each table that the figures suffice for, by its name."""
    made: dict[str, str] = {}
    if "about" in figures:
        made["about"] = "\n".join(f"- {what}: {which}" for what, which in figures["about"].items())
    if "throughput" in figures:
        made["throughput"] = throughput(figures)
        made["scenarios"] = scenarios(figures)
    if "windows" in figures:
        made["windows"] = windows(figures)
    if "growth" in figures:
        grown = figures["growth"]
        made["operations"] = growth("operations", "start, s", grown["operations"])
        made["accounts"] = growth("accounts", "made in, s", grown["accounts"])
        made["recorded"] = growth("recorded calls", "recorded in, s", grown["recorded"])
        made["questions"] = questions(figures)
    return made


def throughput(figures: Figures) -> str:
    """All servers with the one operation: rate, ratio, latency, start, memory, and what they refuse."""
    header = [
        "server",
        "requests/s",
        "lowest to highest",
        "of bare",
        "p99 ms",
        "CPU µs a call",
        "start s",
        "MiB at start",
    ]
    header += [f"MiB after {RECORDED:,} calls", "wrong key / missing field / wrong type"]
    base = median_rate(figures["throughput"][BARE][COMPARED])
    rows = []
    for name, by_scenario in figures["throughput"].items():
        runs = by_scenario[COMPARED]
        rates = sorted(rate(run) for run in runs)
        row = [name, f"{median_rate(runs):,.0f}", f"{rates[0]:,.0f} to {rates[-1]:,.0f}"]
        row += [ratio(median_rate(runs), base), f"{median_p99(runs):.2f}", f"{median_cpu(runs):,.1f}"]
        rows.append(row + _footprint(figures["footprint"].get(name)))
    rows += [[name, why.replace("|", "/"), *[""] * 8] for name, why in figures.get("missing", {}).items()]
    return markdown(header, rows)


def _footprint(found: Footprint | None) -> list[str]:
    if found is None:
        return [""] * 4
    after = f"{found['memory_after']:.0f}"
    if found["calls"] < RECORDED:
        after += f" ({found['calls']:,} calls)"
    verdicts = [str(status) if status >= 400 else "accepted" for status in found["statuses"].values()]
    start = statistics.median(found["startup_s"])
    return [f"{start:.2f}", f"{found['memory_at_start']:.0f}", after, " / ".join(verdicts)]


def scenarios(figures: Figures) -> str:
    """Ours beside bare, by what is sent."""
    rows = []
    for name, ours in figures["throughput"][OURS].items():
        bare = figures["throughput"][BARE][name]
        rates = [median_rate(bare), median_rate(ours)]
        rows.append([name, *(f"{one:,.0f}" for one in rates), ratio(rates[1], rates[0])])
        rows[-1] += [f"{median(runs):,.2f}" for median in (median_p99, median_cpu) for runs in (bare, ours)]
    header = [f"{side} {what}" for what in ("requests/s", "p99 ms", "CPU µs a call") for side in ("bare", "our")]
    return markdown(["requests", *header[:2], "of bare", *header[2:]], rows)


def windows(figures: Figures) -> str:
    """From the first call to the last, ours beside bare."""
    pairs = zip(figures["windows"][BARE], figures["windows"][OURS], strict=True)
    rows = [
        [
            f"{number * WINDOW:,}",
            *(f"{rate(run):,.0f}" for run in pair),
            *(f"{run[key]:.2f}" for key in ("p99_ms", "most_ms") for run in pair),
        ]
        for number, pair in enumerate(pairs, start=1)
    ]
    header = [f"{side} {what}" for what in ("requests/s", "p99 ms", "longest ms") for side in ("bare", "our")]
    return markdown(["calls up to", *header], rows)


def growth(what: str, took: str, steps: Sequence[Grown]) -> str:
    """One growth, a row for each size."""
    rows = [
        [
            f"{step['size']:,}",
            f"{rate(step['run']):,.0f}",
            f"{step['run']['p99_ms']:.2f}",
            f"{step['run']['cpu_us']:,.1f}",
            f"{step['seconds']:.2f}",
            f"{step['memory_before']:.0f}",
            f"{step['memory_after']:.0f}",
        ]
        for step in steps
    ]
    return markdown([what, "requests/s", "p99 ms", "CPU µs a call", took, "MiB before the load", "MiB after it"], rows)


def questions(figures: Figures) -> str:
    """Each question by the number of calls: the time of its answer, and another client's longest wait meanwhile."""
    found = [step for step in figures["growth"]["recorded"] if step["asked"]]
    rows = [
        [what, *(f"{one['asked'][what]['answer_ms']:,.1f} / {one['asked'][what]['stall_ms']:,.1f}" for one in found)]
        for what in found[0]["asked"]
    ]
    return markdown(["answer / longest wait of another, ms", *(f"{one['size']:,} calls" for one in found)], rows)


def fill(page: str, made: dict[str, str]) -> str:
    """A page with the tables between their marks; marks without a table keep what they hold."""

    def table(found: re.Match[str]) -> str:
        return f"{found[1]}\n{made[found[2]]}\n{found[4]}" if found[2] in made else found[0]

    replace: Callable[[re.Match[str]], str] = table
    return re.sub(r"(<!-- table: (\w+) -->)(.*?)(<!-- end -->)", replace, page, flags=re.DOTALL)
