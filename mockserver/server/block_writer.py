"""Blocks of lines to a stream such as standard error, from a thread: a reader who does not read holds up nobody."""

import threading
import time
from collections.abc import Callable
from os import write
from queue import SimpleQueue
from typing import TextIO

MAX_WAITING = 4 * 1024 * 1024  # bytes that wait for the reader; further lines are dropped, and counted
END_SECONDS = 1.0  # at the end, a reader who does not read gets no more time
RETRY_SECONDS = 0.02  # before the next try at a stream that is not ready, where it may not be waited for


class BlockWriter:
    """Writes to the stream in the order of the calls. ``notice`` makes a line of the number of dropped lines.

    A stream that cannot be written any more is left alone.
    """

    def __init__(self, stream: TextIO, notice: Callable[[int], str]) -> None:
        self._stream = stream
        self._encoding = stream.encoding or "utf-8"
        self._descriptor = _descriptor(stream)
        self._notice = notice
        self._blocks: SimpleQueue[bytes | None] = SimpleQueue()
        self._given = 0  # bytes; counted by the caller's thread alone
        self._done = 0  # bytes; counted by the writing thread alone
        self._dropped = 0
        self._thread = threading.Thread(target=self._write_all, name="mockserver-log", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Bytes that are not written yet."""
        return self._given - self._done

    def write(self, lines: list[str]) -> None:
        """Write lines, which have no line ends; never waits."""
        if self.waiting > MAX_WAITING:
            self._dropped += len(lines)
            return
        self._put([*self._notices(), *lines])

    def close(self) -> None:
        """Write what is left, for as long as the reader may take."""
        self._put(self._notices())
        self._blocks.put(None)
        self._thread.join(END_SECONDS)

    def _notices(self) -> list[str]:
        dropped, self._dropped = self._dropped, 0
        return [self._notice(dropped)] if dropped else []

    def _put(self, lines: list[str]) -> None:
        if lines:
            block = "\n".join([*lines, ""]).encode(self._encoding, "backslashreplace")
            self._given += len(block)
            self._blocks.put(block)

    def _write_all(self) -> None:
        is_open = True
        while (block := self._blocks.get()) is not None:
            try:
                if is_open:
                    self._write(block)
            except (OSError, ValueError):  # nobody is there to be told
                is_open = False
            self._done += len(block)

    def _write(self, block: bytes) -> None:
        if self._descriptor is None:
            self._stream.write(block.decode(self._encoding))
            self._stream.flush()
            return
        while block:  # past the stream's own buffer, whose lock others would wait for
            try:
                block = block[write(self._descriptor, block) :]
            except BlockingIOError:
                time.sleep(RETRY_SECONDS)


def _descriptor(stream: TextIO) -> int | None:
    """The file descriptor of a stream; None for one in memory."""
    try:
        return stream.fileno()
    except (OSError, ValueError):
        return None
