"""Workers in parallel: a server each, or one for all."""

import json

import pytest

from mockserver.testing import MockServer
from tests.testing.inner import apart, write

pytest_plugins = ["pytester"]

TESTS = """
@pytest.mark.parametrize("number", range(40))
def test_it(mock_vendors, number):
    operation = mock_vendors.polyai.send_sms
    if number % 2:
        operation.pin("rate_limited")
    wanted = [429, 202] if number % 2 else [202, 202]
    assert [send(mock_vendors.polyai, f"{number} {turn}") for turn in range(2)] == wanted
    assert [call.request.json["message"] for call in operation.calls] == [f"{number} 0", f"{number} 1"]
    operation.assert_called(times=2)
    assert mock_vendors.assert_accepted(body={"message": f"{number} 1"})[0].response.status == 202

@pytest.mark.parametrize("number", range(4))
def test_reset_in_a_loop(mock_vendors, number):
    for _ in range(25):
        send(mock_vendors.polyai)
        mock_vendors.reset()
        mock_vendors.assert_not_called()

def test_overlooked(mock_vendors):
    send(mock_vendors.polyai, key="")

def test_pinned_in_vain(mock_vendors):
    mock_vendors.polyai.pin("rate_limited")

def test_failed(mock_vendors):
    send(mock_vendors.polyai)
    raise ZeroDivisionError
"""


@pytest.mark.parametrize("own", [True, False], ids=["a server each", "one server"])
def test_eight_workers(pytester: pytest.Pytester, server: MockServer, own: bool) -> None:
    """No test sees another's calls, pins or resets; findings of all workers come together in the end."""
    write(pytester, TESTS)
    where = [] if own else ["--mockserver-url", server.url]
    result = apart(pytester, "-n", "8", *where, "--mockserver-cov", "--mockserver-cov-json=cov.json")
    result.assert_outcomes(passed=46, failed=1)
    result.stdout.fnmatch_lines(
        [
            "* mockserver calls *",
            "*polyai.send_sms/sent 202 default",
            "test_app.py::test_overlooked: * 401 rule *",
            "test_app.py::test_pinned_in_vain: test_app.py:*: pin of polyai.* (rate_limited) was never used: no call *",
            "* mockserver coverage *",
            "  202 sent * natural 161 * forced 0 *",
            "  429 rate_limited * natural 0 * forced 20 *",
        ]
    )
    written = json.loads((pytester.path / "cov.json").read_text("utf-8"))
    assert len(written["operations"]["polyai.send_sms"]["answers"]["rate_limited"]["tests"]) == 20


def test_a_crashed_workers_findings_are_missed(pytester: pytest.Pytester, server: MockServer) -> None:
    """What is not counted is said; a run that has nothing to do with us says nothing."""
    write(pytester, "def test_crash(request):\n    os._exit(1)\n")
    result = apart(pytester, "-n", "1", "--mockserver-url", server.url, "--mockserver-cov")
    result.stdout.fnmatch_lines(["mockserver: * worker(s) crashed: what their tests met is not counted"])
    result = apart(pytester, "-n", "1", "--mockserver-url", server.url)
    result.stdout.no_fnmatch_line("mockserver:*")
