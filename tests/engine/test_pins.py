"""The pins of an account are a list: which of them answers a request, and which can never take effect."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.engine.fault import read_fault
from mockserver.engine.pin import NOT_PINNED, Literal, PinState, first_fitting, literal, obstacle
from mockserver.matching.pattern import Pattern
from mockserver.store.switches import Pins
from tests.engine.workbench import acme, operation
from tests.properties import examples

SEND, PING = operation("send_sms"), operation("ping")
EVERY = [one for one in acme().operations if one.name == one.spelling]
PROPERTY = settings(deadline=None, database=None, derandomize=True, max_examples=examples(300))
TEAPOT = literal(418, {}, None)


def pin(name: str, *entries: Any, reach: str = "acme.send_sms", **members: Any) -> PinState:
    """A pin; ``fault`` and ``where`` as a user writes them."""
    if "fault" in members:
        members["fault"] = read_fault(members["fault"])
    return PinState(name, "one", reach, entries, (), pattern=Pattern(members.pop("where", {})), **members)


def first(*pins: PinState, to: Any = SEND, bad: bool = False, **view: Any) -> tuple[str, str, str]:
    """The pin that a request gets, its answer, and the pins that it uses."""
    found = first_fitting(pins, to, view, has_problems=bad)
    answer = "literal" if isinstance(found.answer, Literal) else found.answer.name if found.answer else "-"
    return found.pin.id if found.pin else "-", answer, " ".join(one.id for one in found.met)


def test_the_first_that_fits_answers() -> None:
    """The others wait; where none fits, nothing is pinned."""
    bye, rest = pin("bye", "busy", where={"body": {"text": "Bye"}}), pin("rest", "refused")
    assert first(bye, rest, body={"text": "Bye"}) == ("bye", "busy", "bye")
    assert first(bye, rest, body={"text": "Hi"}) == ("rest", "refused", "rest")
    assert first(rest, bye, body={"text": "Bye"}) == ("rest", "refused", "rest")
    assert first_fitting([bye], SEND, {"body": {}}, has_problems=False) is NOT_PINNED


def test_a_success_leaves_a_bad_request_to_the_next() -> None:
    """Unless it is forced; a pass to the rules takes any request."""
    assert first(pin("yes", "sent"), pin("no", "busy"), bad=True) == ("no", "busy", "no")
    assert first(pin("yes", "sent", force=True), pin("no", "busy"), bad=True) == ("yes", "sent", "yes")
    assert first(pin("rules", None), pin("no", "busy"), bad=True) == ("rules", "-", "rules")


def test_what_chance_spares_is_left_to_the_next() -> None:
    """A fault alone is nothing then, but has met the request; with an answer, the answer is given all the same."""
    spared = pin("chance", fault={"kind": "malformed", "probability": 0})
    assert first(spared, pin("next", "busy")) == ("next", "busy", "chance next")
    assert first(spared) == ("-", "-", "chance")
    answering = pin("both", "busy", fault={"kind": "malformed", "probability": 0})
    assert first(answering, pin("next", "sent")) == ("both", "busy", "both")


def test_a_pin_for_many_operations() -> None:
    """Each has its own answer of the name; one without it is left to the next pin, and uses nothing up."""
    wide, everywhere = pin("wide", "busy", "refused", reach="acme.*"), pin("all", TEAPOT, reach="*")
    assert first(wide, everywhere) == ("wide", "busy", "wide")
    assert first(wide, everywhere, to=PING) == ("all", "literal", "all")
    assert first(wide.after_request(), everywhere, to=PING) == ("wide", "refused", "wide")
    named = pin("named", "acme.ping/refused", reach="*")
    assert (first(named)[0], first(named, to=PING)) == ("-", ("named", "refused", "named"))


def test_a_literal_is_held_against_each_operation() -> None:
    """What one documents, another may not."""
    answer = literal(202, {}, {"id": "1"})
    assert answer.warnings(SEND) == ("off-contract: a literal answer",)
    assert answer.warnings(PING) == ("off-contract: acme.ping documents no status 202",)


BYE = {"body": {"text": "Bye"}}
RESET: dict[str, Any] = {"kind": "reset", "times": None}


@pytest.mark.parametrize(
    ("earlier", "later", "is_in_the_way"),
    [
        pytest.param(pin("a", "busy"), pin("b", "busy"), False, id="used-up-some-time"),
        pytest.param(pin("a", "busy", then="last"), pin("b", "sent"), True, id="the-last-stays"),
        pytest.param(pin("a", "sent", then="last"), pin("b", "delayed"), True, id="both-for-good-requests"),
        pytest.param(pin("a", "sent", then="last"), pin("b", "busy"), False, id="bad-requests-are-left"),
        pytest.param(pin("a", "sent", then="last"), pin("b", "delayed", force=True), False, id="bad-ones-forced"),
        pytest.param(pin("a", "sent", then="last"), pin("b", None), False, id="bad-ones-for-the-rules"),
        pytest.param(pin("a", "sent", then="last", force=True), pin("b", "busy"), True, id="forced"),
        pytest.param(pin("a", None, then="last"), pin("b", "busy"), True, id="the-rules-for-ever"),
        pytest.param(pin("a", "sent", "busy", then="last"), pin("b", "busy"), False, id="a-success-comes-first"),
        pytest.param(
            pin("a", "sent", "busy", then="last", position=1), pin("b", "busy"), True, id="the-success-is-used-up"
        ),
        pytest.param(pin("a", TEAPOT, then="last"), pin("b", "busy"), True, id="a-literal"),
        pytest.param(pin("a", fault=RESET), pin("b", "busy"), True, id="a-fault-for-ever"),
        pytest.param(pin("a", fault={"kind": "reset", "times": 1000}), pin("b", "busy"), False, id="a-long-fault"),
        pytest.param(
            pin("a", fault={"kind": "reset"}, then="last"), pin("b", "busy"), False, id="a-fault-goes-on-by-times"
        ),
        pytest.param(pin("a", fault={**RESET, "probability": 0.5}), pin("b", "busy"), False, id="chance"),
        pytest.param(
            pin("a", "busy", fault={**RESET, "probability": 0.5}), pin("b", "busy"), True, id="an-answer-anyway"
        ),
        pytest.param(pin("a", "busy", then="last", where=BYE), pin("b", "busy"), False, id="for-some"),
        pytest.param(pin("a", "busy", then="last"), pin("b", "busy", where=BYE), True, id="for-all-before-some"),
        pytest.param(pin("a", "busy", then="last", where=BYE), pin("b", "busy", where=BYE), True, id="for-the-same"),
        pytest.param(
            pin("a", "busy", then="last", where={"body": 1}),
            pin("b", "busy", where={"body": True}),
            False,
            id="1-or-true",
        ),
        pytest.param(pin("a", "busy", then="last", reach="*"), pin("b", "busy"), True, id="wider"),
        pytest.param(pin("a", "done", then="last", reach="*"), pin("b", "busy"), False, id="wider-without-the-answer"),
        pytest.param(
            pin("a", "busy", then="last"), pin("b", "busy", reach="acme.*"), True, id="only-one-has-the-answer"
        ),
        pytest.param(pin("a", "refused", then="last"), pin("b", "refused", reach="*"), False, id="narrower"),
        pytest.param(pin("a", fault=RESET, reach="acme.*"), pin("b", "refused", reach="*"), True, id="the-only-vendor"),
        pytest.param(pin("a", fault=RESET, reach="acme.ping"), pin("b", "busy"), False, id="elsewhere"),
    ],
)
def test_what_can_never_take_effect(earlier: PinState, later: PinState, is_in_the_way: bool) -> None:
    """An earlier pin that answers all of its requests for ever is in the way; where that is not certain, none is."""
    found = obstacle([pin("other", "busy", where=BYE), earlier], later, EVERY)
    assert found is (earlier if is_in_the_way else None)


@dataclass
class Expected:
    """A pin in the simplest words: the text that it is for, and the answers that are left; the last may be endless."""

    text: str | None
    answers: list[str]
    is_endless: bool
    forced: bool
    used: int = field(default=0)

    def take(self, text: str, bad: bool) -> str | None:
        """Its answer to a request, used up."""
        if self.text not in {None, text} or not self.answers:
            return None
        answer = self.answers[0]
        if answer == "sent" and bad and not self.forced:
            return None
        self.used += 1
        if len(self.answers) > 1 or not self.is_endless:
            del self.answers[0]
        return answer


texts = st.sampled_from(["Hi", "Bye"])
written = st.fixed_dictionaries(
    {
        "text": st.none() | texts,
        "answers": st.lists(st.sampled_from(["sent", "busy", "rules"]), max_size=3),
        "times": st.integers(1, 3) | st.none(),
        "then": st.sampled_from(["rules", "last"]),
        "force": st.booleans(),
    }
)
requests = st.lists(st.tuples(texts, st.booleans()), max_size=12)


def made(name: str, asked: dict[str, Any]) -> tuple[PinState, Expected]:
    """A pin, and the same in the simplest words; without answers it is a fault."""
    where = {} if asked["text"] is None else {"body": {"text": asked["text"]}}
    entries = [None if answer == "rules" else answer for answer in asked["answers"]]
    if not entries:
        mine = pin(name, where=where, fault={"kind": "malformed", "times": asked["times"]})
        return mine, Expected(asked["text"], ["rules"] * (asked["times"] or 1), asked["times"] is None, forced=False)
    mine = pin(name, *entries, where=where, then=asked["then"], force=asked["force"])
    return mine, Expected(asked["text"], asked["answers"].copy(), asked["then"] == "last", asked["force"])


@PROPERTY
@given(st.lists(written, max_size=5), requests)
def test_a_list_of_pins_answers_as_a_simple_one(asked: list[dict[str, Any]], sent: list[tuple[str, bool]]) -> None:
    """The same answers, and the same uses of each; a pin of which it was said that it never takes effect never does."""
    pins, expected, hopeless = Pins(), {}, set()
    for number, one in enumerate(asked):
        mine, expected[str(number)] = made(str(number), one)
        if obstacle(pins.of("one", SEND) or (), mine, [SEND]) is not None:
            hopeless.add(mine.id)
        pins.put(mine)
    for text, bad in sent:
        found = first_fitting(pins.of("one", SEND) or (), SEND, {"body": {"text": text}}, has_problems=bad)
        assert pins.use(found.met)
        answer = next((answer for one in expected.values() if (answer := one.take(text, bad)) is not None), None)
        if found.pin is None:
            assert answer is None
        else:
            assert getattr(found.answer, "name", "rules") == answer
    left = {one.id: one for one in pins.all("one")}
    for name, model in expected.items():
        state = left.get(name) or pins.retired("one", name)
        assert state is not None
        assert state.used == model.used
        assert (name in left) is bool(model.answers)
        assert not (name in hopeless and model.used)
