"""Credentials as a request carries them: found where they stand, read, not yet believed."""

from typing import Any

import pytest

from mockserver.engine.credentials import MAX_REMEMBERED_BYTES, CredentialReader, claim_of
from tests.engine.workbench import acme, request

UNSIGNED = "eyJhbGciOiJub25lIiwia2lkIjoiayJ9.eyJhcHAiOiJhIn0."  # {"alg":"none","kid":"k"} {"app":"a"}


def carried(**headers: Any) -> dict[str, tuple[str, Any]]:
    """By scheme: the text, and the account value that it names."""
    data = {"query": {}, "header": {name.replace("_", "-"): value for name, value in headers.items()}}
    return {scheme.name: (one.text, one.claim) for scheme, one in CredentialReader().read(acme().schemes, data).items()}


def test_claims_of_a_request() -> None:
    """Credentials and owned values, each with the account pointer that it must be found at."""
    found = request("send_sms", headers={"x-key": "k"}, body={"from": "+1 (2)", "to": "3", "sender": "Shop"})
    assert found.claims == [
        ("/account/key", "k"),
        ("/account/lines/number", "12"),
        ("/account/lines/senders", "Shop"),
    ]


@pytest.mark.parametrize(
    ("value", "by_digits", "claim"),
    [
        pytest.param("+1 2", False, "+1 2", id="text"),
        pytest.param("+1 2", True, "12", id="digits-of-text"),
        pytest.param(12, False, "12", id="integer"),
        pytest.param(12.0, True, "12", id="float"),
        pytest.param(True, False, None, id="boolean"),
        pytest.param(None, True, None, id="null"),
        pytest.param(["1"], False, None, id="list"),
    ],
)
def test_claim_of_a_value(value: Any, by_digits: bool, claim: str | None) -> None:
    """Texts and numbers can be owned, compared as text or by digits; nothing else can."""
    expected = None if claim is None else ("/account/x", claim)
    assert claim_of("/account/x", value, by_digits=by_digits) == expected


def test_tokens() -> None:
    """A token claims what its header or a claim of it names, verified or not; what is no token claims nothing."""
    assert carried(authorization=f"Bearer {UNSIGNED}", x_token=UNSIGNED) == {
        "Claim": (UNSIGNED, ("/account/clients/id", "a")),
        "Kid": (UNSIGNED, ("/account/clients/id", "k")),
    }
    assert carried(authorization="bearer word", x_token="word") == {"Claim": ("word", None), "Kid": ("word", None)}


@pytest.mark.parametrize("value", ["", "Basic abc", "Bearer", "Bearer  "])
def test_what_is_there_but_no_credential(value: str) -> None:
    """It is present, so that it is malformed and not absent; it names nobody."""
    assert carried(authorization=value) == {"Claim": ("", None)}


def test_a_long_credential_is_read_but_not_remembered() -> None:
    """Else a thousand of them, each as long as a header may be, would stay in memory."""
    before = carried(x_key="k" * MAX_REMEMBERED_BYTES)
    assert before == {"Key": ("k" * MAX_REMEMBERED_BYTES, ("/account/key", "k" * MAX_REMEMBERED_BYTES))}
    assert carried(x_key="k" * (MAX_REMEMBERED_BYTES + 1))["Key"][1] == (
        "/account/key",
        "k" * (MAX_REMEMBERED_BYTES + 1),
    )
