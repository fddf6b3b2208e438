"""TLS from a client's side."""

import ssl
from typing import Any


def trusting(ca: str) -> ssl.SSLContext:
    """A client that trusts this CA, and prefers HTTP/2."""
    context = ssl.create_default_context(cadata=ca)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


def handshake(server: ssl.SSLContext, client: ssl.SSLContext, host: str) -> ssl.SSLObject:
    """The client's end of a handshake, in memory. Raises the client's SSLError."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    own = client.wrap_bio(to_client, to_server, server_hostname=host)
    other = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(3):
        for end in (own, other):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return own


class ByHand:
    """TLS over a connection of any kind, TLS among them, whose bytes are sent when and as the test says."""

    def __init__(self, connection: Any, client: ssl.SSLContext, host: str) -> None:
        self._connection = connection
        self._came, self._goes = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = client.wrap_bio(self._came, self._goes, server_hostname=host)

    def hello(self) -> bytes:
        """The first bytes, which are not sent."""
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return self._goes.read()
        raise AssertionError("a handshake without its server")

    def finish(self, *requests: bytes) -> None:
        """The rest of the handshake; requests are in one segment with its end."""
        while True:
            self._came.write(self._connection.recv(65_536))
            try:
                self._tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._connection.sendall(self._goes.read())
        for request in requests:
            self._tls.write(request)
        self._connection.sendall(self._goes.read())

    def receive(self, size: int) -> bytes:
        """So many bytes, or what comes until the end."""
        data = b""
        while len(data) < size:
            try:
                data += self._tls.read(size - len(data))
            except ssl.SSLWantReadError:
                more = self._connection.recv(65_536)
                if not more:
                    return data
                self._came.write(more)
        return data
