"""Which answers of the contracts were met: what is counted stays counted."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from mockserver.coverage.tally import GONE, MAX_TESTS_PER_ANSWER, Coverage, Met, Tally, value_key
from mockserver.engine.request import ParsedRequest
from mockserver.spec.pointer import Pointer
from mockserver.store.accounts import Registry
from mockserver.store.journal import Journal, Query
from mockserver.store.store import Store
from tests.engine.workbench import acme, arrive, fixed_sources, operation, parse, recorded, request

PLAIN = request("send_sms")
SENT, BUSY = "acme.send_sms/sent", "acme.send_sms/busy"


def call(answer: str = SENT, account: str = "one", chosen_by: str = "default", fault: str = "") -> Any:
    return recorded(account=account, operation="acme.send_sms", answer=answer, chosen_by=chosen_by, fault=fault)


def counts(tally: Tally) -> dict[str, tuple[int, int]]:
    """Natural and forced calls are counted by answer."""
    return {name: (met.natural, met.forced) for name, met in tally.answers.items()}


@pytest.mark.parametrize(
    ("chosen_by", "expected"),
    [("default", (1, 0)), ("rule", (1, 0)), ("prefer", (0, 1)), ("pin", (0, 1)), ("magic", (0, 1))],
)
def test_natural_or_forced(chosen_by: str, expected: tuple[int, int]) -> None:
    """An answer by the vendor's own rules is natural; one that a test or client asked for is forced."""
    coverage = Coverage()
    coverage.add(call(chosen_by=chosen_by), PLAIN)
    assert counts(coverage.total) == counts(coverage.of("one")) == {SENT: expected}


def test_accounts_apart_and_all_together() -> None:
    """Each account has its own tally; the total outlives them, and an unknown account has met nothing."""
    coverage = Coverage()
    for one in (call(), call(), call(BUSY, "two"), call(account="")):
        coverage.add(one, PLAIN)
    assert counts(coverage.of("one")) == {SENT: (2, 0)}
    assert counts(coverage.of("two")) == {BUSY: (1, 0)}
    coverage.forget("one")
    coverage.forget("never here")
    assert counts(coverage.of("one")) == counts(coverage.of("three")) == {}
    assert counts(coverage.of(None)) == {SENT: (3, 0), BUSY: (1, 0)}


def test_tests() -> None:
    """An account's calls count for its test, which is listed once; without a test for none."""
    coverage = Coverage()
    coverage.add(call(), PLAIN)
    for test in ("t::one", "t::two", "t::one"):
        coverage.belongs("one", test)
        coverage.add(call(), PLAIN)
    coverage.add(call(BUSY, "two"), PLAIN)
    assert coverage.total.answers[SENT] == Met(4, 0, {"t::one": None, "t::two": None})
    assert coverage.total.answers[BUSY] == Met(1, 0)
    coverage.forget("one")
    coverage.add(call(BUSY), PLAIN)
    assert coverage.total.answers[BUSY] == Met(2, 0), "another account of this id is not that test's"


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that runs for months keeps a hundred tests an answer, and few counts before it adds them up."""
    coverage = Coverage()
    for number in range(MAX_TESTS_PER_ANSWER + 5):
        coverage.belongs("one", f"t::{number}")
        coverage.add(call(), PLAIN)
    coverage.belongs("two", "t::another")
    coverage.add(call(account="two"), PLAIN)
    for tally, calls in ((coverage.of("one"), MAX_TESTS_PER_ANSWER + 5), (coverage.total, MAX_TESTS_PER_ANSWER + 6)):
        met = tally.answers[SENT]
        assert (met.natural, len(met.tests)) == (calls, MAX_TESTS_PER_ANSWER)
    monkeypatch.setattr("mockserver.coverage.tally.MAX_OPEN_COUNTS", 3)
    for number in range(10):
        coverage.add(call(answer=f"acme.send_sms/other{number}"), PLAIN)
        assert sum(len(counts.since) for counts in vars(coverage)["_accounts"].values()) <= 3
    assert len(coverage.of("one").answers) == 11


def test_what_has_no_answer() -> None:
    """A literal response meets no answer of the contract; of a reply lost before an answer only the fault counts."""
    coverage = Coverage()
    coverage.add(call("", chosen_by="pin"), request("send_sms", body={"to": "1"}))
    assert coverage.of("one") == coverage.total == Tally()
    for answer in ("", SENT, SENT):
        coverage.add(call(answer, fault="reset"), PLAIN)
    coverage.add(call(fault="delay"), PLAIN)
    for tally in (coverage.of("one"), coverage.total):
        assert tally.faults == {"acme.send_sms": {"reset": 3, "delay": 1}}
        assert counts(tally) == {SENT: (3, 0)}


def test_fields_and_values() -> None:
    """Fields and values add up over calls, for the account and for all; those of no contract are left out."""
    coverage = Coverage()
    coverage.add(call(), asking(body={"to": "1", "mine": 2}))
    coverage.add(call(BUSY), asking(body={"to": "1", "text": "yes"}))
    coverage.add(call(BUSY), asking(body={"text": "no"}))
    coverage.add(call(BUSY), asking(body={"text": "maybe"}))
    for body in ([{"from": 1}], "from", None, b"{"):
        coverage.add(call(BUSY), asking(body=body))
    for tally in (coverage.of("one"), coverage.total):
        assert tally.fields["acme.send_sms"] == {"/body/to", "/body/text", "/header/x-key"}
        found = {at: set(values) for at, values in tally.values["acme.send_sms"].items()}
        assert found == {"/body/text": {value_key("yes"), value_key("no")}, "/header/x-key": {value_key("k")}}
    coverage.forget("one")
    coverage.add(call(), asking(body={"text": "yes", "from": "1"}))
    assert coverage.of("one").fields["acme.send_sms"] == {"/body/text", "/body/from", "/header/x-key"}
    assert coverage.total.fields["acme.send_sms"] == {"/body/to", "/body/text", "/body/from", "/header/x-key"}
    assert coverage.total.values["acme.send_sms"]["/body/text"].keys() == {value_key("yes"), value_key("no")}


def asking(body: Any) -> ParsedRequest:
    """A message to an operation two of whose fields have only a few values."""
    enumerated = ((Pointer(("body", "text")), ("yes", "no")), (Pointer(("header", "x-key")), ("k", "l")))
    declared = (*operation("send_sms").declared, ("/header/x-key", "header", "x-key"))
    few = replace(operation("send_sms"), enumerated=enumerated, declared=declared)
    return parse(few, arrive("send_sms", headers={"x-key": "k"}, body=body))


def test_what_is_new_is_taken_once() -> None:
    """Whoever collects what is new, piece by piece, has all of it; what is told here stays the same meanwhile."""
    coverage, collected = Coverage(), Coverage()

    def collect() -> set[str]:
        taken = coverage.take()
        for account, met in taken.items():
            collected.restore(account, met)
        return set(taken)

    coverage.belongs("one", "t::one")
    assert collect() == set()
    coverage.add(call(), asking(body={"to": "1", "text": "yes"}))
    assert collect() == {"one"}
    assert collect() == set()
    coverage.add(call(), asking(body={"text": "no"}))
    coverage.add(call(BUSY, "two", fault="delay"), PLAIN)
    before = coverage.total
    assert collect() == {"one", "two"}
    for account in ("one", "two", None):
        assert coverage.of(account) == collected.of(account)
    assert coverage.total == before
    assert counts(before) == {SENT: (2, 0), BUSY: (1, 0)}


def test_what_a_deleted_account_had_met_is_taken_whole() -> None:
    """Whoever collects can drop what it has of the account."""
    coverage = Coverage()
    coverage.add(call(), PLAIN)
    coverage.take()
    coverage.add(call(BUSY), PLAIN)
    coverage.forget("one")
    assert {account: counts(met) for account, met in coverage.take().items()} == {GONE: {SENT: (1, 0), BUSY: (1, 0)}}


def test_value_key() -> None:
    """The key is the same for values that are the same in JSON, and different for all others."""
    assert value_key(1) == value_key(1.0)
    assert value_key({"a": 1, "b": 2}) == value_key({"b": 2, "a": 1})
    different = [1, True, "1", 1.5, None, "null", [1], ["1"], {}, []]
    assert len({value_key(value) for value in different}) == len(different)


def test_nothing_that_follows_takes_it_away() -> None:
    """A call that is evicted, reset or deleted with its account still counts."""

    async def scenario() -> None:
        store = Store(Registry((acme(),)), Journal(2, 10**6), fixed_sources())
        await store.add_account("one", {}, test="t::one")
        for _ in range(5):
            await store.commit(call(), request=request("send_sms", body={"to": "1"}))
        assert len((await store.calls(Query(account="one"))).calls) == 2
        await store.reset_account("one")
        assert counts(await store.coverage("one")) == {SENT: (5, 0)}
        await store.remove_account("one")
        assert counts(await store.coverage("one")) == {}
        total = await store.coverage(None)
        assert total.answers[SENT] == Met(5, 0, {"t::one": None})
        assert total.fields["acme.send_sms"] == {"/body/to"}

    asyncio.run(scenario())
