"""What accounts keep is bounded, whatever clocks and clients do."""

import pytest

from mockserver.engine.effects import ChangeRecord, DueStep, KeepRecord
from mockserver.store import record_list
from mockserver.store.records import Records

MOST = 20  # records of a list, instead of many
STEP = DueStep("delivered", 1.0, "delivered", ())


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch) -> Records:
    """Lists with little room."""
    monkeypatch.setattr(record_list, "MAX_RECORDS", MOST)
    monkeypatch.setattr("mockserver.store.records.MAX_RECORDS", MOST)
    return Records()


def kept(records: Records, key: str, size: int = 0) -> None:
    effect = KeepRecord("sent", key, {"id": key, "text": "x" * size}, (STEP,))
    records.apply("one", "acme", 1, (effect,), 0.0, 1.0, size)


def test_steps_of_records_that_are_gone_go(records: Records) -> None:
    """On a clock that stands still, the steps of the latest records are left."""
    for number in range(3 * MOST):
        kept(records, f"m{number}")
    assert [step.key for step in records.pending("one", 100)] == [f"m{2 * MOST + at}" for at in range(MOST)]
    assert records.due("one", 1.0, 100) == records.pending("one", 100)


def test_steps_of_a_record_that_is_kept_anew_go(records: Records) -> None:
    """Another record of its key has its own."""
    kept(records, "m")
    kept(records, "m")
    (step,) = records.take_due("one", 1.0, 100)
    assert step.record is records.kept("one", "acme")["sent"]["m"]


def test_large_records_leave_early(records: Records) -> None:
    """Half as many as there would be room for if they were small."""
    for number in range(MOST):
        kept(records, f"m{number}", record_list.ROOM_BYTES + 1)
    assert len(records.kept("one", "acme")["sent"]) == MOST // 2


def test_a_changed_record_that_is_gone_is_forgotten(records: Records) -> None:
    """A reset has nothing to put back in it."""
    kept(records, "m")
    record = records.kept("one", "acme")["sent"]["m"]
    records.apply("one", "acme", 2, (ChangeRecord(record, ("text",), "changed"),), 0.0, 1.0)
    for number in range(MOST):
        kept(records, f"m{number}")
    records.forget("one")
    assert record["text"] == "changed"
