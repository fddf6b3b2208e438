"""What a failed test shows of its account beside the calls: why they were refused, and which came too late."""

import asyncio
import threading

import pytest

from mockserver.testing import Account, AsyncMockServer, MockServer
from mockserver.testing.findings import section
from tests.testing.inner import here, write
from tests.testing.sending import send

pytest_plugins = ["pytester"]


def section_of(account: Account) -> list[str]:
    """The section of an account that is still there."""
    return section(account._journal, None).splitlines()  # noqa: SLF001 -- as the plugin has it


def asked_too_early(account: Account) -> None:
    with pytest.raises(AssertionError, match="found 0"):
        account.polyai.send_sms.assert_accepted()


def test_each_refusal_has_its_sentence(account: Account) -> None:
    """Where, and what the vendor wants; an accepted call has none."""
    send(account.polyai, key="")
    send(account.polyai)
    refused, sentence, accepted = section_of(account)
    assert "polyai.send_sms/unauthorized 401" in refused
    assert sentence.startswith("    /header/x-polyai-auth-token: ")
    assert "polyai.send_sms/sent 202" in accepted


@pytest.mark.parametrize("after", [0.0, 0.05])
def test_a_call_that_came_too_late_is_told(account: Account, after: float) -> None:
    """It came between the failure and its report, or shortly after."""
    asked_too_early(account)
    thread = threading.Timer(after, send, [account.polyai])
    thread.start()
    if not after:
        thread.join()
    *calls, late = section_of(account)
    thread.join()
    assert late == (
        "polyai.send_sms: 1 call came after assert_accepted, which was asked without `within=`: within=2 waits for it"
    )
    assert ["polyai.send_sms/sent 202" in call for call in calls] == [True]


def test_calls_before_and_elsewhere_are_not_late(account: Account) -> None:
    """Only those of the same operation that came after the assertion are."""
    send(account.polyai, key="")
    asked_too_early(account)
    assert len(section_of(account)) == 2
    with pytest.raises(AssertionError):
        account.avaamo.send_sms.assert_called()
    send(account.polyai)
    assert [line for line in section_of(account) if "came after" in line] == [
        "polyai.send_sms: 1 call came after assert_accepted, which was asked without `within=`: within=2 waits for it"
    ]


def test_who_waited_was_not_too_early(account: Account) -> None:
    """An assertion with ``within`` has no such line, nor one that found too many."""
    send(account.polyai)
    for arguments in ({"within": 0.01, "times": 2}, {"times": 0}):
        with pytest.raises(AssertionError):
            account.polyai.send_sms.assert_accepted(**arguments)
    send(account.polyai)
    assert len(section_of(account)) == 2


def test_a_pending_task_is_told_by_the_failure_itself(server: MockServer) -> None:
    """On either side, where other tasks of the loop may still send; not where there are none."""
    hint = "Asked without `within=` while 1 task of the event loop is pending: within=2 waits up to 2 seconds"

    async def code() -> None:
        async with AsyncMockServer(server.url).account() as account:
            task = asyncio.create_task(asyncio.sleep(60))
            with pytest.raises(AssertionError, match=hint):
                await account.polyai.send_sms.assert_accepted()
            with server.account() as sync, pytest.raises(AssertionError, match=hint):
                sync.polyai.send_sms.assert_accepted()
            with pytest.raises(AssertionError) as waited:
                await account.polyai.send_sms.assert_accepted(within=0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            with pytest.raises(AssertionError) as alone:
                await account.polyai.send_sms.assert_accepted()
            assert "Asked without" not in f"{waited.value} {alone.value}"

    asyncio.run(code())


def test_the_report_of_a_test(pytester: pytest.Pytester, server: MockServer) -> None:
    """All of it stands in the section of the test that failed."""
    write(
        pytester,
        """import threading

def test_it(mock_vendors):
    send(mock_vendors.polyai, key="")
    thread = threading.Timer(0.05, send, [mock_vendors.polyai])
    thread.start()
    mock_vendors.polyai.send_sms.assert_accepted()
""",
    )
    result = here(pytester, "--mockserver-url", server.url)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "* mockserver calls *",
            "* polyai.send_sms/unauthorized 401 rule unauthenticated absent /header/x-polyai-auth-token",
            "    /header/x-polyai-auth-token: *",
            "* polyai.send_sms/sent 202 default",
            "polyai.send_sms: 1 call came after assert_accepted, which was asked without `within=`*",
        ]
    )
