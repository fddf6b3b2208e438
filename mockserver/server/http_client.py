"""One request to a receiver of callbacks: a new connection, no redirects, the response read within bounds."""

import asyncio
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

import httptools

MAX_RESPONSE = 64 * 1024  # bytes of a response's body that are read
MAX_READ = 1024 * 1024  # bytes that are read of a response, head and framing included
READ_SIZE = 16 * 1024  # bytes


class DeliveryError(Exception):
    """No response came; the text says why."""


@dataclass(slots=True)
class Reply:
    """A receiver's response: status, headers as they stand on the wire, and the first 64 KiB of its body."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    has_head: bool = False
    is_complete: bool = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser."""
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        self.has_head = True

    def on_body(self, data: bytes) -> None:
        """Called by the parser."""
        self.body += data[: MAX_RESPONSE - len(self.body)]

    def on_message_complete(self) -> None:
        """Called by the parser."""
        self.is_complete = True


def address_of(url: str) -> SplitResult | None:
    """The parts of an http or https address; None where a text is no such address."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if usable and url.isascii() and url.isprintable() and " " not in url else None


async def send(method: str, url: str, headers: list[tuple[bytes, bytes]], body: bytes, seconds: float) -> Reply:
    """Send a request and read its response, all within so many seconds. Raises DeliveryError."""
    parts = address_of(url)
    if parts is None:
        raise DeliveryError("the address is no http or https URL")
    try:
        async with asyncio.timeout(seconds):
            return await _exchange(parts, _request(method, parts, headers, body))
    except TimeoutError:
        raise DeliveryError(f"no response within {seconds:g} s") from None
    except OSError as error:
        raise DeliveryError(f"no connection: {error.strerror or error}") from None
    except httptools.HttpParserError:
        raise DeliveryError("the response is not HTTP") from None


def _request(method: str, parts: SplitResult, headers: list[tuple[bytes, bytes]], body: bytes) -> bytes:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    host = parts.netloc.rpartition("@")[2]
    lines = [f"{method} {target} HTTP/1.1".encode("ascii"), b"host: " + host.encode("ascii")]
    lines += [name + b": " + value for name, value in headers if name not in {b"content-length", b"connection"}]
    lines += [b"content-length: %d" % len(body), b"connection: close"]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


async def _exchange(parts: SplitResult, request: bytes) -> Reply:
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=secure or None)
    try:
        writer.write(request)
        await writer.drain()
        return await _reply(reader)
    finally:
        writer.close()


async def _reply(reader: asyncio.StreamReader) -> Reply:
    """The response, as far as it is wanted. Raises DeliveryError where no whole head came."""
    reply, left = Reply(), MAX_READ
    parser = httptools.HttpResponseParser(reply)
    while left > 0 and not reply.is_complete and len(reply.body) < MAX_RESPONSE:
        data = await reader.read(READ_SIZE)
        if not data:
            break
        left -= len(data)
        parser.feed_data(data)
    if not reply.has_head:
        ended = "the connection was closed without a response"
        raise DeliveryError(ended if left > 0 else "the head of the response has no end")
    reply.status = parser.get_status_code()
    return reply
