"""Which answers count, how many of them were met, and whether these are enough."""

import pytest

from mockserver.coverage.document import CoverageError
from mockserver.coverage.report import Score, Selection, failures, score
from tests.coverage.documents import answer, document, operation

MET = document(
    send=operation(
        sent=answer(200, 3, 0, "a"),
        busy=answer(429, 0, 1, "a", evidence="assumed"),
        broken=answer(500, evidence="assumed"),
        unauthorized=answer(401),
    ),
    read=operation(found=answer()),
)


@pytest.mark.parametrize(
    ("selection", "counted"),
    [
        pytest.param(Selection(), (2, 5), id="all"),
        pytest.param(Selection(evidence="page"), (1, 3), id="page"),
        pytest.param(Selection(exclude=("*/broken", "acme.read/*")), (2, 3), id="without some"),
        pytest.param(Selection(vendors=("acme",)), (2, 5), id="of one vendor"),
        pytest.param(Selection(exclude=("*",)), (0, 0), id="nothing"),
    ],
)
def test_only_what_is_selected_counts(selection: Selection, counted: tuple[int, int]) -> None:
    """Vendors, evidence and patterns select the answers that the percentage is of."""
    found = score(MET, selection)
    assert (found.covered, found.total) == counted


def test_an_answer_met_by_force_is_covered_and_shown_apart() -> None:
    """Natural and forced answers are counted apart."""
    assert str(score(MET, Selection())) == "2 of 5 answers, 40.0 %: 1 natural, 1 forced"
    assert Score(()).percent == 0


def test_an_unknown_vendor_is_told() -> None:
    """A mistyped vendor is an error, not a vendor without answers."""
    with pytest.raises(CoverageError, match="there is no vendor 'acne'; known: acme"):
        score(MET, Selection(vendors=("acne",)))


@pytest.mark.parametrize(
    ("require", "fail_under", "lines"),
    [
        pytest.param((), None, [], id="no gate"),
        pytest.param(("acme.send/sent", "acme.send/busy"), 40, [], id="all passed"),
        pytest.param((), 40.5, ["40.0 % is below 40.5 %"], id="too little"),
        pytest.param(("acme.send/broken",), 0, ["acme.send/broken is required and was never met"], id="not met"),
    ],
)
def test_each_gate_that_is_not_passed_is_a_line(require: tuple[str, ...], fail_under: float, lines: list[str]) -> None:
    """Gates compare their figure with the answers that were met."""
    assert failures(MET, score(MET, Selection()), require, fail_under) == lines


def test_a_required_answer_must_exist() -> None:
    """A mistyped required answer is an error that names the known answers."""
    with pytest.raises(CoverageError, match=r"no answer 'acme\.send/bussy'; known: acme\.send/sent, "):
        failures(MET, score(MET, Selection()), ["acme.send/bussy"], None)
