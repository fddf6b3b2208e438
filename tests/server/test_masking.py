"""Masking: no secret where secrets stand, no token and no key anywhere, and equal secrets still seen to be equal."""

import asyncio
import base64
import json
import re
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.engine.call import pack_headers
from mockserver.server.checkpoint import TimeShare
from mockserver.server.masking import Masker
from mockserver.server.serialize import MAX_MEMBER_SHOWN, Shown, call_shape
from mockserver.store.accounts import test_only_rsa_key as rsa_key
from tests.engine.workbench import acme, recorded
from tests.server.acme_customer import Customer, body_of
from tests.server.conftest import Make
from tests.server.secret_places import CREDENTIAL_PLACES, FORM, IN_HEADERS, PLACES, everything, leaks, sent

MASK = re.compile(r"\*\*\*[0-9a-f]{8}")
UNSIGNED = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJzb21lYm9keSJ9."
SECRET = 'A+secret/of=%~1\\ü"'  # characters that are written otherwise somewhere


@pytest.mark.parametrize("place", CREDENTIAL_PLACES)
def test_a_secret_is_not_shown_where_secrets_stand(customer: Customer, place: str) -> None:
    """An account's, one with a typing error, one of the real vendor: by place, whosever the call is."""
    secret = SECRET.encode("ascii", "ignore").decode() if place in IN_HEADERS else SECRET
    call = sent(customer, place, secret)
    assert not leaks(call, secret), everything(call)
    assert MASK.search(everything(call))


@pytest.mark.parametrize("place", sorted({*PLACES} - {*CREDENTIAL_PLACES}))
def test_a_secret_elsewhere_is_text(customer: Customer, place: str) -> None:
    """Nobody looks for an account's values in all that is sent: a made-up key in a body is shown as it came."""
    secret = "a-made-up-key-of-40-characters-for-tests"
    assert leaks(sent(customer, place, secret), secret)


def test_a_secret_of_a_vendor_on_any_path(customer: Customer) -> None:
    """Where one contract has its credentials, they are masked on unknown paths, too, and in every answer."""
    call = customer.call(customer.client.post("/nowhere?key=sec-ret-1", headers={"X-TOKEN": "sec-ret-2"}))
    assert call["vendor"] is None
    assert "sec-ret" not in everything(call)


def test_what_is_no_secret_stays(customer: Customer) -> None:
    """Texts, numbers, ids and addresses are shown as they came; the account's name for itself is no secret."""
    body = {**customer.good, "text": "Hi *** 100%41 ~1", "call": "https://a.test/?a=1&key=in-an-address&b=2", "n": 1}
    call = customer.call(customer.send(json=body, params={"q": "a%20b"}, headers={"X-Other": "v"}))
    assert call["request"]["json"] == body
    assert json.loads(body_of(call["request"])) == body
    assert (call["request"]["query"], ["x-other", "v"] in call["request"]["headers"]) == ("q=a%2520b", True)
    assert call["cut"] == []


def test_a_form_with_a_short_secret(make: Make) -> None:
    """It is masked where it stands only, else a key of `1` would blacken every number."""
    customer = make(key="1")
    form = customer.call(customer.send("/base/merged?key=1&a=1", content="key=1&a=1", headers=FORM))
    mask = next(value for name, value in form["request"]["headers"] if name == "x-key")
    assert MASK.fullmatch(mask)
    assert form["request"]["query"] == f"key={mask}&a=1"
    assert form["request"]["form"] == [["key", mask], ["a", "1"]]
    assert body_of(form["request"]) == f"key={mask}&a=1".encode()


def test_equal_secrets_have_equal_masks(customer: Customer) -> None:
    """In any place and any spelling, so that a reader sees that the right one was sent, or which others."""
    key, other = customer.mine["key"], "another-secret+/"
    form: dict[str, Any] = {"content": f"pin={quote(other)}&key={key}", "headers": {**FORM, "X-Token": other}}
    request = customer.call(customer.send(f"/base/merged?key={key}&pin={quote(other, safe='')}", **form))["request"]
    headers, query = dict(request["headers"]), dict(pair.split("=") for pair in request["query"].split("&"))
    assert MASK.fullmatch(headers["x-key"])
    assert headers["x-key"] == query["key"] == dict(request["form"])["key"]
    assert headers["x-token"] == query["pin"] != headers["x-key"]
    bearer = customer.call(customer.send(headers={"Authorization": f"Bearer {key}"}))["request"]
    assert dict(bearer["headers"])["authorization"] == f"Bearer {headers['x-key']}"


def test_what_quotes_a_secret(customer: Customer) -> None:
    """A problem that quotes the value of a credential's place, and an answer that repeats it, show its mask."""
    presented = 'presented-"secret"-0001'
    masker = Masker((acme(),))
    call = recorded(
        headers=pack_headers([(b"x-key", presented.encode())]),
        problems=json.dumps([["invalid", "/header/x-key", "x", f"{json.dumps(presented)} is not right"]]),
        notes=json.dumps([f"it was {presented[:12]}"]),
        response_headers=pack_headers([(b"x-trace", presented.encode())]),
        response_body=json.dumps({"echo": [presented]}).encode(),
    )
    shape = asyncio.run(call_shape(call, masker, TimeShare()))
    assert shape["problems"][0]["message"] == f'"{masker.mask(presented)}" is not right'
    assert shape["response"]["headers"] == [["x-trace", masker.mask(presented)]]
    assert shape["response"]["json"] == {"echo": [masker.mask(presented)]}
    assert shape["notes"] == [f"it was {masker.mask(presented)}"], "one that was cut off"
    assert "presented" not in everything(shape)


def test_what_quotes_a_number() -> None:
    """An answer that repeats a secret number shows its mask, in its JSON as in its bytes."""
    masker = Masker((acme(),))
    call = recorded(body=b'{"key": [1234567890123]}', reads="json", response_body=b'{"echo": [1234567890123, 1, true]}')
    shape = asyncio.run(call_shape(call, masker, TimeShare()))
    assert shape["response"]["json"] == {"echo": [masker.mask("1234567890123"), 1, True]}
    assert "1234567890123" not in everything(shape)


def test_masks_say_nothing_of_the_secret() -> None:
    """Two processes mask one secret differently: a mask cannot be looked up."""
    one, other = Masker(()), Masker(())
    assert one.mask("secret") == one.mask("secret") != other.mask("secret")
    assert one.mask("secret") != one.mask("Secret")
    assert MASK.fullmatch(one.mask("\ud800"))


@pytest.mark.parametrize("place", sorted({*PLACES} - {"json-all-escaped"}))
@pytest.mark.parametrize("known", [True, False], ids=["known", "unclaimed"])
def test_a_token_is_hidden_in_all_its_parts(customer: Customer, place: str, known: bool) -> None:
    """A JWT is readable without its key: neither it nor a part of it is shown, wherever it stands."""
    for token in (customer.tokens["Claim"], UNSIGNED):
        call = sent(customer, place, token, known=known)
        assert not any(piece in everything(call) for piece in token.split(".") if piece), everything(call)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param(f"a {UNSIGNED}x b", "a * b", id="within"),
        pytest.param(f"key{UNSIGNED}x", "key*", id="behind-letters"),
        pytest.param(f"www.a.test.{UNSIGNED}x", "www.a.test.*", id="behind-points"),
        pytest.param("eyJhbGciOiJkaXIifQ..aXY.Y2lwaGVy.dGFn", "*", id="jwe"),
        pytest.param("eyJhbGciOiJub25lIn0.x", "eyJhbGciOiJub25lIn0.x", id="two-parts"),
        pytest.param("see eyJ.example.com/eyJhbGciOiJub25lIn0", "see eyJ.example.com/eyJhbGciOiJub25lIn0", id="names"),
    ],
)
def test_what_a_token_looks_like(text: str, shown: str) -> None:
    """Three parts at least, joined by points, the first of which begins an object."""
    assert MASK.sub("*", Masker(()).text(text)) == shown


def test_a_token_that_a_text_cuts_off() -> None:
    """What is shown of a long text may end within a token: that is a secret still."""
    masker = Masker(())
    for length in range(11, len(UNSIGNED)):
        assert MASK.fullmatch(masker.text(UNSIGNED[:length], is_cut=True))
    assert masker.text("eyJhbGciOiJub25lIn0") == "eyJhbGciOiJub25lIn0"


BLOCK = rsa_key().strip()
LINES = BLOCK.splitlines()


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(BLOCK, id="lines"),
        pytest.param("\r\n".join(LINES), id="crlf"),
        pytest.param(" ".join(LINES), id="one-line"),
        pytest.param("".join(LINES), id="no-separator"),
        pytest.param(json.dumps(BLOCK)[1:-1], id="json"),
        pytest.param(json.dumps(json.dumps(BLOCK))[1:-1], id="json-twice"),
        pytest.param(json.dumps(LINES), id="json-list"),
        pytest.param(json.dumps("\r\n".join(LINES)).replace("/", "\\/").replace("+", "\\u002B"), id="json-escapes"),
        pytest.param(quote(BLOCK), id="form"),
        pytest.param(BLOCK[: len(BLOCK) // 2], id="cut-off"),
        pytest.param("\n".join(f"> {line}" for line in LINES), id="quoted"),
        pytest.param("-----BEGIN A-----" * 3 + BLOCK, id="begun-again"),
        pytest.param(f"{BLOCK}\n{BLOCK}", id="two"),
    ],
)
def test_what_a_key_looks_like(written: str) -> None:
    """From its BEGIN to its END, whatever separates its lines; where the END is missing, as far as it goes."""
    shown = Masker(()).text(f"a ({written}) b")
    assert re.fullmatch(r'a \((> |\["|\\"|")?\*\*\*.*[^ ]\) b', shown, re.DOTALL)
    assert not any(line[:16] in shown for line in LINES[1:-1])


@pytest.mark.parametrize("place", ["json", "json-name", "form-wrong-name", "multipart-wrong-name", "bytes"])
def test_a_key_in_a_call(customer: Customer, place: str) -> None:
    """In every member that shows a body."""
    call = sent(customer, place, BLOCK)
    assert not any(line[:16] in everything(call) for line in LINES[1:-1])


def test_a_key_line_by_line() -> None:
    """Each line an item of a list; what stands before and behind is shown."""
    show = Shown(Masker(()))
    shown = show.at("/request/json", show.value, {"lines": ["before", *LINES, "behind", 1]})
    before, *key, behind, number = shown["lines"]
    assert (before, behind, number) == ("before", "behind", 1)
    assert all(MASK.fullmatch(line) for line in key)


def test_secrets_at_the_end_of_what_is_shown() -> None:
    """A body is cut: what is masked whole is masked in part, too."""
    masker, token = Masker((acme(),)), "eyJhbGciOiJub25lIn0." + "eyJpc3MiOiJzb21lYm9keSJ9" * 50
    for secret in (token, BLOCK, '{"key": "in-its-place-' + "x" * 500):
        padding = "." * 10 + " " * (MAX_MEMBER_SHOWN - 10 - len(secret) // 2)
        call = recorded(body=(padding + secret * 3).encode(), reads="nothing")
        shown = base64.b64decode(asyncio.run(call_shape(call, masker, TimeShare()))["request"]["body_base64"]).decode()
        assert MASK.search(shown)
        assert secret[20:50] not in shown


alphabet = st.sampled_from(
    ["eyJ", "a", ".", "-", " ", "%41", "\\n", "key=", '"key": "', "-----BEGIN A-----", "-----END A-----"]
)


@given(st.lists(alphabet, max_size=40).map("".join), st.booleans())
@settings(deadline=None, derandomize=True)
def test_masking_again_changes_nothing(text: str, is_cut: bool) -> None:
    """What is masked holds no secret: neither a token nor a key is found in it any more."""
    masker = Masker((acme(),))
    once = masker.text(text, is_cut=is_cut)
    assert masker.text(once) == once
    assert "-----BEGIN" not in once
