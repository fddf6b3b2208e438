"""Two values as text: bounded, and never alike."""

import re
from typing import Any

import pytest
from dirty_equals import IsOneOf, IsStr
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.matching.compare import OwnEquality
from mockserver.matching.show import CONTEXT, MAX_SHOWN, first_difference, look_alike, show, shown_pair
from mockserver.spec.pointer import MISSING
from tests.properties import examples

PROPERTY = settings(deadline=None, database=None, derandomize=True, max_examples=examples(300))
MARKS = len('"……" (1000000 characters)')
CONFUSABLE = st.text(alphabet="a \u00a0\u200b\u0301\u00e9e\u0410A\u2019'\n\r\ufe0f\U0001f469\u200d\"\\", max_size=40)
TEXTS = st.text(max_size=40) | CONFUSABLE | st.builds(lambda text, times: text * times, CONFUSABLE, st.integers(1, 60))


@PROPERTY
@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_two_texts_never_look_alike(start: str, one: str, other: str, end: str) -> None:
    """Whatever two texts have in common, the two that are shown differ, are bounded, and can be printed."""
    one, other = start + one + end, start + other + end
    if one == other:
        return
    first, second, note = shown_pair(one, other)
    assert first != second
    assert max(len(first), len(second)) <= MAX_SHOWN + MARKS
    assert (first + second).isprintable()
    assert "U+" in note or not look_alike(first, second)


@pytest.mark.parametrize(
    ("one", "other", "shown"),
    [
        pytest.param("2 PM", "2\u00a0PM", r'"2\u00a0PM"', id="no-break-space"),
        pytest.param("2 PM", "2\u202fPM", r'"2\u202fPM"', id="narrow-no-break-space"),
        pytest.param("ab", "a\u200bb", r'"a\u200bb"', id="zero-width-space"),
        pytest.param("ab", "ab\ufeff", r'"ab\ufeff"', id="byte-order-mark"),
        pytest.param("a\u2764", "a\u2764\ufe0f", "\"a\u2764\\ufe0f\"", id="variation-selector"),
        pytest.param("caf\u00e9", "cafe\u0301", r'"cafe\u0301"', id="decomposed"),
        pytest.param("cafe\u0301", "caf\u00e9", r'"caf\u00e9"', id="composed"),
        pytest.param("Anna", "\u0410nna", r'"\u0410nna"', id="cyrillic"),
        pytest.param("Anna", "\u0391nna", r'"\u0391nna"', id="greek"),
        pytest.param("Iris", "\u0131ris", r'"\u0131ris"', id="latin-without-a-dot"),
        pytest.param("fit", "\ufb01t", r'"\ufb01t"', id="ligature"),
        pytest.param("it's", "it\u2019s", r'"it\u2019s"', id="apostrophe"),
        pytest.param("a-b", "a\u2013b", r'"a\u2013b"', id="dash"),
        pytest.param("Hi", "Hi ", r'"Hi\u0020"', id="blank-at-the-end"),
        pytest.param("Hi", " Hi", r'"\u0020Hi"', id="blank-at-the-start"),
        pytest.param("a b", "a  b", r'"a \u0020b"', id="two-blanks"),
        pytest.param("a\nb", "a\r\nb", r'"a\r\nb"', id="line-ends"),
        pytest.param("abc", "\u202eabc", r'"\u202eabc"', id="direction"),
        pytest.param("a", "a\x7f", r'"a\u007f"', id="delete"),
    ],
)  # fmt: skip
def test_look_alikes_are_told_apart(one: str, other: str, shown: str) -> None:
    """What is invisible or easily confused is written by its code point, with where it stands."""
    assert shown_pair(one, other)[1] == shown
    assert shown_pair(other, one)[0] == shown


@pytest.mark.parametrize(
    ("one", "other", "note"),
    [
        pytest.param("Bye", "Hi", "", id="plain"),
        pytest.param("a b", "a\u00a0b", "first difference at index 1", id="look-alike"),
        pytest.param("\u064a", "\u06cc", "first difference at index 0: U+064A and U+06CC", id="letters-of-one-script"),
        pytest.param("na\u00efve", "naive", "first difference at index 2: U+00EF and U+0069", id="accent"),
        pytest.param("\u043f\u0440", "\u043f", "first difference at index 1: U+0440 and the end", id="the-end"),
        pytest.param("x" * 30 + "a", "x" * 30 + "b", "first difference at index 30", id="far-behind"),
    ],
)
def test_where_texts_differ(one: str, other: str, note: str) -> None:
    """The index is told where the eye might not find it, the code points where they may mean something to it."""
    assert shown_pair(one, other)[2] == note


def test_letters_that_differ_plainly_stay_readable() -> None:
    """Nothing is escaped in texts of one script, whichever, that differ to the eye."""
    assert shown_pair("\u041f\u0440\u0438\u0432\u0435\u0442", "\u041f\u043e\u043a\u0430")[0] == (
        '"\u041f\u0440\u0438\u0432\u0435\u0442"'
    )
    assert shown_pair("Gr\u00fc\u00dfe", "Gr\u00fcsse")[0] == '"Gr\u00fc\u00dfe"'
    assert shown_pair("\u65e5\u672c", "ab")[0] == '"\u65e5\u672c"'


def test_a_long_text_is_shown_from_before_the_first_difference() -> None:
    """A text of 342 characters that differs at its end: both ends are seen, with the index."""
    start = "Dear customer, " * 22
    assert show(f"{start}at 2 o'clock", f"{start}at 3 o'clock") == (
        """expected "…, Dear customer, at 2 o'clock" (342 characters), """
        """found "…, Dear customer, at 3 o'clock" (342 characters) (first difference at index 333)"""
    )


def test_a_text_that_goes_on_is_cut() -> None:
    """No more than a screen can hold, however long the text is, and how long it is."""
    first, second, note = shown_pair("y" * 600, "x" * 10**6)
    assert first == f'"{"y" * MAX_SHOWN}…" (600 characters)'
    assert second == f'"{"x" * MAX_SHOWN}…" (1000000 characters)'
    assert note == "first difference at index 0"


def test_escapes_count_as_they_are_written() -> None:
    """A text of nothing but look-alikes is cut earlier; the first difference stays in sight."""
    first, second, _ = shown_pair("a" * 290 + "\u00a0" * 5, "a" * 290 + " " * 5)
    assert first == '"…' + "a" * CONTEXT + r"\u00a0" * 5 + '" (295 characters)'
    assert second == '"…' + "a" * CONTEXT + "     " + '" (295 characters)'


@pytest.mark.parametrize(
    ("expected", "found", "shown"),
    [
        pytest.param(None, MISSING, "expected null, found nothing", id="nothing"),
        pytest.param(1, "1", 'expected 1, found "1"', id="number-and-text"),
        pytest.param(True, 1, "expected true, found 1", id="boolean"),
        pytest.param({"schema": True}, "Hi", 'expected {"schema": true}, found "Hi"', id="schema"),
        pytest.param([1], [1, 2], "expected [1], found [1, 2]", id="lists"),
        pytest.param(OwnEquality(IsStr(regex="B.*")), "Hi", "expected IsStr(regex='B.*'), found \"Hi\"", id="object"),
        pytest.param([OwnEquality(IsStr()), 1], [1], "expected [IsStr(), 1], found [1]", id="object-in-a-list"),
        pytest.param("***", "***", 'expected "***", found "***" (they differ where they are masked)', id="masks"),
        pytest.param(OwnEquality(0, '"a"'), "a", 'expected "a", found "a" (its own == tells them apart)', id="same"),
    ],
)  # fmt: skip
def test_other_values(expected: Any, found: Any, shown: str) -> None:
    """Plain data as JSON, objects in their own words, and a reason where even those are the same."""
    assert show(expected, found) == shown


def test_long_lists_are_shown_from_before_the_first_difference() -> None:
    """One item more at the end of a long list is seen."""
    one = [f"item {number}" for number in range(60)]
    first, second, _ = shown_pair(one, [*one, "one more"])
    assert first.endswith('"item 59"] (' + f"{len(str(one).replace(chr(39), chr(34)))} characters)")
    assert '"one more"]' in second
    assert max(len(first), len(second)) < MAX_SHOWN


def test_an_object_that_names_a_look_alike() -> None:
    """Its words and what was found are written so that they differ, both from before where they do."""
    first, second, _ = shown_pair(OwnEquality(IsOneOf("caf\u00e9", "tea")), "cafe\u0301")
    assert (first, second) == (r"IsOneOf('caf\u00e9', 'tea')", r'"cafe\u0301"')
    long = "Dear customer, " * 40
    first, second, _ = shown_pair(OwnEquality(IsOneOf(f"{long}at 2", "tea")), f"{long}at 3")
    assert re.match(r"….*at 2', 'tea'\) \(\d+ characters\)", first)
    assert re.match(r'"….*at 3" \(604 characters\)', second)


@PROPERTY
@given(st.text(), st.text(), st.text())
def test_the_first_difference(start: str, one: str, other: str) -> None:
    """Before it the texts are the same, at it they are not."""
    one, other = start + one, start + other
    index = first_difference(one, other)
    assert one[:index] == other[:index]
    assert one[index : index + 1] != other[index : index + 1] or one == other
