"""Faults: how they are written, when they strike, what they leave of a response, and what is recorded."""

import json
import math
import statistics
from typing import Any

import msgspec
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from mockserver.engine.call import RecordedCall
from mockserver.engine.fault import (
    GARBAGE,
    LOSING,
    MAX_DELAY,
    SPOILING,
    Fault,
    FaultError,
    planned,
    read_fault,
)
from mockserver.engine.pin import PinState, literal
from mockserver.engine.response import RenderedResponse
from tests.engine.workbench import Bench, request
from tests.properties import examples

NEEDED = {"delay": {"seconds": 1}}  # what a kind cannot do without
DELAYS = {"seconds", "uniform", "lognormal"}
MANY = range(3000)
PROPERTY = settings(deadline=None, database=None, derandomize=True, max_examples=examples(100))


def declared_length(response: RenderedResponse) -> int:
    """The bytes of body that a response's headers promise."""
    return int(dict(response.headers)[b"content-length"])


def fault(kind: str = "delay", **members: Any) -> Fault:
    return read_fault({"kind": kind, **({} if members.keys() & DELAYS else NEEDED.get(kind, {})), **members})


@pytest.mark.parametrize("kind", sorted(LOSING | SPOILING))
def test_as_little_as_can_be_said(kind: str) -> None:
    """A kind alone strikes the next request, and that one only; what was written can be shown again."""
    written = {"kind": kind, **NEEDED.get(kind, {})}
    found = read_fault(written)
    assert (found.kind, found.times, found.probability, found.seed) == (kind, 1, 1, 0)
    assert found.strikes(0)
    assert found.loses_reply == (kind in LOSING)
    assert found.written == written


@pytest.mark.parametrize(
    ("written", "pointer"),
    [
        pytest.param("reset", "", id="no-object"),
        pytest.param(None, "", id="null"),
        pytest.param({}, "/kind", id="no-kind"),
        pytest.param({"kind": "flood"}, "/kind", id="unknown-kind"),
        pytest.param({"kind": ["reset"]}, "/kind", id="kind-no-text"),
        pytest.param({"kind": "reset", "a/b~c": 1}, "/a~1b~0c", id="unknown-member"),
        pytest.param({"kind": "reset", "seconds": 1}, "/seconds", id="member-of-another-kind"),
        pytest.param({"kind": "dribble", "uniform": [1, 2]}, "/uniform", id="dribble-by-chance"),
        pytest.param({"kind": "reset", "times": 0}, "/times", id="never"),
        pytest.param({"kind": "reset", "times": 1.5}, "/times", id="times-no-whole-number"),
        pytest.param({"kind": "reset", "times": True}, "/times", id="times-boolean"),
        pytest.param({"kind": "reset", "times": 1_000_001}, "/times", id="too-often"),
        pytest.param({"kind": "reset", "probability": 1.01}, "/probability", id="more-than-sure"),
        pytest.param({"kind": "reset", "probability": "1"}, "/probability", id="probability-text"),
        pytest.param({"kind": "reset", "probability": None}, "/probability", id="probability-null"),
        pytest.param({"kind": "reset", "probability": math.nan}, "/probability", id="probability-nan"),
        pytest.param({"kind": "reset", "seed": -1}, "/seed", id="seed-negative"),
        pytest.param({"kind": "reset", "seed": 2**63}, "/seed", id="seed-too-large"),
        pytest.param({"kind": "delay"}, "", id="delay-of-nothing"),
        pytest.param({"kind": "delay", "seconds": 1, "uniform": [1, 2]}, "", id="two-delays"),
        pytest.param({"kind": "delay", "seconds": 60.1}, "/seconds", id="too-long"),
        pytest.param({"kind": "delay", "seconds": -1}, "/seconds", id="back-in-time"),
        pytest.param({"kind": "delay", "seconds": True}, "/seconds", id="seconds-boolean"),
        pytest.param({"kind": "delay", "uniform": 1}, "/uniform", id="uniform-no-list"),
        pytest.param({"kind": "delay", "uniform": [1]}, "/uniform", id="uniform-of-one"),
        pytest.param({"kind": "delay", "uniform": [1, "2"]}, "/uniform/1", id="uniform-text"),
        pytest.param({"kind": "delay", "uniform": [2, 1]}, "/uniform", id="uniform-reversed"),
        pytest.param({"kind": "delay", "lognormal": [1, 2]}, "/lognormal", id="lognormal-list"),
        pytest.param({"kind": "delay", "lognormal": {"median": 1}}, "/lognormal", id="no-sigma"),
        pytest.param({"kind": "delay", "lognormal": {"median": 61, "sigma": 1}}, "/lognormal/median", id="median"),
        pytest.param({"kind": "delay", "lognormal": {"median": 1, "sigma": 11}}, "/lognormal/sigma", id="sigma"),
        pytest.param({"kind": "dribble", "chunks": 1}, "/chunks", id="one-chunk"),
        pytest.param({"kind": "dribble", "chunks": 1001}, "/chunks", id="too-many-chunks"),
        pytest.param({"kind": "delay", "seconds": 1, "chunks": 2}, "/chunks", id="chunks-of-a-delay"),
    ],
)
def test_mistakes(written: Any, pointer: str) -> None:
    """What is wrong is told with its place, whatever was written."""
    with pytest.raises(FaultError) as caught:
        read_fault(written)
    assert caught.value.pointer == pointer


@pytest.mark.parametrize(
    "written",
    [
        {"kind": "reset", "times": None, "probability": 0, "seed": 2**63 - 1},
        {"kind": "reset", "times": 1_000_000, "probability": 1.0},
        {"kind": "delay", "seconds": 0},
        {"kind": "delay", "seconds": 60},
        {"kind": "delay", "uniform": [0, 60]},
        {"kind": "delay", "uniform": [1, 1]},
        {"kind": "delay", "lognormal": {"median": 0, "sigma": 10}},
        {"kind": "dribble", "seconds": 60, "chunks": 1000},
        {"kind": "dribble", "chunks": 2},
    ],
)
def test_the_utmost(written: dict[str, Any]) -> None:
    """Each bound belongs to what may be written."""
    assert read_fault(written).written == written


@pytest.mark.parametrize("probability", [0, 0.01, 0.3, 0.5, 0.99, 1])
def test_probability(probability: float) -> None:
    """About so many of many requests are hit; at 0 none, at 1 all."""
    struck = sum(fault("reset", probability=probability, seed=7).strikes(number) for number in MANY)
    assert struck / len(MANY) == pytest.approx(probability, abs=0.03 if 0 < probability < 1 else 0)


def test_chance_is_repeated_by_its_seed() -> None:
    """The same seed hits the same requests after the same delays; another seed hits others."""
    written = {"kind": "delay", "uniform": [0, 1], "probability": 0.5, "seed": 1}
    fates = [[(f.strikes(n), f.seconds(n)) for n in MANY] for f in (read_fault(written), read_fault(dict(written)))]
    assert fates[0] == fates[1]
    other = read_fault({**written, "seed": 2})
    agreeing = sum(other.strikes(n) == struck for n, (struck, _) in enumerate(fates[0]))
    assert agreeing / len(MANY) == pytest.approx(0.5, abs=0.05)


@PROPERTY
@given(st.floats(0, MAX_DELAY), st.floats(0, MAX_DELAY), st.integers(0, 2**63 - 1), st.integers(0, 10**6))
def test_delays_keep_their_bounds(one: float, other: float, seed: int, number: int) -> None:
    """A fixed delay is what it says, a uniform one lies between its ends, none is longer than the longest."""
    least, most = sorted((one, other))
    assert fault(seconds=one, seed=seed).seconds(number) == one
    assert least <= fault(uniform=[least, most], seed=seed).seconds(number) <= most
    assert 0 <= fault(lognormal={"median": one, "sigma": 10}, seed=seed).seconds(number) <= MAX_DELAY
    assert fault(lognormal={"median": one, "sigma": 0}, seed=seed).seconds(number) == one


def test_delays_are_spread() -> None:
    """Uniform delays fill their range; lognormal ones have their median and sigma."""
    uniform = [fault(uniform=[1, 3]).seconds(number) for number in MANY]
    assert statistics.quantiles(uniform, n=4) == pytest.approx([1.5, 2, 2.5], abs=0.05)
    lognormal = [math.log(fault(lognormal={"median": 0.5, "sigma": 0.4}).seconds(number)) for number in MANY]
    assert statistics.median(lognormal) == pytest.approx(math.log(0.5), abs=0.03)
    assert statistics.stdev(lognormal) == pytest.approx(0.4, abs=0.03)


def test_a_rare_delay_is_as_long_as_a_frequent_one() -> None:
    """Which requests are hit says nothing about how long they wait."""
    rare = fault(uniform=[0, 1], probability=0.2)
    waits = [rare.seconds(number) for number in MANY if rare.strikes(number)]
    assert statistics.quantiles(waits, n=4) == pytest.approx([0.25, 0.5, 0.75], abs=0.08)


def response(body: bytes, status: int = 200) -> RenderedResponse:
    return RenderedResponse.of(status, [(b"content-type", b"application/json")], body)


@PROPERTY
@given(st.binary(max_size=60) | st.recursive(st.integers() | st.text(), st.lists).map(lambda v: json.dumps(v).encode()))
@example(b"")
@example(b"}")
@example(b"[" * 100_000)
@example(b"{}  \n")
def test_malformed_is_never_json(body: bytes) -> None:
    """The headers stay right, and no body is one that a client could read after all."""
    broken = planned(fault("malformed"), response(body))
    assert (broken.status, dict(broken.headers)[b"content-type"]) == (200, b"application/json")
    assert declared_length(broken) == len(broken.body) > 0
    with pytest.raises((ValueError, RecursionError)):
        json.loads(broken.body)


@PROPERTY
@given(st.binary(max_size=60))
def test_truncated_is_always_less(body: bytes) -> None:
    """What was promised stays promised (one byte where there was none), and the first half of it is left."""
    cut = planned(fault("truncate"), response(body))
    assert declared_length(cut) == (len(body) or 1)
    assert cut.body == body[: len(body) // 2]
    assert len([name for name, _ in cut.headers if name == b"content-length"]) == 1


@pytest.mark.parametrize("kind", sorted(LOSING))
def test_nothing_is_left_of_a_lost_reply(kind: str) -> None:
    """Status, headers and body are gone; garbage comes in their place."""
    assert planned(fault(kind), response(b"{}")) == RenderedResponse(0, b"", GARBAGE if kind == "garbage" else b"")


@pytest.mark.parametrize("kind", sorted(SPOILING))
@pytest.mark.parametrize("status", [204, 304])
def test_what_has_no_place_for_a_body_stays_whole(kind: str, status: int) -> None:
    """HTTP ends these answers with their headers, so nothing of them can be broken."""
    assert planned(fault(kind), response(b"", status)) == response(b"", status)


def test_garbage_is_no_http() -> None:
    """It begins like no status line, and holds no line end before bytes that no header has."""
    assert not GARBAGE.startswith(b"HTTP/")
    assert b"\x00" in GARBAGE.partition(b"\r\n")[0]


def pin(kind: str, *entries: Any, times: int | None = 1, **members: Any) -> PinState:
    """A pin of the first account's messages."""
    return PinState("p-1", "one", "acme.send_sms", entries, (), fault=fault(kind, times=times, **members))


@PROPERTY
@given(st.integers(1, 20), st.floats(0.2, 1), st.integers(0, 1000))
def test_a_fault_is_used_up_by_those_it_hits(times: int, probability: float, seed: int) -> None:
    """Requests that chance spares cost nothing; after so many hits the pin is spent."""
    left, hits = pin("reset", times=times, probability=probability, seed=seed), 0
    while not left.is_spent:
        assume(left.met < 400)
        assert left.left == times - hits
        hits += left.striking is not None
        left = left.after_request()
    assert (hits, left.left, left.met >= times) == (times, 0, True)


def test_a_fault_without_end() -> None:
    """It strikes as often as there are requests."""
    left = pin("reset", times=None)
    for _ in range(50):
        assert left.striking is not None
        left = left.after_request()
    assert (left.left, left.is_spent, left.met) == (None, False, 50)


def test_answers_beside_a_fault() -> None:
    """Each hit uses one answer, the last one stays as long as the fault does, and so does no answer at all."""
    left = pin("delay", "first", "second", times=4, seconds=0)
    seen: list[Any] = []
    while not left.is_spent:
        seen.append(left.entry)
        left = left.after_request()
    assert seen == ["first", "second", "second", "second"]
    assert pin("reset").entry is None


def decided(bench: Bench, pinned: PinState, key: str = "") -> RecordedCall:
    """The call of a message under a pin."""
    body = {"from": bench.mine["lines"][0]["number"], "to": "+15"}
    found = request("send_sms", headers={"x-key": key or bench.mine["key"]}, body=body)
    facts = msgspec.structs.replace(bench.facts(), pins={"one": (pinned,)})
    return bench.engine.decide(found, facts).call


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize("kind", sorted(LOSING))
def test_lost_without_an_answer(bench: Bench, kind: str) -> None:
    """The vendor never came to an answer; the request and whose it is are recorded all the same."""
    call = decided(bench, pin(kind))
    assert (call.answer, call.evidence, call.chosen_by, call.accepted, call.fault) == ("", "", "", 0, kind)
    assert (call.account, call.operation, call.recipient, call.status) == ("one", "acme.send_sms", "+15", 0)


@pytest.mark.parametrize("kind", sorted(LOSING | SPOILING))
@pytest.mark.parametrize(
    ("entry", "answer", "accepted"),
    [
        pytest.param("sent", "acme.send_sms/sent", 1, id="sent"),
        pytest.param("busy", "acme.send_sms/busy", 0, id="busy"),
        pytest.param(None, "acme.send_sms/sent", 1, id="rules"),
        pytest.param(literal(202, {}, None), "", 1, id="literal"),
        pytest.param(literal(503, {}, {"a": 1}), "", 0, id="literal-error"),
    ],
)
def test_an_answer_given(bench: Bench, kind: str, entry: Any, answer: str, accepted: int) -> None:
    """The vendor has answered, whatever the client gets to see of it."""
    call = decided(bench, pin(kind, entry))
    assert (call.answer, call.accepted, call.fault) == (answer, accepted, kind)


def test_a_refusal_comes_whole(bench: Bench) -> None:
    """A pinned success is not for a request with problems, and so is its fault not."""
    call = decided(bench, pin("reset", "sent"), key="nobody's")
    assert (call.answer, call.fault, call.status) == ("acme.send_sms/refused", "", 400)


def test_a_request_that_chance_spares(bench: Bench) -> None:
    """It is answered as if there were no fault."""
    call = decided(bench, pin("reset", probability=0))
    assert (call.answer, call.fault, call.status) == ("acme.send_sms/sent", "", 202)
