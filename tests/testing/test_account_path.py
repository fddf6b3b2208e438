"""The dotted path of one value, which fixtures and commands share."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.testing.account_path import filled, value_in

SHAPE: dict[str, Any] = {
    "vendors": {
        "acme": {
            "url": "http://127.0.0.1:1/v1",
            "credentials": {"key": "s3", "parts": ["a", {"b": True}]},
            "owned": {"limit": 7, "none": None},
            "tokens": {"Jwt": "e.y.j"},
        }
    }
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("acme.url", "http://127.0.0.1:1/v1"),
        ("acme.credentials.key", "s3"),
        ("acme.credentials.parts.1.b", True),
        ("acme.owned", {"limit": 7, "none": None}),
        ("acme.tokens.Jwt", "e.y.j"),
    ],
)
def test_a_value(path: str, value: Any) -> None:
    """Names and numbers lead to it."""
    assert value_in(SHAPE, path) == value


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("acne.url", "there is no vendor 'acne'; known: acme"),
        ("acme", "acme alone is no value; add .url, .credentials, .owned or .tokens"),
        ("acme.unreachable_url", "acme has no 'unreachable_url'; known: url, credentials, owned, tokens"),
        ("acme.credentials.kay", "acme.credentials has no 'kay'; known: key, parts"),
        ("acme.credentials.parts.2", "acme.credentials.parts has 2 items, counted from 0: no '2'"),
        ("acme.credentials.parts.-1", "acme.credentials.parts has 2 items, counted from 0: no '-1'"),
        ("acme.url.host", "acme.url has nothing below it, so no 'host'"),
    ],
)
def test_no_value(path: str, said: str) -> None:
    """The message names what there is."""
    with pytest.raises(LookupError) as raised:
        value_in(SHAPE, path)
    assert raised.value.args == (said,)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{acme.credentials.key}", "s3"),
        ("{acme.url}/sms?key={acme.credentials.key}", "http://127.0.0.1:1/v1/sms?key=s3"),
        ("{acme.owned.limit}", "7"),
        ("{acme.credentials.parts.1}", '{"b": true}'),
        ("literal", "literal"),
        ('{"a": 1}', '{"a": 1}'),
        ("{}", "{}"),
        ("", ""),
    ],
)
def test_filled(text: str, value: str) -> None:
    """Braces around a path are replaced; others stay."""
    assert filled(text, lambda path: value_in(SHAPE, path)) == value


@given(st.text(alphabet=st.characters(exclude_characters="{}")))
def test_a_text_without_braces_stays(text: str) -> None:
    """Whatever it is."""
    assert filled(text, lambda path: value_in(SHAPE, path)) == text


def test_a_typo_in_braces() -> None:
    """It is no literal."""
    with pytest.raises(LookupError, match="no vendor 'acne'"):
        filled("x{acne.url}", lambda path: value_in(SHAPE, path))
