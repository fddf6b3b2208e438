"""Records: a packed call comes out as it went in, and costs the garbage collector nothing."""

import gc
from typing import Any, get_type_hints

from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.exchange.call import Call, pack_params, pack_problems
from mockserver.exchange.problem import Problem
from mockserver.world.record import completed, pack, unpack, weigh
from tests.exchange.workbench import recorded

texts = st.text(st.characters(exclude_categories=()), max_size=6)
jsons = st.dictionaries(texts, texts, max_size=2).map(pack_params)
problems = st.lists(st.builds(Problem, texts, texts, texts, texts), max_size=2).map(tuple).map(pack_problems)
tokens = st.from_regex(r"[!#-'*+.^_`|~0-9A-Za-z-]{0,8}", fullmatch=True)
parts: dict[type, st.SearchStrategy[Any]] = {
    str: texts,
    bytes: st.binary(max_size=6),
    int: st.integers(0, 999),
    float: st.floats(0, 1e12),
}
own = {"method": tokens, "reads": tokens, "fault": tokens, "path_params": jsons, "problems": problems, "notes": jsons}
calls = st.builds(Call, **{name: own.get(name, parts[kind]) for name, kind in get_type_hints(Call).items()})


@given(calls, st.integers(1))
@settings(deadline=None, max_examples=150, derandomize=True)
def test_what_is_packed_is_unpacked(call: Call, number: int) -> None:
    """Every member, whatever text a client wrote into a path."""
    record = pack(number, call)
    assert record[0] == number
    assert unpack(call.account, record) == call
    done = call._replace(outcome="sent", duration_ms=1.5)
    assert unpack(call.account, completed(record, "sent", 1.5)) == done


def test_a_record_is_not_watched_by_the_garbage_collector() -> None:
    """Else a full journal would make the server pause."""
    record = pack(1, recorded(body=b"x" * 100))
    gc.collect()
    assert not gc.is_tracked(record)


def test_a_record_weighs_its_bytes() -> None:
    """Whatever its outcome, so that the sum in the journal stays right."""
    light, heavy = pack(1, recorded()), pack(1, recorded(body=b"x" * 1000, query=b"y"))
    assert weigh(heavy) == weigh(light) + 1001
    assert weigh(completed(heavy, "aborted", 9.0)) == weigh(heavy)
