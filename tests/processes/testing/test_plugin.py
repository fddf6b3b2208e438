"""The plugin in runs of pytest that are processes of their own, as a user's are."""

import pytest

from tests.testing.inner import apart, write
from tests.testing.test_intercept import ALL_TESTS

pytest_plugins = ["pytester"]


def test_it_is_found_by_its_entry_point(pytester: pytest.Pytester) -> None:
    """Nothing is imported or configured: a test names the fixture, and every worker has its own server."""
    write(
        pytester,
        """
def test_sync(mock_vendors, mock_server):
    assert send(mock_vendors.polyai) == 202
    mock_vendors.polyai.send_sms.assert_accepted(times=1)
    assert mock_vendors.polyai.url.startswith(mock_server.url)

def test_async(async_mock_vendors):
    import asyncio
    async def code():
        await asyncio.to_thread(send, async_mock_vendors.polyai)
        await async_mock_vendors.polyai.send_sms.assert_accepted(times=1, within=5)
    asyncio.run(code())
""",
    )
    result = apart(pytester, "--strict-markers")
    result.assert_outcomes(passed=2)
    result.stdout.no_fnmatch_line("*mockserver*:*")


def test_where_nobody_uses_it_nothing_happens(pytester: pytest.Pytester) -> None:
    """No module of ours but the plugin is loaded, and not a line is printed."""
    write(
        pytester,
        "def test_other(): pass\n",
        conftest="""
import sys
def pytest_unconfigure():
    print("loaded:", sorted(name for name in sys.modules if name.startswith("mockserver")))
""",
    )
    result = apart(pytester)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["loaded: ['mockserver', 'mockserver.testing', 'mockserver.testing.plugin']"])
    result.stdout.no_fnmatch_line("mockserver*:*")


def test_interrupted(pytester: pytest.Pytester) -> None:
    """What was met until then is counted, and the report says that there may be more."""
    test = (
        "def test_one(mock_vendors):\n    send(mock_vendors.polyai)\n\ndef test_two():\n    raise KeyboardInterrupt\n"
    )
    write(pytester, test)
    result = apart(pytester, "--mockserver-cov", "--mockserver-cov-vendor=polyai")
    result.stdout.fnmatch_lines(["*1 of * answers*", "*the run was interrupted: * counted in part"])


def test_not_intercepted(pytester: pytest.Pytester) -> None:
    """Without the option no test is led to the server."""
    write(pytester, ALL_TESTS)
    apart(pytester).assert_outcomes(failed=2)
