"""What goes to the server, what is compared here, what can be asked at all."""

import enum
import re
from datetime import UTC, datetime
from typing import Any
from unittest.mock import ANY
from urllib.parse import parse_qsl
from uuid import UUID

import pytest
from dirty_equals import IsInt, IsPartialDict, IsStr
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.matching.compare import Difference
from mockserver.matching.pattern import answer_view
from mockserver.spec.pointer import MISSING
from mockserver.testing.where import Conditions, plain_only
from tests.properties import examples

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def sent(body: Any = MISSING, *, query: str = "a=1&b=", **outer: Any) -> dict[str, Any]:
    """A request as patterns see it; a form's fields are given as its query."""
    parts = {"path": "/v1/things/7", "path_params": {"id": "7"}, "headers": {"x-kind": "plain"}}
    view = {"recipient": "+14155550123", "answer": answer_view("acme.send_sms/sent"), **parts, **outer}
    view["query"] = dict(parse_qsl(query, keep_blank_values=True))
    return view if body is MISSING else {**view, "body": body}


@settings(deadline=None, database=None, max_examples=examples(100))
@given(JSON)
def test_plain_data_goes_to_the_server_whole(body: Any) -> None:
    """Nothing of plain data is left for Python, and nothing of it is lost."""
    conditions = Conditions.of({"body": body})
    assert conditions.plain == {"where": {"body": body}}
    assert not conditions.own


@settings(deadline=None, database=None, max_examples=examples(100))
@given(JSON)
def test_what_compares_itself_accepts_what_was_sent(body: Any) -> None:
    """A pattern whose leaf is the body itself, wrapped, has no differences; with another body beside it, one."""
    assert Conditions.of({"body": [ANY, body]}).own.differences(sent([None, body])) == []
    assert Conditions.of({"body": [ANY, body]}).own.differences(sent([None, [body]])) != []


@pytest.mark.parametrize(
    ("where", "plain"),
    [
        pytest.param({"body": {"a": 1, "b": ANY}}, {"where": {"body": {"a": 1}}}, id="a member"),
        pytest.param({"body": {"a": {"b": ANY}}}, {"where": {"body": {}}}, id="a deeper member takes all along"),
        pytest.param({"body": {"a": [1, ANY]}}, {"where": {"body": {}}}, id="an item takes its list along"),
        pytest.param({"body": ANY}, {}, id="a whole part"),
        pytest.param({"headers": {"X-Kind": "k"}}, {"where": {"headers": {"X-Kind": "k"}}}, id="a header"),
        pytest.param({"recipient": 15, "answer": "sent"}, {"recipient": "15", "answer": "sent"}, id="outer parts"),
        pytest.param({"body": (1, 2)}, {"where": {"body": [1, 2]}}, id="a tuple"),
        pytest.param({"when": {"/body": {"type": "object"}}}, {"when": {"/body": {"type": "object"}}}, id="schemas"),
    ],
)
def test_only_the_plain_part_is_sent(where: dict[str, Any], plain: dict[str, Any]) -> None:
    """What has an == of its own stays here, whatever stands beside it goes to the server."""
    assert Conditions.of(where).plain == plain


class Colour(enum.Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("where", "message"),
    [
        pytest.param({"bodi": 1}, "bodi cannot be asked of a call; known: path, query, headers, body", id="a typo"),
        pytest.param({"body": {"a": object()}}, r"body\['a'\] cannot be compared", id="an object"),
        pytest.param({"body": [str]}, r"body\[0\] cannot be compared", id="a class"),
        pytest.param({"body": Colour.RED}, "equal to itself only", id="a member of an enumeration"),
        pytest.param({"body": re.compile("a")}, r"ask when=\{pointer: \{'pattern': ...\}\}", id="a pattern"),
        pytest.param({"recipient": None}, "recipient must be text", id="no recipient"),
        pytest.param({"answer": True}, "answer must be text", id="no answer"),
        pytest.param({"when": "/body"}, "when must be a mapping, as in when=", id="no schemas"),
    ],
)
def test_what_can_never_be_equal_is_refused(where: dict[str, Any], message: str) -> None:
    """A test that could not pass for a mistake of its own is told so at once."""
    with pytest.raises(TypeError, match=message):
        Conditions.of(where)


@pytest.mark.parametrize(
    ("where", "view"),
    [
        pytest.param({"body": {"n": IsInt}}, sent({"n": 1, "m": 2}), id="a class that compares itself"),
        pytest.param({"body": IsPartialDict(n=1)}, sent({"n": 1, "m": 2}), id="a whole body"),
        pytest.param({"body": [1, ANY]}, sent([1, True]), id="ANY and a boolean"),
        pytest.param({"body": {"n": ANY}}, sent({"n": None}), id="ANY and null"),
        pytest.param({"body": ANY}, sent(None), id="ANY and a body of null"),
        pytest.param({"query": {"b": IsStr(max_length=0)}}, sent(), id="an empty parameter"),
        pytest.param({"headers": {"X-KIND": IsStr(regex="p.*")}}, sent(), id="a header in any case"),
        pytest.param({"path": IsStr(regex="/v1/.*")}, sent(), id="the path"),
        pytest.param({"path": {"id": IsStr(regex="[0-9]")}}, sent(), id="a path parameter"),
        pytest.param({"recipient": IsStr(regex=r"\+1.*")}, sent(), id="a recipient"),
        pytest.param({"answer": IsStr(regex="acme.*")}, sent(), id="an answer's id"),
        pytest.param({"answer": IsStr(regex="sent")}, sent(), id="an answer's name"),
    ],
)
def test_what_compares_itself_fits(where: dict[str, Any], view: dict[str, Any]) -> None:
    """Every part of a call can be compared by an object's own ==."""
    assert Conditions.of(where).own.differences(view) == []


@pytest.mark.parametrize(
    ("where", "view", "pointer", "found"),
    [
        pytest.param({"body": {"a": {"n/m": ANY}}}, sent({"a": {}}), "/body/a/n~1m", MISSING, id="absent"),
        pytest.param({"body": ANY}, sent(), "/body", MISSING, id="no body"),
        pytest.param({"body": {"n": IsStr}}, sent({"n": 1}), "/body/n", 1, id="another kind"),
        pytest.param({"body": [1, ANY]}, sent([True, 2]), "/body/0", True, id="true is not 1"),
        pytest.param({"body": [ANY]}, sent([1, 2]), "/body", [1, 2], id="another length"),
        pytest.param({"body": {"a": ANY}}, sent([1]), "/body", [1], id="no mapping"),
        pytest.param({"recipient": ANY}, sent(recipient=MISSING), "/recipient", MISSING, id="no recipient"),
        pytest.param({"answer": IsInt}, sent(), "/answer", "acme.send_sms/sent", id="another answer"),
    ],
)
def test_a_difference_says_where(where: dict[str, Any], view: dict[str, Any], pointer: str, found: Any) -> None:
    """The one difference names its place and what stood there; nothing that is absent equals ANY."""
    (difference,) = Conditions.of(where).own.differences(view)
    assert (difference.pointer, difference.found) == (pointer, found)
    assert isinstance(difference, Difference)


def test_a_decision_of_the_server_takes_plain_data_only() -> None:
    """What the server alone decides cannot hang on a comparison in Python."""
    assert plain_only({"body": {"a": 1}}, None, "a pin") == {"where": {"body": {"a": 1}}}
    with pytest.raises(TypeError, match="a pin is decided by the server, which cannot call the == of body"):
        plain_only({"body": {"a": ANY}}, None, "a pin")


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("x", "where must be a mapping, as in where={'json': {...}}, not str 'x'"),
        ({"recipient": "+1"}, "recipient cannot be asked in a pin; known: path, query, headers, body, json, form: use"),
        ({"answer": "sent"}, "answer cannot be asked in a pin; known: path, query, headers, body, json, form"),
        ({"jsn": {}}, "Did you mean 'json'?"),
    ],
)
def test_what_a_decision_of_the_server_is_about(where: Any, message: str) -> None:
    """The parts that are known there, and no others."""
    with pytest.raises(TypeError) as caught:
        plain_only(where, None, "a pin")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (b"Hi", TypeError, "never equals bytes b'Hi': decode it"),
        (datetime(2030, 1, 1, tzinfo=UTC), TypeError, "write it as text, by isoformat()"),
        (UUID(int=0), TypeError, "never equals UUID"),
        ({1}, TypeError, "never equals set {1}"),
        (float("nan"), ValueError, "json['a'] is nan, which JSON does not have"),
        ("\ud800", ValueError, "json['a'] has half of a surrogate pair"),
    ],
    ids=repr,
)
def test_a_value_that_nobody_sends(value: Any, error: type[Exception], message: str) -> None:
    """It would pass as not called, whatever was sent."""
    with pytest.raises(error) as caught:
        Conditions.of({"json": {"a": value}})
    assert message in str(caught.value)


def test_the_names_of_what_is_compared_here() -> None:
    """The server is told each, so that it can tell whether it is known."""
    conditions = Conditions.of(
        {"json": {"a/b": ANY, "c": {"d": 1, "e": ANY}, "f": 1}, "headers": {"X": ANY}, "path": {"p": ANY}, "body": ANY}
    )
    assert conditions.with_names() == {
        "where": {"json": {"f": 1}, "headers": {}, "path": {}},
        "when": {"/body/a~1b": True, "/body/c/d": True, "/body/c/e": True, "/header/X": True, "/path/p": True},
    }
    plain = Conditions.of({"json": {"a": 1}})
    assert plain.with_names() is plain.plain
