"""Functions that a fill can call."""

import hashlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.spec.functions import (
    FUNCTIONS,
    base64_text,
    below,
    digits,
    dotted,
    first,
    hmac_sha1,
    hmac_sha256,
    integer,
    md5_joined,
    md5_sorted,
    phone_digits,
    segments,
    sorted_members,
    upper,
)
from tests.properties import examples

PROPERTY = settings(deadline=None, database=None, derandomize=True, max_examples=examples(100))
values = st.text() | st.integers() | st.floats() | st.booleans() | st.none() | st.lists(st.integers(), max_size=3)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("+1 (415) 555-0123", "14155550123"),
        ("14155550123", "14155550123"),
        ("+14155550123", "14155550123"),
        ("++1", "1"),
        (14155550123, "14155550123"),
        (14155550123.0, "14155550123"),
        (1.5, "15"),
        (float("inf"), ""),
        (float("nan"), ""),
        ("٣4²", "4"),
        ("", ""),
        ("none", ""),
        (None, ""),
    ],
    ids=repr,
)
def test_digits(value: object, text: str) -> None:
    """Only the ASCII digits of a number are kept, however it is written; a whole float counts as its integer."""
    assert digits(value) == text


@pytest.mark.parametrize(
    ("value", "number"),
    [("+1 415", 1415), ("007", 7), ("", 0), ("x", 0), ("1" * 30, int("1" * 18)), (44.0, 44)],
    ids=repr,
)
def test_integer(value: object, number: int) -> None:
    """A phone number as an integer has at most 18 digits; without any it is 0."""
    assert integer(value) == number


def test_md5_sorted() -> None:
    """The lower of two numbers comes first, by value and not by text, so that both directions agree."""
    expected = hashlib.md5(b"999:14155550123", usedforsecurity=False).hexdigest()
    assert md5_sorted("+1 415 555 0123", 999) == expected
    assert md5_sorted(999, "+14155550123") == expected


@PROPERTY
@given(values, values)
def test_any_value(first: object, second: object) -> None:
    """No value of a request makes a function fail, and every result fits into JSON."""
    assert set(digits(first)) <= set("0123456789")
    assert integer(first) in range(10**18)
    assert segments(first) >= 1
    assert md5_sorted(first, second) == md5_sorted(second, first)
    assert len(md5_sorted(first, second)) == 32


def test_names() -> None:
    """The functions have these names, and no contract can add another."""
    assert {
        "base64": base64_text,
        "below": below,
        "digits": digits,
        "dotted": dotted,
        "first": first,
        "hmac_sha1": hmac_sha1,
        "hmac_sha256": hmac_sha256,
        "integer": integer,
        "md5_joined": md5_joined,
        "md5_sorted": md5_sorted,
        "sms_segments": segments,
        "sorted_members": sorted_members,
        "upper": upper,
    } == FUNCTIONS
    with pytest.raises(TypeError):
        FUNCTIONS["more"] = digits  # type: ignore[index]


def test_first_and_upper() -> None:
    """The first value that is not null, whatever else it is; a text in upper case, also of a value that is none."""
    assert (first(None, "", 1), first(None, None), first(False, 1)) == ("", None, False)
    assert (upper("in"), upper(True), upper(7)) == ("IN", "TRUE", "7")


@pytest.mark.parametrize(
    ("members", "separators", "text"),
    [
        ({"b": "2", "a": 1, "C": True}, (), "Ctruea1b2"),
        ({"b": "2", "a": None}, ("&", "="), "&a=&b=2"),
        ("a", (), ""),
    ],
)
def test_sorted_members(members: Any, separators: tuple[str, ...], text: str) -> None:
    """Members are text by name, upper case first; between and before them stands what is asked; no mapping has none."""
    assert sorted_members(members, *separators) == text


def test_signatures() -> None:
    """Signatures and hashes are the standard ones (RFC 2202, RFC 4231), of values as text."""
    assert hmac_sha1("Jefe", "what do ya want for nothing?") == "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
    assert hmac_sha256("Jefe", "what do ya want for nothing?").startswith("5bdcc146bf60754e6a042426089575c7")
    assert hmac_sha256("Jefe", "what do ya want ", "for ", "nothing?").startswith("5bdcc146bf60754e6a042426089575c7")
    assert md5_joined("salt", 77, True, "key") == "d32a842d5056bde520e412a6b35d959c"
    assert base64_text("user:pass") == "dXNlcjpwYXNz"


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("+1 (415) 555-0123", "14155550123"),
        ("tel:+1.415.555.0123", "14155550123"),
        (" 14155550123 ", "14155550123"),
        (14155550123, "14155550123"),
        ("abc131", ""),
        ("+1\x1b[31m", ""),
        ("+1\n31", ""),
        ("+1 " + "-" * 253, "1"),
        ("+1 " + "-" * 254, ""),
        ("", ""),
    ],
    ids=repr,
)
def test_phone_digits(value: object, number: str) -> None:
    """A text that is no phone number has none, whatever digits are in it."""
    assert phone_digits(value) == number
