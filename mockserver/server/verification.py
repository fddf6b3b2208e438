"""Was it called, and how often: waits for calls, decides, and finds what is nearest where it was not."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from mockserver.engine.call import RecordedCall
from mockserver.engine.expectation import Expectation
from mockserver.engine.sources import steady_time
from mockserver.matching.verdict import Count, Miss, nearest
from mockserver.server.checkpoint import TimeShare
from mockserver.store.journal import Query
from mockserver.store.store import Store

CALLS_AT_ONCE = 10_000  # taken from the journal at a time: all of an account, unless a setting keeps more
LARGE_BODY = 16 * 1024  # bytes
CALLS_IN_A_ROW = 8  # looked at before others may get their turn
CALLS_SEARCHED = 500  # the latest ones, among which the nearest are sought


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be verified of whose calls; ``within`` and ``settle`` in seconds."""

    account: str
    expectation: Expectation
    count: Count
    within: float = 0.0
    settle: float = 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """``verified`` is None where only evicted calls could tell. ``matched`` are all that fit, oldest first."""

    verified: bool | None
    matched: list[RecordedCall]
    evicted: int
    nearest: list[Miss[RecordedCall]]
    recorded: int


@dataclass(slots=True)
class _MatchingCalls:
    """One account's calls, each looked at once as it comes; ``number`` and ``counted`` are where it stands."""

    store: Store
    account: str
    expectation: Expectation
    matched: list[RecordedCall] = field(default_factory=list)
    recorded: int = 0
    number: int = 0
    counted: int = 0

    async def look(self) -> None:
        """Look at every call since the last time, those included that come while others get their turn."""
        share = TimeShare()
        while new := await self._next():
            for calls in _in_a_row(new):
                self.matched += filter(self.expectation.matches, calls)
                await share.checkpoint()
            self.number = new[-1].number

    async def _next(self) -> list[RecordedCall]:
        """Calls that may fit, to be looked at next; those of any kind are counted."""
        now = await self.store.as_of_now()
        more, self.counted = await now.count_after(self.account, self.counted)
        self.recorded += more
        return await now.calls_after(self.account, self.number, CALLS_AT_ONCE, self.expectation.admits)

    async def wait(self, deadline: float) -> bool:
        """Wait for the next call and look at it; False when the time is over."""
        left = deadline - steady_time()
        if left <= 0 or not self.store.is_waited_on:
            return False
        await self.store.wait_for_call(self.account, left)
        await self.look()
        return True


def _in_a_row(calls: list[RecordedCall]) -> Iterator[list[RecordedCall]]:
    """So many calls at a time; one with a large body, which takes long to read, ends its row."""
    row: list[RecordedCall] = []
    for call in calls:
        row.append(call)
        if len(row) >= CALLS_IN_A_ROW or len(call.body) > LARGE_BODY:
            yield row
            row = []
    if row:
        yield row


async def verify(store: Store, asked: Asked) -> Verdict:
    """Wait up to ``within`` seconds for the least number of calls, then ``settle`` seconds for one too many."""
    account, expectation, count = asked.account, asked.expectation, asked.count
    matching = _MatchingCalls(store, account, expectation)
    await matching.look()
    deadline = steady_time() + asked.within
    while len(matching.matched) < count.least and await matching.wait(deadline):
        pass
    deadline = steady_time() + asked.settle
    while _can_be_exceeded(matching, count) and await matching.wait(deadline):
        pass
    now = await store.as_of_now()
    evicted = await now.evicted(account)
    verified = count.verdict(len(matching.matched), evicted)
    misses = [] if verified else await _nearest(now, account, expectation)
    return Verdict(verified, matching.matched, evicted, misses, matching.recorded)


def _can_be_exceeded(matching: _MatchingCalls, count: Count) -> bool:
    """Whether one call more could still be one too many; without a bound, or with too few in time, none can."""
    return count.most is not None and count.least <= len(matching.matched) <= count.most


async def _nearest(store: Store, account: str, expectation: Expectation) -> list[Miss[RecordedCall]]:
    """Of the latest calls those that differ least, later ones first among equals."""
    share = TimeShare()
    misses = []
    for call in (await store.calls(Query(account=account, limit=CALLS_SEARCHED))).calls:
        differences = expectation.differences(call)
        if differences and expectation.direction in {None, call.label.direction}:
            misses.append(Miss(call, tuple(differences)))
        await share.checkpoint()
    return nearest(misses, is_far=lambda call: not expectation.concerns(call))
