"""Arguments of the wrong kind are told at once, by the parameter's name."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from mockserver.testing import Account, fault
from mockserver.testing.arguments import moment
from tests.testing.sending import send


@pytest.mark.parametrize(
    ("use", "message"),
    [
        pytest.param(lambda a: a.assert_called(times="1"), "times must be a whole number, not str '1'", id="text"),
        pytest.param(lambda a: a.assert_called(times=True), "times must be a whole number, not bool True", id="bool"),
        pytest.param(lambda a: a.assert_called(times=1.0), "times must be a whole number, not float 1.0", id="float"),
        pytest.param(lambda a: a.assert_called(within="2"), "within must be a number of seconds, not str", id="within"),
        pytest.param(lambda a: a.assert_called(within=True), "within must be a number of seconds, not bool", id="flag"),
        pytest.param(lambda a: a.assert_not_called(settle="2"), "settle must be a number of seconds", id="settle"),
        pytest.param(lambda a: a.verify(at_least="1"), "at_least must be a whole number", id="at_least"),
        pytest.param(lambda a: a.verify(at_most="1"), "at_most must be a whole number", id="at_most"),
        pytest.param(lambda a: a.verify(since=1.5), "since must be a datetime or an ISO 8601 text", id="since"),
        pytest.param(lambda a: a.freeze(2030), "at must be a datetime or an ISO 8601 text, not int 2030", id="freeze"),
        pytest.param(lambda a: a.advance("60"), "seconds must be a number of seconds", id="advance"),
        pytest.param(lambda a: a.limit("polyai", requests="1"), "requests must be a whole number", id="requests"),
        pytest.param(lambda a: a.limit("polyai", seconds="1"), "seconds must be a number of seconds", id="limit"),
    ],
)
def test_a_number_or_time_of_the_wrong_kind(account: Account, use: Callable[[Account], Any], message: str) -> None:
    """The message has the parameter, and what was given."""
    with pytest.raises(TypeError, match=message):
        use(account)


@pytest.mark.parametrize(
    ("use", "message"),
    [
        pytest.param(lambda a: a.assert_called(times=-1), "times must be 0 or more, not -1", id="times"),
        pytest.param(lambda a: a.assert_called(within=-1), "within must be 0 seconds or more", id="within"),
        pytest.param(lambda a: a.assert_called(settle=float("nan")), "settle must be 0 seconds or more", id="settle"),
    ],
)
def test_a_number_out_of_range(account: Account, use: Callable[[Account], Any], message: str) -> None:
    """It is the right kind, and can mean nothing."""
    with pytest.raises(ValueError, match=message):
        use(account)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("assert_accepted", {"count": 1}, "assert_accepted takes times, within, settle. Did you mean 'times'?"),
        ("assert_accepted", {"timeout": 1}, "assert_accepted takes times, within, settle. Did you mean 'within'?"),
        ("assert_refused", {"anwser": "sent"}, "Did you mean 'answer'?"),
        ("assert_called", {"jsn": {}}, "known: path, query, headers, body, json, form, when, recipient, answer;"),
        ("assert_called_once", {"times": 1}, "assert_called_once takes within, settle"),
        ("assert_not_called", {"within": 1}, "assert_not_called takes settle"),
        ("assert_not_called", {"within": 1}, "Did you mean 'settle'?"),
        ("verify", {"at_leest": 1}, "Did you mean 'at_least'?"),
        ("assert_called", {"since": "2030-01-01"}, "verify(since=...) takes it, and gives the calls since then"),
        ("assert_called", {"accepted": True}, "assert_accepted and assert_refused ask for that"),
    ],
)
def test_another_keyword(account: Account, name: str, arguments: dict[str, Any], message: str) -> None:
    """What it takes is told, and the nearest of that."""
    with pytest.raises(TypeError) as caught:
        getattr(account.polyai.send_sms, name)(**arguments)
    assert message in str(caught.value)


delay: Any = fault.delay


@pytest.mark.parametrize(
    ("use", "error", "message"),
    [
        pytest.param(lambda a: a.pin(fault=fault.reset), TypeError, "call it, as in fault.reset()", id="no call"),
        pytest.param(lambda a: a.pin(fault="reset"), TypeError, "fault must be a mapping, as in fault.r", id="kind"),
        pytest.param(lambda a: a.pin(5), TypeError, "answer 1 must be a name, 'rules' or {'status': …}", id="answer"),
        pytest.param(
            lambda a: a.pin("sent", changes={"/header/Date": datetime(2030, 1, 1)}),  # noqa: DTZ001 -- the mistake
            TypeError,
            "changes['/header/Date'] must be a value that JSON has, not datetime",
            id="datetime",
        ),
        pytest.param(lambda a: a.pin("sent", changes="x"), TypeError, "changes must be a mapping", id="changes"),
        pytest.param(lambda a: a.pin("sent", where="x"), TypeError, "where must be a mapping, as in", id="where"),
        pytest.param(lambda a: a.pin("sent", when="x"), TypeError, "when must be a mapping, as in", id="when"),
        pytest.param(lambda a: a.pin({"status": 200, "body": b"x"}), TypeError, "bytes b'x': decode it", id="bytes"),
        pytest.param(
            lambda a: a.pin({"status": 200, "body": [float("inf")]}),
            ValueError,
            "answer 1['body'][0] is inf, which JSON does not have",
            id="infinity",
        ),
        pytest.param(
            lambda a: a.pin({"status": 200, "body": "\udfff"}), ValueError, "half of a surrogate pair", id="surrogate"
        ),
        pytest.param(
            lambda a: a.pin({"status": 200, "body": {"\udfff": 1}}), ValueError, "a name in answer 1['body']", id="name"
        ),
        pytest.param(lambda a: a.pin({"status": 200, "body": {1: 1}}), TypeError, "names that are text", id="no name"),
        pytest.param(lambda _: delay(lognormal=(1,)), TypeError, "lognormal must be (median, sigma)", id="one"),
        pytest.param(lambda _: delay(uniform=5), TypeError, "uniform must be (least, most), not int 5", id="range"),
        pytest.param(lambda a: a.environment("x"), TypeError, "variables must be a mapping, as in", id="variables"),
        pytest.param(lambda a: a.environment({"A": None}), TypeError, "must be a name and a dotted path", id="path"),
        pytest.param(lambda a: a.environment({1: "polyai.url"}), TypeError, "must be a name and a dot", id="variable"),
        pytest.param(lambda a: a.environment({"A=B": "polyai.url"}), ValueError, "cannot be the name", id="equals"),
        pytest.param(lambda a: a.get(5), TypeError, "a path must be text, as in '<vendor>.cred", id="get"),
    ],
)
def test_what_cannot_be_sent(account: Account, use: Callable[[Any], Any], error: type[Exception], message: str) -> None:
    """It is told where it is written, before the server is asked."""
    with pytest.raises(error) as caught:
        use(account)
    assert message in str(caught.value)


def test_a_time() -> None:
    """A datetime with any zone, without one as UTC, or a text as it is."""
    noon = datetime(2030, 1, 1, 12, tzinfo=UTC)
    assert moment("at", noon) == moment("at", noon.replace(tzinfo=None)) == "2030-01-01T12:00:00+00:00"
    assert datetime.fromisoformat(moment("at", noon.astimezone(timezone(timedelta(hours=2))))) == noon
    assert moment("at", "2030-01-01") == "2030-01-01"


def test_times_that_are_handed_out_are_taken(account: Account) -> None:
    """``since`` the time of a call includes it; a clock stands where a datetime says."""
    send(account.polyai, "one")
    (first,) = account.calls
    assert account.verify(since=first.received_at).matched == 1
    assert account.verify(since=first.received_at + timedelta(days=1)).matched == 0
    account.freeze(first.received_at + timedelta(days=1))
    account.freeze(datetime(2030, 1, 1))  # noqa: DTZ001 -- without a zone it is UTC
    clock = account._journal.control.get(f"accounts/{account.id}")["clock"]  # noqa: SLF001 -- its shape
    assert datetime.fromisoformat(clock["now"]) == datetime(2030, 1, 1, tzinfo=UTC)
