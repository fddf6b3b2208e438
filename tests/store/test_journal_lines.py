"""Parts of long lines, held against what a plain list would give."""

from collections import deque
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.engine.call import RecordedCall
from mockserver.store import journal
from mockserver.store.journal import Line
from tests.engine.workbench import recorded
from tests.properties import examples

PROPERTY = settings(deadline=None, database=None, derandomize=True, max_examples=examples(200))


@st.composite
def several(draw: st.DrawFn) -> list[Line]:
    """Lines among which calls of rising numbers, with gaps, are dealt out."""
    count = draw(st.integers(1, 5))
    found: list[Line] = [deque() for _ in range(count)]
    number = 0
    for step, which in draw(st.lists(st.tuples(st.integers(1, 3), st.integers(0, count - 1)), max_size=150)):
        number += step
        found[which].append(recorded(number=number, recipient=f"+{number % 3}"))
    return found


def numbers(calls: Sequence[RecordedCall]) -> list[int]:
    return [call.number for call in calls]


def everything(of: list[Line]) -> list[int]:
    return sorted(call.number for line in of for call in line)


@PROPERTY
@given(several(), st.integers(0, 320), st.integers(1, 40))
def test_newest(of: list[Line], before: int, most: int) -> None:
    """The last of all lines together, and the lines as they were."""
    whole = everything(of)
    kept = [list(line) for line in of]
    assert numbers(journal.last_below(of, None, most)) == whole[::-1][:most]
    assert numbers(journal.last_below(of, before, most)) == [number for number in whole[::-1] if number < before][:most]
    of_one = [number for number in whole[::-1] if number % 3 == 1]

    def is_to_one(call: RecordedCall) -> bool:
        return call.recipient == "+1"

    assert numbers(journal.last_below_that(of, None, most, is_to_one)) == of_one[:most]
    earlier = [number for number in of_one if number < before]
    assert numbers(journal.last_below_that(of, before, most, is_to_one)) == earlier[:most]
    assert [list(line) for line in of] == kept


@pytest.mark.parametrize("fewest", [1, 7, 256])
@PROPERTY
@given(of=several(), most=st.integers(1, 40))
def test_oldest(fewest: int, of: list[Line], most: int) -> None:
    """Taken part by part, all of them come, in order, none twice, and never many more than asked for."""
    found: list[RecordedCall] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal, "MIN_PART", fewest)
        while part := journal.first_above(of, found[-1].number if found else 0, most):
            assert len(part) <= max(most, fewest * len(of))
            found += part
    assert numbers(found) == everything(of)


@PROPERTY
@given(several())
def test_find_and_place(of: list[Line]) -> None:
    """Where a number stands or would stand, whether it is there or not."""
    (line, *_) = of
    held = numbers(line)
    for number in range((held[-1] if held else 0) + 3):
        call = journal.find_number(line, number)
        assert (call.number if call else None) == (number if number in held else None)
        assert journal.count_below(line, number) == sum(other < number for other in held)


def test_nothing_comes_of_nothing() -> None:
    """No line at all, or empty ones."""
    for of in ([], [deque[RecordedCall]()], [deque[RecordedCall](), deque[RecordedCall]()]):
        assert journal.first_above(of, 0, 5) == journal.last_below(of, None, 5) == journal.last_below(of, 7, 5) == []
