"""Requests: typed parts, and each thing wrong with reading them."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.engine import request as request_module
from mockserver.engine.bodies import read_query
from mockserver.engine.request import MAX_VIOLATIONS_LISTED, ParsedRequest
from mockserver.spec.pointer import join
from tests.engine.workbench import JSON, arrive, operation, parse, problems, request
from tests.properties import examples

FORM = {"content-type": "application/x-www-form-urlencoded"}
MULTIPART = {"content-type": "multipart/form-data; boundary=edge"}
GOOD = {"from": "1", "to": "2"}


def field(name: str, value: str) -> str:
    return f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'


@pytest.mark.parametrize(
    ("query", "data"),
    [
        pytest.param("flag=true&whole=-7&real=-1.50", {"flag": True, "whole": -7, "real": -1.5}, id="types"),
        pytest.param("flag=True", {"flag": True}, id="True"),
        pytest.param("flag=1", {"flag": True}, id="1"),
        pytest.param("flag=false", {"flag": False}, id="false"),
        pytest.param("flag=False", {"flag": False}, id="False"),
        pytest.param("flag=0", {"flag": False}, id="0"),
        pytest.param("real=3&whole=0", {"real": 3.0, "whole": 0}, id="whole-number"),
        pytest.param("other=1&other=2&a%20b=c+d", {"other": "1", "a b": "c d"}, id="undeclared-stays-text"),
    ],
)
def test_query(query: str, data: dict[str, Any]) -> None:
    """Declared parameters are of their type, in all spellings that clients use; others are text, the first counts."""
    found = request("get_typed", params={"number": "5"}, query=query)
    assert repr(found.data["query"]) == repr(data)
    assert found.data["path"] == {"number": 5}
    assert found.problems == ()


@pytest.mark.parametrize(
    ("query", "at", "reason"),
    [
        pytest.param("flag=yes", "/query/flag", "type", id="no-boolean"),
        pytest.param("flag=", "/query/flag", "type", id="empty-boolean"),
        pytest.param("flag=TRUE", "/query/flag", "type", id="no-spelling-of-a-client"),
        pytest.param("whole=1.0", "/query/whole", "type", id="no-integer"),
        pytest.param("whole=" + "9" * 19, "/query/whole", "type", id="long-integer"),
        pytest.param("whole=+1", "/query/whole", "type", id="plus-is-a-space"),
        pytest.param("whole=007", "/query/whole", "type", id="leading-zero"),
        pytest.param("whole=%D9%A1", "/query/whole", "type", id="other-digits"),
        pytest.param("real=1e9", "/query/real", "type", id="exponent"),
        pytest.param("real=NaN", "/query/real", "type", id="nan"),
        pytest.param("whole=1&whole=1", "/query/whole", "repeated", id="repeated"),
    ],
)
def test_query_that_does_not_fit(query: str, at: str, reason: str) -> None:
    """What is not of its type stays text and is invalid; so is a declared parameter given twice."""
    assert problems(request("get_typed", params={"number": "5"}, query=query)) == [("invalid", at, reason)]


def test_path_parameter_that_does_not_fit() -> None:
    """A path parameter is held against its schema; what arrived is left as it came."""
    arrival = arrive("get_typed", params={"number": "x"})
    assert problems(parse(operation("get_typed"), arrival)) == [("invalid", "/path/number", "type")]
    arrival = arrive("get_typed", params={"number": "5"})
    assert parse(operation("get_typed"), arrival).data["path"] == {"number": 5}
    assert arrival.path_params == {"number": "5"}


@pytest.mark.parametrize(
    ("query", "pairs"),
    [
        pytest.param(b"a=%ff&b%20=c%2", [("a", "\ufffd"), ("b ", "c%2")], id="bad-utf8-escaped"),
        pytest.param(b"a=caf%E9+au+lait\xff", [("a", "caf\ufffd au lait\ufffd")], id="latin-1"),
        pytest.param(b"&".join([b"a"] * 1500), [("a", "")] * 1000, id="too-many"),
    ],
)
def test_query_badly_written(query: bytes, pairs: list[tuple[str, str]]) -> None:
    """A query string is read somehow, whatever it is."""
    assert read_query(query) == pairs


@pytest.mark.parametrize("headers", [FORM, MULTIPART], ids=["form", "multipart"])
def test_form_as_body(headers: dict[str, str]) -> None:
    """A form that is not merged is the body, its fields of the types that its schema names, null or not."""
    pairs = [("a", "1"), ("n", "7"), ("of", "8"), ("x", "1.5"), ("b", "True"), ("other", "3")]
    form = urlencode(pairs) if headers is FORM else "".join(field(*pair) for pair in pairs) + "--edge--\r\n"
    found = request("post_form", headers=headers, body=form.encode())
    assert found.data["body"] == {"a": "1", "n": 7, "of": 8, "x": 1.5, "b": True, "other": "3"}
    assert (found.problems, found.reads) == ((), "form" if headers is FORM else "multipart")


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        pytest.param(b"n=x", FORM, [("invalid", "/body/n", "type")], id="type"),
        pytest.param(b"a=1&a=2", FORM, [("invalid", "/body/a", "repeated")], id="repeated"),
        pytest.param(b"a=1&z/=2&z/=2", FORM, [("invalid", "/body/z~1", "repeated")], id="undeclared-repeated"),
        pytest.param(b"b=1", FORM, [("missing", "/body/a", "required")], id="no-branch-of-any"),
        pytest.param(b"a=%ff", FORM, [("unreadable", "/body", "form")], id="bad-form"),
        pytest.param(b"--edge", MULTIPART, [("unreadable", "/body", "multipart")], id="bad-multipart"),
        pytest.param(b"a=1", JSON, [("media_type", "/header/content-type", "")], id="other-type"),
        pytest.param(b"a=1", {}, [("media_type", "/header/content-type", "")], id="no-type"),
        pytest.param(b"", {}, [], id="optional-body"),
        pytest.param(
            b"a=1", {"content-type": " Application/X-WWW-Form-urlencoded ; charset=x"}, [], id="type-as-written"
        ),
    ],
)
def test_form_problems(body: bytes, headers: dict[str, str], expected: list[tuple[str, str, str]]) -> None:
    """Each thing wrong with a form is one problem at its place."""
    assert problems(request("post_form", headers=headers, body=body)) == expected


@pytest.mark.parametrize(("headers", "named"), [({}, "absent"), ({"content-type": "Text/Plain; x=1"}, "text/plain")])
def test_a_media_type_is_named(headers: dict[str, str], named: str) -> None:
    """The message says what was sent, and what would do."""
    (problem,) = request("post_form", headers=headers, body=b"a=1").problems
    assert problem.message.endswith(f"application/x-www-form-urlencoded or multipart/form-data, not {named}")


def test_merged_form() -> None:
    """A form's fields count as query parameters; the query wins; a field given twice is a parameter given twice."""
    found = request("post_merged", headers=FORM, body=b"a=form&pin=1&key=k", query="a=query")
    assert found.data["query"] == {"a": "query", "pin": "1", "key": "k"}
    assert ("body" in found.data, found.problems) == (False, ())
    twice = request("post_merged", headers=MULTIPART, body=(field("a", "x") * 2 + "--edge--\r\n").encode())
    assert problems(twice) == [("invalid", "/query/a", "repeated")]


def test_json_without_a_schema_is_never_read() -> None:
    """A media type that says nothing of its content is let pass, whatever the bytes."""
    found = request("post_merged", headers=JSON, body=b"{not json", query="a=1")
    assert (found.problems, found.reads, "body" in found.data) == ((), "nothing", False)


@pytest.mark.parametrize(
    ("arrival", "expected"),
    [
        pytest.param({"body": GOOD}, [], id="good"),
        pytest.param({"body": b"", "headers": JSON}, [("missing", "/body", "required")], id="empty"),
        pytest.param({"body": b"{", "headers": JSON}, [("unreadable", "/body", "json")], id="unreadable"),
        pytest.param({"oversize": 2000, "headers": JSON}, [("too_large", "/body", "")], id="too-large"),
        pytest.param({"method": "PUT", "body": b"{", "headers": JSON}, [("method", "/method", "")], id="method-first"),
        pytest.param({"body": {"to": "2"}}, [("missing", "/body/from", "required")], id="missing"),
        pytest.param({"body": {"from": None, "to": "2"}}, [("invalid", "/body/from", "type")], id="null"),
        pytest.param({"body": {**GOOD, "x/y": None}}, [("invalid", "/body/x~1y", "type")], id="escaped-pointer"),
        pytest.param({"body": []}, [("invalid", "/body", "type")], id="no-object"),
        pytest.param({"body": {**GOOD, "when": {}}}, [("invalid", "/body/when", "anyOf")], id="no-branch-fits"),
        pytest.param(
            {"body": {"to": "x", "text": "t" * 21}},
            [
                ("invalid", "/body/text", "maxLength"),
                ("invalid", "/body/to", "pattern"),
                ("missing", "/body/from", "required"),
            ],
            id="all-at-once",
        ),
    ],
)
def test_json_problems(arrival: dict[str, Any], expected: list[tuple[str, str, str]]) -> None:
    """Everything wrong with a JSON request is listed, each at its place."""
    assert sorted(problems(request("send_sms", **arrival))) == expected


def test_a_problem_holds_the_value_and_a_short_message() -> None:
    """What stood there can be echoed; a message does not grow with the value."""
    (problem,) = request("send_sms", body={**GOOD, "text": "t" * 900}).problems
    assert problem.value == "t" * 900
    assert 0 < len(problem.message) <= 300
    (problem,) = request("send_sms", body={**GOOD, "n": 10**300, "from": 5}, headers={}).problems
    assert problem.value == 5


@pytest.mark.parametrize(("members", "listed"), [(500, MAX_VIOLATIONS_LISTED), (5000, 1)])
def test_so_many_problems_are_listed(members: int, listed: int) -> None:
    """A body with very many mistakes is refused for the first ones, a large one for its first."""
    found = request("send_sms", body={**GOOD, **{f"x{number}": None for number in range(members)}})
    assert len(found.problems) == listed
    assert {problem.kind for problem in found.problems} == {"invalid"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"n": [1] * 9_000}, ("invalid", "/body/n", "type"), id="a long list"),
        pytest.param({"n": {str(n): n for n in range(3_000)}}, ("invalid", "/body/n", "type"), id="a wide object"),
        pytest.param({"text": [[1] * 9_000]}, ("invalid", "/body/text", "type"), id="a long list in another"),
    ],
)
def test_what_is_wrong_with_a_large_body(changes: dict[str, Any], expected: tuple[str, str, str]) -> None:
    """It is told without all of it being written out."""
    found = request("send_sms", body={**GOOD, **changes})
    assert expected in problems(found)
    assert all(len(str(problem.value)) < 5_000 for problem in found.problems)


def test_a_member_behind_very_many_is_not_missing() -> None:
    """Those that are looked through at first are not all that there are."""
    wide = {f"x{number}": "y" * 20 for number in range(2_000)}
    kinds = {problem.kind for problem in request("send_sms", body={**wide, **GOOD, "text": 7}).problems}
    assert kinds == {"invalid"}


def test_headers() -> None:
    """Only headers that the operation looks at are kept, stripped, by their lower-case names."""
    found = request("send_sms", body=GOOD, headers={"x-trace": " é ", "x-other": "1", "prefer": "code=400"})
    assert found.data["header"] == {"x-trace": "é"}
    assert found.head.prefer == "code=400"


@pytest.mark.parametrize(
    ("body", "reaches"),
    [
        pytest.param({"method": "Ping"}, "ping", id="named"),
        pytest.param({"method": "Pong"}, "rpc", id="unknown"),
        pytest.param({"method": ["Ping"]}, "rpc", id="no-text"),
        pytest.param({"method": "Ping", "text": 1}, "ping", id="invalid-for-the-one-named"),
        pytest.param(["Ping"], "rpc", id="no-object"),
    ],
)
def test_dispatch(body: Any, reaches: str) -> None:
    """A command's name in the request settles which operation it is; its schema is that operation's."""
    assert request("rpc", body=body).operation.id == operation(reaches).id


def test_dispatch_of_what_cannot_be_read() -> None:
    """A request with a problem already stays where it arrived."""
    found = request("rpc", body=b'{"method": "Ping"', headers=JSON)
    assert (found.operation, problems(found)) == (operation("rpc"), [("unreadable", "/body", "json")])


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(st.lists(st.tuples(texts.filter(bool), texts), max_size=6), st.booleans())
@settings(deadline=None, max_examples=examples(100), derandomize=True)
def test_any_query_comes_back_as_written(pairs: list[tuple[str, str]], plus: bool) -> None:
    """Whatever text stands in a query, its first value for a name is what is read."""
    written = urlencode(pairs) if plus else "&".join(f"{quote(n)}={quote(v)}" for n, v in pairs)
    found: ParsedRequest = request("get_typed", params={"number": "5"}, query=written)
    expected: dict[str, str] = {}
    for name, value in pairs:
        expected.setdefault(name, value)
    assert found.data["query"].keys() == expected.keys()
    assert all(found.data["query"][n] == v for n, v in expected.items() if n not in {"flag", "whole", "real"})


@pytest.mark.parametrize("name", ["401", "007", "+7", "+007", "+", "a/b"])
def test_names_that_are_numbers(name: str) -> None:
    """A property whose name is a number is named as it was sent, and breaks nothing."""
    schema = {"properties": {"body": {"additionalProperties": {"type": "integer"}}}}
    data = {"body": {name: "x"}}
    violation = next(iter(jsonschema_rs.validator_for(schema).iter_errors(data)))
    found = request_module._problem(violation, data, request_module._Spelling())  # noqa: SLF001 -- see below
    assert (found.at, found.value) == (join("body", name), "x")


class Counted(dict[str, Any]):
    """An object that counts how often its names are looked through."""

    looks = 0

    def __iter__(self) -> Iterator[str]:
        self.looks += 1
        return super().__iter__()


def test_names_beside_numbers() -> None:
    """Names that are digits to Python, and no number or one too large, break nothing; all are looked through once."""
    schema = {"properties": {"body": {"additionalProperties": {"type": "integer"}}}}
    names = ["\u00b2", "1" * 5_000, *(f"{number:05}" for number in range(100)), "7"]
    body = Counted(dict.fromkeys(names, "x"))
    spelling = request_module._Spelling()  # noqa: SLF001 -- no contract of ours can show it
    violations = jsonschema_rs.validator_for(schema).iter_errors({"body": dict(body)})
    body.looks = 0
    found = [spelling.of(violation.instance_path, {"body": body})[1] for violation in violations]
    assert len(found) == len(names)
    assert set(found) == set(names) - {"00007"}, "of two names for one number the one without zeros is told"
    assert body.looks == 1
