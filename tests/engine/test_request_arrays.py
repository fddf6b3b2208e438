"""Arrays in query, form, path and header, in each style that OpenAPI has for them."""

import json
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from mockserver.engine.account import sample
from mockserver.engine.call import pack_headers
from mockserver.engine.request import Arrival, ParsedRequest
from mockserver.spec.load import read_contract
from mockserver.spec.model import Contract, OperationSpec
from mockserver.spec.source import read_yaml
from mockserver.store.accounts import Registry
from tests.engine.workbench import NOW, parse, problems

LIST = {"type": "array", "items": {"type": "string"}, "maxItems": 3}
NUMBERS = {"type": "array", "items": {"type": "integer"}}
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
PARAMETERS: list[dict[str, Any]] = [
    {"name": "each", "in": "query", "schema": LIST, "example": ["x y", "z"]},
    {"name": "whole", "in": "query", "schema": {"$ref": "#/components/schemas/Numbers"}, "example": [1, 2]},
    {"name": "comma", "in": "query", "schema": NUMBERS, "explode": False, "example": [1, 2]},
    {"name": "blank", "in": "query", "schema": LIST, "style": "spaceDelimited", "explode": False},
    {"name": "pipe", "in": "query", "schema": LIST, "style": "pipeDelimited"},
    {"name": "X-List", "in": "header", "schema": NUMBERS, "example": [3, 4]},
    {"name": "ids", "in": "path", "required": True, "schema": NUMBERS, "example": [5, 6]},
]
FIELDS = {"type": "object", "properties": {"to": LIST, "codes": NUMBERS, "text": {"type": "string"}}}
ENCODED = {"schema": FIELDS, "encoding": {"codes": {"style": "form", "explode": False}}}


@cache
def lists() -> Contract:
    answers = {
        "204": {"description": "Done.", "x-mock": {"name": "done", "evidence": {"page": "a page"}}},
        "400": {"description": "Refused.", "x-mock": {"name": "refused", "evidence": {"page": "a page"}}},
    }
    rest = {"responses": answers, "security": [], "x-mock": {"rules": [{"problem": "any", "answer": "refused"}]}}
    merged = {**rest, "x-mock": {**rest["x-mock"], "parameters_from": ["query", "form"]}}  # type: ignore[dict-item]
    content = {FORM: ENCODED, MULTIPART: {"schema": FIELDS}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Lists", "version": "1"},
        "servers": [{"url": "https://lists.test"}],
        "x-mock": {"account": {"key": {"new": "token"}}},
        "components": {"schemas": {"Numbers": NUMBERS}},
        "paths": {
            "/p/{ids}": {"get": {"operationId": "get", "parameters": PARAMETERS, **rest}},
            "/f": {"post": {"operationId": "form", "requestBody": {"content": content}, **rest}},
            "/m": {
                "post": {
                    "operationId": "merged",
                    "parameters": PARAMETERS[:3],
                    "requestBody": {"content": {FORM: {}}},
                    **merged,
                }
            },
        },
    }
    contract, reader = read_contract(read_yaml("lists.json", json.dumps(document)), "lists")
    assert reader.errors == []
    return contract


def operation(name: str) -> OperationSpec:
    return next(operation for operation in lists().operations if operation.name == name)


def asked(name: str, query: str = "", body: bytes = b"", ids: str = "5", **headers: Any) -> ParsedRequest:
    one = operation(name)
    packed = pack_headers([(key.replace("_", "-").encode(), value.encode()) for key, value in headers.items()])
    params = {"ids": ids} if name == "get" else {}
    return parse(one, Arrival(one.method, one.path, params, query.encode(), packed, body, 0))


@pytest.mark.parametrize(
    ("query", "data"),
    [
        pytest.param("each=a&each=b,c&other=1", {"each": ["a", "b,c"], "other": "1"}, id="one-by-one"),
        pytest.param("each=a", {"each": ["a"]}, id="of-one"),
        pytest.param("whole=1&whole=2", {"whole": [1, 2]}, id="integers"),
        pytest.param("comma=1,2", {"comma": [1, 2]}, id="commas"),
        pytest.param("comma=1%2C2", {"comma": [1, 2]}, id="escaped-commas"),
        pytest.param("blank=a%20b+c", {"blank": ["a", "b", "c"]}, id="blanks"),
        pytest.param("pipe=a|b%7Cc", {"pipe": ["a", "b", "c"]}, id="pipes"),
    ],
)
def test_query(query: str, data: dict[str, Any]) -> None:
    """An array is a list of items of their type, however it is written."""
    found = asked("get", query)
    assert (found.data["query"], found.problems) == (data, ())


def test_path_and_header() -> None:
    """There the items stand between commas."""
    found = asked("get", ids="1,2", x_list="3,4")
    assert (found.data["path"], found.data["header"], found.problems) == ({"ids": [1, 2]}, {"x-list": [3, 4]}, ())


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("whole=1&whole=x", ("invalid", "/query/whole/1", "type"), id="item"),
        pytest.param("each=1&each=2&each=3&each=4", ("invalid", "/query/each", "maxItems"), id="number"),
        pytest.param("comma=1&comma=2", ("invalid", "/query/comma", "repeated"), id="one-text-twice"),
    ],
)
def test_an_array_that_does_not_fit(query: str, expected: tuple[str, str, str]) -> None:
    """Its schema says what is wrong with it, at the item."""
    assert problems(asked("get", query)) == [expected]


def part(name: str, value: str) -> str:
    return f'--e\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'


@pytest.mark.parametrize(
    ("content_type", "body", "data"),
    [
        pytest.param(FORM, "to=1&to=2&text=x", {"to": ["1", "2"], "text": "x"}, id="form"),
        pytest.param(FORM, "codes=1,2", {"codes": [1, 2]}, id="encoding"),
        pytest.param(
            f"{MULTIPART}; boundary=e",
            part("to", "1") + part("to", "2") + part("codes", "7") + "--e--",
            {"to": ["1", "2"], "codes": [7]},
            id="multipart",
        ),
    ],
)
def test_form(content_type: str, body: str, data: dict[str, Any]) -> None:
    """A field that is an array may come again; `encoding` says otherwise."""
    found = asked("form", body=body.encode(), content_type=content_type)
    assert (found.data["body"], found.problems) == (data, ())


def test_a_form_that_counts_as_query() -> None:
    """Its fields are the parameters' arrays."""
    found = asked("merged", "comma=3,4", b"each=a&each=b&comma=1", content_type=FORM)
    assert (found.data["query"], found.problems) == ({"each": ["a", "b"], "comma": [3, 4]}, ())


def test_a_sample_is_read_as_it_is_written() -> None:
    """What `mockserver curl` prints has the arrays in their styles."""
    account = Registry((lists(),)).add("one", {})
    made = sample(operation("get"), account.vendors["lists"], NOW)
    path, _, query = made.path.partition("?")
    assert parse_qsl(query) == [("each", "x y"), ("each", "z"), ("whole", "1"), ("whole", "2"), ("comma", "1,2")]
    assert (path, made.headers["x-list"]) == ("/p/5%2C6", "3,4")
    assert asked("get", query, ids="5,6", x_list=made.headers["x-list"]).problems == ()


@pytest.mark.parametrize("style", ["deepObject", "matrix", "x"])
def test_another_style_is_told(style: str) -> None:
    """What would never be read is an error of the contract."""
    text = Path(__file__).with_name("acme.yaml").read_text("utf-8")
    changed = text.replace("name: flag, in: query,", f"name: flag, in: query, style: {style},")
    assert changed != text
    (error,) = read_contract(read_yaml("acme.yaml", changed), "acme")[1].errors
    assert error.message == "a style that is not read here; in query: form, spaceDelimited, pipeDelimited"
