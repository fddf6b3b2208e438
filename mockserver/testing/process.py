"""A server from another environment, run as a process of its own."""

import contextlib
import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from mockserver.server.settings import PREFIX
from mockserver.testing.client import ControlError
from mockserver.testing.server import MockServer

START_SECONDS = 60.0  # a command may install something first
STOP_SECONDS = 15.0
POLL_SECONDS = 0.02
MAX_OUTPUT = 4000  # characters of a command's output in an error
READY = re.compile(r"^mockserver \S+ is ready on (\S+)$", re.MULTILINE)


@contextmanager
def run_command(command: str, contracts: Iterable[str] = (), fixtures: Iterable[str] = ()) -> Iterator[MockServer]:
    """The server that ``COMMAND serve`` starts on a free port, ready on entry, gone on exit.

    ``command`` is split as by a shell; ``contracts`` and ``fixtures`` are folders beside the built-in ones. The process
    gets no MOCKSERVER_ variables of this one, and writes no log. It ends with this process, however this one ends.
    Raises ControlError.
    """
    with TemporaryDirectory(prefix="mockserver-") as folder:
        output = Path(folder, "output")
        process = _start(command, contracts, fixtures, output)
        try:
            yield MockServer(_address(command, process, output))
        finally:
            _stop(process)


def _start(command: str, contracts: Iterable[str], fixtures: Iterable[str], output: Path) -> subprocess.Popen[bytes]:
    options = [word for folder in contracts for word in ("--contracts", folder)]
    options += [word for folder in fixtures for word in ("--fixtures", folder)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    environment[f"{PREFIX}LOG"] = "off"  # its output is kept in a file, which would grow
    try:
        with output.open("wb") as file:  # a pipe would fill up where nobody reads it
            return subprocess.Popen(  # noqa: S603 -- the user's own command
                [*_words(command), "serve", "--port", "0", "--until-eof", *options],
                stdin=subprocess.PIPE,  # ends with this process
                stdout=file,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,  # Ctrl-C ends the tests first, and they end the server
            )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ControlError(f"the server's command cannot be run: {command!r}: {reason}") from error


def _words(command: str) -> list[str]:
    """The words of a command. Raises ValueError."""
    words = shlex.split(command)
    if not words:
        raise ValueError("it is empty")
    return words


def _address(command: str, process: subprocess.Popen[bytes], output: Path) -> str:
    """Where the server is ready, once it says so. Raises ControlError."""
    for _ in range(round(START_SECONDS / POLL_SECONDS)):  # no clock: a test may have stopped it
        code = process.poll()
        text = output.read_text("utf-8", "replace")
        ready = READY.search(text)
        if ready is not None:
            return ready[1]
        if code is not None:
            raise ControlError(_failure(command, f"ended with exit code {code} before it was ready", text))
        time.sleep(POLL_SECONDS)
    raise ControlError(_failure(command, f"was not ready within {START_SECONDS:g} s", text))


def _failure(command: str, what: str, text: str) -> str:
    output = f"its output:\n{text.strip()[-MAX_OUTPUT:]}" if text.strip() else "it said nothing"
    return f"the server's command {command!r} {what}; {output}"


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the server; whatever the command started as well, if it does not."""
    with contextlib.suppress(OSError):
        process.stdin.close()  # type: ignore[union-attr]  # it is a pipe
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL) if hasattr(os, "killpg") else process.kill()
        process.wait()
