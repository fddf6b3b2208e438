"""The first bytes of a connection: plain HTTP, TLS and tunnels on one port, on either kind of event loop."""

import contextlib
import json
import socket
import ssl
from collections.abc import Callable, Iterator

import pytest

from mockserver.server.certificates import Certificates
from mockserver.server.wire import first_bytes
from mockserver.server.wire.incident import Incident
from mockserver.server.wire.timeouts import Wait
from tests.live import PATIENCE
from tests.server.tls import ByHand, trusting
from tests.server.wire.first_bytes_server import HOSTS, LOOPS, Opened, opened

HOST = HOSTS[0]
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
TO_HOST = b"CONNECT api.acme.example:443 HTTP/1.1\r\nHost: api.acme.example:443\r\nUser-Agent: test/1\r\n\r\n"
REQUEST = b"GET /path HTTP/1.1\r\nHost: api.acme.example\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 18\r\n\r\nGET /path HTTP/1.1"


@pytest.fixture(autouse=True, scope="module")
def _state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(params=LOOPS)
def server(request: pytest.FixtureRequest) -> Iterator[Opened]:
    with opened(request.param) as one:
        yield one


def connect(server: Opened) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)


def received(connection: socket.socket, size: int) -> bytes:
    """So many bytes, or what comes until the end."""
    data = b""
    while len(data) < size and (more := connection.recv(size - len(data))):
        data += more
    return data


def tunnel(server: Opened) -> socket.socket:
    """A tunnel to the vendor's host."""
    connection = connect(server)
    connection.sendall(TO_HOST)
    assert received(connection, len(ESTABLISHED)) == ESTABLISHED
    return connection


def secure(server: Opened, connection: socket.socket, host: str = HOST) -> ssl.SSLSocket:
    return trusting(server.ca).wrap_socket(connection, server_hostname=host)


def tunnel_in_tls(server: Opened) -> socket.socket:
    connection = secure(server, connect(server), "localhost")
    connection.sendall(TO_HOST)
    assert received(connection, len(ESTABLISHED)) == ESTABLISHED
    return connection


WAYS: dict[str, Callable[[Opened], socket.socket]] = {
    "plain": connect,
    "tls": lambda server: secure(server, connect(server)),
    "tunnel": tunnel,
    "tls in a tunnel": lambda server: secure(server, tunnel(server)),
    "tunnel in tls": tunnel_in_tls,
}


@pytest.mark.parametrize("way", WAYS)
def test_all_kinds_on_one_port(server: Opened, way: str) -> None:
    """Each leads to HTTP, and stays open."""
    with WAYS[way](server) as connection:
        for _ in range(2):
            connection.sendall(REQUEST)
            assert received(connection, len(ANSWER)) == ANSWER
    assert server.incidents == []
    assert server.said == []


def test_tls_in_a_tunnel_in_tls(server: Opened) -> None:
    """As a client does that reaches its proxy over TLS."""
    with secure(server, connect(server), "localhost") as outer:
        outer.sendall(TO_HOST)
        assert received(outer, len(ESTABLISHED)) == ESTABLISHED
        inner = ByHand(outer, trusting(server.ca), HOST)
        outer.sendall(inner.hello())
        inner.finish(REQUEST)
        assert inner.receive(len(ANSWER)) == ANSWER


def test_a_megabyte_over_tls(server: Opened) -> None:
    """What is larger than any buffer arrives whole, in both directions."""
    with secure(server, tunnel(server)) as connection:
        connection.sendall(b"GET /large HTTP/1.1\r\nX: " + b"y" * 300_000 + b"\r\n\r\n")
        head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n"
        assert received(connection, len(head)) == head
        assert received(connection, 1_000_000) == b"x" * 1_000_000


@pytest.mark.parametrize("size", [1, 7, 100])
def test_in_pieces(server: Opened, size: int) -> None:
    """However the bytes of a head and a hello are cut."""
    with connect(server) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(TO_HOST), size):
            connection.sendall(TO_HOST[at : at + size])
        assert received(connection, len(ESTABLISHED)) == ESTABLISHED
        inner = ByHand(connection, trusting(server.ca), HOST)
        hello = inner.hello()
        for at in range(0, len(hello), size):
            connection.sendall(hello[at : at + size])
        inner.finish(REQUEST)
        assert inner.receive(len(ANSWER)) == ANSWER


@pytest.mark.parametrize("before", [TO_HOST, b""])
def test_a_client_that_does_not_wait(server: Opened, before: bytes) -> None:
    """A hello that was read with the CONNECT, and requests that come with the end of the handshake, are not lost.

    ``loop.start_tls`` has no way to be given what was read before it: this pins the way that is taken.
    """
    with connect(server) as connection:
        inner = ByHand(connection, trusting(server.ca), HOST)
        connection.sendall(before + inner.hello())
        if before:
            assert received(connection, len(ESTABLISHED)) == ESTABLISHED
        inner.finish(REQUEST, REQUEST)
        assert inner.receive(2 * len(ANSWER)) == 2 * ANSWER


@pytest.mark.parametrize("first", ["G", "C", "CONNEC", "CONNECTED /x", "PRI * HTTP/2.0", "\x00", "\x17"])
def test_other_first_bytes_are_http(server: Opened, first: str) -> None:
    """Whatever is neither a hello nor a CONNECT, HTTP gets from the first byte on."""
    with connect(server) as connection:
        connection.sendall(first.encode())
        connection.sendall(b"rest\r\n\r\n")
        line = f"{first}rest".encode()
        answer = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(line), line)
        assert received(connection, len(answer)) == answer


@pytest.mark.parametrize("way", WAYS)
def test_what_a_fault_does_reaches_the_client(server: Opened, way: str) -> None:
    """A reset is one to the client's kernel, through TLS and tunnel too; other ends are what they are without."""
    for path, expected in ((b"/empty", b""), (b"/truncate", b"GET /truncate HTT")):
        with WAYS[way](server) as connection:
            connection.sendall(b"GET %s HTTP/1.1\r\n\r\n" % path)
            assert received(connection, 10_000).partition(b"\r\n\r\n")[2] == expected
    connection = WAYS[way](server)
    connection.sendall(b"GET /reset HTTP/1.1\r\n\r\n")
    with socket.socket(fileno=connection.detach()) as raw:
        raw.settimeout(PATIENCE)
        with pytest.raises(ConnectionResetError):
            received(raw, 10_000)


def refusal(connection: socket.socket) -> tuple[int, str]:
    """Status and detail of a refusal in our own words, behind which the connection ends."""
    head, _, body = received(connection, 100_000).partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    assert b"connection: close" in head
    return int(head.split(b" ")[1]), json.loads(body)["detail"]


def test_a_host_that_is_no_vendors(server: Opened) -> None:
    """A CONNECT is answered, always; the reason names what would pass it on, and the refusal is kept."""
    with connect(server) as connection:
        connection.sendall(b"CONNECT Other.example.:443 HTTP/1.1\r\nHost: a\r\nuser-agent: probe/2\r\n\r\n")
        status, detail = refusal(connection)
    assert (status, detail.partition("; ")[0]) == (
        502,
        "other.example is no vendor's host, and nothing leaves this machine",
    )
    assert detail.endswith("--let-through other.example or MOCKSERVER_LET_THROUGH passes it on.")
    [incident] = server.incidents
    assert incident[:4] == ("CONNECT", "other.example:443", "probe/2", 502)
    assert incident.refusal is not None
    assert incident.refusal.detail == detail


def test_this_machine_is_no_vendors_host_either(server: Opened) -> None:
    """But for the server itself, whose clients may have forgotten to except it from their proxy."""
    with connect(server) as connection:
        connection.sendall(b"CONNECT localhost:5432 HTTP/1.1\r\nHost: a\r\n\r\n")
        status, detail = refusal(connection)
    assert (status, "NO_PROXY=localhost,127.0.0.1,::1" in detail) == (502, True)
    for host in ("localhost", "127.0.0.1"):
        with connect(server) as connection:
            connection.sendall(b"CONNECT %s:%d HTTP/1.1\r\nHost: a\r\n\r\n" % (host.encode(), server.port))
            assert received(connection, len(ESTABLISHED)) == ESTABLISHED
            with secure(server, connection, host) as own:
                own.sendall(REQUEST)
                assert received(own, len(ANSWER)) == ANSWER


@pytest.mark.parametrize("line", [b"api.acme.example", b":443", b"x:0", b"x:70000", b"[::1:443", b"/path"])
def test_a_connect_that_names_no_host_and_port(server: Opened, line: bytes) -> None:
    """It is told that it has to; what does not end as a request is no HTTP."""
    with connect(server) as connection:
        connection.sendall(b"CONNECT %s HTTP/1.1\r\nHost: a\r\n\r\n" % line)
        assert refusal(connection) == (400, "CONNECT asks for a host and a port, as in api.example.com:443.")
    with connect(server) as connection:
        connection.sendall(b"CONNECT %s\r\n\r\n" % line)
        assert refusal(connection)[1].startswith("This is no HTTP/1.1 request that can be read")
    assert server.incidents == []


@pytest.mark.parametrize("end", ["\n", "\nHost: a\r\n", "\r\nHost: a\n\n"])
def test_a_connect_with_a_bare_line_feed(server: Opened, end: str) -> None:
    """It is refused at once, as any other request is: its head would never end."""
    with connect(server) as connection:
        connection.sendall(b"CONNECT api.acme.example:443 HTTP/1.1" + end.encode())
        assert refusal(connection)[0] == 400


def test_a_connect_has_a_limit() -> None:
    """As every head has."""
    with opened("asyncio", max_head=200) as server:
        for end in (b"", b"\r\n\r\n"):
            with connect(server) as connection:
                connection.sendall(b"CONNECT api.acme.example:443 HTTP/1.1\r\nX: " + b"y" * 200 + end)
                assert refusal(connection)[0] == 431


def test_a_connect_within_a_tunnel_is_a_request(server: Opened) -> None:
    """There is no tunnel in a tunnel: HTTP refuses it."""
    with tunnel(server) as connection:
        connection.sendall(TO_HOST)
        assert b"\r\n\r\nCONNECT api.acme" in received(connection, 60)


def distrusting(server: Opened, connection: socket.socket) -> None:
    """A client that knows nothing of our CA."""
    with pytest.raises(ssl.SSLCertVerificationError):
        ssl.create_default_context().wrap_socket(connection, server_hostname=HOST)


TRUSTED_NOT = (
    "the client did not trust the server's certificate (unknown_ca); `mockserver ca --hint` prints what to set"
)


def test_a_client_that_does_not_trust_us(server: Opened) -> None:
    """What it said, who it was, and what to set, is kept: the one thing that its user has to know."""
    with connect(server) as connection:
        distrusting(server, connection)
    server.until(lambda: len(server.incidents) == 1)
    with tunnel(server) as connection:
        distrusting(server, connection)
    server.until(lambda: len(server.incidents) == 2)
    assert server.incidents == [
        Incident("TLS", HOST, "", 0, TRUSTED_NOT),
        Incident("CONNECT", f"{HOST}:443", "test/1", 200, TRUSTED_NOT),
    ]
    assert server.incidents[0].sentence == f"TLS {HOST}: {TRUSTED_NOT}"
    assert server.incidents[1].sentence == f"CONNECT {HOST}:443, user agent test/1: {TRUSTED_NOT}"


def test_where_no_certificate_can_be_made(server: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client is told in TLS's own words, the log has a line, and the next client is served."""

    def fail(*_: object) -> None:
        raise TypeError("no such kind\nof thing")

    ca = server.ca
    with monkeypatch.context() as patch:
        patch.setattr(Certificates, "ready", None)
        patch.setattr(Certificates, "context", fail)
        with pytest.raises(ssl.SSLError, match="ALERT_INTERNAL_ERROR"):
            trusting(ca).wrap_socket(connect(server), server_hostname=HOST)
    server.until(lambda: len(server.incidents) == 1)
    assert server.incidents[0].sentence == f"TLS {HOST}: no certificate could be made (TypeError: no such kind)"
    with secure(server, connect(server)) as connection:
        connection.sendall(REQUEST)
        assert received(connection, len(ANSWER)) == ANSWER


def test_clients_that_leave_without_a_word(server: Opened) -> None:
    """In the handshake or right behind it, which is how Node says that it does not trust us."""
    with connect(server) as connection:
        connection.sendall(ByHand(connection, trusting(server.ca), HOST).hello())
        assert connection.recv(1) == b"\x16"
    server.until(lambda: len(server.incidents) == 1)
    secure(server, connect(server)).close()
    server.until(lambda: len(server.incidents) == 2)
    for incident in server.incidents:
        assert incident[:4] == ("TLS", HOST, "", 0)
        assert "as some do that do not trust the certificate; `mockserver ca --hint` prints" in incident.note


def test_what_is_no_tls_after_all(server: Opened) -> None:
    """A first byte may mislead; what is wrong is kept."""
    with connect(server) as connection:
        connection.sendall(b"\x16" + b"nonsense" * 20)
        received(connection, 1000)
    server.until(lambda: len(server.incidents) == 1)
    assert server.incidents[0].note.startswith("the TLS handshake failed (")


def test_who_leaves_a_tunnel_unused_is_not_told_of(server: Opened) -> None:
    """Nor who ends a connection before it began."""
    tunnel(server).close()
    connect(server).close()
    with connect(server) as connection:
        connection.sendall(b"CONNECT api")
    server.until(lambda: not server.state.connections)
    assert server.incidents == []


def test_handshakes_count() -> None:
    """A connection in a handshake is one of those that are bounded; the next one is refused."""
    with opened("asyncio", max_connections=3) as server, contextlib.ExitStack() as stack:
        for _ in range(3):
            connection = stack.enter_context(connect(server))
            connection.sendall(ByHand(connection, trusting(server.ca), HOST).hello())
            assert connection.recv(1) == b"\x16"
        assert len(server.state.connections) == 3
        with connect(server) as one_too_many:
            assert refusal(one_too_many)[0] == 503
        server.incidents.clear()


@pytest.mark.parametrize("loop", LOOPS)
def test_a_handshake_that_never_ends(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has a time of its own, since nobody looks after it meanwhile."""
    monkeypatch.setattr(first_bytes, "HANDSHAKE_SECONDS", 0.05)
    with opened(loop) as server, connect(server) as connection:
        connection.sendall(b"\x16\x03\x01\x02\x00")
        assert received(connection, 1) == b""
        server.until(lambda: len(server.incidents) == 1)
        assert server.incidents[0] == Incident("TLS", "", "", 0, "the TLS handshake took too long")


def test_what_is_waited_for(server: Opened) -> None:
    """A first byte as long as between requests, the rest as long as for a request; a handshake is nobody else's."""

    def waits() -> list[tuple[Wait, int]]:
        return [connection.wait for connection in server.state.connections]

    with connect(server) as connection:
        server.until(lambda: waits() == [(Wait.NEXT, 0)])
        connection.sendall(b"CONN")
        server.until(lambda: waits() == [(Wait.REQUEST, 0)])
        connection.sendall(TO_HOST[4:])
        server.until(lambda: waits() == [(Wait.NEXT, 1)])
        connection.sendall(b"\x16")
        server.until(lambda: waits() == [(Wait.SERVER, 0)])
    server.until(lambda: not server.state.connections)


def test_who_waits_too_long(server: Opened) -> None:
    """An idle connection ends; one that has begun is told why."""
    with connect(server) as connection:
        server.until(lambda: bool(server.state.connections))
        [begun] = server.state.connections
        server.run(lambda: begun.overdue(Wait.NEXT))
        assert received(connection, 1) == b""
    with connect(server) as connection:
        connection.sendall(b"CONNECT api.")
        server.until(lambda: [one.wait[0] for one in server.state.connections] == [Wait.REQUEST])
        [begun] = server.state.connections
        server.run(lambda: begun.overdue(Wait.REQUEST))
        assert refusal(connection)[0] == 408


def test_the_server_ends(server: Opened) -> None:
    """Whoever has not asked anything yet is cut off at once, and not told of: it is not its fault."""
    with connect(server), tunnel(server), connect(server) as shaking, secure(server, connect(server)):
        shaking.sendall(ByHand(shaking, trusting(server.ca), HOST).hello())
        assert shaking.recv(1) == b"\x16"
        server.until(lambda: len(server.state.connections) == 4)
        for connection in tuple(server.state.connections):
            server.run(connection.shutdown)
        server.until(lambda: not server.state.connections and not server.state.tasks)
    assert server.incidents == []
