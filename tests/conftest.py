"""A server per session, of real contracts; tests that count calls make accounts of their own."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from mockserver.server.application import Application, create_app


@pytest.fixture(scope="session")
def app() -> Application:
    return create_app()


@pytest.fixture(scope="session")
def client(app: Application) -> Iterator[TestClient]:
    with TestClient(app, base_url="http://localhost") as client:
        yield client
