"""The control API of a server that shares its store: how often it asks the store."""

from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from mockserver.server.application import create_app
from tests.redis_server import RedisServer
from tests.server.acme_customer import SETTINGS, Customer
from tests.tools.store.shared import trips

MOST_TRIPS = 8  # of a question, those for what is told and put together beside it included


@pytest.mark.parametrize(
    "path",
    [
        "/calls?limit=1000",
        "/calls?limit=1000&format=summary",
        "/calls?format=har",
        "/calls?format=curl",
        "/messages?account=*&limit=1000",
        "/accounts",
        "/accounts?format=summary",
        "/events?within=0",
    ],
)
def test_a_list_asks_the_store_once_or_twice(redis_db: RedisServer, path: str) -> None:
    """Not for each call, message or account that it shows."""
    app = create_app(replace(SETTINGS, store=redis_db.url))
    with TestClient(app, base_url="http://localhost") as client:
        customers = [Customer.made(client) for _ in range(10)]
        for customer in customers:
            for _ in range(3):
                assert customer.send().is_success
        before = trips(redis_db)
        response = client.get(f"/_mock{path}")
        assert trips(redis_db) - before <= MOST_TRIPS
        assert response.status_code == 200


def test_a_verdict_asks_the_store_a_few_times(redis_db: RedisServer) -> None:
    """For what is recorded and for what is nearest, whatever it shows."""
    app = create_app(replace(SETTINGS, store=redis_db.url))
    with TestClient(app, base_url="http://localhost") as client:
        customer = Customer.made(client)
        for _ in range(20):
            assert customer.send().is_success
        before = trips(redis_db)
        question = {"account": customer.id, "operation": "acme.send_sms", "count": {"exactly": 7}}
        assert client.post("/_mock/calls/verify", json=question).json()["verified"] is False
        assert trips(redis_db) - before <= MOST_TRIPS
