"""What ``--with`` names: services that can be let in, what says why others cannot, and how connections there end."""

import queue
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from mockserver.cli.common import CommandError
from mockserver.cli.namespaces import Isolated, IsolatedChild, LocalService
from mockserver.cli.service_relay import read_services, relaying
from tests.live import PATIENCE


@pytest.mark.parametrize(
    ("texts", "services"),
    [
        (["localhost:5432"], [("localhost", 5432, "127.0.0.1")]),
        (["db_1.local:6379", "DB_1.local:6379"], [("db_1.local", 6379, "127.0.0.1")]),
        (["[::1]:443"], [("::1", 443, "::1")]),
        (["127.0.0.2:80", "127.0.0.1:81"], [("127.0.0.2", 80, "127.0.0.2"), ("127.0.0.1", 81, "127.0.0.1")]),
    ],
)
def test_services(texts: list[str], services: list[tuple[str, int, str]]) -> None:
    """Each once, with where it is listened for inside."""
    found = read_services(texts)
    assert [(*service, service.address) for service in found] == services
    assert all(isinstance(service, LocalService) for service in found)


@pytest.mark.parametrize(
    "text", ["x", "localhost:0", "localhost:70000", "bad name:1", "::1:80", "[x]:1", "a/b:1", ":1"]
)
def test_what_is_no_service(text: str) -> None:
    """It is told with the form that is meant."""
    with pytest.raises(
        CommandError, match=f"^--with is HOST:PORT, as localhost:5432, not {text!r}$".replace("[", r"\[")
    ):
        read_services([text])


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["10.1.2.3:5432"], "--with 10.1.2.3:5432: inside there are this machine's own addresses only"),
        (["[2001:db8::1]:1"], "--with [2001:db8::1]:1: inside there are this machine's own addresses only"),
        (["[1::2::3]:1"], "--with [1::2::3]:1: 1::2::3 is no address"),
        (["localhost:443"], "--with localhost:443: port 443 is the vendors' hosts' inside"),
        (["db:80"], "--with db:80: port 80 is the vendors' hosts' inside"),
        (["a:1", "b:1"], "--with a:1 and --with b:1: both would be 127.0.0.1:1 inside"),
    ],
)
def test_what_cannot_be_let_in(texts: list[str], said: str) -> None:
    """Two at one place, those at the vendors' place, and addresses that are not there."""
    with pytest.raises(CommandError) as error:
        read_services(texts)
    assert error.value.message.startswith(said)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@contextmanager
def relayed(serve: Callable[[socket.socket], None] | None) -> Iterator[socket.socket]:
    """A client of a service that has one connection; of one that is not there with None."""
    with (
        socket.create_server(("127.0.0.1", 0)) as real,
        socket.create_server(("127.0.0.1", 0)) as inside,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as names,
    ):
        names.bind(("127.0.0.1", 0))
        service = LocalService("localhost", real.getsockname()[1])
        if serve is None:
            real.close()
        else:
            thread = threading.Thread(target=lambda: serve(real.accept()[0]), daemon=True)
            thread.start()
        isolated = Isolated(IsolatedChild(0, names), frozenset(), names, [], [inside])
        with (
            relaying([service], isolated, lambda _: None),
            socket.create_connection(inside.getsockname(), timeout=PATIENCE) as client,
        ):
            yield client
        if serve is not None:
            thread.join(PATIENCE)


def test_a_service_that_resets() -> None:
    """Its client is reset too, whatever it had been told, and does not wait for more."""

    def serve(connection: socket.socket) -> None:
        connection.recv(100)
        connection.sendall(b"part")
        connection.recv(100)
        reset(connection)

    with relayed(serve) as client:
        client.sendall(b"ask")
        assert client.recv(100) == b"part"
        client.sendall(b"more")
        with pytest.raises(ConnectionResetError):
            client.recv(100)


def test_a_client_that_resets() -> None:
    """The service is told so."""
    ended: queue.Queue[str] = queue.Queue()

    def serve(connection: socket.socket) -> None:
        with connection:
            try:
                while connection.recv(100):
                    pass
            except ConnectionResetError:
                ended.put("reset")

    with relayed(serve) as client:
        client.sendall(b"ask")
        reset(client)
        assert ended.get(timeout=5) == "reset"


def test_a_service_that_says_much_and_ends() -> None:
    """All of it arrives, then the end."""

    def serve(connection: socket.socket) -> None:
        with connection:
            connection.sendall(b"x" * 3_000_000)

    with relayed(serve) as client:
        assert sum(len(piece) for piece in iter(lambda: client.recv(65_536), b"")) == 3_000_000


def test_a_service_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    """The client is reset, and the end of the run says why."""
    with relayed(None) as client, pytest.raises(ConnectionResetError):
        client.recv(100)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("mockserver: --with localhost:")
    assert "could not be reached: " in line
