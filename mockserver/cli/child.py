"""A command as a child of this process: its signals and its exit code are passed through."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

NOT_RUNNABLE, NOT_FOUND, OF_SIGNALS = 126, 127, 128  # as a shell has them
FORWARDED = ("SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2")
OF_TERMINALS = ("SIGINT", "SIGQUIT")


class ChildError(Exception):
    """A command that cannot be run; ``code`` is the exit code that a shell gives then."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class ChildProcess(Protocol):
    """What is asked of a child; a ``subprocess.Popen`` is one."""

    def wait(self) -> int: ...

    def send_signal(self, signal: int, /) -> None: ...


def start(command: Sequence[str], environment: Mapping[str, str]) -> ChildProcess:
    """Start a command. Raises ChildError."""
    try:
        return subprocess.Popen(command, env=environment)  # noqa: S603 -- the user's own command
    except OSError as error:
        raise cannot_run(command[0], error) from error
    except ValueError as error:  # a null character
        raise ChildError(f"the command cannot be run: {error}", NOT_RUNNABLE) from error


def cannot_run(program: str, error: OSError) -> ChildError:
    code = NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_RUNNABLE
    return ChildError(f"cannot run {program}: {error.strerror}", code)


def exit_code(process: ChildProcess) -> int:
    """Wait for a child; signals for this process go to it meanwhile. One that a signal has ended gives 128 and more."""
    with _forwarding(process):
        code = process.wait()
    return code if code >= 0 else OF_SIGNALS - code


@contextmanager
def _forwarding(process: ChildProcess) -> Iterator[None]:
    def forward(number: int, _: Any) -> None:
        if signal.Signals(number).name not in OF_TERMINALS or not _from_terminal():
            with contextlib.suppress(OSError):  # it may have ended
                process.send_signal(number)

    known = [getattr(signal, name) for name in FORWARDED if hasattr(signal, name)]
    before = {number: signal.signal(number, forward) for number in known}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _from_terminal() -> bool:
    """Whether a terminal sends what it sends to this process to the child as well."""
    if sys.platform == "win32":
        return True
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
