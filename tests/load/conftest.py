"""A server process with bounds that a test can reach, and room for as many connections as the tests open."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cli.running import serving
from tests.live import PATIENCE
from tests.load.healthy_customer import Connect, beside_a_healthy_customer
from tests.load.loaded_server import Server

CONNECTIONS = 1000
QUIET = ["--log", "off"]  # what else it says is told as a failure
BOUNDS = [*QUIET, "--max-connections", "1500", "--max-head", "4096", "--request-timeout", "2"]


@pytest.fixture(scope="session", autouse=True)
def _open_files() -> Iterator[None]:
    """The test process has a descriptor for each connection."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + 500
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))  # a lower hard limit fails here, and says so
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def server_process() -> Iterator[Server]:
    """A server that has nothing to say of whatever happens to it."""
    with serving("--port", "0", *BOUNDS) as running:
        server = Server(running)
        assert server.has_loaded(), server.threads
        files = server.open_files
        beside_a_healthy_customer(server, _nothing)
        assert server.settled(files + 1), server.open_file_names  # the first customer's unreachable port stays
        yield server
        running.process.terminate()
        assert running.process.communicate(timeout=PATIENCE) == ("", "")


@contextmanager
def nothing_left(server: Server) -> Iterator[Server]:
    """The server ends the block with the descriptors and threads that it began with."""
    files, threads = server.open_files, server.threads
    yield server
    assert server.settled(files), f"{server.open_files} open files, before {files}: {server.open_file_names}"
    assert server.threads == threads


async def _nothing(_: Connect) -> None:
    pass


@pytest.fixture(scope="session")
def process() -> Iterator[Server]:
    with server_process() as server:
        yield server


@pytest.fixture
def server(process: Server) -> Iterator[Server]:
    """The same for all tests: none leaves anything behind."""
    with nothing_left(process):
        yield process


@pytest.fixture
def own_server() -> Iterator[Server]:
    """Of one test alone."""
    with server_process() as server, nothing_left(server):
        yield server
