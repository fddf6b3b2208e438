"""Values compared: the prepared test and the differences that are told say the same of any two values."""

from typing import Any
from unittest.mock import ANY

import pytest
from dirty_equals import IsInt, IsOneOf, IsPartialDict, IsPositive, IsStr
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.matching.compare import Difference, OwnEquality, Readings, as_shown, differences, equality, masked
from mockserver.spec.pointer import MISSING
from tests.properties import examples

PROPERTY = settings(deadline=None, database=None, derandomize=True, max_examples=examples(300))
NAMES = st.sampled_from(["a", "b", "/"])
PLAIN = (
    st.none() | st.booleans() | st.integers(-1, 2) | st.sampled_from([0.0, 1.0, 0.5]) | st.sampled_from(["", "1", "a"])
)
OWN = st.sampled_from([ANY, IsStr(), IsInt(), IsPositive(), IsOneOf("a", 1), IsPartialDict(a=1)]).map(OwnEquality)
FOUND = st.just(MISSING) | st.lists(st.sampled_from(["", "1", "a"]), min_size=1).map(
    lambda texts: Readings(tuple(texts))
)


def nested(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2), max_leaves=6
    )


@PROPERTY
@given(nested(PLAIN | OWN), nested(PLAIN) | FOUND | st.dictionaries(NAMES, PLAIN | FOUND, max_size=2))
def test_the_prepared_test_agrees(expected: Any, found: Any) -> None:
    """It passes where no difference is told, and only there."""
    assert equality(expected)(found) is not bool(list(differences(expected, found, "")))


@pytest.mark.parametrize("expected", [ANY, IsStr(), None, "", {}, []], ids=repr)
def test_nothing_is_equal_to_what_is_absent(expected: Any) -> None:
    """Not even what is equal to anything."""
    expected = expected if expected in (None, "", {}, []) and expected is not ANY else OwnEquality(expected)
    (difference,) = differences(expected, MISSING, "/a")
    assert (difference.pointer, difference.found) == ("/a", MISSING)
    assert not equality(expected)(MISSING)


@pytest.mark.parametrize(
    ("expected", "fits"),
    [("one, two", True), ("one", True), ("two", True), ("one,two", False), ("three", False), ("", False)],
)
def test_a_value_of_several_readings(expected: str, fits: bool) -> None:
    """Each may be the expected one, whoever compares; a difference shows the first."""
    found = Readings(("one, two", "one", "two"))
    for value in (expected, OwnEquality(IsOneOf(expected, 5))):
        assert list(differences({"x": value}, {"x": found}, "")) == (
            [] if fits else [Difference("/x", value, "one, two")]
        )


def test_a_whole_mapping_shows_the_first_readings() -> None:
    """What compares a mapping itself gets texts, and so does who reads the difference."""
    found = {"x": Readings(("a, b", "a", "b")), "y": "c"}
    assert as_shown(found) == {"x": "a, b", "y": "c"}
    assert list(differences(OwnEquality(IsPartialDict(x="a, b")), found, "")) == []
    assert list(differences("z", found, "/h")) == [Difference("/h", "z", {"x": "a, b", "y": "c"})]


def test_an_object_keeps_the_words_it_had() -> None:
    """Some show, once compared, what they met: that is no expectation any more."""
    expected = OwnEquality(IsStr(regex="B.*"))
    assert not equality(expected)("Hi")
    assert repr(expected) == "IsStr(regex='B.*')"


def test_every_text_is_masked() -> None:
    """Names, values, what an object says of itself; numbers stay, and the object still compares."""
    value = {"key": ["key", 5, None], "own": OwnEquality(IsOneOf("key", "other"))}
    shown = masked(value, lambda text: text.replace("key", "***"))
    assert shown["***"] == ["***", 5, None]
    assert repr(shown["own"]) == "IsOneOf('***', 'other')"
    assert shown["own"].value == "key"
