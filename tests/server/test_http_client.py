"""Requests to receivers of callbacks: what comes back, and what can go wrong."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest

from mockserver.server.http_client import MAX_READ, MAX_RESPONSE, DeliveryError, Reply, address_of, send

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def exchange(answer: Answer, seconds: float = 20) -> tuple[Reply, bytes]:
    """The reply of a receiver that answers so, and what it got."""
    got: list[bytes] = []

    async def run() -> Reply:
        ended = asyncio.Event()

        async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            got.append(await reader.readuntil(b"\r\n\r\n") + await reader.readexactly(2))
            with contextlib.suppress(ConnectionError):  # who has read enough leaves
                await answer(reader, writer)
                writer.close()
                await writer.wait_closed()
            ended.set()

        server = await asyncio.start_server(receive, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        headers = [(b"content-type", b"text/plain"), (b"content-length", b"9")]
        async with server:
            try:
                return await send("POST", f"http://127.0.0.1:{port}/a?b=1", headers, b"hi", seconds)
            finally:
                await ended.wait()
                await asyncio.sleep(0.01)  # the transports close

    return asyncio.run(run()), b"".join(got)


def saying(data: bytes) -> Answer:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    return answer


def test_a_reply() -> None:
    """The request is sent as it is, with its own length; the reply has status, headers and body."""
    reply, got = exchange(saying(b"HTTP/1.1 404 No\r\nX-A: b\r\nContent-Length: 3\r\n\r\nabc"))
    assert (reply.status, reply.headers[0], bytes(reply.body)) == (404, (b"x-a", b"b"), b"abc")
    assert got.startswith(b"POST /a?b=1 HTTP/1.1\r\nhost: 127.0.0.1:")
    assert got.endswith(b"content-type: text/plain\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi")


def test_a_redirect_is_not_followed() -> None:
    """It is a reply like any other."""
    reply, _ = exchange(saying(b"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n"))
    assert reply.status == 302


def test_a_reply_that_the_end_ends() -> None:
    """A reply without a length is whole when the connection is closed, and a long one is cut."""
    reply, _ = exchange(saying(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (MAX_RESPONSE + 5)))
    assert (reply.status, len(reply.body)) == (200, MAX_RESPONSE)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "closed without a response"),
        (b"HTTP/1.1 200 OK\r\nX-A: b\r\n", "closed without a response"),
        (b"nonsense\r\n\r\n", "is not HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * (MAX_READ // 8 + 1), "the head of the response has no end"),
    ],
    ids=["nothing", "half a head", "nonsense", "endless head"],
)
def test_no_reply(data: bytes, message: str) -> None:
    """Why there is none is said."""
    with pytest.raises(DeliveryError, match=message):
        exchange(saying(data))


def test_a_receiver_that_does_not_answer() -> None:
    """It is given up after the time that the contract allows."""

    async def wait(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    with pytest.raises(DeliveryError, match=r"no response within 0\.05 s"):
        exchange(wait, 0.05)


@pytest.mark.parametrize(
    "url",
    ["ftp://x/", "http://", "//x", "http://x:0/", "http://x:99999/", "http://a b/", "http://ü/", "text", "http://["],
)
def test_what_is_no_address(url: str) -> None:
    """Nothing is sent to what is no http or https address."""
    assert address_of(url) is None
    with pytest.raises(DeliveryError, match="no http or https URL"):
        asyncio.run(send("POST", url, [], b"", 1))


def test_nobody_listens() -> None:
    """A refused connection is told."""
    with pytest.raises(DeliveryError, match="no connection: "):
        asyncio.run(send("POST", "http://127.0.0.1:9/", [], b"", 20))
