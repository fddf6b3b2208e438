"""Calls for other programs: archives, scripts that make them again, texts, assertions. No secret is in any of them."""

import json
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from mockserver.server.application import create_app
from mockserver.server.control.exports import EXPORTS
from tests.server.acme_customer import SETTINGS, Customer


@pytest.fixture
def busy(customer: Customer) -> Customer:
    """Sent, refused for its body, without a good key, by a token, to no operation."""
    customer.send()
    customer.send(json={**customer.good, "to": "+49301", "text": "t" * 30})
    customer.send(headers={"X-Key": "a-wrong-key-of-somebody"})
    customer.client.post("/base/claim", headers={"Authorization": f"Bearer {customer.tokens['Claim']}"})
    customer.send("/nowhere", content=b"\x00\xff", params={"q": "$(rm -rf /) `x` \"y\" 'z'"})
    return customer


def export(customer: Customer, form: str, **query: str) -> Any:
    response = customer.client.get("/_mock/calls", params={"account": customer.id, "format": form, **query})
    assert response.status_code == 200, response.text
    return response


@pytest.mark.parametrize("form", EXPORTS)
def test_no_secret(busy: Customer, form: str) -> None:
    """Keys and tokens, good or not, are in no export, of a list or of one call."""
    text = export(busy, form).text
    texts = [text, *(busy.client.get(f"/_mock/calls/{call['id']}?format={form}").text for call in busy.calls())]
    secrets = [busy.mine["key"], "a-wrong-key-of-somebody", *busy.tokens.values()]
    assert [secret for secret in secrets if any(secret in text for text in texts)] == []


def test_an_archive(busy: Customer) -> None:
    """Oldest first, each as ``_mockserver`` has it; one of a single call has it alone."""
    log = export(busy, "har").json()["log"]
    listed = [call["id"] for call in busy.calls()][::-1]
    assert [entry["_mockserver"]["id"] for entry in log["entries"]] == listed
    (entry,) = busy.client.get(f"/_mock/calls/{listed[0]}?format=har").json()["log"]["entries"]
    assert entry == log["entries"][0]


def test_filters_hold_for_exports(busy: Customer) -> None:
    """What is listed is exported."""
    log = export(busy, "har", accepted="true", operation="acme.send_sms").json()["log"]
    assert [entry["_mockserver"]["answer"] for entry in log["entries"]] == ["acme.send_sms/sent"]
    assert export(busy, "text", contains="nothing has this").text.strip() == ""


def test_a_text(busy: Customer) -> None:
    """Head, reasons, both bodies; controls are escapes."""
    text = export(busy, "text").text
    assert "acme.send_sms/sent 202" in text
    assert "x-key: ***" in text
    assert "maxLength" in text
    assert "(2 bytes, base64) AP8=" in text


def test_assertions(busy: Customer) -> None:
    """What a test would say of each call; nothing can be said of one to no operation."""
    lines = export(busy, "pytest").text.strip().split("\n\n")
    assert lines[0].startswith('mock_vendors.acme.send_sms.assert_accepted_once(json={"from": ')
    assert lines[1].startswith('mock_vendors.acme.send_sms.assert_refused(answer="')
    assert lines[4].startswith("# ")


@pytest.mark.parametrize("query", ["format=xml", "format=har&limit=1001"])
def test_mistakes(acme_client: TestClient, query: str) -> None:
    """A format that is unknown is told with the known ones; of one call there is no summary."""
    assert acme_client.get(f"/_mock/calls?{query}").status_code == 400


def test_evictions_are_told() -> None:
    """An archive and a text say that calls are missing."""
    with TestClient(create_app(replace(SETTINGS, max_journal_calls=1)), base_url="http://localhost") as client:
        one = Customer.made(client)
        for _ in range(3):
            one.send()
        assert export(one, "har").json()["log"]["comment"] == "2 earlier calls had to make room"
        assert "2 earlier calls" in export(one, "text").text
        assert "2 earlier calls" in export(one, "curl").text


def test_the_archive_is_json(busy: Customer) -> None:
    """However many calls it has: none, too."""
    assert json.loads(export(busy, "har", contains="nobody said this").text)["log"]["entries"] == []
