"""Expectations held against recorded calls: the outer parts, and the request as patterns see it."""

from collections.abc import Callable
from typing import Any

import pytest

from mockserver.engine import expectation
from mockserver.engine.call import RecordedCall, pack_more
from mockserver.engine.expectation import Expectation, RequestView
from mockserver.matching.compare import Readings
from mockserver.matching.pattern import REQUEST_PARTS, Pattern
from mockserver.spec.pointer import MISSING, Pointer
from tests.engine.workbench import JSON, NOW, Bench, recorded, request

SENT: dict[str, Any] = {
    "vendor": "acme",
    "operation": "acme.send_sms",
    "answer": "acme.send_sms/sent",
    "accepted": True,
    "recipient": "+14155550123",
    "received_at": NOW,
    "reads": "json",
    "body": b'{"to": "+14155550123"}',
}
CALL = recorded(**SENT)
FORM = {"content-type": "application/x-www-form-urlencoded"}
MULTIPART = {"content-type": "multipart/form-data; boundary=edge"}
THRICE = Readings(("a, b, a", "a", "b", "a"))
PARTS = b'--edge\r\nContent-Disposition: form-data; name="a"\r\n\r\nx y\r\n--edge--\r\n'


def fits(asked: Expectation, call: RecordedCall) -> bool:
    """Whether a call is as expected, as a verification of many calls asks it."""
    return asked.admits(call.label) and asked.matches(call)


def seen_of(call: RecordedCall) -> dict[str, Any]:
    """A recorded request as patterns see it."""
    return parts_of(RequestView(call, call.reads))


def parts_of(view: RequestView) -> dict[str, Any]:
    parts = {part: view.get(part) for part in REQUEST_PARTS}
    return {part: value for part, value in parts.items() if value is not MISSING}


@pytest.mark.parametrize(
    ("part", "right", "wrong", "found"),
    [
        ("vendor", "acme", "other", "acme"),
        ("operation", "acme.send_sms", "acme.ping", "acme.send_sms"),
        ("answer", "acme.send_sms/sent", "acme.ping/sent", "acme.send_sms/sent"),
        ("answer", "sent", "sen", "acme.send_sms/sent"),
        ("accepted", True, False, True),
        ("recipient", "1 (415) 555-0123", "+14155550124", "+14155550123"),
        ("since", NOW, NOW + 0.001, NOW),
        ("pattern", Pattern({"body": {"to": "+14155550123"}}), Pattern({"body": {"to": ""}}), "+14155550123"),
    ],
)
def test_each_part(part: str, right: Any, wrong: Any, found: Any) -> None:
    """The call fits what is right; what is wrong is the one difference, and enough not to fit."""
    assert Expectation(**{part: right}).differences(CALL) == []
    assert fits(Expectation(**{part: right}), CALL)
    (difference,) = Expectation(**{part: wrong}).differences(CALL)
    assert difference.pointer == {"since": "/received_at", "pattern": "/body/to"}.get(part, f"/{part}")
    assert difference.found == found
    assert not fits(Expectation(**{part: wrong}), CALL)


def test_all_parts_are_held_against_it() -> None:
    """A call that differs in one part is told its other differences too."""
    asked = Expectation(vendor="other", accepted=False, pattern=Pattern({"query": {"q": "1"}}))
    assert [one.pointer for one in asked.differences(CALL)] == ["/vendor", "/accepted", "/query/q"]
    assert not fits(Expectation(vendor="acme", pattern=asked.pattern), CALL)


def test_any_of_several_recipients() -> None:
    """A call that goes to several is a call to each of them."""
    several = recorded(**SENT, more=pack_more(recipients=["+14155550123", "+14155550124"]))
    for number in ("+14155550123", "14155550124"):
        assert Expectation(recipient=number).differences(several) == []
        assert fits(Expectation(recipient=number), several)
    (difference,) = Expectation(recipient="+14155550125").differences(several)
    assert (difference.pointer, difference.found) == ("/recipient", "+14155550123")
    assert not fits(Expectation(recipient="+14155550125"), several)


@pytest.mark.parametrize("recipient", ["nobody", "", "+"])
def test_a_recipient_without_digits_is_nobodys(recipient: str) -> None:
    """It fits no call, those without a recipient included."""
    for call in (CALL, recorded(**{**SENT, "recipient": ""})):
        (difference,) = Expectation(recipient=recipient).differences(call)
        assert difference.found == (call.recipient or MISSING)
        assert not fits(Expectation(recipient=recipient), call)


@pytest.mark.parametrize("answer", ["sent", "acme.send_sms/sent"])
def test_an_answer_off_the_contract_is_no_answer(answer: str) -> None:
    """A literal response has no name that could be asked for."""
    assert not fits(Expectation(answer=answer), recorded(**{**SENT, "answer": ""}))


@pytest.mark.parametrize(
    ("asked", "concerns"),
    [
        ({}, True),
        ({"vendor": "acme", "operation": "acme.send_sms", "since": NOW, "answer": "busy", "recipient": "+1"}, True),
        ({"vendor": "other"}, False),
        ({"operation": "acme.ping"}, False),
        ({"since": NOW + 1}, False),
    ],
)
def test_which_calls_are_worth_telling(asked: dict[str, Any], concerns: bool) -> None:
    """Those of the same operation and time, however else they differ."""
    assert Expectation(**asked).concerns(CALL) is concerns


@pytest.mark.parametrize(
    ("changes", "part", "value"),
    [
        pytest.param({"headers": b"X-Key: a: b\r\nB: c"}, "headers", {"x-key": "a: b", "b": "c"}, id="headers"),
        pytest.param({"headers": b"X: a\r\nx: b\r\nX: a"}, "headers", {"x": THRICE}, id="header-given-three-times"),
        pytest.param({"query": b"a=1&b=&a=2"}, "query", {"a": "2", "b": ""}, id="query"),
        pytest.param({"query": b"a=%ff"}, "query", {"a": "\ufffd"}, id="query-badly-written"),
        pytest.param({"path_params": '{"n": "5"}'}, "path_params", {"n": "5"}, id="path-parameters"),
        pytest.param({}, "body", MISSING, id="no-body"),
        pytest.param({"body": b"[1]", "reads": "json"}, "body", [1], id="json"),
        pytest.param({"body": b"null", "reads": "json"}, "body", None, id="null"),
        pytest.param({"body": b"{}", "reads": "nothing"}, "body", {}, id="json-that-the-vendor-ignores"),
        pytest.param({"body": b"\xff{", "reads": "json"}, "body", "\ufffd{", id="unreadable"),
        pytest.param({"body": b"a=1&b=x+y", "reads": "form"}, "body", {"a": "1", "b": "x y"}, id="form"),
        pytest.param({"body": b"a=1", "reads": "form"}, "query", {"a": "1"}, id="form-as-query"),
        pytest.param({"body": b"a=1", "reads": "form", "query": b"a=2"}, "query", {"a": "2"}, id="query-wins"),
        pytest.param({"body": b"a=%ff", "reads": "form"}, "body", "a=%ff", id="form-unreadable"),
        pytest.param({"body": PARTS, "reads": "multipart"}, "body", PARTS.decode(), id="multipart-without-boundary"),
        pytest.param(
            {"body": PARTS, "reads": "multipart", "headers": b"Content-Type: multipart/form-data; boundary=edge"},
            "query",
            {"a": "x y"},
            id="multipart",
        ),
        pytest.param({"body": b"[1]", "reads": "json"}, "json", [1], id="json-as-json"),
        pytest.param({"body": b"null", "reads": "json"}, "json", None, id="null-as-json"),
        pytest.param({"body": b"[1]", "reads": ""}, "json", [1], id="json-of-no-operation"),
        pytest.param({"body": b"[1]", "reads": "nothing"}, "json", MISSING, id="a-body-that-is-not-read"),
        pytest.param({"body": b"\xff{", "reads": "json"}, "json", MISSING, id="unreadable-as-json"),
        pytest.param({"reads": "json"}, "json", MISSING, id="no-body-as-json"),
        pytest.param({"body": b"a=1", "reads": "form"}, "json", MISSING, id="a-form-is-no-json"),
        pytest.param({"body": b"a=1&b=x+y", "reads": "form"}, "form", {"a": "1", "b": "x y"}, id="form-as-form"),
        pytest.param({"body": b"a=%ff", "reads": "form"}, "form", MISSING, id="unreadable-as-form"),
        pytest.param({"body": b'{"a": 1}', "reads": "json"}, "form", MISSING, id="json-is-no-form"),
    ],
)
def test_a_call_as_patterns_see_it(changes: dict[str, Any], part: str, value: Any) -> None:
    """Text is text, header names are lower case, a form's fields are both body and query."""
    assert seen_of(recorded(**changes)).get(part, MISSING) == value


@pytest.mark.parametrize(
    ("pattern", "read"),
    [
        pytest.param(Pattern({"body": {"to": "+14155550123"}}), ["read_json"], id="body"),
        pytest.param(Pattern({}, ((Pointer.parse("/body/x"), None, False),)), ["read_json"], id="schema-of-the-body"),
        pytest.param(Pattern({"query": {"q": "1"}}), ["read_query"], id="query"),
        pytest.param(Pattern({"headers": {"x-key": "k"}}), ["unpack_headers"], id="headers"),
        pytest.param(Pattern({"path": {"n": "5"}}), ["unpack_params"], id="path-parameters"),
        pytest.param(Pattern({"path": "/there"}), [], id="path"),
        pytest.param(Pattern(), [], id="nothing"),
        pytest.param(
            Pattern({"headers": {"x-key": "k"}, "body": {"to": "+14155550123"}}),
            ["unpack_headers", "read_json"],
            id="headers-and-body",
        ),
    ],
)
def test_no_more_is_read_than_is_asked(monkeypatch: pytest.MonkeyPatch, pattern: Pattern, read: list[str]) -> None:
    """A pattern on the body reads neither headers nor query, and so on; told or not told what differs."""
    call = recorded(**{**SENT, "path": "/there", "path_params": '{"n": "5"}', "query": b"q=1", "headers": b"x-key: k"})
    done: list[str] = []
    for name in ("read_json", "read_query", "unpack_headers", "unpack_params"):
        monkeypatch.setattr(expectation, name, noting(done, name))
    assert fits(Expectation(pattern=pattern), call)
    assert done == read
    assert Expectation(pattern=pattern).differences(call) == []
    assert done == read * 2


def noting(done: list[str], name: str) -> Callable[[Any], Any]:
    """The function of the module, which notes that it was asked."""
    function = getattr(expectation, name)

    def asked(given: Any) -> Any:
        done.append(name)
        return function(given)

    return asked


def test_what_is_told_by_the_label_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that was answered otherwise is not read at all."""
    monkeypatch.delattr(expectation, "read_json")
    pattern = Pattern({"body": {"to": "+14155550123"}})
    others: list[dict[str, Any]] = [
        {"vendor": "v"},
        {"operation": "acme.ping"},
        {"answer": "busy"},
        {"accepted": False},
    ]
    for other in others:
        asked = Expectation(**other, pattern=pattern)
        assert not asked.admits(CALL.label)
        assert not fits(asked, CALL)


@pytest.mark.parametrize(
    "arrival",
    [
        pytest.param({"to": "send_sms", "body": {"to": 1}, "headers": {"X-Key": "k"}, "query": "q=1"}, id="json"),
        pytest.param({"to": "send_sms", "body": b"{", "headers": JSON}, id="unreadable"),
        pytest.param({"to": "send_sms", "body": b"x"}, id="no-media-type"),
        pytest.param({"to": "get_typed", "query": "whole=5&flag=true&whole=6", "params": {"number": "5"}}, id="typed"),
        pytest.param({"to": "post_form", "body": b"n=5&a=1&a=2", "headers": FORM}, id="form"),
        pytest.param({"to": "post_form", "body": PARTS, "headers": MULTIPART}, id="multipart"),
        pytest.param({"to": "post_merged", "body": b"a=1&c=2", "query": "a=3", "headers": FORM}, id="merged"),
        pytest.param({"to": "post_merged", "body": b'{"a": 1}', "headers": JSON}, id="never-parsed"),
        pytest.param({"to": "rpc", "body": {"method": "Ping"}}, id="dispatched"),
    ],
)
def test_a_pin_sees_what_a_verification_will_see(arrival: dict[str, Any]) -> None:
    """One pattern means the same whether it chooses the requests of a pin or is asked for afterwards."""
    found = request(**arrival)
    bench = Bench()
    if arrival["to"] == "rpc":
        assert found.operation.name == "ping"
    assert parts_of(RequestView(found.arrival, found.reads)) == seen_of(bench.decide(found).call)
