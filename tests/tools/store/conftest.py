"""The Redis server of these tests, empty for each of them."""

from collections.abc import Iterator

import pytest

from tests.redis_server import RedisServer, redis_server
from tests.store.stores import one_loop


@pytest.fixture(scope="session")
def lasting_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis_db(lasting_server: RedisServer) -> RedisServer:
    lasting_server.empty()
    return lasting_server


@pytest.fixture(autouse=True)
def loop() -> Iterator[None]:
    with one_loop():
        yield
