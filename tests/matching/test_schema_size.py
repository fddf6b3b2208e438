"""The size of a schema: what its references make of it, told before it is evaluated."""

from typing import Any

import pytest

from mockserver.matching.schema_size import REGEX_SIZE, TIMES_UNEVALUATED, SchemaSizeError, schema_size

MOST = 10_000


def chain(links: int, width: int) -> dict[str, Any]:
    """A schema of few bytes that asks for ``width`` to the power of ``links`` evaluations."""
    steps = {str(n): {"allOf": [{"$ref": f"#/$defs/{n + 1}"}] * width} for n in range(links)}
    return {"$defs": {**steps, str(links): {"type": "string"}}, "$ref": "#/$defs/0"}


@pytest.mark.parametrize(
    ("schema", "size"),
    [
        pytest.param(True, 1, id="boolean"),
        pytest.param({}, 1, id="empty"),
        pytest.param({"type": "string", "enum": [{"id": "x"}] * 5, "const": {"id": "x"}}, 7, id="data"),
        pytest.param({"properties": {"a": {}, "b": {"items": [{}, {}]}}}, 6, id="nested"),
        pytest.param({"pattern": "a"}, 1 + REGEX_SIZE + 1, id="pattern"),
        pytest.param({"pattern": r"\w" * 100}, 1 + REGEX_SIZE + 200 + 2500, id="escapes"),
        pytest.param({"patternProperties": {"a": {}, "bc": {}}}, 4 + 2 * REGEX_SIZE + 3, id="pattern-of-names"),
        pytest.param({"$defs": {"a": {}}, "$ref": "#/$defs/a"}, 2, id="pointer"),
        pytest.param({"$defs": {"a/b": {"$anchor": "x"}}, "$ref": "#x"}, 2, id="anchor"),
        pytest.param({"$defs": {"a/b%": True}, "$ref": "#/$defs/a~1b%25"}, 1, id="escaped"),
        pytest.param({"$id": "http://a.test/s", "$defs": {"a": {}}, "$ref": "s#/$defs/a"}, 2, id="by-its-own-name"),
        pytest.param({"items": {}, "unevaluatedItems": False}, 1 + TIMES_UNEVALUATED, id="gone-through-again"),
        pytest.param({"properties": {"const": {"items": {}}, "default": {}}}, 5, id="names-like-keywords"),
    ],
)
def test_size(schema: Any, size: int) -> None:
    """Each object counts, once more for each reference that leads to it; plain data does not."""
    assert schema_size(schema, MOST) == size


def again(levels: int, keyword: str, leaf: dict[str, Any]) -> dict[str, Any]:
    """A schema of few objects, each of which is gone through several times as often as the one around it."""
    for _ in range(levels):
        leaf = {"allOf": [leaf], keyword: False}
    return leaf


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        pytest.param(chain(40, 2), "more than 10000", id="doubling"),
        pytest.param({"allOf": [{}] * MOST}, "more than 10000", id="long"),
        pytest.param({"pattern": "a" * MOST}, "more than 10000", id="long-pattern"),
        pytest.param({"pattern": r"\w" * 200}, "more than 10000", id="pattern-of-many-escapes"),
        pytest.param({"patternProperties": {r"\d" * 200: {}}}, "more than 10000", id="names-of-many-escapes"),
        pytest.param({"$defs": {str(number): {} for number in range(MOST)}}, "more than 10000", id="not-used"),
        pytest.param({**chain(40, 2), "properties": {"$defs": {"$ref": "#/$defs/0"}}}, "more", id="named-so"),
        pytest.param(
            again(26, "unevaluatedProperties", {"properties": {"a": True}}), "more than 10000", id="properties-again"
        ),
        pytest.param(again(26, "unevaluatedItems", {"prefixItems": [True]}), "more than 10000", id="items-again"),
        pytest.param({"$ref": "#"}, "circle", id="itself"),
        pytest.param({"properties": {"a": {"$ref": "#"}}}, "circle", id="tree"),
        pytest.param({"$recursiveRef": "#"}, "circle", id="recursive"),
        pytest.param({"$dynamicAnchor": "a", "items": {"$dynamicRef": "#a"}}, "circle", id="dynamic"),
        pytest.param(
            {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}, "circle", id="two"
        ),
        pytest.param({"$ref": "https://json-schema.org/draft/2020-12/schema"}, "out of", id="meta-schema"),
        pytest.param({"$ref": "file:///etc/passwd"}, "out of", id="file"),
        pytest.param({"$ref": "other#/a"}, "out of", id="another"),
        pytest.param({"$ref": "#/$defs/a"}, "nowhere", id="nowhere"),
        pytest.param({"$ref": "#a"}, "nowhere", id="no-anchor"),
        pytest.param({"$ref": "http://[::1"}, "out of", id="no-address"),
        pytest.param({"$defs": {"a": {"$id": "x"}}}, "$id", id="another-root"),
        pytest.param(
            {"$schema": "http://json-schema.org/draft-04/schema#", "not": {"id": "x"}}, "$id", id="another-root-of-old"
        ),
    ],
)
def test_what_is_refused(schema: Any, says: str) -> None:
    """What would not end, and what nobody can know."""
    with pytest.raises(SchemaSizeError) as caught:
        schema_size(schema, MOST)
    assert says in str(caught.value)


def test_a_long_chain() -> None:
    """Longer than Python's stack, and yet no larger than it is."""
    assert schema_size(chain(3000, 1), 50_000) == 1 + 2 * 3000 + 1
