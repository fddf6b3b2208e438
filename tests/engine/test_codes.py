"""One-time codes in texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.engine.codes import MAX_CANDIDATES, codes_in


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Your code is 123456.", "123456"),
        ("123-456 is your verification code", "123456"),
        ("Call 2026 for help. OTP: 8431", "8431"),
        ("G-4X9B21 is your one-time password", "G4X9B21"),
        ("PIN 0042, valid until 10:45", "0042"),
        ("Order 20261127 shipped; your passcode 7788 is below", "7788"),
        ("Use 4455 to log in", "4455"),
    ],
)
def test_the_likeliest_comes_first(text: str, code: str) -> None:
    """A code beside a word that announces it comes before bare digits, whatever is written around it."""
    assert codes_in(text)[0].code == code


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hello world",
        "Call +14155550123",
        "It costs $1234",
        "at 12:30:45",
        "see http://a.test/123456/x",
        "id 12345678901",
    ],
)
def test_what_is_no_code(text: str) -> None:
    """Phone numbers, prices, times, addresses and long numbers are no codes."""
    assert codes_in(text) == []


def test_all_candidates_are_told() -> None:
    """Each candidate says where it begins and which word announces it."""
    text = "Code 1111 or 2222. " + "Some words that have nothing to do with it. " + "At last 3333 is there."
    found = [(one.code, one.at, one.keyword) for one in codes_in(text)]
    assert found == [("1111", 5, "Code"), ("2222", 13, "Code"), ("3333", text.index("3333"), None)]


@given(st.text(max_size=300))
def test_any_text(text: str) -> None:
    """Whatever a text holds, candidates are few, stand in it, and can be typed in."""
    found = codes_in(text)
    assert len(found) <= MAX_CANDIDATES
    for code in found:
        assert 0 <= code.at < len(text)
        assert code.code.isalnum()
        assert code.code.isascii()
