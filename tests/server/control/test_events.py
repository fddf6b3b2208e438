"""Server-sent events: calls as they come, from where a reader left off, until it leaves or the server ends."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
import requests
from starlette.testclient import TestClient

from mockserver.server.application import Application, create_app
from mockserver.server.control import events
from mockserver.server.control.events import EventStream, StreamPlace, Viewer
from mockserver.server.control.listing import read_listing
from mockserver.testing.client import Control
from tests.engine.workbench import recorded
from tests.live import PATIENCE, Live, live_server
from tests.server.acme_customer import SETTINGS, Customer
from tests.streams import Client


@dataclass(frozen=True)
class Event:
    """One event as it came."""

    kind: str
    id: str
    data: dict[str, Any]


def read(response: Any) -> Iterator[Event]:
    """The events of a response, until its end."""
    fields: dict[str, str] = {}
    for line in response.iter_lines(chunk_size=1):
        name, _, value = line.decode().partition(": ")
        if name:
            fields[name] = value
        elif "event" in fields:
            yield Event(fields["event"], fields["id"], json.loads(fields["data"]))
            fields = {}


@contextmanager
def events_of(live: Live, last: str = "", **query: Any) -> Iterator[Iterator[Event]]:
    headers = {"Last-Event-ID": last} if last else {}
    asked = requests.get(
        f"{live.url}/_mock/events", params={"within": "20", **query}, headers=headers, stream=True, timeout=PATIENCE
    )
    with closing(asked) as response:
        assert (response.status_code, response.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        yield read(response)


@pytest.fixture
def caller(live: Live) -> Iterator[Customer]:
    """A customer of the server on a socket."""
    with requests.Session() as session:
        made = session.post(f"{live.url}/_mock/accounts", json={}, timeout=PATIENCE).json()
        yield Customer(Session(live.url, session), made)  # type: ignore[arg-type]  # of a client it has what is used
        session.delete(f"{live.url}/_mock/accounts/{made['id']}", timeout=PATIENCE)


@dataclass(frozen=True)
class Session:
    """What a customer needs of a client, over a socket."""

    url: str
    session: requests.Session

    def request(self, method: str, path: str, **more: Any) -> Any:
        return self.session.request(method, self.url + path, timeout=PATIENCE, **more)

    def get(self, path: str, **more: Any) -> Any:
        return self.request("GET", path, **more)

    def delete(self, path: str, **more: Any) -> Any:
        return self.request("DELETE", path, **more)

    def put(self, path: str, **more: Any) -> Any:
        return self.request("PUT", path, **more)


def calls_of(stream: Iterator[Event], number: int) -> list[dict[str, Any]]:
    """So many calls whose response is out, each once, as they come."""
    found: dict[str, dict[str, Any]] = {}
    for event in stream:
        found |= {call["id"]: call for call in event.data.get("calls", ()) if call["outcome"] != "pending"}
        if len(found) >= number:
            break
    return list(found.values())


def test_calls_come(live: Live, caller: Customer) -> None:
    """Each once it is made, in short, as the list in short has it; none that was there before."""
    caller.send()
    with events_of(live, account=caller.id) as stream:
        assert next(stream).kind == "ready"
        sent = [caller.send().headers["x-mock-call"] for _ in range(3)]
        calls = calls_of(stream, 3)
    assert [call["id"] for call in calls] == sent
    listed = {call["id"]: call for call in caller.calls(format="summary")}
    assert calls == [listed[name] for name in sent]


def test_filters(live: Live, caller: Customer) -> None:
    """Those of the list: others' calls, and those that do not fit, stay away."""
    with events_of(live, account=caller.id, accepted="false", contains="ALAS") as stream:
        next(stream)
        caller.send()
        caller.send(json={**caller.good, "text": "alas, far too long to be taken"})
        caller.client.request("POST", "/base/messages", json={"text": "alas"})
        caller.send(json={**caller.good, "to": "-", "text": "dull"})
        last = caller.send(json={**caller.good, "to": "-", "text": "alas"})
        first, second = calls_of(stream, 2)
    assert "schema" in first["problem"] or "maxLength" in first["problem"]
    assert second["id"] == last.headers["x-mock-call"]


def test_nothing_is_lost_or_doubled(live: Live, caller: Customer) -> None:
    """A reader that comes back with the id of its last event gets what came meanwhile, and nothing else."""
    with events_of(live, account=caller.id) as stream:
        seen = next(stream)
        caller.send()
        for event in stream:
            seen = event
            if all(call["outcome"] == "sent" for call in event.data["calls"]):
                break
    missed = [caller.send().headers["x-mock-call"] for _ in range(3)]
    with events_of(live, seen.id, account=caller.id) as stream:
        assert next(stream).kind == "ready"
        assert [call["id"] for call in calls_of(stream, 3)] == missed


@pytest.mark.parametrize("last", ["000000-000009.0.0", "nonsense", "000000-000000.7.0", "a.b.c", "000000-000000.0.x"])
def test_where_calls_may_be_missing(live: Live, last: str) -> None:
    """An id of another run, one of before an eviction or of nothing at all: the reader is told to load anew."""
    with events_of(live, last) as stream:
        assert next(stream).kind == "reset"


def test_cleared_calls_reset_a_reader(live: Live, caller: Customer) -> None:
    """What was cleared while it was away would stay on its page."""
    with events_of(live) as stream:
        seen = next(stream)
    caller.client.delete("/_mock/calls", params={"account": caller.id})
    with events_of(live, seen.id) as stream:
        assert next(stream).kind == "reset"


def test_changes_are_told(live: Live, caller: Customer) -> None:
    """By what was changed: a refused change, and a question, are none."""
    with events_of(live) as stream:
        next(stream)
        caller.client.put("/_mock/pins/acme.send_sms", json={"account": caller.id})
        caller.client.request("POST", "/_mock/calls/verify", json={"account": caller.id})
        caller.client.put("/_mock/pins/acme.send_sms", json={"account": caller.id, "answers": ["closed"]})
        event = next(stream)
    assert (event.kind, event.data["what"]) == ("changed", ["pins"])


def test_the_end_of_the_time(live: Live) -> None:
    """``within`` ends a stream, so that a shell or a test need not."""
    with events_of(live, within="0.1") as stream:
        assert [event.kind for event in stream] == ["ready"]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [("within=-1", "within"), ("within=x", "within"), ("within=nan", "within"), ("vendor=nobody", "vendor"),
     ("acount=x", "acount"), ("contains=" + "x" * 1001, "contains")],
)  # fmt: skip
def test_mistakes(acme_client: TestClient, query: str, pointer: str) -> None:
    """As of any list."""
    response = acme_client.get(f"/_mock/events?{query}")
    assert (response.status_code, response.json()["pointer"]) == (400, f"/query/{pointer}")


def test_a_closed_tab_is_noticed(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, by the connection, not by a write that fails: nothing is written meanwhile."""
    ended = threading.Event()

    class Noticed(EventStream):
        async def __call__(self, *args: Any) -> None:
            try:
                await super().__call__(*args)
            finally:
                ended.set()

    monkeypatch.setattr(events, "EventStream", Noticed)
    monkeypatch.setattr(events, "TICK", 10 * PATIENCE)

    async def leave() -> None:
        client = await Client.connect(live.port)
        await client.send(b"GET /_mock/events HTTP/1.1\r\nhost: localhost\r\n\r\n")
        async with asyncio.timeout(PATIENCE):
            await client.reader.readuntil(b"\n\n")
        client.writer.close()
        await client.writer.wait_closed()

    asyncio.run(leave())
    assert ended.wait(PATIENCE)


def test_the_server_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits for no reader, and no error is logged."""
    monkeypatch.setattr(events, "TICK", 10 * PATIENCE)
    said: list[str] = []
    monkeypatch.setattr(Application, "notice", lambda _app, text: said.append(text))
    with live_server(SETTINGS) as live:
        response = requests.get(f"{live.url}/_mock/events", stream=True, timeout=PATIENCE)
        next(read(response))
    response.close()
    assert said == []


async def viewer_of(app: Any, **query: str) -> Any:
    viewer = Viewer(app.state.mock, await read_listing(app.state.mock, query), None)
    return viewer.events("")


def decoded(raw: bytes) -> tuple[str, dict[str, Any]]:
    fields = dict(line.split(": ", 1) for line in raw.decode().strip().splitlines() if ": " in line)
    return fields["event"], json.loads(fields["data"])


def test_too_many_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest are shown, the others counted, however many there are; nothing is kept for a viewer."""
    monkeypatch.setattr(events, "TICK", 0)
    monkeypatch.setattr(events, "MAX_CALLS_AT_ONCE", 5)
    monkeypatch.setattr(events, "MAX_COUNTED", 4)

    async def scenario() -> tuple[str, dict[str, Any]]:
        app = create_app(SETTINGS)
        stream = await viewer_of(app)
        await anext(stream)
        for _ in range(23):
            await app.store.commit(recorded(account="default"))
        event = decoded(await anext(stream))
        await stream.aclose()
        return event

    kind, data = asyncio.run(scenario())
    assert kind == "calls"
    assert (len(data["calls"]), data["skipped"]) == (5, 18)
    assert data["calls"] == sorted(data["calls"], key=lambda call: call["id"])


def test_a_call_comes_again_when_it_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """A response may take long; one whose call is gone is forgotten."""
    monkeypatch.setattr(events, "TICK", 0)

    async def scenario() -> list[list[str]]:
        app = create_app(SETTINGS)
        stream = await viewer_of(app)
        await anext(stream)
        slow, gone = (recorded(account=name, outcome="pending") for name in ("default", "second"))
        await app.store.commit(slow)
        await app.store.commit(gone)
        shown = [[call["outcome"] for call in decoded(await anext(stream))[1]["calls"]]]
        await app.store.clear_calls("second")
        await app.store.complete(slow, "sent", 3.0)
        shown.append([call["outcome"] for call in decoded(await anext(stream))[1]["calls"]])
        await stream.aclose()
        return shown

    assert asyncio.run(scenario()) == [["pending", "pending"], ["sent"]]


def test_a_reader_that_does_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told so, and let go."""
    monkeypatch.setattr(events, "TICK", 0)
    monkeypatch.setattr(events, "MAX_STALL", -1)

    async def scenario() -> list[str]:
        app = create_app(SETTINGS)
        stream = await viewer_of(app)
        await anext(stream)
        await app.store.commit(recorded(account="default"))
        return [decoded(event)[0] async for event in stream]

    assert asyncio.run(scenario()) == ["calls", "dropped"]


def test_a_quiet_stream_shows_that_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """By comments, which no reader takes for an event."""
    monkeypatch.setattr(events, "TICK", 0)
    monkeypatch.setattr(events, "HEARTBEAT", -1)

    async def scenario() -> bytes:
        stream = await viewer_of(create_app(SETTINGS))
        await anext(stream)
        comment: bytes = await anext(stream)
        await stream.aclose()
        return comment

    assert asyncio.run(scenario()).startswith(b": ")


def test_another_server(acme_client: TestClient) -> None:
    """Where the connection is not ours, Starlette's own way of noticing an end has to do."""
    response = acme_client.get("/_mock/events", params={"within": "0"})
    assert (response.status_code, b"event: ready" in response.content) == (200, True)


def test_evictions_reset_a_reader() -> None:
    """Calls that made room while it was away may be ones that it has not seen."""
    with live_server(replace(SETTINGS, max_journal_calls=2)) as live:
        control = Control(live.url)
        made = control.post("accounts")
        customer = Customer(Session(live.url, requests.Session()), made)  # type: ignore[arg-type]
        with events_of(live) as stream:
            seen = next(stream)
        for _ in range(4):
            customer.send()
        with events_of(live, seen.id) as stream:
            event = next(stream)
        customer.client.session.close()  # type: ignore[attr-defined]
    assert (event.kind, event.data["evicted"]) == ("reset", 2)


def test_places() -> None:
    """An id is read as it was written."""
    place = StreamPlace(5, 6, 7)
    assert StreamPlace.read(str(place)) == place


def test_in_python(live: Live) -> None:
    """The client of the tests reads the same stream."""
    stream = Control(live.url).events("events", within="0.1")
    assert [kind for kind, _ in stream] == ["ready"]
