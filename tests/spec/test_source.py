"""Strict YAML, and the places of its values."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.spec import source as reading
from mockserver.spec.source import MAX_YAML_DEPTH, MAX_YAML_VALUES, Place, Source, read_text, read_yaml, why_unread
from tests.properties import examples
from tests.spec.writing import SMALL

PROPERTY = settings(deadline=None, database=None, derandomize=True, max_examples=examples(100))

printable = st.text(st.characters(exclude_categories=["Cc", "Cn", "Cs"], exclude_characters="\ufeff\u2028\u2029"))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
    | printable,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(printable, inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


def errors_in(source: Source) -> list[tuple[int, int, str, str]]:
    return [(error.line, error.column, error.pointer, error.message) for error in source.errors]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"),
        ("no", "no"),
        ("on", "on"),
        ("True", "True"),
        ("Null", "Null"),
        ("+19875550100", "+19875550100"),
        ("0123", "0123"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2026-11-21", "2026-11-21"),
        (".5", ".5"),
        (".inf", ".inf"),
        ("-x", "-x"),
        ("<<", "<<"),
        ("=", "="),
        ('"5"', "5"),
        ("'true'", "true"),
        ("!!str 5", "5"),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-17", -17),
        ("1.50", 1.5),
        ("2e3", 2000.0),
    ],
)
def test_plain_words(text: str, value: object) -> None:
    """Only true, false, null and decimal numbers are not strings."""
    source = read_yaml("f", f"a: {text}")
    assert source.errors == []
    assert source.value == {"a": value}
    assert type(source.value["a"]) is type(value)


ERRORS = {
    "duplicate": ("a: 1\nb: 2\na: 3\n", (3, 1, "/a", "duplicate key 'a'")),
    "duplicate in a flow": ("a:\n  - {x/y: 1, x/y: 2}\n", (2, 14, "/a/0/x~1y", "duplicate key 'x/y'")),
    "number as key": ("a:\n  200: x\n", (2, 3, "/a", "a key must be a string: write '200' in quotes")),
    "boolean as key": ("true: x\n", (1, 1, "", "a key must be a string: write 'true' in quotes")),
    "list as key": ("? [x]\n: 1\n", (1, 3, "", "a key must be a string: write \"['x']\" in quotes")),
    "own tag": ("a: !secret x\n", (1, 4, "/a", "the tag !secret is not allowed")),
    "tag int": ("a: !!int '5'\n", (1, 4, "/a", "the tag tag:yaml.org,2002:int is not allowed")),
    "tag bool": ("a: !!bool perhaps\n", (1, 4, "/a", "the tag tag:yaml.org,2002:bool is not allowed")),
    "tag timestamp": (
        "a: !!timestamp 2026-11-21\n",
        (1, 4, "/a", "the tag tag:yaml.org,2002:timestamp is not allowed"),
    ),
    "tag set": ("a: !!set {b}\n", (1, 4, "/a", "the tag tag:yaml.org,2002:set is not allowed")),
    "tag python": ("- !!python/tuple [1]\n", (1, 3, "/0", "the tag tag:yaml.org,2002:python/tuple is not allowed")),
    "infinite": ("a: 1e999\n", (1, 4, "/a", "cannot be read: the number is too large")),
    "endless": (f"a: {'9' * 5000}\n", (1, 4, "/a", "cannot be read: the number is too large")),
    "alias in itself": ("a: &x [1, *x]\n", (1, 11, "/a/1", "the alias *x contains itself")),
    "alias too early": ("a: *x\nb: &x 1\n", (1, 4, "/a", "the alias *x stands for nothing before it")),
    "two documents": ("a: 1\n--- \nb: 2\n", (2, 1, "", "a second document: one file holds one")),
    "empty": ("", (1, 1, "", "the file is empty")),
    "only a comment": ("# nothing\n", (2, 1, "", "the file is empty")),
}


@pytest.mark.parametrize(("text", "error"), ERRORS.values(), ids=ERRORS)
def test_errors(text: str, error: tuple[int, int, str, str]) -> None:
    """What is not strict YAML is one error, with line, column, pointer and what to do."""
    assert errors_in(read_yaml("f", text)) == [error]


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [("a: [1\nb: 2\n", 2, 2), ("a: 1\nb: 'x\n", 3, 1), ("a: 1\n\tb: 2", 2, 1), ("%YAML 3.0\n---\na", 1, 1)],
)
def test_syntax(text: str, line: int, column: int) -> None:
    """What is not YAML at all is an error at the place where that shows."""
    ((*place, pointer, message),) = errors_in(read_yaml("f", text))
    assert (place, pointer) == ([line, column], "")
    assert message.startswith("not YAML: ")


@pytest.mark.parametrize("text", [SMALL, *(text for text, _ in ERRORS.values())], ids=["small contract", *ERRORS])
def test_without_libyaml(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without PyYAML's C library, values and errors are the same."""
    fast = read_yaml("f", text)
    monkeypatch.delattr(yaml, "CSafeLoader")
    slow = read_yaml("f", text)
    assert (slow.value, [error.message for error in slow.errors]) == (
        fast.value,
        [error.message for error in fast.errors],
    )


def test_errors_add_up() -> None:
    """Reading goes on after an error, up to the syntax error that ends it."""
    lines = [line for line, *_ in errors_in(read_yaml("f", "a: 1\na: 2\n3: 4\nb: !x 5\nc: ]\n"))]
    assert lines == [2, 3, 4, 5]


def test_first_of_duplicates_stays() -> None:
    """A duplicate does not change the value, whose place stays that of the first."""
    source = read_yaml("f", "a: 1\na: [2]\n")
    assert source.value == {"a": 1}
    assert source.place(source.value, "a").line == 1


def test_aliases_share() -> None:
    """An alias is the same object as the value of its anchor and has its place, also as a key."""
    source = read_yaml("f", "a: &x\n  - 1\nb: [*x, 2]\n&k c: 3\nd: {*k : 4}\n")
    assert source.value == {"a": [1], "b": [[1], 2], "c": 3, "d": {"c": 4}}
    assert source.value["b"][0] is source.value["a"]
    assert (source.place(source.value["b"], 0).line, source.place(source.value["b"][0]).line) == (3, 1)


def test_billion_laughs() -> None:
    """Aliases of aliases that would be enormous when written out are refused."""
    lines = ["a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    source = read_yaml("f", "\n".join(lines))
    assert source.value is None
    (error,) = source.errors
    assert error.line == 6
    bounds = f"at most {MAX_YAML_VALUES} values, {MAX_YAML_DEPTH} deep"
    assert error.message == f"the file is too large: {bounds}, aliases written out"


def test_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is on values of all kinds, keys among them; an alias counts as everything it stands for."""
    monkeypatch.setattr(reading, "MAX_YAML_VALUES", 6)
    values = ("[1, 2, 3, 4, 5]", "{a: 1, b: []}", "[&a [1, 2], *a]")
    assert [read_yaml("f", text).errors == [] for text in values] == [True, True, False]
    more_values = ("[1, 2, 3, 4, 5, 6]", "{a: 1, b: [2]}", "[&a [1], *a, 2]")
    assert [read_yaml("f", text).errors == [] for text in more_values] == [False, True, True]


def _nested(depth: int, inner: str = "") -> str:
    return "[" * depth + inner + "]" * depth


DEPTHS = {
    "deepest": (_nested(MAX_YAML_DEPTH, "1"), False),
    "deeper": (_nested(MAX_YAML_DEPTH + 1, "1"), True),
    "endless lists": ("[" * 100_000, True),
    "endless blocks": ("- " * 100_000, True),
    "alias": (f"- &a {_nested(40)}\n- {_nested(20, '*a')}", False),
    "deeper alias": (f"- &a {_nested(40)}\n- {_nested(30, '*a')}", True),
    "deeper alias around an anchor": (f"- &a [&b {_nested(40)}, 1]\n- {_nested(30, '*a')}", True),
    "flat alias in a deep anchor": (f"- &a [{_nested(40)}, &b 1]\n- {_nested(30, '*b')}", False),
}


@pytest.mark.parametrize(("text", "refused"), DEPTHS.values(), ids=DEPTHS)
def test_depth(text: str, refused: bool) -> None:
    """Nesting is bounded, also in aliases, so that no code that walks a value runs out of stack."""
    source = read_yaml("f", text)
    assert bool(source.errors) is refused
    assert (source.value is None) is refused


@PROPERTY
@given(json_values, st.sampled_from([None, 2]))
def test_json_is_read_back(value: Any, indent: int | None) -> None:
    """JSON is YAML: a value written as JSON is read back unchanged."""
    source = read_yaml("f", json.dumps(value, ensure_ascii=False, indent=indent))
    assert source.errors == []
    assert source.value == value


@PROPERTY
@given(st.text(max_size=80) | st.text("[]{}&*!:,-?|>'\"%#~ \nab1", max_size=60))
def test_any_text(text: str) -> None:
    """No text makes reading raise: what cannot be read is an error in the result."""
    source = read_yaml("f", text)
    assert source.value is None or isinstance(source.value, str | bool | int | float | list | dict)


@PROPERTY
@given(json_values)
def test_places(value: Any) -> None:
    """Every container, member and item has its own pointer and a line of the file."""
    text = json.dumps(value, ensure_ascii=False, indent=1)
    source = read_yaml("f", text)
    lines = text.count("\n") + 1
    waiting = [(source.value, "")]
    while waiting:
        container, pointer = waiting.pop()
        if not isinstance(container, dict | list):
            continue
        assert source.place(container).pointer == pointer
        for key, item in container.items() if isinstance(container, dict) else enumerate(container):
            below = f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"
            place = source.place(container, key)
            assert place.pointer == below
            assert 1 <= place.line <= lines
            waiting.append((item, below))


def test_place_unknown() -> None:
    """A member that the file does not have has the place of its container, or the start of the file."""
    source = read_yaml("f", "\n a: {b: 1}\n")
    assert source.place(source.value["a"], "absent") == source.place(source.value["a"])
    assert source.place({}) == Place(1, 1, "")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param('{"a": "\\ud83d\\ude00!"}', {"a": "😀!"}, id="pair"),
        pytest.param('["\\uD83D\\uDE00\\ud83d\\ude01"]', ["😀😁"], id="two-pairs"),
        pytest.param('["\\\\ud83d\\\\ude00"]', ["\\ud83d\\ude00"], id="escaped-backslashes"),
        pytest.param('["\\\\\\ud83d\\ude00"]', ["\\😀"], id="behind-one"),
        pytest.param("a: |\n  \\ud83d\\ude00\n", {"a": "\\ud83d\\ude00\n"}, id="yaml-text-stays"),
    ],
)
def test_json_files_with_escaped_emoji(text: str, value: Any) -> None:
    """What JSON's own writers make of a character beyond U+FFFF is read; in YAML nothing changes."""
    source = read_yaml("a.json", text)
    assert (source.value, source.errors) == (value, [])


@given(
    st.recursive(
        st.text(st.characters(exclude_characters="\x7f", exclude_categories=["Cs"]), max_size=4),
        lambda inner: st.lists(inner, max_size=3),
        max_leaves=5,
    )
)
@settings(deadline=None, max_examples=examples(100), derandomize=True)
def test_any_json_in_ascii_is_read(value: Any) -> None:
    """As it was written."""
    assert read_yaml("a.json", json.dumps(value)).value == value


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    """A pipe that nobody writes to is not waited for."""
    pipe = tmp_path / "pipe.yaml"
    os.mkfifo(pipe)
    for file in (pipe, tmp_path, Path("/dev/null")):
        with pytest.raises(OSError, match="no regular file"):
            read_text(file)
    (tmp_path / "link.yaml").symlink_to(tmp_path / "real.yaml")
    (tmp_path / "real.yaml").write_text("ü", "utf-8")
    assert read_text(tmp_path / "link.yaml") == "ü"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("openapi: 3.1.0".encode("utf-16"), "the file is not UTF-8 but UTF-16: save it as UTF-8"),
        ("openapi: 3.1.0".encode("utf-32"), "the file is not UTF-8 but UTF-32: save it as UTF-8"),
        ("a: b\nname: Müller".encode("latin-1"), "the file is not UTF-8: line 2 has the byte 0xFC; save it as UTF-8"),
    ],
)
def test_another_encoding(tmp_path: Path, content: bytes, told: str) -> None:
    """A file in another encoding is told in plain words, with the line and what to do."""
    file = tmp_path / "acme.yaml"
    file.write_bytes(content)
    with pytest.raises(UnicodeDecodeError) as caught:
        read_text(file)
    assert why_unread(caught.value) == told


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ("openapi: 3.1.0".encode("utf-16-le").decode(), (1, 1), "the file is not UTF-8 but UTF-16: save it as UTF-8"),
        ("openapi: 3.1.0".encode("utf-16-be").decode(), (1, 1), "the file is not UTF-8 but UTF-16: save it as UTF-8"),
        ("openapi: 3.1.0".encode("utf-32-be").decode(), (1, 1), "the file is not UTF-8 but UTF-32: save it as UTF-8"),
        (
            "a: b\nname: x\0y",
            (2, 8),
            "YAML has no character U+0000: take it out, or write it in double quotes as an escape",
        ),
        ("\x1b[1m: b", (1, 1), "YAML has no character U+001B: take it out, or write it in double quotes as an escape"),
    ],
)
def test_a_character_that_yaml_has_not(text: str, place: tuple[int, int], told: str) -> None:
    """It is told with its place; text of nearly nothing else is in another encoding without a mark."""
    (error,) = read_yaml("acme.yaml", text).errors
    assert ((error.line, error.column), error.message) == (place, told)


def test_keys_of_other_authors() -> None:
    """In a file that others write, a number as a key is its text; a list is still none."""
    source = read_yaml("api.yaml", "200: a\ntrue: b\n1.0: c\n", any_scalar_key=True)
    assert (source.value, source.errors) == ({"200": "a", "true": "b", "1.0": "c"}, [])
    assert read_yaml("api.yaml", "? [1]\n: a\n", any_scalar_key=True).errors


def test_a_made_text_has_no_lines() -> None:
    """Of a text that is on no disk, no line is told."""
    source = read_yaml("api.yaml", "a:\n  b: {}\n")
    source.is_made = True
    place = source.place(source.value["a"], "b")
    assert (place.line, place.column, place.pointer) == (1, 1, "/a/b")
