"""Two different values as texts that never look alike: shown from before the first difference, look-alikes escaped."""

import json
import unicodedata
from typing import Any

from mockserver.spec.pointer import MISSING

MAX_SHOWN = 300  # characters of a value
CONTEXT = 20  # characters shown before the first difference, where a value is cut

# What is drawn as nothing or as a blank, though Python calls it printable.
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0") | frozenset(
    map(chr, [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)])
)
_PUNCTUATION = str.maketrans("\u2018\u2019\u201b\u02bc\u2032\u201c\u201d\u201f\u2212", "'''''\"\"\"-")
_ALPHABETS = frozenset({"ARMENIAN", "CHEROKEE", "COPTIC", "CYRILLIC", "GREEK", "LATIN", "LISU"})  # share letter shapes


def show(expected: Any, found: Any) -> str:
    """``expected …, found …``, and a note on the difference where it is not plain to see."""
    first, second, note = shown_pair(expected, found)
    return f"expected {first}, found {second}" + (f" ({note})" if note else "")


def shown_pair(expected: Any, found: Any) -> tuple[str, str, str]:
    r"""Both values as text, and a note on the difference, empty where it is plain to see.

    Plain data is written as JSON, other objects as Python writes them, MISSING as ``nothing``; each has about
    ``MAX_SHOWN`` characters at most. A character that cannot be printed is always written as ``\uXXXX``.
    """
    if isinstance(expected, str) and isinstance(found, str) and expected != found:
        return _shown_texts(expected, found)
    (first, is_json), (second, _) = _written(expected), _written(found)
    if first == second:
        reason = "they differ where they are masked" if is_json else "its own == tells them apart"
        return _excerpt(first), _excerpt(second), reason
    if not is_json:
        return _shown_object(first, found)
    start = 0 if _are_short(first, second) else max(first_difference(first, second) - CONTEXT, 0)
    return _excerpt(first, start), _excerpt(second, start), ""


def first_difference(one: str, other: str) -> int:
    """The index of the first character that differs; the length of the shorter text where it begins the other."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def look_alike(one: str, other: str) -> bool:
    """Whether texts may look the same: they differ in blanks, composition, what is invisible or easily confused.

    Of long texts only the beginnings are compared.
    """
    is_cut = not _are_short(one, other)
    first, second = _folded(one[:MAX_SHOWN]), _folded(other[:MAX_SHOWN])
    return (is_cut or len(first) == len(second)) and all(map(_may_be_confused, first, second))


def _shown_texts(expected: str, found: str) -> tuple[str, str, str]:
    first = first_difference(expected, found)
    same_end = first_difference(expected[first:][::-1], found[first:][::-1])
    spans = [range(first, len(text) - same_end) for text in (expected, found)]
    # One character on either side tells whether a blank stands alone, beside another one, or at an end.
    one, other = expected[max(first - 1, 0) : spans[0].stop + 1], found[max(first - 1, 0) : spans[1].stop + 1]
    alike = look_alike(one, other)
    escape_blanks = alike and _without_blanks(one) == _without_blanks(other)

    def excerpts(start: int) -> list[str]:
        return [
            _excerpt(text, start, span if alike else range(0), is_text=True, escape_blanks=escape_blanks)
            for text, span in zip((expected, found), spans, strict=True)
        ]

    shown = excerpts(0)
    is_cut = not all(text.endswith('"') for text in shown)  # else the number of characters follows
    if is_cut:
        shown = excerpts(max(first - CONTEXT, 0))
    characters = [text[first : first + 1] for text in (expected, found)]
    note = ""
    if not alike and not all(character.isascii() for character in characters):
        codes = [f"U+{ord(character):04X}" if character else "the end" for character in characters]
        note = f"first difference at index {first}: {codes[0]} and {codes[1]}"
    elif alike or is_cut or first >= CONTEXT:
        note = f"first difference at index {first}"
    return shown[0], shown[1], note


def _shown_object(text: str, found: Any) -> tuple[str, str, str]:
    """An object's own words, and what was found. Where the words hold a long text like it, both are cut alike."""
    is_text = isinstance(found, str)
    seen = found if is_text else _written(found)[0]
    starts = (0, 0)
    if not _are_short(text, seen) and len(seen) > CONTEXT and seen[:CONTEXT] in text:
        at = text.index(seen[:CONTEXT])
        before = max(first_difference(text[at:], seen) - CONTEXT, 0)
        starts = (at + before, before)
    windows = [_folded(part[start : start + MAX_SHOWN]) for part, start in zip((text, seen), starts, strict=True)]
    alike = bool(windows[1]) and windows[1] in windows[0]
    shown = [
        _excerpt(part, start, range(len(part) if alike else 0), is_text=quoted)
        for part, start, quoted in ((text, starts[0], False), (seen, starts[1], is_text))
    ]
    return shown[0], shown[1], ""


def _written(value: Any) -> tuple[str, bool]:
    """A value as text, and whether that is JSON."""
    if value is MISSING:
        return "nothing", True
    try:
        return json.dumps(value, ensure_ascii=False), True
    except (TypeError, ValueError):
        return repr(value), False


def _are_short(*texts: str) -> bool:
    return max(map(len, texts)) <= MAX_SHOWN


def _excerpt(
    text: str, start: int = 0, escaped: range = range(0), *, is_text: bool = False, escape_blanks: bool = False
) -> str:
    """What is shown of a text from an index on. ``is_text``: it is to be quoted, else it is written already."""
    shown, index = "", start
    while index < len(text):
        character = text[index]
        escape = index in escaped and (escape_blanks or character != " ")
        piece = _spelled(character, escape=escape, is_text=is_text)
        if len(shown) + len(piece) > MAX_SHOWN:
            break
        shown += piece
        index += 1
    is_cut = start > 0 or index < len(text)
    shown = f"{'…' if start else ''}{shown}{'…' if index < len(text) else ''}"
    quoted = f'"{shown}"' if is_text else shown
    return f"{quoted} ({len(text)} characters)" if is_cut else quoted


def _spelled(character: str, *, escape: bool, is_text: bool) -> str:
    if character == " ":
        return "\\u0020" if escape else " "
    if "!" <= character <= "~" and not is_text:
        return character
    return json.dumps(character, ensure_ascii=escape or not character.isprintable())[1:-1]


def _folded(text: str) -> str:
    """A text without what the eye does not see: composed, blanks as one, nothing invisible."""
    composed = unicodedata.normalize("NFKC", text).translate(_PUNCTUATION)
    visible = [character for character in composed if not _is_invisible(character)]
    return _without_blanks("".join("-" if unicodedata.category(c) == "Pd" else c for c in visible))


def _is_invisible(character: str) -> bool:
    return character in _INVISIBLE or unicodedata.category(character) == "Cf"


def _without_blanks(text: str) -> str:
    """A text whose blanks are single ones between words."""
    return " ".join(part for part in text.split(" ") if part)


def _may_be_confused(one: str, other: str) -> bool:
    """Whether two characters are the same, or letters of different alphabets that share shapes."""
    if one == other:
        return True
    alphabets = {_alphabet(one), _alphabet(other)}
    return len(alphabets) == 2 and "" not in alphabets


def _alphabet(character: str) -> str:
    """The alphabet of a letter whose shape others share, else an empty text; of an ASCII letter with accents ASCII."""
    base = unicodedata.normalize("NFD", character)[0]
    if base.isascii():
        return "ASCII" if base.isalpha() else ""
    script = unicodedata.name(base, "").partition(" ")[0]
    return script if script in _ALPHABETS and base.isalpha() else ""
