"""Coverage reports for people and programs."""

import json

from mockserver.coverage.report import Selection, render_report, score
from tests.coverage.documents import answer, document, operation

MET = document(
    send=operation(
        {"seen": ["/body/text"], "unseen": ["/body/media"]},
        {"/query/kind": {"seen": ["a"], "unseen": ["b", True]}},
        {"reset": 2},
        sent=answer(202, 3, 0, "a", "b"),
        busy=answer(429, 0, 1, evidence="assumed"),
        broken=answer(500, evidence="assumed"),
    ),
    read=operation(found=answer()),
)
COUNTED = score(MET, Selection())
FAILED = ["50.0 % is below 60 %"]


def test_text_shows_what_was_met_and_names_the_rest() -> None:
    """An operation that was never called is one line; fields and values come after the figures."""
    assert render_report("text", MET, COUNTED, FAILED).splitlines() == [
        "acme.send: 2 of 3",
        "  202 sent                     page       natural 3     forced 0     in 2 test(s)",
        "  429 busy                     assumed    natural 0     forced 1",
        "  not met: broken",
        "  request fields 1 of 2, never sent: /body/media",
        '  /query/kind never sent as: "b", true',
        "  faults met: reset (2)",
        "acme.read: 0 of 1",
        "2 of 4 answers, 50.0 %: 1 natural, 1 forced",
        "FAILED: 50.0 % is below 60 %",
    ]


def test_markdown_has_a_row_for_each_answer() -> None:
    """The markdown report suits the summary page of a CI run."""
    lines = render_report("markdown", MET, COUNTED, FAILED).splitlines()
    assert lines[0] == "## Contract coverage: 50.0 %"
    assert "| acme.send/sent | 202 | page | 3 | 0 | 2 |" in lines
    assert "| acme.send/broken (not met) | 500 | assumed | 0 | 0 | 0 |" in lines
    assert 'acme.send: request fields 1 of 2, never sent: /body/media; /query/kind never sent as: "b", true; ' in (
        "\n".join(lines)
    )
    assert lines[-1] == "**Failed:** 50.0 % is below 60 %"


def test_json_has_the_same_figures() -> None:
    """The JSON report is for programs; fields and values do not count in the percentage."""
    found = json.loads(render_report("json", MET, COUNTED, FAILED))
    assert [found[name] for name in ("percent", "covered", "total", "natural", "forced")] == [50.0, 2, 4, 1, 1]
    assert found["failures"] == FAILED
    assert found["contracts"] == MET["contracts"]
    assert found["operations"]["acme.send"] == {
        "covered": 2,
        "total": 3,
        "met": ["sent", "busy"],
        "unmet": ["broken"],
        "fields": {"seen": ["/body/text"], "unseen": ["/body/media"]},
        "values": {"/query/kind": {"seen": ["a"], "unseen": ["b", True]}},
        "faults": {"reset": 2},
    }
