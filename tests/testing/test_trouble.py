"""Faults, rate limits and an account's time from Python."""

import asyncio
from collections.abc import Iterator

import pytest
import requests

from mockserver.testing import Account, AsyncMockServer, MockServer, run


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with run() as server:
        yield server


def send(account: Account, url: str | None = None) -> requests.Response:
    polyai = account.polyai
    headers = {
        "X-PolyAi-Auth-Token": polyai.credentials["api_key"],
        "X-TOKEN-ID": polyai.owned["connectors"][0]["id"],
    }
    body = {"user_number": "+14155550123", "message": "Hi"}
    return requests.post(f"{url or polyai.url}/v1/outbound-sms", json=body, headers=headers, timeout=5)


def test_a_fault(server: MockServer) -> None:
    """It strikes as often as it was asked to; the call is recorded with it."""
    with server.account() as account:
        account.polyai.send_sms.pin(fault={"kind": "reset"})
        with pytest.raises(requests.ConnectionError):
            send(account)
        assert send(account).status_code == 202
        account.polyai.send_sms.assert_accepted(times=1)
        assert [call.data["response"]["fault"] for call in account.polyai.send_sms.calls] == ["reset", None]


def test_a_lost_reply_was_accepted(server: MockServer) -> None:
    """With an answer beside the fault the vendor said yes, though the client never heard of it."""
    with server.account() as account:
        account.polyai.send_sms.pin("sent", fault={"kind": "empty"})
        with pytest.raises(requests.ConnectionError):
            send(account)
        account.polyai.send_sms.assert_accepted(times=1)


def test_nothing_to_pin(server: MockServer) -> None:
    """A pin needs an answer or a fault."""
    with server.account() as account, pytest.raises(TypeError, match="a fault or a course"):
        account.polyai.send_sms.pin()


def test_unreachable(server: MockServer) -> None:
    """The vendor's other address refuses connections."""
    with server.account() as account, pytest.raises(requests.ConnectionError, match="refused"):
        send(account, account.polyai.unreachable_url)


def test_limits_and_time(server: MockServer) -> None:
    """A limit counts down; when its window has passed on the account's clock, requests are free again."""
    with server.account() as account:
        account.limit("polyai.send_sms", requests=1, seconds=30)
        account.freeze()
        assert [send(account).status_code for _ in range(2)] == [202, 429]
        assert [limit["remaining"] for limit in account.limits] == [0]
        account.advance(30)
        assert send(account).status_code == 202
        account.unfreeze()
        account.unlimit("polyai")
        assert account.limits == []
        assert send(account).status_code == 202


def test_awaited(server: MockServer) -> None:
    """The same by await."""

    async def use() -> list[int]:
        async with AsyncMockServer(server.url).account() as account:
            polyai = account.polyai
            await account.limit("polyai", requests=1, seconds=60)
            await account.freeze("2030-01-01T00:00:00Z")
            await account.advance(1)
            await account.unfreeze()
            left = [limit["remaining"] for limit in await account.limits]
            await account.unlimit("polyai")
            await polyai.send_sms.pin(fault={"kind": "delay", "seconds": 0})
            assert polyai.unreachable_url != polyai.url
            return left

    assert asyncio.run(use()) == [1]
