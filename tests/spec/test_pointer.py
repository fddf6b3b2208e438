"""JSON Pointers as in RFC 6901."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.spec.pointer import MISSING, Pointer, join
from tests.properties import examples

PROPERTY = settings(deadline=None, database=None, derandomize=True, max_examples=examples(200))
tokens = st.text(st.sampled_from("/~01a é") | st.characters(exclude_categories=["Cs"]), max_size=6)
RFC = {
    "foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, 'k"l': 6, " ": 7, "m~n": 8,
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", RFC),
        ("/foo", ["bar", "baz"]),
        ("/foo/0", "bar"),
        ("/", 0),
        ("/a~1b", 1),
        ("/c%d", 2),
        ("/e^f", 3),
        ("/g|h", 4),
        ("/i\\j", 5),
        ('/k"l', 6),
        ("/ ", 7),
        ("/m~0n", 8),
        ("/foo/2", MISSING),
        ("/foo/-", MISSING),
        ("/foo/01", MISSING),
        ("/foo/-1", MISSING),
        ("/foo/\u0661", MISSING),
        pytest.param(f"/foo/{'1' * 5000}", MISSING, id="a long index"),
        ("/foo/0/0", MISSING),
        ("/absent", MISSING),
        ("/absent/below", MISSING),
    ],
)
def test_get(text: str, value: object) -> None:
    """The examples of RFC 6901, section 5, and what it forbids as an index of a list."""
    assert Pointer.parse(text).get(RFC) == value


@PROPERTY
@given(st.lists(tokens).map(tuple))
def test_round_trip(parts: tuple[str, ...]) -> None:
    """Any tokens come back from their text, however they are escaped in it."""
    text = str(Pointer(parts))
    assert Pointer.parse(text) == Pointer(parts)
    assert join(*parts) == text
    assert text.count("/") == len(parts)


@PROPERTY
@given(st.lists(tokens, min_size=1, max_size=5), st.data())
def test_get_finds(parts: list[str], data: st.DataObject) -> None:
    """A value is found by any keys and indexes that lead to it."""
    value: Any = {"the": "value"}
    path = list(parts)
    for number in reversed(range(len(path))):
        if data.draw(st.booleans()):
            index = data.draw(st.integers(0, 11))
            value, path[number] = [*[None] * index, value], str(index)
        else:
            value = {path[number]: value}
    assert Pointer(tuple(path)).get(value) == {"the": "value"}


@PROPERTY
@given(st.lists(tokens).map(tuple), st.lists(tokens).map(tuple), tokens)
def test_covers(parts: tuple[str, ...], more: tuple[str, ...], other: str) -> None:
    """A pointer covers itself and everything below it, but nothing above or beside it."""
    pointer, below = Pointer(parts), Pointer(parts + more)
    assert pointer.covers(below)
    assert below.covers(pointer) is (not more)
    if parts and other != parts[-1]:
        assert not pointer.covers(Pointer((*parts[:-1], other, *more)))


def test_missing_says_so() -> None:
    """A missing value is called MISSING in messages."""
    assert repr(MISSING) == "MISSING"


def test_join_takes_indexes() -> None:
    """A validator's paths have the indexes of lists as integers."""
    assert join("body", "a/b", 3) == "/body/a~1b/3"
