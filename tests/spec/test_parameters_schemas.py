"""What schemas declare, and the marks in them."""

from typing import Any

import pytest

from mockserver.spec.model import Owned, Recipient
from mockserver.spec.parameters import MAX_DEPTH, MAX_SCHEMAS, Marks, coercion, coercions, walk
from mockserver.spec.pointer import Pointer
from mockserver.spec.reader import Reader
from mockserver.spec.source import Source

BODY = Pointer(("body",))


def walked(schema: object, **schemas: object) -> tuple[Marks, list[str]]:
    """The marks of a schema, in a document with these others, and what is told of them."""
    document = {"schema": schema, "components": {"schemas": schemas}}
    reader, marks = Reader(Source("f", document), "acme"), Marks()
    walk(reader, marks, document, "schema", BODY)
    return marks, [fault.message for fault in reader.errors]


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def texts(pointers: list[Pointer]) -> list[str]:
    return list(map(str, pointers))


def test_declared_and_required() -> None:
    """Members are found wherever they are declared: below references, combinations and members."""
    marks, told = walked(
        {
            "required": ["a", "x"],
            "properties": {"a": ref("A"), "t": True},
            "allOf": [{"required": ["b"]}, {"properties": {"c": {}}}],
            "anyOf": [{"required": ["d"]}],
            "oneOf": [{"properties": {"e": {}}}],
        },
        A={"properties": {"i/j": {"required": ["k"]}}},
    )
    assert told == []
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
    """What is no schema marks nothing; that it is none is told where it is compiled."""
    marks, told = walked(schema)
    assert (marks.required, marks.owned, told) == ([], [], [])


def test_recursion() -> None:
    """Schemas that hold themselves, or one another, are walked once on each way."""
    marks, told = walked(
        ref("A"), A={"properties": {"a": ref("A"), "b": ref("B")}}, B={"required": ["c"], "properties": {"a": ref("A")}}
    )
    assert told == []
    assert texts(marks.declared) == ["/body/a", "/body/b", "/body/b/a"]
    assert texts(marks.required) == ["/body/b/c"]


def test_unfolding_is_bounded() -> None:
    """A few schemas that refer to one another so as to unfold without end are a fault, not a hang."""
    bomb: dict[str, Any] = {f"A{n}": {"allOf": [ref(f"A{n + 1}"), ref(f"A{n + 1}")]} for n in range(40)}
    _, told = walked(ref("A0"), **bomb, A40={})
    assert set(told) == {f"schemas refer to schemas too often: at most {MAX_SCHEMAS}, {MAX_DEPTH} deep"}
    chain: dict[str, Any] = {f"A{n}": {"properties": {"a": ref(f"A{n + 1}")}} for n in range(3000)}
    marks, told = walked(ref("A0"), **chain, A3000={})
    assert len(told) == 1
    assert len(marks.declared) == MAX_DEPTH // 2


@pytest.mark.parametrize(("depth", "errors"), [(MAX_DEPTH, 0), (MAX_DEPTH + 1, 1)])
def test_depth_is_bounded(depth: int, errors: int) -> None:
    """As many schemas may lie within one another as is said, and no more."""
    schema: dict[str, Any] = {}
    for _ in range(depth - 1):
        schema = {"properties": {"a": schema}}
    assert len(walked(schema)[1]) == errors


def test_marks() -> None:
    """The marks of x-mock hold for the place where their schema stands."""
    marks, told = walked(
        {
            "properties": {
                "to": {"x-mock": {"recipient": True, "digits": True}},
                "from": {"x-mock": {"owned": "/account/lines/number", "digits": True}},
                "app": {**ref("App"), "x-mock": {"owned": "/owned/lines/app"}},
            }
        },
        App={"x-mock": {}},
    )
    assert told == []
    assert marks.recipient == Recipient(Pointer(("body", "to")), None)
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
    """There is one recipient, which several branches may mark; another value may override it."""
    mark = {"x-mock": {"recipient": {"override": "/owned/lines/number"}}}
    marks, told = walked({"anyOf": [{"properties": {"to": mark}}, {"properties": {"to": mark}}]})
    assert told == []
    assert marks.recipient == Recipient(Pointer(("body", "to")), Pointer(("owned", "lines", "number")))
    _, told = walked({"properties": {"to": mark, "phone": mark}})
    assert told == ["a second recipient beside /body/to"]


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": "integer"}, "integer"),
        ({"type": "number"}, "number"),
        ({"type": "boolean"}, "boolean"),
        ({"type": "string"}, None),
        ({"type": ["integer", "null"]}, None),
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
    """Text becomes what its schema names, beneath references too, which may lead nowhere."""
    schemas = {"A": ref("B"), "B": {"type": "integer"}, "Loop": ref("Loop")}
    reader = Reader(Source("f", {"components": {"schemas": schemas}}), "acme")
    assert coercion(reader, schema) == kind


def test_coercions() -> None:
    """So do a form's fields."""
    schemas = {
        "Form": {"properties": {"a": {"type": "integer"}, "b": {"type": "string"}, "c": ref("C")}},
        "C": {"type": "boolean"},
    }
    reader = Reader(Source("f", {"components": {"schemas": schemas}}), "acme")
    assert coercions(reader, ref("Form")) == {"a": "integer", "c": "boolean"}
    assert coercions(reader, {"properties": 5}) == {}
