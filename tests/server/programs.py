"""Other ASGI servers as processes of their own, which serve the application."""

import asyncio
import http.client
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import requests
from starlette.testclient import TestClient

from mockserver.engine.account import AccountData
from mockserver.server.application import Application
from tests.cli.running import surroundings
from tests.evidence import Replay, Reply, Sent
from tests.live import PATIENCE


@contextmanager
def program(*command: str | Path, **environment: str) -> Iterator[str]:
    """The address that a server says it runs on, while the block lasts. What it says after that is read and dropped."""
    process = subprocess.Popen(
        command,
        env=surroundings(**{"MOCKSERVER_LOG": "off", **environment}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    guard = threading.Timer(PATIENCE, process.kill)
    guard.start()
    with process:
        try:
            address = _address(process)
            guard.cancel()
            reader = threading.Thread(target=process.stdout.read)  # type: ignore[union-attr]  # a full pipe holds it up
            reader.start()
            yield address
        finally:
            guard.cancel()
            process.terminate()
            process.wait(PATIENCE)
        reader.join()


def _address(process: "subprocess.Popen[str]") -> str:
    """The address that a server says it runs on."""
    assert process.stdout is not None
    said = ""
    while (address := re.search(r"[Rr]unning on (http://[0-9.]+:[1-9][0-9]*)", said)) is None:
        line = process.stdout.readline()
        assert line, f"the server ended: {said}"
        said += line
    return address[1]


def sender(url: str) -> Callable[[Sent], Reply]:
    """Sends what a fixture has to a server."""

    def send(sent: Sent) -> Reply:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)
        connection.request(sent.method, sent.url, sent.content, dict(sent.headers))
        response = connection.getresponse()
        reply = Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
        connection.close()
        return reply

    return send


def in_process(client: TestClient) -> Callable[[Sent], Reply]:
    """Sends what a fixture has to the application, without a server."""

    def send(sent: Sent) -> Reply:
        response = client.request(sent.method, sent.url, headers=sent.headers, content=sent.content)
        return Reply(response.status_code, response.headers, response.content)

    return send


def pinned(url: str, kind: str) -> requests.Response:
    """The answer to a pin with a fault of this kind."""
    fault = {"kind": kind, **({"seconds": 0} if kind == "delay" else {})}
    body = {"account": "default", "fault": fault}
    return requests.put(f"{url}/_mock/pins/polyai.send_sms", json=body, timeout=PATIENCE)


def replays_at(url: str, app: Application) -> dict[str, Replay]:
    """What fixtures name of the built-in accounts of a server that runs the application's contracts."""
    accounts = {}
    for account in ("default", "second"):
        shape = requests.get(f"{url}/_mock/accounts/{account}", timeout=PATIENCE).json()["vendors"]
        vendors = {vendor: {**known["credentials"], **known["owned"]} for vendor, known in shape.items()}
        accounts[account] = AccountData(account, vendors)
    return {contract.vendor: Replay(contract, accounts, time.time) for contract in app.contracts}


def replays_in(app: Application) -> dict[str, Replay]:
    """What fixtures name of the application's own accounts."""
    accounts = {account.id: account for account in asyncio.run(app.store.accounts())}
    return {contract.vendor: Replay(contract, accounts, time.time) for contract in app.contracts}
