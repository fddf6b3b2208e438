"""Sends callbacks: in time, in order for each message, again where the vendor tries again."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush, nsmallest
from itertools import count
from math import inf
from operator import attrgetter

from mockserver.engine.call import RecordedCall
from mockserver.engine.callback import CallbackMaker, OutgoingRequest, view_of_step, with_wrong_signature
from mockserver.engine.pin import PinState
from mockserver.engine.sources import Sources
from mockserver.engine.values import Context
from mockserver.server.attempts import Attempts
from mockserver.spec.callback_model import INBOUND
from mockserver.store.kinds import StoreUnavailableError
from mockserver.store.planned_steps import StepDue
from mockserver.store.store import MAX_TOLD_AT_ONCE, Store

MAX_CALLBACKS_AT_ONCE = 4  # requests to the receivers of one account
MAX_BEGUN = 1_000  # requests of an account, those included that wait for their turn; what is due then waits, too
MAX_POSTPONED = 10_000  # requests of an account that are sent later; further ones are given up
MAX_ROUNDS = 20_000  # of steps and further attempts that one advance of a clock may set off
MAX_PENDING_LISTED = 100  # callbacks of an account
EARLIEST_LOOK, LATEST_LOOK = 0.005, 3600.0  # seconds between two looks at the clocks, where nobody asks for one
LOOK_AGAIN = 1.0  # seconds, where the store gave no answer

Task = asyncio.Task[int]  # of which the result is how many attempts were made


@dataclass(frozen=True, slots=True)
class Job:
    """A request to make, due at a time of the account's clock.

    ``retries`` are the seconds to each further attempt. ``pin`` is the one whose fault has made it late.
    """

    request: OutgoingRequest
    due: float
    attempt: int = 1
    retries: tuple[float, ...] = ()
    pin: PinState | None = None


@dataclass(frozen=True, slots=True)
class PendingCallback:
    """A callback that is to come in so many seconds of the account's clock; ``note`` says why it has not come yet."""

    operation: str
    due_in: float
    note: str


@dataclass(slots=True)
class _Desk:
    """What is under way for one account: the last task of each message, and what is sent later, the next one first.

    It ``is_closed`` when the account was reset or deleted: nothing more is recorded.
    """

    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_CALLBACKS_AT_ONCE))
    lines: dict[tuple[int, int], Task] = field(default_factory=dict)
    tasks: set[Task] = field(default_factory=set)
    later: list[tuple[float, int, Job]] = field(default_factory=list)
    is_closed: bool = False


@dataclass(slots=True)
class _Hold:
    """Who does what is due for one account, and how many want to."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    wanted: int = 0


class Courier:
    """Makes the callbacks of one server, each attempt a line of ``log``. It works in the loop that started it."""

    def __init__(self, store: Store, maker: CallbackMaker, sources: Sources, hosts: Iterable[str]) -> None:
        self.log: Callable[[RecordedCall], None] | None = None
        self._store = store
        self._maker = maker
        store.begin_timekeeping = self.ensure_running
        store.on_forgotten = self.forget
        self._sources = sources
        self._attempts = Attempts(store, sources, hosts)
        self._desks: dict[str, _Desk] = {}
        self._holds: dict[str, _Hold] = {}
        self._order = count()
        self._task: asyncio.Task[None] | None = None

    def use(self, maker: CallbackMaker) -> None:
        """Make callbacks by other contracts from the next one on."""
        self._maker = maker

    def ensure_running(self) -> None:
        """Begin to look after the clocks, unless that goes on already."""
        if self._task is None or self._task.done() or self._task.get_loop().is_closed():
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self, grace: float) -> None:
        """End: requests under way have so many seconds left; what does not end is recorded as abandoned.

        An application may be served by several loops at once: each ends what it has begun itself.
        """
        loop = asyncio.get_running_loop()
        if self._task is not None and self._task.get_loop() is loop:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        tasks = [task for desk in self._desks.values() for task in desk.tasks]
        under_way = [task for task in tasks if task.get_loop() is loop]
        if under_way:
            _, late = await asyncio.wait(under_way, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await self._look()
            except StoreUnavailableError:  # what is due stays due until the store is back
                await asyncio.sleep(LOOK_AGAIN)

    async def _look(self) -> None:
        """Do what is due, or wait until something is."""
        now = self._sources.now()
        times = [(account, due) for account, due in await self._due() if self._is_free(account)]
        ready = [account for account, due in times if due <= now]
        for account in ready:
            async with self.holding(account):
                await self.fire(account)
        if not ready:
            due_in = min([LATEST_LOOK, *(due - now for _, due in times)])
            await self._store.wait_for_step(max(EARLIEST_LOOK, due_in))

    def _is_free(self, account: str) -> bool:
        """Whether what is due for an account can be done now: nobody else is at it, and its receivers keep up."""
        return account not in self._holds and not self._is_busy(account)

    def _is_busy(self, account: str) -> bool:
        return account in self._desks and len(self._desks[account].tasks) >= MAX_BEGUN

    async def _due(self) -> list[tuple[str, float]]:
        """The accounts that have something to come while their clocks run, each with the real time when it is due."""
        times = await self._store.next_due()
        for account, desk in self._desks.items():
            if desk.later:
                clock, _ = await self._store.clock(account)
                due = clock.real_at(desk.later[0][0])
                times += [] if due is None else [(account, due)]
        return times

    @asynccontextmanager
    async def holding(self, account: str) -> AsyncIterator[None]:
        """Let nobody else do what is due for an account meanwhile: who sets its clock tells what that sets off."""
        hold = self._holds.setdefault(account, _Hold())
        hold.wanted += 1
        try:
            async with hold.lock:
                yield
        finally:
            hold.wanted -= 1
            if not hold.wanted:
                del self._holds[account]
            self._store.wake_timekeeper()

    async def settle(self, account: str) -> int:
        """Let what is due on an account's clock happen, and what that sets off; returns how many attempts were made.

        It returns when each of them has an answer, or none. Only who holds the account may ask for it.
        """
        told = 0
        for _ in range(MAX_ROUNDS):
            tasks = await self.fire(account)
            if not tasks:
                break
            under_way = [task for task in tasks if not task.done()]
            if under_way:
                await asyncio.wait(under_way)
            told += sum(task.result() for task in tasks if not task.cancelled())
        return told

    async def fire(self, account: str) -> list[Task]:
        """Let what is due on an account's clock happen, in order; returns the tasks that send its callbacks."""
        self.ensure_running()
        tasks: list[Task] = []
        for _ in range(MAX_ROUNDS):
            if self._is_busy(account):
                break
            steps = await self._store.run_due(account)
            jobs = await self._later(account, steps[-1].due if len(steps) == MAX_TOLD_AT_ONCE else inf)
            if not steps and not jobs:
                break
            ready: list[StepDue | Job] = sorted([*steps, *jobs], key=attrgetter("due"))
            for due in ready:
                tasks += self._tell_of_step(account, due) if isinstance(due, StepDue) else [self._begin(due)]
            await asyncio.sleep(0)  # with few tasks begun: all that are ready run before anybody else gets a turn
        return tasks

    async def _later(self, account: str, until: float) -> list[Job]:
        """Take some of what was postponed and is due now, and until this time: what is due later follows more steps."""
        desk, jobs = self._desks.get(account), list[Job]()
        if desk is not None and desk.later:
            clock, real = await self._store.clock(account)
            until = min(until, clock.at(real))
            while desk.later and desk.later[0][0] <= until and len(jobs) < MAX_TOLD_AT_ONCE:
                jobs.append(heappop(desk.later)[2])
        return jobs

    def _tell_of_step(self, account: str, due: StepDue) -> list[Task]:
        requests = self._maker.make(
            due.vendor,
            _event(due),
            self._context(due),
            account=account,
            cause=due.cause,
            index=due.index,
            recipient=due.recipient,
        )
        return [self._begin(Job(request, due.due, retries=request.callback.retries)) for request in requests]

    def _context(self, due: StepDue) -> Context:
        return Context(view_of_step(due.view, due.list_name, due.record), None, self._sources, due.due)

    def tell_of_inbound(self, account: str, vendor: str, context: Context, cause: int, to: str) -> list[Task]:
        """Tell of a subscriber's message to a number; returns the tasks that send the callbacks."""
        made = self._maker.make(vendor, INBOUND, context, account=account, cause=cause, index=0, recipient=to)
        return [self._begin(Job(request, context.now, retries=request.callback.retries)) for request in made]

    def _begin(self, job: Job) -> Task:
        """Send a request; the first attempt after those that tell of the same message."""
        request = job.request
        desk = self._desks.setdefault(request.account, _Desk())
        line = (request.cause, request.index)
        is_first = job.attempt == 1 and job.pin is None
        task = asyncio.get_running_loop().create_task(
            self._deliver(job, desk, desk.lines.get(line) if is_first else None)
        )
        desk.tasks.add(task)
        if is_first:
            desk.lines[line] = task
        task.add_done_callback(lambda done: self._leave(request.account, desk, line, done))
        return task

    def _leave(self, account: str, desk: _Desk, line: tuple[int, int], done: Task) -> None:
        was_busy = len(desk.tasks) == MAX_BEGUN
        desk.tasks.discard(done)
        if was_busy:
            self._store.wake_timekeeper()
        if desk.lines.get(line) is done:
            del desk.lines[line]
        if not desk.tasks and not desk.later and self._desks.get(account) is desk:
            del self._desks[account]

    async def _deliver(self, job: Job, desk: _Desk, before: Task | None) -> int:
        """Make an attempt; returns how many requests that were. One that is given up is recorded as abandoned."""
        try:
            return await self._deliver_after(before, job, desk)
        except StoreUnavailableError:  # what cannot be recorded is not sent
            return 0
        except asyncio.CancelledError:
            if not desk.is_closed:
                call = await self._attempts.record(job.request, job.attempt, "abandoned", "the server stopped")
                self._log(call)
            raise

    async def _deliver_after(self, before: Task | None, job: Job, desk: _Desk) -> int:
        if before is not None:
            await asyncio.wait([before])
        pin = job.pin or await self._store.strike_callback(job.request)
        fault = pin.fault if pin is not None else None
        if pin is not None and fault is not None and fault.kind == "late" and job.pin is None:
            self._postpone(desk, replace(job, due=job.due + fault.seconds(pin.met), pin=pin))
            return 0
        times = 2 if fault is not None and fault.kind == "duplicate" else 1
        async with desk.gate:
            taken = [await self._attempt(job, pin) for _ in range(times)]
        if not taken[-1] and job.retries:
            due, retries = job.due + job.retries[0], job.retries[1:]
            self._postpone(desk, Job(job.request, due, job.attempt + 1, retries))
        return times

    async def _attempt(self, job: Job, pin: PinState | None) -> bool:
        """Send a request once, or keep it where it may not leave; returns whether no further attempt is needed."""
        request, kind = job.request, "" if pin is None or pin.fault is None else pin.fault.kind
        trouble = {"fault": kind, "pin": pin.id if pin is not None else ""}
        if kind == "lost":
            self._log(await self._attempts.record(request, job.attempt, "aborted", "lost on its way", **trouble))
            return False
        if kind == "wrong_signature":
            request = with_wrong_signature(request)
        withheld = self._attempts.why_withheld(request.url)
        if withheld is not None:
            await self._store.hold(request)
            self._log(await self._attempts.record(request, job.attempt, "withheld", withheld, **trouble))
            return True
        call = await self._attempts.make(request, job.attempt, **trouble)
        self._log(call)
        return call.accepted

    def _postpone(self, desk: _Desk, job: Job) -> None:
        if len(desk.later) < MAX_POSTPONED and not desk.is_closed:
            heappush(desk.later, (job.due, next(self._order), job))
            self._store.wake_timekeeper()

    def _log(self, call: RecordedCall) -> None:
        if self.log is not None:
            self.log(call)

    async def take(self, account: str) -> list[OutgoingRequest]:
        """The requests of an account that went nowhere, oldest first; each is given once.

        What is due is made first.
        """
        async with self.holding(account):
            await self.settle(account)
        under_way = self._desks[account].tasks if account in self._desks else ()
        if under_way:
            await asyncio.wait(under_way)
        taken = await self._store.take_held(account)
        for request in taken:
            await self._store.meet_callback(account, request.callback, "")
        return taken

    async def pending(self, account: str, store: Store | None = None) -> list[PendingCallback]:
        """The callbacks that are to come by what an account's clock will bring, the next ones first.

        ``store`` is what is known of it, where that is at hand.
        """
        store = store or self._store
        clock, real = await store.clock(account)
        now, found = clock.at(real), []
        for step in await store.pending(account, MAX_PENDING_LISTED):
            addressed = self._maker.addressed(step.vendor, _event(step), self._context(step))
            found += [(step.due, callback.id, "") for callback, _ in addressed]
        desk = self._desks.get(account)
        for due, _, job in nsmallest(MAX_PENDING_LISTED, desk.later) if desk is not None else ():
            found.append((due, job.request.callback.id, f", attempt {job.attempt}" if job.attempt > 1 else ""))
        frozen = "the clock is frozen, " if clock.is_frozen else ""
        return [
            PendingCallback(operation, round(max(due - now, 0), 3), f"{frozen}due in {max(due - now, 0):.3g} s{which}")
            for due, operation, which in sorted(found)[:MAX_PENDING_LISTED]
        ]

    def redeliver(self, call: RecordedCall) -> bool:
        """Send a recorded callback once more, as it was; False where the contracts have none such any more."""
        callback = self._maker.callbacks.get(call.operation)
        if callback is None:
            return False
        request = OutgoingRequest(
            callback, call.account, call.url, call.headers, call.body, call.cause, 0, call.recipient
        )
        self._begin(Job(request, self._sources.now(), call.attempt + 1))
        return True

    def forget(self, account: str) -> None:
        """Drop what is under way for an account."""
        desk = self._desks.pop(account, None)
        if desk is not None:
            desk.is_closed = True
            desk.later.clear()
            for task in list(desk.tasks):
                task.cancel()


def _event(due: StepDue) -> str:
    return f"{due.list_name}/{due.step.name}"
