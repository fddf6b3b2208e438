"""One server for a whole test run: 400 tests in eight workers, none of which sees another.

MOCKSERVER_ROUNDS: how often it is done; 20 before a release.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mockserver.testing import MockServer
from tests.testing.inner import apart, write
from tests.testing.sending import send

pytest_plugins = ["pytester"]

ROUNDS = int(os.environ.get("MOCKSERVER_ROUNDS", "1"))
TESTS = """
import threading

@pytest.mark.parametrize("number", range(400))
def test_it(mock_vendors, number):
    vendor, operation = mock_vendors.polyai, mock_vendors.polyai.send_sms
    mine = f"message {number}"
    operation.assert_not_called()
    if number % 4 == 0:
        operation.pin("rate_limited", "rules", "server_error")
        assert [send(vendor, mine) for _ in range(4)] == [429, 202, 500, 202]
        operation.assert_accepted(times=2, body={"message": mine})
    elif number % 4 == 1:
        operation.pin("server_error", then="last", where={"body": {"message": mine}})
        assert [send(vendor, text) for text in (mine, "another", mine)] == [500, 202, 500]
        assert operation.assert_accepted(times=1)[0].request.json["message"] == "another"
    elif number % 4 == 2:
        thread = threading.Timer(0.02, send, [vendor, mine])
        thread.start()
        mock_vendors.assert_accepted(recipient="+14155550123", times=1, within=30, settle=0.02)
        thread.join()
    else:
        assert (send(vendor, mine), send(vendor, mine, key="nobody's")) == (202, 401)
        with pytest.raises(AssertionError, match="found 1 .2 recorded"):
            operation.assert_accepted(times=2)
        operation.assert_called(answer="unauthorized", times=1)
    assert {call.request.json["message"] for call in mock_vendors.calls} <= {mine, "another"}
    assert {call.data["account"] for call in mock_vendors.calls} == {mock_vendors.id}
"""


@contextmanager
def restless(server: MockServer) -> Iterator[list[int]]:
    """An account that sends and is reset without end; how many calls it had before each reset."""
    over, had = threading.Event(), list[int]()

    def disturb() -> None:
        with server.account() as account:
            while not over.is_set():
                account.polyai.send_sms.pin("rate_limited", "rate_limited")
                send(account.polyai)
                had.append(len(account.calls))
                account.reset()

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        yield had
    finally:
        over.set()
        thread.join()


def test_one_server_for_all(pytester: pytest.Pytester, server: MockServer) -> None:
    """Each test has its own account, pins and assertions, while one account is reset in a loop."""
    write(pytester, TESTS)
    for _ in range(ROUNDS):
        with server.account() as quiet, restless(server) as had:
            assert send(quiet.polyai, "kept") == 202
            result = apart(pytester, "-n", "8", "--mockserver-url", server.url)
            assert quiet.assert_called_once().request.json["message"] == "kept"
        result.assert_outcomes(passed=400)
        assert set(had) == {1}
        assert len(had) > 1
