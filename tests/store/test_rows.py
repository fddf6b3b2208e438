"""What a store remembers, as values that a file can hold."""

from typing import Any

import pytest

from mockserver.coverage.tally import Met, Tally
from mockserver.engine.account import AccountData
from mockserver.store.rows import dump, load, read_tally, tally_value
from mockserver.store.views import born_record, place_of, read_view, written_view


def test_a_tally() -> None:
    """All that was met comes back, and can be added to."""
    tally = Tally()
    tally.answers["a/x"] = Met(2, 1, {"t::one": None})
    tally.fields["a"] = {"/body/x", "/body/\ud800"}
    tally.values["a"] = {"/body/x": {"1": None}}
    tally.faults["a"] = {"reset": 2}
    again = read_tally(load(dump(tally_value(tally))))
    assert again == tally
    again.merge(tally)
    assert again.answers["a/x"].natural == 4


LINE: dict[str, Any] = {"number": 1}
DATA = {"key": "k", "lines": [{"number": 0}, LINE]}
ACCOUNT = AccountData("one", {"acme": DATA})
SENT: dict[str, Any] = {"id": "m1"}
KEPT = {"sent": {"m0": {"id": "m1"}, "m1": SENT}}


def test_a_view_leads_to_the_same_records() -> None:
    """Records stand where they stood: what is equal to them is another. What stands nowhere is a copy."""
    view = {"body": {"a": 1}, "account": DATA, "owned": {"line": LINE, "sent": SENT, "gone": {"x": 1}}, "kept": KEPT}
    written = load(dump(written_view(view, ACCOUNT, "acme", KEPT)))
    read = read_view(written, ACCOUNT, "acme", KEPT)
    assert read == view
    assert read["account"] is DATA
    assert read["owned"]["line"] is LINE
    assert read["owned"]["sent"] is SENT
    assert read["kept"] is KEPT


def test_a_view_of_nobody() -> None:
    """Without an account there are no records to lead to."""
    view: dict[str, Any] = {"account": {}, "owned": {}}
    assert read_view(load(dump(written_view(view, None, "acme", {}))), None, "acme", {}) == view


@pytest.mark.parametrize("path", [["lines", 7], ["none"], ["key", "x"], ["key"], ["lines"]])
def test_a_place_that_is_no_more(path: list[Any]) -> None:
    """Nothing, or no record, is there."""
    assert born_record(DATA, path) is None
    assert place_of(LINE, DATA, {}) == ("born", ("lines", 1))
