"""The choice of an answer: preference, rules, magic recipients, success."""

from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pytest

from mockserver.engine import choice as choice_module
from mockserver.engine import recipient as recipient_module
from mockserver.engine.choice import MAX_NOTE, Choice, choose
from mockserver.engine.problem import Problem
from mockserver.engine.recipient import MAGIC, MAX_RECIPIENTS, recipient_of, recipients_of
from mockserver.spec.functions import phone_digits
from mockserver.spec.model import Recipient, Rule
from mockserver.spec.pointer import Pointer
from tests.engine.workbench import answer_of, chosen, operation

LONG = Problem("invalid", "/body/text", "maxLength", "too long")
UNKNOWN = Problem("unknown", "/body/from", "", "nobody's")
BARRED: dict[str, Any] = {"owned": {"lines": {"open": False}}, "body": {}}


def told(choice: Choice) -> tuple[str, str, Problem | None]:
    return answer_of(choice), choice.chosen_by, choice.problem


@pytest.mark.parametrize(
    ("prefer", "expected"),
    [
        pytest.param("example=busy", ("busy", "prefer"), id="example"),
        pytest.param('example="busy"', ("busy", "prefer"), id="quoted"),
        pytest.param("respond-async, wait=5; code=400", ("refused", "prefer"), id="among-others"),
        pytest.param("code = 400", ("refused", "prefer"), id="first-with-that-status"),
        pytest.param("code=503", ("busy", "prefer"), id="by-what-the-status-means"),
        pytest.param("code=200", ("busy", "prefer"), id="status-on-the-wire-first"),
        pytest.param("example=delayed", ("delayed", "prefer"), id="another-success"),
        pytest.param("example=unheard_of", ("sent", "default"), id="unknown-example"),
        pytest.param("code=418", ("sent", "default"), id="unknown-code"),
        pytest.param("barcode=400", ("sent", "default"), id="other-word"),
        pytest.param("Code=400", ("refused", "prefer"), id="names-fold-case"),
        pytest.param('EXAMPLE = "busy" ; x="a,b"', ("busy", "prefer"), id="with-a-parameter"),
        pytest.param("code=503, code=400", ("busy", "prefer"), id="the-first-of-two-counts"),
        pytest.param("code=202, example=delayed", ("delayed", "prefer"), id="both-name-it"),
        pytest.param("code=400, example=delayed", ("sent", "default"), id="both-name-none"),
        pytest.param('wait="code=400, example=busy"', ("sent", "default"), id="within-quotes"),
        pytest.param('example="b\\usy"', ("busy", "prefer"), id="quoted-letter"),
        pytest.param("example=acme.send_sms/busy", ("busy", "prefer"), id="by-its-id"),
        pytest.param("return=minimal", ("sent", "default"), id="another-preference"),
        pytest.param("", ("sent", "default"), id="none"),
    ],
)
def test_preference(prefer: str, expected: tuple[str, str]) -> None:
    """`Prefer: example=` names an answer, `code=` the first with that status; what names none changes nothing."""
    assert told(chosen("send_sms", prefer=prefer))[:2] == expected


@pytest.mark.parametrize(
    ("prefer", "recipient", "notes"),
    [
        pytest.param("example=busi", "+1", ("preference unknown; known: ",), id="example"),
        pytest.param("respond-async, code=999", "+1", ("preference unknown; known: ",), id="code"),
        pytest.param("code=", "+1", ("preference unknown; known: ",), id="empty"),
        pytest.param("example=busy", f"+{MAGIC}999", (), id="a-preference-comes-first"),
        pytest.param("", f"+{MAGIC}999", (f"magic unknown; known: +{MAGIC}414, +{MAGIC}405, +{MAGIC}503",), id="magic"),
        pytest.param("", f"+{MAGIC}503", (), id="known-magic"),
        pytest.param("x=1", f"+{MAGIC}999", ("magic unknown; known: ",), id="magic-and-another-preference"),
        pytest.param("code=x", f"+{MAGIC}999", ("preference unknown; ", "magic unknown; "), id="both"),
        pytest.param("wait=5, return=minimal", "+1", (), id="none-of-ours"),
    ],
)
def test_a_wish_that_names_no_answer_is_noted(prefer: str, recipient: str, notes: tuple[str, ...]) -> None:
    """The note lists those that would, and nothing that the client sent."""
    found = chosen("send_sms", prefer=prefer, recipient=recipient).notes
    assert len(found) == len(notes)
    for note, beginning in zip(found, notes, strict=True):
        assert note.startswith(beginning)
        assert len(note) <= MAX_NOTE
        if beginning.startswith("preference"):
            assert {*note.partition("known: ")[2].split(", ")} == {*operation("send_sms").answers}
    assert chosen("send_sms", UNKNOWN, prefer="code=999").notes == chosen("send_sms", prefer="code=999").notes


def test_a_note_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """An operation may have hundreds of answers."""
    monkeypatch.setattr(choice_module, "MAX_NOTE", 40)
    (note,) = chosen("send_sms", prefer="code=999").notes
    assert (len(note), note[-3:]) == (40, "...")


def test_a_preferred_success_does_not_wave_a_bad_request_through() -> None:
    """A preferred refusal wins over the rules and shows the problem there was; a preferred success does not."""
    assert told(chosen("send_sms", UNKNOWN, prefer="example=busy")) == ("busy", "prefer", UNKNOWN)
    assert told(chosen("send_sms", UNKNOWN, prefer="example=sent")) == ("refused", "rule", UNKNOWN)
    assert told(chosen("send_sms", UNKNOWN, prefer="code=202")) == ("refused", "rule", UNKNOWN)
    assert told(chosen("send_sms", view=BARRED, prefer="example=sent")) == ("sent", "prefer", None)


def test_the_first_rule_that_fits_decides() -> None:
    """The order of the rules counts, not that of the problems; each is about the first problem that it fits."""
    assert told(chosen("send_sms", UNKNOWN, LONG)) == ("too_long", "rule", LONG)
    assert told(chosen("send_sms", UNKNOWN)) == ("refused", "rule", UNKNOWN)
    assert told(chosen("send_sms", UNKNOWN, Problem("foreign", "/body/to", "", ""))) == ("refused", "rule", UNKNOWN)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(Problem("missing", "/body/text", "maxLength", ""), id="kind"),
        pytest.param(Problem("invalid", "/body/text", "type", ""), id="reason"),
        pytest.param(Problem("invalid", "/body/texts", "maxLength", ""), id="place"),
        pytest.param(Problem("invalid", "/body", "maxLength", ""), id="above"),
    ],
)
def test_a_rule_fits_by_kind_reason_and_place(other: Problem) -> None:
    """A problem that differs in one of them is not the rule's; one beneath the place is."""
    assert told(chosen("send_sms", other))[0] == "refused"
    beneath = Problem("invalid", "/body/text/0", "maxLength", "")
    assert told(chosen("send_sms", beneath)) == ("too_long", "rule", beneath)


@pytest.mark.parametrize(
    ("view", "answer"),
    [
        pytest.param(BARRED, "closed", id="fits"),
        pytest.param({"owned": {"lines": {"open": True}}}, "sent", id="value-does-not-fit"),
        pytest.param({"owned": {}}, "sent", id="nothing-there"),
        pytest.param({**BARRED, "body": {"urgent": None}}, "sent", id="what-must-be-absent-is-there"),
    ],
)
def test_when(view: dict[str, Any], answer: str) -> None:
    """Each pointer must exist and fit; `false` means absent."""
    found = chosen("send_sms", view=view)
    assert told(found) == (answer, "rule" if answer == "closed" else "default", None)


@pytest.mark.parametrize(
    ("recipient", "answer"),
    [
        pytest.param(f"+{MAGIC}503", "busy", id="given"),
        pytest.param(f"+{MAGIC}414", "too_long", id="other"),
        pytest.param(f"+{MAGIC}999", "sent", id="no-such-magic"),
        pytest.param(f"+{MAGIC}5030", "sent", id="longer"),
        pytest.param(f"+{MAGIC}0503", "sent", id="longer-with-a-magic-end"),
        pytest.param(f"+{MAGIC}50", "sent", id="shorter"),
        pytest.param(f"{MAGIC}503", "sent", id="not-normalised"),
        pytest.param("+15005551503", "sent", id="other-number"),
    ],
)
def test_magic_recipient(recipient: str, answer: str) -> None:
    """`+1 500 555 0NNN` gets the answer with magic NNN; any other number is a number."""
    assert told(chosen("send_sms", recipient=recipient))[:2] == (answer, "default" if answer == "sent" else "magic")


def test_magic_comes_before_an_accepted_rule() -> None:
    """A rule that chooses between successes leaves a magic recipient its refusal."""
    send = operation("send_sms")
    when = ((Pointer.parse("/body/later"), None),)
    rule = Rule(send.answers["delayed"], None, False, None, None, when, "acme.yaml:1", "/body/later not there")
    later = replace(send, rules=(*send.rules, rule), conditions=(rule,))
    for recipient, expected in (("+1", ("delayed", "rule")), (f"+{MAGIC}503", ("busy", "magic"))):
        choice = choose(later, (), {"body": {}}, recipient, prefer="", pinned=None)
        assert choice is not None
        assert told(choice)[:2] == expected


def test_rules_come_before_magic() -> None:
    """A refused request to a magic recipient is refused for its own reason; a preference wins over both."""
    magic = f"+{MAGIC}503"
    assert told(chosen("send_sms", LONG, recipient=magic))[0] == "too_long"
    assert told(chosen("send_sms", view=BARRED, recipient=magic))[0] == "closed"
    assert told(chosen("send_sms", recipient=magic, prefer="example=delayed"))[0] == "delayed"


@pytest.mark.parametrize(
    ("body", "number"),
    [
        pytest.param({"to": "+1 (415) 555-0123"}, "+14155550123", id="written-for-people"),
        pytest.param({"to": 14155550123}, "+14155550123", id="integer"),
        pytest.param({"to": "1", "instead": "+2"}, "+2", id="override"),
        pytest.param({"to": "1", "instead": None}, "+1", id="override-null"),
        pytest.param({"to": "nobody"}, "", id="no-digits"),
        pytest.param({"to": "+1\x1b[31m"}, "", id="digits-of-another-text"),
        pytest.param({"to": "+" + "1" * 15}, "+" + "1" * 15, id="longest"),
        pytest.param({"to": "+" + "1" * 16}, "", id="too-long"),
        pytest.param({"to": 10**15}, "", id="too-large"),
        pytest.param({"to": True}, "", id="boolean"),
        pytest.param({"to": ["1"]}, "", id="list"),
        pytest.param({}, "", id="absent"),
    ],
)
def test_recipient(body: dict[str, Any], number: str) -> None:
    """The recipient is normalised to a plus and digits; where the contract marks another place, that wins."""
    assert recipient_of(operation("send_sms").recipient, {"body": body}) == number


@pytest.mark.parametrize("several", [{"split": ";"}, {"many": True}])
def test_of_many_recipients_the_first_are_looked_at(monkeypatch: pytest.MonkeyPatch, several: dict[str, Any]) -> None:
    """Whatever they are, and however many a body has room for."""
    recipient = Recipient(Pointer.parse("/body/to"), (), **several)
    looked_at = Mock(wraps=phone_digits)
    monkeypatch.setattr(recipient_module, "phone_digits", looked_at)
    for text in ("x", "1"):
        sent = [text] * 50_000
        view = {"body": {"to": sent if recipient.many else ";".join(sent)}}
        assert len(recipients_of(replace(operation("send_sms"), recipient=recipient), view)) == MAX_RECIPIENTS
        assert recipient_of(recipient, view) == ("+1" if text == "1" else "")
    assert looked_at.call_count <= 4 * MAX_RECIPIENTS


def test_an_operation_without_recipient() -> None:
    """It has none, and so no magic."""
    assert recipient_of(operation("ping").recipient, {"body": {"to": "1"}}) == ""
    assert Pointer.parse("/body/to") == getattr(operation("send_sms").recipient, "at", None)
