"""Lists in answers: which records they show, in which order, and which page of them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from mockserver.spec.forms import sent_text
from mockserver.spec.pointer import MISSING, Pointer
from mockserver.spec.value_model import Condition, Constant, Each, Paging

_WILDCARD = re.compile(r"[*%]")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,300}(\.[0-9]{1,300})?")
ALTERNATIVES = "OR"  # the value by which one condition is enough


class Entries(msgspec.Struct, frozen=True):
    """The entries of a page, how many there are on all pages and before this one, and how many a page has at most."""

    page: Sequence[Any]
    total: int
    skipped: int = 0
    size: int | None = None

    def count(self, of: str) -> int | bool:
        """One of the numbers that an answer may show beside a list; ``more``: whether entries follow the page."""
        if of == "shown":
            return len(self.page)
        if of == "more":
            return self.skipped + len(self.page) < self.total
        if of == "pages":
            return -(-self.total // self.size) if self.size else min(self.total, 1)
        return self.total


def listed(each: Each, view: Mapping[str, Any], operands: Sequence[Any]) -> Entries | None:
    """What a list shows, the conditions' values given in their order; None where there is no list."""
    records = each.of.get(view)
    if isinstance(records, Mapping):
        records = list(records.values())
    if not isinstance(records, list):
        return None
    asked = [(condition, value) for condition, value in zip(each.where, operands, strict=True) if value is not MISSING]
    if each.any_of is not None and str(each.any_of.get(view)).upper() == ALTERNATIVES:
        fixed = [(condition, value) for condition, value in asked if isinstance(condition.value, Constant)]
        alternatives = [one for one in asked if one not in fixed]
        if alternatives:
            records = [r for r in records if any(_meets(condition, value, r) for condition, value in alternatives)]
        asked = fixed
    if asked:
        records = [r for r in records if all(_meets(condition, value, r) for condition, value in asked)]
    records = _ordered(records, each.order)
    return Entries(records, len(records)) if each.page is None else _page(each.page, records, view)


def _ordered(records: list[Any], order: Sequence[tuple[Pointer, bool]]) -> list[Any]:
    """Records by some members, rising or falling. Where the first one falls, the newer of equal ones comes first."""
    newest_first = bool(order) and order[0][1]
    records = list(reversed(records)) if newest_first else records
    for member, falling in reversed(order):
        records = sorted(records, key=lambda record: _rank(member.get(record)), reverse=falling)
    return records


def _page(page: Paging, records: list[Any], view: Mapping[str, Any]) -> Entries:
    size = min(_number(page.take, view, page.default), page.most)
    skip = max(0, _number(page.number, view, 1) - 1) * size if page.number else _number(page.skip, view, 0)
    return Entries(records[skip : skip + size], len(records), skip, size)


def _number(pointers: Iterable[Pointer], view: Mapping[str, Any], default: int) -> int:
    """The first of these values that there is, as a whole number of at least 0."""
    for pointer in pointers:
        value = pointer.get(view)
        if value is not MISSING:
            try:
                return max(0, int(value))
            except (TypeError, ValueError, OverflowError):
                return default
    return default


def _meets(condition: Condition, asked: Any, record: Any) -> bool:
    value = condition.member.get(record)
    if value is MISSING:
        return False
    if condition.relation == "is":
        return same(value, asked)
    if condition.relation == "in":
        return any(same(value, item) for item in _several(asked))
    if condition.relation == "like":
        return _is_like(sent_text(value), sent_text(asked))
    below = _rank(value) <= _rank(asked)
    return below if condition.relation == "to" else _rank(asked) <= _rank(value)


def same(value: Any, other: Any) -> bool:
    """Whether two values are the same, one perhaps written as text: what a query asks for is text."""
    return sent_text(value) == sent_text(other)


def _several(asked: Any) -> list[Any]:
    return asked if isinstance(asked, list) else [part.strip() for part in str(asked).split(";") if part.strip()]


def _rank(value: Any) -> tuple[int, float, str]:
    """What values are ordered by: what is missing first, then numbers, then texts."""
    if value is MISSING or value is None:
        return 0, 0.0, ""
    text = sent_text(value)
    return (1, float(text), "") if _DECIMAL.fullmatch(text) else (2, 0.0, text)


def _is_like(text: str, pattern: str) -> bool:
    """Whether a text is as a pattern, in which ``*`` and ``%`` stand for any characters. Linear in both."""
    first, *parts = _WILDCARD.split(pattern)
    if not parts:
        return text == first
    *middle, last = parts
    if not text.startswith(first) or len(text) < len(first) + len(last) or not text.endswith(last):
        return False
    at, end = len(first), len(text) - len(last)
    for part in middle:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True
