"""A server process with bounds that a test can reach, and room for as many connections as the tests open."""

import resource
from collections.abc import Iterator

import pytest

from tests.cli.running import serving
from tests.live import PATIENCE
from tests.load.beside import Connect, beside_a_healthy_customer
from tests.load.customers import Server

CONNECTIONS = 1000
BOUNDS = ["--most-connections", "1500", "--header-limit", "4096", "--request-timeout", "2"]


@pytest.fixture(scope="session", autouse=True)
def _open_files() -> Iterator[None]:
    """The test process has a descriptor for each connection."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + 500
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))  # a lower hard limit fails here, and says so
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(scope="session")
def process() -> Iterator[Server]:
    """A server that has nothing to say of whatever happens to it."""
    with serving("--port", "0", *BOUNDS) as running:
        server = Server(running)
        beside_a_healthy_customer(server, _nothing)  # what its first customer needs stays open
        yield server
        running.process.terminate()
        assert running.process.communicate(timeout=PATIENCE) == ("", "")


async def _nothing(_: Connect) -> None:
    pass


@pytest.fixture
def server(process: Server) -> Iterator[Server]:
    """The same for all tests: none leaves a descriptor behind."""
    files, threads = process.open_files, process.threads
    yield process
    assert process.settled(files), f"{process.open_files} open files, before {files}"
    assert process.threads == threads
