"""What an answer fills in is held against the schema of its body when the contract is read."""

from typing import Any

import jsonschema_rs
import pytest

from mockserver.spec.filled import misfits
from mockserver.spec.load import read_contract
from mockserver.spec.pointer import Pointer
from mockserver.spec.source import read_yaml
from mockserver.spec.values import read_value
from tests.spec.writing import changed, errors_of

READER = read_contract(read_yaml("acme.yaml", changed()), "acme")[1]


def said(value: Any, schema: dict[str, Any], sample: Any) -> list[str]:
    """What is said of one filled place, ``/id`` of a body."""
    validator = jsonschema_rs.validator_for({"properties": {"id": schema}})
    fills = [(Pointer.parse("/id"), read_value(READER, value))]
    return [message for _, message in misfits(validator, {"id": sample}, fills)]


WRONG: dict[str, tuple[Any, dict[str, Any], Any]] = {
    "uuid for a number": ({"new": "uuid"}, {"type": "integer"}, 1),
    "uuid for another pattern": ({"new": "uuid"}, {"type": "string", "pattern": "^SM[0-9a-f]{32}$"}, "SM" + "0" * 32),
    "sequence for text": ({"new": "sequence"}, {"type": "string"}, "9"),
    "hex too short": ({"new": "hex", "length": 8}, {"type": "string", "minLength": 32}, "0" * 32),
    "ulid too long": ({"new": "ulid"}, {"type": "string", "maxLength": 20}, "0"),
    "timestamp for a number": ({"new": "timestamp"}, {"type": "integer"}, 1),
    "unix time for text": ({"new": "timestamp", "format": "unix"}, {"type": "string"}, "1"),
    "count for text": ({"call": "sms_segments", "of": ["/body/text"]}, {"type": "string"}, "1"),
    "digest for a number": ({"call": "md5_sorted", "of": ["/body/a", "/body/b"]}, {"type": "integer"}, 1),
    "text for a number": ({"new": "sequence", "as": "text"}, {"type": "integer"}, 1),
    "any value as text": ({"echo": "/body/a", "as": "text"}, {"type": "integer"}, 1),
    "any value as a number": ({"echo": "/body/a", "as": "integer"}, {"type": "string"}, "1"),
    "what stands in for an echo": ({"echo": "/body/a", "else": {"new": "uuid"}}, {"type": "integer"}, 1),
    "joined text for a number": ({"join": ["a", {"echo": "/body/a"}]}, {"type": "integer"}, 1),
    "joined text of another pattern": ({"join": ["a", {"new": "ulid"}]}, {"pattern": "^b"}, "b"),
    "joined text that begins otherwise": ({"join": ["a", {"echo": "/body/a"}]}, {"pattern": "^[+]"}, "+1"),
    "joined text that is too long": ({"join": ["ab", {"echo": "/body/a"}, "cd"]}, {"maxLength": 3}, "abc"),
    "literal": ("x", {"type": "integer"}, 1),
    "member of a mapping": ({"n": {"new": "sequence"}}, {"properties": {"n": {"type": "string"}}}, {"n": "1"}),
    "item of a list": ([{"new": "sequence"}, 1], {"items": {"type": "string"}}, ["1", "1"]),
    "token for a number": ({"token": "Signed"}, {"type": "integer"}, 1),
}
RIGHT: dict[str, tuple[Any, dict[str, Any], Any]] = {
    "prefixed hex": ({"new": "hex", "prefix": "SM"}, {"pattern": "^SM[0-9a-f]{32}$"}, "SM" + "0" * 32),
    "a date": ({"new": "timestamp", "format": "date"}, {"pattern": "^[0-9-]{10}$"}, "2020-01-01"),
    "an echo": ({"echo": "/body/a"}, {"type": "integer"}, 1),
    "a function's text of unknown letters": ({"call": "digits", "of": ["/body/a"]}, {"pattern": "^[0-9]{9}$"}, "1" * 9),
    "joined with what a client sends": ({"join": ["a", {"echo": "/body/a"}]}, {"minLength": 3}, "abc"),
    "joined as the sample is": ({"join": ["a", {"echo": "/body/a"}, "z"]}, {"pattern": "^a[A-Z]{3}z$"}, "aXYZz"),
    "joined with a number": ({"join": ["a", {"echo": "/body/a"}]}, {"pattern": "^a[0-9]+$"}, "a1"),
    "a mapping with what a client sends": ({"n": {"echo": "/body/a"}}, {"required": ["x"]}, {"x": "1"}),
    "a list": ({"each": "/recipients"}, {"type": "array"}, []),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_value_that_cannot_fit_is_told(case: str) -> None:
    """One sentence, of JSON Schema's words."""
    assert len(said(*WRONG[case])) == 1


@pytest.mark.parametrize("case", RIGHT)
def test_a_value_that_may_fit_is_not_told(case: str) -> None:
    """What only the request decides is not judged."""
    assert said(*RIGHT[case]) == []


def test_a_fill_of_the_whole_body_is_judged() -> None:
    """The empty pointer is the body."""
    validator = jsonschema_rs.validator_for({"type": "object"})
    assert list(misfits(validator, {}, [(Pointer(()), read_value(READER, {"new": "uuid"}))]))


def test_a_fill_in_a_list_is_judged_and_one_at_nothing_is_not() -> None:
    """Numbers name items; a place that is not there is another error."""
    validator = jsonschema_rs.validator_for({"items": {"type": "integer"}})
    fills = [(Pointer.parse(at), read_value(READER, {"new": "uuid"})) for at in ("/0", "/3")]
    assert [str(at) for at, _ in misfits(validator, [1], fills)] == ["/0"]


def test_the_error_stands_at_the_fill() -> None:
    """The line is that of the fill, and the sample is not blamed."""
    text = changed(("/body/code: {", "/body/code: {new: uuid} #"))
    (error,) = errors_of(text)
    assert error.pointer.endswith("/fill/~1body~1code")
    assert error.message.startswith('what is filled in does not fit the schema: "')
