"""What this server tells the others of its store, and they it: changes agreed on in turns, one round trip each.

What comes while a turn is under way goes together into the next one. Each turn also brings the changes of others, so
that the memory is what the store was when the turn was made.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from typing import Any

from mockserver.engine.call import RUN_BITS, RecordedCall
from mockserver.engine.sources import FIRST_SEQUENCE_NUMBER, numbers, steady_time
from mockserver.store.accounts import Registry
from mockserver.store.changes import CallChanges, SharedChange, written_change
from mockserver.store.condition import StoreCondition
from mockserver.store.following import Memory, Snapshot
from mockserver.store.kinds import StoreUnavailableError
from mockserver.store.parts import StoreParts
from mockserver.store.redis_link import CALLS, ENDS, LOG, META, ROWS, RedisLink
from mockserver.store.rows import dump, load

STORE_FORMAT = "1"  # of what is in the store; another cannot be read
MAX_CHANGES = 256  # of a turn
MAX_ENDS = 10_000  # that wait for a turn
MAX_WAITING_BYTES = 64 * 1024 * 1024  # of changes since the last checkpoint but one
CHECKPOINT_SECONDS = 1.0
CHECKPOINT_CHANGES = 10_000  # after so many it comes at once
ENDS_SECONDS = 0.1  # until the others are told how sending ended, where nothing else is told
TELL_AGAIN_SECONDS = 0.5  # until they are told what they could not be told
LISTEN_AGAIN_SECONDS = 0.5
HANGING_SECONDS = 1.0  # after which a store that failed is not waited for again
TRY_AGAIN_SECONDS = 0.5
LAST_SECONDS = 0.5  # for what is still to be told at the end
RESERVED_NUMBERS = 20_000  # of the sequence, taken from the store ahead


class Stale:
    """Stands for a change that was decided by what has changed since; nothing is done."""


STALE = Stale()


@dataclass(slots=True)
class _Proposal:
    """A change of ours on its way, by the memory that it was decided by."""

    change: SharedChange
    memory: Memory
    decided_at: int
    answer: asyncio.Future[Any]
    call: RecordedCall | None = None
    written: bytes = b""


class Agreement:
    """The memory of this server, and the turns in which it follows the store.

    ``on_memory`` is told of each memory that takes another's place. ``follows_time``: the time is the store's, as far
    as that is known, not this host's.
    """

    def __init__(
        self,
        url: str,
        parts: StoreParts,
        changes: CallChanges,
        on_memory: Callable[[Memory], None],
        *,
        follows_time: bool,
    ) -> None:
        self.name = secrets.token_hex(4)
        self.memory: Memory | None = None
        self._url = url
        self._link = RedisLink(url)
        self._changes = changes
        self._on_memory = on_memory
        self.condition = StoreCondition()
        self._hangs = ""  # why those who ask are told at once, while the store is tried again
        self._host_time = parts.sources.now
        self._follows_time = follows_time
        self._ahead = 0.0  # seconds that the store's time is ahead of this host's
        self._best_trip = float("inf")
        self.sources = replace(parts.sources, now=self._now, sequence=numbers(self._take_block))
        self._parts = replace(parts, sources=self.sources)
        self._settings = dump([parts.max_journal_calls, parts.max_journal_bytes, parts.max_accounts])
        self._first_accounts = [(one.id, dump(one.vendors)) for one in parts.registry.accounts.values()]
        self._reserved: deque[range] = deque()
        self._generation, self._boot, self._checkpoint, self._eras = "", "", 0, 0
        self._next_checkpoint = 0.0
        self._proposals: deque[_Proposal] = deque()
        self._asking: list[asyncio.Future[Memory]] = []
        self._ends: dict[int, tuple[str, float]] = {}
        self._ends_due = 0.0  # by the loop's time
        self._lost: dict[str, Mapping[str, int]] = {}  # calls that the store has no more, and nobody is told of yet
        self._loop: asyncio.AbstractEventLoop | None = None
        self._worker: asyncio.Task[None] | None = None
        self._listener: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False

    def _now(self) -> float:
        return self._host_time() + self._ahead

    def _take_block(self, size: int) -> range:
        """The next numbers of the sequence, out of those that were taken ahead. Raises StoreUnavailableError."""
        if not self._reserved:
            raise StoreUnavailableError(f"the store at {self._link.shown} has given no numbers yet")
        block = self._reserved.popleft()
        if len(block) > size:
            self._reserved.appendleft(block[size:])
        return block[:size]

    async def known(self) -> Memory:
        """The memory as it is: what others have changed a moment ago may be missing. Raises StoreUnavailableError."""
        return self.memory or await self.current()

    async def current(self) -> Memory:
        """The memory with all changes that were made before this was asked. Raises StoreUnavailableError."""
        self._check()
        asking: asyncio.Future[Memory] = asyncio.get_running_loop().create_future()
        self._asking.append(asking)
        self._work()
        return await asking

    async def agree(self, change: SharedChange, call: RecordedCall | None = None) -> Any:
        """What comes of a change, once it is agreed on; STALE where what it relies on has changed.

        Raises StoreUnavailableError: where no answer came, nobody knows whether it was agreed on.
        """
        self._check()
        memory = await self.known()
        decided_at = memory.index if change.decided_at is None else change.decided_at
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._proposals.append(_Proposal(change, memory, decided_at, answer, call))
        self._work()
        result = await answer
        if isinstance(result, Exception):
            raise result
        return result

    def _check(self) -> None:
        """Raise StoreUnavailableError while the store hangs: nobody has to wait to find that out again."""
        if self._hangs:
            raise StoreUnavailableError(self._hangs)

    def end(self, call: RecordedCall) -> None:
        """Have told how sending a call's response ended, with the next turn, or soon."""
        if self.memory is not None and self._loop is not None and len(self._ends) < MAX_ENDS:
            is_first = not self._ends
            self._ends[self.memory.index_of(call.number)] = (call.outcome, call.duration_ms)
            if is_first:
                self._ends_due = self._loop.time() + ENDS_SECONDS
                self._set_timer()

    async def settle(self) -> None:
        """Return once all that was to be told is told. Raises StoreUnavailableError."""
        while self._ends or self._proposals:
            await self.current()

    async def close(self) -> None:
        """Tell what is left, and let go of the store."""
        if self._loop is not None and self._loop is asyncio.get_running_loop():
            with suppress(StoreUnavailableError, TimeoutError):
                async with asyncio.timeout(LAST_SECONDS):
                    await self.settle()
            self._is_closed = True
            if self._timer is not None:
                self._timer.cancel()
            for task in (self._listener, self._worker):
                if task is not None:
                    task.cancel()
                    with suppress(asyncio.CancelledError):
                        await task
            await self._link.close()
        self._is_closed = True

    def _work(self) -> None:
        """Have a turn made, in the loop that asks for it."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            if self.memory is None:
                self.name = secrets.token_hex(4)  # this process may have been forked since
            self._loop, self._listener, self._timer = loop, None, None
            self._link, self._worker = RedisLink(self._url), None
        if self._worker is None:
            self._worker = loop.create_task(self._take_turns())

    async def _take_turns(self) -> None:
        try:
            while self._hangs or self._is_anything_to_do():
                if self._hangs:
                    await asyncio.sleep(TRY_AGAIN_SECONDS)
                await self._take_turn()
        finally:
            self._worker = None
        if self._listener is None and self.memory is not None:
            self._listener = asyncio.get_running_loop().create_task(self._listen())
        self._set_timer()

    def _is_anything_to_do(self) -> bool:
        is_asked = bool(self._proposals or self._asking)
        return is_asked or self._are_ends_due() or self._is_time_for_checkpoint()

    def _are_ends_due(self) -> bool:
        return bool(self._ends) and self._loop is not None and self._loop.time() >= self._ends_due

    def _is_time_for_checkpoint(self) -> bool:
        memory = self.memory
        if memory is None or memory.index == self._checkpoint or not self._link.is_connected:
            return False
        return steady_time() >= self._next_checkpoint or memory.index - self._checkpoint >= CHECKPOINT_CHANGES

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.memory is None or self._loop is None or self._is_closed or not self._link.is_connected:
            return
        waits = [self._ends_due - self._loop.time()] if self._ends else []
        if self.memory.index != self._checkpoint:
            waits.append(self._next_checkpoint - steady_time())
        if waits:
            self._timer = self._loop.call_later(max(0.01, min(waits)), self._work)

    async def _take_turn(self) -> None:
        asking, self._asking = self._asking, []
        proposals = [self._proposals.popleft() for _ in range(min(MAX_CHANGES, len(self._proposals)))]
        ends, self._ends = self._ends, {}
        began = steady_time()
        try:
            memory = await self._exchange(proposals, ends)
            self._hangs = ""
            self.condition.worked(steady_time() - began)
            for waiting in asking:
                if not waiting.done():
                    waiting.set_result(memory)
            if self._is_time_for_checkpoint():
                await self._make_checkpoint(memory)
        except BaseException as error:
            is_hanging = steady_time() - began > HANGING_SECONDS
            if is_hanging:  # whoever has come meanwhile has waited long enough, too
                asking, self._asking = [*asking, *self._asking], []
                proposals += self._proposals
                self._proposals.clear()
            why = self._fail(error, [*asking, *(one.answer for one in proposals)])
            self._hangs = why if is_hanging else ""
            if not isinstance(error, Exception):
                raise
        finally:
            if ends:  # the others do not know them yet, or not all of them
                self._ends = {**ends, **self._ends}
                self._ends_due = asyncio.get_running_loop().time() + TELL_AGAIN_SECONDS

    def _fail(self, error: BaseException, waiting: Iterable[asyncio.Future[Any]]) -> str:
        """Tell those who wait why nothing comes of it; returns that."""
        if isinstance(error, asyncio.CancelledError):
            error = StoreUnavailableError(f"the store at {self._link.shown} is closed, as its server has ended")
        elif not isinstance(error, StoreUnavailableError):
            self.memory = None  # what is wrong with it is not known
            error = StoreUnavailableError(f"the store at {self._link.shown} cannot be followed: {error!r}")
        for future in waiting:
            if not future.done():
                future.set_exception(error)
                future.exception()  # who waited may be gone
        self._next_checkpoint = steady_time() + CHECKPOINT_SECONDS
        if not self._is_closed:
            self.condition.failed(str(error))
        return str(error)

    async def _exchange(self, proposals: list[_Proposal], ends: dict[int, tuple[str, float]]) -> Memory:
        """Agree on changes with the others; returns the memory that has them. Of ``ends`` those are left to be told."""
        if self._is_closed:
            raise StoreUnavailableError(f"the store at {self._link.shown} is closed, as its server has ended")
        if not self._link.is_connected:
            await self._link.connect()
            await self._begin(await self._link.boot())
        while True:
            memory = self.memory or await self._load()
            proposals = [proposal for proposal in proposals if _is_of(proposal, memory)]
            all_proposals = [*self._news(memory, ends), *proposals]
            status, *reply = await self._turn(memory, all_proposals, ends)
            if status == b"ok":
                agreed = self._apply(memory, all_proposals, reply)
                if "ends" in agreed:
                    ends.clear()
                if "lost" in agreed:
                    self._lost = {}
                return memory
            if status == b"more":
                _apply_all(memory, reply[0])
            elif status == b"restarted":
                await self._begin(await self._link.boot())
            elif status == b"behind":
                await self._load()
            else:
                ends.clear()  # of calls that nobody has any more
                await self._load()

    def _news(self, memory: Memory, ends: Mapping[int, tuple[str, float]]) -> list[_Proposal]:
        """What the others are told beside what somebody waits for."""
        news = [SharedChange("lost", [self._lost])] if self._lost else []
        if ends:
            news.append(SharedChange("ends", [[index, *end] for index, end in ends.items()]))
        future = asyncio.get_running_loop().create_future
        return [_Proposal(change, memory, memory.index, future()) for change in news]

    async def _turn(
        self, memory: Memory, proposals: list[_Proposal], ends: Mapping[int, tuple[str, float]]
    ) -> list[Any]:
        """Ask the store for a turn."""
        block = RESERVED_NUMBERS if sum(map(len, self._reserved)) < RESERVED_NUMBERS // 2 else 0
        args: list[Any] = [self._generation, self._boot, self.name, memory.index, block, MAX_WAITING_BYTES, len(ends)]
        for index, (outcome, duration_ms) in ends.items():
            args += [index, f"{outcome} {duration_ms!r}"]
        args.append(len(proposals))
        now = self._now()
        for proposal in proposals:
            change = proposal.change
            proposal.written = written_change(change, now, self.name)
            args += [
                "call" if change.kind == "call" else "",
                proposal.decided_at,
                len(change.relies_on),
                *change.relies_on,
            ]
            args += [len(change.changes), *change.changes, proposal.written]
        began, host_time = steady_time(), self._host_time()
        reply: list[Any] = await self._link.call("turn", *args)
        if reply[0] == b"ok":
            self._note_time(reply[2], host_time, steady_time() - began)
            if block:
                first = FIRST_SEQUENCE_NUMBER + int(reply[3])
                self._reserved.append(range(first, first + block))
        return reply

    def _note_time(self, store_time: list[bytes], host_time: float, trip: float) -> None:
        """Note how far ahead the store's time is; a quick answer tells it best."""
        self._best_trip *= 1.01  # clocks drift: an old answer counts less and less
        if self._follows_time and trip <= self._best_trip:
            self._best_trip = trip
            self._ahead = int(store_time[0]) + int(store_time[1]) / 1e6 - host_time - trip / 2

    def _apply(self, memory: Memory, proposals: list[_Proposal], reply: list[Any]) -> set[str]:
        """Apply the changes of others, then ours; those who wait for these are told. Returns the kinds of ours."""
        _, _, _, checkpoint, unseen, results = reply
        agreed = set()
        _apply_all(memory, unseen)
        for proposal, index in zip(proposals, results, strict=True):
            if index > 0:
                result = memory.apply(index, proposal.written, proposal.call)
                agreed.add(proposal.change.kind)
            elif index == 0:
                result = STALE
            else:
                result = StoreUnavailableError(f"the store at {self._link.shown} has no room until it has caught up")
            if not proposal.answer.done():
                proposal.answer.set_result(result)
        self._note_checkpoint(memory, checkpoint)
        return agreed

    def _note_checkpoint(self, memory: Memory, checkpoint: int) -> None:
        if checkpoint != self._checkpoint:
            self._checkpoint = checkpoint
            memory.rows.forget_until(checkpoint)
            # not all at the same time: whoever is first does it for all
            self._next_checkpoint = steady_time() + CHECKPOINT_SECONDS * (1 + secrets.randbelow(1_000) / 1_000)

    async def _make_checkpoint(self, memory: Memory) -> None:
        """Write what the state has become, so that older changes can go."""
        memory.for_checkpoint()
        gone, written = memory.rows.changes()
        dropped = [memory.index_of(number) for number in memory.rows.dropped]
        args = [self._generation, self._checkpoint, memory.index, len(dropped), *dropped, len(gone), *gone, *written]
        index = memory.index
        if await self._link.call("checkpoint", *args):
            self._note_checkpoint(memory, index)

    async def _begin(self, boot: str) -> None:
        """Go on after a connection was made: with the memory as it is, if the store still has what it knows."""
        memory = self.memory
        if memory is None:
            return
        status, left = await self._link.call("resume", boot, self._generation, self._boot, memory.index)
        if status == b"ok":
            self._boot = boot
        else:
            await self._load(left)

    async def _load(self, left: int | None = None) -> Memory:
        """Read all that the store has into a new memory; ``left``: it has lost the changes after this one."""
        boot, generation, run = await self._link.boot(), secrets.token_hex(8), secrets.randbits(RUN_BITS)
        await self._link.load_functions()
        opened = await self._link.call("open", STORE_FORMAT, self._settings, generation, run, boot)
        self.check_settings(opened[2], opened[3])
        generation = opened[0].decode()
        await self._link.call("resume", boot, generation, boot, 0)
        answers = await self._link.together(
            ("HGETALL", META), ("HGETALL", ROWS), ("HGETALL", CALLS), ("HGETALL", ENDS), ("XRANGE", LOG, "-", "+")
        )
        meta, rows, calls, ends = (dict(zip(*[iter(answer)] * 2, strict=True)) for answer in answers[:4])
        self._checkpoint = int(meta.get(b"checkpoint", 0))
        snapshot = Snapshot(
            path=self._link.shown,
            run=int(opened[1]),
            checkpoint=self._checkpoint,
            rows=rows,
            calls=sorted((int(index), written) for index, written in calls.items()),
            ends={int(index): _read_end(end) for index, end in ends.items()},
            changes=[one for one in map(_read_entry, answers[4]) if one[0] > self._checkpoint],
        )
        former, memory = self.memory, self._memory_of(snapshot)
        if former is not None:
            self._note_loss(former, memory, left, generation)
        self._generation, self._boot, self.memory = generation, boot, memory
        self._on_memory(memory)
        if former is not None:
            former.wake_everybody()
        return memory

    def _note_loss(self, former: Memory, memory: Memory, left: int | None, generation: str) -> None:
        """Note what the store has no more of a former memory, to tell it: every server that had it names it alike."""
        if generation != self._generation:
            loss, left = self._generation, 0
        elif left is not None:
            loss = f"{self._generation}/{self._boot}"
        else:
            return
        for name, calls in former.lost_with(left, loss, memory).items():
            known = self._lost.get(name, {})
            self._lost[name] = {
                **known,
                **{account: max(number, known.get(account, 0)) for account, number in calls.items()},
            }

    def _memory_of(self, snapshot: Snapshot) -> Memory:
        registry = Registry(self._parts.contracts)
        for account_id, vendors in self._first_accounts:
            registry.add(account_id, load(vendors), lasting=True)
        self._eras += 1
        return Memory(self.name, self._eras, snapshot, replace(self._parts, registry=registry), self._changes)

    def check_settings(self, form: bytes, settings: bytes) -> None:
        """Raise StoreUnavailableError where a store was made by another version, or with other bounds."""
        ours, where = self._settings, f"the store at {self._link.shown}"
        if form != STORE_FORMAT.encode():
            raise StoreUnavailableError(f"{where} was made by another version of mockserver: use that one, or empty it")
        if settings != ours:
            raise StoreUnavailableError(
                f"{where} is used by servers with other bounds {settings.decode()} (calls and bytes of the journal, "
                f"accounts) than ours {ours.decode()}: start all with the same, or empty the store"
            )

    async def _listen(self) -> None:
        """Ask for the changes of others as these tell of them, and where a telling may have been missed."""
        while True:
            with suppress(StoreUnavailableError):
                async with aclosing(self._link.notices()) as notices:
                    async for notice in notices:
                        await self._heed(notice)
            if self._worker is None:
                await self._link.close()  # what has cut off this connection will have cut off that one
            await self._heed(b"")  # it shows whether the store can be used
            await asyncio.sleep(LISTEN_AGAIN_SECONDS)

    async def _heed(self, notice: bytes) -> None:
        index, _, author = notice.partition(b" ")
        memory = self.memory
        if not notice or (memory is not None and author != self.name.encode() and int(index) > memory.index):
            with suppress(StoreUnavailableError):
                await self.current()


def _is_of(proposal: _Proposal, memory: Memory) -> bool:
    """Whether a change was decided by this memory; if not, it is to be decided again."""
    if proposal.memory is memory:
        return True
    if not proposal.answer.done():
        proposal.answer.set_result(STALE)
    return False


def _apply_all(memory: Memory, entries: Iterable[Any]) -> None:
    for index, written in map(_read_entry, entries):
        memory.apply(index, written)


def _read_entry(entry: Any) -> tuple[int, bytes]:
    """The index and the change of an entry of the log."""
    return int(entry[0].partition(b"-")[0]), entry[1][1]


def _read_end(end: bytes) -> tuple[str, float]:
    outcome, _, duration_ms = end.decode().partition(" ")
    return outcome, float(duration_ms)
