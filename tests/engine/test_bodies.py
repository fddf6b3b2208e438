"""Bodies: what is strict JSON, a form or a multipart form is read; all else is UnreadableError, never another error."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.engine.bodies import (
    MAX_DEPTH,
    MAX_FIELDS,
    UnreadableError,
    duplicate_keys,
    read_form,
    read_json,
    read_multipart,
)

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
@settings(deadline=None, max_examples=300, derandomize=True)
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
        pytest.param(b'{"\\ud800": 1}', "truncated", id="lone-surrogate-in-a-name"),
        pytest.param(b'"\\udc00\\ud800"', "surrogate pair", id="surrogates-in-the-wrong-order"),
        pytest.param(b"1" * 5000, "out of range", id="huge-integer"),
        pytest.param(b"\xef\xbb\xbf{}", "BOM", id="byte-order-mark"),
        pytest.param('{"a": 1}'.encode("utf-16"), "invalid character", id="utf-16"),
        pytest.param(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "nested deeper", id="depth"),
        pytest.param(b'{"a":' * 100_000, "nested deeper", id="bottomless"),
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


def test_depth_counts_nesting_only() -> None:
    """The deepest body allowed is read; brackets in strings, and many side by side, are no depth."""
    deepest: Any = read_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    for _ in range(MAX_DEPTH - 1):
        (deepest,) = deepest
    assert deepest == []
    quoted = r"\"" + "[{" * 200 + "\\\\"
    assert read_json(f'["{quoted}", {{"{quoted}": 1}}]'.encode()) == json.loads(f'["{quoted}", {{"{quoted}": 1}}]')
    assert len(read_json(b"[" + b"[],{}," * 200 + b"0]")) == 401


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
    ],
)
def test_multipart_says_why_it_is_unreadable(raw: bytes, content_type: bytes, why: str) -> None:
    """Each cause is named."""
    with pytest.raises(UnreadableError, match=why):
        read_multipart(raw, content_type)


@given(
    st.binary(max_size=60) | st.lists(st.sampled_from([PART, b"--edge", b"--", b"\r\n", b": x", b"\xff"])).map(b"".join)
)
@settings(deadline=None, max_examples=200, derandomize=True)
def test_forms_raise_nothing_but_unreadable(raw: bytes) -> None:
    """No bytes make the readers of forms fail in another way."""
    for read in (read_form, lambda raw: read_multipart(raw, MULTIPART), lambda raw: read_multipart(PART, raw)):
        try:
            pairs = read(raw)
        except UnreadableError:
            continue
        assert all(isinstance(text, str) for pair in pairs for text in pair)
