"""What is to be awaited: a coroutine that knows where it was made, and tells who forgot it."""

import asyncio
import gc
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from mockserver.testing import AsyncAccount, AsyncMockServer, MockServer, Pending
from mockserver.testing.calls import Unawaited

HERE = "test_awaited.py"


@pytest.fixture
def unawaited() -> Unawaited:
    return Unawaited("account", is_watched=True)


def pending(unawaited: Unawaited, ask: Callable[[], Any] = lambda: 1) -> Pending[Any]:
    return Pending("account.polyai.calls", ask, unawaited)


async def awaited(it: Pending[Any]) -> Any:
    return await it


async def in_a_task(it: Pending[Any]) -> Any:
    return await asyncio.create_task(it)


async def gathered(it: Pending[Any]) -> Any:
    return (await asyncio.gather(it))[0]


async def in_a_group(it: Pending[Any]) -> Any:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(it)
    return task.result()


async def with_a_limit(it: Pending[Any]) -> Any:
    async with asyncio.timeout(10):
        return await it


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("how", [awaited, in_a_task, gathered, in_a_group, with_a_limit])
def test_it_is_a_coroutine(unawaited: Unawaited, how: Callable[[Pending[Any]], Any], debug: bool) -> None:
    """Whatever takes a coroutine takes it, and then it is awaited."""
    it = pending(unawaited)
    assert len(unawaited.lines) == 1
    assert asyncio.run(how(it), debug=debug) == 1
    assert asyncio.run(pending(unawaited), debug=debug) == 1
    assert unawaited.lines == []


def test_it_is_awaited_once(unawaited: Unawaited) -> None:
    """As any coroutine: the second time would ask another question."""
    it = pending(unawaited)
    asyncio.run(awaited(it))
    with pytest.raises(RuntimeError, match="already awaited"):
        asyncio.run(awaited(it))


def test_what_was_forgotten_is_told(unawaited: Unawaited) -> None:
    """File, line and call, oldest first."""
    pending(unawaited)
    pending(unawaited)
    one, other = unawaited.lines
    assert f"{HERE}:" in one
    assert one.endswith(": account.polyai.calls was never awaited")
    assert int(other.split(":")[1]) >= int(one.split(":")[1])


def test_a_task_that_never_began_awaited_nothing(unawaited: Unawaited) -> None:
    """Cancelled before its first step, it asked no question."""

    async def code() -> None:
        task = asyncio.create_task(pending(unawaited))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(code())
    assert len(unawaited.lines) == 1


def test_a_task_that_is_cancelled_later_ends(unawaited: Unawaited) -> None:
    """The cancellation reaches it while it waits for its thread."""

    async def code() -> None:
        task = asyncio.create_task(pending(unawaited))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(code())
    assert unawaited.lines == []


def test_what_is_closed_was_given_up(unawaited: Unawaited) -> None:
    """Whoever closes a coroutine does not mean to await it."""
    pending(unawaited).close()
    assert unawaited.lines == []
    it = pending(unawaited)
    asyncio.run(awaited(it))
    it.close()


@pytest.mark.parametrize(
    "use",
    [
        pytest.param(lambda it: it["Jwt"], id="a member"),
        pytest.param(list, id="the items"),
        pytest.param(len, id="the number"),
        pytest.param(bool, id="the truth"),
        pytest.param(lambda it: 1 in it, id="whether one is there"),
    ],
)
def test_a_forgotten_await_is_told_at_once(unawaited: Unawaited, use: Callable[[Any], Any]) -> None:
    """Where it is used like its value, with what to write."""
    with pytest.raises(TypeError, match=r"account\.polyai\.calls is not here yet: await it, as in `\(await account"):
        use(pending(unawaited))


def test_an_attribute_of_what_is_to_come_is_told(unawaited: Unawaited) -> None:
    """It, too, says that something is to be awaited."""
    with pytest.raises(AttributeError, match="is to be awaited first: await it, then take its 'last'"):
        _ = pending(unawaited).last  # type: ignore[attr-defined]  # the mistake itself
    assert repr(pending(unawaited)) == "<Pending account.polyai.calls>"


def test_a_task_shows_what_it_is(unawaited: Unawaited) -> None:
    """By the name that the test wrote."""

    async def code() -> str:
        task = asyncio.create_task(pending(unawaited))
        await task
        return repr(task)

    assert "account.polyai.calls" in asyncio.run(code())


def test_a_failure_is_shown_at_the_line_that_awaits(unawaited: Unawaited) -> None:
    """Of the traceback nothing is left but this test and what hides itself."""

    def fail() -> None:
        raise AssertionError("found 0")

    async def code() -> None:
        await pending(unawaited, fail)

    with pytest.raises(AssertionError, match="found 0") as caught:
        asyncio.run(code())
    assert str(caught.traceback.filter(caught)[-1].path).endswith(HERE)


def test_nobody_watches_so_python_warns() -> None:
    """Without the plugin, the place is in a RuntimeWarning when it is forgotten."""
    with pytest.warns(RuntimeWarning, match=rf"{HERE}:\d+: server\.account\(\.\.\.\) was never awaited"):
        _forget(AsyncMockServer("http://127.0.0.1:1").account())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _forget(pending(Unawaited(is_watched=True)))


def _forget(_it: object) -> None:
    """Its last reference goes with the return."""
    gc.collect()


@pytest.mark.filterwarnings("ignore:.*was never awaited:RuntimeWarning")
@pytest.mark.parametrize("entered", [True, False])
def test_the_end_of_an_account_tells_what_was_forgotten(server: MockServer, entered: bool) -> None:
    """Without the plugin it is the account's end that fails; the account is deleted all the same."""

    async def code(account: AsyncAccount) -> None:
        account.polyai.send_sms.assert_accepted(times=99)
        if not entered:
            await account.delete()

    async def run() -> None:
        mock = AsyncMockServer(server.url)
        if entered:
            async with mock.account("ends") as account:
                await code(account)
        else:
            await code(await mock.account("ends"))

    with pytest.raises(AssertionError, match=rf"{HERE}:\d+: account\.polyai\.send_sms\.assert_accepted\(\.\.\.\) was"):
        asyncio.run(run())
    with server.account("ends"):
        pass


@pytest.mark.filterwarnings("ignore:.*was never awaited:RuntimeWarning")
def test_another_failure_comes_first(server: MockServer) -> None:
    """What failed inside of the block is not hidden by what was forgotten there."""

    async def run() -> None:
        async with AsyncMockServer(server.url).account() as account:
            account.polyai.send_sms.pin("rate_limited")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(run())
