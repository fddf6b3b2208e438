"""Accounts: who owns what; a clash changes nothing; what is removed is free again."""

from typing import Any

import pytest

from mockserver.store.accounts import AccountError, Registry, claimed
from mockserver.store.accounts import test_only_rsa_key as rsa_key
from tests.engine.test_signing import unsound_key
from tests.engine.workbench import acme

KEY = ("/account/key", "k" * 20)


@pytest.fixture
def registry() -> Registry:
    return Registry((acme(),))


def add(registry: Registry, account_id: str, **given: Any) -> Any:
    return registry.add(account_id, {"acme": given}).vendors["acme"]


def snapshot(registry: Registry) -> tuple[dict[str, Any], dict[Any, Any]]:
    return dict(registry.accounts), dict(registry.owners["acme"])


def test_every_claimed_value_has_its_owner_and_record(registry: Registry) -> None:
    """Credentials and owned values are found, numbers by their digits, each with the record it stands in."""
    account = registry.add("one", {})
    data = account.vendors["acme"]
    owners = registry.owners["acme"]
    assert {owner.account for owner in owners.values()} == {account}
    assert owners["/account/key", data["key"]].record is owners["/account/pin", str(data["pin"])].record is data
    assert owners["/account/clients/id", data["clients"][1]["id"]].record is data["clients"][1]
    assert owners["/account/lines/number", data["lines"][1]["number"]].record is data["lines"][1]
    assert owners["/account/lines/senders", data["lines"][0]["senders"][1]].record is data["lines"][0]
    assert len(owners) == 1 + 1 + 3 + 2 + 2 + 1
    assert not any(pointer.endswith("secret") for pointer, _ in owners)


def test_fresh_accounts_share_nothing(registry: Registry) -> None:
    """Each value that can be claimed is one account's."""
    for number in range(20):
        registry.add(f"a{number}", {})
    assert len(registry.owners["acme"]) == 20 * 10
    assert list(registry.accounts) == [f"a{number}" for number in range(20)]


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        pytest.param({"key": KEY[1]}, "/vendors/acme/key", id="credential"),
        pytest.param({"lines": [{}, {"number": "+1 (2)"}]}, "/vendors/acme/lines/1/number", id="number-by-digits"),
        pytest.param({"lines": [{"senders": ["x", "Shop"]}]}, "/vendors/acme/lines/0/senders/1", id="in-a-list"),
    ],
)
def test_a_value_that_another_has_is_a_clash(registry: Registry, given: dict[str, Any], pointer: str) -> None:
    """It is refused at its place, naming the owner, and nothing is changed by the attempt."""
    add(registry, "one", key=KEY[1], lines=[{"number": "12", "senders": ["Shop"]}])
    before = snapshot(registry)
    with pytest.raises(AccountError, match="'one' has this value") as caught:
        add(registry, "two", **given)
    assert (caught.value.pointer, caught.value.clash) == (pointer, True)
    assert snapshot(registry) == before


@pytest.mark.parametrize(
    ("account_id", "vendors", "pointer", "clash"),
    [
        pytest.param("one", {}, "/id", True, id="taken"),
        pytest.param("", {}, "/id", False, id="empty"),
        pytest.param("-a", {}, "/id", False, id="first-character"),
        pytest.param("a" * 65, {}, "/id", False, id="long"),
        pytest.param("a b", {}, "/id", False, id="space"),
        pytest.param("ü", {}, "/id", False, id="no-ascii"),
        pytest.param("a\n", {}, "/id", False, id="line-break"),
        pytest.param("unclaimed", {}, "/id", False, id="reserved"),
        pytest.param("all", {}, "/id", False, id="reserved-too"),
        pytest.param("two", {"nobody/": {}}, "/vendors/nobody~1", False, id="vendor"),
        pytest.param("two", {"acme": []}, "/vendors/acme", False, id="no-object"),
        pytest.param("two", {"acme": {"key": None}}, "/vendors/acme/key", False, id="member"),
        pytest.param(
            "two",
            {"acme": {"lines": [{"number": "1"}, {"number": "+1"}]}},
            "/vendors/acme/lines/1/number",
            True,
            id="twice",
        ),
    ],
)
def test_refused_accounts(registry: Registry, account_id: str, vendors: Any, pointer: str, clash: bool) -> None:
    """Each fault is at its place, and nothing is changed by it."""
    registry.add("one", {})
    before = snapshot(registry)
    with pytest.raises(AccountError) as caught:
        registry.add(account_id, vendors)
    assert (caught.value.pointer, caught.value.clash) == (pointer, clash)
    assert snapshot(registry) == before


@pytest.mark.parametrize(
    "clients",
    [
        pytest.param([{"secret": ""}], id="empty-secret"),
        pytest.param([{"secret": 7}], id="number-for-a-secret"),
        pytest.param([{"algorithm": "none"}], id="no-algorithm"),
        pytest.param([{"algorithm": "HS257"}], id="unknown-algorithm"),
        pytest.param([{"algorithm": None}], id="null-for-an-algorithm"),
        pytest.param([{}, {"algorithm": "RS256"}], id="secret-for-rsa"),
        pytest.param([{"algorithm": "RS256", "secret": unsound_key()}], id="numbers-that-do-not-belong-together"),
        pytest.param([{}, {}, {"secret": "x"}], id="no-rsa-key"),
    ],
)
def test_credentials_that_can_sign_nothing_are_refused(registry: Registry, clients: list[dict[str, Any]]) -> None:
    """An account that could not be shown its tokens is not made."""
    with pytest.raises(AccountError, match="no token can be signed") as caught:
        add(registry, "one", clients=clients)
    assert caught.value.pointer == f"/vendors/acme/clients/{len(clients) - 1}"
    assert snapshot(registry) == ({}, {})


def test_a_customers_own_credentials_are_kept(registry: Registry) -> None:
    """A short secret and an RSA key of the customer's own are as good as made-up ones."""
    made = add(registry, "one", clients=[{"algorithm": "RS256", "secret": rsa_key()}, {"secret": "x"}])["clients"]
    assert [client["secret"] for client in made] == [rsa_key(), "x"]


def test_made_up_values_step_aside_for_given_ones(registry: Registry) -> None:
    """A lasting account's values are the same each time; one that is given just now is passed over."""
    first, again = (Registry((acme(),)).add("one", {}, lasting=True).vendors["acme"] for _ in range(2))
    assert first == again
    taken = first["lines"][0]["number"]
    given = {"acme": {"lines": [{"number": taken}, {}]}}
    lines = registry.add("one", given, lasting=True).vendors["acme"]["lines"]
    numbers = {line["number"] for line in lines}
    assert (lines[0]["number"], len(numbers)) == (taken, 2)
    assert not numbers & {line["number"] for line in add(registry, "two")["lines"]}


def test_when_nothing_free_is_left(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a clash, not an endless search."""
    add(registry, "one", key=KEY[1])
    monkeypatch.setattr("mockserver.store.accounts.Maker._token", lambda *_: KEY[1])
    with pytest.raises(AccountError, match="no free values") as caught:
        registry.add("two", {})
    assert (caught.value.pointer, caught.value.clash) == ("/vendors/acme", True)


def test_values_of_bound_records_may_be_shared(registry: Registry) -> None:
    """Two lines of an account may list the same sender, which is looked for in one of them; two accounts may not."""
    lines = [{"senders": ["shop"]}, {"senders": ["shop"]}]
    assert [line["senders"] for line in add(registry, "one", lines=lines)["lines"]] == [["shop"], ["shop"]]
    with pytest.raises(AccountError, match="account 'one' has this value already"):
        add(registry, "two", lines=lines[:1])
    with pytest.raises(AccountError, match="is given twice"):
        add(registry, "two", lines=[{"number": "1"}, {"number": "1"}])
    registry.remove("one")
    assert add(registry, "two", lines=lines)["lines"][1]["senders"] == ["shop"]


def test_remove(registry: Registry) -> None:
    """All that an account had is free again; others keep theirs; an unknown one is an error."""
    add(registry, "one", key=KEY[1])
    other = registry.add("two", {})
    registry.remove("one")
    assert list(registry.accounts) == ["two"]
    assert {owner.account for owner in registry.owners["acme"].values()} == {other}
    assert add(registry, "three", key=KEY[1])["key"] == KEY[1]
    with pytest.raises(KeyError):
        registry.remove("one")


@pytest.mark.parametrize("value", [True, None, 1.5, {"a": 1}])
def test_only_texts_and_integers_are_claimed(value: Any) -> None:
    """Other values identify nobody."""
    assert list(claimed(acme(), {"key": value})) == []
    assert [claim for claim, *_ in claimed(acme(), {"pin": 7})] == [("/account/pin", "7")]


def test_two_accounts_may_share_the_test_key(registry: Registry) -> None:
    """The RSA key is a secret but no name: tokens of two accounts differ by the id in them."""
    one, two = add(registry, "one"), add(registry, "two")
    assert one["clients"][2]["secret"] == two["clients"][2]["secret"] == rsa_key()
