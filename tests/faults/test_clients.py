"""Faults as users of httpx and requests meet them, and who does not meet them."""

import asyncio
import contextlib
import json
from typing import Any

import httpx
import pytest
import requests

from mockserver.engine.fault import LOSING, SPOILING
from tests.faults.wire import OPERATION, Customer
from tests.live import PATIENCE, Live

HEALTHY = 100
SHORT = 0.25  # seconds that a client waits for what never comes
IMPATIENT = httpx.Timeout(PATIENCE, read=SHORT)
NEVER = 60

TROUBLE = [
    pytest.param({"kind": "reset"}, httpx.ReadError, requests.ConnectionError, id="reset"),
    pytest.param({"kind": "empty"}, httpx.RemoteProtocolError, requests.ConnectionError, id="empty"),
    pytest.param({"kind": "garbage"}, httpx.RemoteProtocolError, requests.ConnectionError, id="garbage"),
    pytest.param({"kind": "timeout"}, httpx.ReadTimeout, requests.ReadTimeout, id="timeout"),
    pytest.param({"kind": "delay", "seconds": NEVER}, httpx.ReadTimeout, requests.ReadTimeout, id="delay"),
    pytest.param({"kind": "dribble", "seconds": NEVER}, httpx.ReadTimeout, requests.ConnectionError, id="dribble"),
    pytest.param(
        {"kind": "truncate"}, httpx.RemoteProtocolError, requests.exceptions.ChunkedEncodingError, id="truncate"
    ),
    pytest.param({"kind": "malformed"}, json.JSONDecodeError, requests.exceptions.JSONDecodeError, id="malformed"),
]


def message(customer: Customer) -> dict[str, Any]:
    """What a client library needs to send a message."""
    body = {"from": customer.number, "to": "+14155550123"}
    return {"url": f"{customer.server.url}/base/messages", "json": body, "headers": {"X-Key": customer.key}}


@pytest.mark.parametrize(("fault", "in_httpx", "in_requests"), TROUBLE)
def test_what_clients_raise(
    customer: Customer, fault: dict[str, Any], in_httpx: type[Exception], in_requests: type[Exception]
) -> None:
    """Each library raises the error that its users handle, on a fresh connection and a kept one; then all is well."""
    with httpx.Client(timeout=PATIENCE) as kept, requests.Session() as session:
        for _ in range(2):
            customer.suffer({**fault, "times": 2})
            is_endless = NEVER in fault.values() or fault["kind"] == "timeout"
            with pytest.raises(in_httpx):
                kept.post(**message(customer), timeout=IMPATIENT if is_endless else PATIENCE).json()
            with pytest.raises(in_requests):
                session.post(**message(customer), timeout=(PATIENCE, SHORT if is_endless else PATIENCE)).json()
            assert kept.post(**message(customer)).json()["id"]
            assert session.post(**message(customer), timeout=PATIENCE).json()["id"]
    faults = [call["response"]["fault"] for call in customer.calls()]
    assert faults == [fault["kind"], fault["kind"], None, None] * 2


def test_unreachable(server: Live, customer: Customer) -> None:
    """An account has an address of each vendor that refuses connections, with the vendor's own path."""
    shape = requests.get(f"{server.url}/_mock/accounts/{customer.id}", timeout=PATIENCE).json()["vendors"]["acme"]
    address = shape["unreachable_url"]
    assert shape["url"] == f"{server.url}/base"
    assert address != shape["url"]
    assert address.endswith("/base")
    for _ in range(2):
        with pytest.raises(httpx.ConnectError, match="refused"):
            httpx.post(f"{address}/messages")
        with pytest.raises(requests.ConnectionError, match="refused"):
            requests.post(f"{address}/messages", timeout=PATIENCE)


@pytest.fixture
def other(server: Live) -> Customer:
    """Another account of the same server."""
    return Customer.of(server)


def test_healthy_requests_beside_faults(server: Live, customer: Customer) -> None:
    """While an account for each fault meets nothing else, a hundred requests at once of another all succeed."""
    ill = {kind: Customer.of(server) for kind in sorted(LOSING | SPOILING)}
    for kind, sufferer in ill.items():
        endless = {"seconds": NEVER} if kind in {"delay", "dribble"} else {}
        sufferer.suffer({"kind": kind, "times": None, **endless})
    limits = httpx.Limits(max_connections=HEALTHY + len(ill))

    async def suffer(client: httpx.AsyncClient, sufferer: Customer, has_suffered: asyncio.Event) -> None:
        while True:
            with contextlib.suppress(httpx.TransportError):
                await client.post(**message(sufferer), timeout=IMPATIENT)
            has_suffered.set()

    async def send(client: httpx.AsyncClient) -> int:
        return (await client.post(**message(customer))).status_code

    async def all_of_them() -> list[int]:
        async with httpx.AsyncClient(limits=limits, timeout=PATIENCE) as client:
            first = [asyncio.Event() for _ in ill]
            pairs = zip(ill.values(), first, strict=True)
            suffering = [asyncio.create_task(suffer(client, sufferer, event)) for sufferer, event in pairs]
            for event in first:
                await event.wait()
            statuses = await asyncio.gather(*(send(client) for _ in range(HEALTHY)))
            for task in suffering:
                task.cancel()
            await asyncio.gather(*suffering, return_exceptions=True)
            return statuses

    assert asyncio.run(all_of_them()) == [202] * HEALTHY
    calls = customer.calls()
    assert len(calls) == HEALTHY
    assert {(call["response"]["fault"], call["outcome"]) for call in calls} == {(None, "sent")}
    for kind, sufferer in ill.items():
        assert {call["response"]["fault"] for call in sufferer.calls()} == {kind}


def test_faults_are_an_accounts_own(server: Live, customer: Customer, other: Customer) -> None:
    """Faults of two accounts are used up apart, are listed apart, and go with a reset of their own account."""
    customer.suffer({"kind": "reset", "times": 2})
    other.suffer({"kind": "empty", "times": 1})
    with httpx.Client(timeout=PATIENCE) as client:
        with pytest.raises(httpx.ReadError):
            client.post(**message(customer))
        with pytest.raises(httpx.RemoteProtocolError):
            client.post(**message(other))
        assert client.post(**message(other)).status_code == 202
        listed = client.get(f"{server.url}/_mock/pins?account={customer.id}").json()["pins"]
        assert [(pin["operation"], pin["left"], pin["fault"]) for pin in listed] == [
            (OPERATION, 1, {"kind": "reset", "times": 2})
        ]
        other.reset()
        with pytest.raises(httpx.ReadError):
            client.post(**message(customer))
        customer.suffer({"kind": "reset", "times": None})
        customer.reset()
        assert client.post(**message(customer)).status_code == 202


def test_coverage_counts_faults(server: Live, customer: Customer) -> None:
    """By operation and kind; an answer that was lost was still given."""
    customer.suffer({"kind": "reset", "times": 2}, "sent")
    for _ in range(2):
        with pytest.raises(requests.ConnectionError):
            requests.post(**message(customer), timeout=PATIENCE)
    customer.suffer("malformed")
    requests.post(**message(customer), timeout=PATIENCE)
    document = requests.get(f"{server.url}/_mock/coverage?account={customer.id}", timeout=PATIENCE).json()
    operation = document["operations"][OPERATION]
    assert operation["faults"] == {"reset": 2, "malformed": 1}
    assert (operation["answers"]["sent"]["forced"], operation["answers"]["sent"]["natural"]) == (2, 1)
