"""What a call relied on: the answer's parts, the values it was sent, who chose, how the request was spelled."""

import json
from dataclasses import replace

import msgspec
import pytest

from mockserver.engine.call import RecordedCall
from mockserver.engine.engine import Engine
from mockserver.engine.facts import Budget, Limit
from mockserver.engine.sources import Sources
from mockserver.spec.evidence import Graded
from mockserver.spec.model import RateLimit
from tests.engine.workbench import NOW, Bench, acme, arrive, operation, parse, request


@pytest.fixture
def bench() -> Bench:
    return Bench()


def sent(bench: Bench, **body: str) -> RecordedCall:
    headers = {"x-key": bench.mine["key"], "prefer": body.pop("prefer", "")}
    whole = {"from": bench.mine["lines"][0]["number"], "to": "+15", **body}
    return bench.decide(request("send_sms", headers=headers, body=whole)).call


def parts(call: RecordedCall) -> tuple[str, str]:
    return call.evidence, call.label.parts


def test_values_that_are_the_samples_own(bench: Bench) -> None:
    """A filled value bounds the text only where it differs from the sample's, by the worst that does."""
    assert parts(sent(bench, text="1")) == ("page", "PPPPPP")  # the sequence of these sources is the sample's 7
    assert parts(sent(bench, text="12")) == ("page", "PPPAPP")
    bench.engine = Engine((acme(),), Sources(lambda: NOW, lambda: "a-uuid", lambda: 8))
    assert parts(sent(bench, text="1")) == ("page", "PPPVPP")


def test_what_a_test_chose_is_no_trigger(bench: Bench) -> None:
    """A preference leaves the part out; so does whatever a test chose."""
    assert parts(sent(bench, prefer="example=too_long")) == ("assumed", "A-AA-P")
    assert sent(bench, prefer="example=too_long").label.reasons.count("a guess") == 3


def test_a_refusal_by_a_rule(bench: Bench) -> None:
    """Its parts are the answer's own, with where or why of each."""
    call = sent(bench, text="t" * 21)
    assert parts(call) == ("assumed", "A-AAAP")
    assert json.loads(call.label.reasons)["trigger"] == "a guess"


def test_a_dispatched_request_is_spelled_as_it_came() -> None:
    """The path that names a method in its body has a grade of its own, whatever the method's path has."""
    target = request("rpc", body={"method": "Ping"}).operation
    assert (target.id, target.evidence.grade) == ("acme.ping", "sibling")
    assert operation("ping").evidence == Graded("page", "")


def test_a_known_method_is_not_an_unknown_one() -> None:
    """One that is only known is named by the request; one that nobody knows is a problem."""
    known = request("rpc", body={"method": "Pong"})
    assert (known.known, known.problems) == ("Pong", ())
    unknown = request("rpc", body={"method": "Pang"})
    assert unknown.known == ""
    assert [(p.kind, p.at, p.reason) for p in unknown.problems] == [("invalid", "/body/method", "enum")]


def test_the_limits_figures_bound_the_trigger(bench: Bench) -> None:
    """Where a limit refuses, its figures are part of why."""
    limit = RateLimit(1, 60, None, Graded("sibling", "another channel"))
    limited = replace(operation("send_sms"), rate_limit=limit)
    body = {"from": bench.mine["lines"][0]["number"], "to": "+15"}
    found = parse(limited, arrive("send_sms", headers={"x-key": bench.mine["key"]}, body=body))
    facts = msgspec.structs.replace(bench.facts(), budgets={"one": Budget(Limit(1, 60), 0, 5.0)})
    call = bench.engine.decide(found, facts).call
    assert (call.answer, parts(call)) == ("acme.send_sms/refused", ("sibling", "P-PPSP"))
