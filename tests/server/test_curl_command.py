"""Recorded calls as commands: each part as it was sent, and every credential asked for or masked."""

import base64
import gzip
import json
import shlex
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from mockserver.server.application import create_app
from mockserver.server.curl_command import MAX_ARGUMENT_BYTES
from mockserver.server.masking import Masker
from tests.server.acme_customer import SETTINGS, Customer


def command(customer: Customer, response: Any) -> list[str]:
    """The words of the command, its substitutions as they are written."""
    text = customer.client.get(f"/_mock/calls/{response.headers['x-mock-call']}?format=curl").text
    return shlex.split(text.partition("\n\n")[2].partition("\n")[2])


def token(customer: Customer, name: str) -> str:
    return f"$(curl -sS http://localhost/_mock/accounts/{customer.id}/tokens/acme/{name})"


def test_a_key_in_the_query(customer: Customer) -> None:
    """Asked for where it is the account's; another stays masked; what stands beside it stays."""
    words = command(customer, customer.send("/base/messages", params={"key": customer.mine["key"], "a": "b c"}))
    assert words[5] == f"http://localhost/base/messages?key={token(customer, 'QueryKey')}&a=b+c"
    (other,) = [word for word in command(customer, customer.send(params={"key": "somebody-elses-key"})) if "?" in word]
    assert "somebody-elses-key" not in other
    assert "***" in other.replace("%2A", "*")


def test_a_key_in_a_form(customer: Customer) -> None:
    """A form is sent as it was, its secret fields replaced."""
    words = command(customer, customer.send("/base/forms", data={"key": customer.mine["key"], "text": "a&b $c"}))
    assert words[-1] == f"key={token(customer, 'QueryKey')}&text=a%26b+%24c"


def test_a_vendors_own_host(customer: Customer) -> None:
    """The host decides whose path it is, so it is told; one of this machine is not."""
    assert "host: api.acme.test" in command(customer, customer.send(headers={"Host": "api.acme.test"}))
    assert not any(word.startswith("host:") for word in command(customer, customer.send()))


def test_the_second_of_several(customer: Customer) -> None:
    """A credential of a further record is that record's; of one that the account has not, it is masked."""
    bearer = {"Authorization": f"Bearer {customer.tokens['Claim_2']}"}
    words = command(customer, customer.client.post("/base/claim", headers=bearer))
    assert f"authorization: Bearer {token(customer, 'Claim_2')}" in words


def test_a_call_to_no_vendor(customer: Customer) -> None:
    """Nobody knows a good credential for it."""
    words = command(customer, customer.send("/nowhere", content=b""))
    assert any(word.startswith("x-key: ***") for word in words)
    assert "--data-binary" not in words


def test_a_secret_in_a_body_is_masked(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its place, or by its shape."""
    sent = customer.send(json={**customer.good, "text": customer.tokens["Claim"]})
    assert customer.tokens["Claim"] not in " ".join(command(customer, sent))
    monkeypatch.setattr(Masker, "body", lambda _self, text, *_: text)
    assert customer.tokens["Claim"] in " ".join(command(customer, sent))


@pytest.mark.parametrize("text", ["@/etc/hostname", "plain", "@"])
def test_a_body_is_no_files_name(customer: Customer, text: str) -> None:
    """An @ at its begin is sent, where ``--data-binary`` would send a file of whoever runs the command."""
    words = command(customer, customer.send(content=text.encode(), headers={"Content-Type": "text/plain"}))
    assert words[-2:] == ["--data-raw", text]


@pytest.mark.parametrize(
    ("path", "options"),
    [
        ("/base/messages?a[]=1&b={x,y}", ["-g"]),
        ("/base/%5B1-2%5D/%7Ba,b%7D", []),
        ("/base/%2e%2e/messages", ["--path-as-is"]),
        ("/base/messages?a=1", []),
    ],
)
def test_an_address_is_asked_as_it_is(customer: Customer, path: str, options: list[str]) -> None:
    """Curl takes brackets and braces for patterns, and walks dots, unless it is told not to."""
    words = command(customer, customer.client.post(path))
    assert words[5 : words.index(next(word for word in words if word.startswith("http://")))] == options


def test_head(customer: Customer) -> None:
    """Curl would wait for a body that never comes, unless it knows the method."""
    words = command(customer, customer.client.head("/base/messages"))
    assert words[:4] == ["curl", "-sS", "-i", "--head"]
    assert "-X" not in words


def test_empty_headers(customer: Customer) -> None:
    """One that was sent without a value is sent so again; one that was not sent, and that curl would add, is not."""
    words = command(customer, customer.send(headers={"X-Note": ""}))
    assert "x-note;" in words
    assert [word for word in words if word.endswith(": ")] == []
    assert "content-type: " in command(customer, customer.client.post("/nowhere"))


def test_what_a_persons_shell_expands(customer: Customer) -> None:
    """An exclamation mark in double quotes is a word of the history there."""
    text = customer.client.get(
        f"/_mock/calls/{customer.send(headers={'X-Note': 'Hi!there'}).headers['x-mock-call']}?format=curl"
    ).text
    assert '-H "x-note: Hi"\'!\'"there"' in text


def test_a_long_body_is_piped() -> None:
    """Longer than what a system takes as one argument."""
    with TestClient(create_app(replace(SETTINGS, max_body=300_000)), base_url="http://localhost") as client:
        one = Customer.made(client)
        sent = command(one, one.send("/nowhere", content=b"it's " * 30_000))
        assert sent[:4] == ["printf", "%s", "it's " * 30_000, "|"]
        assert sent[-2:] == ["--data-binary", "@-"]
        assert max(map(len, sent[3:])) < MAX_ARGUMENT_BYTES
        form = command(one, one.send("/base/forms", data={"key": one.mine["key"], "text": "t" * 120_000}))
        assert form[2].startswith(f"key={token(one, 'QueryKey')}&text=ttt")


def test_a_body_that_was_not_kept_is_told(customer: Customer) -> None:
    """A command without it gets another answer."""
    sent = customer.send(json={**customer.good, "text": "t" * 2000})
    text = customer.client.get(f"/_mock/calls/{sent.headers['x-mock-call']}?format=curl").text
    assert "acme.send_sms/refused 400, its body was too large to be kept" in text


def piped(words: list[str]) -> bytes:
    """The bytes that a command reads from what stands before it."""
    assert words[:2] == ["printf", "%s"]
    assert words[3:7] == ["|", "base64", "-d", "|"]
    return base64.b64decode(words[2])


def test_no_secret_in_bytes(customer: Customer) -> None:
    """What is no text is masked like text; what was compressed is sent as it was, unless a secret stands in it."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    body = b"key=" + customer.mine["key"].encode() + b"&text=caf\xe9"
    found = piped(command(customer, customer.send("/base/forms", content=body, headers=form)))
    assert found.startswith(b"key=***")
    assert found.endswith(b"&text=caf\xe9")
    coded = {**form, "Content-Encoding": "gzip"}
    words = command(customer, customer.send("/base/forms", content=gzip.compress(body), headers=coded))
    assert piped(words) == found
    assert not any("content-encoding" in word for word in words)
    plain = gzip.compress(json.dumps(customer.good).encode())
    json_coded = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    words = command(customer, customer.send(content=plain, headers=json_coded))
    assert piped(words) == plain
    assert "content-encoding: gzip" in words
    secret = gzip.compress(json.dumps({**customer.good, "text": customer.tokens["Claim"]}).encode())
    words = command(customer, customer.send(content=secret, headers=json_coded))
    assert words[-2] == "--data-raw"
    assert customer.tokens["Claim"] not in words[-1]
    assert "content-encoding: gzip" not in words


def test_no_token_in_an_address(customer: Customer) -> None:
    """A path is masked by what stands in it, as elsewhere."""
    words = command(customer, customer.client.post(f"/nowhere/{customer.tokens['Claim']}"))
    assert not any(customer.tokens["Claim"] in word for word in words)
