"""The benchmarks' arithmetic: what wrk prints, tables, marks in pages, the chart."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks.chart import chart
from benchmarks.figures import BARE, OURS, Figures, Footprint, Grown, Run, rate, typical
from benchmarks.load import LoadError, read_run
from benchmarks.measure import RECORDED, WINDOWS
from benchmarks.scenarios import SCENARIOS
from benchmarks.table import fill, tables
from tests.evidence import ROOT

PRINTED = {"calls": 1000, "sent": 1016, "seconds": 0.5, "p50_ms": 0.3, "p99_ms": 0.9, "most_ms": 4}


def run(per_second: float, p99: float = 1.0) -> Run:
    return {
        "calls": int(per_second * 2),
        "sent": int(per_second * 2) + 16,
        "seconds": 2.0,
        "p50_ms": p99 / 2,
        "p99_ms": p99,
        "most_ms": p99 * 2,
        "cpu_us": 20.0,
    }


def footprint(calls: int, *statuses: int) -> Footprint:
    return {
        "startup_s": [0.9, 0.3, 0.2],
        "memory_at_start": 40.0,
        "memory_after": 50.0,
        "calls": calls,
        "statuses": dict(zip(("wrong key", "missing field", "wrong type"), statuses, strict=True)),
    }


def step(size: int, asked: float) -> Grown:
    return {
        "size": size,
        "seconds": 1.5,
        "asked": {"page by answer": {"answer_ms": asked, "stall_ms": asked / 2}} if asked else {},
        "memory_before": 60.0,
        "run": run(9000),
        "memory_after": 61.0,
    }


@pytest.fixture
def figures() -> Figures:
    """A whole run's figures, of servers that are easy to reckon with."""
    return {
        "about": {"date": "2026-01-01"},
        "throughput": {
            BARE: {name: [run(40_000), run(60_000), run(50_000)] for name in SCENARIOS},
            OURS: {name: [run(20_000, 2), run(30_000, 3), run(25_000, 9)] for name in SCENARIOS},
            "slow": {"polyai": [run(500)]},
        },
        "footprint": {
            BARE: footprint(RECORDED, 202, 202, 202),
            OURS: footprint(RECORDED, 401, 400, 422),
            "slow": footprint(30_000, 404, 202, 400),
        },
        "windows": {BARE: [run(50_000)] * WINDOWS, OURS: [run(25_000, 3.5)] * WINDOWS},
        "growth": {
            "operations": [step(1, 0), step(200, 0)],
            "accounts": [step(1, 0), step(10_000, 0)],
            "recorded": [step(0, 0), step(10_000, 4), step(1_000_000, 400)],
        },
        "missing": {"absent": "not installed: npm | node is missing"},
    }


def cells(table: str, first: str) -> list[str]:
    """The cells of a table's row."""
    row = next(line for line in table.splitlines() if line.startswith(f"| {first} |"))
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_what_wrk_prints() -> None:
    """The last line is read; processor time is shared out among the answered calls."""
    text = "Running 1s test\n\n" + json.dumps(PRINTED | {"refused": 0, "broken": 0}) + "\n"
    assert read_run(text, 0.02) == PRINTED | {"cpu_us": pytest.approx(20)}


@pytest.mark.parametrize("wrong", [{"refused": 3}, {"broken": 1}, {"calls": 0}])
def test_failed_answers_are_no_figure(wrong: dict[str, int]) -> None:
    """A run with refusals, lost connections or no answer at all is a fault."""
    with pytest.raises(LoadError, match="answers"):
        read_run(json.dumps(PRINTED | {"refused": 0, "broken": 0} | wrong), 1)


def test_typical_run() -> None:
    """The typical run is the one with the median rate."""
    assert rate(typical([run(10), run(30), run(20)])) == 20


def test_throughput_table(figures: Figures) -> None:
    """Medians, the range, the ratio to bare, and what is refused."""
    table = tables(figures)["throughput"]
    expected = [OURS, "25,000", "20,000 to 30,000", "0.50", "3.00", "20.0", "0.30", "40", "50", "401 / 400 / 422"]
    assert cells(table, OURS) == expected
    assert cells(table, BARE)[3] == "1.00"
    assert cells(table, BARE)[-1] == "accepted / accepted / accepted"


def test_peers_that_fall_short(figures: Figures) -> None:
    """A peer that was too slow shows its calls, one that is missing its reason, in as many cells as any."""
    table = tables(figures)["throughput"]
    assert cells(table, "slow")[1:4] == ["500", "500 to 500", "0.01"]
    assert cells(table, "slow")[-2:] == ["50 (30,000 calls)", "404 / accepted / 400"]
    assert cells(table, "absent")[:2] == ["absent", "not installed: npm / node is missing"]
    assert {len(line.split("|")) for line in table.splitlines()} == {12}


def test_scenarios_windows_and_growth(figures: Figures) -> None:
    """Each table has its rows and the right figures in them."""
    made = tables(figures)
    assert cells(made["scenarios"], "mixed")[1:4] == ["50,000", "25,000", "0.50"]
    assert cells(made["windows"], "1,000,000") == ["1,000,000", "50,000", "25,000", "1.00", "3.50", "2.00", "7.00"]
    assert cells(made["operations"], "200") == ["200", "9,000", "1.00", "20.0", "1.50", "60", "61"]
    assert "| start, s |" in made["operations"]
    assert cells(made["questions"], "page by answer") == ["page by answer", "4.0 / 2.0", "400.0 / 200.0"]


def test_half_a_run() -> None:
    """Figures of a short run make the tables that they suffice for."""
    assert tables({"about": {"date": "2026-01-01"}}) == {"about": "- date: 2026-01-01"}


def test_fill() -> None:
    """A table goes between its marks, again and again; other marks and text stay."""
    page = "a\n<!-- table: one -->\nold\n<!-- end -->\nb\n<!-- table: two -->\nkept\n<!-- end -->\n"
    filled = page.replace("old", "| new |")
    assert fill(page, {"one": "| new |"}) == filled
    assert fill(filled, {"one": "| new |", "three": "x"}) == filled


def test_marks_of_the_pages(figures: Figures) -> None:
    """Every table has its place in the benchmarks' page, and no place is without a table."""
    names = re.findall(
        r"<!-- table: (\w+) -->.*?<!-- end -->", (ROOT / "benchmarks/README.md").read_text("utf-8"), re.DOTALL
    )
    assert sorted(names) == sorted(tables(figures))


def test_chart(figures: Figures, tmp_path: Path) -> None:
    """The chart is one picture with each server's bar and both lines, lengths in proportion."""
    file = tmp_path / "chart.svg"
    file.write_text(chart(figures), "utf-8")
    root = ET.parse(file).getroot()  # noqa: S314 -- our own text
    space = "{http://www.w3.org/2000/svg}"
    texts = [text.text for text in root.iter(f"{space}text")]
    assert "25,000 (0.50)" in texts
    assert "50 (after 30,000)" in texts
    widths = [float(bar.get("width", 0)) for bar in root.iter(f"{space}rect") if bar.get("x")]
    assert widths[1] == pytest.approx(widths[0] / 2)
    assert len(list(root.iter(f"{space}polyline"))) == 2


def test_chart_of_a_short_run(figures: Figures) -> None:
    """Panels without figures are left out."""
    del figures["windows"]
    assert "polyline" not in chart(figures)
