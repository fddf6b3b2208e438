"""A list of records has so much room; large records take more of it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.store import record_list
from mockserver.store.record_list import RecordList, extra_room

ROOM = 8  # records, instead of many
STEPS = st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 10), st.booleans()), max_size=40)


@pytest.fixture(autouse=True, scope="module")
def little_room() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record_list, "MAX_RECORDS", ROOM)
        yield


@given(STEPS)
def test_the_oldest_make_room(steps: list[tuple[str, int, bool]]) -> None:
    """What is kept is the newest that fit, by any way of keeping, keeping again and forgetting."""
    records, model = RecordList(), dict[str, int]()
    for key, extra, is_kept in steps:
        expected = [key] if model.pop(key, None) else []
        if not is_kept:
            assert (records.forget(key) is not None) == bool(expected)
            continue
        model[key] = extra + 1
        while sum(model.values()) > ROOM and len(model) > 1:
            expected.append(next(iter(model)))
            del model[expected[-1]]
        assert [gone for gone, _ in records.keep(key, {"id": key}, extra)] == expected
        assert list(records) == list(model)


@pytest.mark.parametrize(
    ("record", "extra"),
    [
        ({"text": "short", "number": 7, "list": [1, 2], "none": None}, 0),
        ({"text": "x" * 4_095}, 0),
        ({"text": "x" * 40_960}, 10),
        ({f"member{at}": "x" * 1_024 for at in range(40)}, 10),
        ({"deep": {"list": ["x" * 40_960]}}, 10),
        ({"text": "\ud800" * 40_960}, 10),
    ],
)
def test_what_a_record_counts_for(record: dict[str, Any], extra: int) -> None:
    """So many more as it has pieces of four kilobytes."""
    assert extra_room(record) == extra


@pytest.mark.parametrize("state", ["", "sent", "a state of another length"])
def test_a_short_member_counts_for_nothing(state: str) -> None:
    """A record's state may change without another size."""
    assert extra_room({"text": "x" * 4_096, "state": state}) == 1
