"""A real vendor: a request goes there as it came, and its answer comes back as it was sent.

The client is httpcore2 (the extra ``real``): it changes neither path nor headers, skips preliminary answers, and reads
no proxy from the environment.
"""

import os
import ssl
from collections.abc import Iterable
from typing import NamedTuple, Self
from urllib.parse import urlsplit

import httpcore2

from mockserver.server.settings import is_loopback
from mockserver.server.wire.passing import HOP_BY_HOP, TRANSFER_ENCODING
from mockserver.server.wire.proxy import DEFAULT_PORTS

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 30.0
MAX_ANSWER = 8 * 1024 * 1024  # bytes of a real answer's body
CA_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR")  # as the client reads them
OWN_CA = "; where a proxy signs with a CA of its own, SSL_CERT_FILE names a file with that"
BETWEEN_HOPS = HOP_BY_HOP | {TRANSFER_ENCODING}

Headers = list[tuple[bytes, bytes]]


class UpstreamError(Exception):
    """A real vendor did not answer; the text says why."""


class Received(NamedTuple):
    """A real answer as it came, without what is between two ends of a connection."""

    status: int
    headers: Headers
    body: bytes


class Origin(NamedTuple):
    """Where a real vendor is."""

    scheme: str
    host: str
    port: int

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Of ``https://host[:port]``; None for another text. Over plain HTTP, this machine only."""
        try:
            parts = urlsplit(text)
            host, port = parts.hostname or "", parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
        except ValueError:
            return None
        is_whole = parts.path in {"", "/"} and not (parts.query or parts.fragment or parts.username)
        if not (host and port and is_whole and text.isascii() and text.isprintable()):
            return None
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
        return cls(parts.scheme, f"[{host}]" if ":" in host else host, port) if is_safe else None

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"

    @property
    def authority(self) -> str:
        is_default = self.port == DEFAULT_PORTS[self.scheme]
        return self.host if is_default else f"{self.host}:{self.port}"


class Upstream:
    """One real vendor. Each request has a connection of its own."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self._trust: ssl.SSLContext | None = None

    async def send(self, method: str, target: bytes, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> Received:
        """Send a request, and read the answer. Raises UpstreamError."""
        origin = self.origin
        url = httpcore2.URL(
            scheme=origin.scheme.encode(), host=origin.host.strip("[]").encode(), port=origin.port, target=target
        )
        timeouts = {
            "connect": CONNECT_SECONDS,
            "pool": CONNECT_SECONDS,
            "read": ANSWER_SECONDS,
            "write": ANSWER_SECONDS,
        }
        try:
            async with (
                httpcore2.AsyncConnectionPool(
                    ssl_context=self._trusted(), max_connections=1, max_keepalive_connections=0
                ) as pool,
                pool.stream(
                    method,
                    url,
                    headers=_passed_on(headers, origin, body),
                    content=body or None,
                    extensions={"timeout": timeouts},
                ) as response,
            ):
                content = bytearray()
                async for chunk in response.aiter_stream():
                    content += chunk
                    if len(content) > MAX_ANSWER:
                        raise UpstreamError(f"its answer has more than {MAX_ANSWER} bytes")
                received = [(name.lower(), value) for name, value in response.headers]
                return Received(response.status, _end_to_end(received), bytes(content))
        except (httpcore2.NetworkError, httpcore2.TimeoutException, httpcore2.ProtocolError) as error:
            hint = OWN_CA if "CERTIFICATE_VERIFY_FAILED" in str(error) else ""
            raise UpstreamError(f"{type(error).__name__} {error}".strip() + hint) from error

    def _trusted(self) -> ssl.SSLContext | None:
        """Which CAs are trusted, read once. Raises UpstreamError."""
        if self._trust is None and self.origin.scheme == "https":
            try:
                self._trust = httpcore2.default_ssl_context()
            except OSError as error:
                named = [f"{name}={os.environ[name]}" for name in CA_VARIABLES if os.environ.get(name)]
                raise UpstreamError(f"no CA certificate is in {' or '.join(named)}: {error}") from error
        return self._trust


def _passed_on(headers: Iterable[tuple[bytes, bytes]], origin: Origin, body: bytes) -> Headers:
    """A request's headers, its body whole now, with the vendor's own host."""
    kept = [(n, v) for n, v in _end_to_end(list(headers)) if n.lower() not in {b"host", b"content-length", b"expect"}]
    had_length = any(name.lower() in {b"content-length", b"transfer-encoding"} for name, _ in headers)
    length = [(b"content-length", b"%d" % len(body))] if body or had_length else []
    return [(b"host", origin.authority.encode("ascii")), *kept, *length]


def _end_to_end(headers: Headers) -> Headers:
    """The headers without those of the connection, and without those that ``Connection`` names."""
    named = {
        token.strip().lower() for name, value in headers if name.lower() == b"connection" for token in value.split(b",")
    }
    return [(name, value) for name, value in headers if name.lower() not in BETWEEN_HOPS | named]
