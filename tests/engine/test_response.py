"""Responses: the documented sample, with the values of this exchange laid over it."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.engine.problem import Problem
from mockserver.engine.response import RenderedResponse, Renderer
from mockserver.engine.values import Context, timestamp
from tests.engine.workbench import NOW, acme, fixed_sources, operation
from tests.properties import examples


def rendered(answer: str, problem: Problem | None = None, **view: Any) -> RenderedResponse:
    context = Context(view, problem, fixed_sources(), NOW)
    return Renderer([acme()]).render(operation("send_sms").answers[answer], context)


def headers(response: RenderedResponse) -> dict[bytes, bytes]:
    assert len(dict(response.headers)) == len(response.headers)
    return dict(response.headers)


def test_fills() -> None:
    """Echoes, fresh values, a function of values and a time stand where the contract says, the sample elsewhere."""
    found = rendered("sent", body={"to": 4, "text": 'Hi "1" ü\n2'}, header={"x-trace": "t-1"})
    assert found.status == 202
    assert (
        found.body
        == (
            '{"id":"a-uuid","to":4,"at":"2027-01-15T08:01:00.000Z","number":7,"text":"Hi \\"1\\" ü\\n2","digits":"12"}'
        ).encode()
    )
    assert headers(found) == {
        b"content-type": b"application/json",
        b"x-fixed": b"always",
        b"x-trace": b"t-1",
        b"content-length": str(len(found.body)).encode(),
    }


def test_fills_without_a_value() -> None:
    """Where there is nothing to echo, the alternative is taken, else the sample stays; a header is left out."""
    found = rendered("sent", body={"to": "+1 5"}, header={})
    assert json.loads(found.body) | {"at": ""} == {
        "id": "a-uuid",
        "to": "+1 5",
        "at": "",
        "number": 7,
        "text": "15",
        "digits": "1",
    }
    assert b"x-trace" not in headers(found)
    assert json.loads(rendered("sent").body)["text"] == "sample"


@pytest.mark.parametrize(
    ("problem", "body"),
    [
        pytest.param(None, {"field": "none", "value": "none"}, id="none"),
        pytest.param(
            Problem("invalid", "/body/a/to", "", "", {"x": [1]}), {"field": "to", "value": {"x": [1]}}, id="value"
        ),
        pytest.param(Problem("missing", "/body/from", "", ""), {"field": "from", "value": None}, id="missing"),
    ],
)
def test_the_problem_can_be_echoed(problem: Problem | None, body: dict[str, Any]) -> None:
    """The name and value of what was wrong, never our words for it."""
    assert json.loads(rendered("refused", problem).body) == body


def test_an_answer_without_a_body() -> None:
    """It has no content type, and says that it is empty."""
    context = Context({}, None, fixed_sources(), NOW)
    found = Renderer([acme()]).render(operation("ping").answers["done"], context)
    assert found == RenderedResponse.of(204, [], b"")


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        pytest.param("a\r\nSet-Cookie: b", b"aSet-Cookie: b", id="line-break"),
        pytest.param(" a\tb\x00c\x7f ü ", b"abc", id="control-and-beyond-ascii"),
        pytest.param("x" * 5000, b"x" * 1000, id="long"),
    ],
)
def test_an_echoed_header_is_made_harmless(value: str, sent: bytes) -> None:
    """Nothing that a client sends can end a header, or make a server refuse to send it."""
    assert headers(rendered("sent", header={"x-trace": value}))[b"x-trace"] == sent


@given(st.text(st.characters(exclude_categories=["Cs"])) | st.integers() | st.lists(st.booleans()))
@settings(deadline=None, max_examples=examples(100), derandomize=True)
def test_whatever_is_echoed_the_body_is_json_and_the_header_printable(value: Any) -> None:
    """The body says exactly the value; the header has only characters that may stand in one."""
    found = rendered("sent", body={"to": value}, header={"x-trace": value})
    assert json.loads(found.body)["to"] == value
    trace = headers(found).get(b"x-trace", b"").decode("ascii")
    assert trace == trace.strip()
    assert trace.isprintable()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        pytest.param(0, "1970-01-01T00:00:00.000Z", id="epoch"),
        pytest.param(1_800_000_000.9996, "2027-01-15T08:00:00.999Z", id="cut-not-rounded"),
    ],
)
def test_timestamp(seconds: float, text: str) -> None:
    """ISO 8601 in UTC with milliseconds."""
    assert timestamp(seconds) == text
