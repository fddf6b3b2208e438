"""A command as a child of this process: its signals and its exit code are passed through."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, Self

NOT_RUNNABLE, NOT_FOUND, OF_SIGNALS = 126, 127, 128  # as a shell has them
FORWARDED = ("SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2")
ENDING = ("SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT")
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


class NeverStarted:
    """Stands for a command that could not be run: it has ended with the code that a shell gives then."""

    def __init__(self, code: int) -> None:
        self._code = code

    def wait(self) -> int:
        return self._code

    def send_signal(self, signal: int, /) -> None:
        """Nobody is there to have it."""


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


class Forwarding:
    """While its block lasts, signals for this process are for a command, from before it starts until it has ended.

    So whatever the block has begun is put away in its order. A signal that comes before the command keeps that from
    starting; one behind it is dropped, but ends what is ``interruptible``. One that is ignored already, as
    nohup has it, is ignored by the command, too.
    """

    def __init__(self) -> None:
        self._process: ChildProcess | None = None
        self._is_over = False
        self._is_interruptible = False
        self._waiting: list[int] = []
        self._before: dict[int, Any] = {}

    def run(self, starting: Callable[[], ChildProcess]) -> int:
        """Start a command and wait for it. One that a signal has ended gives 128 and more.

        Raises what ``starting`` does, and ChildError where a signal was there before.
        """
        ending = [number for number in self._waiting if number in _ending_signals()]
        if ending:
            name = signal.Signals(ending[0]).name
            raise ChildError(f"{name} came before the command was started", OF_SIGNALS + ending[0])
        try:
            self._process = process = starting()
            while self._waiting:
                self._send(self._waiting.pop(0))
            code = process.wait()
        finally:
            self._is_over, self._process = True, None
        return code if code >= 0 else OF_SIGNALS - code

    @contextlib.contextmanager
    def interruptible(self) -> Iterator[None]:
        """What a signal may end that comes behind the command. Raises SystemExit then, with a shell's code."""
        self._is_interruptible = True
        try:
            yield
        finally:
            self._is_interruptible = False

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._take) for number in _heeded()}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _take(self, number: int, _: Any) -> None:
        if self._is_over:
            if self._is_interruptible and number in _ending_signals():
                sys.exit(OF_SIGNALS + number)
        elif self._process is None:
            self._waiting.append(number)
        elif signal.Signals(number).name not in OF_TERMINALS or not _from_terminal():
            self._send(number)

    def _send(self, number: int) -> None:
        with contextlib.suppress(OSError):  # it may have ended
            if self._process is not None:
                self._process.send_signal(number)


def _known(names: Iterable[str]) -> list[int]:
    """Those of the signals that this system has."""
    return [getattr(signal, name) for name in names if hasattr(signal, name)]


def _ending_signals() -> list[int]:
    """Those that are asked of a program for it to end."""
    return _known(ENDING)


def _heeded() -> list[int]:
    """Those for the command that nobody has had ignored."""
    return [number for number in _known(FORWARDED) if signal.getsignal(number) != signal.SIG_IGN]


def take_no_signals() -> None:
    """In a forked child that is to become the command: the signals do there what they do by themselves."""
    for number in _heeded():
        signal.signal(number, signal.SIG_DFL)


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
