"""Masking is the same in all that shows a body: each member of a call, each export, whatever the body calls itself."""

import asyncio
import base64
import json
import re
import time
from typing import Any
from urllib.parse import quote, quote_plus, unquote

import pytest

from mockserver.engine.call import pack_headers, pack_more
from mockserver.server.checkpoint import TimeShare
from mockserver.server.curl_command import CurlWriter
from mockserver.server.masking import Masker
from mockserver.server.serialize import MAX_FORM_SEARCHED, call_shape
from mockserver.server.unread_parts import UnreadParts
from tests.engine.workbench import acme, recorded
from tests.server.acme_customer import Customer
from tests.server.secret_places import FORM, everything

SECRET = "11111111-1111-4111-8111-111111111100"
CUT_BY_A_FORM = "22222222+2222=2222/22222222&2222"  # its characters part the fields of a form
TOKEN = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJzb21lYm9keSJ9.c2lnbmF0dXJl"
PIECES = (SECRET[:13], SECRET[-12:], "22222222", "/2222", "12345678901", "MIIEvQIBAD", *TOKEN.split("."))
EXPORTS = ("curl", "pytest", "har", "text")
JSON_TEXT = f'{{"key":"{SECRET}"}}'
SPLIT = f'{{"a": 1, "key": "{CUT_BY_A_FORM}", "b": "kept"}}'
DISPOSITION = 'Content-Disposition: form-data; name="key"'
EDGE = "multipart/form-data; boundary=edge"


def parts(disposition: str = DISPOSITION, value: str = SECRET, before: str = "", end: str = "\r\n--edge--\r\n") -> str:
    """A form of two parts, the second of which has a secret."""
    first = '--edge\r\nContent-Disposition: form-data; name="a"\r\n\r\nkept\r\n'
    return f"{before}{first}--edge\r\n{disposition}\r\n\r\n{value}{end}"


def lf(text: str) -> str:
    return text.replace("\r\n", "\n")


IN_FORMS = {
    "json": JSON_TEXT,
    "json-with-blanks": json.dumps({"key": SECRET, "text": "a b"}, indent=1),
    "json-split": SPLIT,
    "json-split-escaped": quote(SPLIT, safe=""),
    "json-split-plus": quote_plus(SPLIT),
    "json-behind-a-field": f"a=kept&{SPLIT}",
    "json-escaped": quote(JSON_TEXT),
    "json-all-escaped": quote(JSON_TEXT, safe="").replace("%3A", ":"),
    "json-as-a-value": f"a={quote_plus(JSON_TEXT)}",
    "json-as-a-plain-value": f"a={JSON_TEXT}",
    "json-list": f"[{JSON_TEXT}]",
    "json-unended": JSON_TEXT[:-2],
    "json-in-json": quote(json.dumps({"a": JSON_TEXT})),
    "json-name-escaped": JSON_TEXT.replace("key", "k\\u0065y"),
    "form": f"a=kept&key={SECRET}",
    "form-name-escaped": f"a=kept&%6Bey={SECRET}",
    "parts": parts(),
    "parts-lf": lf(parts()),
    "token-as-a-name": TOKEN,
    "token-in-a-name": json.dumps({"a": TOKEN}),
    "token-in-an-escaped-name": quote(json.dumps({"a": TOKEN})),
}
IN_PARTS = {
    "plain": (EDGE, parts()),
    "boundary-with-blanks": ("multipart/form-data; boundary = edge", parts()),
    "boundary-in-capitals": ("multipart/form-data; BOUNDARY=edge", parts()),
    "boundary-in-quotes": ('Multipart/Form-Data; x="a;boundary=no"; Boundary="edge"', parts()),
    "boundary-of-another": ("multipart/form-data; boundary=other", parts()),
    "boundary-too-short": ("multipart/form-data; boundary=ed", parts()),
    "no-boundary": ("multipart/form-data", parts()),
    "no-boundary-lf": ("multipart/form-data", lf(parts())),
    "name-in-capitals": (EDGE, parts(DISPOSITION.replace("name", "NAME"))),
    "name-with-blanks": (EDGE, parts(DISPOSITION.replace("=", " = "))),
    "name-with-a-blank": (EDGE, parts(DISPOSITION.replace("=", "= "))),
    "name-folded": (EDGE, parts(DISPOSITION.replace("=", "=\r\n "))),
    "name-folded-before": (EDGE, parts(DISPOSITION.replace("; ", ";\r\n\t"))),
    "name-without-quotes": (EDGE, parts(DISPOSITION.replace('"', ""))),
    "name-in-single-quotes-unread": (EDGE, lf(parts(DISPOSITION.replace('"', "'")))),
    "name-extended": (EDGE, parts(DISPOSITION.replace('="key"', "*=utf-8''key"))),
    "name-behind-a-file": (EDGE, parts('Content-Disposition: form-data; filename="x; name=y"; name=key')),
    "name-not-folded": (EDGE, parts(DISPOSITION.replace("=", "=\r\n"))),
    "header-in-capitals": (EDGE, parts(DISPOSITION.upper().replace("KEY", "key"))),
    "header-with-a-blank": (EDGE, parts(DISPOSITION.replace(":", " :"))),
    "header-behind-others": (EDGE, parts(f"Content-Type: text/plain\r\n{DISPOSITION}\r\nX-A: b")),
    "header-misspelt": (EDGE, parts(DISPOSITION.replace("Disposition", "Disposal"))),
    "no-empty-line": (EDGE, parts().replace('"key"\r\n', '"key"')),
    "no-empty-line-and-a-colon": (EDGE, parts(value=f"user:{SECRET}").replace('"key"\r\n', '"key"')),
    "an-empty-line-behind": (EDGE, parts(value=f"{SECRET}\r\n").replace('"key"\r\n', '"key"')),
    "lines-end-in-lf": (EDGE, lf(parts())),
    "lines-end-in-cr": (EDGE, parts().replace("\r\n", "\r")),
    "lines-end-in-both": (EDGE, parts(before=lf(parts(end="\r\n")))),
    "not-ended": (EDGE, parts(end="")),
    "preamble": (EDGE, parts(before="A preamble\r\n")),
    "boundary-in-the-secret": (EDGE, parts(value=f"x--edge{SECRET}")),
    "boundary-line-in-the-secret": (EDGE, parts(value=f"x\n--edge{SECRET}")),
    "dashes-in-the-secret-unread": ("multipart/form-data", parts(value=f"-----x\r\n--{SECRET}")),
    "bytes": (EDGE, parts(before="\udcff\r\n")),
    "bytes-in-a-part": (EDGE, parts(value=f"\udcff{SECRET}")),
    "json-in-a-part": (EDGE, parts('Content-Disposition: form-data; name="b"', JSON_TEXT)),
    "json-in-a-name": (EDGE, parts(f"Content-Disposition: form-data; name={json.dumps(JSON_TEXT)}", "x")),
    "json-in-an-escaped-name": (
        EDGE,
        parts('Content-Disposition: form-data; name="{}"'.format(JSON_TEXT.replace('"', "%22")), "x"),
    ),
    "json-instead": (EDGE, JSON_TEXT),
    "form-instead": (EDGE, f"a=kept&key={SECRET}"),
    "calls-itself-text": ("text/plain", parts()),
    "calls-itself-json": ("application/json", lf(parts())),
}
NESTED = {
    "list": [SECRET],
    "object": {"v": SECRET, "other": [{"deep": SECRET}], "n": 12345678901234},
    "name": {SECRET: None},
    "number": 12345678901234,
    "negative": -1234567890123.5,
    "brackets": ["]}", '"]', "\\", '\\"]', {"}": "]"}, SECRET],
    "deep": [[[[[], {}]], [], SECRET]],
    "many": [*range(5000), SECRET],
    "json": json.dumps({"v": [SECRET]}),
    "empty": [[], {}, "", SECRET],
    "bare": [True, False, None, SECRET],
}
NESTED_TEXTS = {name: json.dumps({"a": 1, "key": value, "b": 2}) for name, value in NESTED.items()}
NESTED_TEXTS |= {
    "unended": f'{{"key": ["{SECRET}',
    "number-unended": '{"key": 12345678901234',
    "without-quotes": f'{{"key": {SECRET}, "b": 1}}',
    "in-single-quotes": f"{{\"key\": ['{SECRET}']}}",
    "with-blanks": json.dumps({"key": {"v": [SECRET]}}, indent=2),
    "name-escaped": f'{{"k\\u0065y": ["{SECRET}"]}}',
    "twice": f'{{"key": 1, "key": ["{SECRET}"], "key": [{{"key": "{SECRET}"}}]}}',
}
IN_FORMS |= {
    f"nested-{name}-{spelling}": spelled
    for name, text in NESTED_TEXTS.items()
    if name != "many"
    for spelling, spelled in {
        "plain": text,
        "escaped": quote(text, safe=""),
        "plus": f"a={quote_plus(text)}",
        "in-json": quote(json.dumps({"a": text})),
    }.items()
}
MISPLACED = {
    "index": f"a=1&key[]={SECRET}&key[0][name]={SECRET}",
    "index-escaped": f"key%5B0%5D={SECRET}",
    "bom": f"\ufeffkey={SECRET}",
    "bom-escaped": f"%EF%BB%BFkey={SECRET}&a=1",
    "bom-escaped-twice": f"%C3%AF%C2%BB%C2%BFkey={SECRET}&a=1",
    "blank-of-another-kind": f"a=1&%C2%A0%E2%80%8B\xa0key={SECRET}",
    "bom-behind-a-field": f"a=1&\ufeffkey={SECRET}",
    "blank": f" key={SECRET}",
    "blank-plus": f"a=1&+key={SECRET}",
    "blank-escaped": f"a=1&%20key%20={SECRET}",
    "blank-behind": f"a=1&key ={SECRET}",
    "line": f"a=1\r\nkey={SECRET}",
    "line-lf": f"a=1\nkey={SECRET}\n",
    "line-cr": f"a=1\rkey={SECRET}",
    "line-with-blanks": f"a=1\n\t  key = {SECRET}".replace("= ", "="),
    "line-between": f"a=1&\r\nkey={SECRET}",
    "line-first": f"\r\nkey={SECRET}",
    "line-escaped": f"%0D%0Akey={SECRET}",
    "lines": f"a=1\nb=2\nkey={SECRET}\nc=3",
    "nuls": f"key={SECRET}".encode("utf-16-le").decode(),
    "nuls-json": JSON_TEXT.encode("utf-16-le").decode(),
}
IN_FORMS |= MISPLACED
IN_TEXTS_OF_JSON = {name: json.dumps({"a": text}) for name, text in NESTED_TEXTS.items() if "name" not in name}
BLOCK_LINE = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"
BLOCK = f"-----BEGIN PRIVATE KEY-----\n{BLOCK_LINE}\n{BLOCK_LINE}\n-----END PRIVATE KEY-----\n"


def percent(characters: str, text: str) -> str:
    return "".join(f"%{ord(character):02X}" if character in characters else character for character in text)


def in_json(characters: str, text: str) -> str:
    return "".join(f"\\u{ord(character):04x}" if character in characters else character for character in text)


SHAPES = {"token": TOKEN, "block": quote_plus(BLOCK).replace("%2F", "/")}
ESCAPED_SHAPES = {
    f"{name}-{characters}": percent(characters, shape)
    for name, shape in SHAPES.items()
    for characters in (".", "-", "e", "eyJ", "BEGIN-", "END", ".eyJhbGciOiJub25lIn0", "I")
}
ESCAPED_SHAPES |= {
    "token-twice": quote(percent("y.", TOKEN)),
    "token-in-lower-case": TOKEN.replace(".", "%2e").replace("J", "%4a"),
    "token-all": percent(TOKEN, TOKEN),
    "block-all": percent(BLOCK, BLOCK),
}
SHAPES_IN_JSON = {
    f"{name}-{characters}": f'{{"a": "{in_json(characters, shape)}", "b": 1}}'
    for name, shape in {"token": TOKEN, "block": json.dumps(BLOCK)[1:-1]}.items()
    for characters in (".", "-", "e", "eyJ", "BEGIN-", "END", "I")
}
SHAPES_IN_JSON |= {"token-in-json": json.dumps({"a": SHAPES_IN_JSON["token-eyJ"]})}
IN_FORMS |= {f"escaped-{name}": f"a={shape}&b=1" for name, shape in ESCAPED_SHAPES.items()}
IN_FORMS |= {f"escaped-json-{name}": f"a={quote_plus(text)}&b=1" for name, text in SHAPES_IN_JSON.items()}
IN_JSON = {
    **{f"escaped-{name}": text for name, text in SHAPES_IN_JSON.items()},
    **{f"percent-{name}": f'{{"a": "{shape}"}}' for name, shape in ESCAPED_SHAPES.items()},
    **NESTED_TEXTS,
    "bom": f"\ufeff{JSON_TEXT}",
    "index-in-a-name": JSON_TEXT.replace("key", "key[0]"),
    "bom-in-a-name": JSON_TEXT.replace("key", "\ufeffkey"),
    "bom-in-a-name-escaped": json.dumps({"\ufeffkey": SECRET}),
    "blanks-in-a-name": JSON_TEXT.replace("key", " key "),
    **{
        f"{coding}-{name}": text.encode(coding).decode("utf-8", "surrogateescape")
        for coding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be")
        for name, text in {"text": JSON_TEXT, "list": json.dumps({"key": [SECRET]}), "form": f"key={SECRET}"}.items()
    },
}
BODIES = {
    **{f"form-{name}": (FORM["Content-Type"], body) for name, body in IN_FORMS.items()},
    **{f"multipart-{name}": body for name, body in IN_PARTS.items()},
    **{f"json-{name}": ("application/json", body) for name, body in IN_JSON.items()},
    **{f"text-{name}": ("text/plain", body) for name, body in {**MISPLACED, **IN_JSON}.items()},
    **{f"uncalled-{name}": ("", body) for name, body in {**MISPLACED, **IN_JSON}.items() if len(body) < 1000},
}


def read(text: str) -> str:
    """A text without what keeps a secret in it from being found at once: NULs, and escapes of all its characters."""
    text = text.replace("\\x00", "").replace("\\u0000", "").replace("\0", "")
    for _ in range(3):
        text = re.sub(r"\\+u00([2-7][0-9a-fA-F])", lambda found: chr(int(found[1], 16)), unquote(text))
    return text


def all_of(customer: Customer, path: str, content_type: str, body: str) -> dict[str, str]:
    """What each member and each export shows of a call with this body."""
    raw = body.encode("utf-8", "surrogateescape")
    sent = customer.send(path, content=raw, headers={"Content-Type": content_type.encode()})
    call = customer.call(sent)
    exports = {
        form: customer.client.get(f"/_mock/calls/{call['id']}", params={"format": form}).text for form in EXPORTS
    }
    listed = customer.client.get("/_mock/calls", params={"account": customer.id, "format": "summary"}).text
    request = call["request"]
    members = {name: json.dumps(value) for name, value in request.items() if name != "headers"}
    har = json.loads(exports["har"])["log"]["entries"][0]["request"]
    exports["har-body"] = (
        base64.b64decode(har.get("postData", {}).get("text", "")).decode("latin-1")
        if "comment" in har.get("postData", {})
        else ""
    )
    return {"call": everything(call), "listed": listed, **members, **exports}


READERS = ("/base/messages", "/nowhere", "/base/forms", "/base/merged")  # JSON, anything, forms


@pytest.mark.parametrize(
    ("path", "name"),
    [
        pytest.param(path, name, id=f"{name}-{path}")
        for name in BODIES
        for path in (READERS[:2] if name.startswith(("text-", "uncalled-")) else READERS)
    ],
)
def test_a_body_is_masked_alike_wherever_it_is_shown(customer: Customer, name: str, path: str) -> None:
    """However a body spells the place of a credential, no member and no export shows a piece of it."""
    for where, text in all_of(customer, path, *BODIES[name]).items():
        for piece in PIECES:
            assert piece not in read(text), (where, text)


@pytest.mark.parametrize("name", ESCAPED_SHAPES)
def test_a_secret_shape_in_a_query(customer: Customer, name: str) -> None:
    """Escaped, too: what reads the query finds the token."""
    call = customer.call(customer.client.post(f"/base/messages?a={ESCAPED_SHAPES[name]}&b=1", json={}))
    shown = [everything(call), call["request"]["query"]]
    shown += [customer.client.get(f"/_mock/calls/{call['id']}", params={"format": form}).text for form in EXPORTS]
    for text in shown:
        assert not any(piece in read(text) for piece in PIECES), text
    assert call["request"]["query"].endswith("&b=1")


@pytest.mark.parametrize("name", ["form-json", "form-json-split", "form-json-split-plus", "form-json-escaped"])
def test_json_as_the_name_of_a_field_has_one_mask(customer: Customer, name: str) -> None:
    """The name of the field and the bytes of the body show the same, and what stands beside the secret stays."""
    content_type, body = BODIES[name]
    shown = all_of(customer, "/base/forms", content_type, body)
    masks = {where: {*re.findall(r"\*\*\*[0-9a-f]{8}", text)} for where, text in shown.items()}
    own = masks["form"]
    assert len(own) == 1
    assert own < masks["call"] or own == masks["call"] - {*re.findall(r"\*\*\*[0-9a-f]{8}", customer.mine["key"])}
    if "split" in name:
        assert "kept" in shown["form"]


@pytest.mark.parametrize("name", ["plain", "lines-end-in-lf", "boundary-of-another", "no-boundary", "name-folded"])
def test_what_stands_beside_a_secret_part_stays(name: str) -> None:
    """The other parts and all headers are shown, and what ends the secret."""
    content_type, body = IN_PARTS[name]
    masker = Masker((acme(),))
    assert masker.body(body, "multipart", content_type) == body.replace(SECRET, masker.mask(SECRET))


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/plain", "name=key; and more\n\nof it"),
        ("application/json", json.dumps({"text": 'Content-Disposition: form-data; name="key"\n\nmore'})),
        (EDGE, parts('Content-Disposition: form-data; name="b"', 'my name="key"\r\n\r\nand more; form-data')),
        (EDGE, parts('Content-Disposition: form-data; name="b"; filename="key"', "a text")),
        (EDGE, parts('Content-Disposition: form-data; name="b"', DISPOSITION + "\r\n\r\nquoted")),
    ],
)
def test_what_only_reads_like_a_part_stays(content_type: str, body: str) -> None:
    """A name without a part, and a part that is quoted in a text, are shown as they came."""
    assert Masker((acme(),)).body(body, "", content_type) == body


def test_the_address_of_a_callback_is_shown_alike() -> None:
    """It is no place of secrets, neither as an address nor as a query; a token in it is one still."""
    for query, shown in (("key=CBQUERY12345&x=1", "key=CBQUERY12345&x=1"), (f"a={TOKEN}&x=1", None)):
        url = f"http://127.0.0.1:9/cb?{query}"
        more = pack_more(url=url)
        call = recorded(direction="out", more=more, query=query.encode(), path="/cb", method="POST")
        shape = asyncio.run(call_shape(call, Masker((acme(),)), TimeShare()))
        assert shape["url"] == f"http://127.0.0.1:9/cb?{shape['request']['query']}"
        assert shown is None or shape["request"]["query"] == shown
        curl = CurlWriter((acme(),), Masker((acme(),)), "http://localhost", with_token=False).command(call, None)
        assert curl.count("cb?") == curl.count("x=1") == 1
        assert shape["url"].partition("***")[0] in curl
        assert not any(piece in json.dumps(shape) + curl for piece in PIECES)


def test_a_form_of_json_is_cut_where_secrets_are_looked_for() -> None:
    """Of a long one no more fields are shown than were looked through, and that is said."""
    long = "x" * MAX_FORM_SEARCHED
    for body in (f'{{"key": "{long}"}}&a=1', f'a={{"key": "{long}&{JSON_TEXT}', f'key={long}&{{"key": "{SECRET}"}}'):
        call = recorded(body=body.encode(), reads="form", headers=pack_headers([(b"content-type", b"x")]))
        shape = asyncio.run(call_shape(call, Masker((acme(),)), TimeShare()))
        assert SECRET not in json.dumps(shape)
        assert "xxxx" not in json.dumps(shape)
        assert "/request/form" in shape["cut"]


@pytest.mark.parametrize(
    "text",
    [
        "name=",
        "name   ",
        "name=" + " " * 1000,
        "\r\n--",
        "\r\n--edge\r\nform-data; name=key\r\n",
        "form-data; name=key\r\n: ",
        "a: b\r\n ",
        "%22key%22",
        "%22key%22%3A%22",
        "%22key" + "%20" * 100,
        '\\"key\\": \\"',
        "%5C",
        "--e",
        "%5Cu",
        "\\",
        "\n",
        "\n+",
        "&%20",
        "%65yJ",
        "eyJ%",
        "%2D",
        "-----BEGIN A-----%",
        "%2D-----END A-----",
        '{"key":[',
        '"key": 1,',
        '"key":["\\',
        "%22key%22:%5B%22%5C",
        "%5C%22key%5C%22:[%5C%5C",
        "key[",
        "&key[0",
        "k\0e\0y\0=\0",
    ],
)
def test_what_cannot_be_read_is_looked_at_in_linear_time(text: str) -> None:
    """Half a megabyte of what is hostile takes less than a second; were it not linear, minutes."""
    masker, started = Masker((acme(),)), time.thread_time()
    for content_type in (EDGE, FORM["Content-Type"]):
        masker.body("form-data; disposition " + text * (500_000 // len(text)), "form", content_type)
    assert time.thread_time() - started < 5


def test_the_parts_that_cannot_be_read_are_found() -> None:
    """From behind the empty line to the next line of the kind that stands above the header."""
    text = "--x\nContent-Disposition: form-data; name=key\n\n1\n--y\n2\n--x--\n"
    assert [text[start:end] for start, end in UnreadParts("key").spans(text, "multipart/form-data")] == ["1\n--y\n2"]


HIDDEN: list[dict[str, Any]] = [
    {"const": SECRET},
    {"enum": [SECRET]},
    {"pattern": SECRET},
    {"anyOf": [{"not": {"const": SECRET}}]},
]
EXPECTED_OF_HEADERS: list[dict[str, Any]] = [
    *({"properties": {"x-key": hidden}} for hidden in HIDDEN),
    *({"allOf": [{"properties": {"X-Key": hidden}}]} for hidden in HIDDEN),
    {"patternProperties": {"^x-k": {"const": SECRET}}},
    {"not": {"additionalProperties": {"pattern": "^"}, "const": {"x-key": SECRET}}},
    {"const": {"authorization": f"Bearer {SECRET}"}},
    {"enum": [{"x-token": SECRET}]},
]
EXPECTED: list[dict[str, Any]] = [
    *({"/header": {**one, "minProperties": 99}} for one in EXPECTED_OF_HEADERS),
    *({"/header/x-key": hidden} for hidden in HIDDEN[:3]),
    {"/header/X-Key": {"const": {"deep": [SECRET]}}},
    *({at: {"const": {"key": SECRET}}} for at in ("/body", "/query")),
    *({at: {"properties": {"key": hidden}, "minProperties": 9}} for at in ("/body",) for hidden in HIDDEN),
    *({at: hidden} for at in ("/body/key", "/query/key", "/body/key/0") for hidden in HIDDEN[:2]),
    {"/body/deep": {"enum": [[{"key": {"v": SECRET}}]]}},
]


@pytest.mark.parametrize("when", EXPECTED, ids=json.dumps)
def test_what_a_schema_expects_of_a_secret(customer: Customer, when: dict[str, Any]) -> None:
    """Neither what was expected nor what was found is told, of all headers at once neither; how it was asked is."""
    sent = {"key": [CUT_BY_A_FORM, {"schema": CUT_BY_A_FORM}], "deep": {"key": {"schema": {"const": CUT_BY_A_FORM}}}}
    customer.send(json={**customer.good, **sent})
    asked = {"account": customer.id, "operation": "acme.send_sms", "count": {"exactly": 5}, "when": when}
    answer = customer.client.post("/_mock/calls/verify", json=asked)
    pointer, schema = next(iter(when.items()))
    differences = answer.json()["nearest"][0]["differences"]
    assert [one["pointer"].lower() for one in differences] == [pointer.lower()]
    assert differences[0]["expected"]["schema"].keys() == schema.keys()
    assert not any(piece in answer.text for piece in PIECES), answer.text


def test_what_a_schema_expects_elsewhere_stays(customer: Customer) -> None:
    """Of other headers and members, and of which kind a secret is to be."""
    customer.send()
    schema = {"properties": {"x-other": {"const": "v"}, "x-key": {"type": "string", "minLength": 500}}}
    for when in ({"/header": {**schema, "required": ["x-other"]}}, {"/body": {"properties": {"to": {"const": "1"}}}}):
        asked = {"account": customer.id, "operation": "acme.send_sms", "when": when}
        found = customer.client.post("/_mock/calls/verify", json=asked).json()
        assert found["nearest"][0]["differences"][0]["expected"] == {"schema": next(iter(when.values()))}


@pytest.mark.parametrize("name", ["json", "json-as-a-value", "json-split", "json-behind-a-field", "json-escaped"])
def test_what_is_compared_is_masked_too(customer: Customer, name: str) -> None:
    """What is nearest to an expectation, and the views of a failed assertion, show no secret in a field's name."""
    call = customer.call(customer.send("/base/forms", content=IN_FORMS[name], headers=FORM))
    where: list[Any] = [{"form": {"a": "1"}}, {"body": "x"}, {"body": {"a": "1"}}, {"query": {"b": "1"}}]
    shown: list[Any] = [customer.client.get(f"/_mock/calls/{call['id']}/why").json()]
    for one in where:
        question = {"account": customer.id, "operation": "acme.post_form", "where": one}
        shown.append(customer.client.post("/_mock/calls/verify", json=question).json())
    whole = {"account": customer.id, "operation": "acme.post_form", "when": {"/form": {"maxProperties": 0}}}
    shown.append(customer.client.post("/_mock/calls/verify", json=whole).json())
    views = customer.client.post("/_mock/calls/verify", json={"account": customer.id, "views": True}).json()
    shown += [view["shown"] for view in views["views"]]
    text = json.dumps(shown)
    assert not any(piece in text for piece in (SECRET[:13], "22222222")), text
