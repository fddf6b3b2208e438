import asyncio

import aiohttp

from mockserver.testing import AsyncMockVendors, AsyncVendor


async def send_later(vendor: AsyncVendor) -> None:
    """The code under test answers its caller at once, and sends in the background."""
    await asyncio.sleep(0.05)
    query = {"source": vendor.owned["numbers"][0]["number"], "destination": "447700900222", "sms_body": "Hi"}
    headers = {"Authorization": f"Bearer {(await vendor.tokens)['Jwt']}"}
    url = f"{vendor.url}/platform_api/SendSmsMessage"
    async with aiohttp.ClientSession() as session, session.post(url, params=query, headers=headers) as response:
        await response.json()


def test_a_message_sent_in_the_background(async_mock_vendors: AsyncMockVendors) -> None:
    async def scenario() -> None:
        voximplant = async_mock_vendors.voximplant
        task = asyncio.create_task(send_later(voximplant))
        call = await voximplant.send_sms.assert_accepted_once(within=2, settle=0.1, query={"sms_body": "Hi"})
        assert call.recipient == "+447700900222"
        await task

    asyncio.run(scenario())  # with pytest-asyncio or anyio: an async test function


def test_throttled_in_the_background(async_mock_vendors: AsyncMockVendors) -> None:
    async def scenario() -> None:
        voximplant = async_mock_vendors.voximplant
        async with voximplant.send_sms.pin("rate_limited") as pin:
            await send_later(voximplant)
            assert await pin.used == 1
        await voximplant.send_sms.assert_refused(answer="rate_limited", times=1)

    asyncio.run(scenario())
