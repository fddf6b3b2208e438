"""Several processes that serve one application on one port: forked once all is compiled, and started anew if they end.

Each has a listening socket of its own, among which Linux shares out the connections. This process holds them all, so
that connections to a worker that has ended wait for the next one.
"""

import os
import select
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import RawIOBase
from typing import NoReturn

from mockserver.engine.sources import steady_time
from mockserver.server.sockets import listen

LOOK_SECONDS = 0.5  # between two looks whether to serve otherwise
LEAST_LIFE = 1.0  # seconds; where a worker lives no longer, another would not either
Serve = Callable[[list[socket.socket], Callable[[], None], RawIOBase], None]  # sockets, when ready, what ends with us


def listen_for_workers(host: str, port: int, workers: int) -> list[list[socket.socket]]:
    """Listening sockets of each worker. Raises ListenError, also where another server has the port."""
    sockets = listen(host, port)  # alone: among sockets that share a port, a stranger's would not be noticed
    if workers == 1 or sys.platform != "linux":  # others give all connections to one of several sockets
        return [sockets] * workers
    port = sockets[0].getsockname()[1]
    for listening in sockets:
        listening.close()
    return [listen(host, port, is_shared=True) for _ in range(workers)]


class Workers:
    """The workers of this process; ``serve`` serves in one of them until it is told to end.

    ``look`` is asked now and then how they are to serve from then on; None: as they do.
    """

    def __init__(
        self, sockets: Sequence[list[socket.socket]], serve: Serve, look: Callable[[], Serve | None] | None = None
    ) -> None:
        self._sockets = sockets
        self._serve = serve
        self._look = look
        self._running: dict[int, tuple[int, float]] = {}  # by process id which worker it is, and when it began
        self._is_ending = False
        self._life, self._our_life = os.pipe()  # which ends when this process does, however that happens
        self._ready, self._told_ready = os.pipe()

    def run(self, announce: Callable[[], None]) -> int:
        """Serve until interrupted; ``announce`` is called once all are ready. Returns the exit code."""
        for number in range(len(self._sockets)):
            self._start(number)
        former = {one: signal.signal(one, self._end) for one in (signal.SIGTERM, signal.SIGINT)}
        try:
            if self._are_ready():
                announce()
            return self._look_after()
        finally:
            self._end()
            for one, handler in former.items():
                signal.signal(one, handler)

    def _are_ready(self) -> bool:
        os.close(self._told_ready)
        self._told_ready = -1  # nobody waits for those that are started later
        return len([*iter(lambda: os.read(self._ready, 1), b"")]) >= len(self._sockets)

    def _look_after(self) -> int:
        """Start anew what ends by itself; returns when all have ended."""
        code = 0
        while self._running:
            pid, status = self._ended()
            number, began = self._running.pop(pid, (0, 0.0))
            if self._is_ending or not pid:
                continue
            ended = f"worker {number + 1} (process {pid}) {_how_it_ended(status)}"
            if steady_time() - began > LEAST_LIFE:
                tell(f"{ended}; another takes its place")
                self._start(number)
            else:
                tell(f"{ended} within {LEAST_LIFE:g} s of its start, as another would: the server ends")
                code = 1
                self._end()
        return code

    def _ended(self) -> tuple[int, int]:
        """A worker that has ended, and how; 0 where none has, and all may serve otherwise now."""
        if self._look is None:
            return os.wait()
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid and not self._is_ending:
            select.select([], [], [], LOOK_SECONDS)
            serve = self._look()
            if serve is not None:
                self._renew(serve)
        return pid, status

    def _renew(self, serve: Serve) -> None:
        """End all workers, and only then start others: connections wait for them meanwhile."""
        self._signal(signal.SIGINT)  # they drain nothing, as they do where the server ends
        while self._running:
            self._running.pop(os.wait()[0], None)
        self._serve = serve
        for number in () if self._is_ending else range(len(self._sockets)):
            self._start(number)

    def _end(self, *_: object) -> None:
        self._is_ending = True
        self._signal(signal.SIGTERM)

    def _signal(self, number: signal.Signals) -> None:
        for pid in self._running:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def _start(self, number: int) -> None:
        pid = os.fork()
        if pid:
            self._running[pid] = (number, steady_time())
            return
        code = 1
        try:
            self._work(self._sockets[number])
            code = 0
        finally:
            _leave(code)

    def _work(self, sockets: list[socket.socket]) -> None:
        """Serve, in a worker."""
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, lambda *_: _leave(0))  # until the server has its own, and after it
        os.close(self._our_life)
        for other in self._sockets:
            for listening in other if other is not sockets else ():
                listening.close()
        with os.fdopen(self._life, "rb", buffering=0) as life:
            self._serve(sockets, self._tell_ready, life)

    def _tell_ready(self) -> None:
        if self._told_ready >= 0:
            os.write(self._told_ready, b".")
            os.close(self._told_ready)


def _how_it_ended(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"has ended with exit code {code}" if code >= 0 else f"was ended by {signal.Signals(-code).name}"


def tell(text: str) -> None:
    """Have a line on standard error; where nobody takes it, the workers serve on."""
    with suppress(OSError, ValueError):
        sys.stderr.write(f"mockserver: {text}\n")
        sys.stderr.flush()


def _leave(code: int) -> NoReturn:
    """End this process without what the one that it was forked of would do at its end."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
