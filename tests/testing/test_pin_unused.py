"""Pins that no call used are reported, with what was fixed, where and why nothing came of it."""

import re

import pytest

from mockserver.testing import Account, MockServer, fault
from tests.testing.inner import here, write
from tests.testing.sending import send

pytest_plugins = ["pytester"]

TESTS = """
def test_unused(mock_vendors):
    mock_vendors.polyai.send_sms.pin("rate_limited")

def test_block(mock_vendors):
    with mock_vendors.polyai.pin("server_error"):
        pass
    assert send(mock_vendors.polyai) == 202

def test_async(async_mock_vendors):
    import asyncio
    async def fix():
        async with async_mock_vendors.polyai.send_sms.pin("rate_limited"):
            pass
        await async_mock_vendors.avaamo.send_sms.pin("rules")
    asyncio.run(fix())

def test_used(mock_vendors):
    operation = mock_vendors.polyai.send_sms
    operation.pin("rate_limited", "rate_limited")
    with operation.pin("server_error", where={"body": {"message": "Bye"}}):
        assert send(mock_vendors.polyai, "Bye") == 429
        assert send(mock_vendors.polyai, "Bye") == 429
        assert send(mock_vendors.polyai, "Bye") == 500

def test_taken_back(mock_vendors):
    operation = mock_vendors.polyai.send_sms
    operation.pin("rate_limited").remove()
    operation.pin("rate_limited")
    operation.pin("server_error", replace=True)
    mock_vendors.unpin()
    with operation.pin("rules"):
        operation.reset()
    with operation.pin("sent"):
        mock_vendors.reset()
    with operation.pin("unauthorized"):
        mock_vendors.polyai.reset()

def test_deleted(mock_vendors):
    mock_vendors.polyai.send_sms.pin("rate_limited")
    mock_vendors.delete()

def test_half(mock_vendors):
    operation = mock_vendors.polyai.send_sms
    operation.pin("rate_limited", "server_error", "rules")
    assert send(mock_vendors.polyai) == 429
    with mock_vendors.polyai.pin(fault={"kind": "malformed", "times": 3}):
        for _ in range(5): send(mock_vendors.polyai)
    with operation.pin(fault={"kind": "malformed", "times": 2, "probability": 0.99, "seed": 1}):
        send(mock_vendors.polyai)
    with operation.pin("rate_limited", then="last"):
        send(mock_vendors.polyai)

def test_once_of_two(mock_vendors):
    mock_vendors.polyai.send_sms.pin(fault={"kind": "malformed", "times": 2})
    send(mock_vendors.polyai)
"""
LINES = [
    "test_app.py::test_unused: test_app.py:6: pin of polyai.send_sms (rate_limited) was never used: "
    "no call of polyai.send_sms came",
    "test_app.py::test_block: test_app.py:9: pin of polyai.* (server_error) was never used: no call of polyai.* came",
    "test_app.py::test_async: test_app.py:16: pin of polyai.send_sms (rate_limited) was never used: no call *",
    "test_app.py::test_async: test_app.py:18: pin of avaamo.send_sms (rules) was never used: no call *",
    "test_app.py::test_taken_back: test_app.py:31: pin of polyai.send_sms (rate_limited) was never used: no call *",
    "test_app.py::test_taken_back: test_app.py:32: pin of polyai.send_sms (rate_limited) was never used: no call *",
    "test_app.py::test_taken_back: test_app.py:33: pin of polyai.send_sms (server_error) was never used: no call *",
    "test_app.py::test_taken_back: test_app.py:35: pin of polyai.send_sms (rules) was never used: no call *",
    "test_app.py::test_taken_back: test_app.py:37: pin of polyai.send_sms (sent) was never used: no call *",
    "test_app.py::test_taken_back: test_app.py:39: pin of polyai.send_sms (unauthorized) was never used: no call *",
    "test_app.py::test_deleted: test_app.py:43: pin of polyai.send_sms (rate_limited) was never used: no call *",
    "test_app.py::test_once_of_two: test_app.py:58: pin of polyai.send_sms (fault malformed) was used 1 of 2 times",
]


def test_they_are_listed(pytester: pytest.Pytester, server: MockServer) -> None:
    """With their place, also those that the test took back; what was used up, or as often as chance had it, is not."""
    write(pytester, TESTS)
    result = here(pytester, "--mockserver-url", server.url)
    result.assert_outcomes(passed=8)
    result.stdout.fnmatch_lines(["* mockserver: pinned, and no call used it up *", *LINES])
    assert sum(": pin of " in line for line in result.outlines) == len(LINES)


def test_they_can_fail_the_test(pytester: pytest.Pytester, server: MockServer) -> None:
    """Only the tests that made them; a test that failed anyway has no error beside."""
    failed = "\ndef test_failed(mock_vendors):\n    mock_vendors.pin('rules')\n    raise ZeroDivisionError\n"
    write(pytester, TESTS + failed)
    result = here(pytester, "--mockserver-url", server.url, "--mockserver-unused=fail")
    result.assert_outcomes(passed=8, errors=6, failed=1)
    result.stdout.fnmatch_lines(
        ["*ERROR at teardown of test_unused*", "pins that no call used up:", "  test_app.py:6: pin of polyai.*"]
    )


def test_they_can_be_ignored(pytester: pytest.Pytester, server: MockServer) -> None:
    """Nothing is said of them."""
    write(pytester, TESTS)
    result = here(pytester, "--mockserver-url", server.url, "--mockserver-unused=ignore")
    result.assert_outcomes(passed=8)
    result.stdout.no_fnmatch_line("*never used*")


def reason(account: Account) -> str:
    """Why the account's only pin without use was not used."""
    line = account.unused_pins()[-1]
    place, _, rest = line.partition(": pin of ")
    assert re.fullmatch(r"\S*test_pin_unused\.py:\d+", place)
    return rest.partition(" was never used: ")[2]


def test_no_call_came(account: Account) -> None:
    """None at all, or only before the pin was made."""
    account.pin("sent")
    assert reason(account) == "no call came"
    account.unpin()
    send(account.polyai)
    account.freeze()  # the time of calls and pins is the real one
    account.polyai.send_sms.pin("sent")
    assert reason(account) == "no call of polyai.send_sms came after it was made; 1 came before"


def test_no_call_was_as_it_asks(account: Account) -> None:
    """The nearest one, and where it differs."""
    account.polyai.pin("server_error", where={"body": {"message": "Bye"}})
    send(account.polyai, "Hi")
    assert reason(account) == (
        'none of 1 call(s) is as it asks; the nearest: /body/message: expected "Bye", found "Hi"'
    )


def test_another_decided(account: Account) -> None:
    """A problem kept a success from a request, or an earlier pin came first; the last call is shown."""
    operation = account.polyai.send_sms
    with operation.pin("sent"):
        send(account.polyai, key="")
    operation.pin("rate_limited")
    operation.pin("server_error", where={"body": {"message": "Hi"}})
    send(account.polyai, "Hi")
    blocked, late = account.unused_pins()
    assert re.search(
        r"1 call\(s\) came that did not get it, the last: \S+ polyai.send_sms/unauthorized 401 rule unauth.* "
        r"\(a pinned success is for requests without problems, unless force=True\)$",
        blocked,
    )
    assert re.search(r"1 call\(s\) came that did not get it, the last: \S+ polyai.send_sms/rate_limited 429 pin$", late)


def test_chance_spared_them(account: Account) -> None:
    """A fault that hit none says that it was up to chance; many answers are counted."""
    account.polyai.send_sms.pin(fault=fault.delay(seconds=0, probability=0.0))
    send(account.polyai)
    assert reason(account).endswith("202 default (its fault has a probability)")
    account.unpin()
    account.polyai.send_sms.pin("sent", {"status": 418}, "rules", "sent", "sent", fault=fault.malformed())
    line = account.unused_pins()[-1]
    assert "(sent, 418, rules, 2 more, fault malformed)" in line
