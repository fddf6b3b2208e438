"""A test that forgot to await fails at its end, and is told the line."""

import pytest

from mockserver.testing import MockServer
from tests.testing.inner import here, write

pytest_plugins = ["pytester"]

NEVER = "  test_app.py:{}: async_mock_vendors.{} was never awaited"


def told(result: pytest.RunResult, *lines: tuple[int, str]) -> None:
    """The lines of the complaint; 4 stand before the test in its file."""
    result.stdout.fnmatch_lines([NEVER.format(number + 4, what).replace("[", "[[]") for number, what in lines])


def test_an_assertion_that_nobody_awaits(pytester: pytest.Pytester, server: MockServer) -> None:
    """Each is named; what is awaited in whatever way is not, and the next test is not blamed."""
    write(
        pytester,
        """import asyncio

def test_forgets(async_mock_vendors):
    polyai = async_mock_vendors.polyai
    async def code():
        polyai.send_sms.assert_accepted(times=99)
        await polyai.send_sms.assert_not_called()
        polyai.pin("rate_limited")
        async_mock_vendors.calls
    asyncio.run(code())

def test_remembers(async_mock_vendors):
    operation = async_mock_vendors.polyai.send_sms
    async def code():
        await operation.assert_not_called()
        await asyncio.gather(operation.assert_not_called(), asyncio.create_task(operation.assert_not_called()))
        async with operation.pin("rate_limited"):
            send(async_mock_vendors.polyai)
    asyncio.run(code())
    asyncio.run(operation.assert_called_once())

def test_forgets_in_a_sync_test(async_mock_vendors):
    async_mock_vendors.assert_called()
""",
    )
    result = here(pytester, "--mockserver-url", server.url)
    result.assert_outcomes(passed=3, errors=2)
    told(
        result,
        (5, "polyai.send_sms.assert_accepted(...)"),
        (7, "polyai.pin(...)"),
        (8, "calls"),
        (22, "assert_called(...)"),
    )
    result.stdout.fnmatch_lines(["what is never awaited asserts nothing and has no effect:"])


@pytest.mark.parametrize("where", ["fixture", "coroutine"])
def test_under_another_plugin(pytester: pytest.Pytester, server: MockServer, where: str) -> None:
    """Tests and fixtures that a plugin runs in its loop."""
    write(
        pytester,
        f"""
pytestmark = pytest.mark.anyio

@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.fixture
async def prepared(async_mock_vendors):
    if {where == "fixture"}:
        async_mock_vendors.polyai.send_sms.pin("rate_limited")
    yield

async def test_it(async_mock_vendors, prepared):
    if {where == "coroutine"}:
        async_mock_vendors.polyai.send_sms.assert_called_once()
    await async_mock_vendors.polyai.send_sms.assert_not_called()
""",
    )
    result = here(pytester, "--mockserver-url", server.url, "-p", "anyio")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["  test_app.py:*: async_mock_vendors.polyai.send_sms.* was never awaited"])


def test_a_failed_test_shows_what_it_forgot(pytester: pytest.Pytester, server: MockServer) -> None:
    """The pin that nobody awaited is in the report of the test that fails for it, and fails it once."""
    write(
        pytester,
        """
def test_it(async_mock_vendors):
    async_mock_vendors.polyai.send_sms.pin("rate_limited")
    assert send(async_mock_vendors.polyai) == 429
""",
    )
    result = here(pytester, "--mockserver-url", server.url)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["* mockserver calls *", "test_app.py:6: async_mock_vendors.polyai.send_sms.pin(...) was never awaited"]
    )


def test_an_account_of_the_tests_own(pytester: pytest.Pytester, server: MockServer) -> None:
    """One of AsyncMockServer fails at the end of its block."""
    write(
        pytester,
        """import asyncio
from mockserver.testing import AsyncMockServer

@pytest.mark.filterwarnings("ignore:.*was never awaited")
def test_it(mock_server):
    async def code():
        async with AsyncMockServer(mock_server.url).account() as account:
            account.assert_called()
    asyncio.run(code())
""",
    )
    result = here(pytester, "--mockserver-url", server.url)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E * AssertionError: test_app.py:*: account.assert_called(...) was never awaited"])
