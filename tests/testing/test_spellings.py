"""One expectation has one meaning, whoever asks it: a pin, a verification, or an ``==`` of Python's own."""

import json
from collections.abc import Mapping
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from mockserver.testing import Account

EXTRA = {"n": 1, "yes": True, "none": None, "list": [{"a": 1, "b": 2}]}
TRACES = [("X-Trace", "one"), ("X-Trace", "two"), ("x-other", "a, b")]


class Same:
    """Equal to what the value is equal to in JSON, by an ``==`` of its own."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, bool) is isinstance(self.value, bool) and other == self.value

    __hash__ = None  # type: ignore[assignment]  # equal to many values


def compared_in_python(value: Any) -> Any:
    """The same expectation, each of its leaves an object with an ``==`` of its own."""
    if isinstance(value, Mapping):
        return {name: compared_in_python(item) for name, item in value.items()}
    return [compared_in_python(item) for item in value] if isinstance(value, list) else Same(value)


def send(account: Account) -> dict[str, Any]:
    """A call with a body, a query and headers, some of them given twice; its record."""
    polyai = account.polyai
    credentials = [
        ("X-PolyAi-Auth-Token", polyai.credentials["api_key"]),
        ("X-TOKEN-ID", polyai.owned["connectors"][0]["id"]),
    ]
    body = {
        "message": "Hi",
        "user_number": "+14155550123",
        "n": 1,
        "yes": True,
        "none": None,
        "list": [{"a": 1, "b": 2}],
    }
    content = json.dumps(body).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(content))), *credentials, *TRACES]
    url = urlsplit(polyai.url)
    connection = HTTPConnection(str(url.hostname), url.port, timeout=10)
    connection.putrequest("POST", f"{url.path}/v1/outbound-sms?q=1&r=a%20b&r=c")
    for name, value in headers:
        connection.putheader(name, value)
    connection.endheaders(content)
    connection.getresponse().read()
    connection.close()
    return dict(polyai.send_sms.calls[-1].data)


# Members and parameters here are in no contract, on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::mockserver.testing.MockServerWarning")

WHERE = [
    pytest.param({}, True, id="nothing"),
    pytest.param({"body": {"message": "Hi"}}, True, id="a-member"),
    pytest.param({"body": {"message": "hi"}}, False, id="another-text"),
    pytest.param({"body": {"n": 1.0}}, True, id="one-and-1.0"),
    pytest.param({"body": {"n": True}}, False, id="true-is-not-1"),
    pytest.param({"body": {"yes": 1}}, False, id="1-is-not-true"),
    pytest.param({"body": {"none": None}}, True, id="null"),
    pytest.param({"body": {"absent": None}}, False, id="null-is-not-absent"),
    pytest.param({"body": {"list": [{"a": 1}]}}, True, id="part-of-an-object-in-a-list"),
    pytest.param({"body": {"list": []}}, False, id="a-shorter-list"),
    pytest.param({"body": {"message": ["Hi"]}}, False, id="a-list-for-a-text"),
    pytest.param({"body": "Hi"}, False, id="a-text-for-an-object"),
    pytest.param({"json": {"message": "Hi", "list": [{"b": 2}]}}, True, id="json"),
    pytest.param({"json": {"message": "hi"}}, False, id="another-json"),
    pytest.param({"path": "/v1/outbound-sms"}, True, id="path"),
    pytest.param({"path": "/polyai/v1/outbound-sms"}, False, id="another-path"),
    pytest.param({"query": {"q": "1"}}, True, id="a-parameter"),
    pytest.param({"query": {"r": "c"}}, True, id="the-last-of-a-parameter-given-twice"),
    pytest.param({"query": {"r": "a b"}}, False, id="the-first-of-a-parameter-given-twice"),
    pytest.param({"headers": {"X-TRACE": "one"}}, True, id="the-first-of-a-header-given-twice"),
    pytest.param({"headers": {"x-trace": "two"}}, True, id="the-last-of-a-header-given-twice"),
    pytest.param({"headers": {"x-trace": "one, two"}}, True, id="a-header-given-twice-joined"),
    pytest.param({"headers": {"x-trace": "one,two"}}, False, id="joined-without-a-blank"),
    pytest.param({"headers": {"x-other": "a"}}, False, id="part-of-a-header-given-once"),
    pytest.param({"headers": {"x-none": ""}}, False, id="no-such-header"),
]  # fmt: skip


@pytest.mark.parametrize(("where", "fits"), WHERE)
def test_one_expectation_one_verdict(account: Account, where: dict[str, Any], fits: bool) -> None:
    """A pin that is for such requests, the server's verification and a comparison in Python agree."""
    operation = account.polyai.send_sms
    operation.pin("rate_limited", where=where)
    call = send(account)
    assert (call["chosen_by"] == "pin") is fits
    assert operation.verify(**where).verified is fits
    own = compared_in_python(where)
    assert operation.verify(**own).verified is fits
    if not fits:
        verdicts = [operation.verify(**asked) for asked in (where, own)]
        one, other = ([difference.pointer for difference in it.nearest[0].differences] for it in verdicts)
        assert one == other


@pytest.mark.parametrize(
    ("when", "fits"),
    [
        ({"/headers/X-Trace": {"const": "one"}}, True),
        ({"/header/x-trace": {"const": "one, two"}}, True),
        ({"/header/x-trace": {"const": "three"}}, False),
        ({"/headers/x-trace": False}, False),
        ({"/headers": {"properties": {"x-trace": {"const": "one, two"}}}}, True),
        ({"/query/r": {"const": "c"}}, True),
    ],
)
def test_schemas_mean_the_same_to_a_pin(account: Account, when: dict[str, Any], fits: bool) -> None:
    """A header given twice is joined or each of its values to a schema, too."""
    account.polyai.send_sms.pin("rate_limited", when=when)
    assert (send(account)["chosen_by"] == "pin") is fits
    assert account.polyai.send_sms.verify(when=when).verified is fits


@pytest.mark.parametrize("recipient", ["+14155550123", "1 (415) 555-0123", "+14155550124", "+1"])
def test_a_recipient(account: Account, recipient: str) -> None:
    """In whatever way it is written for the server, and as it is recorded for an object."""
    send(account)
    fits = recipient.endswith("0123")
    assert account.polyai.send_sms.verify(recipient=recipient).verified is fits
    assert account.polyai.send_sms.verify(recipient=Same("+14155550123")).verified is True


def test_an_answer(account: Account) -> None:
    """By its name or its id, to the server and to an object."""
    send(account)
    for answer, fits in {"sent": True, "polyai.send_sms/sent": True, "polyai.send_sms": False}.items():
        assert account.verify(answer=Same(answer)).verified is fits
        if fits:
            assert account.verify(answer=answer).verified is True
