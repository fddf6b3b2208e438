"""Rate limits: sliding windows over an account's own time."""

from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.engine.facts import Limit
from mockserver.store import switches
from mockserver.store.switches import Limits
from tests.properties import examples

PROPERTY = settings(deadline=None, database=None, derandomize=True, max_examples=examples(200))
KEY = ("one", "acme.send_sms", "")

# Quarters of a second: their sums are exact, so that "just now free" can be asked for.
pauses = st.lists(st.integers(0, 40).map(lambda number: number / 4), max_size=60)


def switched_on(requests: int = 3, seconds: float = 10) -> Limits:
    found = Limits()
    found.put("one", "acme.send_sms", Limit(requests, seconds))
    return found


def state(found: Limits, now: float, key: tuple[str, str, str] = KEY) -> tuple[int, float]:
    """What remains, and how long to wait."""
    budget = found.budget(key, now)
    assert budget is not None
    return budget.remaining, budget.wait


def test_off_until_switched_on() -> None:
    """Nothing is counted where there is no limit, so that switching one on starts afresh."""
    found = Limits()
    found.count(KEY, 0)
    assert (bool(found.by_place), found.budget(KEY, 0), found.budgets("one", 0)) == (False, None, [])
    found.put("one", "acme.send_sms", Limit(1, 10))
    assert (bool(found.by_place), state(found, 0)) == (True, (1, 0))


def test_a_window_slides() -> None:
    """Each request is free again exactly so many seconds after it was made, not all at once."""
    found = switched_on()
    for now in (0, 4, 8):
        assert state(found, now)[1] == 0
        found.count(KEY, now)
    assert state(found, 8) == (0, 2)
    assert state(found, 9.999)[0] == 0
    assert state(found, 10) == (1, 0)
    found.count(KEY, 10)
    assert state(found, 10) == (0, 4)
    assert state(found, 1000) == (3, 0)


@PROPERTY
@given(st.integers(1, 8), st.integers(1, 60).map(float), pauses)
def test_no_window_ever_holds_more(requests: int, seconds: float, between: list[float]) -> None:
    """Whenever clients come: in any window of the limit's length so many get through, and no more."""
    found = switched_on(requests, seconds)
    through: list[float] = []
    for now in accumulate(between):
        inside = [at for at in through if at > now - seconds]
        remaining, wait = state(found, now)
        assert remaining == requests - len(inside) >= 0
        if remaining:
            found.count(KEY, now)
            through.append(now)
        else:
            assert wait == inside[0] + seconds - now


@PROPERTY
@given(st.integers(1, 8), st.integers(1, 60).map(float), pauses)
def test_waiting_as_told_is_enough(requests: int, seconds: float, between: list[float]) -> None:
    """A client that sleeps for the whole seconds it is told gets through, always."""
    found, now = switched_on(requests, seconds), 0.0
    for pause in between:
        now += pause
        budget = found.budget(KEY, now)
        assert budget is not None
        now += budget.retry_after
        assert state(found, now)[1] == 0
        found.count(KEY, now)


def test_a_clock_set_back() -> None:
    """What an account did at a time that is still to come does not keep it waiting for that time."""
    found = switched_on(1)
    found.count(KEY, 5000)
    assert state(found, 5000) == (0, 10)
    assert state(found, 100) == (1, 0)
    found.count(KEY, 100)
    assert state(found, 100) == (0, 10)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(("two", "acme.send_sms", ""), id="account"),
        pytest.param(("one", "acme.rpc", ""), id="operation"),
        pytest.param(("one", "acme.send_sms", "x"), id="value"),
    ],
)
def test_apart(other: tuple[str, str, str]) -> None:
    """Accounts, operations and the values counted by use up nothing of each other."""
    found = switched_on(1)
    found.put(other[0], other[1], Limit(1, 10))
    found.count(KEY, 0)
    assert (state(found, 0), state(found, 0, other)) == ((0, 10), (1, 0))


def test_put_starts_afresh_and_clear_switches_off() -> None:
    """A new limit forgets what was counted; clearing concerns one account."""
    found = switched_on(1)
    found.count(KEY, 0)
    found.put("one", "acme.send_sms", Limit(2, 5))
    assert state(found, 0) == (2, 0)
    found.put("two", "acme.send_sms", Limit(1, 5))
    found.clear("one")
    assert (found.of("one"), found.of("two")) == ({}, {"acme.send_sms": Limit(1, 5)})
    found.put("two", "acme.send_sms", None)
    assert not found.by_place


def test_budgets_are_told_by_value() -> None:
    """One for each value that was counted by; one for all where nothing was yet; none of other accounts."""
    found = switched_on(2)
    found.put("two", "acme.send_sms", Limit(2, 10))
    assert [(name, by, budget.remaining) for name, by, budget in found.budgets("one", 0)] == [("acme.send_sms", "", 2)]
    for value in ("x", "y", "x"):
        found.count(("one", "acme.send_sms", value), 0)
    assert [(by, budget.remaining) for _, by, budget in found.budgets("one", 0)] == [("x", 0), ("y", 1)]


def test_values_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that invents a value for each request fills no memory; other accounts' counts stay."""
    monkeypatch.setattr(switches, "MAX_COUNTED_VALUES", 5)
    found = switched_on(1)
    found.put("two", "acme.send_sms", Limit(1, 10))
    found.count(("two", "acme.send_sms", "x"), 0)
    for number in range(100):
        found.count(("one", "acme.send_sms", str(number)), 0)
    assert [by for _, by, _ in found.budgets("one", 0)] == ["95", "96", "97", "98", "99"]
    assert state(found, 0, ("two", "acme.send_sms", "x"))[0] == 0
