"""Claims: what a request says of whose it is, whether true or not."""

from typing import Any

import pytest

from mockserver.exchange.facts import Claims, claims, credential_claims, named_account, owned_claim
from tests.exchange.workbench import Bench, acme, request


def test_claims_of_a_request() -> None:
    """Credentials and owned values, each with the account pointer that it must be found at."""
    found = claims(
        request("send_sms", headers={"x-key": "k"}, body={"from": "+1 (2)", "to": "3", "sender": "Shop"}),
        acme().schemes,
    )
    assert found.credentials == (("/account/key", "k"),)
    assert found.owned == (("/account/lines/number", "12"), ("/account/lines/senders", "Shop"))


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
def test_owned_claim(value: Any, by_digits: bool, claim: str | None) -> None:
    """Texts and numbers can be owned, compared as text or by digits; nothing else can."""
    expected = None if claim is None else ("/account/x", claim)
    assert owned_claim("/account/x", value, by_digits=by_digits) == expected


def test_claims_of_tokens() -> None:
    """A token claims what its header or a claim of it names, verified or not; what is no token claims nothing."""
    unsigned = "eyJhbGciOiJub25lIiwia2lkIjoiayJ9.eyJhcHAiOiJhIn0."  # {"alg":"none","kid":"k"} {"app":"a"}
    data: dict[str, Any] = {"query": {}, "header": {"authorization": f"Bearer {unsigned}", "x-token": unsigned}}
    assert credential_claims(acme().schemes, data) == Claims(
        (("/account/clients/id", "a"), ("/account/clients/id", "k")), ()
    )
    data["header"] = {"authorization": "Bearer word", "x-token": "word"}
    assert credential_claims(acme().schemes, data) == Claims((), ())


def test_named_account() -> None:
    """The first claim that anybody owns names the account, credentials before owned values."""
    bench = Bench()
    mine = ("/account/key", bench.mine["key"])
    theirs = ("/account/lines/number", bench.theirs["lines"][0]["number"])
    nobodys = ("/account/key", "nobody's")
    assert named_account(Claims((nobodys, mine), (theirs,)), bench.facts()) is bench.one
    assert named_account(Claims((nobodys,), (theirs,)), bench.facts()) is bench.two
    assert named_account(Claims((nobodys,), ()), bench.facts()) is None
