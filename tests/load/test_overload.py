"""Clients that are too many, too slow or gone: the others keep being answered, and each refusal says why."""

import asyncio
import random

import pytest

from tests.cli import running
from tests.live import PATIENCE
from tests.load.conftest import CONNECTIONS
from tests.load.healthy_customer import Connect, beside_a_healthy_customer, connecting, until
from tests.load.loaded_server import HEALTH, Customer, Server, control
from tests.streams import Client

OPERATION = "polyai.send_sms"
LONG = 900_000  # bytes of an answer
MANY = 40  # of which no machine keeps so many for a client that does not read
SEED = 11


def test_a_thousand_connections(server: Server) -> None:
    """All are answered at once, and again on the same connections; the journal has each call."""

    async def bad(connect: Connect) -> None:
        clients = [await connect() for _ in range(CONNECTIONS)]
        customer = await Customer.made(clients[0])
        operations = list(customer.requests)
        for _ in range(2):
            calls = [customer.call(one, operations[at % len(operations)]) for at, one in enumerate(clients)]
            for at, answer in enumerate(await asyncio.gather(*calls)):
                assert answer.headers["x-mock-answer"] == f"{operations[at % len(operations)]}/sent"
        assert customer.calls == 2 * CONNECTIONS
        await customer.assert_recorded(clients[0])

    beside_a_healthy_customer(server, bad)


def test_many_requests_in_one_segment(server: Server) -> None:
    """They are answered in order, each as if it had come alone."""

    async def bad(connect: Connect) -> None:
        client = await connect()
        customer = await Customer.made(client)
        operations = list(customer.requests) * 40
        await client.send(b"".join(customer.requests[operation] for operation in operations))
        answers = [await client.answer() for _ in operations]
        assert [answer.headers["x-mock-answer"] for answer in answers] == [f"{one}/sent" for one in operations]
        assert len({answer.headers["x-mock-call"] for answer in answers}) == len(operations)
        customer.calls += len(operations)
        await customer.assert_recorded(client)

    beside_a_healthy_customer(server, bad)


def test_slow_writers(server: Server) -> None:
    """Whether a byte comes now and then or none any more: in time each is cut off, and told why."""

    async def drip(client: Client, data: bytes) -> bytes:
        answer = asyncio.create_task(client.rest())
        for at in range(len(data)):
            if answer.done():
                break
            await client.send(data[at : at + 1])
            await asyncio.sleep(0.1)
        return await answer

    async def bad(connect: Connect) -> None:
        other = await connect()
        customer = await Customer.made(other)
        whole = customer.requests[OPERATION]
        head = whole[: whole.index(b"\r\n\r\n") + 4]
        silent = [await connect() for _ in range(100)]
        dripping = [await connect() for _ in range(100)]
        for number, client in enumerate(silent):
            await client.send(whole[: 1 + number % (len(whole) - 1)])
        for client in dripping[:50]:
            await client.send(head)
        answers = [client.rest() for client in silent]
        answers += [drip(client, whole[len(head) :] if at < 50 else head) for at, client in enumerate(dripping)]
        for answer in await asyncio.gather(*answers):
            assert answer.startswith(b"HTTP/1.1 408 "), answer
            assert b"within 2 s; --request-timeout or" in answer
        await customer.assert_recorded(other)

    beside_a_healthy_customer(server, bad)


def test_slow_readers(server: Server) -> None:
    """Who does not read is cut off, with all that waited for it; who reads gets every byte meanwhile."""

    async def bad(connect: Connect) -> None:
        client = await connect()
        customer = await Customer.made(client)
        pin = {"account": customer.id, "answers": [{"status": 200, "body": "x" * LONG}], "then": "last"}
        pinned = await client.ask(control("PUT", f"pins/{OPERATION}", pin))
        assert pinned.status == 200, pinned
        slow = [await connect(limit=1) for _ in range(10)]
        for one in slow:
            await one.send(customer.requests[OPERATION] * MANY)
        for _ in range(10):
            assert len((await client.ask(customer.requests[OPERATION])).body) == LONG
        await until(lambda: server.open_files == files)
        for one in slow:
            with pytest.raises(ConnectionResetError):
                await one.rest()

    files = server.open_files + 2  # the healthy customer's, and that of who reads
    beside_a_healthy_customer(server, bad)


def test_half_closed_clients(server: Server) -> None:
    """A client that says it sends no more gets what it asked for, and the end."""

    async def bad(connect: Connect) -> None:
        other = await connect()
        customer = await Customer.made(other)
        for number in range(100):
            client = await connect()
            operations = list(customer.requests)[: 1 + number % 5]
            client.writer.write(b"".join(customer.requests[operation] for operation in operations))
            client.writer.write_eof()
            for operation in operations:
                assert (await client.answer()).headers["x-mock-answer"] == f"{operation}/sent"
            assert await client.rest() == b""
            customer.calls += len(operations)
        await customer.assert_recorded(other)

    beside_a_healthy_customer(server, bad)


def test_clients_that_leave(server: Server) -> None:
    """At any byte of a request, with or without a word: what did not come whole is no call."""
    chance = random.Random(SEED)  # noqa: S311 -- reproducible, not secret

    async def bad(connect: Connect) -> None:
        other = await connect()
        customer = await Customer.made(other)
        whole = customer.requests[OPERATION]
        for _ in range(500):
            client = await connect()
            await client.send(whole[: chance.randrange(len(whole))])
            if chance.random() < 0.5:
                client.writer.write_eof()
                assert await client.rest() == b""
            client.close()
        await customer.assert_recorded(other)

    beside_a_healthy_customer(server, bad)


def test_heads_that_are_too_large(server: Server) -> None:
    """Many clients at once learn it, however much more they would have sent."""
    head = HEALTH[:-2] + b"X-Long: "

    async def bad(connect: Connect) -> None:
        clients = [await connect() for _ in range(100)]
        for client in clients:
            client.writer.write(head + b"x" * 1_000_000)
        for client in clients:
            answer = await client.answer()
            assert (answer.status, answer.headers["content-type"]) == (431, "application/problem+json")
            assert "may have 4096 bytes; --max-head or MOCKSERVER_MAX_HEAD" in answer.json["detail"]

    beside_a_healthy_customer(server, bad)


def test_more_connections_than_the_most(server: Server) -> None:
    """The next ones are told so at once; where one goes, there is room for another."""
    most = 1500

    async def bad(connect: Connect) -> None:
        held = [await connect() for _ in range(most - 1)]  # the healthy one is the last
        await held[-1].ask(HEALTH)
        refused = [await connect() for _ in range(400)]
        for client in refused:
            answer = await client.answer()
            assert (answer.status, answer.json["title"]) == (503, "Too many connections")
            assert f"{most} connections are open already; --max-connections or" in answer.json["detail"]
            assert await client.rest() == b""
            client.close()
        for client in held[:500]:
            client.close()
        await until(lambda: server.open_files <= files + most - 500)
        new = [await connect() for _ in range(400)]
        assert {(await client.ask(HEALTH)).status for client in new + held[500:]} == {200}

    files = server.open_files
    beside_a_healthy_customer(server, bad)


def test_few_open_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the machine allows fewer connections than the setting, it is said at the start; those beyond learn why."""
    limited = ["sh", "-c", 'ulimit -n 400; exec "$@"', "sh", *running.COMMAND]
    monkeypatch.setattr(running, "COMMAND", limited)

    async def test(server: Server) -> None:
        async with connecting(server) as connect:
            clients = [await connect() for _ in range(200)]
            for client in clients[80:]:
                answer = await client.answer()
                assert (answer.status, answer.json["detail"][:31]) == (503, "80 connections are open already")
            assert {(await client.ask(HEALTH)).status for client in clients[:80]} == {200}

    with running.serving("--port", "0") as process:
        asyncio.run(test(Server(process)))
        process.process.terminate()
        said, log = process.process.communicate(timeout=PATIENCE)
        first, *others = log.splitlines()
        assert (said, first) == ("", "mockserver: open files (ulimit -Hn) suffice for 80 connections at once only")
        assert all(line.startswith("mockserver: 503 Too many connections: 80 ") for line in others)
