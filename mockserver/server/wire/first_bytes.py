"""A connection until its first bytes say what it is for: plain HTTP, TLS, or a proxy's tunnel.

A connection is in one of these states:

    FIRST     nothing has come, or too little to tell
    HEAD      a CONNECT has begun
    WORKING   a TLS handshake, or a connection to a host that is let through: nothing is read here meanwhile
    OVER      another protocol has the transport, or there is no connection any more

A tunnel to a vendor's host ends here: its first bytes are looked at as those of a new connection. What comes over TLS
has first bytes of its own. Each leads to HTTP at last, on the accepted transport itself, so that a fault does to the
client what it does without TLS and tunnel. A request pays for none of this.
"""

import asyncio
import ssl
from collections.abc import Coroutine
from enum import Enum, auto
from typing import Any

from mockserver.server.wire import forks
from mockserver.server.wire.connect_head import read_tunnel
from mockserver.server.wire.connection_setup import ConnectionSetup, spawn
from mockserver.server.wire.incident import Incident, no_certificate, tls_failure, tls_left
from mockserver.server.wire.limits import (
    UNREADABLE,
    Refusal,
    RefusedError,
    header_too_large,
    no_vendors_host,
    too_slow,
    unreachable,
)
from mockserver.server.wire.proxy import Destination, Tunnel
from mockserver.server.wire.relay import CONNECT_SECONDS, Relay
from mockserver.server.wire.timeouts import Wait

CONNECT = b"CONNECT "
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
HANDSHAKE = 0x16  # the first byte of a record, and so of a TLS connection
INTERNAL_ERROR = b"\x15\x03\x03\x00\x02\x02\x50"  # TLS's alert of this name, fatal (RFC 8446, 6.2)
HANDSHAKE_SECONDS = 10.0
CLOSE_SECONDS = 2.0  # for a client to answer TLS's own goodbye
_SERVER_NAME = 0  # the kind of a TLS extension
_FIXED = 5 + 4 + 2 + 32  # bytes of a hello: heads of record and message, version, random


class Phase(Enum):
    """See above."""

    FIRST = auto()
    HEAD = auto()
    WORKING = auto()
    OVER = auto()


class FirstBytesProtocol(asyncio.Protocol):
    """``config`` is uvicorn's, with a ``setup``; the other arguments are those that uvicorn gives.

    ``tunnel`` is that in which the connection stands, ``hello`` the host that its TLS client asked for; None: no TLS.
    """

    transport: Any

    def __init__(
        self,
        config: Any,
        server_state: Any,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        tunnel: Tunnel | None = None,
        hello: str | None = None,
    ) -> None:
        self.loop = _loop or asyncio.get_running_loop()
        self.phase = Phase.FIRST
        self._given = {"config": config, "server_state": server_state, "app_state": app_state, "_loop": self.loop}
        self._setup: ConnectionSetup = config.setup
        self._connections: set[Any] = server_state.connections
        self._tasks: set[asyncio.Task[None]] = server_state.tasks
        self._tunnel = tunnel
        self._hello = hello
        self._may_start_tls = hello is None
        self._begun = b""  # what came and is nobody's yet
        self._is_connected = False
        self._is_left = False
        self._is_ending = False  # it is us who end it
        self._descriptor = -1

    # what the event loop calls

    def connection_made(self, transport: Any) -> None:
        """Begin; bytes that TLS has handed over before this wait already."""
        self.transport = transport
        self._is_connected = True
        self._connections.add(self)
        self._descriptor = forks.hold(transport.get_extra_info("socket"))
        if self._hello is None and self._setup.is_full(self._connections):
            self._serve(b"")  # which is refused there
        elif self._begun:
            self._look()

    def data_received(self, data: bytes) -> None:
        self._begun += data
        if self._is_connected:
            self._look()

    def connection_lost(self, _: Exception | None) -> None:
        """A client that leaves right behind the handshake may be one that does not trust us: Node's is like that."""
        self._is_left = True
        self._leave()
        is_unused = self._is_connected and self.phase is Phase.FIRST and not (self._begun or self._is_ending)
        if is_unused and self._hello is not None:
            self._report(tls_left(self._hello, self._tunnel))
        self.phase = Phase.OVER

    @property
    def client(self) -> Any:
        """The client's address."""
        return self.transport.get_extra_info("peername")

    # what uvicorn calls

    def shutdown(self) -> None:
        """The server ends: nobody is answered yet."""
        self._is_ending = True
        self.transport.abort()

    # what the timeouts look at

    @property
    def wait(self) -> tuple[Wait, int]:
        """Handshakes and connections to other hosts have their own end."""
        if self.phase is Phase.WORKING:
            return Wait.SERVER, 0
        return (Wait.REQUEST if self._begun else Wait.NEXT), int(self._tunnel is not None)

    def overdue(self, wait: Wait) -> None:
        """Do what is due after so long a wait."""
        if wait is Wait.REQUEST:
            self._refuse(too_slow(self._setup.service.settings.request_timeout))
        else:
            self._is_ending = True
            self.transport.close()

    # what the bytes say

    def _look(self) -> None:
        begun = self._begun
        if self.phase is Phase.HEAD:
            self._read_head()
        elif self.phase is not Phase.FIRST or not begun:
            return
        elif begun[0] == HANDSHAKE and self._may_start_tls:
            self._work(self._secure())
        elif self._tunnel is None and CONNECT.startswith(begun[: len(CONNECT)]):
            if len(begun) >= len(CONNECT):
                self.phase = Phase.HEAD
                self._read_head()
        else:
            self._begun = b""
            self._serve(begun)

    def _read_head(self) -> None:
        """Answer a CONNECT once its head is complete."""
        head, end, rest = self._begun.partition(b"\r\n\r\n")
        limit = self._setup.service.settings.max_head
        if len(head) > limit:
            self._refuse(header_too_large(limit))
        elif head.count(b"\n") != head.count(b"\r\n"):  # a bare one, behind which no end would come
            self._refuse(UNREADABLE)
        if not end or self.phase is not Phase.HEAD:
            return
        try:
            tunnel = read_tunnel(head + end)
        except RefusedError as error:
            self._refuse(error.refusal)
            return
        destination = self._setup.proxy.destination(tunnel.to, self.transport.get_extra_info("sockname"))
        if destination is Destination.NOWHERE:
            self._refuse_tunnel(tunnel, no_vendors_host(tunnel.to))
        elif destination is Destination.THROUGH:
            self._work(self._pass_on(tunnel, rest))
        else:
            self._tunnel, self._begun, self.phase = tunnel, rest, Phase.FIRST
            self._may_start_tls = True
            self.transport.write(ESTABLISHED)
            self._look()

    def _serve(self, data: bytes) -> Any:
        """Hand the connection over to HTTP, with what came already; returns the protocol that has it."""
        protocol = self._setup.protocol(**self._given)
        self._hand_over(protocol)
        if data:
            protocol.data_received(data)
        return protocol

    def _hand_over(self, protocol: Any) -> None:
        self.phase = Phase.OVER
        self._leave()
        self.transport.set_protocol(protocol)  # before it is connected: it may write and close at once
        protocol.connection_made(self.transport)

    def _leave(self) -> None:
        self._connections.discard(self)
        forks.release(self._descriptor)

    def _refuse(self, refusal: Refusal) -> None:
        self._begun = b""
        self._serve(b"").refuse(refusal)

    def _refuse_tunnel(self, tunnel: Tunnel, refusal: Refusal) -> None:
        self._report(Incident.refused("CONNECT", str(tunnel.to), tunnel.agent, refusal))
        self._refuse(refusal)

    # what takes longer

    def _work(self, work: Coroutine[Any, Any, None]) -> None:
        self.phase = Phase.WORKING
        self.transport.pause_reading()
        spawn(work, self._tasks)

    def _report(self, incident: Incident) -> None:
        self._setup.report(incident, self._tasks)

    async def _secure(self) -> None:
        """Start TLS, with the bytes of the client's hello that are here."""
        hello, self._begun = self._begun, b""
        name = server_name(hello)
        context = await self._context(name)
        if context is None:
            return
        inner = FirstBytesProtocol(**self._given, tunnel=self._tunnel, hello=name)
        inner._may_start_tls = False
        transport, is_told = None, False
        try:
            if not self._is_left:
                transport = await start_tls(self.transport, inner, context, hello)
                inner._is_left |= self.transport.is_closing()  # which not every event loop tells
        except OSError as error:  # TLS's own among them
            is_told = True
            if not self._is_ending:
                self._report(tls_failure(error, name, self._tunnel))
        finally:
            self.phase = Phase.OVER
            self._leave()
            if transport is None:
                self.transport.abort()
        if inner._is_left and not (is_told or self._is_ending):
            self._report(tls_left(name, self._tunnel))
        elif transport is not None and not inner._is_left:
            inner.connection_made(transport)

    async def _context(self, name: str) -> ssl.SSLContext | None:
        """What TLS is started with; None where there is none, which the client is told in TLS's own words."""
        certificates = self._setup.certificates
        try:
            return certificates.ready or await self.loop.run_in_executor(None, certificates.context)
        except Exception as error:  # noqa: BLE001 -- of a disk, or of the library, which knows more than one kind
            self._report(no_certificate(error, name, self._tunnel))
            self.transport.write(INTERNAL_ERROR)
            self.transport.close()
            return None

    async def _pass_on(self, tunnel: Tunnel, rest: bytes) -> None:
        """Connect the client with the real host."""
        here, there = Relay.pair(self._connections, self.transport, ESTABLISHED)
        host, port = tunnel.to.host.strip("[]"), tunnel.to.port
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self.loop.create_connection(lambda: there, host, port)
        except OSError as error:  # a TimeoutError and a name that is not known among them
            reason = error.strerror or str(error) or type(error).__name__
            self.transport.resume_reading()
            self._refuse_tunnel(tunnel, unreachable(tunnel.to, reason))
            return
        there.transport.write(rest)
        if self._is_left:
            there.transport.close()
        else:
            self._hand_over(here)
            self.transport.resume_reading()


async def start_tls(transport: Any, protocol: asyncio.Protocol, context: ssl.SSLContext, hello: bytes) -> Any:
    """TLS on an accepted transport, some of whose bytes were read already; None where the client left meanwhile.

    ``protocol`` gets what comes over TLS, perhaps before this returns, and then is to be connected. Raises OSError.
    """
    loop = asyncio.get_running_loop()
    starting = loop.create_task(
        loop.start_tls(
            transport,
            protocol,
            context,
            server_side=True,
            ssl_handshake_timeout=HANDSHAKE_SECONDS,
            ssl_shutdown_timeout=CLOSE_SECONDS,
        )
    )
    await asyncio.sleep(0)  # TLS's own protocol is the transport's now
    await asyncio.sleep(0)  # and connected; nothing more is read before it has what came first
    if not starting.done():
        feed(transport.get_protocol(), hello)
    return await starting


def feed(protocol: Any, data: bytes) -> None:
    """Hand bytes to a BufferedProtocol, as its transport would."""
    rest = memoryview(data)
    while rest:
        buffer = protocol.get_buffer(len(rest))
        size = min(len(buffer), len(rest))
        buffer[:size] = rest[:size]
        protocol.buffer_updated(size)
        rest = rest[size:]


def server_name(hello: bytes) -> str:
    """The host that a TLS client asks for, read from the first bytes of its hello (RFC 8446, 4.1.2; RFC 6066, 3).

    It is "" where the client names none, or where it is not among these bytes.
    """
    try:
        at = _FIXED
        at += 1 + hello[at]  # session
        at += 2 + _number(hello, at)  # cipher suites
        at += 1 + hello[at]  # compressions
        at += 2  # length of all extensions
        while _number(hello, at) != _SERVER_NAME:
            at += 4 + _number(hello, at + 2)
        size = _number(hello, at + 7)
        name = hello[at + 9 : at + 9 + size]
    except IndexError:
        return ""
    text = name.decode("ascii", "replace").lower()
    return text if len(name) == size and text.replace("-", "").replace(".", "").isalnum() and text.isascii() else ""


def _number(data: bytes, at: int) -> int:
    return data[at] << 8 | data[at + 1]
