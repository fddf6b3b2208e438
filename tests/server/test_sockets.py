"""Where a server listens: every address of a name, both families at ``::``; and what a fork leaves open."""

import errno
import gc
import multiprocessing
import os
import socket
import time
from pathlib import Path

import pytest

from mockserver.server.sockets import ListenError, Unreachable, listen
from mockserver.server.wire import forks
from tests.faults.wire import Customer, Wire
from tests.live import PATIENCE, Live, live_server

HAS_IPV6 = socket.has_ipv6 and socket.has_dualstack_ipv6()
LOOPBACKS = [(socket.AF_INET6, "::1"), (socket.AF_INET, "127.0.0.1")]


def close(sockets: list[socket.socket]) -> None:
    for one in sockets:
        one.close()


def answers(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), PATIENCE).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not HAS_IPV6, reason="this machine has no IPv6")
def test_both_families() -> None:
    """``::`` takes clients of IPv4 as well; ``::1`` and ``0.0.0.0`` are what they say."""
    for host, expected in (("::", [True, True]), ("::1", [True, False]), ("0.0.0.0", [False, True])):  # noqa: S104
        sockets = listen(host, 0)
        port = sockets[0].getsockname()[1]
        assert [answers(address, port) for address in ("::1", "127.0.0.1")] == expected, host
        close(sockets)


def of_name(*addresses: tuple[int, str]) -> object:
    """A resolver for which every name has these addresses."""

    def resolve(*_: object, **__: object) -> list[tuple[int, int, int, str, tuple[str, int]]]:
        return [(family, socket.SOCK_STREAM, 6, "", (address, 0)) for family, address in addresses]

    return resolve


@pytest.mark.skipif(not HAS_IPV6, reason="this machine has no IPv6")
def test_a_name_has_several_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is listened on at each, at one port; one that the machine has not is left out."""
    monkeypatch.setattr(socket, "getaddrinfo", of_name(*LOOPBACKS, LOOPBACKS[0], (socket.AF_INET, "203.0.113.7")))
    sockets = listen("localhost", 0)
    assert {one.getsockname()[:2] for one in sockets} == {
        (address, sockets[0].getsockname()[1]) for _, address in LOOPBACKS
    }
    close(sockets)


@pytest.mark.skipif(not HAS_IPV6, reason="this machine has no IPv6")
def test_an_address_that_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """One taken address is an error, which leaves no socket open; a free port is one that is free at all of them."""
    monkeypatch.setattr(socket, "getaddrinfo", of_name(*LOOPBACKS))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ListenError, match=f"cannot listen on localhost:{port}: Address already in use"):
            listen("localhost", port)
        assert not answers("::1", port)
    refusals = [1]
    real = socket.create_server

    def create_server(address: tuple[str, int], **options: object) -> socket.socket:
        if address[0] == "127.0.0.1" and refusals:
            refusals.pop()
            raise OSError(errno.EADDRINUSE, "Address already in use")
        return real(address, **options)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(socket, "create_server", create_server)
    sockets = listen("localhost", 0)
    assert (len(sockets), refusals) == (2, [])
    close(sockets)


def test_a_name_that_nobody_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is one error, whichever step finds it."""

    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(ListenError, match=r"cannot listen on nowhere\.test:80: Name or service not known"):
        listen("nowhere.test", 80)
    monkeypatch.setattr(socket, "getaddrinfo", of_name(*((socket.AF_INET, f"203.0.113.{n}") for n in (7, 8))))
    with pytest.raises(ListenError, match=r"cannot listen on nowhere\.test:80"):
        listen("nowhere.test", 80)


def test_a_name_too_long_for_any_address() -> None:
    """It is refused, and no socket stays open."""
    with pytest.raises(ListenError, match="cannot listen on "):
        listen("x" * 70, 0)


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


@needs_fork
@pytest.mark.parametrize("kind", ["empty", "reset", "truncate"])
def test_a_fault_reaches_its_client_beside_a_forked_child(live: Live, kind: str) -> None:
    """The child holds no copy of the connection, so its end is seen at once, not when the child ends."""
    customer = Customer.of(live)
    wire = Wire(live.port)
    wire.send(customer.request())
    assert wire.reply().status == 202
    child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(PATIENCE,), daemon=True)
    child.start()
    try:
        customer.suffer(kind)
        wire.send(customer.request())
        assert wire.reply().ending == ("reset" if kind == "reset" else "closed")
        assert child.is_alive()
    finally:
        child.kill()
        child.join()
        wire.close()


@needs_fork
def test_a_forked_child_holds_none_of_our_sockets(live: Live) -> None:
    """Neither what listens nor a connection nor a port that is kept; whatever it closes there, the parent's stay."""
    wire, unreachable = Wire(live.port), Unreachable()
    assert unreachable.origin
    wire.send(b"GET /_mock/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert wire.reply("GET").status == 200
    held = sorted(forks.held())
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:  # nothing of pytest may go on here
        try:
            os.write(writing, ",".join(str(Path(f"/proc/self/fd/{one}").readlink()) for one in held).encode())
        finally:
            os._exit(0)
    os.close(writing)
    found = os.read(reading, 65536).decode().split(",")
    os.close(reading)
    os.waitpid(child, 0)
    assert len(found) >= 3
    assert set(found) == {os.devnull}
    wire.send(b"GET /_mock/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert wire.reply("GET").status == 200
    wire.close()
    unreachable.close()


def test_what_is_closed_is_held_no_more(tmp_path: Path) -> None:
    """A number that another file has got meanwhile is left to it."""
    file = (tmp_path / "file").open("wb")
    forks.hold(file)
    child = os.fork() if hasattr(os, "fork") else None
    if child == 0:
        os.write(file.fileno(), b"child")
        os._exit(0)
    if child is not None:
        os.waitpid(child, 0)
        assert (tmp_path / "file").read_bytes() == b"child"
    forks.release(file.fileno())
    assert forks.hold(None) == -1
    file.close()


def test_a_port_is_given_back_with_its_holder() -> None:
    """An application that is dropped without being shut down leaves no open socket behind."""
    unreachable = Unreachable()
    port = int(unreachable.origin.rpartition(":")[2])
    del unreachable
    gc.collect()
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_a_server_that_has_ended_holds_nothing() -> None:
    """The number of its socket may be another file's by now, which a child of a fork keeps."""
    before = forks.held()
    with live_server():
        assert len(forks.held()) > len(before)
    assert forks.held() <= before
