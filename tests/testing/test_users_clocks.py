"""Tests that freeze or move the clocks of their process: a server in it waits, and lets go, in real time."""

import sys
import time
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from typing import Any
from unittest.mock import ANY

import pytest
import requests

from mockserver.engine.sources import real_time, steady_time
from mockserver.testing import Account, MockServer, fault, run
from tests.testing.sending import send

READ = ("time", "monotonic", "perf_counter", "time_ns", "monotonic_ns", "perf_counter_ns")
FROZEN = 1_577_836_800.0  # 2020-01-01
SHORT = 0.2  # seconds that a test waits
NOT_OURS = ("threading", "queue", "multiprocessing", "_pytest", "hypothesis")  # freezegun leaves them alone


def frozen(_real: float, _started: float) -> float:
    return FROZEN


def ticking(real: float, started: float) -> float:
    return FROZEN + real - started


def backwards(real: float, started: float) -> float:
    return FROZEN - 1000 * (real - started)


def leaping(real: float, started: float) -> float:
    return FROZEN + 100_000 * (real - started)


@pytest.fixture(params=[frozen, ticking, backwards, leaping], ids=lambda clock: str(clock.__name__))
def users_clock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What freezegun does: the functions of ``time``, in it and by name in every module, are replaced."""
    clock: Callable[[float, float], float] = request.param
    real, started = time.perf_counter, time.perf_counter()

    def fake(name: str) -> Callable[[], Any]:
        return lambda: int(clock(real(), started) * 1e9) if name.endswith("_ns") else clock(real(), started)

    originals = {getattr(time, name): fake(name) for name in READ}
    for module in [module for name, module in sys.modules.items() if not name.startswith(NOT_OURS)]:
        for name, value in [*vars(module).items()] if hasattr(module, "__dict__") else []:
            if callable(value) and getattr(value, "__module__", "") == "time" and value in originals:
                monkeypatch.setattr(module, name, originals[value])
    assert time.monotonic() < FROZEN + 10**9
    yield
    monkeypatch.undo()


@pytest.fixture
def since() -> Callable[[], float]:
    """Seconds since the test began, in real time."""
    started = steady_time()
    return lambda: steady_time() - started


def test_sources_are_real(users_clock: None) -> None:
    """What the server reads is nobody's to freeze."""
    before, now = steady_time(), real_time()
    assert now > 1_700_000_000
    deadline = before + 0.01
    while steady_time() < deadline:
        pass
    assert real_time() > now


def test_within_ends(users_clock: None, account: Account, since: Callable[[], float]) -> None:
    """An assertion that fails waits as long as it was told to."""
    with pytest.raises(AssertionError):
        account.polyai.send_sms.assert_accepted(times=1, within=SHORT)
    assert since() >= SHORT


def test_settle_ends(users_clock: None, account: Account, since: Callable[[], float]) -> None:
    """And one that passes, too, be it of no calls or of one."""
    account.polyai.send_sms.assert_accepted(times=0, settle=SHORT)
    send(account.polyai)
    account.polyai.send_sms.assert_accepted(times=1, settle=SHORT)
    assert since() >= 2 * SHORT


def test_what_only_python_compares_is_waited_for_as_long(
    users_clock: None, account: Account, since: Callable[[], float]
) -> None:
    """The client that asks again and again has a deadline as the server has."""
    with pytest.raises(AssertionError):
        account.polyai.send_sms.assert_accepted(times=1, json={"message": ANY}, within=SHORT)
    account.polyai.send_sms.assert_accepted(times=0, json={"message": ANY}, settle=SHORT)
    assert since() >= 2 * SHORT


def test_delays_last_and_calls_are_timed(users_clock: None, account: Account) -> None:
    """A late answer is late by real time, and its call says by how much."""
    account.polyai.send_sms.pin(fault=fault.delay(seconds=SHORT))
    assert send(account.polyai) == 202
    (call,) = account.polyai.send_sms.calls
    assert call.data["duration_ms"] >= 1000 * SHORT - 1  # an event loop counts whole milliseconds


@pytest.mark.usefixtures("users_clock")
def test_without_uvloop_waits_end(monkeypatch: pytest.MonkeyPatch, since: Callable[[], float]) -> None:
    """The library's own event loop waits in real time as well."""
    monkeypatch.setitem(sys.modules, "uvloop", None)
    with run() as server, server.account() as account:
        account.polyai.send_sms.assert_accepted(times=0, settle=SHORT)
        account.polyai.send_sms.pin(fault=fault.delay(seconds=SHORT))
        assert send(account.polyai) == 202
    assert since() >= 2 * SHORT


def test_answers_are_dated_in_real_time(users_clock: None, server: MockServer) -> None:
    """``Date`` is the server's, as times in bodies are."""
    answer = requests.get(f"{server.url}/_mock/health", timeout=10)
    date = parsedate_to_datetime(answer.headers["date"]).timestamp()
    assert abs(date - real_time()) < 60


def test_an_accounts_clock_and_limits_are_its_own(users_clock: None, account: Account) -> None:
    """A limit lasts until the account's clock is advanced; the process's clock has no say."""
    polyai = account.polyai
    account.limit("polyai.send_sms", requests=1, seconds=60)
    assert [send(polyai), send(polyai)] == [202, 429]
    account.advance(61)
    assert send(polyai) == 202


def test_long_work_gives_others_their_turn(users_clock: None, server: MockServer) -> None:
    """Listing is measured in real time as well."""
    with server.account() as one:
        for _ in range(20):
            send(one.polyai)
        assert len(one.recorded_calls()) == 20
