"""Grades of the parts of answers and calls."""

from typing import Any

import pytest

from mockserver.spec.evidence import (
    GRADES,
    ON_ITS_PAGE,
    Evidence,
    Graded,
    is_enough,
    read_evidence,
    spelled,
    worse_parts,
)

PAGE, VENDOR, ASSUMED = Graded("page", "page 1"), Graded("vendor", "an SDK"), Graded("assumed", "a guess")
TABLE: dict[str, Any] = {"default": {"page": "page 1"}, "headers": {"vendor": "an SDK"}, "text": {"assumed": "a guess"}}


def read(block: dict[str, Any], *, has_headers: bool = True) -> Evidence:
    evidence, faults = read_evidence(block, has_headers=has_headers)
    assert faults == []
    return evidence


def test_parts() -> None:
    """What is not written has the default's grade; the whole is the worst part, whatever the text is."""
    evidence = read(TABLE)
    assert (evidence.letters, evidence.grade) == ("PVPAP", "vendor")
    assert evidence.reasons == {
        "status": "page 1", "headers": "an SDK", "shape": "page 1", "text": "a guess", "trigger": "page 1"
    }  # fmt: skip
    assert evidence.grades["text"] == "assumed"


def test_one_grade_is_all_of_them() -> None:
    """A grade without parts is short for the default; an answer without headers has no grade of them."""
    assert read({"sibling": "elsewhere"}, has_headers=False).letters == "S-SSS"


@pytest.mark.parametrize(
    ("block", "fault"),
    [
        ({"status": {"page": "1"}}, "evidence says nothing of 'shape', and has no default"),
        ({**TABLE}, "evidence of headers, and the answer has none beside Content-Type"),
    ],
)
def test_faults(block: dict[str, Any], fault: str) -> None:
    """A part that nothing is said of, and headers that there are not."""
    assert fault in read_evidence(block, has_headers=False)[1]


def test_bounds() -> None:
    """A limit makes a part worse, never better, and makes none that there is not."""
    evidence = read(TABLE)
    assert evidence.bounded("trigger", ASSUMED).letters == "PVPAA"
    assert evidence.bounded("headers", PAGE) is evidence
    assert evidence.bounded("status", None) is evidence
    without = read({"page": "1"}, has_headers=False)
    assert without.bounded("headers", ASSUMED) is without


def test_calls() -> None:
    """A call has the request's grade beside, and its trigger only where the contract chose."""
    evidence = read({**TABLE, "trigger": {"assumed": "a guess"}})
    assert evidence.of_call(ON_ITS_PAGE, chosen=True).letters == "PVPAAP"
    pinned = evidence.of_call(VENDOR, chosen=False)
    assert (pinned.letters, pinned.grade) == ("PVPA-V", "vendor")
    assert "trigger" not in pinned.reasons


def test_spelled() -> None:
    """Letters as grades by part; a header's text is the grade and what is worse."""
    assert spelled("P-VSAR") == dict(
        zip(
            ("status", "headers", "shape", "text", "trigger", "request"),
            ("page", None, "vendor", "sibling", "assumed", "recorded"),
            strict=True,
        )
    )
    assert worse_parts("page", "P-PAPP") == "page; text=assumed"
    assert worse_parts("vendor", "V-VVVP") == "vendor"
    assert worse_parts("off-contract", "") == "off-contract"


def test_thresholds() -> None:
    """A grade is enough from the threshold up; what is no grade is never too little."""
    for threshold in GRADES:
        enough = [grade for grade in GRADES if is_enough(grade, threshold)]
        assert enough == list(GRADES[: GRADES.index(threshold) + 1])
    assert is_enough("off-contract", "page")
