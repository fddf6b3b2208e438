"""The refusal of a name that is not known, and of a pattern that is too large."""

from difflib import SequenceMatcher
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.server.control.requests import (
    MAX_EXPECTED,
    MAX_NAMES_LISTED,
    MAX_WORD_SHOWN,
    NEAR,
    ApiError,
    nearest_names,
    read_pattern,
    unknown,
)

NAME = st.text("abc._*", min_size=1, max_size=8)
KNOWN = st.lists(NAME, max_size=40, unique=True)


def listed(text: str) -> list[str]:
    """The names in a row of them."""
    names = text.partition(" and ")[0].split(", ")
    return [] if names == ["none"] else names


@given(NAME, KNOWN)
def test_known_names_are_listed(word: str, known: list[str]) -> None:
    """Each once, twenty at most and the number of the others, and none where there are none."""
    text = nearest_names(word, known)
    names = listed(text)
    assert len(names) == min(len(known), MAX_NAMES_LISTED)
    assert len(set(names)) == len(names)
    assert set(names) <= set(known)
    more = len(known) - MAX_NAMES_LISTED
    assert text.endswith(f" and {more} more") if more > 0 else " and " not in text


@given(NAME, KNOWN)
def test_the_nearest_are_first(word: str, known: list[str]) -> None:
    """A name that is near goes before all that are not; those stay in their order."""
    near = {name for name in known if SequenceMatcher(None, name, word).ratio() >= NEAR}
    names = listed(nearest_names(word, known))
    assert [name in near for name in names] == sorted((name in near for name in names), reverse=True)
    rest = [name for name in known if name not in near]
    assert [name for name in names if name not in near] == rest[: len(names) - len(near & set(names))]


@given(st.text(max_size=300), KNOWN, st.sampled_from(["", "vendor"]))
def test_the_word_is_repeated(word: str, known: list[str], kind: str) -> None:
    """As it can be printed, cut where it is long; with the pointer, and the status of where it stands."""
    error = unknown(kind, word, known, "/query/x")
    assert (error.status, error.pointer) == (400, "/query/x")
    assert repr(word[:MAX_WORD_SHOWN]) in str(error)
    assert word[: MAX_WORD_SHOWN + 1] in str(error) or len(word) > MAX_WORD_SHOWN or not word.isalnum()
    assert f"known: {nearest_names(word, known)}" in str(error)
    assert unknown(kind, word, known, "/path/x", status=404).status == 404


def test_many_names_take_little_time() -> None:
    """Of very many names the first ones are compared, so that nobody waits for a mistyped one."""
    known = [f"a-{number:012x}" for number in range(100_000)]
    text = nearest_names("a-00000000000f", known)
    assert listed(text)[0] == "a-00000000000f"
    assert text.endswith("more")


MANY_NAMES = {f"n{number}": "x" for number in range(1_001)}


@pytest.mark.parametrize(
    ("asked", "at", "says"),
    [
        pytest.param({"when": {"/body": {"pattern": "(a)\\1"}}}, "/body/when/~1body", "not a JSON", id="backwards"),
        pytest.param({"when": {"/body": {"pattern": "(a{900}){900}"}}}, "/body/when/~1body", "not a JSON", id="regex"),
        pytest.param({"when": {"/body": {"pattern": "(" * 9_000}}}, "/body/when/~1body", "not a JSON", id="long"),
        pytest.param({"when": {"/body": {"pattern": r"\w" * 200}}}, "/body/when/~1body", "more than", id="escapes"),
        pytest.param({"when": {"/body": {"$ref": "#"}}}, "/body/when/~1body", "circle", id="circle"),
        pytest.param(
            {"when": {f"/body/{n}": {"allOf": [{}] * 900} for n in range(12)}},
            "/body/when/~1body~111",
            "more",
            id="many",
        ),
        pytest.param({"where": {"json": list(range(MAX_EXPECTED))}}, "/body/where", "more than", id="values"),
        pytest.param({"where": {"query": MANY_NAMES}}, "/body/where/query", "more than 1000 names", id="query"),
        pytest.param({"where": {"headers": MANY_NAMES}}, "/body/where/headers", "more than 1000 names", id="headers"),
        pytest.param({"when": {f"/body/{n}": True for n in range(201)}}, "/body/when", "more than 200", id="pointers"),
        pytest.param({"when": {"/body" + "/a" * 110: True}}, "/body/when", "110 parts at most", id="deep-pointer"),
    ],
)
def test_a_pattern_is_bounded(asked: dict[str, Any], at: str, says: str) -> None:
    """What would take long to compile, or for ever to evaluate, is refused before."""
    with pytest.raises(ApiError) as caught:
        read_pattern(asked)
    assert caught.value.pointer == at
    assert says in str(caught.value)
    assert len(str(caught.value)) < 400, "what was sent is not told back whole"
