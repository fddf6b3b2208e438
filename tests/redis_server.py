"""A Redis server of a test's own, in a folder of its own."""

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import redis

PATIENCE = 20  # seconds


class RedisServer:
    """A server that is started, killed and started again on the same port; then it has what it had, if it ``lasts``."""

    def __init__(self, folder: Path, *, lasts: bool = True) -> None:
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        assert program is not None, "apt-get install redis-server, as .ci/run does"
        self.port = _free_port()
        self._command = [program, "--port", str(self.port), "--dir", str(folder), "--bind", "127.0.0.1", "--save", ""]
        self._command += ["--appendonly", "yes" if lasts else "no", "--appendfsync", "no"]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Return once it answers."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        end = time.monotonic() + PATIENCE
        while not self._answers():
            assert time.monotonic() < end, "the server does not answer"
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            self.do("PING")
        except redis.exceptions.ConnectionError:
            return False
        return True

    def do(self, *command: str) -> object:
        """What a command returns."""
        with closing(redis.Redis(port=self.port)) as client:
            answer: object = client.execute_command(*command)  # type: ignore[no-untyped-call]
            return answer

    def hang(self) -> None:
        """Have it give no answer, though its system takes connections."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """End that."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it as a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def empty(self) -> None:
        """Forget all that it has, its functions too."""
        self.do("FLUSHALL")
        self.do("FUNCTION", "FLUSH")


@contextmanager
def redis_server(folder: Path, *, lasts: bool = True) -> Iterator[RedisServer]:
    """A server that runs until the end."""
    server = RedisServer(folder, lasts=lasts)
    server.start()
    try:
        yield server
    finally:
        server.kill()


def _free_port() -> int:
    with closing(socket.socket()) as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
