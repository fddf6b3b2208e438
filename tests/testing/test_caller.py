"""Where a test called, and what it is warned of there."""

import asyncio
import inspect
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest

from mockserver.testing import Account, AsyncAccount, MockServer, MockServerWarning
from mockserver.testing.caller import NOWHERE, caller
from tests.testing.inner import here, write
from tests.testing.sending import send

pytest_plugins = ["pytester"]

DOUBTFUL: list[Any] = [
    pytest.param(
        lambda a: a.polyai.send_sms.assert_not_called(json={"user_numbr": "x"}), "/json/user_numbr", id="json"
    ),
    pytest.param(lambda a: a.polyai.assert_not_called(body={"user_numbr": "x"}), "/body/user_numbr", id="body"),
    pytest.param(lambda a: a.polyai.assert_not_called(json={"user_numbr": ANY}), "/body/user_numbr", id="own =="),
    pytest.param(lambda a: a.polyai.assert_called(times=0, when={"/body/txt": {}}), "/body/txt", id="pointer"),
    pytest.param(lambda a: a.polyai.assert_not_called(form={"message": "Hi"}), "read as form", id="form"),
    pytest.param(lambda a: a.polyai.assert_not_called(query={"q": "1"}), "/query/q", id="query"),
    pytest.param(lambda a: a.polyai.assert_not_called(headers={"X-TOKN-ID": "x"}), "x-token-id", id="header"),
    pytest.param(lambda a: a.polyai.assert_not_called(headers={"X-TOKN-ID": ANY}), "x-token-id", id="own header"),
    pytest.param(lambda a: a.assert_not_called(path="/nope"), "answered 404", id="path"),
    pytest.param(lambda a: a.polyai.assert_not_called(json={"message": 5}), "only a refused call", id="type"),
    pytest.param(lambda a: a.polyai.verify(at_least=0, json={"user_numbr": "x"}), "/json/user_numbr", id="verify"),
    pytest.param(lambda a: a.polyai.pin("rules", where={"json": {"user_numbr": "x"}}), "/json/user_numbr", id="pin"),
]


@pytest.mark.parametrize(("ask", "says"), DOUBTFUL)
def test_a_question_that_passes_and_may_mean_nothing(account: Account, ask: Callable[[Any], Any], says: str) -> None:
    """It is warned of at the line that asks, on both sides."""

    async def asked() -> Any:
        return await ask(AsyncAccount(account))

    line = inspect.getsourcelines(ask)[1]
    for is_async in (False, True):
        with pytest.warns(MockServerWarning, match=says) as caught:
            _ = asyncio.run(asked()) if is_async else ask(account)
        (warning,) = caught
        assert (Path(warning.filename).name, warning.lineno) == ("test_caller.py", line)
    account.unpin()


def test_a_failure_has_it_in_its_message(account: Account) -> None:
    """And there is no warning beside, which as an error would hide the failure."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for value in ("x", ANY):
            with pytest.raises(AssertionError, match=r"Warning: /(json|body)/user_numbr is in no schema"):
                account.polyai.assert_accepted(json={"user_numbr": value, "message": "Hi"})


def test_what_a_call_has_is_no_mistake(account: Account) -> None:
    """A member that no schema names is fine where a client sends it."""
    send(account.polyai, campaign="spring")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        account.polyai.assert_accepted_once(json={"campaign": "spring"})
        account.polyai.assert_accepted_once(json={"campaign": ANY})


def test_pytest_shows_it(pytester: pytest.Pytester, server: MockServer) -> None:
    """In its summary of warnings, with file and line; as an error it fails the test."""
    write(pytester, "def test_it(mock_vendors):\n    mock_vendors.polyai.assert_not_called(json={'user_numbr': 'x'})\n")
    result = here(pytester, "--mockserver-url", server.url, "-W", "default")
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(
        ["*test_app.py:5: MockServerWarning: assert_not_called: /json/user_numbr is in no schema*"]
    )
    strict = ("-W", "default", "-W", "error::mockserver.testing.MockServerWarning")
    here(pytester, "--mockserver-url", server.url, *strict).assert_outcomes(failed=1)


def test_a_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative to the working directory where it lies below; nowhere is an empty text."""
    place = caller()
    assert str(place).endswith(f"test_caller.py:{place.line}")
    monkeypatch.chdir(tmp_path)
    assert str(place) == f"{place.file}:{place.line}"
    assert not str(NOWHERE)
