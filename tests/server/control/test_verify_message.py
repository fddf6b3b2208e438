"""The text of a failed verification: counts, nearest calls, why they were refused, where they went instead."""

from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from mockserver.matching.explain import MAX_FITTING_LISTED
from mockserver.matching.show import CONTEXT
from mockserver.server.application import create_app
from tests.server.acme_customer import SETTINGS, Customer
from tests.server.conftest import Make


def message(customer: Customer, **asked: Any) -> str:
    """What is said where this was expected of the customer's calls."""
    body = {"account": customer.id, **asked}
    response = customer.client.post("/_mock/calls/verify", json=body)
    assert response.status_code == 200, response.text
    text: str = response.json()["message"]
    return text


def lines(customer: Customer, **asked: Any) -> list[str]:
    return message(customer, **asked).splitlines()


@pytest.mark.parametrize(
    ("asked", "headline"),
    [
        ({}, "any vendor: expected at least 1 call(s), found 0"),
        ({"vendor": "acme"}, "acme: expected at least 1 call(s), found 0"),
        ({"operation": "acme.ping", "vendor": "acme"}, "acme.ping: expected at least 1 call(s), found 0"),
        ({"accepted": True}, "any vendor: expected at least 1 accepted call(s), found 0"),
        ({"accepted": False}, "any vendor: expected at least 1 refused call(s), found 0"),
        ({"recipient": "+1 415"}, "any vendor: expected at least 1 call(s) to +1 415, found 0"),
        ({"count": {"exactly": 2}}, "any vendor: expected exactly 2 call(s), found 0"),
        ({"count": {"at_most": 2}}, "any vendor: expected at most 2 call(s), found 0"),
        ({"count": {"at_least": 2, "at_most": 3}}, "any vendor: expected from 2 to 3 call(s), found 0"),
    ],
)
def test_the_headline(customer: Customer, asked: dict[str, Any], headline: str) -> None:
    """What was expected, what was found, among how many, of whom."""
    assert lines(customer, **asked)[0] == f"{headline} (0 recorded for account {customer.id})."


def test_nobodys_calls_have_a_name(customer: Customer) -> None:
    """Calls of no account are those of ``unclaimed``."""
    asked = {"account": "unclaimed", "since": "2999-01-01"}
    assert "recorded for account unclaimed)." in message(customer, **asked)


def test_the_nearest_call(customer: Customer) -> None:
    """When, what, how answered and why; then each difference, absence as ``nothing``."""
    sent = customer.send(json={**customer.good, "text": "Hi"})
    where = {"body": {"text": "Bye", "sender": None}, "query": {"q": "1"}}
    (call,) = customer.calls()
    assert lines(customer, where=where, answer="busy", when={"/body/text": {"maxLength": 1}})[1:-1] == [
        "Nearest call:",
        f"  {call['id']} {call['received_at'][11:23]} POST /base/messages -> 202 acme.send_sms/sent (by default)",
        '      /answer: expected "busy", found "acme.send_sms/sent"',
        '      /body/text: expected "Bye", found "Hi"',
        "      /body/sender: expected null, found nothing",
        '      /query/q: expected "1", found nothing',
        '      /body/text: expected {"schema": {"maxLength": 1}}, found "Hi"',
    ]
    assert call["id"] == sent.headers["x-mock-call"]


def test_the_nearest_calls_come_in_order(customer: Customer) -> None:
    """At most three, those that differ least first; no calls where the verdict is yes."""
    for text in ("a", "b", "c", "d"):
        customer.send(json={**customer.good, "text": text})
    found = lines(customer, where={"body": {"text": "e", "to": "+14155550123"}})
    assert found[1] == "Nearest calls:"
    assert [line for line in found if line.startswith("      ")] == [
        f'      /body/text: expected "e", found "{text}"' for text in ("d", "c", "b")
    ]
    assert len(lines(customer)) == 1


def test_a_call_to_no_operation_and_one_off_the_contract(customer: Customer) -> None:
    """Both are calls, and are told as what they are."""
    customer.send("/nowhere")
    pin = {"account": customer.id, "answers": [{"status": 418}]}
    customer.client.put("/_mock/pins/acme.send_sms", json=pin)
    customer.send()
    text = message(customer, answer="sent")
    assert "POST /base/messages -> 418 off-contract (by pin)" in text
    assert "POST /nowhere -> 404 no operation has this path\n" in text


def test_long_values_are_cut(customer: Customer) -> None:
    """A terminal shows them from shortly before the first difference, and how much there is."""
    customer.send(json={**customer.good, "extra": "x" * 600})
    (line,) = (line for line in lines(customer, where={"body": {"extra": "x" * 599}}) if "/body/extra" in line)
    expected, found = f'"…{"x" * CONTEXT}" (599 characters)', f'"…{"x" * CONTEXT}x" (600 characters)'
    assert line == f"      /body/extra: expected {expected}, found {found} (first difference at index 599)"


@pytest.mark.parametrize(
    ("sent", "meant"), [("2\u202fPM", "2 PM"), ("cafe\u0301", "caf\u00e9"), ("\u0410nna", "Anna"), ("Hi ", "Hi")]
)
def test_texts_that_look_alike(customer: Customer, sent: str, meant: str) -> None:
    """In a body or a query: what the eye does not tell apart is written so that it does."""
    customer.send(json={**customer.good, "text": sent}, params={"q": sent})
    where = {"body": {"text": meant}, "query": {"q": meant}}
    found = [line for line in lines(customer, where=where) if "first difference" in line]
    assert [line.strip().partition(":")[0] for line in found] == ["/body/text", "/query/q"]
    for line in found:
        expected, shown = line.partition("expected ")[2].rpartition(" (first")[0].split(", found ")
        assert (expected + shown).isascii()
        assert expected != shown


def test_secrets_that_are_masked_alike(customer: Customer) -> None:
    """Two forms of one token have one mask: the message says that they differ there."""
    token = customer.tokens["Claim"]
    customer.send(headers={"X-Token": f"Bearer  {token}"})
    text = message(customer, where={"headers": {"x-token": f"Bearer {token}"}})
    (line,) = (line for line in text.splitlines() if "/headers/x-token" in line)
    expected, found = line.partition("expected ")[2].split(", found ")
    assert found == f"{expected} (they differ where they are masked)"
    assert token not in text


def test_many_differences_are_cut(customer: Customer) -> None:
    """Eight of a call are enough to see that it is another."""
    customer.send()
    found = lines(customer, where={"body": {f"m{number}": 1 for number in range(20)}})
    assert sum("expected 1, found nothing" in line for line in found) == 8


def test_secrets_are_masked_and_yet_compared(customer: Customer) -> None:
    """What differs is seen though neither is shown: by place, in a schema too, and a token anywhere."""
    key, token, wrong = customer.mine["key"], customer.tokens["Claim"], "w" * 40
    customer.send(headers={"X-Key": wrong, "X-Trace": f"token={token}"})
    where = {"headers": {"x-key": key, "x-trace": token}, "body": {"text": wrong}}
    text = message(customer, where=where, when={"/header/x-key": {"enum": [key], "type": "string"}})
    assert not any(secret in text for secret in (key, token, token[:30]))
    masked, schema = [line for line in text.splitlines() if "/x-key: expected" in line]
    assert masked.count("***") == 2
    expected, found = masked.rpartition("expected ")[2].split(", found ")
    assert expected != found
    assert f'"enum": [{expected}], "type": "string"' in schema
    assert wrong not in found
    (trace,) = (line for line in text.splitlines() if "/headers/x-trace" in line)
    assert trace.count("***") == 2
    assert f'/body/text: expected "{wrong}"' in text, "where no secret stands"


@pytest.mark.parametrize(
    ("to", "headers", "refused", "cure"),
    [
        pytest.param(
            "/base/messages",
            {},
            "refused: unauthenticated absent /header/x-key: ",
            'the right header x-key: the account\'s acme.tokens["Key"]',
            id="header",
        ),
        pytest.param(
            "/base/claim",
            {},
            "refused: unauthenticated absent /header/authorization: ",
            'the right header authorization: Bearer <token>, the token being acme.tokens["Claim"]',
            id="bearer",
        ),
        pytest.param(
            "/base/kid",
            {"X-Token": "x"},
            "refused: unauthenticated malformed /header/x-token: ",
            'the right header x-token: the account\'s acme.tokens["Kid"]',
            id="another-token",
        ),
        pytest.param(
            "/base/merged?pin=1&a=x",
            {},
            "refused: unauthenticated absent /query/key: ",
            'the right parameter key: the account\'s acme.tokens["QueryKey"]',
            id="one-of-two-parameters",
        ),
    ],
)
def test_the_cure(customer: Customer, to: str, headers: dict[str, str], refused: str, cure: str) -> None:
    """A refused call tells its problem, and what the right credential is called; it is a right one indeed."""
    body = {"from": customer.mine["lines"][0]["number"], "to": "+1", "q": 1}
    customer.client.post(to, json=body, headers=headers)
    account = customer.id if to == "/base/messages" else "unclaimed"
    found = [line.strip() for line in lines(customer, account=account, vendor="acme", answer="sent")]
    at = next(number for number, line in enumerate(found) if line.startswith(refused))
    assert found[at + 1] == cure
    assert cure.split('"')[1] in customer.tokens


def test_other_problems_have_no_cure(customer: Customer) -> None:
    """Each is told; what it says of a secret is masked, and an accepted call has none to tell."""
    secret = customer.mine["key"]
    customer.send(json={"from": secret, "to": secret})
    text = message(customer, accepted=True)
    assert "      refused: invalid pattern /body/to: " in text
    assert "      refused: unknown /body/from: " in text
    assert "the right" not in text
    assert secret not in text
    pin = {"account": customer.id, "answers": ["sent"], "force": True}
    customer.client.put("/_mock/pins/acme.send_sms", json=pin)
    customer.client.delete("/_mock/calls", params={"account": customer.id})
    customer.send(json={"from": customer.mine["lines"][0]["number"], "to": "x"})
    assert "refused:" not in message(customer, answer="busy")


def test_too_many_calls_are_listed(customer: Customer) -> None:
    """The latest of those that fit, newest first; no nearest ones, for none is missing."""
    sent = [customer.send().headers["x-mock-call"] for _ in range(MAX_FITTING_LISTED + 2)]
    customer.send(json={})
    found = lines(customer, accepted=True, count={"at_most": 1})
    assert found[0].startswith(f"any vendor: expected at most 1 accepted call(s), found {MAX_FITTING_LISTED + 2} (")
    assert found[1] == "Calls that fit, latest first:"
    assert [line.split()[0] for line in found[2:]] == sent[: -MAX_FITTING_LISTED - 1 : -1]


@pytest.fixture
def default(acme_client: TestClient) -> Customer:
    """The built-in account, which others' calls may go to by mistake."""
    return Customer(acme_client, acme_client.get("/_mock/accounts/default").json())


def test_calls_that_went_elsewhere(make: Make, default: Customer) -> None:
    """Since the account was made, of what was asked for: how many, to whom, with which credential, masked."""
    default.send()
    customer = make()
    client = customer.client
    for _ in range(2):
        default.send()
    client.post("/base/messages", json={})
    client.post("/base/messages", json={}, headers={"X-Key": "nobody's", "Authorization": "Bearer eyJ"})
    client.post("/base/ping", json={})
    client.post("/nowhere", json={})
    found = lines(customer, operation="acme.send_sms")
    assert found[1] == "Since this account was made, calls of acme.send_sms went elsewhere:"
    shown = default.calls()[0]["request"]["headers"]
    masked = next(value for name, value in shown if name == "x-key")
    assert found[2] == f"  2 to the built-in account default, carrying header x-key {masked}"
    assert masked.startswith("***")
    (wrong, none) = sorted(found[3:5])
    assert wrong.startswith("  1 to nobody, carrying header x-key ***")
    assert ", header authorization Bearer ***" in wrong
    assert none == "  1 to nobody, carrying no credential"
    assert found[5:] == [
        "  Were the credentials read before the account was made (at import, say)?",
        "POST /nowhere got a 404: no operation has this path; nearest: POST /merged (acme.post_merged)",
    ]
    assert default.mine["key"] not in "".join(found)


def test_too_early(make: Make) -> None:
    """Where nothing came at all, and nobody waited for it."""
    customer = make()
    hint = "No call has come yet; code that sends in the background needs within=... (seconds to wait for it)."
    assert lines(customer)[1:] == [hint]
    assert lines(customer, operation="acme.ping", count={"exactly": 2})[1:] == [hint]
    assert lines(customer, within=0.01)[1:] == []
    assert lines(customer, count={"exactly": 0})[1:] == []
    customer.send()
    assert hint not in lines(customer, operation="acme.ping")


def test_paths_that_nobody_has(make: Make) -> None:
    """Of late 404s to the account or to nobody: method, path and nearest operation, and what the base URL lacks."""
    customer = make()
    client = customer.client
    client.get("/typed/5?x=1")
    assert "404" not in message(customer)  # it is a path of another of the vendor's servers
    client.post("/acme/base/base/messages")
    customer.send("/bas/messages")
    client.post("/v1/base/rpc")
    client.post("/base/base/messages")
    found = lines(customer, operation="acme.send_sms", count={"exactly": 3})
    got = "got a 404: no operation has this path; nearest:"
    assert [line for line in found if "404" in line and line.startswith("POST")] == [
        f"POST /bas/messages {got} POST /messages (acme.send_sms): does the base URL have /bas too much?",
        f"POST /base/base/messages {got} POST /base/messages (acme.send_sms): does the base URL have /base too much?",
        f"POST /v1/base/rpc {got} POST /base/rpc (acme.rpc): does the base URL have /v1 too much?",
    ]
    assert "got a 404" not in message(customer, since="2999-01-01")
    assert "got a 404" not in message(make())


def test_a_base_url_that_lacks_its_path() -> None:
    """The commonest mistake: the address is right, but for the path of the vendor's API."""
    with TestClient(create_app(), base_url="http://localhost") as client:
        account = client.post("/_mock/accounts", json={}).json()
        client.post("/SendSmsMessage?sms_body=Hi")
        verdict = client.post("/_mock/calls/verify", json={"account": account["id"]}).json()
        assert verdict["message"].splitlines()[1:] == [
            "POST /SendSmsMessage got a 404: no operation has this path; nearest: "
            "POST /platform_api/SendSmsMessage (voximplant.send_sms): does the base URL lack /platform_api?"
        ]


def test_an_unknown_path_is_masked_and_cut(make: Make) -> None:
    """A token in it is not shown, nor more of it than tells which it is."""
    customer = make()
    token = customer.tokens["Claim"]
    customer.send(f"/nowhere/{token}/{'x' * 500}")
    text = message(customer, operation="acme.ping")
    (line,) = (line for line in text.splitlines() if "got a 404" in line)
    assert token[:20] not in text
    assert "/nowhere/***" in line
    assert len(line) < 400


def test_strays_of_other_operations_are_another_matter(make: Make, default: Customer) -> None:
    """Where they cannot be what is missing, or nothing is missing, they are not told."""
    customer = make()
    default.send()
    default.send("/nowhere")
    default.client.post("/base/merged?pin=1&key=abc&a=x")
    assert "elsewhere" not in message(customer, operation="acme.ping")
    assert "carrying credentials in its query" in message(customer, operation="acme.post_merged")
    everything = message(customer)
    assert "calls of its vendors went elsewhere:" in everything
    assert "  1 to the built-in account default, " in everything
    assert "elsewhere" not in message(customer, count={"exactly": 0})
    customer.send()
    assert "elsewhere" not in message(customer, count={"exactly": 0})
    assert "elsewhere" not in message(default, answer="busy", since="2999-01-01")


def test_evicted_calls_are_told() -> None:
    """Why it cannot be known, and what helps; what is here is shown all the same."""
    settings = replace(SETTINGS, max_journal_calls=2)
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        customer = Customer.made(client)
        for _ in range(3):
            customer.send()
        found = lines(customer, count={"exactly": 2})
        assert found == [
            f"any vendor: expected exactly 2 call(s), found 2 (2 recorded for account {customer.id}). "
            "Cannot be known: 1 calls of this account had to make room in the journal. "
            "Raise max-journal-calls or max-journal-bytes, or reset earlier."
        ]
        assert "Nearest calls:" in lines(customer, answer="busy")
