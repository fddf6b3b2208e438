"""Signals for a command: before it starts, while it runs, and behind it."""

import os
import signal
import subprocess
import sys

import pytest

from mockserver.cli.child import ChildError, ChildProcess, Forwarding, start

WAITING = "import time; time.sleep(60)"


def child() -> ChildProcess:
    return start([sys.executable, "-c", WAITING], os.environ)


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_before(number: signal.Signals) -> None:
    """The command is not started, and what a shell gives then is known; the handlers are put back."""
    before = signal.getsignal(number)
    with Forwarding() as signals:
        send(number)
        with pytest.raises(ChildError, match=f"^{number.name} came before the command was started$") as error:
            signals.run(child)
    assert error.value.code == 128 + number
    assert signal.getsignal(number) is before


def test_while_it_starts() -> None:
    """The command has it."""

    def starting() -> ChildProcess:
        process = child()
        send(signal.SIGTERM)
        return process

    with Forwarding() as signals:
        assert signals.run(starting) == 128 + signal.SIGTERM


def test_what_ends_no_program() -> None:
    """A command is started all the same, and gets it."""
    with Forwarding() as signals:
        send(signal.SIGUSR1)
        assert signals.run(child) == 128 + signal.SIGUSR1


def test_behind() -> None:
    """It ends what is interruptible, and nothing else."""
    with Forwarding() as signals:
        assert signals.run(lambda: subprocess.Popen([sys.executable, "-c", ""])) == 0
        send(signal.SIGTERM)
        with signals.interruptible():
            send(signal.SIGUSR1)
        with pytest.raises(SystemExit) as ended, signals.interruptible():
            send(signal.SIGINT)
        send(signal.SIGTERM)
    assert ended.value.code == 128 + signal.SIGINT
