"""Secret members of JSON: a text, a number, or a list or an object with texts, numbers and names in it.

JSON may stand in a form escaped, or in a text of JSON: then its quotes and brackets are written otherwise. Nothing is
parsed, since what is cut off or broken has secrets, too.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple
from urllib.parse import unquote_plus

from mockserver.engine.bodies import MAX_SHORT, read_long_value

_MAX_TOKENS = 2_000  # of one member; what stands behind them is one secret, to the end of the text
_ESCAPE = re.compile("%[0-9A-Fa-f]{2}")
_SAYS_NOTHING = frozenset({"true", "false", "null"})


class _Style(NamedTuple):
    """How JSON is written in a text."""

    quote: str
    text: str  # between quotes
    opens: str
    closes: str
    between: str  # what no value has

    def tokens(self) -> re.Pattern[str]:
        """A pattern of its parts: brackets that open or close, a text behind its quote, or a value without quotes."""
        special = f"{self.between}|{self.quote}|{self.opens}|{self.closes}"
        return re.compile(
            f"(?P<between>(?:{self.between})+)|(?P<opens>{self.opens})|(?P<closes>{self.closes})"
            rf"|(?P<quote>{self.quote})(?P<text>{self.text})(?:{self.quote})?|(?P<bare>(?:(?!{special}).)+)",
            re.DOTALL,
        )


_BETWEEN = r"[\s,:]"
_ESCAPED_BETWEEN = r"[\s,:+]|%2[Cc]|%3[Aa]|%20|%0[9AaDd]"
_OPENS, _CLOSES = r"[\[{]", r"[\]}]"
_ESCAPED_OPENS, _ESCAPED_CLOSES = r"[\[{]|%[57][Bb]", r"[\]}]|%[57][Dd]"
_IN_TEXT = r'(?:[^"\\]++|\\\\(?:\\\\|\\"|[^\\])|\\(?!["\\]))*'
_IN_FORM = r"(?:[^%]++|%(?!22|5[Cc])|%5[Cc](?:%5[Cc]|%22|.))*"
_IN_TEXT_IN_FORM = r"(?:[^%]++|%(?!5[Cc])|%5[Cc]%5[Cc](?:%5[Cc]%5[Cc]|%5[Cc]%22|(?!%5[Cc]).)|%5[Cc](?!%5[Cc]|%22))*"
_JSON_STYLES = {
    '"': _Style('"', r'(?:[^"\\]++|\\.)*', _OPENS, _CLOSES, _BETWEEN),
    '\\"': _Style(r'\\"', _IN_TEXT, _OPENS, _CLOSES, _BETWEEN),
    "%22": _Style("%22", _IN_FORM, _ESCAPED_OPENS, _ESCAPED_CLOSES, _ESCAPED_BETWEEN),
    "%5C%22": _Style("%5[Cc]%22", _IN_TEXT_IN_FORM, _ESCAPED_OPENS, _ESCAPED_CLOSES, _ESCAPED_BETWEEN),
}
_TOKENS = {quote: style.tokens() for quote, style in _JSON_STYLES.items()}


class SecretMembers:
    """Finds what stands in members of these names, a pattern."""

    def __init__(self, names: str) -> None:
        self._plain = re.compile(rf'(")(?:{names})"\s*:\s*(?=(")?)')
        quote, blanks = r'\\"|%22|%5[Cc]%22', r"(?:\s|\+|%20|%0[9AaDd])*"
        self._escaped = re.compile(rf'({quote})(?:{names})(?:"|{quote}){blanks}(?::|%3[Aa]){blanks}(?=({quote}|")?)')

    def masked(self, text: str, mask: Callable[[str], str], *, is_escaped: bool = False) -> str:
        """A text with each of them replaced by what ``mask`` makes of it."""
        shown, done = list[str](), 0
        for start, end, quote, is_bare in self._spans(text, is_escaped=is_escaped):
            masked = mask(_value_of(text[start:end], quote))
            shown += (text[done:start], f"{quote}{masked}{quote}" if is_bare else masked)
            done = end
        return "".join((*shown, text[done:])) if done else text

    def values(self, text: str, *, is_escaped: bool = False) -> Iterator[str]:
        """What stands in such members."""
        for start, end, quote, _ in self._spans(text, is_escaped=is_escaped):
            yield _value_of(text[start:end], quote)

    def _spans(self, text: str, *, is_escaped: bool) -> Iterator[tuple[int, int, str, bool]]:
        """From where to where each value goes, how its quotes are written, and whether it has none."""
        member, done = self._escaped if is_escaped else self._plain, 0
        while found := member.search(text, done):
            done = found.end()
            quote = found[2] or found[1]
            for start, end, is_bare in _values(text, done, quote.upper()):
                yield start, end, quote, is_bare
                done = end


def _values(text: str, at: int, quote: str) -> Iterator[tuple[int, int, bool]]:
    """The texts, names and numbers of the value that begins here."""
    depth, tokens = 0, _TOKENS[quote]
    for number, token in enumerate(tokens.finditer(text, at)):
        kind = token.lastgroup
        if kind == "closes" and depth == 0:
            return
        if number >= _MAX_TOKENS:
            yield token.start(), len(text), True
            return
        depth += (kind == "opens") - (kind == "closes")
        if kind == "text":
            yield token.start("text"), token.end("text"), False
        elif kind == "bare" and token[0] not in _SAYS_NOTHING:
            yield token.start(), token.end(), True
        if depth == 0:
            return


def _value_of(written: str, quote: str) -> str:
    """A value as it is read that may be escaped as in a form, as its quote is."""
    return _unescaped(decoded_field(written) if quote.startswith("%") else written)


def decoded_field(written: str) -> str:
    """The value of a form's field; one with a bad escape is left as it is, which keeps long ones quick."""
    if len(written) > MAX_SHORT:
        return read_long_value(written)
    return unquote_plus(written) if written.count("%") == len(_ESCAPE.findall(written)) else written


def _unescaped(written: str) -> str:
    """A text as JSON writes it between its quotes, read; one that JSON would not write is left as it is."""
    if "\\" not in written:
        return written
    try:
        return str(json.loads(f'"{written}"', strict=False))
    except ValueError:
        return written
