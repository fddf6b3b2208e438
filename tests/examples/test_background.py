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
        assert (await response.json())["result"] == 1


async def check(vendors: AsyncMockVendors) -> None:
    task = asyncio.create_task(send_later(vendors.voximplant))
    await vendors.voximplant.send_sms.assert_accepted(within=2, query={"sms_body": "Hi"})
    await task


def test_a_message_sent_in_the_background(async_mock_vendors: AsyncMockVendors) -> None:
    asyncio.run(check(async_mock_vendors))
