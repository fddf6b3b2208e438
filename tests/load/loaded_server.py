"""Customers of a server that is loaded, their valid requests to all vendors, and what the server process holds."""

import json
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mockserver.engine.account import sample
from mockserver.server.build import contracts_of
from mockserver.server.settings import Settings
from mockserver.spec.model import Contract
from tests.cli.running import Serving
from tests.live import PATIENCE
from tests.streams import Answer, Client

TICK = 0.02  # seconds between two looks at something that is about to happen


@dataclass(frozen=True)
class Server:
    """A server process under load."""

    serving: Serving

    @property
    def port(self) -> int:
        return urlsplit(self.serving.url).port or 0

    @property
    def open_files(self) -> int:
        return len(os.listdir(f"/proc/{self.serving.process.pid}/fd"))  # noqa: PTH208 -- a count, of what vanishes

    @property
    def open_file_names(self) -> Counter[str]:
        """What they are, the numbers of sockets left out."""
        found: Counter[str] = Counter()
        for link in Path(f"/proc/{self.serving.process.pid}/fd").iterdir():
            found[re.sub(r"[0-9]+", "", str(link.readlink()))] += 1
        return found

    @property
    def threads(self) -> int:
        return len(os.listdir(f"/proc/{self.serving.process.pid}/task"))  # noqa: PTH208 -- as above

    @property
    def memory(self) -> int:
        """Resident bytes."""
        status = Path(f"/proc/{self.serving.process.pid}/status").read_text("ascii")
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found, status
        return int(found[1]) * 1024

    async def connect(self, **options: Any) -> Client:
        return await Client.connect(self.port, **options)

    def has_loaded(self) -> bool:
        """Whether its event loop's thread is alone, if not now then soon: another opens modules' files as it starts."""
        return soon(lambda: self.threads == 1)

    def settled(self, files: int) -> bool:
        """Whether so many files are open, if not now then soon."""
        return soon(lambda: self.open_files == files)


def soon(is_so: Callable[[], bool]) -> bool:
    """Whether something is so, if not now then soon."""
    give_up = time.monotonic() + PATIENCE
    while not is_so() and time.monotonic() < give_up:
        time.sleep(TICK)
    return is_so()


@cache
def contracts() -> tuple[Contract, ...]:
    return contracts_of(Settings())


def request(method: str, path: str, headers: Mapping[str, str] | None = None, body: str = "") -> bytes:
    """A request's bytes."""
    content = body.encode("utf-8")
    length = {"Content-Length": str(len(content))} if content else {}
    lines = [f"{name}: {value}" for name, value in {"Host": "localhost", **(headers or {}), **length}.items()]
    return "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode("utf-8") + content


def control(method: str, path: str, body: Any = None) -> bytes:
    """A request to the control API."""
    if body is None:
        return request(method, f"/_mock/{path}")
    return request(method, f"/_mock/{path}", {"Content-Type": "application/json"}, json.dumps(body))


HEALTH = control("GET", "health")


@dataclass
class Customer:
    """An account: ``requests`` that send an SMS, by operation; ``calls`` is how many were made."""

    id: str
    requests: dict[str, bytes]
    calls: int = field(default=0)

    @classmethod
    async def made(cls, client: Client) -> "Customer":
        """A fresh one."""
        answer = await client.ask(control("POST", "accounts", {}))
        assert answer.status == 201, answer
        shape, now = answer.json, time.time()
        requests = {}
        for contract in contracts():
            known = shape["vendors"][contract.vendor]
            data = {**known["credentials"], **known["owned"]}
            operation = next(one for one in contract.operations if one.spelling == "send_sms")
            one = sample(operation, data, now)
            requests[operation.id] = request(one.method, one.path, one.headers, one.body)
        return cls(shape["id"], requests)

    async def call(self, client: Client, operation: str) -> Answer:
        """The vendor's answer to a request that is accepted."""
        self.calls += 1
        answer = await client.ask(self.requests[operation])
        assert answer.headers["x-mock-answer"].startswith(f"{operation}/"), answer
        assert "x-mock-problem" not in answer.headers, answer
        return answer

    async def assert_recorded(self, client: Client) -> None:
        """The journal has every call, and none that was not made."""
        body = {"account": self.id, "count": {"exactly": self.calls}, "within": 60}
        verdict = (await client.ask(control("POST", "calls/verify", body))).json
        assert verdict["verified"], verdict["message"]
