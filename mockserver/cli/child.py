"""A command as a child of this process: its signals and its exit code are passed through."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, Self

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


def exit_code(starting: Callable[[], ChildProcess]) -> int:
    """Start a child and wait for it; signals for this process go to it. One that a signal has ended gives 128 and more.

    Raises what ``starting`` does.
    """
    with _Forwarding() as forwarding:
        process = starting()
        forwarding.to(process)
        code = process.wait()
    return code if code >= 0 else OF_SIGNALS - code


class _Forwarding:
    """Takes the signals for this process, also those that come before there is a child to have them."""

    def __init__(self) -> None:
        self._process: ChildProcess | None = None
        self._waiting: list[int] = []
        self._before: dict[int, Any] = {}

    def to(self, process: ChildProcess) -> None:
        self._process = process
        while self._waiting:
            self._send(process, self._waiting.pop(0))

    def __enter__(self) -> Self:
        known = [getattr(signal, name) for name in FORWARDED if hasattr(signal, name)]
        self._before = {number: signal.signal(number, self._take) for number in known}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _take(self, number: int, _: Any) -> None:
        if signal.Signals(number).name in OF_TERMINALS and _from_terminal():
            return
        if self._process is None:
            self._waiting.append(number)
        else:
            self._send(self._process, number)

    def _send(self, process: ChildProcess, number: int) -> None:
        with contextlib.suppress(OSError):  # it may have ended
            process.send_signal(number)


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
