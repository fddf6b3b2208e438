"""Signals for a command: before it starts, while it runs, and behind it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from mockserver.cli.child import FORWARDED, ChildError, ChildProcess, Forwarding, start

WAITING = "import time; time.sleep(60)"


@pytest.fixture(autouse=True)
def _heeded() -> Iterator[None]:
    """Each signal does what it does by itself, though whoever runs the tests may have it ignored."""
    before = {
        number: signal.signal(number, signal.SIG_DFL) for number in map(getattr, [signal] * len(FORWARDED), FORWARDED)
    }
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_ignored(number: signal.Signals) -> None:
    """One that was ignored before stays ignored, by us and by the command."""
    ask = f"import signal; raise SystemExit(signal.getsignal({int(number)}) == signal.SIG_IGN)"
    signal.signal(number, signal.SIG_IGN)
    with Forwarding() as signals:
        send(number)
        assert signals.run(lambda: start([sys.executable, "-c", ask], os.environ)) == 1
    assert signal.getsignal(number) == signal.SIG_IGN
