"""What one connection may take: refusals in our own words, answers in order, and nobody cut off who is owed one."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from mockserver.server.wire import protocol
from mockserver.server.wire.protocol import ConnectionState
from mockserver.server.wire.timeouts import Wait
from tests.server.in_loop_server import InLoopServer, run

LIMIT = 300
LATER = b"GET /later HTTP/1.1\r\nHost: x\r\n\r\n"
LARGE = b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n"
QUICK = b"GET /quick HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing is logged by the library's loggers, whatever a client sends."""
    yield
    assert caplog.get_records("call") == []


def head(size: int, path: str = "/quick") -> bytes:
    """A head of so many bytes."""
    bare = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nX-Long: \r\n\r\n"
    return bare.replace("X-Long: ", "X-Long: " + "x" * (size - len(bare))).encode("ascii")


def refusal(raw: bytes) -> tuple[int, Any]:
    """Status and problem of a refusal, which ends its connection and has nothing of a vendor's or a call's."""
    lines, _, body = raw.partition(b"\r\n\r\n")
    names = {line.partition(b": ")[0].lower() for line in lines.split(b"\r\n")[1:]} - {b"date"}
    assert names == {b"content-type", b"content-length", b"connection"}
    assert b"content-type: application/problem+json" in lines
    assert b"connection: close" in lines
    problem = json.loads(body)
    status = int(raw.split(b" ", 2)[1])
    assert (problem["type"], problem["status"]) == ("about:blank", status)
    return status, problem["detail"]


HEADER_SAYS = f"Request line and headers may have {LIMIT} bytes; --max-head or MOCKSERVER_MAX_HEAD raises that."
HEADER = (431, HEADER_SAYS)
UNREADABLE = (400, "This is no HTTP/1.1 request that can be read; the connection ends here.")
SLOW = (
    408,
    "The request did not arrive whole within 30 s; --request-timeout or MOCKSERVER_REQUEST_TIMEOUT raises that.",
)


@pytest.mark.parametrize("piece", [10**9, LIMIT - 1, 41])
def test_a_head_has_a_limit(piece: int) -> None:
    """To the byte, in however many pieces it comes; the application never sees what is refused."""

    async def test(server: InLoopServer) -> None:
        client = await server.connect()
        for _ in range(2):
            await client.in_pieces(head(LIMIT), piece)
            assert (await client.answer()).body == b"/quick"
        await client.in_pieces(head(LIMIT + 1), piece)
        assert refusal(await client.rest()) == HEADER
        assert len(server.app.asked) == 2

    run(test, max_head=LIMIT)


def test_a_head_behind_another_request() -> None:
    """In one segment with it, the limit is the same; what is owed comes first."""

    async def test(server: InLoopServer) -> None:
        client = await server.connect()
        await client.send(QUICK + head(LIMIT) + head(LIMIT + 1) + QUICK)
        for _ in range(2):
            assert (await client.answer()).body == b"/quick"
        assert refusal(await client.rest()) == HEADER
        assert len(server.app.asked) == 2

    run(test, max_head=LIMIT)


@pytest.mark.parametrize("before", [b"", QUICK], ids=["first", "behind another"])
def test_a_head_without_end(before: bytes) -> None:
    """It is refused while the client still sends; a client that reads only then still learns why."""

    async def test(server: InLoopServer) -> None:
        client = await server.connect()
        await client.send(before + b"GET /quick HTTP/1.1\r\nHost: x\r\nX-Long: ")
        if before:
            assert (await client.answer()).body == b"/quick"
        for _ in range(50):
            await client.send(b"x" * LIMIT)
        assert refusal(await client.rest()) == HEADER

    run(test, max_head=LIMIT)


def test_requests_in_one_segment() -> None:
    """Together they may be larger than a head may; each is answered, in order."""
    paths = [f"/{number}" for number in range(200)]

    async def test(server: InLoopServer) -> None:
        client = await server.connect()
        whole = b"".join(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode("ascii") for path in paths)
        await client.in_pieces(whole, len(whole) - 5)
        assert [(await client.answer()).body.decode() for _ in paths] == paths

    run(test, max_head=LIMIT)


@pytest.mark.parametrize("size", [pytest.param(1 << 20, id="at once"), pytest.param(977, id="in pieces")])
def test_many_offers_of_another_protocol(size: int) -> None:
    """However many stand in one segment, each request is answered, in order, and nothing is logged."""
    paths = [f"/{number}" for number in range(1500)]
    offer = "Connection: upgrade\r\nUpgrade: h2c\r\n"

    async def test(server: InLoopServer) -> None:
        client = await server.connect()
        whole = b"".join(f"GET {path} HTTP/1.1\r\nHost: x\r\n{offer}\r\n".encode("ascii") for path in paths)
        await client.in_pieces(whole, size)
        assert [(await client.answer()).body.decode() for _ in paths] == paths

    run(test)


def test_a_large_body_is_no_head() -> None:
    """However large, and in whatever pieces; a head that is too large is one with a body, too, which is read first."""
    post = b"POST /quick HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n"

    async def test(server: InLoopServer) -> None:
        client = await server.connect()
        for piece in (10**9, 7919):
            await client.in_pieces(post + b"\r\n" + b"x" * 200_000, piece)
            assert (await client.answer()).body == b"/quick"
        await client.send(post + b"X-Long: " + b"x" * LIMIT + b"\r\n\r\n")
        await client.send(b"x" * 200_000)
        assert refusal(await client.rest()) == HEADER

    run(test, max_head=LIMIT)


def test_a_client_that_leaves_within_a_body_behind_too_large_a_head() -> None:
    """Nobody is told, and nothing is left."""

    async def test(server: InLoopServer) -> None:
        client = await server.connect()
        post = b"POST /quick HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n"
        await client.send(post + b"X-Long: " + b"x" * LIMIT + b"\r\n\r\n")
        client.writer.close()
        await server.until(lambda: not server.state.tasks and not server.state.connections)

    run(test, max_head=LIMIT)


def test_what_is_no_http() -> None:
    """It is refused in our own words, too; an answer that is owed comes before."""

    async def test(server: InLoopServer) -> None:
        client = await server.connect()
        await client.send(b"nonsense\r\n\r\n")
        assert refusal(await client.rest()) == UNREADABLE
        client = await server.connect()
        await client.send(b"POST /quick HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n")
        assert refusal(await client.rest()) == UNREADABLE
        client = await server.connect()
        await client.send(LATER + b"nonsense\r\n\r\n")
        await server.until(lambda: server.app.asked == ["/later"])
        server.app.may_answer.set()
        assert (await client.answer()).body == b"/later"
        assert (await client.rest())[:12] in {b"", b"HTTP/1.1 400"}

    run(test)


def test_nonsense_in_a_head_that_is_too_large() -> None:
    """One refusal is enough."""

    async def test(server: InLoopServer) -> None:
        client = await server.connect()
        for piece in (head(LIMIT)[:10], head(LIMIT)[10:-9], b"x" * 20 + b"\r\n: \0\r\n\r\n"):
            await client.send(piece)
            await asyncio.sleep(0.02)
        assert refusal(await client.rest()) in {UNREADABLE, HEADER}

    run(test, max_head=LIMIT)


def test_nonsense_behind_an_answer_in_the_making() -> None:
    """Where our words would stand for another answer, there are none."""

    async def test(server: InLoopServer) -> None:
        client = await server.connect()
        await client.send(LATER + b"POST /quick HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n")
        await server.until(lambda: server.app.asked == ["/later"])
        server.app.may_answer.set()
        rest = await client.rest()
        assert rest == b"" or rest.index(b"/later") < rest.index(b"HTTP/1.1 400")

    run(test)


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(b"GET /quick HTTP/1.1\r\nHost: x\r\nX-Lo", id="head"),
        pytest.param(b"POST /quick HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n12345678", id="body"),
        pytest.param(QUICK + b"POST /quick HTTP/1.1\r\nHost: x\r\n", id="second head"),
    ],
)
def test_a_slow_request(part: bytes) -> None:
    """What does not come whole in time is refused; the application learns of nothing."""

    async def test(server: InLoopServer) -> None:
        client = await server.connect()
        await client.send(part)
        await server.until(lambda: server.protocol(client).wait[0] is not Wait.NEXT)
        if part.startswith(QUICK):
            await client.answer()
        await asyncio.sleep(0.02)
        server.pass_time(0)
        server.pass_time(29.9)
        assert server.protocol(client).state is ConnectionState.OPEN
        server.pass_time(0.1)
        assert refusal(await client.rest()) == SLOW
        await server.until(lambda: not server.state.tasks)
        assert server.app.asked == ["/quick"] * part.count(QUICK)
        assert server.protocol(client).state is ConnectionState.LINGERING

    run(test)


def test_a_request_that_goes_on() -> None:
    """It is the whole request that has the time, not each of its bytes; the next one has as much again."""

    async def test(server: InLoopServer) -> None:
        client = await server.connect()
        for _ in range(3):
            await client.send(QUICK[:9])
            await asyncio.sleep(0.02)
            server.pass_time(1)
            server.pass_time(20)
            await client.send(QUICK[9:])
            assert (await client.answer()).body == b"/quick"
        await client.send(QUICK[:9])
        await asyncio.sleep(0.02)
        server.pass_time(1)
        server.pass_time(15)
        await client.send(QUICK[9:12])
        await asyncio.sleep(0.02)
        server.pass_time(15)
        assert refusal(await client.rest()) == SLOW

    run(test)


@pytest.mark.parametrize(
    "more",
    [
        pytest.param(b"", id="nothing more"),
        pytest.param(QUICK[:9], id="a head"),
        pytest.param(b"POST /quick HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1234", id="a body"),
    ],
)
def test_a_slow_answer(more: bytes) -> None:
    """The server may take its time, whatever the client has sent of the next request meanwhile."""

    async def test(server: InLoopServer) -> None:
        client = await server.connect()
        await client.send(LATER + more)
        await server.until(lambda: server.app.asked == ["/later"])
        for _ in range(3):
            server.pass_time(1000)
        server.app.may_answer.set()
        assert (await client.answer()).body == b"/later"
        await client.send(QUICK[9:] if more == QUICK[:9] else b"56789" if more else QUICK)
        assert (await client.answer()).body == b"/quick"

    run(test)


def test_an_idle_connection() -> None:
    """It is closed without a word, whether it was ever used or not."""

    async def test(server: InLoopServer) -> None:
        clients = [await server.connect() for _ in range(2)]
        await clients[0].send(QUICK)
        await clients[0].answer()
        server.pass_time(0)
        server.pass_time(74.9)
        assert len(server.state.connections) == 2
        server.pass_time(0.1)
        assert [await client.rest() for client in clients] == [b"", b""]

    run(test)


def test_a_slow_reader() -> None:
    """One that does not take its answer in time is cut off, even where the connection was ending; others are served."""

    async def test(server: InLoopServer) -> None:
        slow = [await server.connect(limit=1) for _ in range(2)]
        await slow[0].send(LARGE * 3)
        await slow[1].send(b"GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        await server.until(lambda: len(server.app.asked) >= 2)
        other = await server.connect()
        server.pass_time(0)
        await other.send(QUICK)
        assert (await other.answer()).body == b"/quick"
        server.pass_time(29.9)
        assert len(server.state.connections) == 3
        server.pass_time(0.1)
        await server.until(lambda: len(server.state.connections) == 1 and not server.state.tasks)
        for client in slow:
            with pytest.raises(ConnectionResetError):
                await client.rest()
        await other.send(QUICK)
        assert (await other.answer()).body == b"/quick"

    run(test)


def test_an_application_waits_for_its_reader() -> None:
    """What it sends is not piled up: its send returns once the client has taken enough."""

    async def test(server: InLoopServer) -> None:
        client = await server.connect(limit=1000)
        await client.send(LARGE)
        await server.until(lambda: bool(server.app.asked))
        await asyncio.sleep(0.05)
        assert len(server.state.tasks) == 1
        assert len((await client.answer()).body) == 8_000_000
        await server.until(lambda: not server.state.tasks)

    run(test)


def test_a_reader_that_goes_on() -> None:
    """It is each answer that has the time, not all that were asked for at once."""

    async def test(server: InLoopServer) -> None:
        client = await server.connect(limit=1000)
        await client.send(LARGE * 3)
        for _ in range(3):
            await asyncio.sleep(0.02)
            server.pass_time(0)
            server.pass_time(14)  # twice as long is in time: uvicorn begins an answer before the last is read
            assert len((await client.answer()).body) == 8_000_000

    run(test)


def test_a_client_that_sends_no_more() -> None:
    """It gets all answers that it asked for, and then the end; in the midst of a request it asked for none."""

    async def test(server: InLoopServer) -> None:
        for requests in (LATER, LATER + QUICK * 3):
            server.app.may_answer.clear()
            client = await server.connect()
            await client.send(requests)
            await server.until(lambda: len(server.state.tasks) == 1)
            client.writer.write_eof()
            await asyncio.sleep(0.05)
            server.pass_time(1000)
            server.app.may_answer.set()
            expected = [b"/later"] + [b"/quick"] * requests.count(QUICK)
            assert [(await client.answer()).body for _ in expected] == expected
            assert await client.rest() == b""
        client = await server.connect()
        await client.send(b"POST /quick HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n12345678")
        client.writer.write_eof()
        assert await client.rest() == b""

    run(test)


def test_too_many_connections() -> None:
    """Beyond the most, a new one is told so at once, whether it sends or not; it counts no more than one that went."""

    async def test(server: InLoopServer) -> None:
        first, _ = [await server.connect() for _ in range(2)]
        words = "2 connections are open already; --max-connections or MOCKSERVER_MAX_CONNECTIONS raises that."
        for _ in range(3):
            refused = await server.connect()
            await refused.send(QUICK * 1000)
            assert refusal(await refused.rest()) == (503, words)
        await first.send(QUICK)
        assert (await first.answer()).body == b"/quick"
        first.writer.close()
        await server.until(lambda: len(server.state.connections) == 4)
        new = await server.connect()
        await new.send(QUICK)
        assert (await new.answer()).body == b"/quick"
        server.pass_time(0)
        server.pass_time(2)
        await server.until(lambda: len(server.state.connections) == 2)
        assert refusal(await (await server.connect()).rest()) == (503, words)

    run(test, max_connections=2)


def test_few_refused_connections_linger(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a number they are closed at once, so that refusing costs no more than serving would."""
    monkeypatch.setattr(protocol, "MAX_LINGERING", 2)

    async def test(server: InLoopServer) -> None:
        await server.connect()
        for _ in range(2):
            assert refusal(await (await server.connect()).rest())[0] == 503
        assert refusal(await (await server.connect(stays=False)).rest())[0] == 503
        assert len(server.state.connections) == 3

    run(test, max_connections=1)


def test_headers_behind_a_body() -> None:
    """Trailers without end are noticed; h11 has a limit for them."""
    post = b"POST /quick HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"

    async def test(server: InLoopServer) -> None:
        client = await server.connect()
        await client.send(post + b"X-Trailer: 123456789\r\n" * 20)
        assert refusal(await client.rest()) == HEADER
        client = await server.connect()
        await client.send(post + b"X-Trailer: 123456789\r\n" * 20 + b"\r\n")
        assert refusal(await client.rest()) == HEADER

    run(test, max_head=LIMIT)


def test_requests_in_one_segment_of_a_client_that_left() -> None:
    """What was asked for is decided; that nobody reads it is no error."""

    async def test(server: InLoopServer) -> None:
        client = await server.connect()
        await client.send(LATER + QUICK * 3)
        await server.until(lambda: len(server.state.tasks) == 1)
        client.writer.transport.abort()
        await asyncio.sleep(0.05)
        server.app.may_answer.set()
        await server.until(lambda: not server.state.connections and not server.state.tasks)

    run(test)
