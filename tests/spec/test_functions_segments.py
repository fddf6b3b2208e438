"""The number of segments of a text, compared with a second count written from the standard alone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.spec.functions import sms_segments
from tests.properties import examples

PROPERTY = settings(deadline=None, database=None, derandomize=True, max_examples=examples(200))

# 3GPP TS 23.038, table 6.2.1, row by row of the code points, without escape; and 6.2.1.1, its extension
BASIC = [
    "@£$¥èéùìòÇ\nØø\rÅå", "Δ_ΦΓΛΩΠΨΣΘΞÆæßÉ", " !\"#¤%&'()*+,-./", "0123456789:;<=>?",
    "¡ABCDEFGHIJKLMNO", "PQRSTUVWXYZÄÖÑÜ§", "¿abcdefghijklmno", "pqrstuvwxyzäöñüà",
]  # fmt: skip
EXTENSION = "\f^{}\\[~]|€"

gsm7 = st.text(st.sampled_from("".join(BASIC) + EXTENSION), max_size=340)
ucs2 = st.text(st.sampled_from("aé€я漢") | st.sampled_from("😀🇦𐍈"), max_size=150)


def expected(text: str) -> int:
    """Segments filled one after another with whole characters, as octets of UTF-16 or septets."""
    if all(character in "".join(BASIC) or character in EXTENSION for character in text):
        units = [["escape", character] if character in EXTENSION else [character] for character in text]
        alone, linked = 160, 153
    else:
        encoded = [character.encode("utf-16-be") for character in text]
        units = [[octets[n : n + 2].hex() for n in range(0, len(octets), 2)] for octets in encoded]
        alone, linked = 70, 67
    if sum(map(len, units)) <= alone:
        return 1
    parts: list[list[str]] = [[]]
    for unit in units:
        if len(parts[-1]) + len(unit) > linked:
            parts.append([])
        parts[-1] += unit
    return len(parts)


def test_alphabet() -> None:
    """Each of the 127 characters is one septet, each of the 10 of the extension two; no other is GSM-7."""
    basic = "".join(BASIC)
    assert (len(basic), len(set(basic)), len(EXTENSION)) == (127, 127, 10)
    assert {character for character in basic if sms_segments(character * 160) != 1} == set()
    assert {character for character in basic if sms_segments(character * 161) != 2} == set()
    assert {character for character in EXTENSION if sms_segments(character * 80) != 1} == set()
    assert {character for character in EXTENSION if sms_segments(character * 81) != 2} == set()
    others = [chr(code) for code in range(0x250) if chr(code) not in basic + EXTENSION]
    assert {character for character in others if sms_segments(character * 70) != 1} == set()
    assert {character for character in others if sms_segments(character * 71) != 2} == set()


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("a" * 459, 3),
        ("a" * 460, 4),
        ("€" * 80, 1),
        ("€" * 80 + "a", 2),
        ("a" * 159 + "€", 2),
        ("a" * 152 + "€" + "a" * 152, 3),
        ("a" * 151 + "€" + "a" * 153, 2),
        ("€" * 152, 2),
        ("€" * 153, 3),
        ("я" * 70, 1),
        ("я" * 71, 2),
        ("я" * 134, 2),
        ("я" * 135, 3),
        ("a" * 69 + "я", 1),
        ("a" * 70 + "я", 2),
        ("\uffff" * 70, 1),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("😀" * 66, 2),
        ("😀" * 67, 3),
        ("я" * 66 + "😀" + "я" * 66, 3),
        ("я" * 65 + "😀" + "я" * 67, 2),
    ],
    ids=lambda value: f"{len(value)}{value[:1]}{value[-1:]}" if isinstance(value, str) else str(value),
)
def test_borders(text: str, segments: int) -> None:
    """160 septets or 70 UTF-16 units fit one segment, 153 or 67 each of several, and no character is split."""
    assert sms_segments(text) == segments


@PROPERTY
@given(gsm7 | ucs2 | st.text(max_size=200))
def test_as_the_standard_says(text: str) -> None:
    """The count is that of filling segments character by character."""
    assert sms_segments(text) == expected(text)


@PROPERTY
@given(gsm7 | ucs2, st.sampled_from("a€я😀"))
def test_more_text(text: str, more: str) -> None:
    """A text with a further character never takes fewer segments."""
    assert sms_segments(text + more) >= sms_segments(text)
