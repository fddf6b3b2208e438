"""Which members of a value its schemas name, allow and forbid."""

from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.spec.members import MAX_MEMBERS_LOOKED_AT, Stranger, strangers

NAMES = st.sampled_from("abcd")
DOCUMENT = {"components": {"schemas": {"A": {"properties": {"a": {"properties": {"b": True}}}}}}}
A = {"$ref": "#/components/schemas/A"}


def unknown_beside(*known: str) -> Stranger:
    return Stranger(forbidden=False, known=known)


def forbidden_beside(*known: str) -> Stranger:
    return Stranger(forbidden=True, known=known)


CLOSED = {"properties": {"a": True}, "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "value", "found"),
    [
        pytest.param(A, {"a": {"b": 1}}, {}, id="known"),
        pytest.param(A, {"c": 1}, {"/c": unknown_beside("a")}, id="unknown"),
        pytest.param(A, {"a": {"c": 1}}, {"/a/c": unknown_beside("b")}, id="below"),
        pytest.param({"allOf": [A, {"properties": {"c": True}}]}, {"a": {}, "c": 1}, {}, id="all"),
        pytest.param(CLOSED, {"c": 1}, {"/c": forbidden_beside("a")}, id="forbidden"),
        pytest.param({"allOf": [CLOSED]}, {"c": 1}, {"/c": forbidden_beside("a")}, id="forbidden in all"),
        pytest.param({"anyOf": [CLOSED, A]}, {"c": 1}, {"/c": unknown_beside("a")}, id="in one"),
        pytest.param({"properties": {"c": False}}, {"c": 1}, {"/c": forbidden_beside("c")}, id="false"),
        pytest.param({"properties": {"a": True}, "additionalProperties": True}, {"c": 1}, {}, id="said to be open"),
        pytest.param({"properties": {"a": True}, "patternProperties": {"^c": True}}, {"c": 1}, {}, id="by pattern"),
        pytest.param({"type": "object"}, {"c": {"d": 1}}, {}, id="names none"),
        pytest.param(True, {"c": 1}, {}, id="anything"),
        pytest.param({"items": A}, [{"a": {}}, {"c": 1}], {"/1/c": unknown_beside("a")}, id="item"),
        pytest.param({"prefixItems": [A]}, [{"c": 1}, {"c": 1}], {"/0/c": unknown_beside("a")}, id="first"),
        pytest.param(A, "text", {}, id="no object"),
        pytest.param({"properties": {"a": True}}, {"x/y~": 1}, {"/x~1y~0": unknown_beside("a")}, id="escaped"),
    ],
)  # fmt: skip
def test_strangers(schema: Any, value: Any, found: dict[str, Stranger]) -> None:
    """Each member that no schema names, with what is known beside it."""
    assert strangers(DOCUMENT, schema, value, "") == found


def test_a_schema_of_itself_ends() -> None:
    """A ``$ref`` in a circle is followed once for each level of the value."""
    document = {"node": {"properties": {"next": {"$ref": "#/node"}}, "allOf": [{"$ref": "#/node"}]}}
    value = {"next": {"next": {"nxt": 1}}}
    assert list(strangers(document, {"$ref": "#/node"}, value, "")) == ["/next/next/nxt"]


def test_a_large_value_is_looked_at_in_part() -> None:
    """What is beyond the bound counts as named: to look at all of it would keep others waiting."""
    large = {f"m{number}": 1 for number in range(MAX_MEMBERS_LOOKED_AT * 2)}
    assert len(strangers(DOCUMENT, A, large, "")) == MAX_MEMBERS_LOOKED_AT
    assert len(strangers(DOCUMENT, {"items": A}, [{"c": 1}] * len(large), "")) == MAX_MEMBERS_LOOKED_AT // 2


def schemas() -> st.SearchStrategy[Any]:
    """Schemas of objects that name, open and close in each way there is."""

    def grow(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        parts = st.lists(inner, min_size=1, max_size=2)
        return st.fixed_dictionaries(
            {},
            optional={
                "properties": st.dictionaries(NAMES, inner, max_size=2),
                "additionalProperties": inner,
                "patternProperties": st.dictionaries(st.just("^c"), inner, max_size=1),
                "allOf": parts,
                "anyOf": parts,
                "oneOf": parts,
            },
        )

    return st.recursive(st.booleans(), grow, max_leaves=8)


@given(schemas(), st.recursive(st.just(1), lambda inner: st.dictionaries(NAMES, inner, max_size=3), max_leaves=6))
def test_what_is_forbidden_is_never_valid(schema: Any, value: Any) -> None:
    """A value with a forbidden member does not fit the schema, whatever else it has."""
    if any(stranger.forbidden for stranger in strangers({}, schema, value, "").values()):
        assert not jsonschema_rs.is_valid(schema, value)
