"""Values of an exchange, as a contract describes them."""

import re
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from mockserver.engine.effects import EffectCompiler, KeepRecord
from mockserver.engine.problem import Problem
from mockserver.engine.sources import Sources, uuid4
from mockserver.engine.values import Context, ValueCompiler, timestamp
from mockserver.spec.answer_model import Keeps
from mockserver.spec.pointer import MISSING, Pointer
from mockserver.spec.reader import Reader
from mockserver.spec.source import read_yaml
from mockserver.spec.value_model import Composed, Constant, Echo
from mockserver.spec.values import parts_of, pointers_of, read_value

NOW = 1_893_492_600.25  # 2030-01-01T10:10:00.250Z
VIEW: dict[str, Any] = {
    "body": {"to": "+1 415", "flag": True, "count": "12", "list": [{"n": 1}, {"n": 2}, {"n": 3}]},
    "query": {"take": "2"},
    "owned": {},
    "account": {},
    "problems": [
        Problem("invalid", "/body/messages/0/to~1x", "pattern", "", "x").entry,
        Problem("missing", "/query/from", "required", "").entry,
    ],
}


NEARLY: dict[str, str] = {
    "{ecko: /body/to}": "unknown key 'ecko': as it is, the mapping itself is sent; did you mean 'echo'?",
    "{a: {ehco: /body/to}}": "did you mean 'echo'?",
    "{eahc: /recipients, item: {}}": "did you mean 'each'?",
    "{cont: /body/list}": "did you mean 'count'?",
    "{joins: [a, b]}": "did you mean 'join'?",
    "{cal: digits, of: [/body/to]}": "did you mean 'call'?",
    "{nwe: uuid}": "did you mean 'new'?",
    "{tokn: Signed}": "did you mean 'token'?",
    "{probems: {at: {echo: /item/at}}}": "did you mean 'problems'?",
    "{join: abc}": "'join' takes a list of values: as it is, the mapping itself is sent",
    "{echo: body/to}": "'echo' takes a pointer",
    "{new: uuid, length: 3}": "'length' does nothing for a new uuid; it takes: prefix",
    "{new: timestamp, prefix: a}": "'prefix' does nothing for a new timestamp; it takes: format, plus",
    "{new: sequence, plus: 1}": "'plus' does nothing for a new sequence; it takes: prefix",
}
LITERALS = (
    "{count: 3}",
    "{count: '3', token: 1}",
    "{tokens: abc, news: today, joint: a, cell: b, reach: c}",
    "{problem: {title: x}, echoes: 5, recall: a, of: b}",
)


@pytest.mark.parametrize("text", NEARLY)
def test_what_is_nearly_a_form_is_told(text: str) -> None:
    """The mapping would be sent as it is written, or a word would do nothing."""
    (message,) = read_errors(text)
    assert NEARLY[text] in message


@pytest.mark.parametrize("text", LITERALS)
def test_a_mapping_may_be_meant_literally(text: str) -> None:
    """No form's word, nor what a form has there."""
    assert read_errors(text) == []


def read_errors(text: str) -> list[str]:
    """The messages of reading a value in a document that has the security scheme ``Signed``."""
    schemes = "components: {securitySchemes: {Signed: {}}}"
    reader = Reader(read_yaml("f", f"value: {text}\n{schemes}\n"), "acme")
    read_value(reader, reader.document["value"])
    return [error.message for error in reader.errors]


def made(text: str, uuid: Callable[[], str] = lambda: "a-uuid") -> tuple[Any, list[str]]:
    """What a value that is written like this becomes, and the errors of reading it."""
    reader = Reader(read_yaml("f", f"value: {text}\n"), "acme")
    value = read_value(reader, reader.document["value"])
    context = Context(VIEW, Problem("invalid", "/body/to", "", "", "x"), sources(uuid), NOW, 7)
    return ValueCompiler().compile(value, Pointer(("entries",)))(context), [error.message for error in reader.errors]


def sources(uuid: Callable[[], str]) -> Sources:
    number: Callable[[], int] = iter(range(41, 99)).__next__
    return Sources(lambda: NOW, uuid, number)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{echo: /body/to}", "+1 415"),
        ("{echo: /body/none, else: {echo: /body/count}}", "12"),
        ("{echo: /body/none}", MISSING),
        ("{echo: /limit/wait}", 7),
        ("{echo: /problem/name}", "to"),
        ("{echo: /problem/value}", "x"),
        ("{new: uuid}", "a-uuid"),
        ("{new: sequence}", 41),
        ("{new: timestamp}", "2030-01-01T10:10:00.250Z"),
        ("{new: timestamp, plus: 60, format: iso}", "2030-01-01T10:11:00Z"),
        ("{new: timestamp, format: iso_offset}", "2030-01-01T10:10:00+00:00"),
        ("{new: timestamp, format: iso_ms_offset}", "2030-01-01T10:10:00.250+0000"),
        ("{new: timestamp, format: rfc2822}", "Tue, 01 Jan 2030 10:10:00 +0000"),
        ("{new: timestamp, format: sql}", "2030-01-01 10:10:00"),
        ("{new: timestamp, format: date}", "2030-01-01"),
        ("{new: timestamp, format: unix}", 1_893_492_600),
        ("{new: timestamp, format: unix_ms}", 1_893_492_600_250),
        ("{new: uuid, prefix: a-}", "a-a-uuid"),
        ("{new: sequence, prefix: no-}", "no-41"),
        ("{call: digits, of: [/body/to]}", "1415"),
        ("{call: dotted, of: [/problems/0/at]}", "messages[0].to/x"),
        ("{call: below, of: [/problems/0/at]}", "/messages/0/to~1x"),
        ("{problems: {field: {echo: /item/name}}}", [{"field": "to/x"}, {"field": "from"}]),
        ("{problems: {field: {echo: /item/value}}, where: {kind: {in: [missing]}}}", [{}]),
        ("{call: digits, of: [/body/none]}", MISSING),
        ("{call: md5_joined, of: [/body/flag, /body/count]}", "bbf2a476c82d89b174a17c7aaaec4491"),
        ("{join: [a, {echo: /body/flag}, 3]}", "atrue3"),
        ("{join: [null, ' ', [1, {a: é}]]}", 'null [1,{"a":"é"}]'),
        ("{call: upper, of: [{join: [{echo: /body/flag}, b]}]}", "TRUEB"),
        ("{call: first, of: [null, plain]}", "plain"),
        ("{call: md5_joined, of: [true, 3], as: base64}", "e9TxXp716VKGMOOnCKH6cg=="),
        ("{join: [a, {echo: /body/none}]}", MISSING),
        ("{token: Nobody}", MISSING),
        ("{count: /body/nothing}", MISSING),
        ("{echo: /body/count, as: integer}", 12),
        ("{echo: /body/to, as: integer}", MISSING),
        ("{echo: /body/flag, as: text}", "true"),
        ("{echo: /body/to, when: {/body/flag: {const: true}}}", "+1 415"),
        ("{echo: /body/to, when: {/body/flag: false}}", MISSING),
        ("{echo: /body/to, when: {/body/none: false}, as: text}", "+1 415"),
        ("{echo: /body/to, when: {/body/none: true}}", MISSING),
        ("{a: 1, b: {echo: /body/count}, c: {echo: /body/none}}", {"a": 1, "b": "12"}),
        ("[1, {echo: /body/count}, {echo: /body/none}]", [1, "12"]),
        ("{token: {inner: 1}, other: 2}", {"token": {"inner": 1}, "other": 2}),
        ("[1, {a: b}]", [1, {"a": "b"}]),
        ("text", "text"),
        ("{each: /body/list, page: {take: [/query/take], default: 1, most: 9}}", [{"n": 1}, {"n": 2}]),
        ("{each: /body/list, where: {n: {from: 2}}, order: [-n], item: {m: {echo: /item/n}}}", [{"m": 3}, {"m": 2}]),
        ("{each: /body/to}", MISSING),
    ],
)
def test_forms(text: str, value: Any) -> None:
    """Each form makes what it says; a value that this exchange does not have is absent."""
    assert made(text) == (value, [])


@pytest.mark.parametrize(("at", "keys"), [("/body/to", ["+1 415"]), ("/body/none", [])])
def test_a_record_without_its_key_is_not_kept(at: str, keys: list[str]) -> None:
    """Nothing could be found by what the request leaves out."""
    record = Composed({"id": Echo(Pointer.parse(at), None), "state": Constant("sent")})
    leave = EffectCompiler(ValueCompiler()).compile_keeps("acme", [Keeps("sent", "id", (), None, record, ())])
    assert leave is not None
    left = leave(Context(VIEW, None, sources(str), NOW), b"", "", None)
    assert [effect.key for effect in left if isinstance(effect, KeepRecord)] == keys


@pytest.mark.parametrize("seconds", [-1.0, 0.0, NOW, NOW + 0.001])
def test_a_compiler_tells_each_time_as_it_is(seconds: float) -> None:
    """What is remembered of times that were told before changes none: the first one, one again, one in between."""
    reader = Reader(read_yaml("f", "value: {new: timestamp}\n"), "acme")
    make = ValueCompiler().compile(read_value(reader, reader.document["value"]))
    told = [make(Context(VIEW, None, sources(str), now)) for now in (seconds, seconds, NOW, seconds)]
    assert told == [timestamp(now) for now in (seconds, seconds, NOW, seconds)]


def test_members_come_in_the_order_of_the_contract() -> None:
    """Literals, values of the exchange and what it does not have stand where the contract writes them, each time."""
    text = "{a: {echo: /body/count}, b: 1, c: {echo: /body/none}, d: {echo: /body/flag}, e: null}"
    for _ in range(2):
        assert list(made(text)[0].items()) == [("a", "12"), ("b", 1), ("d", True), ("e", None)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{echo: /body/to, esle: 1}", "unknown key 'esle'; known here: as, echo, else, evidence, when"),
        ("{call: nothing, of: [/body/to]}", "fill calls 'nothing'; there are only: base64, below"),
        ("{call: digits, of: [/body/to, /body/to]}", "digits takes 1, not 2"),
    ],
)
def test_mistakes(text: str, message: str) -> None:
    """A key that a form does not have, a function that there is not, and a wrong number of values are errors."""
    reader = Reader(read_yaml("f", f"value: {text}\n"), "acme")
    read_value(reader, reader.document["value"])
    assert [error.message[: len(message)] for error in reader.errors] == [message]


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("{new: hex, prefix: SM}", "SM[0-9a-f]{32}"),
        ("{new: hex, length: 7}", "[0-9a-f]{7}"),
        ("{new: token, length: 40, prefix: t_}", "t_[0-9A-Za-z]{40}"),
        ("{new: ulid}", "01Q3EF8B[0-9A-HJKMNP-TV-Z]{18}"),
        ("{new: ulid, prefix: m-}", "m-01Q3EF8B[0-9A-HJKMNP-TV-Z]{18}"),
    ],
)
def test_ids_are_of_their_form(text: str, pattern: str) -> None:
    """Whatever is random: its characters and its length are those of the vendor's ids, and two of them differ."""
    chance = Random(7)  # noqa: S311 -- repeatable ids
    ids = [str(made(text, lambda: uuid4(chance.getrandbits))[0]) for _ in range(50)]
    assert [value for value in ids if not re.fullmatch(pattern, value)] == []
    assert len(set(ids)) == len(ids)


def test_what_a_value_reads() -> None:
    """Every pointer of a value is known, however deep it stands."""
    text = "{join: [{echo: /a, else: {echo: /b}}, {call: digits, of: [/c]}, {echo: /d, when: {/e: true}},"
    text += " {each: /f, where: {x: {is: /g}}, any: /h, page: {skip: [/i], take: [/j], default: 1, most: 2},"
    text += " item: {y: {echo: /k}, z: [{echo: /l}]}}]}"
    reader = Reader(read_yaml("f", f"value: {text}\n"), "acme")
    value = read_value(reader, reader.document["value"])
    assert {str(at) for at in pointers_of(value)} == {f"/{letter}" for letter in "abcdefghijkl"}
    assert len(list(parts_of(value))) > 10
