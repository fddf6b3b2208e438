"""Bodies: what is strict JSON, a form or a multipart form is read; all else is UnreadableError, never another error."""

import json
import math
import sys
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.engine.bodies import (
    MAX_BRACKETS,
    MAX_DEPTH,
    MAX_ESCAPES,
    MAX_EXPONENTS,
    MAX_FIELDS,
    MAX_NUMBER_DIGITS,
    MAX_PART_LINES,
    MAX_QUICK,
    UnreadableError,
    _unescaped,
    duplicate_keys,
    read_form,
    read_json,
    read_multipart,
    read_query,
)
from tests.properties import examples

MULTIPART = b"multipart/form-data; boundary=edge"
PART = b'--edge\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
json_like = st.lists(
    st.sampled_from([*'{}[]:,"\\ \n-+.0159eEu', "null", "true", "NaN", "-Infinity", "1e999", "\\ud800", "\ufeff"])
).map("".join)


def is_strict(value: Any) -> bool:
    """Whether a value is one that UTF-8 JSON can carry: finite numbers, no lone surrogate."""
    if isinstance(value, str):
        return not any("\ud800" <= character <= "\udfff" for character in value)
    if isinstance(value, dict):
        return all(is_strict(key) and is_strict(item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(is_strict, value))
    return not isinstance(value, float) or math.isfinite(value)


@given(
    st.binary(max_size=40)
    | json_like.map(lambda text: text.encode("utf-8", "surrogatepass"))
    | json_values.map(lambda value: json.dumps(value).encode())
    | json_values.map(lambda value: json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))
)
@settings(deadline=None, max_examples=examples(300), derandomize=True)
def test_json_agrees_with_the_standard_library_where_that_is_strict(raw: bytes) -> None:
    """What the library reads is read alike, but for NaN, infinities and lone surrogates; all else is an error."""
    try:
        expected = json.loads(raw.decode())
    except ValueError:
        expected = math.nan
    if is_strict(expected):
        assert repr(read_json(raw)) == repr(expected)
    else:
        with pytest.raises(UnreadableError):
            read_json(raw)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        pytest.param(b"", "truncated", id="empty"),
        pytest.param(b'{"a": NaN}', "invalid character .byte 6", id="nan"),
        pytest.param(b"-Infinity", "invalid character .byte 1", id="infinity"),
        pytest.param(b"[1e400]", "out of range", id="too-large"),
        pytest.param(b"-1e400", "out of range", id="too-small"),
        pytest.param(b'"\xff"', "not UTF-8", id="bad-utf8"),
        pytest.param(b'"\xed\xa0\x80"', "not UTF-8", id="surrogate-in-utf8"),
        pytest.param(b'{"\\ud800": 1}', "ud800 at /body, byte 2 is a lone surrogate", id="lone-surrogate-in-a-name"),
        pytest.param(b'"\\udc00\\ud800"', "udc00 at /body, byte 1 is a lone", id="surrogates-in-the-wrong-order"),
        pytest.param(b'{"a": [{"b/": "x\\uD83D"}]}', "uD83D at /body/a/0/b~1, byte 16", id="lone-at-the-end"),
        pytest.param(b'["x", "\\ud83d and more"]', "ud83d at /body/1, byte 7", id="lone-before-text"),
        pytest.param(b'["\\ud83d\\u0041 and more"]', "ud83d at /body/0, byte 2", id="lone-before-an-escape"),
        pytest.param(b'["\\ud83d\\ude00\\ude00 and more"]', "ude00 at /body/0, byte 14", id="low-one-behind-a-pair"),
        pytest.param(b'["\\ud83d\\ud83d\\ude00", "more"]', "ud83d at /body/0, byte 2", id="high-one-before-a-pair"),
        pytest.param(b'["\\ud83d', "truncated", id="cut-off-within-a-pair"),
        pytest.param(b'["' + b"a" * 70_000 + b'\\ud83d"]', "ud83d at byte 70002 is", id="lone-in-a-large-body"),
        pytest.param(b"1" * 5000, "more than 309 digits", id="huge-integer"),
        pytest.param(b'["' + b"1" * 400 + b'\\\\", ' + b"1" * 310 + b"]", "309 digits", id="behind-digits-in-a-text"),
        pytest.param(b"\xef\xbb\xbf{}", "BOM", id="byte-order-mark"),
        pytest.param('{"a": 1}'.encode("utf-16"), "invalid character", id="utf-16"),
        pytest.param(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "nested deeper", id="depth"),
        pytest.param(b'{"a":' * 100_000, "more than 20000 arrays and objects", id="bottomless"),
        pytest.param(b"[" + b"[]," * MAX_BRACKETS + b"0]", "more than 20000 arrays and objects", id="brackets"),
        pytest.param(b"[" + b"3e-324," * MAX_EXPONENTS + b"1E5]", "20000 numbers with an exponent", id="exponents"),
        pytest.param(b"[" + b"1.5," * 2_000 + b"1e400]", "out of range", id="large-number-in-a-large-body"),
        pytest.param(b"[" + b"1.5," * 2_000 + b"9" * 309 + b".0]", "out of range", id="long-number-in-a-large-body"),
        pytest.param(b"]" * 101 + b"[" * 101, "invalid character .byte 0", id="closed-before-opened"),
        pytest.param(b"{} {}", "trailing characters", id="two-values"),
    ],
)
def test_json_says_why_it_is_unreadable(raw: bytes, why: str) -> None:
    """Each cause is named to whoever has to mend the request."""
    with pytest.raises(UnreadableError, match=why):
        read_json(raw)


def test_json_keeps_what_is_only_unusual() -> None:
    """A surrogate pair, an integer beyond 64 bits and the last of two equal names are read."""
    assert read_json(b'{"a": 1, "a": "\\ud83d\\ude00", "n": 1' + b"0" * 40 + b"}") == {"a": "😀", "n": 10**40}


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.text(), max_size=30))
def test_large_bodies_are_read_as_small_ones(values: list[Any]) -> None:
    """Their numbers are read in another way, and are the same."""
    text = json.dumps(values).encode()
    assert read_json(text + b" " * MAX_QUICK) == read_json(text) == values


@pytest.mark.parametrize("number", ["0e999", "1e-999", "0.1e309", "1e+308", "0." + "0" * 300 + "1", "9" * 309])
def test_numbers_that_only_look_too_large(number: str) -> None:
    """They are read in a large body, too."""
    assert read_json(f"[{number}, {'1.5, ' * MAX_QUICK} 1]".encode())[0] == json.loads(number)


def test_exponents_are_those_of_numbers() -> None:
    """In texts, names and literals an e is a letter."""
    many = [{"e": "1e5 e\\"}, True, False] * 5_000 + ["e" * 30_000, 1e-300]
    assert read_json(json.dumps(many).encode()) == many


def test_depth_counts_nesting_only() -> None:
    """The deepest body allowed is read; brackets in strings, and many side by side, are no depth."""
    deepest: Any = read_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    for _ in range(MAX_DEPTH - 1):
        (deepest,) = deepest
    assert deepest == []
    quoted = r"\"" + "[{" * 200 + "\\\\"
    assert read_json(f'["{quoted}", {{"{quoted}": 1}}]'.encode()) == json.loads(f'["{quoted}", {{"{quoted}": 1}}]')
    assert len(read_json(b"[" + b"[],{}," * 200 + b"0]")) == 401
    assert len(read_json(b"[" + b"[]," * (MAX_BRACKETS - 2) + b"[]]")) == MAX_BRACKETS - 1
    assert read_json(b'["' + b"[{" * MAX_BRACKETS + b'"]') == ["[{" * MAX_BRACKETS]


@pytest.mark.parametrize(
    ("raw", "names"),
    [
        pytest.param(b'{"a": 1, "b": 2}', [], id="none"),
        pytest.param(b'{"b": {"c": 1, "c": 2, "c": 3}, "a": 1, "a": 1}', ["c", "a"], id="inner-first"),
        pytest.param(b'[{"z": 1, "z": 1, "y": 1, "y": 1}]', ["y", "z"], id="by-name"),
        pytest.param(b'{"a": 1, "a"', [], id="unreadable"),
        pytest.param(b"[" * 100_000, [], id="bottomless"),
    ],
)
def test_duplicate_keys(raw: bytes, names: list[str]) -> None:
    """Names given twice in one object are listed once each."""
    assert duplicate_keys(raw) == names


@pytest.mark.parametrize(
    ("raw", "pairs"),
    [
        pytest.param(b"", [], id="empty"),
        pytest.param(b"a=1&b=&c&a=2", [("a", "1"), ("b", ""), ("c", ""), ("a", "2")], id="repeated-and-blank"),
        pytest.param(b"a%20b=c+d%2B%26", [("a b", "c d+&")], id="escapes"),
        pytest.param(b"a=%C3%BC&b=\xc3\xbc", [("a", "ü"), ("b", "ü")], id="utf8-escaped-or-not"),
        pytest.param(b"a=%zz;b=1", [("a", "%zz;b=1")], id="what-is-no-escape-stays"),
        pytest.param(b"a=%&b+c=%4+%%41%", [("a", "%"), ("b c", "%4 %A%")], id="broken-escapes-change-nothing-else"),
        pytest.param(b"&&=1&a==%3D=&", [("", "1"), ("a", "===")], id="nothing-between"),
        pytest.param(b"a=%0A%0d\r\n=%20 ", [("a", "\n\r\r\n=  ")], id="line-ends-and-blanks"),
    ],
)
def test_form(raw: bytes, pairs: list[tuple[str, str]]) -> None:
    """An urlencoded form is its pairs, in order, repeated ones kept."""
    assert read_form(raw) == pairs


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        pytest.param(b"a=\xff", "not UTF-8", id="bad-utf8"),
        pytest.param(b"a=%ff", "not UTF-8", id="bad-utf8-escaped"),
        pytest.param(b"&".join([b"a=1"] * (MAX_FIELDS + 1)), "fields", id="too-many"),
        pytest.param(b"%" * (MAX_ESCAPES + 1), "escapes, some of them broken", id="too-many-broken-escapes"),
    ],
)
def test_form_says_why_it_is_unreadable(raw: bytes, why: str) -> None:
    """Each cause is named."""
    with pytest.raises(UnreadableError, match=why):
        read_form(raw)


def test_form_with_as_many_fields_as_allowed() -> None:
    """The limit itself is within it, in either kind of form."""
    assert len(read_form(b"&".join([b"a=1"] * MAX_FIELDS))) == MAX_FIELDS
    assert len(read_multipart(PART * MAX_FIELDS + b"--edge--\r\n", MULTIPART)) == MAX_FIELDS


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(10**MAX_NUMBER_DIGITS - 1, id="the-longest-number"),
        pytest.param(["7" * 400, 1, '"' + "7" * 400, "\\", '\\"' + "7" * 400], id="digits-in-texts"),
        pytest.param({"7" * 400: "\\\\" * 9 + "7" * 400}, id="digits-in-a-name"),
    ],
)
def test_many_digits_that_are_read(value: Any) -> None:
    """A text may have any number of them."""
    assert read_json(json.dumps(value).encode()) == value


@pytest.mark.parametrize("options", ['a="b"; ' * 1000, "a;" * 3500, 'a="' + "\\\\" * 3500 + '"; '])
def test_what_the_search_for_names_takes_is_bounded(options: str) -> None:
    """However many options stand before them; a part of its own may have as many as it has room for."""
    part = f'--edge\r\nContent-Disposition: form-data; {options}name="a"\r\n\r\n1\r\n'
    few, many = (f"{part * times}--edge--\r\n".encode() for times in (1, 140))
    assert read_multipart(few, MULTIPART) == [("a", "1")]
    with pytest.raises(UnreadableError, match="10000 options of its parts' headers"):
        read_multipart(many, MULTIPART)
    with pytest.raises(UnreadableError, match="10000 options"):
        read_multipart(few, b"multipart/form-data;" + b"a;" * 10_000 + b"boundary=edge")


def test_multipart() -> None:
    """Fields, and a file by its text, whatever else its headers say and however they are written."""
    raw = (
        b'--edge\r\ncontent-disposition: form-data; name="a b"\r\n\r\none\r\ntwo\r\n'
        b'--edge\r\nContent-Type: text/plain\r\nContent-Disposition: form-data; name="f"; filename="x.txt"\r\n\r\n'
        b"\xc3\xbc\r\n" + PART.replace(b"1", b"") + b"--edge--\r\nepilogue"
    )
    assert read_multipart(raw, b'multipart/form-data; boundary="edge"') == [
        ("a b", "one\r\ntwo"),
        ("f", "ü"),
        ("a", ""),
    ]


@pytest.mark.parametrize(
    ("before", "behind"),
    [
        pytest.param(b"A preamble.\r\n", b"\r\n", id="preamble"),
        pytest.param(b"\r\n\r\n", b"", id="empty-lines-before"),
        pytest.param(
            b"A line --edge\r\n", b"\r\nAn epilogue\r\n--edge\r\n--edge--", id="both-with-the-boundary-in-them"
        ),
        pytest.param(b"", b" \t\r\n", id="blanks-behind-the-end"),
    ],
)
def test_multipart_with_text_around_it(before: bytes, behind: bytes) -> None:
    """What stands before the first part and behind the last is no part (RFC 2046, 5.1.1)."""
    assert read_multipart(before + PART + b"--edge--" + behind, MULTIPART) == [("a", "1")]


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        pytest.param(b'form-data; name="a\\"b\\\\"', 'a"b\\', id="escaped"),
        pytest.param(b"form-data; name=a", "a", id="without-quotes"),
        pytest.param(b'form-data; filename="x; name=y"; NAME = "a"', "a", id="behind-a-file-name"),
        pytest.param(b'form-data;\r\n name="a"', "a", id="folded"),
        pytest.param(b'form-data; name=""', "", id="empty"),
        pytest.param(b'form-data; x; name*=utf-8; name="\xc3\xbc"', "ü", id="utf-8"),
    ],
)
def test_the_name_of_a_part(disposition: bytes, name: str) -> None:
    """A part's name is read however its header writes it."""
    raw = PART.replace(b'form-data; name="a"', disposition) + b"--edge--"
    assert read_multipart(raw, b'Multipart/Form-Data;charset=x; Boundary="edge"') == [(name, "1")]


@given(
    st.binary(max_size=30)
    | st.lists(st.sampled_from([b"%", b"%4", b"%41", b"+", b"=", b"\n", b"a", b"%ff"])).map(b"".join)
)
@settings(deadline=None, max_examples=examples(300), derandomize=True)
def test_a_query_is_read_as_the_url_standard_has_it(raw: bytes) -> None:
    """Bytes first, then text: no broken escape and no byte changes what stands beside it."""
    expected = [
        tuple(unquote_to_bytes(part.replace(b"+", b" ")).decode("utf-8", "replace") for part in pair)
        for pair in (field.partition(b"=")[::2] for field in raw.split(b"&") if field)
    ]
    assert read_query(raw) == expected
    assert _unescaped(raw) == unquote_to_bytes(raw)


M = 1024 * 1024


@pytest.mark.parametrize(
    ("read", "raw"),
    [
        *(
            pytest.param(read_json, raw, id=f"json-{name}")
            for name, raw in {
                "quotes": b'{"a":"' + b'\\"' * (M // 2) + b"[[" * 100,
                "backslashes": b'{"a":"' + b"\\" * M,
                "brackets": b"[" * M,
                "closing-brackets": b"[" * 99 + b"]" * M + b"[" * 99,
                "brackets-in-strings": b"[" + b'"[",' * (M // 4) + b"1]",
                "short-strings": b"[" + b'"a",' * (M // 4) + b"[[]]" * 60 + b"]",
                "half-pairs": b'["' + b"\\ud83d" * (M // 6) + b'"]',
            }.items()
        ),
        pytest.param(read_form, b"%" * M, id="form-broken-escapes"),
        pytest.param(read_form, b"%41" * (M // 3), id="form-escapes"),
        pytest.param(read_query, b"%4" * (M // 32), id="query-broken-escapes"),
        pytest.param(read_query, b"&" * M, id="query-nothing"),
        *(
            pytest.param(lambda raw: read_multipart(raw, MULTIPART), raw, id=f"multipart-{name}")
            for name, raw in {
                "parts": b"--edge\r\n" * (M // 8),
                "most-parts": PART * MAX_FIELDS + b"--edge--",
                "headers": b"--edge\r\n" + b"a:b\r\n" * (M // 5) + b"\r\n1\r\n--edge--",
                "long-header": b"--edge\r\nContent-Disposition: " + b"a=1; " * (M // 5) + b"\r\n\r\n1\r\n--edge--",
            }.items()
        ),
    ],
)
def test_no_body_takes_many_steps(read: Any, raw: bytes) -> None:
    """However hostile a large body is, few lines of Python look at it: the rest is done by one call in C at a time."""
    lines = 0

    def count(_frame: Any, event: str, _arg: Any) -> Any:
        nonlocal lines
        lines += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        read(raw)
    except UnreadableError:
        pass
    finally:
        sys.settrace(before)
    assert 0 < lines < 4 * MAX_BRACKETS


@pytest.mark.parametrize(
    ("raw", "content_type", "why"),
    [
        pytest.param(PART + b"--edge--\r\n", b"multipart/form-data", "without a boundary", id="no-boundary"),
        pytest.param(PART + b"--edge--\r\n", b"multipart/form-data; boundary=", "without a boundary", id="no-value"),
        pytest.param(PART + b"--edge--\r\n", b"multipart/form-data; boundary=other", "not a multipart", id="other"),
        pytest.param(PART + b"--edge--\r\n", MULTIPART + b"e" * 300, "not a multipart", id="long-boundary"),
        pytest.param(PART, MULTIPART, "does not end", id="cut-off"),
        pytest.param(b"", MULTIPART, "does not end", id="empty"),
        pytest.param(b"--edge\r\n\r\n1\r\n--edge--\r\n", MULTIPART, "part without a name", id="no-headers"),
        pytest.param(PART.replace(b'; name="a"', b"") + b"--edge--\r\n", MULTIPART, "without a name", id="no-name"),
        pytest.param(PART.replace(b"1", b"\xff") + b"--edge--\r\n", MULTIPART, "not a multipart", id="bad-utf8"),
        pytest.param(PART.replace(b"Content", b"C\x00") + b"--edge--\r\n", MULTIPART, "not a mul", id="bad-header"),
        pytest.param(PART * (MAX_FIELDS + 1) + b"--edge--\r\n", MULTIPART, "more than", id="too-many"),
        pytest.param(PART.replace(b"\r\n", b"\n") + b"--edge--", MULTIPART, "does not end", id="line-feeds-only"),
        pytest.param(PART.replace(b"--edge", b"--edgy"), MULTIPART, "no line of it", id="no-boundary-in-it"),
        pytest.param(b"--edges" + PART[6:] + b"--edge--", MULTIPART, "does not begin as one", id="longer-boundary"),
        pytest.param(PART[:8] + b"A: b\r\n" * MAX_PART_LINES + PART[8:] + b"--edge--", MULTIPART, "lines", id="lines"),
    ],
)
def test_multipart_says_why_it_is_unreadable(raw: bytes, content_type: bytes, why: str) -> None:
    """Each cause is named."""
    with pytest.raises(UnreadableError, match=why):
        read_multipart(raw, content_type)


@given(
    st.binary(max_size=60) | st.lists(st.sampled_from([PART, b"--edge", b"--", b"\r\n", b": x", b"\xff"])).map(b"".join)
)
@settings(deadline=None, max_examples=examples(200), derandomize=True)
def test_forms_raise_nothing_but_unreadable(raw: bytes) -> None:
    """No bytes make the readers of forms fail in another way."""
    for read in (read_form, lambda raw: read_multipart(raw, MULTIPART), lambda raw: read_multipart(PART, raw)):
        try:
            pairs = read(raw)
        except UnreadableError:
            continue
        assert all(isinstance(text, str) for pair in pairs for text in pair)
