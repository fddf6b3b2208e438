"""Recorded calls as commands: each part as it was sent, and every credential asked for or masked."""

import shlex
from typing import Any

import pytest

from mockserver.server.masking import Masker
from tests.server.customers import Customer


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
