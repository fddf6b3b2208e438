"""Random plans of faults against a client that keeps its connections: no hang, no crash, a journal that is right."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mockserver.engine.fault import GARBAGE, LOSING
from tests.faults.wire import Customer, Reply, Wire, recorded_body, recorded_headers
from tests.properties import examples

PROPERTY = settings(
    deadline=None,
    database=None,
    derandomize=True,
    max_examples=examples(150),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
MOMENT = 0.01  # seconds: the longest delay of a plan

tiny = st.floats(0, MOMENT)
delays = st.one_of(
    st.fixed_dictionaries({"seconds": tiny}),
    st.tuples(tiny, tiny).map(lambda ends: {"uniform": sorted(ends)}),
    tiny.map(lambda median: {"lognormal": {"median": median / 4, "sigma": 0.3}}),
)
kinds = st.one_of(
    st.sampled_from(["timeout", "reset", "empty", "garbage", "truncate", "malformed"]).map(lambda kind: {"kind": kind}),
    delays.map(lambda delay: {"kind": "delay", **delay}),
    st.fixed_dictionaries({"kind": st.just("dribble"), "seconds": tiny, "chunks": st.integers(2, 20)}),
)
chances = st.fixed_dictionaries(
    {"times": st.none() | st.integers(1, 4)},
    optional={"probability": st.floats(0, 1), "seed": st.integers(0, 2**63 - 1)},
)
answers = st.lists(
    st.sampled_from(["sent", "busy", "refused", "rules", {"status": 204}, {"status": 200, "body": "x" * 70_000}]),
    max_size=3,
)


class Ask(NamedTuple):
    """A request: its method, and whether its key is right."""

    method: str
    is_known: bool


good = Ask("POST", is_known=True)
asks = st.sampled_from([good, good, good, Ask("POST", is_known=False), Ask("GET", is_known=True)])


class Keeper:
    """A client that keeps its connection for as long as it can."""

    def __init__(self, customer: Customer) -> None:
        self._customer = customer
        self._wire: Wire | None = None

    def ask(self, ask: Ask) -> Reply:
        """What it sees of a reply; of one that never comes, after it gave up, nothing."""
        if self._wire is None:
            self._wire = Wire(self._customer.server.port)
        wire = self._wire
        wire.send(self._customer.request(ask.method, key="" if ask.is_known else "nobody's"))
        reply = Reply(b"", "left") if self._is_hopeless(wire) else wire.reply()
        if reply.ending != "whole":
            self.leave()
        return reply

    def _is_hopeless(self, wire: Wire) -> bool:
        """Whether nothing comes, and nothing will: that the server says it never answers is no matter of patience."""
        while wire.is_silent(0.03):
            calls = self._customer.calls(ended=False)
            if calls and calls[-1]["outcome"] == "pending" and calls[-1]["response"]["fault"] == "timeout":
                return True
        return False

    def leave(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None


@pytest.fixture
def keeper(customer: Customer) -> Iterator[Keeper]:
    keeper = Keeper(customer)
    yield keeper
    keeper.leave()


def assert_agrees(reply: Reply, call: dict[str, Any]) -> None:
    """What the client saw is what the journal says was sent."""
    response, body = call["response"], recorded_body(call, reply.body)
    fault = response["fault"]
    lost = {"timeout": (b"", "left"), "reset": (b"", "reset"), "empty": (b"", "closed"), "garbage": (GARBAGE, "closed")}
    if fault in LOSING:
        assert reply == lost[fault]
        assert (response["status"], call["outcome"], body) == (0, "aborted", reply.raw)
        return
    assert (response["status"], call["outcome"]) == (reply.status, "sent")
    assert reply.body == body
    sent = recorded_headers(call)
    assert sent == {name: value for name, value in reply.headers.items() if name in sent}
    cut = fault == "truncate" and reply.status != 204
    assert (int(sent.get("content-length", "0")) > len(body)) == cut
    assert reply.ending == ("closed" if cut else "whole")
    if fault == "malformed" and reply.status != 204:
        with pytest.raises(ValueError, match=r"."):
            json.loads(body)


@PROPERTY
@given(
    plan=st.tuples(kinds, chances).map(lambda parts: {**parts[0], **parts[1]}),
    pinned=answers,
    asked=st.lists(asks, min_size=1, max_size=6),
)
def test_plans(customer: Customer, keeper: Keeper, plan: dict[str, Any], pinned: list[Any], asked: list[Ask]) -> None:
    """Each request is recorded once, as it ended for the client; then the account is as good as before."""
    customer.reset()
    customer.suffer(plan, *pinned)
    seen = [keeper.ask(ask) for ask in asked]
    calls = customer.calls()
    assert len(calls) == len(asked)
    for reply, call in zip(seen, calls, strict=True):
        assert_agrees(reply, call)
    struck = [call["response"]["fault"] for call in calls if call["response"]["fault"]]
    assert set(struck) <= {plan["kind"]}
    assert len(struck) <= (plan["times"] or len(asked))
    if not pinned and plan.get("probability", 1) == 1:
        assert len(struck) == min(plan["times"] or len(asked), len(asked))
    customer.reset()
    assert keeper.ask(good).status == 202
