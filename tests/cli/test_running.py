"""What a test is told of a server process that does not become ready."""

import subprocess
import sys

import pytest

from tests.cli.running import READY, lines_until_ready

PATIENCE = 60  # seconds that no test waits


def program(source: str) -> subprocess.Popen[str]:
    """A process that is no server."""
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", source], stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def test_ready() -> None:
    """The lines are returned as soon as the last of them is there, and the process goes on."""
    with program(f"print('first\\n{READY}here', flush=True); input()") as process:
        assert lines_until_ready(process, PATIENCE) == ["first", f"{READY}here"]
        assert process.poll() is None
        process.kill()


def test_ended() -> None:
    """A server that ends by itself is told with its status and all that it printed."""
    message = r"the server ended with status 3; its output: \['first'\], its errors: 'no port\\n'"
    with (
        program("import sys; print('first'); sys.stderr.write('no port\\n'); sys.exit(3)") as process,
        pytest.raises(AssertionError, match=message),
    ):
        lines_until_ready(process, PATIENCE)


def test_killed() -> None:
    """A server that takes too long is killed, and the failure says so instead of calling it ended."""
    message = r"the server was killed, since it was not ready within 0\.1 s; its output: \[\], its errors: ''"
    with program("import time; time.sleep(600)") as process, pytest.raises(AssertionError, match=message):
        lines_until_ready(process, 0.1)
    assert process.returncode < 0
