"""Schemas that lead back to themselves for one and the same value."""

from typing import Any

import pytest

from mockserver.authoring.component_cycles import cut_cycles

A, B = ({"$ref": f"#/components/schemas/{name}"} for name in "ab")


@pytest.mark.parametrize(
    ("components", "cut", "left"),
    [
        ({"a": dict(A)}, ["a"], {"a": {}}),
        ({"a": dict(B), "b": dict(A)}, ["a"], {"a": B, "b": {}}),
        ({"a": {"allOf": [True, {"not": dict(A)}]}}, ["a"], {"a": {"allOf": [True, {"not": {}}]}}),
        ({"a": {"if": dict(A)}, "b": {"then": dict(A)}}, ["a"], {"a": {"if": {}}, "b": {"then": A}}),
        ({"a": {"dependentSchemas": {"x": dict(A)}}}, ["a"], {"a": {"dependentSchemas": {"x": {}}}}),
        ({"a": {"properties": {"x": dict(A)}, "items": dict(A)}}, [], {"a": {"properties": {"x": A}, "items": A}}),
        ({"a": {"anyOf": [dict(B), dict(B)]}, "b": {}}, [], {"a": {"anyOf": [B, B]}, "b": {}}),
    ],
)
def test_cut(components: dict[str, Any], cut: list[str], left: dict[str, Any]) -> None:
    """Only the reference that closes a circle goes; members and items of one's own kind are no circle."""
    done: set[str] = set()
    assert list(cut_cycles(components, done)) == cut
    assert components == left
    assert done == set(components)
    assert list(cut_cycles(components, done)) == []


def test_a_long_chain() -> None:
    """Thousands of schemas, each of which is the next, are followed."""
    components: dict[str, Any] = {f"a{n}": {"$ref": f"#/components/schemas/a{n + 1}"} for n in range(3000)}
    assert list(cut_cycles(components | {"a3000": {}}, set())) == []
