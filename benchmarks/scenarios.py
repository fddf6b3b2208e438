"""The requests of each scenario: sends that the contracts give as examples, by the built-in account."""

import json
import time
from dataclasses import replace

from mockserver.cli.common import known_accounts
from mockserver.engine.account import Sample, sample
from mockserver.server.settings import Settings

__all__ = ["SCENARIOS", "Sample", "invalid_sends", "scenario", "send", "sends", "wire"]

COMPARED = "polyai"  # the one operation that every server is measured with
SCENARIOS = (COMPARED, "voximplant", "opentact", "mixed")


def sends(settings: Settings | None = None, account: str = "default") -> dict[str, Sample]:
    """A send by vendor, its tokens freshly signed."""
    contracts, accounts = known_accounts(settings or Settings())
    found = {}
    for contract in contracts:
        operation = next(operation for operation in contract.operations if operation.spelling == "send_sms")
        found[contract.vendor] = sample(operation, accounts[account].vendors[contract.vendor], time.time())
    return found


def send() -> Sample:
    """The send that every server is measured with."""
    return sends()[COMPARED]


def scenario(name: str) -> list[Sample]:
    """The requests of a scenario: one vendor's send, or those of all vendors in turn."""
    found = sends()
    return list(found.values()) if name == "mixed" else [found[name]]


def invalid_sends() -> dict[str, Sample]:
    """What is wrong, and the send with it."""
    good = send()
    body = json.loads(good.body)
    number = int(body["user_number"])
    without = {name: value for name, value in body.items() if name != "user_number"}
    return {
        "wrong key": replace(good, headers=good.headers | {"x-polyai-auth-token": "wrong"}),
        "missing field": replace(good, body=json.dumps(without)),
        "wrong type": replace(good, body=json.dumps(body | {"user_number": number})),
    }


def wire(request: Sample) -> bytes:
    """A request as it is sent over HTTP/1.1."""
    body = request.body.encode()
    headers = {"host": "127.0.0.1", **request.headers, "content-length": str(len(body))}
    lines = [f"{request.method} {request.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
