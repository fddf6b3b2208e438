"""Sends callbacks: in time, in order for each message, only where it may, each attempt recorded as a call."""

import asyncio
import json
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from mockserver.engine.call import RecordedCall, pack_headers, split_headers
from mockserver.engine.callback import CallbackMaker, OutgoingRequest, label_of, view_of_step
from mockserver.engine.sources import Sources, steady_time
from mockserver.engine.values import Context
from mockserver.server.http_client import DeliveryError, Reply, address_of, send
from mockserver.server.settings import is_loopback
from mockserver.spec.model import INBOUND
from mockserver.store.records import StepDue
from mockserver.store.store import Store

MAX_CALLBACKS_AT_ONCE = 4  # requests to the receivers of one account
MAX_HELD = 1_000  # requests of an account that went nowhere and can still be taken
MAX_ACCOUNTS_HELD = 10_000
MAX_ROUNDS = 1_000  # of steps that one advance of a clock may set off
LATEST_LOOK = 3600.0  # seconds between two looks at the clocks, at most


@dataclass(slots=True)
class _Desk:
    """What is under way for one account: how many requests at once, and the last task of each message."""

    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_CALLBACKS_AT_ONCE))
    lines: dict[tuple[int, int], "asyncio.Task[None]"] = field(default_factory=dict)


class Courier:
    """Makes the callbacks of one server, each a line of ``log``. It works while the loop runs that started it."""

    def __init__(self, store: Store, maker: CallbackMaker, sources: Sources, hosts: Iterable[str]) -> None:
        self.log: Callable[[RecordedCall], None] | None = None
        self._store = store
        self._maker = maker
        store.begin_timekeeping = self.ensure_running
        self._callbacks = maker.callbacks
        self._sources = sources
        self._hosts = frozenset(hosts)
        self._desks: dict[str, _Desk] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._held: OrderedDict[str, deque[OutgoingRequest]] = OrderedDict()
        self._task: asyncio.Task[None] | None = None

    def ensure_running(self) -> None:
        """Begin to look after the clocks, unless that goes on already."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self, grace: float) -> None:
        """End: requests under way have so many seconds left; what does not end is recorded as abandoned."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        under_way = [task for desk in self._desks.values() for task in desk.lines.values()]
        if under_way:
            _, late = await asyncio.wait(under_way, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            now, times = self._sources.now(), await self._store.next_due()
            ready = [account for account, due in times if due <= now]
            for account in ready:
                async with self.holding(account):
                    await self.fire(account)
            if not ready:
                await self._store.wait_for_step(min([LATEST_LOOK, *(due - now for _, due in times)]))

    @asynccontextmanager
    async def holding(self, account: str) -> AsyncIterator[None]:
        """Let nobody else do what is due for an account meanwhile: who sets its clock tells what that sets off."""
        lock = self._locks.setdefault(account, asyncio.Lock())
        try:
            async with lock:
                yield
        finally:
            if not lock.locked() and self._locks.get(account) is lock:
                del self._locks[account]

    async def fire(self, account: str) -> list["asyncio.Task[None]"]:
        """Let what is due on an account's clock happen, in order; returns the tasks that send its callbacks."""
        tasks = []
        for _ in range(MAX_ROUNDS):
            steps = await self._store.run_due(account)
            if not steps:
                break
            for step in steps:
                tasks += self._tell_of_step(account, step)
        return tasks

    def _tell_of_step(self, account: str, due: StepDue) -> list["asyncio.Task[None]"]:
        view = view_of_step(due.view, due.list_name, due.record)
        context = Context(view, None, self._sources, due.due)
        event = f"{due.list_name}/{due.step.name}"
        requests = self._maker.make(due.vendor, event, context, account=account, cause=due.cause, index=due.index)
        return [self._line_up(request) for request in requests]

    def tell_of_inbound(self, account: str, vendor: str, context: Context, cause: int) -> list["asyncio.Task[None]"]:
        """Tell of a subscriber's message; returns the tasks that send the callbacks."""
        requests = self._maker.make(vendor, INBOUND, context, account=account, cause=cause, index=0)
        return [self._line_up(request) for request in requests]

    def _line_up(self, request: OutgoingRequest) -> "asyncio.Task[None]":
        """Send a request after those that tell of the same message."""
        desk = self._desks.setdefault(request.account, _Desk())
        line = (request.cause, request.index)
        task = asyncio.get_running_loop().create_task(self._deliver(request, desk, desk.lines.get(line)))
        desk.lines[line] = task
        task.add_done_callback(lambda done: self._leave(request.account, line, done))
        return task

    def _leave(self, account: str, line: tuple[int, int], done: "asyncio.Task[None]") -> None:
        desk = self._desks.get(account)
        if desk is not None and desk.lines.get(line) is done:
            del desk.lines[line]
            if not desk.lines:
                del self._desks[account]

    async def _deliver(self, request: OutgoingRequest, desk: _Desk, before: "asyncio.Task[None] | None") -> None:
        if before is not None:
            await asyncio.wait([before])
        withheld = self._why_withheld(request.url)
        if withheld is not None:
            self._hold(request)
            await self._record(request, 1, "withheld", None, withheld, 0.0)
            return
        for attempt, pause in enumerate((0.0, *request.callback.retries), start=1):
            await self._pause(request.account, pause)
            async with desk.gate:
                if await self._attempt(request, attempt):
                    return

    async def _attempt(self, request: OutgoingRequest, attempt: int) -> bool:
        """Send a request once and record it; returns whether the receiver took it."""
        started, reply, note, outcome = steady_time(), None, "", "aborted"
        callback = request.callback
        try:
            headers = split_headers(request.headers)
            reply = await send(callback.method, request.url, headers, request.body, callback.timeout)
            outcome = "sent"
        except DeliveryError as error:
            note = str(error)
        except asyncio.CancelledError:
            await self._record(request, attempt, "abandoned", None, "the server stopped", 0.0)
            raise
        await self._record(request, attempt, outcome, reply, note, (steady_time() - started) * 1000)
        return reply is not None and 200 <= reply.status < 300

    async def _pause(self, account: str, seconds: float) -> None:
        """Wait on the account's clock."""
        if seconds <= 0:
            return
        clock, real = await self._store.clock(account)
        until = clock.at(real) + seconds
        while True:
            clock, real = await self._store.clock(account)
            if clock.at(real) >= until:
                return
            due = clock.real_at(until)
            await self._store.wait_for_clock(account, None if due is None else due - real)

    async def _record(  # noqa: PLR0913, PLR0917 -- what became of an attempt
        self,
        request: OutgoingRequest,
        attempt: int,
        outcome: str,
        reply: Reply | None,
        note: str,
        duration_ms: float,
    ) -> None:
        parts = urlsplit(request.url) if address_of(request.url) is not None else None
        notes = json.dumps([note]) if note else ""
        call = RecordedCall(
            account=request.account,
            label=label_of(request.callback, status=reply.status if reply else 0, fault="", notes=notes),
            recipient="",
            problems="",
            method=request.callback.method,
            path=(parts.path or "/") if parts is not None else "",
            path_params="",
            query=parts.query.encode("ascii") if parts is not None else b"",
            headers=request.headers,
            body=request.body,
            response_headers=pack_headers(reply.headers) if reply else b"",
            response_body=bytes(reply.body) if reply else b"",
            received_at=self._sources.now(),
            url=request.url,
            cause=request.cause,
            attempt=attempt,
        )
        await self._store.commit(call)
        await self._store.complete(call, outcome, duration_ms)
        if self.log is not None:
            self.log(call)

    def _why_withheld(self, url: str) -> str | None:
        """Why nothing may be sent to an address; None where it may."""
        parts = address_of(url)
        if parts is None:
            return "withheld: the address is no http or https URL"
        host = (parts.hostname or "").lower()
        if is_loopback(host) or host in self._hosts:
            return None
        return f"withheld: {host} is not this machine; allow it with --callback-to {host}"

    def _hold(self, request: OutgoingRequest) -> None:
        """Keep a request that went nowhere, for a test to take."""
        held = self._held.setdefault(request.account, deque(maxlen=MAX_HELD))
        held.append(request)
        self._held.move_to_end(request.account)
        if len(self._held) > MAX_ACCOUNTS_HELD:
            self._held.popitem(last=False)

    async def take(self, account: str) -> list[OutgoingRequest]:
        """The requests of an account that went nowhere, oldest first; each is given once.

        What is due is made first.
        """
        async with self.holding(account):
            tasks = await self.fire(account)
        if tasks:
            await asyncio.wait(tasks)
        return list(self._held.pop(account, ()))

    async def redeliver(self, call: RecordedCall) -> None:
        """Send a recorded callback once more, as it was."""
        callback = self._callbacks[call.operation]
        headers = call.headers
        self._line_up(OutgoingRequest(callback, call.account, call.url, headers, call.body, call.cause, 0))

    def forget(self, account: str) -> None:
        """Drop what is held and under way for an account."""
        self._held.pop(account, None)
        desk = self._desks.pop(account, None)
        for task in desk.lines.values() if desk is not None else ():
            task.cancel()
