"""Pins: used up in order, laid over answers, and what they may decide."""

import json
from typing import Any

import msgspec
import pytest

from mockserver.engine.call import unpack_headers
from mockserver.engine.choice import Choice, choose
from mockserver.engine.engine import Decision
from mockserver.engine.pin import PinEntry, PinState, first_fitting, lay_over, literal
from mockserver.engine.problem import Problem
from mockserver.engine.recipient import MAGIC
from mockserver.engine.response import RenderedResponse
from mockserver.matching.pattern import Pattern
from mockserver.spec.pointer import Pointer
from tests.engine.workbench import Bench, operation, request

SEND = operation("send_sms")
UNKNOWN = Problem("unknown", "/body/from", "", "nobody's")


def entry(written: Any) -> PinEntry:
    """An answer by name, the rules, or a literal with this status."""
    if isinstance(written, int):
        return literal(written, {}, None)
    return None if written == "rules" else str(written)


def pinned(*written: Any, account: str = "one", **members: Any) -> PinState:
    return PinState(
        "p-1", account, members.pop("reach", "acme.send_sms"), tuple(entry(one) for one in written), written, **members
    )


def test_entries_are_used_up_in_order() -> None:
    """Each use leaves one less; then the pin is spent."""
    pin, met = pinned("busy", "rules", "sent"), []
    while not pin.is_spent:
        met.append((pin.entry, pin.left))
        pin = pin.after_request()
    assert met == [("busy", 3), (None, 2), ("sent", 1)]
    assert (pin.left, pin.used, pin.met) == (0, 3, 3)


def test_the_last_stays() -> None:
    """With ``then`` last, it is never spent, and its last entry answers for ever."""
    pin = pinned("sent", "busy", then="last")
    for _ in range(5):
        pin = pin.after_request()
    assert (pin.entry, pin.left, pin.used, pin.is_spent) == ("busy", 0, 5, False)


def choice(pin: PinState, *problems: Problem, prefer: str = "", recipient: str = "", view: Any = None) -> Choice:
    answer = first_fitting([pin], SEND, {}, has_problems=bool(problems)).answer
    found = choose(SEND, problems, view or {}, recipient, prefer=prefer, pinned=answer)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("written", "force", "problems", "expected"),
    [
        pytest.param("sent", False, (), "pin", id="success-for-a-good-request"),
        pytest.param("sent", False, (UNKNOWN,), "rule", id="no-success-for-a-bad-one"),
        pytest.param("sent", True, (UNKNOWN,), "pin", id="forced"),
        pytest.param("refused", False, (), "pin", id="refusal-of-a-good-request"),
        pytest.param("refused", False, (UNKNOWN,), "pin", id="refusal-of-a-bad-one"),
        pytest.param("busy", False, (UNKNOWN,), "pin", id="failure-that-the-vendor-calls-200"),
        pytest.param(200, False, (), "pin", id="literal"),
        pytest.param(302, False, (UNKNOWN,), "rule", id="literal-success-for-a-bad-request"),
        pytest.param(400, False, (UNKNOWN,), "pin", id="literal-refusal"),
        pytest.param(200, True, (UNKNOWN,), "pin", id="literal-forced"),
        pytest.param("rules", False, (), "default", id="rules"),
        pytest.param("rules", True, (UNKNOWN,), "rule", id="rules-refuse"),
    ],
)
def test_what_a_pin_decides(written: Any, force: bool, problems: tuple[Problem, ...], expected: str) -> None:
    """A pinned success answers only a request without problems, unless forced; a failure answers any."""
    found = choice(pinned(written, force=force), *problems)
    assert found.chosen_by == expected
    assert found.problem == (problems[0] if problems else None)


def test_precedence() -> None:
    """A preference comes before a pin; a pin before conditions and magic."""
    barred = {"owned": {"lines": {"open": False}}, "body": {}}
    assert choice(pinned("sent"), prefer="example=busy").chosen_by == "prefer"
    assert choice(pinned("sent"), view=barred, recipient=f"+{MAGIC}503").chosen_by == "pin"
    assert choice(pinned("rules"), view=barred).chosen_by == "rule"
    assert choice(pinned("rules"), recipient=f"+{MAGIC}503").chosen_by == "magic"


def decided(bench: Bench, pin: PinState, *, key: str | None = None, **body: Any) -> Decision:
    """What becomes of a request of the first account, whose key it has."""
    sent = {"from": bench.mine["lines"][0]["number"], "to": "+15", **body}
    found = request("send_sms", headers={"x-key": bench.mine["key"] if key is None else key}, body=sent)
    facts = msgspec.structs.replace(bench.facts(), pins={pin.account: (pin,)})
    return bench.engine.decide(found, facts)


def test_a_use_is_what_the_call_uses_up() -> None:
    """What it decided, or let the rules decide, uses it; what the rules refused in its stead does not."""
    bench = Bench()
    for written, key, used in [("sent", None, True), ("sent", "", False), ("rules", "", True), ("busy", "", True)]:
        pin = pinned(written)
        found = decided(bench, pin, key=key)
        assert found.uses.pins == ((pin,) if used else ()), (written, key)
        assert found.call.pin == (pin.id if used else "")
        assert bool(found.call.problems) is (key == "")


def test_a_pin_is_for_its_account_and_for_requests_that_fit() -> None:
    """Another account's pin, and one that is bound to other requests, decide nothing."""
    bench = Bench()
    bound = Pattern({"body": {"text": "Bye"}, "headers": {"X-Key": bench.mine["key"]}})
    assert decided(bench, pinned("busy", account="two")).call.chosen_by == "default"
    assert decided(bench, pinned("busy", pattern=bound), text="Hi").uses.pins == ()
    assert decided(bench, pinned("busy", pattern=bound), text="Bye").call.chosen_by == "pin"


def test_values_are_laid_over_whatever_the_pin_lets_through() -> None:
    """Over the named answer, and headers over the rules' answer too; not where the pin did not count."""
    bench = Bench()
    changes = ((Pointer.parse("/header/Retry-After"), 0),)
    for written in ("busy", "rules"):
        found = decided(bench, pinned(written, changes=changes))
        assert ["retry-after", "0"] in unpack_headers(found.call.response_headers)
    refused = decided(bench, pinned("sent", changes=changes), key="")
    assert "retry-after" not in dict(unpack_headers(refused.call.response_headers))


def test_lay_over() -> None:
    """Headers are replaced in any case, values of the body in place, and the length is that of the new body."""
    before = RenderedResponse.of(400, [(b"x-old", b"1")], '{"a":[{"b":1},2],"c":"é"}'.encode())
    changes = {"/header/X-OLD": "2", "/header/X-New": 1.5, "/body/a/0/b": {"x": None}, "/body/a/1": "ü", "/body/c": []}
    after = lay_over(before, tuple((Pointer.parse(at), value) for at, value in changes.items()))
    assert json.loads(after.body) == {"a": [{"b": {"x": None}}, "ü"], "c": []}
    assert after.headers == [(b"x-old", b"2"), (b"x-new", b"1.5"), (b"content-length", b"%d" % len(after.body))]
    assert after.status == 400
    assert lay_over(before, ()).body == before.body


@pytest.mark.parametrize(
    ("headers", "body", "raw", "sent"),
    [
        pytest.param({}, None, b"", [], id="no-body"),
        pytest.param({}, "", b"", [], id="empty"),
        pytest.param({}, "<é/>", "<é/>".encode(), [], id="text-as-it-is"),
        pytest.param(
            {}, {"é": [1, None]}, '{"é":[1,null]}'.encode(), [(b"content-type", b"application/json")], id="json"
        ),
        pytest.param({}, False, b"false", [(b"content-type", b"application/json")], id="json-false"),
        pytest.param({"Content-TYPE": "a/b"}, [], b"[]", [(b"content-type", b"a/b")], id="own-content-type"),
    ],
)
def test_a_literal_as_bytes(headers: dict[str, str], body: Any, raw: bytes, sent: Any) -> None:
    """Text is sent as it is, all else as JSON; header names in lower case, the length last."""
    response = literal(418, headers, body).response
    assert response == RenderedResponse.of(418, sent, raw)


@pytest.mark.parametrize(
    ("status", "body", "warning"),
    [
        pytest.param(418, None, "off-contract: acme.send_sms documents no status 418", id="status"),
        pytest.param(202, {"id": "1"}, "off-contract: a literal answer", id="fits"),
        pytest.param(405, "anything", "off-contract: a literal answer", id="no-schema"),
        pytest.param(
            202,
            {"id": 1},
            'off-contract: the body does not fit the schema of status 202: 1 is not of type "string"',
            id="does-not-fit",
        ),
        pytest.param(
            400,
            None,
            'off-contract: the body does not fit the schema of status 400: null is not of type "object"',
            id="no-body-where-one-is-documented",
        ),
    ],
)
def test_a_literal_is_held_against_the_contract(status: int, body: Any, warning: str) -> None:
    """It is off the contract in any case; what is more wrong with it is said."""
    assert literal(status, {}, body).warnings(SEND) == (warning,)


def test_a_literal_is_recorded_as_what_it_is() -> None:
    """No answer's name, no evidence but that it is off the contract, and the warnings as notes."""
    call = decided(Bench(), pinned(418)).call
    assert (call.answer, call.evidence, call.chosen_by, call.accepted, call.status) == (
        "",
        "off-contract",
        "pin",
        0,
        418,
    )
    assert json.loads(call.notes) == ["off-contract: acme.send_sms documents no status 418"]
