"""``GET /_mock/events``: calls as they come, and what changes, as server-sent events.

A viewer holds no queue: it looks at the journal a few times a second and takes the newest calls, so one that reads
slowly costs no memory. What it missed is counted, and one that does not read at all is told so and let go.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from mockserver.engine.call import RecordedCall, call_id, call_number
from mockserver.engine.sources import steady_time
from mockserver.server.control.listing import CALL_FILTERS, Listing, parameters, read_listing
from mockserver.server.control.requests import ApiError, State, state_of
from mockserver.server.control.shown_calls import summaries
from mockserver.server.wire.asgi import WIRE, Connection
from mockserver.store.journal import Page
from mockserver.store.kinds import StoreUnavailableError
from mockserver.store.store import Store

TICK = 0.2  # seconds between two looks at the journal
HEARTBEAT = 10.0  # seconds without an event, before a comment says that the stream goes on
MAX_STALL = 10.0  # seconds that a viewer may take to read one event
MAX_CALLS_AT_ONCE = 200  # calls of one event; of more only the newest are shown, and the others counted
MAX_COUNTED = 1_000  # calls that are looked at in one step, to count them
MAX_WITHIN = 86400.0  # seconds
RETRY = b"retry: 1000\n\n"  # milliseconds, after which a browser comes back
STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


async def show_events(request: Request) -> Response:
    """A stream of ``ready``, ``calls``, ``changed``, ``reset`` and ``dropped``, each with an id to go on from.

    ``within`` ends it after so many seconds. With ``Last-Event-ID`` it begins behind that event.
    """
    values, state = parameters(request, (*CALL_FILTERS, "within")), state_of(request)
    within = _seconds(values.pop("within", None))
    viewer = Viewer(state, await read_listing(state, values), within)
    return EventStream(viewer.events(request.headers.get("last-event-id", "")))


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= MAX_WITHIN:
        raise ApiError(400, f"must be a number of seconds from 0 to {MAX_WITHIN:g}", "/query/within")
    return seconds


class EventStream(StreamingResponse):
    """Ends as soon as its client leaves or the server ends: a write would notice a closed tab much later."""

    def __init__(self, events: AsyncIterator[bytes]) -> None:
        super().__init__(events, headers=STREAM_HEADERS, media_type="text/event-stream")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection: Connection | None = scope.get("extensions", {}).get(WIRE)
        if connection is None:
            await super().__call__(scope, receive, send)
            return
        sending = asyncio.ensure_future(super().__call__(scope, receive, send))
        leaving = asyncio.ensure_future(connection.left())
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class StreamPlace:
    """How far a viewer has seen: the last call's number (0: none), how many were evicted, how often calls were cleared.

    As text it is an event's id. Calls behind it are all there as long as the last one is, and nothing was evicted or
    cleared since.
    """

    number: int
    evicted: int
    cleared: int

    def __str__(self) -> str:
        return f"{call_id(self.number)}.{self.evicted}.{self.cleared}"

    @classmethod
    def read(cls, text: str) -> "StreamPlace | None":
        """The place that an id names; None where it is no such id."""
        last, *counts = text.split(".")
        number = call_number(last)
        if number is None or len(counts) != 2 or not all(c.isascii() and c.isdigit() and len(c) < 16 for c in counts):
            return None
        return cls(number, *map(int, counts))


class Viewer:
    """One reader of events."""

    def __init__(self, state: State, listing: Listing, within: float | None) -> None:
        self._state = state
        self._listing = listing
        self._until = None if within is None else steady_time() + within
        self._place = StreamPlace(0, 0, 0)
        self._counts: Mapping[str, int] = {}
        self._unfinished: dict[int, None] = {}  # numbers of calls that were shown while their response was going out

    async def events(self, last_event: str) -> AsyncIterator[bytes]:
        """Events as bytes, until the time is over, the server ends, or the store gives no answer."""
        try:
            async for event in self._events(last_event):
                yield event
        except StoreUnavailableError as error:
            yield self._event("dropped", {"why": str(error)})

    async def _events(self, last_event: str) -> AsyncIterator[bytes]:
        yield RETRY + await self._begin(last_event)
        beat = steady_time()
        while self._state.store.is_waited_on and not self._is_over():
            for event in [one async for one in self._news()]:
                began = beat = steady_time()
                yield event
                if steady_time() - began > MAX_STALL:
                    yield self._event("dropped", {"why": f"an event was not read within {MAX_STALL:g} seconds"})
                    return
            if steady_time() - beat > HEARTBEAT:
                beat = steady_time()
                yield b": still here\n\n"
            await asyncio.sleep(TICK)

    def _is_over(self) -> bool:
        return self._until is not None and steady_time() >= self._until

    async def _begin(self, last_event: str) -> bytes:
        """Where a viewer begins: behind the event that it saw last, else behind the newest call."""
        newest = await self._newest()
        self._counts = self._state.changes.counts()
        self._place = newest
        if not last_event:
            return self._event("ready", {"evicted": newest.evicted})
        seen = StreamPlace.read(last_event)
        if seen is None or (seen.evicted, seen.cleared) != (newest.evicted, newest.cleared):
            return self._event("reset", {"why": "calls may be missing", "evicted": newest.evicted})
        if seen.number and await self._state.store.call(seen.number) is None:
            return self._event("reset", {"why": "the last call that was seen is gone", "evicted": newest.evicted})
        self._place = seen
        return self._event("ready", {"evicted": newest.evicted})

    async def _newest(self) -> StreamPlace:
        page = await self._state.store.calls(replace(self._listing.query, limit=1))
        return StreamPlace(page.calls[0].number if page.calls else 0, page.evicted, self._state.changes.cleared)

    async def _news(self) -> AsyncIterator[bytes]:
        """What happened since the last look."""
        counts = self._state.changes.counts()
        changed = [what for what, number in counts.items() if number != self._counts.get(what, 0)]
        self._counts = counts
        now = await self._state.as_of_now()
        calls, skipped = await self._new_calls(now.store)
        if calls or skipped:
            shown = await summaries(now, calls)
            yield self._event("calls", {"calls": shown, "skipped": skipped, "evicted": self._place.evicted})
        if changed:
            yield self._event("changed", {"what": changed, "evicted": self._place.evicted})

    async def _new_calls(self, store: Store) -> tuple[list[RecordedCall], int]:
        """Calls since the last look, oldest first, behind those that have ended since; how many are left out."""
        seen, query = self._place.number, replace(self._listing.query, limit=MAX_CALLS_AT_ONCE)
        page = await store.calls(query)
        new = _behind(seen, page)
        self._place = StreamPlace(new[0].number if new else seen, page.evicted, self._state.changes.cleared)
        ended = await self._ended(store)
        found = [call for call in new if self._listing.admits(call)]
        self._unfinished |= dict.fromkeys(call.number for call in found if call.outcome == "pending")
        skipped = 0
        while page.next is not None and len(new) == len(page.calls):
            page = await store.calls(replace(query, before=page.next, limit=MAX_COUNTED))
            new = _behind(seen, page)
            skipped += sum(map(self._listing.admits, new))
            await asyncio.sleep(0)
        return ended + found[::-1], skipped

    async def _ended(self, store: Store) -> list[RecordedCall]:
        """The calls that were shown while their response was going out, and that have ended."""
        ended = []
        for number in tuple(self._unfinished):
            call = await store.call(number)
            if call is None or call.outcome != "pending":
                del self._unfinished[number]
                ended += [] if call is None else [call]
        return ended

    def _event(self, kind: str, data: Mapping[str, Any]) -> bytes:
        return b"id: %b\nevent: %b\ndata: %b\n\n" % (
            str(self._place).encode(),
            kind.encode(),
            msgspec.json.encode(data),
        )


def _behind(number: int, page: Page) -> list[RecordedCall]:
    return [call for call in page.calls if call.number > number]
