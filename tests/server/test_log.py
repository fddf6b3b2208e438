"""The log: a line a call, whatever is in it, as text and as JSON."""

import io
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from starlette.testclient import TestClient

from mockserver.engine.call import call_id
from mockserver.server import log as log_module
from mockserver.server.application import create_app
from mockserver.server.log import NO_DETAILS, JsonForm, LineDetails, TextForm, log_to, printable
from mockserver.server.settings import LogForm
from mockserver.testing import run
from tests.engine.workbench import ACME, recorded
from tests.server.acme_customer import SETTINGS, Customer

TIME = r"\d\d:\d\d:\d\d\.\d\d\d"
TOOK = r"\d+\.\dms"
PLAIN = TextForm(is_coloured=False)
AT = 1_800_000_000.1234  # 2027-01-15 08:00:00 UTC


@contextmanager
def logged(
    monkeypatch: pytest.MonkeyPatch, form: LogForm = "text", **settings: Any
) -> Iterator[tuple[Customer, io.StringIO]]:
    """A customer of a server that logs, and what it logs: all is there when the block ends."""
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    app = create_app(replace(SETTINGS, log=form, **settings))
    with TestClient(app, base_url="http://localhost") as client:
        yield Customer.made(client), stream


def lines_of(stream: io.StringIO) -> list[str]:
    text = stream.getvalue()
    assert text.endswith("\n")
    return text[:-1].split("\n")


def test_an_accepted_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time, answer, status, account, recipient, how long it took; nothing behind."""
    with logged(monkeypatch) as (customer, stream):
        customer.send()
    (line,) = lines_of(stream)
    assert re.fullmatch(rf"{TIME} acme\.send_sms/sent 202 {customer.id} \+14155550123 {TOOK}", line)


def test_a_refused_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was wrong, in the words of the call, and the rule that chose."""
    with logged(monkeypatch) as (customer, stream):
        response = customer.send(json={**customer.good, "text": "t" * 30})
        (problem,) = customer.call(response)["problems"]
    (line,) = lines_of(stream)
    rest = f"invalid maxLength /body/text: {problem['message']} (acme.yaml:101)"
    assert re.fullmatch(
        rf"{TIME} acme\.send_sms/too_long 400 {customer.id} \+14155550123 {TOOK} {re.escape(rest)}", line
    )


def test_a_wish_that_names_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line says so, whatever the answer was, in either form."""
    with logged(monkeypatch) as (customer, stream):
        customer.send(headers={"Prefer": "code=999"})
    (line,) = lines_of(stream)
    note = r"preference unknown; known: [a-z_, ]+"
    assert re.fullmatch(rf"{TIME} acme\.send_sms/sent 202 {customer.id} \+14155550123 {TOOK} {note}", line)
    with logged(monkeypatch, "json") as (customer, stream):
        customer.send(headers={"Prefer": "code=999"})
    (said,) = json.loads(lines_of(stream)[0])["notes"]
    assert re.fullmatch(note, said)


def test_an_unknown_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has a line too, with the operation that is nearest."""
    with logged(monkeypatch) as (customer, stream):
        customer.client.post("/base/message")
    (line,) = lines_of(stream)
    rest = "no operation has POST /base/message; nearest: POST /base/messages (acme.send_sms)"
    assert re.fullmatch(rf"{TIME} - 404 - - {TOOK} {re.escape(rest)}", line)


def test_every_call_has_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """In their order, none condensed, however many come at once; the control API's own requests have none."""
    with logged(monkeypatch) as (customer, stream):
        for number in range(log_module.BLOCK_CALLS + 20):
            customer.send(json={**customer.good, "to": f"+1415555{number:04}"})
    recipients = [line.split()[4] for line in lines_of(stream)]
    assert recipients == [f"+1415555{number:04}" for number in range(log_module.BLOCK_CALLS + 20)]


def test_lines_do_not_wait_for_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line is there soon after its call, though no other follows."""
    with logged(monkeypatch) as (customer, stream):
        customer.send()
        give_up = time.monotonic() + 60
        while not stream.getvalue() and time.monotonic() < give_up:
            threading.Event().wait(0.01)
        assert len(lines_of(stream)) == 1


def test_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """One object a line, its members those of the call, in their values too."""
    with logged(monkeypatch, "json") as (customer, stream):
        responses = [customer.send(), customer.send(json={}), customer.client.post("/base/message")]
        calls = [customer.call(response) for response in responses]
    lines = [json.loads(line) for line in lines_of(stream)]
    assert list(lines[0]) == [
        *("received_at", "id", "account", "vendor", "operation", "answer", "status", "accepted", "recipient"),
        *("chosen_by", "rule", "evidence", "duration_ms", "outcome", "problem"),
    ]
    for line, call in zip(lines, calls, strict=True):
        shared = line.keys() & call.keys()
        assert len(shared) == 13
        assert {name: line[name] for name in shared} == {name: call[name] for name in shared}
        assert line["status"] == call["response"]["status"]
    assert [line["problem"] for line in lines] == [None, calls[1]["problems"][0], None]
    assert (lines[2]["method"], lines[2]["path"]) == ("POST", "/base/message")
    assert lines[2]["nearest"][0] == "POST /base/messages (acme.send_sms)"


def test_the_problem_is_the_one_that_was_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several, as in X-Mock-Problem."""
    with logged(monkeypatch, "json") as (customer, stream):
        response = customer.send(json={"from": "+1", "text": "t" * 30})
    (line,) = (json.loads(line) for line in lines_of(stream))
    problem = line["problem"]
    said = " ".join(word for word in (problem["kind"], problem["reason"], problem["at"]) if word)
    assert response.headers["x-mock-problem"] == said


@pytest.mark.parametrize("form", ["text", "json"])
def test_secrets_are_masked(monkeypatch: pytest.MonkeyPatch, form: LogForm) -> None:
    """A token in a path; a presented credential in what a refusal quotes of the request."""
    with logged(monkeypatch, form) as (customer, stream):
        token, presented = customer.tokens["Claim"], "presented-secret-0001"
        customer.client.post(f"/base/{token}", headers={"X-Key": presented})
        customer.client.post(f"/base/{'x' * 480}{token}")
        customer.send(json={**customer.good, "text": f"{token} {token}"})
        customer.send(json={**customer.good, "text": presented * 3}, headers={"X-Key": presented})
    assert len(lines_of(stream)) == 4
    assert stream.getvalue().count("***") >= 4
    assert not any(part in stream.getvalue() for part in (*token.split("."), token[:20], presented))


def test_a_recipient_is_as_long_as_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text of more digits than a number has is none."""
    with logged(monkeypatch) as (customer, stream):
        customer.send(json={**customer.good, "to": "+" + "1" * 200})
        customer.send(json={**customer.good, "to": "+" + "1" * 15})
    assert [line.split()[4] for line in stream.getvalue().splitlines()] == ["-", "+" + "1" * 15]


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize(
    "request_",
    [
        pytest.param({"json": {"text": "\x1b[2J\x07\x9b31m" * 20}}, id="terminal"),
        pytest.param({"json": {"text": "a\r\nb\u2028c\x85d" * 20}}, id="line-ends"),
        pytest.param({"json": {"text": "\u202eabc\u200b" * 20}}, id="directions"),
        pytest.param({"content": b'{"text": "' + b"\xff" * 30 + b'"}'}, id="no-utf-8"),
        pytest.param({"content": b'{"text": "\\ud800 \\udfff                               "}'}, id="surrogates"),
        pytest.param({"json": {"\x1b[2J\n": 1}}, id="name"),
        pytest.param({"path": "/base/%1b[2J%0d%0a%ff%e2%80%a8"}, id="path"),
        pytest.param({"params": {"\x1b\n": "\x1b\n"}}, id="query"),
    ],
)
def test_whatever_a_client_sends(monkeypatch: pytest.MonkeyPatch, form: LogForm, request_: dict[str, Any]) -> None:
    """One call is one line, of printable characters."""
    with logged(monkeypatch, form) as (customer, stream):
        if "json" in request_:
            request_ = {"json": {**customer.good, **request_["json"]}}
        response = customer.send(**request_)
    (line,) = lines_of(stream)
    assert line.isprintable()
    assert str(response.status_code) in line


def test_a_large_body_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its line names the kind of problem and the call, which has the rest."""
    monkeypatch.setattr(log_module, "MAX_BODY", 100)
    with logged(monkeypatch) as (customer, stream):
        response = customer.send(json={**customer.good, "text": "t" * 100})
        call = customer.call(response)
    (line,) = lines_of(stream)
    assert line.endswith(f"ms invalid maxLength: the call {call['id']} says more (acme.yaml:101)")


def test_a_long_path_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line says so."""
    with logged(monkeypatch) as (customer, stream):
        customer.client.post("/" + "x" * 5000)
    (line,) = lines_of(stream)
    assert "x…; nearest: " in line
    assert len(line) < 1000


def test_faults_and_clients_that_left() -> None:
    """A reply that did not go out as the answer says is told."""
    label = structs.replace(
        recorded(answer="a.b/sent", operation="a.b", status=202, accepted=True).label, fault="reset"
    )
    call = structs.replace(recorded(received_at=AT, outcome="aborted"), label=label)
    assert PLAIN.line(call, "", NO_DETAILS) == "08:00:00.123 a.b/sent 202 - - 0.0ms fault reset aborted"
    lost = structs.replace(call, label=structs.replace(label, answer="", accepted=False))
    assert PLAIN.line(lost, "", NO_DETAILS) == "08:00:00.123 a.b/- 202 - - 0.0ms fault reset aborted"


def test_colours() -> None:
    """On a terminal an accepted call is green and a refused one red; the rest of the line stays as it is."""
    coloured = TextForm(is_coloured=True)
    for accepted, colour in ((True, "\x1b[32m"), (False, "\x1b[31m")):
        call = recorded(answer="a.b/c", operation="a.b", status=200, accepted=accepted, received_at=AT, outcome="sent")
        plain = PLAIN.line(call, "+1", NO_DETAILS)
        assert coloured.line(call, "+1", NO_DETAILS) == plain.replace("a.b/c 200", f"{colour}a.b/c 200\x1b[0m")


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "environment", "coloured"),
    [
        pytest.param(Terminal(), {}, True, id="terminal"),
        pytest.param(Terminal(), {"NO_COLOR": "1"}, False, id="unwanted"),
        pytest.param(Terminal(), {"NO_COLOR": ""}, True, id="empty"),
        pytest.param(Terminal(), {"TERM": "dumb"}, False, id="dumb"),
        pytest.param(io.StringIO(), {}, False, id="file"),
    ],
)
def test_who_gets_colours(
    monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, environment: dict[str, str], coloured: bool
) -> None:
    """A terminal whose user did not say no."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    stream.truncate(0)
    monkeypatch.setattr("sys.stderr", stream)
    with TestClient(create_app(replace(SETTINGS, log="text")), base_url="http://localhost") as client:
        Customer.made(client).send()
    assert ("\x1b[32m" in stream.getvalue()) is coloured


def test_where_nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Off where nobody asked for a log; a closed standard error has none."""
    assert log_to(None, create_app(replace(SETTINGS, log="text")).state.mock) is None
    with logged(monkeypatch, "off") as (customer, stream):
        customer.send()
    assert stream.getvalue() == ""


@pytest.mark.parametrize(("settings", "lines"), [({}, 0), ({"log": "text"}, 1)], ids=["default", "text"])
def test_a_server_in_this_process(capfd: pytest.CaptureFixture[str], settings: dict[str, Any], lines: int) -> None:
    """It writes no log among the tests' own output unless it is asked to; then all is there when it has ended."""
    with run(contracts=ACME.parent, builtin=False, **settings) as server:
        httpx.post(f"{server.url}/base/messages", json={})
    assert len(capfd.readouterr().err.splitlines()) == lines


def test_calls_without_a_lifespan(monkeypatch: pytest.MonkeyPatch) -> None:
    """An application that is asked without being started writes nothing."""
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    app = create_app(replace(SETTINGS, log="text"))
    assert Customer.made(TestClient(app, base_url="http://localhost")).send().status_code == 202
    app.state.mock.unreachable.close()
    assert stream.getvalue() == ""


@pytest.mark.parametrize(("bound", "most"), [("MAX_PENDING", 2), ("MAX_PENDING_BYTES", 5_000)])
def test_more_than_can_be_told(monkeypatch: pytest.MonkeyPatch, bound: str, most: int) -> None:
    """Calls beyond a bound, of their number or their bytes, are dropped, counted, and told of in a line."""
    monkeypatch.setattr(log_module, "BLOCK_CALLS", 1)
    monkeypatch.setattr(log_module, bound, most)
    with logged(monkeypatch) as (customer, stream):
        log = customer.client.app.state.log  # type: ignore[attr-defined]
        call = recorded(answer="a.b/c", operation="a.b", status=200, accepted=True, outcome="sent", weight=40)

        async def flood() -> None:
            for _ in range(10):
                log.add(call)

        assert customer.client.portal is not None
        customer.client.portal.call(flood)
    lines = lines_of(stream)
    dropped = sum(int(line.split()[1]) for line in lines if line.startswith("mockserver: "))
    assert dropped > 0
    assert dropped + sum("a.b/c" in line for line in lines) == 10


@pytest.mark.parametrize("form", [PLAIN, JsonForm()], ids=["text", "json"])
@given(text=st.text(st.characters(), max_size=50), at=st.text(st.characters(), max_size=20))
def test_any_text(form: Any, text: str, at: str) -> None:
    """A line is one line, whatever is told of the call."""
    call = recorded(number=1 << 24, operation="a.b", answer="a.b/c", rule="a.yaml:1")
    words = {"kind": "invalid", "at": at, "reason": "", "message": text}
    for details in (LineDetails(words), LineDetails(None, text, at or "/", [text])):
        line = form.line(call, "", details)
        assert line.isprintable()
        if isinstance(form, JsonForm):
            shown = json.loads(line)
            assert shown["id"] == call_id(1 << 24)
            assert (shown["problem"] or words) == words


@given(st.floats(0, 4e9), st.floats(0, 1e7))
def test_figures(seconds: float, milliseconds: float) -> None:
    """Times and durations are those of the control API, to the millisecond and the microsecond."""
    call = recorded(number=1 << 24, operation="a.b", received_at=seconds, duration_ms=milliseconds)
    line = json.loads(JsonForm().line(call, "", NO_DETAILS))
    assert line["received_at"] == datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    assert line["duration_ms"] == pytest.approx(milliseconds, abs=0.00051)


@given(st.text(st.characters()))
def test_printable(text: str) -> None:
    """A printable text stays as it is; of any other each character that is not is written as an escape."""
    shown = printable(text)
    assert shown.isprintable()
    assert shown == text or not text.isprintable()


def test_a_problem_of_an_accepted_call_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """An accepted call ends after its time, also where a pin let a bad request through."""
    with logged(monkeypatch) as (customer, stream):
        pin = {"account": customer.id, "answers": ["sent"], "force": True}
        customer.client.put("/_mock/pins/acme.send_sms", json=pin).raise_for_status()
        assert customer.send(json={}).status_code == 202
    (line,) = lines_of(stream)
    assert re.fullmatch(rf"{TIME} acme\.send_sms/sent 202 {customer.id} - {TOOK}", line)
