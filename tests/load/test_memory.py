"""What calls may take: each its own bytes and little more, all together what the settings allow, whatever is sent."""

import asyncio
import json
import random
import time
from sys import getsizeof
from typing import Any

import pytest
from starlette.testclient import TestClient

from mockserver.engine.account import sample
from mockserver.engine.call import RecordedCall
from mockserver.server.application import create_app
from mockserver.server.settings import Settings
from mockserver.spec.model import Contract
from mockserver.store.journal import BLOCK_BYTES, Query
from tests.cli.running import serving
from tests.load.healthy_customer import Connect, connecting
from tests.load.loaded_server import Server, contracts, request

MOST = 150 * 1024 * 1024  # resident bytes of a server at its defaults
FRAMING = "  HTTP/1.1\r\n" + "\r\n\r\n" + "HTTP/1.1 200 \r\n" + "\r\n\r\n"
DEQUES = 2 * 8  # bytes: the journal has each call in two


def taken(call: RecordedCall, other: RecordedCall) -> int:
    """Bytes of a call, as the allocator rounds them; what is one object for another like it takes none."""
    parts = [(getattr(call, name), getattr(other, name)) for name in call.__struct_fields__]
    own = [call, *(part for part, others in parts if part is not others)]
    return DEQUES + sum((getsizeof(part) + 15) // 16 * 16 for part in own)


def raw(call: RecordedCall) -> int:
    """Bytes that went over the wire for it, the date and our own headers aside."""
    parts: list[Any] = [call.method, call.path, call.query, call.headers, call.body, call.response_headers]
    return len(FRAMING) + sum(map(len, [*parts, call.response_body]))


@pytest.mark.parametrize("contract", contracts(), ids=lambda contract: contract.vendor)
def test_a_call_takes_little_more_than_its_bytes(contract: Contract) -> None:
    """At most 1.3 times what was sent and 300 bytes; and the journal counts no less than it takes."""
    app = create_app(Settings())
    operation = next(one for one in contract.operations if one.spelling == "send_sms")
    (account, _) = asyncio.run(app.store.accounts())
    one = sample(operation, account.vendors[contract.vendor], time.time())
    with TestClient(app, base_url="http://localhost") as client:
        for number in range(2):  # no two heads are the same
            client.request(one.method, one.path, headers={**one.headers, "X-Number": str(number)}, content=one.body)
    call, other = asyncio.run(app.store.calls(Query(account="default"))).calls
    assert (call.operation, call.accepted) == (operation.id, True)
    assert taken(call, other) <= 1.3 * raw(call) + 300
    assert taken(call, other) <= call.weight * BLOCK_BYTES


@pytest.mark.parametrize("largest", [1024 * 1024 - 1, 60_000], ids=["large", "mixed"])
def test_memory_is_bounded_under_attack(largest: int) -> None:
    """Bodies of any size, more of them than there is room for: the server stays within 150 MiB."""
    chance = random.Random(largest)  # noqa: S311 -- sizes

    async def attack(connect: Connect) -> None:
        client, left = await connect(), 160 * 1024 * 1024 // 8
        while left > 0:
            size = largest if largest > 100_000 else chance.randrange(largest)
            left -= size + 1000
            head = {"X-Padding": "p" * chance.randrange(2000), "Content-Type": "application/json"}
            answer = await client.ask(request("POST", f"/nowhere/{left}", head, "x" * size))
            assert answer.status == 404

    async def all_at_once(server: Server) -> None:
        async with connecting(server) as connect:
            await asyncio.gather(*(attack(connect) for _ in range(8)))
            assert server.memory < MOST
            page = await (await connect()).ask(request("GET", "/_mock/calls?account=unclaimed&limit=1"))
            assert json.loads(page.body)["evicted"] > 0, "there was not enough of it"

    with serving("--port", "0") as running:
        asyncio.run(all_at_once(Server(running)))
