"""A long mixed load on one server: counts, memory, and how long healthy clients wait. It stops by itself.

``python benchmarks/soak.py [--calls N] [--slow N] [--accounts N] [--fill N]`` starts a server and fills what an account
may have of calls and records, so that what grows behind that grows without bound. It sends it two halves of a load:
sends to all vendors, faults, waits, refused and hostile bodies, offers of an upgrade, accounts that come and go, beside
connections that send a byte now and then. Each account is verified to have exactly the calls that were made. A healthy
client, in a process of its own, tells how long an answer takes. Then accounts are made one after another, used with a
pinned literal and a fault, and deleted. It ends with 1 where a count is wrong.
"""

import argparse
import asyncio
import contextlib
import http.client
import itertools
import multiprocessing
import resource
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.scenarios import SCENARIOS, scenario, send, wire
from benchmarks.servers import Server, ServerError, our_program, running
from tests.load.loaded_server import HEALTH, Customer, control
from tests.load.mixed import Worker
from tests.streams import Client

CALLS, SLOW, ACCOUNTS = 200_000, 1_000, 10_000
WORKERS = 8
PATIENCE = 60  # seconds that the healthy client waits for an answer
FILL = 60_000  # sends that fill the journal and the lists of the healthy client's account
PAUSE = 0.002  # seconds between two of its calls
DRIP = 0.5  # seconds between two bytes of a slow connection
LITERAL = "x" * 50_000  # of an answer that fits no schema
PARTS = 4  # of the accounts, after which the memory is told
SETTINGS = {"MOCKSERVER_MAX_CONNECTIONS": "1500", "MOCKSERVER_REQUEST_TIMEOUT": "5", "MOCKSERVER_LOG": "off"}


def main() -> None:
    """Load a server, and print what was found."""
    parser = argparse.ArgumentParser(prog="benchmarks/soak.py", description=__doc__)
    parser.add_argument("--calls", type=int, default=CALLS, help=f"mixed, in two halves [{CALLS}]")
    parser.add_argument("--slow", type=int, default=SLOW, help=f"connections beside them [{SLOW}]")
    parser.add_argument("--accounts", type=int, default=ACCOUNTS, help=f"that come and go [{ACCOUNTS}]")
    parser.add_argument("--fill", type=int, default=FILL, help=f"sends before the first half [{FILL}]")
    options = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, options.slow + 500)), hard))
    with running(our_program(SETTINGS), send()) as server:
        try:
            asyncio.run(soak(server, options))
        except (AssertionError, ServerError, EOFError) as wrong:
            raise SystemExit(f"benchmarks: {wrong or 'the healthy client ended'}") from wrong


async def soak(server: Server, options: argparse.Namespace) -> None:
    """Both halves, and the accounts."""
    say(f"start: {server.memory():.1f} MiB")
    await fill(server.port, options.fill)
    say(f"{options.fill} sends: {server.memory():.1f} MiB")
    for half in range(2):
        began, waited = time.perf_counter(), list[float]()
        with healthy_client(server.port, waited):
            async with slow_connections(server.port, options.slow):
                connect = partial(Client.connect, server.port)
                workers = [Worker(connect, seed=half * WORKERS + at) for at in range(WORKERS)]
                await asyncio.gather(*(worker.work(options.calls // 2 // WORKERS) for worker in workers))
        seconds = time.perf_counter() - began
        waited.sort()
        say(
            f"half {half + 1}: {options.calls // 2} calls in {seconds:.0f} s, counts exact, {server.memory():.1f} MiB; "
            f"{len(waited)} healthy answers, p50 {waited[len(waited) // 2]:.1f} ms, "
            f"p99 {waited[len(waited) * 99 // 100]:.1f} ms, longest {waited[-1]:.1f} ms"
        )
    for part in range(PARTS):
        await churn(server.port, options.accounts // PARTS)
        say(f"{(part + 1) * (options.accounts // PARTS)} accounts came and went: {server.memory():.1f} MiB")


async def fill(port: int, sends: int) -> None:
    """Send to one vendor after another for the healthy client's account."""
    client = await Client.connect(port)
    requests = itertools.cycle(wire(request) for request in scenario(SCENARIOS[-1]))
    for request in itertools.islice(requests, sends):
        await client.ask(request)
    client.close()


@contextlib.asynccontextmanager
async def slow_connections(port: int, number: int) -> AsyncIterator[None]:
    """So many connections that send a request byte by byte, and come again when the server has had enough of it."""
    tasks = [asyncio.create_task(_be_slow(port)) for _ in range(number)]
    try:
        yield
    finally:
        await _ended(tasks)


@contextlib.contextmanager
def healthy_client(port: int, waited: list[float]) -> Iterator[None]:
    """A client that sends to one vendor after another; at the end ``waited`` gets the milliseconds of each answer."""
    spawning = multiprocessing.get_context("spawn")
    ours, its = spawning.Pipe()
    process = spawning.Process(target=be_healthy, args=(port, its))
    process.start()
    try:
        yield
        ours.send(None)
        waited += ours.recv()
    finally:
        process.terminate()
        process.join()


def be_healthy(port: int, told: Connection) -> None:
    """Send until something is told, and tell how long each answer took. Another answer than success ends it."""
    waited = []
    requests = [(request.method, wire(request)) for request in scenario(SCENARIOS[-1])]
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        while not told.poll():
            for method, data in requests:
                began = time.perf_counter()
                connection.sendall(data)
                answer = http.client.HTTPResponse(connection, method=method)
                answer.begin()
                answer.read()
                waited.append((time.perf_counter() - began) * 1000)
                if answer.status >= 300:
                    raise SystemExit(f"benchmarks: a healthy client was answered {answer.status}")
                time.sleep(PAUSE)
    told.send(waited)


async def churn(port: int, accounts: int) -> None:
    """Make accounts one after another; each is sent a literal answer and a fault, is verified, and deleted."""
    client = await Client.connect(port)
    try:
        for _ in range(accounts):
            customer = await Customer.made(client)
            for operation, request in customer.requests.items():
                literal = {"status": 429, "body": {"of": customer.id, "text": LITERAL}}
                fault = {"kind": "malformed", "times": 1}
                for pin in ({"answers": [literal]}, {"answers": ["sent"], "fault": fault}):
                    pinned = await client.ask(control("PUT", f"pins/{operation}", {"account": customer.id, **pin}))
                    if pinned.status != 200:
                        raise ServerError(f"a pin was answered {pinned}")
                    await client.ask(request)
                    customer.calls += 1
            await customer.assert_recorded(client)
            await client.ask(control("DELETE", f"accounts/{customer.id}"))
    finally:
        client.close()


async def _be_slow(port: int) -> None:
    while True:
        client = await Client.connect(port)
        try:
            with contextlib.suppress(OSError):
                for at in range(len(HEALTH) - 1):
                    await client.send(HEALTH[at : at + 1])
                    await asyncio.sleep(DRIP)
        finally:
            client.close()


async def _ended(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def say(text: str) -> None:
    """A line with the time of day."""
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


if __name__ == "__main__":
    main()
