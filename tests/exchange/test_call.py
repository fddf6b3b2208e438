"""Calls: what is packed into a record comes out of it again; ids are never given twice."""

from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.exchange.call import (
    pack_headers,
    pack_params,
    pack_problems,
    unpack_headers,
    unpack_params,
    unpack_problems,
)
from mockserver.exchange.problem import KINDS, Problem
from mockserver.exchange.sources import Sources

names = st.from_regex(r"[!#$%&'*+.^_`|~0-9a-z-]{1,8}", fullmatch=True)
values = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=12)
problems = st.builds(Problem, st.sampled_from(KINDS), st.text(max_size=5), st.text(max_size=5), st.text(max_size=5))


@given(st.lists(st.tuples(names, values), max_size=4))
@settings(deadline=None, max_examples=100, derandomize=True)
def test_headers_come_back_in_order(headers: list[tuple[str, str]]) -> None:
    """Whatever stands in a header, colons and repeated names among it."""
    packed = pack_headers([(name.encode(), value.encode("latin-1")) for name, value in headers])
    assert unpack_headers(packed) == [[name, value] for name, value in headers]


@given(st.lists(problems, max_size=3))
@settings(deadline=None, max_examples=50, derandomize=True)
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


def test_real_sources_never_repeat() -> None:
    """Ids differ within a run and between runs; the sequence increases; the clock is this machine's."""
    one, other = Sources.real(), Sources.real()
    ids = [source.call_id() for source in (one, other) for _ in range(100)]
    assert len(set(ids)) == 200
    assert len({one.uuid() for _ in range(100)}) == 100
    assert [one.sequence(), one.sequence(), other.sequence()] == [9001, 9002, 9001]
    assert one.now() <= other.now()
