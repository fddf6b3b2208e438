"""Calls: flat, what is packed comes out again; ids are never given twice."""

import gc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.engine.call import (
    call_id,
    call_number,
    pack_headers,
    pack_params,
    pack_problems,
    unpack_headers,
    unpack_params,
    unpack_problems,
)
from mockserver.engine.problem import KINDS, Problem
from tests.engine.workbench import recorded
from tests.properties import examples

names = st.from_regex(r"[!#$%&'*+.^_`|~0-9a-z-]{1,8}", fullmatch=True)
values = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=12)
problems = st.builds(Problem, st.sampled_from(KINDS), st.text(max_size=5), st.text(max_size=5), st.text(max_size=5))


@given(st.lists(st.tuples(names, values), max_size=4))
@settings(deadline=None, max_examples=examples(100), derandomize=True)
def test_headers_come_back_in_order(headers: list[tuple[str, str]]) -> None:
    """Whatever stands in a header, colons and repeated names among it."""
    packed = pack_headers([(name.encode(), value.encode("latin-1")) for name, value in headers])
    assert unpack_headers(packed) == [[name, value] for name, value in headers]


@given(st.lists(problems, max_size=3))
@settings(deadline=None, max_examples=examples(50), derandomize=True)
def test_problems_come_back(found: list[Problem]) -> None:
    """All that is told of a problem; the value that stood there is in the request."""
    expected = [{"kind": p.kind, "at": p.at, "reason": p.reason, "message": p.message} for p in found]
    assert unpack_problems(pack_problems(tuple(found))) == expected


def test_nothing_takes_no_room() -> None:
    """Most calls have no problem, many no parameter."""
    assert pack_headers([]) == b""
    assert pack_params({}) == pack_problems(()) == ""
    assert unpack_params("") == {}
    assert unpack_params(pack_params({"id": "ü/1", "b": ""})) == {"id": "ü/1", "b": ""}


@given(st.integers(0, 2**53))
@settings(deadline=None, max_examples=examples(100), derandomize=True)
def test_an_id_stands_for_its_number(number: int) -> None:
    """The run, a dash, and the number in it, as long as a run has fewer than 16,777,216 calls."""
    assert call_number(call_id(number)) == number


@pytest.mark.parametrize(
    "text", ["", "-", "a1b2c3", "a1b2c3-", "A1B2C3-000001", "a1b2c3-1", "a1b2c3--00001", "x-y", "٣-٣"]
)
def test_what_is_no_id(text: str) -> None:
    """Nothing but the one way in which an id is written."""
    assert call_number(text) is None


def test_the_garbage_collector_looks_at_no_call() -> None:
    """Neither when it is made nor later: else a full journal would make the server pause."""
    call = recorded(body=b"x" * 100, path="/messages", problems="[]")
    assert not gc.is_tracked(call)
    call.outcome, call.duration_ms = "sent", 1.5
    gc.collect()
    assert not gc.is_tracked(call)
    flat = {str, bytes, int, float, type(call.label)}
    assert {type(getattr(call, name)) for name in call.__struct_fields__} <= flat


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    ("header", "trace"),
    [
        pytest.param(f"00-{TRACE}-00f067aa0ba902b7-01", TRACE, id="as-documented"),
        pytest.param(f" 00-{TRACE}-00f067aa0ba902b7-01 ", TRACE, id="blanks-around"),
        pytest.param(f"cc-{TRACE}-00f067aa0ba902b7-01-more", TRACE, id="a-later-version"),
        pytest.param(f"ff-{TRACE}-00f067aa0ba902b7-01", "", id="no-version"),
        pytest.param(f"00-{'0' * 32}-00f067aa0ba902b7-01", "", id="no-trace"),
        pytest.param(f"00-{TRACE}-{'0' * 16}-01", "", id="no-span"),
        pytest.param(f"00-{TRACE}-00f067aa0ba902b7-01 x", "", id="something-behind"),
        pytest.param(f"00-{TRACE}-00f067aa0ba902b7-01-more", "", id="more-than-the-first-version-has"),
        pytest.param(f"00-{TRACE}-00f067aa0ba902b7-01-", "", id="an-empty-member"),
        pytest.param(f"00-{TRACE.upper()}-00f067aa0ba902b7-01", "", id="upper-case"),
        pytest.param(f"CC-{TRACE}-00f067aa0ba902b7-01", "", id="version-in-upper-case"),
        pytest.param(TRACE, "", id="the-id-alone"),
    ],
)
def test_trace_id(header: str, trace: str) -> None:
    """A request belongs to the trace of its traceparent, where that is as W3C has it, whatever stands around it."""
    packed = pack_headers([(b"host", b"h"), (b"traceparent", header.encode()), (b"x-traceparent", b"y")])
    assert recorded(headers=packed).trace_id == trace
    alone = pack_headers([(b"Traceparent", header.encode())])
    assert recorded(headers=alone).trace_id == trace
    assert recorded(headers=pack_headers([(b"x-traceparent", header.encode())])).trace_id == ""
