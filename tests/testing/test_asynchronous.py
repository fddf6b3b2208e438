"""The async forms: same names, awaited, and the loop goes on meanwhile."""

import asyncio
import re
from unittest.mock import ANY

import aiohttp
import pytest

from mockserver.testing import AsyncAccount, AsyncMockServer, AsyncPin, ControlError, MockServer
from tests.testing.sending import TO

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def send(account: AsyncAccount, text: str = "Hi", after: float = 0.0) -> int:
    """The status of a send from within the event loop."""
    await asyncio.sleep(after)
    headers = {
        "X-PolyAi-Auth-Token": account.polyai.credentials["api_key"],
        "X-TOKEN-ID": account.polyai.owned["connectors"][0]["id"],
    }
    body = {"message": text, "user_number": TO}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{account.polyai.url}/v1/outbound-sms", json=body, headers=headers) as response,
    ):
        return response.status


async def test_a_wait_lets_the_loop_go_on(server: MockServer) -> None:
    """A task of the same loop sends while the assertion waits for it."""
    async with AsyncMockServer(server.url).account() as account:
        task = asyncio.create_task(send(account, after=0.1))
        (call,) = await account.polyai.send_sms.assert_accepted(times=1, within=20, body={"message": ANY})
        assert await task == 202
        assert call.request.json["message"] == "Hi"


async def test_every_assertion_is_awaited(server: MockServer) -> None:
    """All of them pass and fail as the sync ones do."""
    account = await AsyncMockServer(server.url).account(id="awaited", test="a::b")
    try:
        await send(account)
        operation = account.polyai.send_sms
        await operation.assert_called(times=1)
        await account.assert_accepted(recipient=TO, times=1)
        assert (await operation.assert_called_once(settle=0.05)).accepted
        await account.avaamo.send_sms.assert_not_called(settle=0.05)
        assert (await operation.verify(at_most=0, within=0.05)).verified is False
        assert len(await operation.calls) == 1
        with pytest.raises(AssertionError, match='/body/message: expected "Bye", found "Hi"'):
            await operation.assert_called(body={"message": "Bye"}, within=0.05)
    finally:
        await account.delete()


async def test_pins_are_awaited_or_entered(server: MockServer) -> None:
    """A pin stays until it is taken back, or until its block ends."""
    async with AsyncMockServer(server.url).account() as account:
        operation = account.polyai.send_sms
        pin = await operation.pin("rate_limited", then="last")
        assert isinstance(pin, AsyncPin)
        assert await send(account) == 429
        assert (await pin.used, pin.data["id"]) == (1, pin.id)
        await pin.remove()
        async with operation.pin("server_error", where={"body": {"message": "Hi"}}) as first:
            async with await account.polyai.pin("server_error", "server_error") as second:
                assert (await send(account), await send(account)) == (500, 500)
            assert (await first.used, await second.used) == (1, 1)
        assert await send(account) == 202
        await account.pin("server_error", then="last")
        with pytest.raises(ControlError, match="could never take effect"):
            await operation.pin("rate_limited")
        await account.unpin()
        await operation.pin("server_error", then="last")
        await account.polyai.unpin()
        assert await send(account) == 202
        await operation.pin("server_error", then="last")
        await operation.reset()
        assert await send(account) == 202
        await account.reset()
        await account.assert_not_called()


async def test_values_are_the_same(server: MockServer) -> None:
    """What was handed out needs no wait; what the server signs or looks up is awaited."""
    async with AsyncMockServer(server.url).account() as account:
        assert (await account.polyai.tokens)["ApiKey"] == account.polyai.credentials["api_key"]
        assert await account.get("polyai.url") == await account.polyai.get("url") == account.polyai.url
        document = await AsyncMockServer(server.url).coverage(account.id)
        assert document["operations"]["polyai.send_sms"]["answers"]["sent"]["natural"] == 0


async def test_they_say_what_they_are(server: MockServer) -> None:
    """Unknown attributes name the known ones; all can be printed."""
    mock = AsyncMockServer(server.url)
    async with mock.account() as account:
        with pytest.raises(AttributeError, match=r"no 'polyia'; its vendors: .*polyai"):
            _ = account.polyia
        with pytest.raises(AttributeError, match="polyai has no 'send'; operations: send_sms"):
            _ = account.polyai.send
        assert repr(mock) == f"<AsyncMockServer {mock.url}>"
        assert repr(account) == f"<Account {account.id}>"
        assert repr(account.polyai).startswith("<Vendor polyai")
        assert repr(account.polyai.send_sms).startswith("<Operation polyai.send_sms")


async def test_a_plain_with_would_block(server: MockServer) -> None:
    """It is refused in a line, before and after the pin is made."""
    async with AsyncMockServer(server.url).account() as account:
        operation = account.polyai.send_sms
        pin = await operation.pin("rate_limited")
        for entered in (pin, operation.pin("server_error")):
            with pytest.raises(TypeError, match="use `async with`"), entered:  # type: ignore[union-attr]  # the mistake
                pass
        assert repr(pin).startswith(f"<Pin {pin.id} of polyai.send_sms")
        (line,) = await account.unused_pins()
        assert re.fullmatch(r"\S*test_asynchronous\.py:\d+: pin of polyai\.send_sms \(rate_limited\) .* came", line)
