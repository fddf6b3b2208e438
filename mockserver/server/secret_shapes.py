"""Secrets by their shape, wherever they stand and however their characters are escaped: JWTs and PEM blocks."""

import re
import string
from collections.abc import Callable

from mockserver.server.spelling import BROKEN_ESCAPE_AT_END, end_of, escapes_of, has_escapes, read, spelled

PEM_BEGIN = "-----BEGIN"
PEM_END = "-----END"
_PEM_TEXT = re.compile(r"[A-Za-z0-9+/=\s\\%,:.-]*+")  # as it is, in JSON, in a form
_DASHES = spelled("-----")
_PEM_LABEL = re.compile(rf"(?:(?!{_DASHES}).){{0,60}}{_DASHES}", re.DOTALL)
_PEM_MARKS = {mark: re.compile(spelled(mark)) for mark in (PEM_BEGIN, PEM_END)}

# Of a JWT the first two parts are readable: it begins with `{"`, and three parts at least are joined by points.
_JWT_BEGIN = "eyJ"
_SPELLED_JWT_BEGIN = re.compile(spelled(_JWT_BEGIN))
_MIN_TOKEN_HEAD = 11  # characters of a token's first part
_MIN_TOKEN = 20  # characters of a token
_TOKEN_TEXT = re.compile(rf"[A-Za-z0-9_.-]{{{_MIN_TOKEN_HEAD},}}+")
_SPELLED_CHARACTER = f"(?:[A-Za-z0-9_.-]|{escapes_of(string.ascii_letters + string.digits + '_.-')})"
_SPELLED_TOKEN_TEXT = re.compile(rf"{_SPELLED_CHARACTER}{{{_MIN_TOKEN_HEAD},}}(?:{BROKEN_ESCAPE_AT_END})?")

Mask = Callable[[str], str]


def without_shapes(text: str, mask: Mask, *, is_cut: bool) -> str:
    """A text with tokens and keys in it masked. ``is_cut``: its end is missing, maybe that of a token."""
    is_escaped = has_escapes(text)
    if PEM_BEGIN in text or (is_escaped and _PEM_MARKS[PEM_BEGIN].search(text)):
        text = _without_keys(text, mask)
    if is_escaped and _SPELLED_JWT_BEGIN.search(text):
        return _SPELLED_TOKEN_TEXT.sub(lambda run: _without_token(run, mask, is_cut=is_cut), text)
    if _JWT_BEGIN in text:
        return _TOKEN_TEXT.sub(lambda run: _without_token(run, mask, is_cut=is_cut), text)
    return text


def _without_token(found: re.Match[str], mask: Mask, *, is_cut: bool) -> str:
    """A run of a token's characters, masked from where a token begins."""
    written, is_cut = found[0], is_cut and found.end() == len(found.string)
    run = read(written) if has_escapes(written) else written
    start = _token_in(run, is_cut=is_cut)
    if start is None:
        return written
    return written[: start if run is written else end_of(written, start)] + mask(run[start:])


def _token_in(run: str, *, is_cut: bool) -> int | None:
    """Where in such a run a token begins; None where none does."""
    parts = run.split(".")
    start = 0
    for part in parts if is_cut else parts[:-2]:  # two parts follow the first, unless they were cut off
        at = part.find(_JWT_BEGIN)
        if at >= 0 and len(part) - at >= _MIN_TOKEN_HEAD and (is_cut or len(run) - start - at >= _MIN_TOKEN):
            return start + at
        start += len(part) + 1
    return None


def _without_keys(text: str, mask: Mask) -> str:
    """A text with each PEM block masked, however its lines are separated; one that does not end, too."""
    shown, done = list[str](), 0
    ends = [mark.end() for mark in _PEM_MARKS[PEM_END].finditer(text)][::-1]  # the last to be popped is the first
    while begin := _PEM_MARKS[PEM_BEGIN].search(text, done):
        while ends and ends[-1] <= begin.end():
            ends.pop()
        if ends:
            label = _PEM_LABEL.match(text, ends[-1])
            end = label.end() if label else ends[-1]
        else:
            key = _PEM_TEXT.match(text, begin.start())
            end = key.end() if key else len(text)
        shown += (text[done : begin.start()], mask(text[begin.start() : end]))
        done = end
    return "".join((*shown, text[done:]))
