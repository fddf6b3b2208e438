"""The journal: bounded, nothing lost uncounted, pages that hold while calls come and go."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, ClassVar, cast

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mockserver.engine.call import Label, RecordedCall
from mockserver.engine.expectation import Expectation
from mockserver.store.journal import BLOCK_BYTES, CALL_OVERHEAD, LINE_BLOCKS, Journal, Query, weigh
from tests.engine.workbench import recorded
from tests.properties import examples

MOST = 5
BYTES = 16_000


def call(number: int, account: str = "a", body: bytes = b"", **parts: Any) -> RecordedCall:
    return recorded(number=number, account=account, body=body, outcome="pending", **parts)


def filled(*calls: RecordedCall, most: int = 1000, total: int = 10**6) -> Journal:
    journal = Journal(most, total)
    for one in calls:
        journal.append(one)
    return journal


def found(journal: Journal, **query: Any) -> list[int]:
    return [one.number for one in journal.find(Query(**query)).calls]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        pytest.param({}, [3, 2, 1], id="all-newest-first"),
        pytest.param({"account": "a"}, [2, 1], id="account"),
        pytest.param({"account": ""}, [3], id="unclaimed"),
        pytest.param({"account": "b"}, [], id="unknown-account"),
        pytest.param({"vendor": "v"}, [2, 1], id="vendor"),
        pytest.param({"operation": "v.send"}, [1], id="operation"),
        pytest.param({"answer": "v.send/sent"}, [1], id="answer"),
        pytest.param({"answer": "sent"}, [2, 1], id="answer-by-name"),
        pytest.param({"answer": "ent"}, [], id="part-of-a-name"),
        pytest.param({"recipient": "1 (23)"}, [1], id="recipient-by-digits"),
        pytest.param({"recipient": "nobody"}, [], id="recipient-without-digits"),
        pytest.param({"accepted": True}, [1], id="accepted"),
        pytest.param({"accepted": False}, [3, 2], id="refused"),
        pytest.param({"answer": "sent", "accepted": False}, [2], id="both"),
    ],
)
def test_find(query: dict[str, Any], numbers: list[int]) -> None:
    """Each part of a query must be the call's."""
    journal = filled(
        call(1, vendor="v", operation="v.send", answer="v.send/sent", recipient="+123", accepted=True),
        call(2, vendor="v", operation="v.other", answer="v.other/sent", recipient="+124"),
        call(3, account=""),
    )
    assert found(journal, **query) == numbers


def test_pages_hold_while_calls_come() -> None:
    """A cursor goes on where the page ended, whatever was added since; the last page has none."""
    journal = filled(*(call(number, vendor="v" if number % 2 else "w") for number in range(10)))
    page = journal.find(Query(account="a", vendor="v", limit=2))
    assert [one.number for one in page.calls] == [9, 7]
    journal.append(call(11, vendor="v"))
    page = journal.find(Query(account="a", vendor="v", limit=2, before=page.next))
    assert [one.number for one in page.calls] == [5, 3]
    page = journal.find(Query(account="a", vendor="v", limit=2, before=page.next))
    assert ([one.number for one in page.calls], page.next) == ([1], None)


def test_a_page_that_ends_with_the_journal_is_the_last() -> None:
    """Exactly as many calls as fit leave no cursor to an empty page."""
    journal = filled(call(1), call(2, account="b"), call(3))
    assert journal.find(Query(limit=3)).next is None
    assert journal.find(Query(account="a", limit=1)).next is not None
    assert journal.find(Query(account="a", limit=2)).next is None


def test_pages_hold_while_calls_are_evicted() -> None:
    """What went meanwhile is missing and counted; nothing comes twice."""
    journal = filled(*(call(number) for number in range(6)), most=6)
    page = journal.find(Query(limit=3))
    for number in range(6, 10):
        journal.append(call(number))
    rest = journal.find(Query(limit=3, before=page.next))
    assert ([one.number for one in rest.calls], rest.next, rest.evicted) == ([], None, 4)
    journal.append(call(10, account="b"))
    assert found(journal, account="b") == [10]


def test_eviction_by_number_is_each_accounts_own() -> None:
    """The oldest of the account goes, and is counted for it alone."""
    journal = filled(call(1, "b"), *(call(number, "a") for number in range(2, 6)), most=3)
    assert found(journal) == [5, 4, 3, 1]
    assert (journal.evicted("a"), journal.evicted("b"), journal.evicted("c"), journal.evicted(None)) == (1, 0, 0, 1)
    assert (journal.get(2), journal.get(3) is not None) == (None, True)


def test_eviction_by_bytes_takes_from_the_largest_account() -> None:
    """One noisy test cannot push another's calls out, however old those are."""
    journal = filled(call(1, "quiet"), total=20 * CALL_OVERHEAD)
    for number in range(2, 60):
        journal.append(call(number, "noisy", body=b"x" * 1000))
        assert journal.size <= 20 * CALL_OVERHEAD // BLOCK_BYTES
    assert found(journal, account="quiet") == [1]
    kept = found(journal, account="noisy")
    assert kept == list(range(59, 59 - len(kept), -1))
    assert journal.evicted("noisy") == 58 - len(kept)
    assert journal.evicted("quiet") == 0


def test_a_call_that_is_larger_than_the_journal() -> None:
    """It is not kept, and counted."""
    journal = filled(call(1), call(2, body=b"x" * 5000), total=5000)
    assert (found(journal), journal.size, journal.evicted("a")) == ([], LINE_BLOCKS, 2)
    assert filled(call(1), most=0).evicted("a") == 1


def test_calls_after_a_number() -> None:
    """An account's calls since one of them, oldest first, each with its number to go on from."""
    journal = filled(*(call(number, "b" if number == 2 else "a") for number in range(1, 5)))
    assert after(journal, "a", 0) == [1, 3, 4]
    assert after(journal, "a", 1) == [3, 4]
    assert after(journal, "a", 4) == after(journal, "nobody", 0) == []
    assert after(journal, "a", 0, most=2) == [1, 3]


def after(
    journal: Journal, account: str, number: int, most: int = 100, admits: Callable[[Label], bool] = lambda _: True
) -> list[int]:
    return [one.number for one in journal.after(account, number, most, admits)]


@pytest.mark.parametrize("wanted", [[0], [0, 2], [0, 1, 2], []], ids=str)
def test_calls_after_a_number_by_label(wanted: list[int]) -> None:
    """Those of labels that are admitted, all of them in order, however many are taken at a time."""
    journal = filled(*(call(n, answer=f"v.send/{n % 3}") for n in range(1, 2000)), most=2000, total=10**8)
    found: list[int] = []
    while more := after(journal, "a", max(found, default=0), 7, lambda label: int(label.answer[-1]) in wanted):
        found += more
    assert found == [number for number in range(1, 2000) if number % 3 in wanted]


def test_calls_are_counted_after_a_number() -> None:
    """How many there are, and the last: where to go on counting; nothing new leaves that as it is."""
    journal = filled(*(call(number, "b" if number == 2 else "a") for number in range(1, 5)))
    assert [journal.count_after("a", number) for number in (0, 1, 2, 4, 9)] == [(3, 4), (2, 4), (2, 4), (0, 4), (0, 9)]
    assert journal.count_after("nobody", 7) == (0, 7)


def test_clear_is_one_accounts() -> None:
    """Its calls and its count of evictions go; others' stay; None clears all."""
    journal = filled(call(1), call(2), call(3, "b"), call(4, ""), most=1)
    assert journal.clear("a") == 1
    assert (found(journal), journal.evicted("a"), journal.get(2)) == ([4, 3], 0, None)
    assert journal.clear("a") == journal.clear("nobody") == 0
    assert journal.clear("") == 1
    assert (journal.clear(None), journal.size, found(journal)) == (1, 0, [])


TEXTS = ("path", "path_params", "problems")
BYTES_PARTS = ("query", "headers", "body", "response_headers", "response_body")


@pytest.mark.parametrize("part", [*TEXTS, *BYTES_PARTS])
def test_each_part_of_a_call_has_its_weight(part: str) -> None:
    """Memory is bounded whatever part of a request is made large."""
    large: dict[str, Any] = {part: "x" * 6_400 if part in TEXTS else b"x" * 6_400}
    assert (weigh(call(1, **large)) - weigh(call(1))) * BLOCK_BYTES == 6_400


def shelf_size(calls: list[RecordedCall]) -> int:
    """What an account's calls weigh with what holds them: all together, and those of each label."""
    return LINE_BLOCKS + sum(map(weigh, calls)) + LINE_BLOCKS * len({one.label for one in calls})


class Watched:
    """A call that notes when it is looked at."""

    looked_at: ClassVar[set[int]] = set()

    def __init__(self, one: RecordedCall) -> None:
        self._one = one

    def __getattr__(self, name: str) -> Any:
        self.looked_at.add(self._one.number)
        return getattr(self._one, name)


def watched(calls: Iterable[RecordedCall]) -> Journal:
    journal = Journal(10**6, 10**9)
    for one in calls:
        journal.append(cast("RecordedCall", Watched(one)))
    return journal


def looked_at(work: Callable[[], Any]) -> int:
    """How many calls that took a look at."""
    Watched.looked_at.clear()
    work()
    return len(Watched.looked_at)


RARE = range(500, 510)


@cache
def busy() -> Journal:
    """Ten thousand calls of one account, ten of which were answered otherwise."""
    rare = {"vendor": "v", "answer": "v.send/rare", "accepted": True}
    usual = {"vendor": "v", "answer": "v.send/sent"}
    return watched(call(number, **(rare if number in RARE else usual)) for number in range(1, 10_001))


@pytest.mark.parametrize(
    ("query", "numbers", "most"),
    [
        pytest.param({}, range(10_000, 9_990, -1), 12, id="all"),
        pytest.param({"account": "a"}, range(10_000, 9_990, -1), 12, id="account"),
        pytest.param({"vendor": "v"}, range(10_000, 9_990, -1), 24, id="vendor"),
        pytest.param({"answer": "rare"}, RARE[::-1], 12, id="rare"),
        pytest.param({"accepted": True, "account": "a"}, RARE[::-1], 12, id="rare-of-an-account"),
        pytest.param({"answer": "none"}, [], 0, id="nothing"),
        pytest.param({"before": 5000}, range(4999, 4989, -1), 14, id="deep"),
        pytest.param({"answer": "sent", "before": 5000}, range(4999, 4989, -1), 30, id="deep-and-by-answer"),
        pytest.param({"before": 1}, [], 2, id="before-all"),
        pytest.param({"before": 20_000}, range(10_000, 9_990, -1), 14, id="before-none"),
    ],
)
def test_a_page_looks_at_few_calls(query: dict[str, Any], numbers: Sequence[int], most: int) -> None:
    """Of ten thousand, those that it shows and a few to find the place; those of other answers not at all."""
    journal = busy()
    assert looked_at(lambda: journal.find(Query(limit=10, **query))) <= most
    assert found(journal, limit=10, **query) == list(numbers)


def test_a_page_of_many_accounts_looks_at_few_calls() -> None:
    """At the last of each account, and at a page of those that have the newest."""
    journal = watched(call(number, f"a{number % 1000}") for number in range(1, 10_001))
    assert looked_at(lambda: journal.find(Query(limit=10))) <= 1000 + 11 * 10
    assert found(journal, limit=10) == list(range(10_000, 9_990, -1))
    assert found(journal, limit=1000, before=9_000) == list(range(8_999, 7_999, -1))


@pytest.mark.parametrize("number", [1, 5000, 10_000])
def test_one_call_is_found_without_looking_at_others(number: int) -> None:
    """By its number alone, and in few steps where numbers are missing because others had calls, too."""
    alone, beside = busy(), watched(call(one, "b" if one % 3 else "a") for one in range(1, 10_001))
    assert looked_at(lambda: alone.get(number)) <= 3
    assert looked_at(lambda: beside.get(number)) <= 2 * 15
    assert alone.get(10_001) is None


class Model(RuleBasedStateMachine):
    """What a journal must do, told with plain lists: a suffix of all that an account did is kept, the rest counted."""

    def __init__(self) -> None:
        super().__init__()
        self.journal = Journal(MOST, BYTES)
        self.calls: dict[str, list[RecordedCall]] = {}
        self.number = 0

    def kept(self, account: str) -> list[RecordedCall]:
        return self.calls[account][self.journal.evicted(account) :]

    def size(self, account: str) -> int:
        return shelf_size(self.kept(account))

    @rule(account=st.sampled_from(["a", "b", ""]), body=st.integers(0, 5000), answer=st.sampled_from(["v/a", "v/b"]))
    def append(self, account: str, body: int, answer: str) -> None:
        self.number += 1
        one = call(self.number, account, b"x" * body, answer=answer)
        if account not in self.calls:
            self.calls[account] = []
        before = {name: (self.size(name), self.journal.evicted(name)) for name in self.calls}
        calls = [*self.kept(account), one]
        self.calls[account].append(one)
        self.journal.append(one)
        before[account] = (shelf_size(calls), before[account][1])
        lost = [name for name in self.calls if self.journal.evicted(name) > before[name][1]]
        if lost != [account] or len(self.calls[account]) - before[account][1] <= MOST:
            assert not lost or sum(size for size, _ in before.values()) > BYTES // BLOCK_BYTES
            spared = [self.size(name) for name in self.calls if name not in lost]
            assert all(before[name][0] >= max(spared, default=0) for name in lost)

    @rule(account=st.sampled_from(["a", "b", "", None]), answer=st.sampled_from(["v/a", "v/b", "v/c"]))
    def clear_some(self, account: str | None, answer: str) -> None:
        names = list(self.calls) if account is None else [account] if account in self.calls else []
        gone = 0
        for name in names:
            evicted, kept = self.journal.evicted(name), self.kept(name)
            left = [one for one in kept if one.answer != answer]
            self.calls[name] = [*self.calls[name][:evicted], *left]
            gone += len(kept) - len(left)
        assert self.journal.clear_some(account, Expectation(answer=answer).admits) == gone

    @rule(account=st.sampled_from(["a", "b", "", None]))
    def clear(self, account: str | None) -> None:
        names = list(self.calls) if account is None else [account] if account in self.calls else []
        kept = sum(len(self.kept(name)) for name in names)
        assert self.journal.clear(account) == kept
        for name in names:
            del self.calls[name]

    @invariant()
    def keeps_the_newest_within_its_bounds(self) -> None:
        for name in self.calls:
            newest = self.kept(name)[::-1]
            assert list(self.journal.find(Query(account=name)).calls) == newest
            assert len(newest) <= MOST
            assert all(self.journal.get(one.number) == one for one in newest)
        everything = sorted((one for name in self.calls for one in self.kept(name)), key=lambda one: -one.number)
        assert list(self.journal.find(Query()).calls) == everything
        assert self.journal.size == sum(map(self.size, self.calls)) <= BYTES // BLOCK_BYTES

    @invariant()
    def pages_make_up_the_whole(self) -> None:
        paged: list[RecordedCall] = []
        page = self.journal.find(Query(limit=2))
        paged += page.calls
        while page.next is not None:
            page = self.journal.find(Query(limit=2, before=page.next))
            paged += page.calls
        assert paged == list(self.journal.find(Query()).calls)


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=examples(60), stateful_step_count=40, deadline=None, derandomize=True)
