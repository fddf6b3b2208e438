"""Rate limits: by what they count, and what a request over one is told."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from mockserver.engine.call import unpack_problems
from mockserver.engine.engine import Decision
from mockserver.engine.facts import Budget, Limit, budget_key
from mockserver.engine.request import ParsedRequest
from mockserver.spec.evidence import Graded
from mockserver.spec.model import RateLimit
from mockserver.spec.pointer import Pointer
from tests.engine.workbench import Bench, arrive, operation, parse

LIMIT = Limit(10, 60.0)


def limited_by(pointer: str | None, body: Any, **headers: str) -> ParsedRequest:
    """A message to an operation whose contract counts by this."""
    by = None if pointer is None else Pointer.parse(pointer)
    counting = replace(operation("send_sms"), rate_limit=RateLimit(10, 60, by, Graded("page", "x")))
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return parse(counting, arrive("send_sms", headers=sent, body=body))


@pytest.mark.parametrize(
    ("by", "body", "key"),
    [
        pytest.param(None, {"from": "1"}, "", id="account"),
        pytest.param("/body/from", {"from": "1"}, "1", id="value"),
        pytest.param("/body/to", {"to": 15}, "15", id="number"),
        pytest.param("/body/from", {}, "", id="no-value"),
        pytest.param("/header/x-key", {}, "k", id="header"),
        pytest.param("/body/to/0", {"to": "1"}, "", id="nothing-below"),
        pytest.param("/body", b"{", "", id="unreadable"),
    ],
)
def test_key(by: str | None, body: Any, key: str) -> None:
    """Requests count by the value that the contract names; those without it count together."""
    assert budget_key(limited_by(by, body, x_key="k"), {}, "one") == key


def test_no_limit_no_key() -> None:
    """An operation whose contract states no limit counts by nothing."""
    assert budget_key(parse(operation("send_sms"), arrive("send_sms", body={"from": "1"})), {}, "one") == ""


@pytest.mark.parametrize(("line", "key"), [("mine", "True"), ("theirs", ""), ("nobody's", "")])
def test_key_in_an_owned_record(bench: Bench, line: str, key: str) -> None:
    """Requests count by what the contract names of a record of their account; other records are nothing to it."""
    lines = {"mine": bench.mine["lines"][0], "theirs": bench.theirs["lines"][0]}
    number = lines[line]["number"] if line in lines else "999"
    assert budget_key(limited_by("/owned/lines/open", {"from": number}), bench.facts().owners, "one") == key


@pytest.mark.parametrize(
    ("wait", "seconds"), [(0.0, 0), (0.001, 1), (0.999, 1), (1.0, 1), (1.001, 2), (59.5, 60), (60.0, 60)]
)
def test_retry_after(wait: float, seconds: int) -> None:
    """Whole seconds, never so few that a client comes too early."""
    assert Budget(LIMIT, 0, wait).retry_after == seconds


def decided(bench: Bench, remaining: int, wait: float, *, key: str = "") -> Decision:
    """The decision on a good message with this budget left."""
    body = {"from": bench.mine["lines"][0]["number"], "to": "+15"}
    found = limited_by("/body/from", body, x_key=key or bench.mine["key"])
    facts = msgspec.structs.replace(bench.facts(), budgets={"one": Budget(LIMIT, remaining, wait)})
    return bench.engine.decide(found, facts)


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


def test_within_the_limit(bench: Bench) -> None:
    """A request that the budget allows is answered as ever, and counts."""
    decision = decided(bench, 1, 0.0)
    assert (decision.call.answer, decision.problem) == ("acme.send_sms/sent", None)
    assert (decision.uses.counts, decision.uses.limit_key) == (True, bench.mine["lines"][0]["number"])


def test_over_the_limit(bench: Bench) -> None:
    """The problem is told with the others, and what is refused for it does not count: else waiting would not help."""
    decision = decided(bench, 0, 12.5)
    assert decision.problem is not None
    assert (decision.problem.kind, decision.problem.at) == ("limited", "/limit")
    assert (decision.call.answer, decision.uses.counts) == ("acme.send_sms/refused", False)


def test_problems_of_the_request_come_first(bench: Bench) -> None:
    """A limit is the last thing that a request meets, so that a wrong key stays the reason of a refusal."""
    body = {"from": bench.mine["lines"][0]["number"], "to": "+15"}
    found = limited_by(None, body, x_key="nobody's")
    facts = msgspec.structs.replace(bench.facts(), budgets={"one": Budget(LIMIT, 0, 1.0)})
    call = bench.engine.decide(found, facts).call
    assert [problem["kind"] for problem in unpack_problems(call.problems)] == ["unauthenticated", "limited"]
