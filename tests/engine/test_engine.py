"""The decision: whose call it is, what is wrong, what is answered, and what is recorded."""

import gc
import json
import weakref
from typing import Any

import pytest
from msgspec.structs import replace

from mockserver.engine.call import RecordedCall, unpack_headers, unpack_problems
from mockserver.engine.effects import KeepRecord
from mockserver.engine.engine import Decision, Engine
from mockserver.engine.signing import sign
from tests.engine.workbench import NOW, Bench, acme, arrive, fixed_sources, operation, parse, request


@pytest.fixture
def bench() -> Bench:
    return Bench()


def sent(bench: Bench, key: str, line: str, **body: Any) -> RecordedCall:
    headers = {"x-key": key} if key else {}
    return bench.decide(request("send_sms", headers=headers, body={"from": line, "to": "+15", **body})).call


def kinds(call: RecordedCall) -> list[str]:
    return [problem["kind"] for problem in unpack_problems(call.problems)]


def test_a_good_call(bench: Bench) -> None:
    """What is recorded is what arrived, what was answered and why."""
    arrival = arrive(
        "send_sms",
        headers={"x-key": bench.mine["key"], "x-other": "1: 2"},
        body={"from": bench.mine["lines"][0]["number"], "to": "+15", "text": "Hi"},
        query="q=1",
        params={"p": "x"},
    )
    decision = bench.decide(parse(operation("send_sms"), arrival))
    call = decision.call
    assert (call.account, call.vendor, call.operation, call.answer) == (
        "one",
        "acme",
        "acme.send_sms",
        "acme.send_sms/sent",
    )
    assert (call.evidence, call.accepted, call.chosen_by, call.recipient) == ("page", 1, "default", "+15")
    assert (call.problems, call.outcome, call.received_at, call.number) == ("", "pending", NOW, 0)
    assert (call.method, call.path, call.query, call.reads) == ("POST", "/messages", b"q=1", "json")
    assert (call.body, json.loads(call.path_params)) == (arrival.body, {"p": "x"})
    assert ["x-other", "1: 2"] in unpack_headers(call.headers)
    assert (call.status, json.loads(call.response_body)["id"]) == (202, "a-uuid")
    assert ["content-length", str(len(call.response_body))] in unpack_headers(call.response_headers)
    assert decision.problem is None


@pytest.mark.parametrize(
    ("key", "line", "account"),
    [
        pytest.param("mine", "mine", "one", id="verified"),
        pytest.param("mine", "theirs", "one", id="verified-before-owner"),
        pytest.param("", "theirs", "two", id="owner-of-the-first-value"),
        pytest.param("wrong", "theirs", "two", id="owner-where-the-key-is-nobodys"),
        pytest.param("", "nobody's", "", id="unclaimed"),
    ],
)
def test_attribution(bench: Bench, key: str, line: str, account: str) -> None:
    """A call belongs to its verified account, else to whom an owned value points at, else to nobody."""
    keys = {"mine": bench.mine["key"], "theirs": bench.theirs["key"]}
    lines = {"mine": bench.mine["lines"][0]["number"], "theirs": bench.theirs["lines"][0]["number"]}
    assert sent(bench, keys.get(key, key), lines.get(line, line)).account == account


@pytest.mark.parametrize(("secret", "answer"), [("right", "done"), ("wrong", "refused")])
def test_attribution_by_an_unverified_credential(bench: Bench, secret: str, answer: str) -> None:
    """A token with a bad signature still says whose it claims to be; so the test that sent it sees the call."""
    client = bench.theirs["clients"][0]
    text = sign({"alg": "HS256"}, {"app": client["id"], "iat": NOW}, client["secret"] if secret == "right" else "x")
    call = bench.decide(request("by_claim", headers={"authorization": f"Bearer {text}"})).call
    assert (call.account, call.answer) == ("two", f"acme.by_claim/{answer}")


def test_problems_stand_in_the_order_a_request_meets_them(bench: Bench) -> None:
    """All are recorded, whichever decided, at most one of a kind at a place."""
    call = sent(bench, "wrong", "999", to="x", text="t" * 21)
    assert kinds(call) == ["unauthenticated", "invalid", "invalid", "unknown"]
    assert (call.answer, call.accepted, call.chosen_by) == ("acme.send_sms/too_long", 0, "rule")
    assert call.evidence == "assumed"
    twice = request("get_typed", params={"number": "5"}, query="whole=x&whole=y")
    assert [p["reason"] for p in unpack_problems(bench.decide(twice).call.problems)] == ["repeated"]


def test_the_answer_is_about_its_problem(bench: Bench) -> None:
    """The decision tells which problem it answers; a foreign number is one."""
    found = request(
        "send_sms",
        headers={"x-key": bench.mine["key"]},
        body={"from": bench.theirs["lines"][0]["number"], "to": "1"},
    )
    decision = bench.decide(found)
    assert decision.problem is not None
    assert (decision.problem.kind, decision.problem.at) == ("foreign", "/body/from")
    assert json.loads(decision.call.response_body) == {"field": "from", "value": bench.theirs["lines"][0]["number"]}


def test_rules_read_the_account_and_what_is_bound(bench: Bench) -> None:
    """A condition on the record of an owned value holds for that record only."""
    opened, closed = bench.mine["lines"]
    assert sent(bench, bench.mine["key"], closed["number"]).answer == "acme.send_sms/closed"
    assert sent(bench, bench.mine["key"], opened["number"]).answer == "acme.send_sms/sent"


def test_a_preferred_answer_is_recorded_as_such(bench: Bench) -> None:
    """Problems are recorded whichever decided; a failure that the vendor calls 200 is not accepted."""
    found = request("send_sms", headers={"prefer": "example=busy"}, body={"from": "999", "to": "1"})
    decision = bench.decide(found)
    assert (decision.call.answer, decision.call.chosen_by, decision.call.status) == (
        "acme.send_sms/busy",
        "prefer",
        200,
    )
    assert decision.call.accepted == 0
    assert kinds(decision.call) == ["unauthenticated", "unknown"]
    assert decision.problem is not None


def test_ids_of_a_seeded_account(bench: Bench) -> None:
    """They come from its seed and from how many were drawn before; the call says how many it has drawn."""
    found = request(
        "send_sms",
        headers={"x-key": bench.mine["key"]},
        body={"from": bench.mine["lines"][0]["number"], "to": "1"},
    )

    def decided(drawn: int) -> Decision:
        return bench.engine.decide(found, replace(bench.facts(), seeds={"one": (7, drawn)}))

    first, again, second = decided(0), decided(0), decided(2)
    assert first.call.response_body == again.call.response_body != second.call.response_body
    assert json.loads(first.call.response_body)["number"] == 9002
    assert (first.uses.drawn, second.uses.drawn) == ((0, 2), (2, 4))
    assert bench.engine.decide(found, bench.facts()).uses.drawn is None
    assert bench.engine.decide(found, replace(bench.facts(), seeds={"two": (7, 0)})).uses.drawn is None


def test_what_an_accepted_send_leaves(bench: Bench) -> None:
    """A record under its id, made with the answer."""
    body = {"from": bench.mine["lines"][0]["number"], "to": "1"}
    found = request("send_sms", headers={"x-key": bench.mine["key"]}, body=body)
    (kept,) = bench.engine.decide(found, bench.facts()).uses.effects
    assert isinstance(kept, KeepRecord)
    assert (kept.list_name, kept.record["text"], kept.key) == ("texts", "", kept.record["id"])


def test_equal_texts_are_one_object(bench: Bench) -> None:
    """In a journal of a million calls a path takes room once; one that is long and may never come again is not kept."""
    for length, is_one in [(1_000, True), (2_000, False)]:
        arrivals = [replace(arrive("send_sms"), path="/" + "x" * length) for _ in range(2)]
        requests = [bench.engine.parse(operation("send_sms"), arrival) for arrival in arrivals]
        first, second = (bench.engine.decide(one, bench.facts()).call for one in requests)
        assert first.path == second.path
        assert (first.path is second.path) == is_one
        assert first.headers is second.headers


def test_engines_share_nothing() -> None:
    """What one remembers another has to find out; both go when nobody uses them any more."""
    one, other = (Engine((acme(),), fixed_sources()) for _ in range(2))
    arrival = arrive("send_sms", headers={"x-key": "k"}, body={})
    head = one.parse(operation("send_sms"), arrival).head
    assert one.parse(operation("send_sms"), arrival).head is head
    assert other.parse(operation("send_sms"), arrival).head is not head
    gone = weakref.ref(one)
    del one
    gc.collect()
    assert gone() is None


def test_an_operation_that_answers_nothing_is_an_error_of_ours(bench: Bench) -> None:
    """A bare dispatch whose rules let something through says so by name; the contract's check should have."""
    with pytest.raises(LookupError, match=r"acme\.rpc"):
        bench.decide(request("rpc"))
