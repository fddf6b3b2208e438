"""A test with two stubs, as a user writes it: each answers the requests that it is for."""

import asyncio

import pytest
import requests

from mockserver.testing import AsyncMockVendors, MockVendors, fault
from tests.testing.sending import send

BUSY, GONE, OTHER = "+14155550123", "+14155550124", "+14155550125"


def test_two_stubs(mock_vendors: MockVendors) -> None:
    """One recipient is throttled once, another's connection is reset; everybody else is served."""
    polyai = mock_vendors.polyai
    throttled = polyai.send_sms.pin("rate_limited", where={"json": {"user_number": BUSY}})
    broken = polyai.send_sms.pin(fault=fault.reset(), where={"json": {"user_number": GONE}})
    assert send(polyai, to=OTHER) == 202
    with pytest.raises(requests.ConnectionError):
        send(polyai, to=GONE)
    assert [send(polyai, to=BUSY), send(polyai, to=BUSY), send(polyai, to=GONE)] == [429, 202, 202]
    assert (throttled.used, broken.used) == (1, 1)
    polyai.send_sms.assert_refused(answer="rate_limited", times=1)
    assert polyai.send_sms.assert_accepted_once(json={"user_number": BUSY}).recipient == BUSY
    assert polyai.calls.last.request.json["user_number"] == GONE


def test_two_stubs_awaited(async_mock_vendors: AsyncMockVendors) -> None:
    """The same of the async side."""
    operation = async_mock_vendors.polyai.send_sms

    async def code() -> None:
        await operation.pin("server_error", where={"json": {"user_number": GONE}})
        async with operation.pin("rate_limited", where={"json": {"user_number": BUSY}}) as throttled:
            polyai = async_mock_vendors.polyai
            statuses = [await asyncio.to_thread(send, polyai, to=to) for to in (GONE, BUSY, OTHER)]
            assert statuses == [500, 429, 202]
            assert await throttled.used == 1
        await operation.assert_refused(times=2)
        assert (await operation.assert_accepted_once()).recipient == OTHER

    asyncio.run(code())
