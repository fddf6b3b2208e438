"""An account's own time: how it goes on, and which tokens it makes old."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.engine.account import token_parts
from mockserver.engine.authentication import BACKDATED, Identity
from mockserver.engine.clock import MAX_STRETCHES, REAL, Clock, Sight
from mockserver.engine.request import ParsedRequest
from mockserver.engine.signing import sign
from tests.engine.workbench import NOW, Bench, authenticate, jwt_of, request
from tests.properties import examples

PROPERTY = settings(deadline=None, database=None, derandomize=True, max_examples=examples(200))
HOURS = 7200.0
LIFE = 60  # seconds that a token of these tests lives

# Eighths of a second: their sums are exact, so that these tests can ask for equality.
eighths = st.integers(0, 8 * 86400).map(lambda number: number / 8)
steps = st.lists(
    st.tuples(eighths, st.sampled_from(["advance", "freeze", "run"]), eighths.map(lambda seconds: seconds / 4)),
    max_size=12,
)


def driven(pace: list[tuple[float, str, float]], clock: Clock = REAL, real: float = NOW) -> tuple[Clock, float]:
    """A clock after these steps, each so long after the one before, and the real time of the last one."""
    for passed, what, seconds in pace:
        real += passed
        if what == "advance":
            clock = clock.advanced(real, seconds)
        else:
            clock = clock.frozen(real, None) if what == "freeze" else clock.running(real)
    return clock, real


@PROPERTY
@given(steps, st.lists(eighths, min_size=2))
def test_time_never_goes_back(pace: list[tuple[float, str, float]], looks: list[float]) -> None:
    """However a clock is advanced, frozen and let go, later is never earlier."""
    clock, _ = driven(pace)
    seen = [clock.at(NOW + look) for look in sorted(looks)]
    assert seen == sorted(seen)


@PROPERTY
@given(steps, eighths, eighths)
def test_advance(pace: list[tuple[float, str, float]], passed: float, seconds: float) -> None:
    """A clock is so much further from now on, and goes or stands as before."""
    clock, real = driven(pace)
    later = clock.advanced(real, seconds)
    assert later.at(real + passed) == clock.at(real + passed) + seconds
    assert later.is_frozen == clock.is_frozen


@PROPERTY
@given(steps, eighths)
def test_freeze_and_run(pace: list[tuple[float, str, float]], passed: float) -> None:
    """A frozen clock stands at its time; let go, it goes on from there as fast as real time."""
    clock, real = driven(pace)
    frozen = clock.frozen(real, None)
    assert (frozen.at(real), frozen.at(real + passed), frozen.is_frozen) == (clock.at(real), clock.at(real), True)
    running = frozen.running(real + passed)
    assert (running.at(real + passed), running.is_frozen) == (clock.at(real), False)
    assert running.at(real + passed + 8) == clock.at(real) + 8


@PROPERTY
@given(steps, steps, eighths)
def test_the_past_stays(
    before: list[tuple[float, str, float]], after: list[tuple[float, str, float]], ago: float
) -> None:
    """What is done to a clock later does not change what time it was."""
    clock, real = driven(before)
    later, _ = driven(after, clock, real + 1)
    assert later.at(real - ago) == clock.at(real - ago)
    assert later.shift(real - ago) == clock.shift(real - ago)


def test_freeze_at() -> None:
    """A clock may be set to any time, and is then so far from the real one."""
    clock = REAL.frozen(NOW, 1000.0)
    assert (clock.at(NOW + 5), clock.at(NOW - 5), clock.shift(NOW)) == (1000.0, NOW - 5, 1000.0 - NOW)


def test_real_time() -> None:
    """A clock that nobody touched is the real one."""
    assert (REAL.at(NOW), REAL.shift(NOW), REAL.is_frozen) == (NOW, 0, False)


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


def token(bench: Bench, scheme: str, **claims: Any) -> str:
    """A token of the first account's first client; these claims are laid over."""
    record = bench.mine["clients"][0]
    header, body = token_parts(jwt_of(scheme), bench.mine, record["id"], record, NOW)
    return sign({**header, "alg": "HS256"}, {**body, **claims}, record["secret"])


def presented(
    bench: Bench, clock: Clock, now: float, claims: dict[str, Any], first: float | None = None, *, own: bool = False
) -> Identity:
    """What a token with these times proves; ``first``: when it was first seen; ``own``: by the account's clock."""
    found = request("by_kid", headers={"x-token": token(bench, "Kid", **claims)})
    sights = {} if first is None else {digest(found): Sight(first, is_own=own)}
    facts = msgspec.structs.replace(bench.facts(now), clocks={"one": clock}, sights=sights)
    return authenticate(found, facts)


def digest(found: ParsedRequest) -> bytes:
    """That of the request's one token."""
    (credential,) = found.credentials.values()
    return credential.digest


def reasons(found: Identity) -> list[str]:
    return [problem.reason for problem in found.problems]


Times = Callable[[float], dict[str, Any]]


def whole(made: float) -> dict[str, Any]:
    """Times as most clients write them."""
    return {"iat": int(made), "exp": int(made) + LIFE}


def backdated(made: float) -> dict[str, Any]:
    """Times as the official SDK of one vendor writes them."""
    return {"iat": int(made) - 5, "exp": int(made) + LIFE}


def without_iat(made: float) -> dict[str, Any]:
    """Times that do not say when they were written."""
    return {"exp": int(made) + LIFE}


WAYS = [pytest.param(way, id=way.__name__) for way in (whole, backdated, without_iat)]


@pytest.mark.parametrize("times", WAYS)
@pytest.mark.parametrize("age", [0, 0.999, 5, 50])
def test_an_old_token_is_old_after_an_advance(bench: Bench, times: Times, age: float) -> None:
    """A token that was used before the clock was advanced has lived for as long as that, however young it is."""
    made, claims = NOW - age, times(NOW - age)
    assert reasons(presented(bench, REAL, NOW, claims, first=made)) == []
    clock = REAL.advanced(NOW + 0.01, HOURS)
    assert reasons(presented(bench, clock, NOW + 0.02, claims, first=made)) == ["expired"]


@pytest.mark.parametrize("times", WAYS)
@pytest.mark.parametrize("passed", [0, 0.001, 0.999, 3, 5000])
def test_a_token_made_after_an_advance_is_good(bench: Bench, times: Times, passed: float) -> None:
    """A client signs by the real time, just after the advance or long after, and is understood."""
    clock, now = REAL.advanced(NOW, HOURS).advanced(NOW, HOURS), NOW + passed
    assert reasons(presented(bench, clock, now, times(now))) == []
    assert reasons(presented(bench, clock, now + LIFE + 1, times(now), first=now)) == ["expired"]


def test_an_unused_token_is_old_too(bench: Bench) -> None:
    """A token that says when it was made need not have been seen before, unless it is as young as clocks differ."""
    clock = REAL.advanced(NOW, HOURS)
    assert reasons(presented(bench, clock, NOW, whole(NOW - BACKDATED - 1))) == ["expired"]
    assert reasons(presented(bench, clock, NOW, whole(NOW - BACKDATED + 1))) == []


def test_how_far_clients_date_back(bench: Bench) -> None:
    """Five seconds, and less than one for rounding down: a new token dated back so far is new, an older one is not."""
    made = NOW + 0.999
    clock = REAL.advanced(made - 0.001, HOURS)
    assert reasons(presented(bench, clock, made, backdated(made))) == []
    assert reasons(presented(bench, REAL.advanced(NOW, HOURS), NOW, whole(NOW - 7))) == ["expired"]


@pytest.mark.parametrize("times", WAYS)
def test_while_time_stands_still(bench: Bench, times: Times) -> None:
    """No token grows old while the clock is frozen, neither an old one nor one made meanwhile; afterwards they do."""
    clock = REAL.frozen(NOW, None)
    old, fresh = times(NOW - 10), times(NOW + 5000)
    assert reasons(presented(bench, clock, NOW + 9000, old, first=NOW - 10)) == []
    assert reasons(presented(bench, clock, NOW + 9000, fresh, first=NOW + 5000)) == []
    running = clock.running(NOW + 9000)
    assert reasons(presented(bench, running, NOW + 9000 + LIFE - 11, old, first=NOW - 10)) == []
    assert reasons(presented(bench, running, NOW + 9000 + LIFE + 6, old, first=NOW - 10)) == ["expired"]


@pytest.mark.parametrize("at", [1.0, NOW - 86400, NOW + 10**9])
def test_another_day(bench: Bench, at: float) -> None:
    """Whatever day an account's clock stands at, a token made then is good and one from before is not."""
    clock = REAL.frozen(NOW, at)
    assert reasons(presented(bench, clock, NOW + 30, whole(NOW + 20))) == []
    assert reasons(presented(bench, clock, NOW + 30, whole(NOW - 20))) == ["expired" if at > NOW else "claims"]


@pytest.mark.parametrize("iat", [0, -1, -(10**400), 10**400, True, "now", None])
def test_a_birth_that_is_none(bench: Bench, iat: Any) -> None:
    """An ``iat`` that cannot be one breaks nothing: the token counts from when it was seen, or is refused."""
    text, clock = token(bench, "Claim", iat=iat, exp=int(NOW) + LIFE), REAL.advanced(NOW, HOURS)
    sent = request("by_claim", headers={"authorization": f"Bearer {text}"})
    facts = msgspec.structs.replace(bench.facts(NOW + 1), clocks={"one": clock})
    assert (reasons(authenticate(sent, facts)) == []) is (isinstance(iat, int) and iat <= 0)


def test_other_accounts_clocks_do_not_count(bench: Bench) -> None:
    """A token is judged by the clock of its own account."""
    sent = request("by_kid", headers={"x-token": token(bench, "Kid")})
    clocks = {"two": REAL.advanced(NOW, 10**6)}
    facts = msgspec.structs.replace(bench.facts(), clocks=clocks)
    assert authenticate(sent, facts).problems == ()


def own(found: Identity) -> list[bool]:
    """Of the tokens that were new, whether they belong to the account's clock."""
    return [sight.is_own for _, _, sight in found.sights]


@pytest.mark.parametrize("shift", [HOURS, 40.0, 86400.0])
@pytest.mark.parametrize("times", WAYS)
def test_a_client_whose_clock_is_moved_alike(bench: Bench, times: Times, shift: float) -> None:
    """A token made at the account's own time is good, ages with it, and expires when it says."""
    clock = REAL.advanced(NOW, shift)
    fresh = presented(bench, clock, NOW + 1, times(NOW + 1 + shift))
    assert (reasons(fresh), own(fresh)) == ([], [True])
    later = clock.advanced(NOW + 2, LIFE - 20)
    assert reasons(presented(bench, later, NOW + 3, times(NOW + 1 + shift), first=NOW + 1, own=True)) == []
    after = later.advanced(NOW + 3, 30)
    assert reasons(presented(bench, after, NOW + 4, times(NOW + 1 + shift), first=NOW + 1, own=True)) == ["expired"]


@pytest.mark.parametrize("at", [NOW + 10**8, NOW - 10**8])
def test_a_client_that_is_frozen_with_the_account(bench: Bench, at: float) -> None:
    """Its tokens are dated by that day, whatever day it is, and however long the test takes."""
    clock = REAL.frozen(NOW, at)
    fresh = presented(bench, clock, NOW + 50, whole(at))
    assert (reasons(fresh), own(fresh)) == ([], [True])
    real = presented(bench, clock, NOW + 50, whole(NOW + 50))
    assert (reasons(real), own(real)) == ([], [False])


def test_a_token_keeps_its_clock(bench: Bench) -> None:
    """One of the account's clock is held against that, though real time has come nearer meanwhile."""
    assert own(presented(bench, REAL, NOW, whole(NOW))) == [False]
    clock, made = REAL.advanced(NOW, HOURS), NOW + HOURS
    assert own(presented(bench, clock, NOW + 1, whole(made))) == [True]
    assert reasons(presented(bench, clock, made, whole(made), first=NOW + 1, own=True)) == ["expired"]
    assert reasons(presented(bench, clock, made, whole(made))) == [], "it would count as new"


def test_an_expired_token_is_seen_too(bench: Bench) -> None:
    """It was verified: what it is worth does not change whose it is. A forged one is nobody's."""
    found = presented(bench, REAL.advanced(NOW, HOURS), NOW, whole(NOW - LIFE - 100))
    assert (reasons(found), own(found)) == (["expired"], [False])


def test_many_advances() -> None:
    """A clock remembers so many of them."""
    clock = Clock()
    for number in range(MAX_STRETCHES + 5):
        clock = clock.advanced(NOW + number, 1)
    assert len(clock.stretches) == MAX_STRETCHES
    assert clock.at(NOW + 2 * MAX_STRETCHES) == NOW + 3 * MAX_STRETCHES + 5
