"""What schemas declare, and the marks in them."""

from typing import Any

import pytest

from mockserver.spec.model import Owned, Recipient
from mockserver.spec.parameters import MAX_SCHEMA_DEPTH, MAX_SCHEMAS, Marks, coercion, coercions, walk
from mockserver.spec.pointer import Pointer
from mockserver.spec.reader import Reader
from mockserver.spec.source import Source

BODY = Pointer(("body",))


def walked(schema: object, **schemas: object) -> tuple[Marks, list[str]]:
    """The marks of a schema, in a document with these others, and the messages of its errors."""
    document = {"schema": schema, "components": {"schemas": schemas}}
    reader, marks = Reader(Source("f", document), "acme"), Marks()
    walk(reader, marks, document, "schema", BODY)
    return marks, [error.message for error in reader.errors]


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def texts(pointers: list[Pointer]) -> list[str]:
    return list(map(str, pointers))


def test_declared_and_required() -> None:
    """Members are found wherever they are declared: below references, combinations and other members."""
    marks, messages = walked(
        {
            "required": ["a", "x"],
            "properties": {"a": ref("A"), "t": True},
            "allOf": [{"required": ["b"]}, {"properties": {"c": {}}}],
            "anyOf": [{"required": ["d"]}],
            "oneOf": [{"properties": {"e": {}}}],
        },
        A={"properties": {"i/j": {"required": ["k"]}}},
    )
    assert messages == []
    assert texts(marks.required) == ["/body/a", "/body/x", "/body/b", "/body/d", "/body/a/i~1j/k"]
    assert texts(marks.declared) == ["/body/c", "/body/e", "/body/a", "/body/a/i~1j", "/body/t"]


@pytest.mark.parametrize(
    "schema",
    [
        {"required": [1, None]},
        {"required": "a"},
        {"properties": ["a"]},
        {"properties": {"a": 1}},
        {"allOf": {"a": {}}},
        {"anyOf": [1, []]},
        {"oneOf": 5},
        True,
        None,
        "text",
    ],
    ids=str,
)
def test_no_schemas(schema: object) -> None:
    """What is not a schema marks nothing; it becomes an error when it is compiled."""
    marks, messages = walked(schema)
    assert (marks.required, marks.owned, messages) == ([], [], [])


def test_recursion() -> None:
    """Schemas that contain themselves or each other are walked once on each path."""
    marks, messages = walked(
        ref("A"), A={"properties": {"a": ref("A"), "b": ref("B")}}, B={"required": ["c"], "properties": {"a": ref("A")}}
    )
    assert messages == []
    assert texts(marks.declared) == ["/body/a", "/body/b", "/body/b/a"]
    assert texts(marks.required) == ["/body/b/c"]


def test_unfolding_is_bounded() -> None:
    """A few schemas whose references unfold almost without end are an error, not a hang."""
    bomb: dict[str, Any] = {f"A{n}": {"allOf": [ref(f"A{n + 1}"), ref(f"A{n + 1}")]} for n in range(40)}
    _, messages = walked(ref("A0"), **bomb, A40={})
    assert set(messages) == {f"schemas refer to schemas too often: at most {MAX_SCHEMAS}, {MAX_SCHEMA_DEPTH} deep"}
    chain: dict[str, Any] = {f"A{n}": {"properties": {"a": ref(f"A{n + 1}")}} for n in range(3000)}
    marks, messages = walked(ref("A0"), **chain, A3000={})
    assert len(messages) == 1
    assert len(marks.declared) == MAX_SCHEMA_DEPTH // 2


@pytest.mark.parametrize(("depth", "errors"), [(MAX_SCHEMA_DEPTH, 0), (MAX_SCHEMA_DEPTH + 1, 1)])
def test_depth_is_bounded(depth: int, errors: int) -> None:
    """As many schemas may lie within one another as is said, and no more."""
    schema: dict[str, Any] = {}
    for _ in range(depth - 1):
        schema = {"properties": {"a": schema}}
    assert len(walked(schema)[1]) == errors


def test_marks() -> None:
    """The marks of x-mock are for the place of their schema's value."""
    marks, messages = walked(
        {
            "properties": {
                "to": {"x-mock": {"recipient": True, "digits": True}},
                "from": {"x-mock": {"owned": "/account/lines/number", "digits": True}},
                "app": {**ref("App"), "x-mock": {"owned": "/owned/lines/app"}},
            }
        },
        App={"x-mock": {}},
    )
    assert messages == []
    assert marks.recipient == Recipient(Pointer(("body", "to")), ())
    assert marks.owned == [
        Owned(Pointer(("body", "from")), "/account/lines/number", "lines", None, True),
        Owned(
            Pointer(("body", "app")),
            "/account/lines/app",
            "lines",
            within=Pointer(("owned", "lines", "app")),
            digits=False,
        ),
    ]


def test_recipient() -> None:
    """An operation has one recipient, which several branches may mark and another value may override."""
    mark = {"x-mock": {"recipient": {"override": "/owned/lines/number"}}}
    marks, messages = walked({"anyOf": [{"properties": {"to": mark}}, {"properties": {"to": mark}}]})
    assert messages == []
    assert marks.recipient == Recipient(Pointer(("body", "to")), (Pointer(("owned", "lines", "number")),))
    _, messages = walked({"properties": {"to": mark, "phone": mark}})
    assert messages == ["a second recipient beside /body/to"]


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": "integer"}, "integer"),
        ({"type": "number"}, "number"),
        ({"type": "boolean"}, "boolean"),
        ({"type": "string"}, None),
        ({"type": ["integer", "null"]}, "integer"),
        ({"type": ["null", "boolean"]}, "boolean"),
        ({"type": ["integer", "string", "null"]}, None),
        ({"type": ["null"]}, None),
        ({"type": {}}, None),
        ({}, None),
        (True, None),
        (ref("A"), "integer"),
        ({**ref("A"), "type": "boolean"}, "boolean"),
        (ref("Loop"), None),
        (ref("Missing"), None),
    ],
    ids=str,
)
def test_coercion(schema: object, kind: str | None) -> None:
    """Text becomes the type that its schema names, also behind references; one that points at nothing does no harm."""
    schemas = {"A": ref("B"), "B": {"type": "integer"}, "Loop": ref("Loop")}
    reader = Reader(Source("f", {"components": {"schemas": schemas}}), "acme")
    assert coercion(reader, schema) == kind


def test_coercions() -> None:
    """The fields of a form become the types that their schemas name."""
    schemas = {
        "Form": {"properties": {"a": {"type": "integer"}, "b": {"type": "string"}, "c": ref("C")}},
        "C": {"type": "boolean"},
    }
    reader = Reader(Source("f", {"components": {"schemas": schemas}}), "acme")
    assert coercions(reader, ref("Form")) == {"a": "integer", "c": "boolean"}
    assert coercions(reader, {"properties": 5}) == {}
