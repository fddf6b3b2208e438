"""Ten thousand customers at once: each is known, none gets another's calls."""

import asyncio
import json
from collections import Counter
from pathlib import Path

from tests.cli.running import serving
from tests.engine.workbench import ACME
from tests.load.healthy_customer import Connect, connecting
from tests.load.loaded_server import Server, control, request

ACCOUNTS = 10_000
CALLERS = range(0, ACCOUNTS, 97)
OPERATION = "acme.send_sms"


def calls_of(number: int) -> int:
    """How many calls an account makes."""
    return 1 + number % 3


def test_ten_thousand_accounts(tmp_path: Path) -> None:
    """Calls of many of them, all at once, are recorded for whose they are; a new one finds room."""
    file = tmp_path / "accounts.json"
    file.write_text(json.dumps([{"id": f"a{number}"} for number in range(ACCOUNTS)]), "utf-8")

    async def call(connect: Connect, number: int) -> None:
        client = await connect()
        mine = (await client.ask(control("GET", f"accounts/a{number}"))).json["vendors"]["acme"]
        headers = {"X-Key": mine["credentials"]["key"], "Content-Type": "application/json"}
        body = json.dumps({"from": mine["owned"]["lines"][0]["number"], "to": "+14155550123"})
        for _ in range(calls_of(number)):
            answer = await client.ask(request("POST", "/base/messages", headers, body))
            assert answer.headers["x-mock-answer"] == f"{OPERATION}/sent"

    async def test(server: Server) -> None:
        async with connecting(server) as connect:
            await asyncio.gather(*(call(connect, number) for number in CALLERS))
            client = await connect()
            for number in CALLERS:
                body = {"account": f"a{number}", "accepted": True, "count": {"exactly": calls_of(number)}}
                assert (await client.ask(control("POST", "calls/verify", body))).json["verified"], number
            assert (await client.ask(control("POST", "accounts", {}))).status == 201
            listed = (await client.ask(control("GET", "calls?limit=1000"))).json["calls"]
            assert Counter(call["account"] for call in listed) == {f"a{at}": calls_of(at) for at in CALLERS}

    with serving("--port", "0", "--no-builtin", "--contracts", ACME.parent, "--accounts", file) as running:
        asyncio.run(test(Server(running)))
