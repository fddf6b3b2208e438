"""The head of a CONNECT, held to what every request's head is held to."""

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from mockserver.server.wire.limits import NO_AUTHORITY, UNREADABLE, RefusedError
from mockserver.server.wire.proxy import MAX_AGENT, Authority, Tunnel
from mockserver.server.wire.target import Headers, checked_host


def read_tunnel(head: bytes) -> Tunnel:
    """What a CONNECT asks for whose head is whole, the empty line with it. Raises RefusedError."""
    fields = _Fields()
    parser = HttpRequestParser(fields)
    try:
        parser.feed_data(head)
    except HttpParserUpgrade:  # which is how the parser ends such a head
        pass
    except HttpParserError as error:
        raise RefusedError(UNREADABLE) from error
    if not fields.is_whole or parser.get_method() != b"CONNECT":
        raise RefusedError(UNREADABLE)
    checked_host(fields.headers, parser.get_http_version())
    to = Authority.read(b"".join(fields.target).decode("latin-1"))
    if to is None:
        raise RefusedError(NO_AUTHORITY)
    agent = dict(fields.headers).get(b"user-agent", b"")
    return Tunnel(to, agent.decode("latin-1")[:MAX_AGENT].strip())


class _Fields:
    """What the parser finds."""

    def __init__(self) -> None:
        self.target: list[bytes] = []
        self.headers: Headers = []
        self.is_whole = False
        self.on_url = self.target.append

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.is_whole = True
