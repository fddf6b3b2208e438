"""The server that several processes share."""

from collections.abc import Iterator

import pytest

from mockserver.testing import MockServer, run


@pytest.fixture(scope="session")
def server() -> Iterator[MockServer]:
    with run() as server:
        yield server
