"""Counts, the verdict on a number of calls, and which calls are nearest."""

import pytest

from mockserver.matching.compare import Difference
from mockserver.matching.verdict import MAX_NEAREST, Count, Miss, nearest


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (Count(), "at least 1"),
        (Count.exactly(0), "exactly 0"),
        (Count.exactly(2), "exactly 2"),
        (Count(0, 2), "at most 2"),
        (Count(1, 2), "from 1 to 2"),
    ],
)
def test_counts_in_words(count: Count, words: str) -> None:
    """As a message says them."""
    assert str(count) == words


@pytest.mark.parametrize(
    ("count", "number", "verdict", "with_unseen"),
    [
        pytest.param(Count(), 1, True, True, id="enough"),
        pytest.param(Count(), 0, False, None, id="the-missing-one-may-be-unseen"),
        pytest.param(Count(0), 0, True, True, id="any-number"),
        pytest.param(Count.exactly(1), 1, True, None, id="one-too-many-may-be-unseen"),
        pytest.param(Count(0, 2), 2, True, None, id="as-many-as-may-be"),
        pytest.param(Count.exactly(1), 2, False, False, id="too-many-are-seen"),
        pytest.param(Count.exactly(0), 0, True, None, id="none"),
        pytest.param(Count(2, 3), 1, False, None, id="too-few"),
    ],
)
def test_the_verdict(count: Count, number: int, verdict: bool, with_unseen: bool | None) -> None:
    """With calls that could not be seen, only what they cannot change is said."""
    assert count.verdict(number, 0) is verdict
    assert count.verdict(number, 1) is with_unseen


def test_the_nearest_are_few_and_ranked() -> None:
    """Far ones last, then those with fewer differences, and the earlier one among equals."""
    misses = [
        Miss(name, (Difference("/a", 1, 2),) * number) for name, number in [("c", 2), ("far", 1), ("a", 1), ("b", 1)]
    ]
    assert [miss.call for miss in nearest(misses, is_far=lambda call: call == "far")] == ["a", "b", "c"]
    assert [miss.call for miss in nearest(misses)] == ["far", "a", "b"]
    assert len(nearest(misses)) == MAX_NEAREST
