"""Callbacks as they are made: bodies in JSON and forms, and signatures of what is sent."""

import hashlib
import hmac
from base64 import b64encode
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from mockserver.engine.call import split_headers
from mockserver.engine.callback import CallbackMaker, OutgoingRequest, label_of, view_of_request, with_wrong_signature
from mockserver.engine.response import Renderer
from mockserver.engine.values import Context, ValueCompiler
from mockserver.spec.errors import ContractErrors
from mockserver.spec.load import load_contracts
from tests.engine.workbench import NOW, fixed_sources

TEXT = (Path(__file__).parents[1] / "twoway" / "parcel.yaml").read_text("utf-8")
JSON = "{application/json: {example: {id: x, state: sent}}}"
FORM = "{application/x-www-form-urlencoded: {example: {id: x, state: sent, of: 5, no: null, is: true, in: {a: [1]}}}}"
HEADERS = "headers: {x-signature: {}}"
FILL = (
    "fill: {/body: {echo: /owned/messages}, /header/x-signature: {call: hmac_sha256, of: [/account/secret, /made/raw]}}"
)
URL = "http://127.0.0.1/told?a=1&b=%20"
RECORD = {"id": "7 & ü", "state": "sent", "more": None}


def made(tmp_path: Path, content: str, headers: str, fill: str) -> OutgoingRequest:
    """The callback of a message that was sent, where the contract's own one has this content and these fills."""
    assert all(old in TEXT for old in (JSON, HEADERS, FILL))
    text = TEXT.replace(JSON, content).replace(HEADERS, f"headers: {headers}", 1).replace(FILL, f"fill: {fill}")
    (tmp_path / "parcel.yaml").write_text(text, "utf-8")
    contracts = load_contracts([tmp_path / "parcel.yaml"])
    compiler = ValueCompiler()
    maker = CallbackMaker(contracts, Renderer(contracts, compiler), compiler)
    view: dict[str, Any] = {"body": {"callback_url": URL}, "account": {"secret": "s"}, "owned": {"messages": RECORD}}
    context = Context(view, None, fixed_sources(), NOW)
    (request,) = maker.make("parcel", "messages/sent", context, account="a", cause=1, index=0, recipient="")
    return request


def signed(digest: str, text: str) -> str:
    return b64encode(hmac.new(b"s", text.encode(), digest).digest()).decode()


@pytest.mark.parametrize(
    ("fill", "body"),
    [
        (
            "{/body/id: {echo: /owned/messages/id}}",
            b"id=7+%26+%C3%BC&state=sent&of=5&no=&is=true&in=%7B%22a%22%3A%5B1%5D%7D",
        ),
        ("{/body: {echo: /owned/messages}}", b"id=7+%26+%C3%BC&state=sent&more="),
        ("{/body: {to: {echo: /body/nothing}, id: {new: uuid}}}", b"id=a-uuid"),
    ],
    ids=["a field", "all of a record", "a field that is absent"],
)
def test_a_form(tmp_path: Path, fill: str, body: bytes) -> None:
    """Fields are escaped as browsers do; what is filled in stands where the sample has it, or is all there is."""
    request = made(tmp_path, FORM, "{}", fill)
    assert request.body == body
    assert dict(split_headers(request.headers))[b"content-type"] == b"application/x-www-form-urlencoded"
    assert view_of_request(request).get("form") == dict(parse_qsl(body.decode(), keep_blank_values=True))
    assert label_of(request.callback, status=200, fault="", notes="").reads == "form"


@pytest.mark.parametrize(
    ("content", "of", "text"),
    [
        (FORM, "/made/url, {call: sorted_members, of: [/made/body]}", f"{URL}id7 & ümorestatesent"),
        (JSON, '{call: sorted_members, of: [/made/body, "&", "="]}', "&id=7 & ü&more=&state=sent"),
        (JSON, "/made/raw, ., /made/header/x-nonce", '{"id":"7 & ü","state":"sent","more":null}.n-a-uuid'),
        (JSON, "{join: [{echo: /made/body/id}, {echo: /made/header/content-kind}]}", "7 & ütold"),
    ],
    ids=["address and fields", "sorted pairs", "raw body and a header", "members"],
)
@pytest.mark.parametrize("digest", ["sha1", "sha256"])
def test_what_is_signed(tmp_path: Path, content: str, of: str, text: str, digest: str) -> None:
    """The address, the whole body, its members and the headers before; as bytes in base64. A fault spoils just that."""
    headers = "{content-kind: {example: told}, x-nonce: {}, x-signature: {}}"
    sign = f"/header/x-signature: {{call: hmac_{digest}, of: [/account/secret, {of}], as: base64}}"
    nonce = "/header/x-nonce: {new: uuid, prefix: n-}"
    request = made(tmp_path, content, headers, f"{{/body: {{echo: /owned/messages}}, {sign}, {nonce}}}")
    sent = dict(split_headers(request.headers))
    assert sent[b"x-signature"].decode() == signed(digest, text)
    spoilt = with_wrong_signature(request)
    assert (spoilt.body, dict(split_headers(spoilt.headers))[b"x-nonce"]) == (request.body, sent[b"x-nonce"])
    assert dict(split_headers(spoilt.headers))[b"x-signature"] != sent[b"x-signature"]


def test_a_signature_in_a_field(tmp_path: Path) -> None:
    """It is spoilt where it stands, in what another function has made of it, too."""
    sign = "{call: upper, of: [{call: md5_joined, of: [/account/secret, /owned/messages/state]}]}"
    request = made(tmp_path, FORM, "{}", f"{{/body/of: {sign}, /body/id: a}}")
    right = hashlib.md5(b"ssent", usedforsecurity=False).hexdigest().upper()
    assert request.body.decode().startswith(f"id=a&state=sent&of={right}&no=&is=true&in=")
    spoilt = with_wrong_signature(request).body
    assert (len(spoilt), sum(a != b for a, b in zip(spoilt, request.body, strict=True))) == (len(request.body), 1)


@pytest.mark.parametrize(
    ("read", "headers", "before"),
    [
        ("x-nonce", "{x-nonce: {}, x-signature: {}}", "none"),
        ("x-after", "{x-kind: {example: a}, x-signature: {}, x-after: {example: a}}", "/made/header/x-kind"),
        ("x-signature", "{x-signature: {}}", "none"),
    ],
    ids=["never made", "made after", "itself"],
)
def test_a_header_that_is_not_made_before(tmp_path: Path, read: str, headers: str, before: str) -> None:
    """Nothing could be signed: it is told, with the headers that can be read."""
    fill = f"{{/header/x-signature: {{call: hmac_sha1, of: [/account/secret, /made/header/{read}]}}}}"
    with pytest.raises(ContractErrors) as caught:
        made(tmp_path, JSON, headers, fill)
    told = f"no header before x-signature is /made/header/{read}; before it are, in the order of `headers`: {before}"
    assert str(caught.value).endswith(told)
