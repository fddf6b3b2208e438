"""Fresh customers: values of their own, given ones kept, faults that say where."""

import re
from typing import Any

import pytest

from mockserver.engine.recipient import MAGIC
from mockserver.store import accounts
from mockserver.store.accounts import AccountError, Maker
from mockserver.store.accounts import test_only_rsa_key as rsa_key

TEMPLATE: dict[str, Any] = {
    "word": "literal",
    "on": True,
    "credit": 1.5,
    "nothing": None,
    "id": {"new": "uuid"},
    "deep": {"secret": {"new": "token"}, "scope": "all"},
    "numbers": [{"new": "number"}, {"new": "number"}],
    "lines": [
        {"number": {"new": "integer"}, "open": True},
        {"number": {"new": "integer"}, "open": False, "why": "old"},
    ],
    "empty": [],
}


@pytest.mark.parametrize(
    ("template", "pattern"),
    [
        pytest.param(
            {"new": "uuid"}, r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", id="uuid"
        ),
        pytest.param({"new": "uuid5", "prefix": "cs-"}, r"cs-[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-.{17}", id="uuid5"),
        pytest.param({"new": "token"}, r"[A-Za-z0-9]{40}", id="token"),
        pytest.param({"new": "token", "length": 9, "prefix": "t_"}, r"t_[A-Za-z0-9]{9}", id="token-of-a-length"),
        pytest.param({"new": "hex"}, r"[0-9a-f]{32}", id="hex"),
        pytest.param({"new": "hex", "length": 9, "prefix": "AC"}, r"AC[0-9a-f]{9}", id="hex-of-a-length"),
        pytest.param({"new": "base64"}, r"[A-Za-z0-9+/]{43}=", id="base64"),
        pytest.param({"new": "base64", "bytes": 9}, r"[A-Za-z0-9+/]{12}", id="base64-of-a-length"),
        pytest.param({"new": "email"}, r"customer-[0-9a-f]{8}@example\.test", id="email"),
        pytest.param({"new": "number"}, r"\+1[2-9][0-9]{2}555[0-9]{4}", id="number"),
        pytest.param({"new": "number", "form": "digits"}, r"1[2-9][0-9]{2}555[0-9]{4}", id="number-in-digits"),
    ],
)
def test_fresh_texts(template: dict[str, Any], pattern: str) -> None:
    """Each kind has its form, and no two of a maker are equal."""
    maker = Maker()
    made = [maker.fresh(template) for _ in range(200)]
    assert all(re.fullmatch(pattern, text) for text in made)
    assert len(set(made)) == 200


def test_fresh_integers() -> None:
    """They have as many digits as asked for, and do not repeat."""
    maker = Maker()
    made = [maker.fresh({"new": "integer", "digits": 4}) for _ in range(9000)]
    assert set(made) == set(range(1000, 10_000))
    assert 10**6 <= maker.fresh({"new": "integer"}) < 10**7
    number = maker.fresh({"new": "number", "form": "integer"})
    assert isinstance(number, int)
    assert 12_000_000_000 < number < 20_000_000_000


def test_fresh_numbers_are_nobodys_and_never_magic() -> None:
    """All are fictional (555) numbers of an area that is neither 500 nor 555, so that none is a magic recipient."""
    maker = Maker()
    made = [maker.fresh({"new": "number"}) for _ in range(2000)]
    assert len(set(made)) == 2000
    assert {number[5:8] for number in made} == {"555"}
    assert not {number[2:5] for number in made} & {"500", "555"}
    assert not any(number[1:].startswith(MAGIC) for number in made)


def test_an_area_has_nine_thousand_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of its lines from 1000 to 9999 are used before one comes again."""
    monkeypatch.setattr(accounts, "AREAS", [201])
    maker = Maker()
    made = [maker.fresh({"new": "number"}) for _ in range(9_001)]
    assert {number[-4:] for number in made} == {f"{line:04}" for line in range(1_000, 10_000)}
    assert made[0] == made[-1]


def test_the_rsa_key_is_one_for_all() -> None:
    """A key per account would cost too much; it says what it is for."""
    assert Maker().fresh({"new": "rsa"}) == Maker().fresh({"new": "rsa"}) == rsa_key()
    assert rsa_key().startswith("-----BEGIN PRIVATE KEY-----\n")


def test_fresh_keeps_literals() -> None:
    """What the template says plainly is the same for everybody, and is not shared between accounts."""
    maker = Maker()
    one, other = maker.fresh(TEMPLATE), maker.fresh(TEMPLATE)
    assert one.keys() == TEMPLATE.keys()
    assert (one["word"], one["on"], one["nothing"], one["empty"]) == ("literal", True, None, [])
    assert one["lines"][1] == {"number": one["lines"][1]["number"], "open": False, "why": "old"}
    assert one["deep"]["secret"] != other["deep"]["secret"]
    assert one["empty"] is not other["empty"]


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"word": "other", "on": False, "credit": 7, "nothing": {"any": 1}, "id": "mine"}, id="members"),
        pytest.param({"id": 7, "word": None}, id="an-integer-and-null"),
        pytest.param({"deep": {"scope": "some"}}, id="inner-member"),
        pytest.param({"numbers": []}, id="empty-list"),
        pytest.param({"numbers": ["1", 2, "3"]}, id="more-than-in-the-template"),
        pytest.param({"lines": [{}, {"open": True}, {"why": "x"}]}, id="items-in-part"),
        pytest.param({"empty": ["a", 1]}, id="list-without-a-template"),
    ],
)
def test_given_values_win(given: dict[str, Any]) -> None:
    """What is given stands; what it leaves out is as in a fresh account."""
    made = Maker().complete(TEMPLATE, given)
    assert made.keys() == TEMPLATE.keys()
    for name, value in given.items():
        if name not in {"deep", "lines"}:
            assert made[name] == value
    assert len(made["deep"]["secret"]) == 40
    assert made["deep"]["scope"] == given.get("deep", {"scope": "all"})["scope"]


def test_items_are_completed_after_their_own_variant() -> None:
    """The second item is like the template's second; one beyond the template is like its first."""
    made = Maker().complete(TEMPLATE, {"lines": [{"why": "x"}, {}, {"number": 5}]})["lines"]
    assert [line["open"] for line in made] == [True, False, True]
    assert made[0]["why"] == "x"
    assert (made[1]["why"], made[2]) == ("old", {"number": 5, "open": True})


@pytest.mark.parametrize(
    ("given", "pointer", "says"),
    [
        pytest.param([], "", "object", id="no-object"),
        pytest.param({"other": 1}, "/other", "known: word, on", id="unknown-member"),
        pytest.param({"a/b~": 1}, "/a~1b~0", "not known", id="escaped"),
        pytest.param({"word": 1}, "/word", "like 'literal'", id="text"),
        pytest.param({"on": 1}, "/on", "like True", id="boolean"),
        pytest.param({"credit": True}, "/credit", "like 1.5", id="number"),
        pytest.param({"id": True}, "/id", "string or an integer", id="boolean-for-an-id"),
        pytest.param({"id": None}, "/id", "string or an integer", id="null-for-an-id"),
        pytest.param({"deep": "x"}, "/deep", "object", id="inner-no-object"),
        pytest.param({"deep": {"secret": 1.5}}, "/deep/secret", "string or an integer", id="inner-member"),
        pytest.param({"numbers": "x"}, "/numbers", "list", id="no-list"),
        pytest.param({"numbers": ["1", None]}, "/numbers/1", "string or an integer", id="item"),
        pytest.param(
            {"lines": [{}, {"number": []}]}, "/lines/1/number", "string or an integer", id="member-of-an-item"
        ),
        pytest.param({"lines": ["x"]}, "/lines/0", "object", id="item-no-object"),
        pytest.param({"lines": [{"size": 1}]}, "/lines/0/size", "known: number, open, why", id="unknown-in-an-item"),
        pytest.param({"empty": [None]}, "/empty/0", "string or an integer", id="item-without-a-template"),
    ],
)
def test_faults_say_where(given: Any, pointer: str, says: str) -> None:
    """A value of the wrong kind, and a member that nobody reads, is a fault at its place."""
    with pytest.raises(AccountError, match=says) as caught:
        Maker().complete(TEMPLATE, given)
    assert (caught.value.pointer, caught.value.clash) == (pointer, False)


SHARING: dict[str, Any] = {
    "lines": [
        {"numbers": [{"new": "number"}], "site": "north"},
        {"numbers": {"copy": "/account/lines/0/numbers"}, "site": {"copy": "/account/lines/0/site"}},
    ],
}


@pytest.mark.parametrize(
    ("given", "second"),
    [
        pytest.param(None, None, id="made-up"),
        pytest.param({"lines": [{"numbers": ["1", "2"]}, {}]}, ["1", "2"], id="of-a-given-value"),
        pytest.param({"lines": [{}, {"numbers": ["3"]}]}, ["3"], id="given-itself"),
    ],
)
def test_copies(given: Any, second: list[str] | None) -> None:
    """A copy is what its place came to be, unless it is given itself; it is no second name for the same list."""
    one, other = Maker().account(SHARING, given)["lines"]
    assert other["numbers"] == (one["numbers"] if second is None else second)
    assert other["numbers"] is not one["numbers"]
    assert other["site"] == "north"


@pytest.mark.parametrize(
    ("given", "at", "message"),
    [
        pytest.param({"lines": [{}, {"numbers": "1"}]}, "/lines/1/numbers", "must be a list", id="of-another-kind"),
        pytest.param({"lines": [{}, {"site": 1}]}, "/lines/1/site", "must be like 'north'", id="unlike-the-copied"),
    ],
)
def test_a_given_value_in_place_of_a_copy(given: Any, at: str, message: str) -> None:
    """It is held to the same template as what it would be a copy of."""
    with pytest.raises(AccountError, match=message) as caught:
        Maker().account(SHARING, given)
    assert caught.value.pointer == at


def test_nothing_to_copy() -> None:
    """Where the copied place is missing, that is told at the copy."""
    with pytest.raises(AccountError, match="is a copy of /account/lines/1/site, which is missing here") as caught:
        Maker().account(
            {"lines": [{"site": "a"}, {"site": "b"}], "site": {"copy": "/account/lines/1/site"}}, {"lines": [{}]}
        )
    assert caught.value.pointer == "/site"
