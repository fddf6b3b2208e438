"""A server of the test vendor that keeps, lists and tells, and a customer of it."""

import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mockserver.testing import MockServer, run
from mockserver.testing.client import Control

FOLDER = Path(__file__).parent
SUBSCRIBER = "+12025550199"


@dataclass
class Receiver:
    """Takes callbacks; ``statuses`` are its answers in order, then 200."""

    url: str
    statuses: list[int] = field(default_factory=list)
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    came: threading.Condition = field(default_factory=threading.Condition)

    def wait(self, count: int) -> list[tuple[dict[str, str], bytes]]:
        """The requests, as soon as there are so many."""
        with self.came:
            assert self.came.wait_for(lambda: len(self.requests) >= count, 20), f"{len(self.requests)} of {count} came"
            return list(self.requests)

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(body) for _, body in self.requests]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver of callbacks on this machine."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status = taker.statuses.pop(0) if taker.statuses else 200
            with taker.came:  # before it is answered: who was answered finds it here
                taker.requests.append(({k.lower(): v for k, v in self.headers.items()}, body))
                taker.came.notify_all()
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base class calls it so
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    taker = Receiver(f"http://127.0.0.1:{server.server_port}/events")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield taker
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def parcel_server() -> Iterator[MockServer]:
    """One server for these tests; its accounts keep them apart."""
    with run(contracts=(FOLDER,), builtin=False) as server:
        yield server


@pytest.fixture(scope="session")
def mock_server(parcel_server: MockServer) -> MockServer:
    """The plugin's fixtures hand out accounts of this server here."""
    return parcel_server


@dataclass
class Customer:
    """A customer of the test vendor, by plain HTTP."""

    control: Control
    shape: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.shape["id"])

    @property
    def vendor(self) -> dict[str, Any]:
        vendor: dict[str, Any] = self.shape["vendors"]["parcel"]
        return vendor

    @property
    def number(self) -> str:
        return str(self.vendor["owned"]["lines"][0]["number"])

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """A call to the vendor; status and body."""
        import urllib.error  # noqa: PLC0415 -- a client as users have it
        import urllib.request  # noqa: PLC0415

        headers = {"content-type": "application/json", "x-key": self.vendor["credentials"]["api_key"]}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.control.url + path, data, headers, method=method)  # noqa: S310 -- ours
        try:
            with urllib.request.urlopen(request) as response:  # noqa: S310 -- as above
                return response.status, json.loads(response.read() or b"null")
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, json.loads(refused.read() or b"null")

    def send(self, text: str = "hello", to: str = SUBSCRIBER, **more: Any) -> str:
        """Send a message; returns its id."""
        status, body = self.call("POST", "/messages", {"from": self.number, "to": to, "text": text, **more})
        assert status == 201, body
        return str(body["id"])

    def clock(self, **how: Any) -> dict[str, Any]:
        """Set its clock."""
        shape: dict[str, Any] = self.control.post(f"accounts/{self.id}/clock", how)
        return shape

    def messages(self, **query: str) -> list[dict[str, Any]]:
        """Its messages, newest first."""
        messages: list[dict[str, Any]] = self.control.wait("messages", {"account": self.id, **query}, 0)["messages"]
        return messages

    def callbacks(self) -> list[dict[str, Any]]:
        """The calls that we made, oldest first."""
        calls = self.control.get("calls", account=self.id, operation="parcel.status")["calls"]
        return list(reversed(calls))


def send(account: Any, text: str | None = "hello", to: str = SUBSCRIBER, *, status: int = 201, **more: Any) -> str:
    """Send a message as a customer in Python; returns its id."""
    import requests  # noqa: PLC0415 -- a client as users have it

    parcel = account.parcel
    body = {"from": parcel.owned["lines"][0]["number"], "to": to, "text": text, **more}
    headers = {"x-key": parcel.credentials["api_key"]}
    response = requests.post(f"{parcel.url}/messages", json=body, headers=headers, timeout=10)
    assert response.status_code == status, response.text
    return str(response.json().get("id"))


@pytest.fixture(scope="session")
def server() -> Iterator[MockServer]:
    """A server of the built-in vendors."""
    with run() as built_in:
        yield built_in


@pytest.fixture
def make_customer(parcel_server: MockServer) -> Iterator[Any]:
    """Makes customers, and deletes them at the end."""
    control, made = Control(parcel_server.url), []

    def make(**values: Any) -> Customer:
        shape = control.post("accounts", {"vendors": {"parcel": values}})
        made.append(shape["id"])
        return Customer(control, shape)

    yield make
    for account in made:
        control.delete(f"accounts/{account}")


@pytest.fixture
def customer(make_customer: Any, receiver: Receiver) -> Customer:
    """A customer whose callbacks go to the receiver; its clock stands still."""
    customer: Customer = make_customer(callback_url=receiver.url)
    customer.clock(freeze=True)
    return customer
