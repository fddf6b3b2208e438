"""Each alteration of a contract that plays the real vendor is told; an unaltered one gives no departure."""

from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.server.drift.upstream import DEPOT, VENDORS, Pair, altered, real_cases

LEAST_CASES = 12
TAKEN = {"to": "+12025550199", "weight": 5}
WEIGHT_RULE = "{problem: missing, at: /body/weight, answer: weight_missing}"
NO_WEIGHT = {"to": "+12025550199"}
BAD = {"to": "nobody", "weight": 5}
SCHEMA = "\n              schema: &refused"


@pytest.mark.parametrize("vendor", VENDORS)
def test_unaltered(pair: Pair, vendor: str) -> None:
    """Of all that the fixtures try, nothing departs where the contract is the same on both sides."""
    names = []
    for name, sent in real_cases(pair, vendor):
        pair.send(sent)
        names.append(name)
    calls = pair.real_calls()
    assert len(calls) == len(names) >= LEAST_CASES
    found = {name: [d.sentence for d in c.departures] for name, c in zip(names, calls, strict=True) if c.departures}
    assert found == {}


class Alteration(NamedTuple):
    """What is changed in the contract, the body that meets it, the departures that must be told."""

    changes: dict[str, str]
    body: Any
    told: set[tuple[str, str]]


ALTERATIONS = {
    "nothing": Alteration({}, TAKEN, set()),
    "nothing of a refusal": Alteration({}, NO_WEIGHT, set()),
    "status": Alteration({'"201":': '"202":'}, TAKEN, {("status", "/status")}),
    "status of a refusal": Alteration({'"400":': '"422":'}, NO_WEIGHT, {("status", "/status")}),
    "status of another answer": Alteration({'"400":': '"409":', '"401":': '"400":'}, BAD, {("status", "/status")}),
    "a header less": Alteration(
        {"            X-Depot: {required: true, schema: {type: string}, example: north}\n": ""},
        TAKEN,
        {("headers", "/header/x-depot")},
    ),
    "a header more": Alteration(
        {"            X-Depot:": "            X-Ramp: {schema: {type: string}, example: low}\n            X-Depot:"},
        TAKEN,
        {("headers", "/header/x-ramp")},
    ),
    "a header's value": Alteration({"example: north": "example: south"}, TAKEN, {("headers", "/header/x-depot")}),
    "a header's kind": Alteration(
        {"else: {new: uuid}": "else: {new: sequence}"}, TAKEN, {("headers", "/header/x-trace")}
    ),
    "media type": Alteration(
        {f"application/json:{SCHEMA}": f"application/problem+json:{SCHEMA}"},
        NO_WEIGHT,
        {("shape", "/header/content-type")},
    ),
    "media type's parameter": Alteration(
        {f"application/json:{SCHEMA}": f'"application/json; charset=utf-8":{SCHEMA}'},
        NO_WEIGHT,
        {("shape", "/header/content-type")},
    ),
    "a member less": Alteration({"state: taken, ": "", "id, state, to": "id, to"}, TAKEN, {("shape", "/body/state")}),
    "an optional member less": Alteration({"paid: null, ": ""}, TAKEN, {("shape", "/body/paid")}),
    "an inner member less": Alteration(
        {"{weight: 3, tags: [small]}": "{weight: 3}"}, TAKEN, {("shape", "/body/parcel/tags")}
    ),
    "a member more": Alteration({"state: taken, ": "state: taken, lane: low, "}, TAKEN, {("shape", "/body/lane")}),
    "a member's type": Alteration({"paid: null": "paid: true"}, TAKEN, {("shape", "/body/paid")}),
    "an item's type": Alteration({"tags: [small]": "tags: [7]"}, TAKEN, {("shape", "/body/parcel/tags/0")}),
    "an item more": Alteration({"tags: [small]": "tags: [small, red]"}, TAKEN, {("shape", "/body/parcel/tags")}),
    "a new value's type": Alteration(
        {
            "number: {type: integer}": "number: {type: string}",
            "number: 9001": 'number: "1"',
            "{new: sequence}": "{new: uuid}",
        },
        TAKEN,
        {("shape", "/body/number")},
    ),
    "a new value's look": Alteration(
        {"/body/id: {new: uuid}": "/body/id: {new: timestamp}"}, TAKEN, {("shape", "/body/id")}
    ),
    "a composed value less": Alteration({", label: red}\n": "}\n"}, TAKEN, {("shape", "/body/ramp/label")}),
    "a composed value more": Alteration(
        {", label: red}\n": ", label: red, up: 1}\n"}, TAKEN, {("shape", "/body/ramp/up")}
    ),
    "a composed value": Alteration({"name: {join: [r-,": "name: {join: [s-,"}, TAKEN, {("text", "/body/ramp/name")}),
    "a composed value's type": Alteration(
        {"{new: sequence, as: text}": "{new: timestamp}"}, TAKEN, {("shape", "/body/ramp/number")}
    ),
    "a value in a list": Alteration({"{join: [m-,": "{join: [n-,"}, TAKEN, {("text", "/body/marks/0")}),
    "a prefix": Alteration(
        {"/body/id: {new: uuid}": "/body/id: {new: uuid, prefix: p-}"}, TAKEN, {("shape", "/body/id")}
    ),
    "a shorter code": Alteration(
        {"/body/code: {new: hex, length: 8, prefix: c-}": "/body/code: {new: hex, length: 6, prefix: c-}"},
        TAKEN,
        {("shape", "/body/code")},
    ),
    "a time's format": Alteration(
        {"made: {new: timestamp}": "made: {new: timestamp, format: sql}"}, TAKEN, {("shape", "/body/made")}
    ),
    "a repeated value": Alteration(
        {"to: {echo: /body/to}": "to: {call: digits, of: [/body/to]}"}, TAKEN, {("text", "/body/to")}
    ),
    "a repeated value's type": Alteration(
        {"/body/parcel/weight: {echo: /body/weight}": "/body/parcel/weight: {echo: /body/weight, as: text}"},
        TAKEN,
        {("shape", "/body/parcel/weight")},
    ),
    "words": Alteration({"state: taken": "state: accepted"}, TAKEN, {("text", "/body/state")}),
    "words of a refusal": Alteration({"Weight is missing": "How heavy?"}, NO_WEIGHT, {("text", "/body/error/text")}),
    "a code": Alteration({"{code: 2,": "{code: 22,"}, NO_WEIGHT, {("text", "/body/error/code")}),
    "shape of a refusal": Alteration(
        {"required: [error], properties: {error: {type: object}}": "required: [problem]", "{error: {": "{problem: {"},
        NO_WEIGHT,
        {("shape", "/body/error"), ("shape", "/body/problem")},
    ),
    "a refusal is a list": Alteration(
        {
            "type: object, required: [error], properties: {error: {type: object}}": "type: array",
            "value: {error: {code: 2, text: Weight is missing}}": "value: []",
            "value: {error: {code: 1, text: Invalid}}": "value: []",
            "value: {error: {code: 3, text: Who are you?}}": "value: []",
        },
        NO_WEIGHT,
        {("shape", "/body")},
    ),
    "trigger": Alteration({"answer: weight_missing}": "answer: invalid}"}, NO_WEIGHT, {("trigger", "/")}),
    "a refusal is let pass": Alteration(
        {"required: [to, weight]": "required: [to]", WEIGHT_RULE: "{problem: missing, at: /body/to, answer: invalid}"},
        NO_WEIGHT,
        {("trigger", "/")},
    ),
}


@pytest.mark.parametrize(("text", "told"), [("Closed", set()), ("Shut", {("text", "/body")})])
def test_plain_text(pair: Pair, text: str, told: set[tuple[str, str]], tmp_path: Path) -> None:
    """An answer that is no JSON is compared as text; a rule that looks at what the customer has, by what they gave."""
    before, pair.stage.app = pair.stage.app, altered({"value: Closed": f"value: {text}"}, pair.accounts, tmp_path)
    docks = pair.customer.vendors[DEPOT]["docks"]
    try:
        pair.send(pair.parcel({**TAKEN, "dock": docks[1]["number"]}))
    finally:
        pair.stage.app = before
    (call,) = pair.real_calls()
    assert (call.expected, call.is_certain) == ("depot.send/closed", True)
    assert {(departure.part, departure.at) for departure in call.departures} == told


@pytest.mark.parametrize("name", ALTERATIONS)
def test_altered(pair: Pair, name: str, tmp_path: Path) -> None:
    """What is altered is told, by part and place, and nothing else; the client gets the real answer."""
    changes, body, told = ALTERATIONS[name]
    before, pair.stage.app = pair.stage.app, altered(changes, pair.accounts, tmp_path)
    try:
        reply = pair.send(pair.parcel(body))
    finally:
        pair.stage.app = before
    (call,) = pair.real_calls()
    assert {(departure.part, departure.at) for departure in call.departures} == told
    assert reply.status == call.call["response"]["status"]
