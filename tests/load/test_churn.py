"""Accounts that come and go leave nothing behind: what their pins, faults, calls and tokens took is free again."""

import asyncio
import gc
import json
import os
import tracemalloc
from typing import Any

from benchmarks.hostile import JSON, ask
from mockserver.server.application import Application, create_app
from mockserver.server.settings import Settings

ACCOUNTS = int(os.environ.get("MOCKSERVER_CHURN", "200"))
WARM_UP = 50  # accounts
LITERAL = 50_000  # bytes of an answer that fits no schema
MOST = 5 * 1024 * 1024  # bytes: bounded memories fill up; the literal answers alone would be twice as much


async def control(app: Application, method: str, path: str, body: Any = None) -> Any:
    raw = json.dumps(body).encode() if body is not None else b""
    answer = await ask(app, method, f"/_mock/{path}", {"content-type": JSON}, raw)
    return json.loads(answer) if answer else None


async def one_account(app: Application, number: int) -> None:
    """Make one, pin a literal and a fault, call twice, let it sign a token, fail a verification, delete it."""
    account = await control(app, "POST", "accounts", {"test": f"test-{number % 10}"})
    owner, vendors = account["id"], account["vendors"]
    polyai, voximplant = vendors["polyai"], vendors["voximplant"]
    literal = {"status": 429, "body": {"text": f"{number}" + "x" * LITERAL}}
    pinned = await control(app, "PUT", "pins/polyai.send_sms", {"account": owner, "answers": [literal]})
    assert pinned["left"] == 1
    fault = {"kind": "delay", "seconds": 0}
    await control(app, "PUT", "pins/polyai.send_sms", {"account": owner, "fault": fault})
    headers = {"x-polyai-auth-token": polyai["credentials"]["api_key"], "content-type": JSON, "x-number": str(number)}
    for _ in range(2):
        await ask(app, "POST", "/v1/outbound-sms", headers, b'{"user_number": "+14155550123", "message": "Hi"}')
    token = {"authorization": f"Bearer {voximplant['tokens']['Jwt']}"}
    await ask(app, "GET", f"/platform_api/SendSmsMessage?sms_body={number}", token, b"")
    await ask(app, "GET", f"/nowhere/{number}/" + "x" * 400, token, b"")
    question = {"account": owner, "where": {"body": {"message": "another"}}}
    verdict = await control(app, "POST", "calls/verify", question)
    assert "4 recorded" in verdict["message"]
    await control(app, "DELETE", f"accounts/{owner}")


async def churn(app: Application, numbers: range) -> int:
    """The bytes that Python's objects take after so many accounts."""
    for number in numbers:
        await one_account(app, number)
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def test_accounts_leave_nothing_behind() -> None:
    """What is left after many is what was left after some."""
    app = create_app(Settings(max_journal_bytes=1_000_000))

    async def measured() -> tuple[int, int]:
        before = await churn(app, range(WARM_UP))
        return before, await churn(app, range(WARM_UP, WARM_UP + ACCOUNTS))

    tracemalloc.start()
    try:
        before, after = asyncio.run(measured())
    finally:
        tracemalloc.stop()
    assert after - before < MOST
