"""Lists in answers: conditions, order, pages."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.engine.listing import Entries, listed
from mockserver.spec.pointer import MISSING, Pointer
from mockserver.spec.value_model import Condition, Constant, Each, Echo, Paging

ROWS = [
    {"id": 1, "to": "14155550123", "on": "2026-11-01", "seen": True},
    {"id": 2, "to": "14155550199", "on": "2026-11-02", "seen": False},
    {"id": 10, "to": "447700900123", "on": "2026-11-03", "seen": True},
]
VIEW: dict[str, Any] = {"kept": {"rows": ROWS}, "query": {"count": "2", "offset": 1, "mode": "or"}, "body": {}}


def rows(*asked: tuple[str, str, Any], **parts: Any) -> tuple[list[int], int]:
    """The ids of the rows listed where members are in these relations to values, and the total."""
    asks = Constant(None) if parts.get("fixed") else Echo(Pointer.parse("/query/any"), None)
    where = tuple(Condition(Pointer((member,)), relation, asks) for member, relation, _ in asked)  # type: ignore[arg-type]
    each = Each(
        Pointer.parse("/kept/rows"), where, parts.get("any_of"), parts.get("order", ()), parts.get("page"), None
    )
    shown = listed(each, VIEW, [value for _, _, value in asked])
    assert shown is not None
    return [row["id"] for row in shown.page], shown.total


@pytest.mark.parametrize(
    ("member", "relation", "value", "ids"),
    [
        ("id", "is", "2", [2]),
        ("id", "is", 2.5, []),
        ("seen", "is", "true", [1, 10]),
        ("seen", "is", True, [1, 10]),
        ("to", "in", "14155550199; 447700900123", [2, 10]),
        ("id", "in", [1, "10"], [1, 10]),
        ("id", "in", "", []),
        ("id", "from", "2", [2, 10]),
        ("id", "to", 2, [1, 2]),
        ("on", "from", "2026-11-02", [2, 10]),
        ("on", "to", "2026-11-02", [1, 2]),
        ("to", "like", "1415*", [1, 2]),
        ("to", "like", "%0123", [1, 10]),
        ("to", "like", "*555*99", [2]),
        ("to", "like", "14155550123", [1]),
        ("to", "like", "1415", []),
        ("to", "is", MISSING, [1, 2, 10]),
        ("none", "is", "x", []),
    ],
)
def test_conditions(member: str, relation: str, value: Any, ids: list[int]) -> None:
    """A value is compared as a query writes it; one that the request does not have asks nothing."""
    assert rows((member, relation, value))[0] == ids


def test_any() -> None:
    """Where the request says OR, one condition is enough."""
    asked = (("id", "is", "1"), ("seen", "is", "false"))
    assert rows(*asked)[0] == []
    assert rows(*asked, any_of=Pointer.parse("/query/mode"))[0] == [1, 2]
    assert rows(*asked, any_of=Pointer.parse("/query/none"))[0] == []
    assert rows(*asked, any_of=Pointer.parse("/query/mode"), fixed=True)[0] == []  # literals always hold


def test_order() -> None:
    """Numbers order as numbers, the first member counts most, a minus puts the greatest first."""
    assert rows(order=((Pointer(("id",)), True),))[0] == [10, 2, 1]
    assert rows(order=((Pointer(("seen",)), False), (Pointer(("id",)), True)))[0] == [2, 10, 1]


def test_equal_records() -> None:
    """In a list with the greatest first, the later record comes before an earlier one that is as great."""
    assert rows(order=((Pointer(("seen",)), True),))[0] == [10, 1, 2]
    assert rows(order=((Pointer(("seen",)), True), (Pointer(("none",)), True)))[0] == [10, 1, 2]
    assert rows(order=((Pointer(("seen",)), False),))[0] == [2, 1, 10]


@pytest.mark.parametrize(
    ("skip", "take", "ids"),
    [
        ((), (), [1, 2]),
        (("/query/offset",), (), [2, 10]),
        (("/body/none", "/query/offset"), ("/query/count",), [2, 10]),
        ((), ("/query/mode",), [1, 2]),
    ],
)
def test_page(skip: tuple[str, ...], take: tuple[str, ...], ids: list[int]) -> None:
    """The first of the places that has a value counts; the total is that of all pages."""
    page = Paging(tuple(map(Pointer.parse, skip)), tuple(map(Pointer.parse, take)), 2, 2)
    assert rows(page=page) == (ids, 3)


def test_no_list() -> None:
    """A place without a list shows nothing, not an empty list."""
    assert listed(Each(Pointer.parse("/kept/others"), (), None, (), None, None), VIEW, []) is None


@given(st.text(alphabet="ab*%.", max_size=12), st.text(alphabet="ab.", max_size=12))
def test_wildcards(pattern: str, text: str) -> None:
    """A wildcard stands for any characters, wherever and however often it stands."""
    view = {"rows": [{"text": text}]}
    each = Each(Pointer.parse("/rows"), (Condition(Pointer(("text",)), "like", Constant(None)),), None, (), None, None)
    shown = listed(each, view, [pattern])
    assert shown is not None
    assert bool(shown.page) is _is_like(pattern, text)


def _is_like(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    if pattern[0] in "*%":
        return any(_is_like(pattern[1:], text[at:]) for at in range(len(text) + 1))
    return text[:1] == pattern[0] and _is_like(pattern[1:], text[1:])


@pytest.mark.parametrize(
    ("number", "size", "ids", "counts"),
    [
        (1, 2, [1, 2], {"all": 3, "shown": 2, "pages": 2, "more": True}),
        (2, 2, [10], {"all": 3, "shown": 1, "pages": 2, "more": False}),
        (9, 2, [], {"all": 3, "shown": 0, "pages": 2, "more": False}),
        (0, 5, [1, 2, 10], {"all": 3, "shown": 3, "pages": 1, "more": False}),
    ],
)
def test_pages_by_number(number: int, size: int, ids: list[int], counts: dict[str, Any]) -> None:
    """A page is asked for by its number, from 1; an answer may show how many records, pages and more there are."""
    page = Paging((), (Pointer.parse("/query/per_page"),), 25, 100, number=(Pointer.parse("/query/page"),))
    each = Each(Pointer.parse("/kept/rows"), (), None, (), page, None)
    shown = listed(each, {**VIEW, "query": {"page": number, "per_page": size}}, [])
    assert shown is not None
    assert [row["id"] for row in shown.page] == ids
    assert {of: shown.count(of) for of in counts} == counts


def test_pages_of_none() -> None:
    """Where no record fits in a page, none is counted as one."""
    assert (Entries((), 0).count("pages"), Entries((), 3, size=0).count("pages")) == (0, 1)
