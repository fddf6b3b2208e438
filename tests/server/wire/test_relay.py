"""Hosts that are let through: bytes both ways, as if nobody stood between."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.live import PATIENCE
from tests.server.wire.first_bytes_server import LOOPS, Opened, opened

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


@pytest.fixture(params=LOOPS)
def server(request: pytest.FixtureRequest) -> Iterator[Opened]:
    with opened(request.param, let_through=("localhost",)) as one:
        yield one


@contextmanager
def real(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """The port of a host that serves one connection."""

    def accept() -> None:
        connection, _ = listening.accept()
        connection.settimeout(PATIENCE)
        with connection:
            serve(connection)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(PATIENCE)
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(PATIENCE)


def received(connection: socket.socket) -> bytes:
    data = b""
    while more := connection.recv(65_536):
        data += more
    return data


@contextmanager
def through(server: Opened, port: int, early: bytes = b"") -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
        connection.sendall(b"CONNECT localhost:%d HTTP/1.1\r\nHost: localhost\r\n\r\n%s" % (port, early))
        assert connection.recv(len(ESTABLISHED), socket.MSG_WAITALL) == ESTABLISHED
        yield connection


def test_both_ways(server: Opened) -> None:
    """What a client sends at once is not lost; each side's end reaches the other, which may go on."""

    def serve(connection: socket.socket) -> None:
        assert received(connection) == b"early, later"
        connection.sendall(b"an answer")

    with real(serve) as port, through(server, port, b"early") as connection:
        connection.sendall(b", later")
        connection.shutdown(socket.SHUT_WR)
        assert received(connection) == b"an answer"
    assert server.incidents == []


def test_a_lot(server: Opened) -> None:
    """A side that does not read yet holds the other one up, and misses nothing."""
    size = 20_000_000

    def serve(connection: socket.socket) -> None:
        connection.sendall(b"x" * size)
        connection.shutdown(socket.SHUT_WR)
        assert received(connection) == b"thanks"

    with real(serve) as port, through(server, port) as connection:
        server.until(lambda: len(server.state.connections) == 2)
        assert len(received(connection)) == size
        connection.sendall(b"thanks")


def test_a_reset(server: Opened) -> None:
    """A side that is gone takes the other with it."""
    with real(socket.socket.close) as port, through(server, port) as connection:
        assert received(connection) == b""
    server.until(lambda: not server.state.connections)


def test_the_server_ends(server: Opened) -> None:
    """Both sides are cut off."""
    ended = list[bytes]()
    with real(lambda connection: ended.append(received(connection))) as port, through(server, port) as connection:
        server.until(lambda: len(server.state.connections) == 2)
        for end in tuple(server.state.connections):
            server.run(end.shutdown)
        assert received(connection) == b""
    assert ended == [b""]


def test_a_host_that_cannot_be_reached(server: Opened) -> None:
    """The client is told so, and why."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        host = f"localhost:{unused.getsockname()[1]}"
        with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
            connection.sendall(f"CONNECT {host} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            answer = received(connection)
    assert answer.startswith(b"HTTP/1.1 502 ")
    assert f"{host} is let through, and cannot be reached: ".encode() in answer
