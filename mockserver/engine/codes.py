"""One-time codes in texts: those beside a word that announces one come first, then bare digits."""

import re
from dataclasses import dataclass

_KEYWORD = re.compile(r"\b(?:code|otp|pin|passcode|password|verification|token|one[- ]time|2fa)\b", re.IGNORECASE)
_CANDIDATE = re.compile(
    r"(?<![\w.,:/$€£#+-])"
    r"(?:[0-9]{4,8}|[0-9]{3}[- ][0-9]{3}|[0-9]{4}[- ][0-9]{4}|(?=[A-Z0-9-]*[0-9])[A-Z](?:-?[A-Z0-9]){3,8})"
    r"(?![\w/$€£%+]|[.,:-][0-9A-Za-z])"
)
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
MAX_DISTANCE = 40  # characters between a code and the word that announces it
MAX_SEARCHED_TEXT = 10_000  # characters that are looked at
MAX_CANDIDATES = 20


@dataclass(frozen=True, slots=True)
class Code:
    """A candidate as it is typed in, without separators, where it begins, and the word that announces it, if any."""

    code: str
    at: int
    keyword: str | None


def codes_in(text: str) -> list[Code]:
    """The candidates for a one-time code in a text, the likeliest first; at most 20."""
    text = text[:MAX_SEARCHED_TEXT]
    words = [(match.start(), match.end(), match.group()) for match in _KEYWORD.finditer(text)]
    ranked = []
    for match in _CANDIDATE.finditer(text):
        bare = re.sub(r"[- ]", "", match.group())
        near = _nearest(words, match.start(), match.end())
        if near is None and not bare.isdigit():
            continue  # a word in capitals is no code unless it is announced
        rank = (near is None, bool(_YEAR.fullmatch(bare)), near[0] if near else match.start())
        ranked.append((rank, Code(bare, match.start(), near[1] if near else None)))
    return [code for _, code in sorted(ranked, key=lambda entry: entry[0])[:MAX_CANDIDATES]]


def _nearest(words: list[tuple[int, int, str]], start: int, end: int) -> tuple[int, str] | None:
    """The distance to the nearest word that announces a code, and the word; None where none is near."""
    distances = [(start - last if last <= start else first - end, word) for first, last, word in words]
    near = [(distance, word) for distance, word in distances if 0 <= distance <= MAX_DISTANCE]
    return min(near) if near else None
