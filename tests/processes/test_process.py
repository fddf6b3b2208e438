"""``--mockserver-command``: a server from another environment, as a process that ends with the tests."""

import os
import re
import shlex
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mockserver.testing import ControlError, MockServer, process
from mockserver.testing.process import run_command
from tests.live import PATIENCE
from tests.testing.inner import apart, here, write
from tests.testing.sending import send

pytest_plugins = ["pytester"]

COMMAND = shlex.join([sys.executable, "-m", "mockserver"])
TESTS = """
import os
from pathlib import Path

@pytest.mark.parametrize("number", range(4))
def test_it(mock_vendors, mock_server, number):
    assert send(mock_vendors.polyai) == 202
    mock_vendors.polyai.send_sms.assert_accepted(times=1)
    Path(f"url-{os.getpid()}").write_text(mock_server.url)
"""


def soon(is_so: Callable[[], bool]) -> bool:
    """Whether something is so in the time that a process may take to end."""
    for _ in range(int(PATIENCE / 0.05)):
        if is_so():
            return True
        time.sleep(0.05)
    return False


def is_gone(url: str) -> bool:
    """Whether nobody answers there any more, if not now then soon."""

    def is_silent() -> bool:
        try:
            MockServer(url).coverage()
        except ControlError:
            return True
        return False

    return soon(is_silent)


def has_ended(pid: int) -> bool:
    """Whether a process is gone, or is nothing but a line that nobody has read yet, if not now then soon."""

    def is_gone_or_unread() -> bool:
        try:
            os.kill(pid, 0)
            return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(") ")[2].startswith("Z")
        except (ProcessLookupError, FileNotFoundError):
            return True

    return soon(is_gone_or_unread)


def script(folder: Path, text: str) -> str:
    """A command that runs this shell script."""
    file = folder / "command"
    file.write_text(f"#!/bin/sh\n{text}\n", "utf-8")
    file.chmod(0o755)
    return shlex.quote(str(file))


def test_it_runs_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ready on entry, gone on exit, whatever this environment's settings say."""
    monkeypatch.setenv("MOCKSERVER_SERVE_HOST", "256.0.0.1")
    monkeypatch.setenv("MOCKSERVER_EXPLAIN", "nonsense")
    with run_command(COMMAND) as server, server.account() as account:
        assert send(account.polyai) == 202
        account.polyai.send_sms.assert_accepted(times=1)
    assert is_gone(server.url)


def test_a_session_has_it(pytester: pytest.Pytester) -> None:
    """The plugin's fixtures use it, its coverage counts, and it is gone afterwards."""
    write(pytester, TESTS)
    result = here(pytester, "--mockserver-command", COMMAND, "--mockserver-cov")
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(["  202 sent * natural 4 *"])
    (file,) = pytester.path.glob("url-*")
    assert is_gone(file.read_text("utf-8"))


def test_each_worker_has_its_own(pytester: pytest.Pytester) -> None:
    """Under xdist, and none is left."""
    write(pytester, TESTS)
    result = apart(pytester, "-n", "2", "--dist", "each", "--mockserver-command", COMMAND)
    result.assert_outcomes(passed=8)
    urls = {file.read_text("utf-8") for file in pytester.path.glob("url-*")}
    assert len(urls) == 2
    assert all(map(is_gone, urls))


def test_it_ends_with_a_run_that_is_killed(pytester: pytest.Pytester) -> None:
    """A test run that has no time to end its server leaves none."""
    write(pytester, f"{TESTS}    os.kill(os.getpid(), {signal.SIGKILL.value})\n")
    apart(pytester, "--mockserver-command", COMMAND)
    (file,) = pytester.path.glob("url-*")
    assert is_gone(file.read_text("utf-8"))


def test_contracts_are_passed_on(pytester: pytest.Pytester) -> None:
    """A folder of a user's own; what is wrong in it is shown."""
    folder = pytester.mkdir("own contracts")
    (folder / "acme.yaml").write_text("openapi: 3.1.0\n", "utf-8")
    write(pytester, "def test_it(mock_vendors): pass\n")
    result = here(pytester, "--mockserver-command", COMMAND, "--mockserver-contracts", str(folder))
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*ended with exit code 1 before it was ready; its output:*", "*acme.yaml:1:*"])


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        pytest.param("/nowhere/mockserver", "No such file or directory", id="not-found"),
        pytest.param("/", "Permission denied", id="not-a-program"),
        pytest.param("'/opt", "No closing quotation", id="no-command"),
        pytest.param(" ", "it is empty", id="empty"),
    ],
)
def test_a_command_that_cannot_be_run(command: str, reason: str) -> None:
    """It is named, with the reason."""
    with pytest.raises(ControlError, match=re.escape(f"cannot be run: {command!r}: {reason}")), run_command(command):
        pass


def test_a_command_that_ends(tmp_path: Path) -> None:
    """Its exit code is told, and the end of what it said."""
    command = script(tmp_path, f"printf '%{process.MAX_OUTPUT}s' start; echo no such package >&2; exit 3")
    with pytest.raises(ControlError, match=r"exit code 3 before it was ready; its output:\n") as caught:
        run_command(command).__enter__()
    assert str(caught.value).endswith("no such package")
    with pytest.raises(ControlError, match="ended with exit code 0 before it was ready; it said nothing"):
        run_command("true").__enter__()


def test_a_command_that_never_gets_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is ended as well, with all that it started, even if it does not listen."""
    monkeypatch.setattr(process, "START_SECONDS", 2.0)
    monkeypatch.setattr(process, "STOP_SECONDS", 0.2)
    child = tmp_path / "child"
    text = f"trap '' TERM; echo waiting; sleep 60 & echo $! > {shlex.quote(str(child))}; wait; wait"
    with pytest.raises(ControlError, match=r"was not ready within 2 s; its output:\nwaiting"):
        run_command(script(tmp_path, text)).__enter__()
    assert has_ended(int(child.read_text("utf-8")))


def test_options_that_contradict(pytester: pytest.Pytester) -> None:
    """A server that runs already is not started."""
    write(pytester, "def test_it(): pass\n")
    result = here(pytester, "--mockserver-url", "http://127.0.0.1:1", "--mockserver-command", "x")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["*--mockserver-command starts a server: --mockserver-url names one that runs already*"]
    )


def test_a_command_that_is_not_used_is_not_run(pytester: pytest.Pytester) -> None:
    """A session without our fixtures starts nothing."""
    write(pytester, "def test_it(): pass\n")
    here(pytester, "--mockserver-command", "/nowhere/mockserver").assert_outcomes(passed=1)
