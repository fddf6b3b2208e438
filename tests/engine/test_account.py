"""What a customer is handed: tokens that are accepted, credentials, files."""

import json
from dataclasses import replace
from typing import Any

import pytest

from mockserver.engine.account import Sample, credential_members, sample, tokens
from mockserver.engine.signing import read_token
from mockserver.spec.load import load_contracts
from mockserver.spec.pointer import MISSING
from mockserver.store.accounts import Maker
from tests.engine.workbench import NOW, Bench, acme, arrive, operation, parse, request
from tests.evidence import ROOT


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


def test_tokens(bench: Bench) -> None:
    """One for every scheme and record, numbered from the second; each signed one accepted by its own scheme."""
    found = tokens(acme(), bench.mine, NOW)
    assert list(found) == ["Key", "QueryKey", "Pin", "Claim", "Claim_2", "Claim_3", "Kid", "Kid_2", "Kid_3"]
    assert (found["Key"], found["Pin"]) == (bench.mine["key"], str(bench.mine["pin"]))
    for name, scope in (("Claim", "sent"), ("Claim_3", "sent"), ("Claim_2", "forbidden")):
        made = request("by_claim", headers={"authorization": f"Bearer {found[name]}"})
        problem = bench.decide(made).problem
        assert ("sent" if problem is None else problem.kind) == scope
    kid = bench.decide(request("by_kid", headers={"x-token": found["Kid"]}))
    assert (kid.problem, kid.call.account) == (None, "one")


def test_a_token_lives_as_long_as_its_contract_lets_it(bench: Bench) -> None:
    """It has the claims that are required: a birth, and an end within the longest life."""
    found = tokens(acme(), bench.mine, NOW + 0.5)
    claim, kid = read_token(found["Claim"]), read_token(found["Kid"])
    assert claim is not None
    assert kid is not None
    assert claim.claims == {"app": bench.mine["clients"][0]["id"], "iat": int(NOW)}
    assert kid.claims == {"iss": bench.mine["pin"], "exp": int(NOW) + 600}


def test_credential_members() -> None:
    """Members that schemes or files read are credentials; all else is what the customer owns."""
    assert credential_members(acme()) == {"key", "pin", "clients"}


def test_sample(bench: Bench) -> None:
    """A ready request: the contract's example, with what the account owns, and its credential."""
    found = sample(operation("send_sms"), bench.mine, NOW)
    line = bench.mine["lines"][0]
    assert (found.method, found.path) == ("POST", "/messages")
    assert json.loads(found.body) == {
        "from": line["number"],
        "to": "+15550100",
        "text": "Hi",
        "sender": line["senders"][0],
    }
    assert found.headers == {"content-type": "application/json", "x-key": bench.mine["key"]}
    typed = sample(operation("get_typed"), bench.mine, NOW)
    assert (typed.path, typed.headers, typed.body) == ("/typed/5?flag=true", {}, "")
    merged = sample(operation("post_merged"), bench.mine, NOW)
    assert merged.path == f"/merged?a=x&pin={bench.mine['pin']}&key={bench.mine['key']}"
    assert sample(operation("by_claim"), bench.mine, NOW).headers["authorization"].startswith("Bearer ey")


def changed(essence: str, example: dict[str, Any], bench: Bench | None = None) -> Sample:
    """A sample of an operation with another example of its body, of another media type."""
    one = operation("send_sms")
    assert one.body is not None
    (media,) = [media for media in one.body.media.values() if media.example is not MISSING]
    other = replace(one, body=replace(one.body, media={essence: replace(media, essence=essence, example=example)}))
    return sample(other, (bench or Bench()).mine, NOW)


def test_a_sample_of_any_media_type_is_json() -> None:
    """Where the contract takes whatever comes, a body that reads as JSON says that it is."""
    assert changed("*/*", {}).headers["content-type"] == "application/json"
    assert changed("text/x", {}).headers["content-type"] == "text/x"


def test_a_sample_names_what_an_owned_record_has_only_where_the_example_does(bench: Bench) -> None:
    """A line is always named; a sender of it only where the example has one."""
    line = bench.mine["lines"][0]
    for example, body in [
        ({}, {"from": line["number"]}),
        ({"sender": "x"}, {"from": line["number"], "sender": line["senders"][0]}),
    ]:
        assert json.loads(changed("application/json", example, bench).body) == body


def test_a_sample_names_a_record_once() -> None:
    """A value that a request can have in either of two places stands where the example has it, and only there."""
    (contract,) = load_contracts([ROOT / "contracts" / "opentact.yaml"])
    data = Maker().account(contract.account, None)
    sending = [one for one in contract.operations if one.message is not None]
    assert len(sending) == 3
    for one in sending:
        body = json.loads(sample(one, data, NOW).body)
        assert (body["from"], "tn" in body) == (data["leases"][0]["tn"], False)


def test_every_sample_is_accepted(bench: Bench) -> None:
    """What is handed out as an example works, for the contract's own example stays as it was."""
    for one in acme().operations:
        if one.success is None:
            continue
        for _ in range(2):
            found = sample(one, bench.mine, NOW)
            path, _, query = found.path.partition("?")
            arrival = arrive(
                one.spelling,
                headers=found.headers,
                query=query,
                body=found.body.encode(),
                params={"number": path.rpartition("/")[2]} if "{" in one.path else {},
            )
            call = bench.decide(parse(one, arrival)).call
            assert (call.answer, call.account if one.security else "one") == (one.success.id, "one")
