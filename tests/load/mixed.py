"""A customer of all vendors who does a bit of everything, and knows what the journal has to say of it."""

import contextlib
import random
from collections.abc import Awaitable, Callable
from typing import Any

from tests.load.loaded_server import Customer, control
from tests.streams import Client

FAULTS: list[dict[str, Any]] = [
    {"kind": "reset"},
    {"kind": "empty"},
    {"kind": "garbage"},
    {"kind": "truncate"},
    {"kind": "timeout"},
    {"kind": "malformed"},
    {"kind": "delay", "seconds": 0.01},
    {"kind": "dribble", "seconds": 0.01, "chunks": 3},
]
HOSTILE = [b"[" * 100_000, b"{" * 100_000, b'"' + b"eyJ" * 30_000, b"%" * 100_000, b"\\" * 100_000]
WHOLE = {"malformed", "delay", "dribble"}  # after which the connection is as good as before


class Worker:
    """One task's share of a load: accounts of its own, one after the other, and two connections."""

    def __init__(self, connect: Callable[[], Awaitable[Client]], seed: int) -> None:
        self._connect = connect
        self._chance = random.Random(seed)  # noqa: S311 -- reproducible, not secret
        self._steps = {
            self._send: 80,
            self._offer_an_upgrade: 4,
            self._be_hostile: 1,
            self._be_refused: 8,
            self._meet_a_fault: 6,
            self._leave: 3,
            self._reset: 1,
            self._verify: 1,
            self._be_another: 1,
        }

    async def work(self, calls: int) -> None:
        """Make so many calls at least. The accounts are gone at the end, each call having been verified before."""
        self._client, self._control = await self._connect(), await self._connect()
        self._customer, self._made = await Customer.made(self._control), 0
        while self._made < calls:
            (step,) = self._chance.choices(list(self._steps), list(self._steps.values()))
            await step()
        await self._delete()
        self._client.close()
        self._control.close()

    def _operation(self) -> str:
        return self._chance.choice(list(self._customer.requests))

    async def _send(self) -> None:
        operation = self._operation()
        answer = await self._customer.call(self._client, operation)
        assert answer.headers["x-mock-answer"] == f"{operation}/sent"
        self._made += 1

    async def _offer_an_upgrade(self) -> None:
        """Which nobody takes up; what stands behind it on the connection is answered as ever."""
        operation = self._operation()
        offer = b"\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
        await self._client.send(self._customer.requests[operation].replace(b"\r\n", offer, 1) * 2)
        for _ in range(2):
            assert (await self._client.answer()).headers["x-mock-answer"] == f"{operation}/sent"
            self._count()

    async def _be_hostile(self) -> None:
        """A body that is long to look at; whose it is, its credential says."""
        head, _, _ = self._customer.requests["polyai.send_sms"].partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length")]
        body = self._chance.choice(HOSTILE)
        request = b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", body])
        assert (await self._client.ask(request)).status >= 400
        self._count()

    async def _be_refused(self) -> None:
        operation = self._operation()
        request = self._customer.requests[operation].replace(b"\r\n", b"\r\nPrefer: example=rate_limited\r\n", 1)
        answer = await self._client.ask(request)
        assert answer.headers["x-mock-answer"] == f"{operation}/rate_limited"
        self._count()

    async def _meet_a_fault(self) -> None:
        fault, operation = self._chance.choice(FAULTS), self._operation()
        body = {"account": self._customer.id, "fault": {**fault, "times": 1}, "answers": ["sent"]}
        pinned = await self._control.ask(control("PUT", f"pins/{operation}", body))
        assert pinned.status == 200, pinned
        await self._client.send(self._customer.requests[operation])
        self._count()
        if fault["kind"] in WHOLE:
            answer = await self._client.answer()
            assert answer.headers.get("x-mock-answer") == f"{operation}/sent", (fault, answer)
            return
        if fault["kind"] != "timeout":
            with contextlib.suppress(ConnectionResetError):
                await self._client.rest()
        await self._verify()  # it has been recorded, before what follows
        self._client.close()
        self._client = await self._connect()

    async def _leave(self) -> None:
        whole = self._customer.requests[self._operation()]
        await self._client.send(whole[: self._chance.randrange(len(whole))])
        self._client.close()
        self._client = await self._connect()

    async def _reset(self) -> None:
        answer = await self._control.ask(control("POST", f"accounts/{self._customer.id}/reset"))
        assert answer.status == 204, answer
        self._customer.calls = 0

    async def _verify(self) -> None:
        await self._customer.assert_recorded(self._control)

    async def _be_another(self) -> None:
        await self._delete()
        self._customer = await Customer.made(self._control)

    async def _delete(self) -> None:
        await self._verify()
        answer = await self._control.ask(control("DELETE", f"accounts/{self._customer.id}"))
        assert answer.status == 204, answer

    def _count(self) -> None:
        self._customer.calls += 1
        self._made += 1
