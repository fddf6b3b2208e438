"""Documented responses as answers: their evidence, templates, headers and magic digits."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.spec.answer_model import Answer
from mockserver.spec.answers import CANONICAL_STATUSES, read_answers
from mockserver.spec.functions import FUNCTIONS
from mockserver.spec.pointer import MISSING, Pointer
from mockserver.spec.reader import Reader
from mockserver.spec.source import Source
from mockserver.spec.value_model import Apply, Echo, New
from tests.properties import examples
from tests.spec.writing import contract

PROPERTY = settings(deadline=None, database=None, derandomize=True, max_examples=examples(100))


def test_answer() -> None:
    """An answer has what its response says; what is the same in every response is bytes."""
    answers = contract().operations[0].answers
    sent, invalid, closed, plain = (answers[name] for name in ("sent", "invalid", "closed", "unauthorized"))
    trace = Echo(Pointer(("header", "x-trace")), New("uuid", 0))
    assert (sent.id, sent.status, sent.means, sent.body) == ("acme.send_sms/sent", 202, 202, (b"",))
    assert sent.headers == ((b"x-trace", b"", trace), (b"x-left", b"3", None))
    assert (sent.evidence.grade, sent.evidence.letters, sent.accepted) == ("page", "PPPPP", True)
    assert (invalid.evidence.letters, invalid.accepted, closed.means, closed.accepted) == ("A-AAA", False, 503, False)
    assert invalid.headers == ((b"content-type", b"application/json; charset=utf-8", None),)
    assert (plain.body, plain.headers) == ((b"Unauthorized",), ((b"content-type", b"text/plain", None),))
    name, segments = Echo(Pointer(("problem", "name")), None), FUNCTIONS["sms_segments"]
    assert invalid.fills == (
        (Apply(segments, (Echo(Pointer(("body", "text")), None),)), b"1", None),
        (name, '"né ✓"'.encode(), None),
    )
    assert closed.schema is not None
    assert not closed.schema.is_valid({"code": "3"})
    assert closed.has_member(Pointer(("texts", "0")))
    assert not closed.has_member(Pointer(("texts", "1")))


def test_magic() -> None:
    """Magic digits are as written, or the status if the answer is the only or the canonical one of that status."""
    magic = {name: answer.magic for name, answer in contract().operations[0].answers.items()}
    assert magic == {
        "sent": "202",
        "invalid": "400",
        "bad_number": "402",
        "closed": "503",
        "no_line": None,
        "unauthorized": "401",
        "method_not_allowed": "405",
        "rate_limited": "429",
    }


def test_magic_given_wins() -> None:
    """Digits written for an answer are not another's, even if they are its status; the author is told so."""
    responses = {
        "401": plain(1, magic="500"),
        "500": {"x-mock": {"name": "server_error", "evidence": {"page": "x"}}},
        "403": {"x-mock": {"name": "forbidden", "evidence": {"page": "x"}}},
        "503": {"x-mock": {"name": "forbidden_too", "evidence": {"page": "x"}}},
    }
    answers, messages = answers_of(responses)
    assert messages == [
        "the magic 500 is that of server_error, by its status: write another here, or one at server_error"
    ]
    assert {name: answer.magic for name, answer in answers.items()} == {
        "one": "500",
        "server_error": None,
        "forbidden": "403",
        "forbidden_too": "503",
    }


@pytest.mark.parametrize(("name", "status"), CANONICAL_STATUSES.items(), ids=CANONICAL_STATUSES)
def test_canonical_magic(name: str, status: int) -> None:
    """Of several answers of a status, the one with the canonical name has it as its magic."""
    example = {"value": 1, "x-mock": {"evidence": {"page": "a page"}}}
    response = {"content": {"application/json": {"examples": {"other": example, name: example}}}}
    answers, _ = answers_of({str(status): response})
    assert (answers["other"].magic, answers[name].magic) == (None, str(status))
    answers, _ = answers_of({"418": response})
    assert (answers["other"].magic, answers[name].magic) == (None, None)


def plain(value: object, **block: object) -> dict[str, Any]:
    """A response with one example."""
    example = {"value": value, "x-mock": {"evidence": {"page": "a page"}, **block}}
    return {"content": {"application/vnd.acme+json": {"examples": {"one": example}}}}


def answers_of(responses: dict[str, Any]) -> tuple[dict[str, Answer], list[str]]:
    """The answers of these responses, and the messages of their errors."""
    document = {"responses": responses}
    reader = Reader(Source("f", document), "acme")
    return read_answers(reader, document, "acme.op"), [error.message for error in reader.errors]


names = st.text(st.sampled_from('/~01aé\0\u2028"\\ '), max_size=4)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | names,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=15,
)


def places(value: Any, at: Pointer) -> list[Pointer]:
    """Every place of a value that a fill can name."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    below = [(Pointer((*at.tokens, str(key))), item) for key, item in items if key != ""]
    return [place for at, item in below for place in (at, *places(item, at))]


def put(value: Any, at: Pointer, new: object) -> None:
    """Replace a part of a value, as a fill does."""
    *holders, last = at.tokens
    for token in holders:
        value = value[int(token) if isinstance(value, list) else token]
    value[int(last) if isinstance(value, list) else last] = new


@PROPERTY
@given(json_values, st.data())
def test_template(sample: Any, data: st.DataObject) -> None:
    """The template's bytes with the filled values between them are the JSON of the sample with those values."""
    candidates = places(sample, Pointer(()))
    drawn = data.draw(st.lists(st.sampled_from(candidates), unique=True, max_size=4)) if candidates else []
    holes = [at for at in drawn if not any(other != at and other.covers(at) for other in drawn)]
    fill = {f"/body{at}": {"new": "timestamp", "plus": number} for number, at in enumerate(holes)}
    answers, messages = answers_of({"200": plain(sample, fill=fill)})
    assert messages == []
    answer = answers["one"]
    assert len(answer.fills) == len(holes) == len(answer.body) - 1
    literal, filled = [answer.body[0]], [answer.body[0]]
    expected = json.loads(json.dumps(sample))
    for (value, old, _), segment in zip(answer.fills, answer.body[1:], strict=True):
        assert isinstance(value, New)
        put(expected, holes[value.plus], {"filled": value.plus})
        literal += [old, segment]
        filled += [b'{"filled":%d}' % value.plus, segment]
    dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    assert b"".join(literal).decode() == dump(sample)
    assert b"".join(filled).decode() == dump(expected)


@PROPERTY
@given(json_values, st.lists(names.filter(bool), min_size=1, max_size=3).map(tuple))
def test_fill_points_at_something(sample: Any, tokens: tuple[str, ...]) -> None:
    """A fill is an error if, and only if, the sample has nothing at its place."""
    at = Pointer(tokens)
    _, messages = answers_of({"200": plain(sample, fill={f"/body{at}": {"new": "uuid"}})})
    assert messages == ([f"fill points at nothing: /body{at}"] if at.get(sample) is MISSING else [])
