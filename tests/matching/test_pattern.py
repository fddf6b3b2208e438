"""Patterns held against requests: what fits, and what is told where it does not."""

import copy
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.matching.pattern import Pattern
from mockserver.spec.pointer import MISSING, Pointer, join
from tests.properties import examples

PROPERTY = settings(deadline=None, database=None, derandomize=True, max_examples=examples(100))
SEEN = {
    "path": "/lines/7",
    "path_params": {"line": "7"},
    "query": {"q": "1", "r": "x"},
    "headers": {"x-key": "secret"},
    "body": {"to": "+1", "n": 1, "yes": True, "none": None, "deep": {"a": 1, "b": 2}, "list": [{"a": 1, "b": 2}, "x"]},
}


def told(pattern: Pattern, seen: Any = None) -> list[tuple[str, Any, Any]]:
    """The differences as plain tuples; the pattern's tests agree where there is none, and only there."""
    seen = SEEN if seen is None else seen
    found = pattern.differences(seen)
    agree = all(test(seen.get(part, MISSING)) for part, tests in pattern.tests.items() for test in tests)
    assert agree is pattern.fits(seen) is not bool(found)
    return [(one.pointer, one.expected, one.found) for one in found]


def schemas(**when: Any) -> Pattern:
    """A pattern of schemas; ``__`` in a name stands for a slash."""
    return Pattern(
        when=tuple(
            (
                Pointer.parse(f"/{name.replace('__', '/')}"),
                None if schema is False else jsonschema_rs.validator_for(schema),
                schema,
            )
            for name, schema in when.items()
        )
    )


@pytest.mark.parametrize(
    "where",
    [
        pytest.param({}, id="nothing-asked"),
        pytest.param({"path": "/lines/7"}, id="whole-path"),
        pytest.param({"path": {"line": "7"}}, id="path-parameter"),
        pytest.param({"query": {"q": "1"}}, id="one-of-two"),
        pytest.param({"headers": {"X-KEY": "secret"}}, id="header-in-any-case"),
        pytest.param({"body": {}}, id="any-object"),
        pytest.param({"body": {"deep": {"b": 2}}}, id="part-of-a-part"),
        pytest.param({"body": {"list": [{"a": 1}, "x"]}}, id="part-of-an-object-in-a-list"),
        pytest.param({"body": {"n": 1.0}}, id="one-and-1.0-are-the-same-in-json"),
        pytest.param({"body": {"none": None}}, id="null"),
        pytest.param({"path": "/lines/7", "query": {"r": "x"}, "body": {"to": "+1"}}, id="all-parts"),
    ],
)
def test_fits(where: dict[str, Any]) -> None:
    """Named members are equal, the rest is free."""
    assert told(Pattern(where)) == []


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        pytest.param({"path": "/lines"}, ("/path", "/lines", "/lines/7"), id="path"),
        pytest.param({"path": {"line": "8"}}, ("/path/line", "8", "7"), id="path-parameter"),
        pytest.param({"query": {"s": "1"}}, ("/query/s", "1", MISSING), id="no-such-parameter"),
        pytest.param({"headers": {"X-Other": ""}}, ("/headers/x-other", "", MISSING), id="no-such-header"),
        pytest.param({"body": {"to": 1}}, ("/body/to", 1, "+1"), id="another-value"),
        pytest.param({"body": {"n": True}}, ("/body/n", True, 1), id="true-is-not-1"),
        pytest.param({"body": {"yes": 1}}, ("/body/yes", 1, True), id="1-is-not-true"),
        pytest.param({"body": {"a/b~c": None}}, ("/body/a~1b~0c", None, MISSING), id="null-is-not-absent"),
        pytest.param({"body": {"none": {}}}, ("/body/none", {}, None), id="null-is-no-object"),
        pytest.param({"body": {"deep": {"b": 3}}}, ("/body/deep/b", 3, 2), id="deep"),
        pytest.param({"body": {"list": [{"a": 2}, "x"]}}, ("/body/list/0/a", 2, 1), id="in-a-list"),
        pytest.param({"body": {"list": ["x"]}}, ("/body/list", ["x"], SEEN["body"]["list"]), id="shorter-list"),  # type: ignore[index]
        pytest.param({"body": {"to": ["+1"]}}, ("/body/to", ["+1"], "+1"), id="list-for-a-value"),
        pytest.param({"body": ["+1"]}, ("/body", ["+1"], SEEN["body"]), id="list-for-an-object"),
        pytest.param({"body": {"list": [{"a": True}, "x"]}}, ("/body/list/0/a", True, 1), id="true-is-not-1-in-a-list"),
    ],
)
def test_differs(where: dict[str, Any], expected: tuple[str, Any, Any]) -> None:
    """One difference, with where it is, what was expected and what was found."""
    found = told(Pattern(where))
    assert found == [expected]
    assert [type(value) for value in found[0]] == [type(value) for value in expected]


def test_a_request_without_body() -> None:
    """Whatever is expected of it is not there."""
    seen = {**SEEN, "body": MISSING}
    assert told(Pattern({"body": {"a": 1}}), seen) == [("/body", {"a": 1}, MISSING)]
    del seen["body"]
    assert told(Pattern({"body": None}), seen) == [("/body", None, MISSING)]


def test_every_difference_is_told() -> None:
    """Not the first alone: parts in the order in which they were written, schemas last."""
    pattern = Pattern({"query": {"q": "2"}, "body": {"to": "", "n": 0}}, schemas(body__n={"minimum": 5}).when)
    assert [at for at, _, _ in told(pattern)] == ["/query/q", "/body/to", "/body/n", "/body/n"]


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("body__to", {"pattern": "^[+]"}),
        ("body__list__0__b", {"const": 2}),
        ("body__none", {"type": "null"}),
        ("header__x-key", {"minLength": 1}),
        ("headers__x-key", {"minLength": 1}),
        ("path__line", {"const": "7"}),
        ("query__q", True),
        ("query__other", False),
        ("body__list__2", False),
    ],
)
def test_schemas_that_fit(name: str, schema: Any) -> None:
    """Each value is there and as its schema says; with ``false``, nothing is there."""
    assert told(schemas(**{name: schema})) == []


@pytest.mark.parametrize(
    ("name", "schema", "found"),
    [
        ("body__to", {"maxLength": 1}, "+1"),
        ("body__none", False, None),
        ("body__other", True, MISSING),
        ("path__other", {}, MISSING),
        ("header__x-other", {}, MISSING),
    ],
)
def test_schemas_that_do_not_fit(name: str, schema: Any, found: Any) -> None:
    """What is absent fits no schema, and even null is not absent."""
    assert told(schemas(**{name: schema})) == [(f"/{name.replace('__', '/')}", {"schema": schema}, found)]


def test_an_empty_pattern_is_false() -> None:
    """Who asks for nothing need not decode the request."""
    assert not Pattern()
    assert Pattern({"body": {}})
    assert schemas(body=True)


def test_a_pattern_says_what_it_looks_at() -> None:
    """So that no more of a request need be read."""
    whole = Pattern({"path": "/x", "headers": {"A": "1"}}, schemas(body__to=True, path__line=True).when)
    assert [*whole.tests] == ["path", "path_params", "headers", "body"]
    assert [*Pattern({"path": {"line": "7"}}).tests] == ["path_params"]
    assert not Pattern().tests


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=12
)


@st.composite
def _pruned(draw: st.DrawFn, value: Any) -> Any:
    """The value with some members of its objects left out."""
    if isinstance(value, dict):
        return {name: draw(_pruned(item)) for name, item in value.items() if draw(st.booleans())}
    return [draw(_pruned(item)) for item in value] if isinstance(value, list) else value


def _leaves(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where the scalars and the empty containers are."""
    items: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not items or value in ([], {}):
        yield at
    else:
        for token, item in items:
            yield from _leaves(item, (*at, token))


def _replaced(value: Any, at: tuple[str | int, ...], by: Any) -> tuple[Any, Any]:
    """A copy with another value there, and what was there."""
    holder = {"": copy.deepcopy(value)}
    inside: Any = holder
    path: tuple[str | int, ...] = ("", *at)
    for token in path[:-1]:
        inside = inside[token]
    before, inside[path[-1]] = inside[path[-1]], by
    return holder[""], before


@PROPERTY
@given(VALUES)
def test_any_value_matches_itself(value: Any) -> None:
    """Whatever JSON a client sends can be written down as the expectation of it."""
    assert told(Pattern({"body": value}), {"body": copy.deepcopy(value)}) == []


@PROPERTY
@given(st.data(), VALUES)
def test_asking_for_less_keeps_the_match(data: st.DataObject, value: Any) -> None:
    """Members left out of the expectation are free, at any depth."""
    assert told(Pattern({"body": data.draw(_pruned(value))}), {"body": value}) == []


@PROPERTY
@given(st.data(), VALUES)
def test_a_changed_leaf_is_one_difference(data: st.DataObject, value: Any) -> None:
    """Exactly there, and nowhere else; whichever of the two has it."""
    at = data.draw(st.sampled_from(list(_leaves(value))))
    other = ["neither", "scalar", "nor", "empty"]
    changed, before = _replaced(value, at, other)
    pointer = join("body", *at)
    assert told(Pattern({"body": value}), {"body": changed}) == [(pointer, before, other)]
    assert told(Pattern({"body": changed}), {"body": value}) == [(pointer, other, before)]


@pytest.mark.parametrize(
    ("wide", "narrow", "covers"),
    [
        pytest.param({}, {"body": 1}, True, id="anything"),
        pytest.param({"body": {"a": 1}}, {"body": {"a": 1, "b": 2}}, True, id="more members"),
        pytest.param({"body": {"a": 1}}, {"json": {"a": 1}}, True, id="json is a body"),
        pytest.param({"json": {"a": 1}}, {"body": {"a": 1}}, False, id="a body is not always json"),
        pytest.param({"body": {"a": {"b": 1}}}, {"body": {"a": {"b": 1, "c": 2}}}, True, id="below"),
        pytest.param({"body": {"a": [{"b": 1}]}}, {"body": {"a": [{"b": 1, "c": 2}]}}, True, id="in a list"),
        pytest.param({"body": {"a": [1]}}, {"body": {"a": [1, 2]}}, False, id="a longer list"),
        pytest.param({"body": {"a": 1}}, {"body": {"a": True}}, False, id="one is not true"),
        pytest.param({"body": {"a": 1}}, {"query": {"a": "1"}}, False, id="another part"),
        pytest.param({"body": {}}, {"body": [1]}, False, id="a list is no object"),
    ],
)
def test_what_a_pattern_covers(wide: dict[str, Any], narrow: dict[str, Any], covers: bool) -> None:
    """Whether whatever fits one fits the other, as far as it can be seen from how they are written."""
    assert Pattern(wide).covers(Pattern(narrow)) is covers


def test_a_pattern_with_schemas_covers_one_with_more() -> None:
    """Schemas that are written alike are the same; an absent member is one, too."""
    one, other = (Pointer.parse("/body/a"), None, {"type": "string"}), (Pointer.parse("/body/b"), None, False)
    assert Pattern({}, (one,)).covers(Pattern({"body": 1}, (other, one)))
    assert not Pattern({}, (one, other)).covers(Pattern({}, (one,)))
