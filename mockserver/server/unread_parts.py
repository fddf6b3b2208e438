"""Where fields seem to stand in a multipart form that cannot be read: lines end otherwise, or the boundary is missing.

What can be read is read by the engine. Here nothing is trusted but that a part has a header which names it, and ends
before a line like the one above that header, or nowhere.
"""

import re
from collections.abc import Iterator

_LINE_ENDS = (("\r\n", " \n"), ("\r", "\n"))  # other line ends, as long as they are
_OF_A_PART = ("disposition", "form-data")  # one of these stands in the headers of a part
# The rest of a header; those behind it, and an empty line. Each turn of a group begins where the one before cannot go
# on, so this stays linear.
_REST = re.compile(r"[^\n]*(?:\n[ \t]+[^ \t\n][^\n]*)*")
_HEADERS = re.compile(r"(?:\n[!#-9;-~]+[ \t]*:[^\n]*|\n[ \t]+[^ \t\n][^\n]*)*\n[ \t]*(?:\n|\Z)")
_END_OF_DELIMITER = re.compile(r"-{0,2}[ \t]*(?:\n|\Z)")


class UnreadParts:
    """Finds the parts of these names, a pattern, in texts that are no multipart form."""

    def __init__(self, names: str) -> None:
        # name="key", NAME = key, name*=utf-8''key, and whatever stands between them
        value = r"(?:[\w-]*+'[\w-]*+')?[\"'\\]*+\s*+"
        self._option = re.compile(rf"[nN](?<![\w-].)[aA][mM][eE][\s*]*+=\s*+{value}(?:{names})(?![\w-])", re.DOTALL)

    def spans(self, text: str, content_type: str) -> Iterator[tuple[int, int]]:
        """From where to where the content of these parts goes, in order."""
        if not _may_have_parts(text, content_type):
            return
        flat = text
        for line_end, as_long in _LINE_ENDS:
            flat = flat.replace(line_end, as_long)
        done, delimiter = 0, ""
        while option := self._option.search(flat, done):
            at = _line_before(flat, done, option.start())
            delimiter = delimiter if at is None else flat[at : flat.find("\n", at)].strip()
            head = flat[done if at is None else at : option.start()].lower()
            done = option.end()
            if any(word in head for word in _OF_A_PART):
                start, end = self._content(flat, done, delimiter)
                yield start, end - (text[end - 1 : end + 1] == "\r\n" and end > start)
                done = end

    def _content(self, flat: str, at: int, delimiter: str) -> tuple[int, int]:
        """Where the content of a part begins and ends whose header goes on here."""
        end = _end(flat, at, delimiter)
        rest = _REST.match(flat, at, end)
        start = rest.end() if rest else at
        headers = _HEADERS.match(flat, start, end)
        if headers:
            return headers.end(), end
        return min(start + 1, end), end  # no empty line: who knows where the headers end


def _may_have_parts(text: str, content_type: str) -> bool:
    """Whether a body calls itself multipart, or looks like it though it calls itself otherwise."""
    if "multipart" in content_type.lower():
        return True
    return text.lstrip()[:1] not in {"{", "["} and "disposition" in text.lower()


def _line_before(flat: str, since: int, until: int) -> int | None:
    """Where the last line begins that may part parts; None where none does."""
    at = flat.rfind("\n--", since, until)
    if at >= 0:
        return at + 1
    return 0 if since == 0 and flat.startswith("--") else None


def _end(flat: str, at: int, delimiter: str) -> int:
    """Where the next line begins that parts parts, without the end of the line before; the end of the text at last."""
    if not delimiter:
        return len(flat)
    line = "\n" + delimiter
    while (at := flat.find(line, at)) >= 0:
        if _END_OF_DELIMITER.match(flat, at + len(line)):
            return at
        at += len(line)
    return len(flat)
