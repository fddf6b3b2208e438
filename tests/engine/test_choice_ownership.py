"""Ownership: values must be the account's own, and bind the records that they stand in."""

from typing import Any

import pytest

from mockserver.engine.account import AccountData
from mockserver.engine.choice import check_owned
from mockserver.engine.credentials import Claim
from mockserver.engine.request import Possession
from mockserver.spec.model import Owned
from mockserver.spec.pointer import Pointer
from tests.engine.workbench import Bench, request


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


def check(bench: Bench, account: AccountData | None, **body: Any) -> tuple[list[tuple[str, str, Any]], dict[str, Any]]:
    bound: dict[str, Any] = {}
    found = check_owned(request("send_sms", body={"to": "1", **body}).owned, account, bench.facts(), bound)
    return [(problem.kind, problem.at, problem.value) for problem in found], bound


def test_own_values_bind_their_record(bench: Bench) -> None:
    """A number is found by its digits; what its record lists is its own."""
    line = bench.mine["lines"][0]
    written = f"+{line['number'][0]} {line['number'][1:]}"
    assert check(bench, bench.one, **{"from": written, "sender": line["senders"][1]}) == ([], {"lines": line})


def test_values_of_nobody_and_of_others(bench: Bench) -> None:
    """A value is unknown where nobody owns it, foreign where another account does; neither binds a record."""
    theirs = bench.theirs["lines"][0]["number"]
    assert check(bench, bench.one, **{"from": "999"}) == ([("unknown", "/body/from", "999")], {})
    assert check(bench, bench.one, **{"from": theirs}) == ([("foreign", "/body/from", theirs)], {})
    assert check(bench, None, **{"from": theirs}) == ([("foreign", "/body/from", theirs)], {})


@pytest.mark.parametrize(
    ("whose", "kind"),
    [
        pytest.param("nobody's", "unknown", id="nobodys"),
        pytest.param("mine", "unknown", id="own-but-of-another-record"),
        pytest.param("theirs", "foreign", id="another-accounts"),
    ],
)
def test_a_value_within_the_bound_record(bench: Bench, whose: str, kind: str) -> None:
    """What one record lists is no good with another, whoever owns it."""
    senders = {"mine": bench.mine["lines"][0]["senders"][0], "theirs": bench.theirs["lines"][0]["senders"][0]}
    sender, closed = senders.get(whose, whose), bench.mine["lines"][1]
    found = check(bench, bench.one, **{"from": closed["number"], "sender": sender})
    assert found == ([(kind, "/body/sender", sender)], {"lines": closed})


def test_a_value_within_the_bound_record_by_digits(bench: Bench) -> None:
    """A number is the record's however it is written; a record that has none holds none."""
    opened, closed = bench.mine["lines"]
    code = f"# {opened['code'] // 100}-{opened['code'] % 100:02}"
    assert check(bench, bench.one, **{"from": opened["number"], "code": code})[0] == []
    assert check(bench, bench.one, **{"from": opened["number"], "code": "5"})[0] == [("unknown", "/body/code", "5")]
    assert check(bench, bench.one, **{"from": closed["number"], "code": code})[0] == [("unknown", "/body/code", code)]


def test_nothing_is_said_of_a_value_whose_record_is_not_bound(bench: Bench) -> None:
    """One problem is enough: the number is unknown, so what belongs to it cannot be judged."""
    assert check(bench, bench.one, **{"from": "999", "sender": "x"})[0] == [("unknown", "/body/from", "999")]


@pytest.mark.parametrize("value", [None, True, ["1"], {}])
def test_what_no_one_can_own_is_left_to_the_schema(bench: Bench, value: Any) -> None:
    """A value of a wrong type is invalid, not unknown as well."""
    assert check(bench, bench.one, **{"from": value}) == ([], {})


@pytest.mark.parametrize(
    ("line", "value", "kinds", "bound"),
    [
        pytest.param({"users": [{"id": "7", "name": "Ann"}]}, "7", [], "Ann", id="listed"),
        pytest.param({"users": [{"id": 7, "name": "Ann"}, {}]}, "7", [], "Ann", id="a-number"),
        pytest.param({"users": [{"name": "Ann"}]}, "7", ["unknown"], None, id="not-listed"),
        pytest.param({"users": []}, "7", ["unknown"], None, id="nobody-listed"),
        pytest.param({"users": ["7"]}, "7", ["unknown"], None, id="no-records-listed"),
        pytest.param({"users": {"id": "7", "name": "Ann"}}, "7", [], "Ann", id="one-record"),
        pytest.param({"users": {"id": "8", "name": "Ann"}}, "7", ["unknown"], None, id="another-record"),
        pytest.param({}, "7", [], None, id="no-list-asks-nothing"),
        pytest.param(None, "7", [], None, id="no-record-asks-nothing"),
    ],
)
def test_a_record_inside_the_bound_record(
    bench: Bench, line: dict[str, Any] | None, value: Any, kinds: list[str], bound: str | None
) -> None:
    """A value can find a record among those that the bound record lists, which is then bound too."""
    within = Pointer.parse("/owned/lines/users/id")
    place = Owned(Pointer.parse("/body/user"), "/account/lines/users/id", "users", within, digits=False)
    claim: Claim = (place.claim, str(value))
    records: dict[str, Any] = {} if line is None else {"lines": line}
    problems = check_owned([Possession(place, value, claim)], bench.one, bench.facts(), records)
    assert [problem.kind for problem in problems] == kinds
    assert records.get("users", {}).get("name") == bound
