"""Blocks of lines to a stream: in order, whole, and nobody waits for a reader who does not read."""

import io
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import pytest

from mockserver.server import block_writer
from mockserver.server.block_writer import BlockWriter

PATIENCE = 60  # seconds


def notice(dropped: int) -> str:
    return f"{dropped} dropped"


@contextmanager
def pipe() -> Iterator[tuple[TextIO, TextIO]]:
    """The reading and the writing end."""
    reading, writing = os.pipe()
    with os.fdopen(reading, encoding="utf-8") as reader, os.fdopen(writing, "w", encoding="utf-8") as writer:
        yield reader, writer


def test_lines_come_in_order() -> None:
    """Each with a line end, all of them at the end."""
    with pipe() as (reader, stream):
        writer = BlockWriter(stream, notice)
        writer.write(["one", "two"])
        writer.write(["é😀"])
        writer.close()
        stream.close()
        assert reader.read() == "one\ntwo\né😀\n"


def test_a_stream_in_memory() -> None:
    """A stream without a descriptor is written as such."""
    stream = io.StringIO()
    writer = BlockWriter(stream, notice)
    writer.write(["one"])
    writer.close()
    assert stream.getvalue() == "one\n"


def test_what_the_encoding_lacks_is_escaped() -> None:
    """No character ends the log."""
    raw = io.BytesIO()
    writer = BlockWriter(io.TextIOWrapper(raw, encoding="ascii", newline=""), notice)
    writer.write(["é\ud800"])
    writer.close()
    assert raw.getvalue() == b"\\xe9\\ud800\n"


def test_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines beyond a bound are dropped and counted; the end does not wait; a reader who comes later is told."""
    monkeypatch.setattr(block_writer, "MAX_WAITING", 1000)
    monkeypatch.setattr(block_writer, "END_SECONDS", 0.01)
    with pipe() as (reader, stream):
        writer = BlockWriter(stream, notice)
        line = "x" * (1024 * 1024)  # more than a pipe holds
        writer.write([line])
        writer.write(["a", "b"])
        writer.write(["c"])
        writer.close()
        assert [reader.readline(), reader.readline()] == [f"{line}\n", "3 dropped\n"]


def test_a_reader_who_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was dropped is told before the lines that follow."""
    monkeypatch.setattr(block_writer, "MAX_WAITING", 1000)
    with pipe() as (reader, stream):
        writer = BlockWriter(stream, notice)
        line = "x" * (1024 * 1024)
        writer.write([line])
        writer.write(["lost"])
        assert reader.readline() == f"{line}\n"
        for _ in range(PATIENCE * 100):
            if not writer.waiting:
                break
            threading.Event().wait(0.01)
        writer.write(["kept"])
        writer.close()
        assert [reader.readline(), reader.readline()] == ["1 dropped\n", "kept\n"]


def test_a_reader_who_left() -> None:
    """A broken pipe ends the log, and nothing else."""
    with pipe() as (reader, stream):
        reader.close()
        before = set(threading.enumerate())
        writer = BlockWriter(stream, notice)
        writer.write(["one"])
        writer.write(["two"])
        writer.close()
        assert "mockserver-log" not in {thread.name for thread in set(threading.enumerate()) - before}


def test_a_stream_that_is_not_to_be_waited_for() -> None:
    """Another program may have made the stream such that writing never waits: it is tried again."""
    with pipe() as (reader, stream):
        os.set_blocking(stream.fileno(), False)
        writer = BlockWriter(stream, notice)
        line = "x" * (1024 * 1024)
        writer.write([line])
        assert reader.readline() == f"{line}\n"
        writer.close()
