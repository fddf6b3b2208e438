"""Figures as one SVG picture: bars of throughput and memory, and latency from the first call to the last."""

import math
from collections.abc import Mapping, Sequence
from html import escape

from benchmarks.figures import BARE, OURS, Figures, Footprint, Run
from benchmarks.measure import RECORDED, WINDOW, median_rate
from benchmarks.scenarios import COMPARED
from benchmarks.table import ratio

WIDTH, LABELS, BARS = 860, 220, 490
HEAD, ROW = 32, 26
PLOT = 180  # height of the lines
INK, QUIET, OWN, OTHER = "#1f2933", "#6b7785", "#0b7285", "#b9c4cf"


def chart(figures: Figures) -> str:
    """The picture's text; panels without figures are left out."""
    panels: list[tuple[str, int, str]] = []
    if "throughput" in figures:
        rates = {name: median_rate(runs[COMPARED]) for name, runs in figures["throughput"].items()}
        bars = {name: (rate, f"{rate:,.0f} ({ratio(rate, rates[BARE])})") for name, rate in rates.items()}
        panels.append(_bars(f"Requests per second (of {BARE})", bars))
    if "footprint" in figures:
        memory = {name: (found["memory_after"], _weight(found)) for name, found in figures["footprint"].items()}
        panels.append(_bars(f"Memory after {RECORDED:,} calls, MiB", memory))
    if "windows" in figures:
        panels.append(_lines("p99 from the first call to the last, ms", figures["windows"]))
    return _picture(panels)


def _picture(panels: Sequence[tuple[str, int, str]]) -> str:
    top, parts = 20, []
    for title, height, content in panels:
        parts.append(f'<g transform="translate(20 {top})"><g font-weight="600">{_text(0, 14, title)}</g>{content}</g>')
        top += height + 24
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top}" viewBox="0 0 {WIDTH} {top}" '
        f'font-family="system-ui, sans-serif" font-size="13"><rect width="100%" height="100%" fill="#fff"/>'
        f"{''.join(parts)}</svg>\n"
    )


def _weight(found: Footprint) -> str:
    weight = f"{found['memory_after']:,.0f}"
    return weight if found["calls"] >= RECORDED else f"{weight} (after {found['calls']:,})"


def _bars(title: str, bars: Mapping[str, tuple[float, str]]) -> tuple[str, int, str]:
    """A panel of bars, each with its label: the panel's title, height and content."""
    longest = max(value for value, _ in bars.values())
    parts = []
    for number, (name, (value, label)) in enumerate(bars.items()):
        top = HEAD + number * ROW
        width = max(1.0, value / longest * BARS)
        colour = OWN if name == OURS else OTHER
        parts.append(_text(LABELS - 10, top + 14, name, anchor="end"))
        parts.append(f'<rect x="{LABELS}" y="{top}" width="{width:.1f}" height="{ROW - 8}" rx="2" fill="{colour}"/>')
        parts.append(_text(LABELS + width + 8, top + 14, label, colour=QUIET))
    return title, HEAD + len(bars) * ROW, "".join(parts)


def _lines(title: str, series: Mapping[str, Sequence[Run]]) -> tuple[str, int, str]:
    """A panel of lines over the number of calls, from zero to a round number above all."""
    highest = _round_up(max(run["p99_ms"] for runs in series.values() for run in runs))
    count = max(len(runs) for runs in series.values())
    base = HEAD + PLOT
    parts = []
    for share in (0, 0.5, 1):
        height = base - share * PLOT
        parts.append(f'<path d="M{LABELS} {height}h{BARS}" stroke="#e1e6eb"/>')
        parts.append(_text(LABELS - 10, height + 4, f"{highest * share:g}", anchor="end", colour=QUIET))
    for name, runs in series.items():
        points = [
            (LABELS + number / count * BARS, base - run["p99_ms"] / highest * PLOT)
            for number, run in enumerate(runs, start=1)
        ]
        colour = OWN if name == OURS else QUIET
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(_text(points[-1][0] + 8, points[-1][1] + 4, name, colour=colour))
    parts.append(_text(LABELS + BARS, base + 18, f"{count * WINDOW:,} calls", anchor="end", colour=QUIET))
    parts.append(_text(LABELS, base + 18, "0", colour=QUIET))
    return title, base + 24, "".join(parts)


def _round_up(value: float) -> float:
    """The next of 1, 2, 5, 10, 20 and so on."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)


def _text(x: float, y: float, text: str, anchor: str = "start", colour: str = INK) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'
