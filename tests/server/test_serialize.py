"""Public shapes: what tools outside rely on. Members may be added, never renamed."""

import asyncio
import base64
import gzip
import json
from datetime import UTC, datetime
from typing import Any
from unittest.mock import Mock

import jsonschema
import pytest
from msgspec.structs import replace

from mockserver.engine import coding
from mockserver.engine.call import (
    MAX_PROBLEM_TEXT,
    MAX_PROBLEMS,
    RecordedCall,
    pack_headers,
    pack_params,
    pack_problems,
)
from mockserver.engine.problem import Problem
from mockserver.server.checkpoint import TimeShare
from mockserver.server.control.contracts import description
from mockserver.server.masking import CUT, Masker
from mockserver.server.serialize import MAX_MEMBER_SHOWN, MAX_VALUES_SHOWN, account_shape, call_shape
from tests.engine.workbench import NOW, Bench, acme, recorded
from tests.server.conftest import Make

RECORDED = recorded(
    number=(0xA1B2C3 << 24) + 1,
    account="one",
    vendor="acme",
    operation="acme.send_sms",
    answer="acme.send_sms/refused",
    evidence="assumed",
    accepted=False,
    chosen_by="rule",
    rule="acme.yaml:101",
    parts="A-PAPP",
    reasons='{"status": "a guess"}',
    recipient="+15",
    problems=pack_problems((Problem("invalid", "/body/to", "type", "not text"),)),
    method="POST",
    path="/base/messages",
    path_params=pack_params({"id": "ü"}),
    query=b"q=1",
    headers=pack_headers([(b"content-type", b"application/json"), (b"x-a", b"1"), (b"x-a", b"\xfc: 2")]),
    reads="json",
    body='{"to": "ü", "to": 5, "n": 1e2}'.encode(),
    status=400,
    response_headers=pack_headers([(b"content-length", b"2")]),
    response_body=b"{}",
    outcome="sent",
    received_at=1_800_000_000.1234,
    duration_ms=1.25,
)
SHOWN = {
    "id": "a1b2c3-000001",
    "account": "one",
    "vendor": "acme",
    "operation": "acme.send_sms",
    "answer": "acme.send_sms/refused",
    "accepted": False,
    "evidence": "assumed",
    "evidence_parts": {
        "status": "assumed",
        "headers": None,
        "shape": "page",
        "text": "assumed",
        "trigger": "page",
        "request": "page",
    },
    "evidence_reasons": {"status": "a guess"},
    "chosen_by": "rule",
    "rule": "acme.yaml:101",
    "recipient": "+15",
    "problems": [{"kind": "invalid", "at": "/body/to", "reason": "type", "message": "not text"}],
    "request": {
        "method": "POST",
        "path": "/base/messages",
        "path_params": {"id": "ü"},
        "query": "q=1",
        "headers": [["content-type", "application/json"], ["x-a", "1"], ["x-a", "ü: 2"]],
        "form": None,
        "json": {"to": 5, "n": 100.0},
        "body_base64": base64.b64encode(RECORDED.body).decode(),
        "body_bytes": len(RECORDED.body),
    },
    "response": {
        "status": 400,
        "headers": [["content-length", "2"]],
        "json": {},
        "body_base64": "e30=",
        "body_bytes": 2,
        "fault": None,
    },
    "trace_id": None,
    "outcome": "sent",
    "received_at": "2027-01-15T08:00:00.123+00:00",
    "duration_ms": 1.25,
    "cut": [],
}


def shown(**changes: Any) -> dict[str, Any]:
    labelled = {name: changes.pop(name) for name in RECORDED.label.__struct_fields__ if name in changes}
    label = replace(RECORDED.label, **labelled)
    return shape_of(replace(RECORDED, label=label, **changes))


def shape_of(call: RecordedCall) -> dict[str, Any]:
    return asyncio.run(call_shape(call, Masker((acme(),)), TimeShare()))


def conforms(value: Any, name: str) -> None:
    """The control API's own description has this shape, and no member beside."""
    schema = {**description(), "$ref": f"#/components/schemas/{name}"}
    jsonschema.Draft202012Validator(schema).validate(value)


def test_call() -> None:
    """Every member of a call, by its name."""
    found = shown()
    assert {name: found[name] for name in SHOWN} == SHOWN
    assert datetime.fromisoformat(found["received_at"]) == datetime(2027, 1, 15, 8, 0, 0, 123000, UTC)
    assert found["notes"] == ["duplicate key 'to': the last counts"]
    conforms(found, "Call")


def test_an_empty_call() -> None:
    """What there is none of is null, or an empty list."""
    found = shape_of(recorded(outcome="pending"))
    assert [name for name, value in found.items() if value is None] == [
        "account",
        "vendor",
        "operation",
        "answer",
        "evidence",
        "evidence_parts",
        "chosen_by",
        "rule",
        "pin",
        "recipient",
        "message",
        "url",
        "cause",
        "attempt",
        "trace_id",
    ]
    assert (found["problems"], found["request"]["headers"], found["request"]["path_params"]) == ([], [], {})
    assert {name for name, value in found["request"].items() if value is None} == {"form", "json", "body_base64"}
    assert {name for name, value in found["response"].items() if value is None} == {"json", "body_base64", "fault"}
    conforms(found, "Call")


@pytest.mark.parametrize(
    ("reads", "content_type", "body", "form", "value"),
    [
        pytest.param("form", b"x", b"a=1&b=%C3%BC&a=", [["a", "1"], ["b", "ü"], ["a", ""]], None, id="form"),
        pytest.param("form", b"x", b"a=%ff", None, None, id="form-unreadable"),
        pytest.param(
            "multipart", b"multipart/form-data; boundary=e", b"--e\r\n", None, None, id="multipart-unreadable"
        ),
        pytest.param(
            "multipart",
            b"multipart/form-data; boundary=e",
            b'--e\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--e--\r\n',
            [["a", "1"]],
            None,
            id="multipart",
        ),
        pytest.param("json", b"x", b"[1]", None, [1], id="json"),
        pytest.param("json", b"x", b"[1", None, None, id="json-unreadable"),
        pytest.param("nothing", b"application/json", b"[1]", None, None, id="not-read"),
        pytest.param("", b"", b"[1]", None, [1], id="unknown-path"),
        pytest.param("json", b"x", b"\xff\x00", None, None, id="bytes"),
    ],
)
def test_body(reads: str, content_type: bytes, body: bytes, form: Any, value: Any) -> None:
    """A body is shown as it was read, and always in its raw bytes."""
    found = shown(reads=reads, headers=pack_headers([(b"content-type", content_type)]), body=body)["request"]
    assert (found["form"], found["json"], base64.b64decode(found["body_base64"])) == (form, value, body)


def test_account() -> None:
    """What a test needs of a fresh account: where to send, with what, from what."""
    bench = Bench()
    found = account_shape(bench.one, (acme(),), "http://localhost:1", NOW)
    assert found["id"] == "one"
    vendor = found["vendors"]["acme"]
    assert vendor["url"] == "http://localhost:1/base"
    assert {*vendor["credentials"]} == {"key", "pin", "clients"}
    assert {*vendor["owned"]} == {"name", "lines"}
    assert {**vendor["credentials"], **vendor["owned"]} == bench.mine
    assert vendor["tokens"]["Key"] == bench.mine["key"]


def test_what_the_server_shows_is_what_it_describes(make: Make) -> None:
    """Accounts and calls of a running server have the shapes that its own description gives them."""
    customer = make()
    requests: list[dict[str, Any]] = [{}, {"json": {}}, {"path": "/nowhere"}, {"method": "PUT"}, {"content": b"\xff"}]
    for request in requests:
        customer.send(**request)
    conforms(customer.shape, "Account")
    assert customer.shape.keys() >= {"id", "vendors"}
    page = customer.client.get("/_mock/calls", params={"account": customer.id}).json()
    assert page.keys() == {"calls", "evicted", "next"}
    assert len(page["calls"]) == 5
    for call in page["calls"]:
        conforms(call, "Call")
        assert call.keys() >= SHOWN.keys()
        assert json.loads(json.dumps(call)) == customer.client.get(f"/_mock/calls/{call['id']}").json()


def test_what_is_long_is_cut() -> None:
    """A part of each long member is shown, and which these are; of a body, how long it is."""
    body = json.dumps({"text": "x" * 10 * MAX_MEMBER_SHOWN, "next": [1]}).encode()
    found = shown(
        body=body, path="/p" + "a" * MAX_MEMBER_SHOWN, query=b"q=" + b"b" * MAX_MEMBER_SHOWN, response_body=body
    )
    assert found["cut"] == [
        *("/request/path", "/request/query", "/request/json", "/request/body_base64"),
        *("/response/json", "/response/body_base64"),
    ]
    request = found["request"]
    assert request["json"]["text"] == "x" * (MAX_MEMBER_SHOWN - len("text")) + CUT
    assert request["json"][CUT] == "1 more"
    assert (len(base64.b64decode(request["body_base64"])), request["body_bytes"]) == (MAX_MEMBER_SHOWN, len(body))
    assert request["path"].endswith("a…")
    conforms(found, "Call")


@pytest.mark.parametrize("value", [list(range(5000)), {str(number): number for number in range(5000)}])
def test_many_values_are_cut(value: Any) -> None:
    """As many are shown as there is room for."""
    found = shown(body=json.dumps(value).encode())
    assert len(found["request"]["json"]) == MAX_VALUES_SHOWN + 1
    assert "/request/json" in found["cut"]


def test_many_headers_are_cut() -> None:
    """Thousands of headers are no more than a page."""
    found = shown(headers=pack_headers([(b"a", b"1")] * 10_000))
    assert found["request"]["headers"][-1] == [CUT, f"{10_000 - MAX_VALUES_SHOWN} more"]
    assert found["cut"] == ["/request/headers"]
    conforms(found, "Call")


def test_many_problems_are_cut() -> None:
    """The first hundred are recorded; each says enough of itself."""
    problems = tuple(Problem("invalid", f"/body/{number}/" + "x" * 5000, "type", "y" * 5000) for number in range(5000))
    found = shown(problems=pack_problems(problems))
    assert len(found["problems"]) == MAX_PROBLEMS
    assert found["problems"][0]["message"] == "y" * MAX_PROBLEM_TEXT + CUT
    conforms(found, "Call")


@pytest.mark.parametrize(
    "text", ["eyJ", "eyJaaaaaaaa.aaaaaaaa.a ", "polyai-", "%", "\\", "~", "-----BEGIN A-----", "key=a&"]
)
@pytest.mark.parametrize("reads", ["json", "form", "nothing"])
def test_what_is_done_for_a_call_is_bounded(monkeypatch: pytest.MonkeyPatch, text: str, reads: str) -> None:
    """However long a body is, and whatever is in it, as many characters are looked at for secrets."""
    looked_at: list[int] = []
    for name in ("text", "fields", "body"):
        monkeypatch.setattr(Masker, name, counting(getattr(Masker, name), looked_at))
    totals = []
    for size in (4, 8):
        looked_at.clear()
        body = json.dumps({"text": text * (size * MAX_MEMBER_SHOWN // len(text)), "to": "1"}).encode()
        found = shown(body=body, reads=reads, query=body, response_body=body)
        assert {"/request/body_base64", "/response/body_base64", "/request/query"} <= {*found["cut"]}
        totals.append(sum(looked_at))
    assert totals[0] == pytest.approx(totals[1], abs=100)
    assert totals[0] < 20 * MAX_MEMBER_SHOWN


def counting(method: Any, looked_at: list[int]) -> Any:
    def counted(masker: Masker, text: str, *how: Any, **more: Any) -> str:
        looked_at.append(len(text))
        found: str = method(masker, text, *how, **more)
        return found

    return counted


def test_a_packed_body_is_unpacked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """In however many ways it is shown."""
    undo = Mock(wraps=coding.decoded)
    monkeypatch.setattr(coding, "decoded", undo)
    headers = b"content-type: application/json\r\ncontent-encoding: gzip"
    shape = shown(headers=headers, body=gzip.compress(b'{"a": 1, "a": 2}'))
    assert (shape["request"]["json"], undo.call_count) == ({"a": 2}, 1)
    assert shape["request"]["headers"][1] == ["content-encoding", "gzip"]


def test_others_get_their_turn_within_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """A large call is shown in pieces."""
    share = 0

    async def show() -> None:
        nonlocal share
        showing = asyncio.create_task(call_shape(RECORDED, Masker((acme(),)), TimeShare()))
        while not showing.done():
            await asyncio.sleep(0)
            share += 1

    monkeypatch.setattr("mockserver.server.checkpoint.SHARE", 0)
    asyncio.run(show())
    assert share >= 8
