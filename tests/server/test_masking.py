"""Masking: no secret in anything that shows a call, and equal secrets still seen to be equal."""

import json
import re
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mockserver.server.masking import Masker, Needles
from mockserver.store.accounts import test_only_rsa_key as rsa_key
from tests.engine.workbench import Bench, acme, recorded
from tests.server.conftest import Make
from tests.server.customers import Customer, body_of
from tests.server.places import FORM, IN_HEADERS, PLACES, everything, leaks, sent

MASK = re.compile(r"\*\*\*[0-9a-f]{8}")
OWN = "Own+secret/of-16=%~1\\ü\n"  # every character that is written otherwise somewhere


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("known", [True, False], ids=["known", "unclaimed"])
def test_an_accounts_own_secret_is_never_shown(make: Make, place: str, known: bool) -> None:
    """Wherever a client puts it, however it is written there, and whosever the call is."""
    secret = OWN.encode("ascii", "ignore").decode().strip() if place in IN_HEADERS else OWN
    customer = make(key="key-of-a-customer-" + secret, clients=[{"secret": secret}])
    call = sent(customer, place, secret, known=known)
    assert not leaks(call, secret), everything(call)
    assert "***" in everything(call)


@pytest.mark.parametrize(
    "place",
    [
        "its-header",
        "bearer",
        "cookie",
        "its-query",
        "json-its-name",
        "form",
        "form-merged",
        "form-for-json",
        "form-wrong-method",
        "form-unknown-path",
        "multipart",
    ],
)
def test_a_secret_of_nobody_is_not_shown_where_secrets_stand(customer: Customer, place: str) -> None:
    """A credential with a typing error is a secret still, and so is one of the real vendor."""
    call = sent(customer, place, "a-real-secret")
    assert not leaks(call, "a-real-secret")


def test_what_is_no_secret_stays(customer: Customer) -> None:
    """Texts, numbers and ids are shown as they came; the account's name for itself is no secret."""
    body = {**customer.good, "text": "Hi *** 100%41 ~1"}
    call = customer.call(customer.send(json=body, params={"q": "a%20b"}, headers={"X-Other": "v"}))
    assert call["request"]["json"] == body
    assert json.loads(body_of(call["request"])) == body
    assert (call["request"]["query"], ["x-other", "v"] in call["request"]["headers"]) == ("q=a%2520b", True)
    assert call["response"]["json"]["text"] == body["text"]


def test_a_short_secret_is_masked_where_it_stands_only(make: Make) -> None:
    """Else a key of `1` would blacken every number."""
    customer = make(key="1")
    form = customer.call(customer.send("/base/merged?key=1&a=1", content="key=1&a=1", headers=FORM))
    mask = next(value for name, value in form["request"]["headers"] if name == "x-key")
    assert MASK.fullmatch(mask)
    assert form["request"]["query"] == f"key={mask}&a=1"
    assert form["request"]["form"] == [["key", mask], ["a", "1"]]
    assert body_of(form["request"]) == f"key={mask}&a=1".encode()


def test_a_secret_is_found_from_seven_characters_on() -> None:
    """Shorter, it would be found in texts that have nothing to do with it."""
    masker = Masker((acme(),))
    for secret, hidden in (("abc-def", True), ("abc-de", False)):
        needles = masker.of_call(recorded(headers=b"x-key: " + secret.encode()), None)
        assert (masker.text(f"<{secret}>", needles) == f"<{masker.mask(secret)}>") is hidden


def test_equal_secrets_have_equal_masks(customer: Customer) -> None:
    """In any place and any spelling, so that a reader sees that the right one was sent, or which others."""
    key, other = customer.mine["key"], "another-secret+/"
    form: dict[str, Any] = {"content": f"pin={quote(other)}&key={key}", "headers": {**FORM, "X-Token": other}}
    request = customer.call(customer.send(f"/base/merged?key={key}&x={quote(other, safe='')}", **form))["request"]
    headers, query = dict(request["headers"]), dict(pair.split("=") for pair in request["query"].split("&"))
    assert MASK.fullmatch(headers["x-key"])
    assert headers["x-key"] == query["key"] == dict(request["form"])["key"]
    assert headers["x-token"] == query["x"] != headers["x-key"]
    bearer = customer.call(customer.send(headers={"Authorization": f"Bearer {key}"}))["request"]
    assert dict(bearer["headers"])["authorization"] == f"Bearer {headers['x-key']}"


def test_masks_say_nothing_of_the_secret() -> None:
    """Two processes mask one secret differently: a mask cannot be looked up."""
    one, other = Masker(()), Masker(())
    assert one.mask("secret") == one.mask("secret") != other.mask("secret")
    assert one.mask("secret") != one.mask("Secret")
    assert MASK.fullmatch(one.mask("\ud800"))


@pytest.mark.parametrize(
    "place", ["bearer", "another-header", "another-query", "json", "form-wrong-name", "unknown-path"]
)
def test_a_token_is_hidden_in_all_its_parts(customer: Customer, place: str) -> None:
    """A JWT is readable without its key: neither it nor a part of it is shown, right place or wrong."""
    for token in (customer.tokens["Claim"], "eyJhbGciOiJub25lIn0.eyJpc3MiOiJzb21lYm9keSJ9."):
        call = sent(customer, place, token)
        assert not any(piece in everything(call) for piece in token.split(".") if piece)


def test_a_part_of_a_presented_token_is_hidden_elsewhere(customer: Customer) -> None:
    """Claims copied out of the token that a request presents are as secret as in it."""
    token = customer.tokens["Claim"]
    for piece in token.split("."):
        sending: dict[str, Any] = {"json": {"to": piece}, "headers": {"Authorization": f"Bearer {token}"}}
        assert piece not in everything(customer.call(customer.send(**sending)))
    short: dict[str, Any] = {"json": {"to": "v1.2.3"}, "headers": {"Authorization": "Bearer v1.2.3.4"}}
    assert customer.call(customer.send(**short))["request"]["json"] == {"to": "v1.2.3"}


def test_the_key_file_is_hidden_in_json(customer: Customer) -> None:
    """A private key has line breaks, which JSON writes otherwise."""
    call = sent(customer, "json", rsa_key(), known=True)
    assert "PRIVATE" not in everything(call)


def test_other_accounts_secrets_are_hidden_too(make: Make) -> None:
    """A client that mixes two customers up shows neither's."""
    one, other = make(), make()
    call = one.call(one.send(json={**one.good, "text": other.mine["key"][:20], "note": other.mine["key"]}))
    assert call["account"] == one.id
    assert not leaks(call, other.mine["key"])
    listed = next(found for found in one.calls() if found["id"] == call["id"])
    assert listed == call


def test_an_account_that_is_gone() -> None:
    """What stands where secrets stand is hidden, whoever it belonged to."""
    call = recorded(headers=b"x-key: some-old-secret", query=b"key=some-old-secret&x=some-old-secret")
    masker = Masker((acme(),))
    assert masker.text("a some-old-secret", masker.of_call(call, None)) == f"a {masker.mask('some-old-secret')}"


def test_accounts_are_learned_and_forgotten() -> None:
    """A value is a secret as long as somebody has it."""
    bench, masker = Bench(), Masker((acme(),))
    text = f"<{bench.mine['key']}>"
    assert masker.text(text, masker.of_call(recorded(), None)) == text
    masker.learn((bench.one, bench.two))
    assert masker.text(text, masker.of_call(recorded(), None)) == f"<{masker.mask(bench.mine['key'])}>"
    masker.learn((), gone=(bench.one,))
    assert masker.text(text, masker.of_call(recorded(), None)) == text
    assert masker.text(rsa_key(), masker.of_call(recorded(), None)) == masker.mask(rsa_key())
    masker.learn((), gone=(bench.two,))
    assert masker.text(rsa_key(), masker.of_call(recorded(), None)) == rsa_key()
    assert masker.text(text, masker.of_call(recorded(), bench.one)) == f"<{masker.mask(bench.mine['key'])}>"


def test_what_comes_again_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of calls that are alike takes no more looking for the secrets of accounts than one of them."""
    bench, masker = Bench(), Masker((acme(),))
    masker.learn((bench.one, bench.two))
    read: list[str] = []
    spans = Needles.spans

    def noting(needles: Needles, text: str) -> Any:
        read.append(text)
        return spans(needles, text)

    monkeypatch.setattr(Needles, "spans", noting)
    text, long = "a header's value", "x" * 5000
    for _ in range(10):
        nothing = masker.of_call(recorded(), None)
        assert (masker.text(text, nothing), masker.text(long, nothing)) == (text, long)
    assert (read.count(text), read.count(long)) == (10 + 1, 10 + 10), "once for what each call presents"


printable = st.characters(min_codepoint=0x21, max_codepoint=0x7E)
secrets = st.text(printable | st.sampled_from("%~\\/+=&01uE4"), min_size=16, max_size=40)


@given(st.lists(secrets, max_size=20), st.text(printable | st.sampled_from("aA1 "), max_size=200), st.data())
@settings(deadline=None, max_examples=200, derandomize=True)
def test_many_secrets_are_found_as_few_are(others: list[str], text: str, data: st.DataObject) -> None:
    """They are looked for in another way where there are many: the same places are found, also overlapping ones."""
    secret = data.draw(secrets)
    at = data.draw(st.integers(0, len(text)))
    text = text[:at] + secret + text[at:] + secret[: data.draw(st.integers(0, len(secret)))]
    found = {span for one in {secret, *others} for span in Needles([one]).spans(text)}
    assert set(Needles([secret, *others]).spans(text)) == found >= {(at, at + len(secret), secret)}


@given(secrets, st.sampled_from(sorted(PLACES)), st.booleans())
@settings(
    deadline=None, max_examples=100, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_place_and_no_secret_leaks(make: Make, secret: str, place: str, known: bool) -> None:
    """Whatever an account's secret is, and wherever it is put, no call shows it."""
    customer = make(clients=[{"secret": secret}])
    assert not leaks(sent(customer, place, secret, known=known), secret)
