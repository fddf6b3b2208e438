"""Isolation: tests in parallel on one server see their own calls, whatever the others do."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest
import requests
from starlette.testclient import TestClient

from mockserver.engine.account import sample
from mockserver.server.application import Application
from tests.evidence import ROOT
from tests.live import Live

WORKERS = 8
ROUNDS = 15


class User:
    """One test in a suite: its own account and connection."""

    def __init__(self, session: requests.Session, url: str) -> None:
        self.session = session
        self.url = url
        self.account = session.post(f"{url}/_mock/accounts", json={}).json()
        vendor = self.account["vendors"]["acme"]
        self.headers = {"X-Key": vendor["credentials"]["key"]}
        self.line = vendor["owned"]["lines"][0]["number"]

    def send(self, to: str, **headers: str) -> requests.Response:
        body = {"from": self.line, "to": to}
        return self.session.post(f"{self.url}/base/messages", json=body, headers={**self.headers, **headers})

    def calls(self) -> list[dict[str, Any]]:
        query = {"account": self.account["id"], "limit": "1000"}
        calls: list[dict[str, Any]] = self.session.get(f"{self.url}/_mock/calls", params=query).json()["calls"]
        return calls

    def reset(self) -> None:
        assert self.session.post(f"{self.url}/_mock/accounts/{self.account['id']}/reset").status_code == 204


@contextmanager
def user(live: Live) -> Iterator[User]:
    with requests.Session() as session:
        made = User(session, live.url)
        yield made
        session.delete(f"{live.url}/_mock/accounts/{made.account['id']}")


def work(live: Live, number: int) -> None:
    """Send good and bad requests, then find exactly those; then forget them, and find none."""
    with user(live) as one:
        for _ in range(2):
            sent = [one.send(f"+1555{number:03}{count:04}").headers["X-Mock-Call"] for count in range(ROUNDS)]
            sent.append(one.send("1", **{"X-Key": "wrong"}).headers["X-Mock-Call"])
            found = one.calls()
            assert [call["id"] for call in found] == sent[::-1]
            assert {call["recipient"][:8] for call in found[1:]} == {f"+1555{number:03}"}
            assert [call["accepted"] for call in found] == [False, *[True] * ROUNDS]
            one.reset()
            assert one.calls() == []


def test_parallel_tests_see_their_own_calls_only(live: Live) -> None:
    """While one of them is reset without end, and others come and go."""
    done = Event()

    def disturb() -> int:
        with user(live) as restless:
            resets = 0
            while not done.is_set():
                restless.send("+1")
                assert {call["recipient"] for call in restless.calls()} <= {"+1"}
                restless.reset()
                resets += 1
            assert restless.calls() == []
            return resets

    with ThreadPoolExecutor(WORKERS + 1) as pool, user(live) as quiet:
        kept = quiet.send("+49").headers["X-Mock-Call"]
        disturbing = pool.submit(disturb)
        for result in [pool.submit(work, live, number) for number in range(WORKERS)]:
            result.result()
        done.set()
        assert disturbing.result() > 0
        assert [call["id"] for call in quiet.calls()] == [kept]


def test_one_id_is_given_once(live: Live) -> None:
    """Of many that ask for one account's id at the same time, one gets it."""

    def ask(_: int) -> int:
        return requests.post(f"{live.url}/_mock/accounts", json={"id": "wanted"}, timeout=20).status_code

    with ThreadPoolExecutor(WORKERS) as pool:
        statuses = sorted(pool.map(ask, range(WORKERS)))
    assert statuses == [201] + [409] * (WORKERS - 1)
    requests.delete(f"{live.url}/_mock/accounts/wanted", timeout=20)


@pytest.mark.parametrize("vendor", sorted(file.stem for file in (ROOT / "contracts").glob("*.yaml")))
def test_two_customers_of_each_real_vendor(app: Application, client: TestClient, vendor: str) -> None:
    """What one sends by any spelling is answered as its own, and in the other's count is nothing."""
    one, other = (client.post("/_mock/accounts").json() for _ in range(2))
    contract = next(contract for contract in app.contracts if contract.vendor == vendor)
    mine = {**one["vendors"][vendor]["credentials"], **one["vendors"][vendor]["owned"]}
    sent = []
    for operation in contract.operations:
        ready = sample(operation, mine, time.time())
        if "{" in ready.path:  # the id of what is not there yet
            continue
        response = client.request(ready.method, ready.path, headers=ready.headers, content=ready.body)
        sent.append(response.headers["x-mock-answer"])
        accepted = operation.success is not None and sent[-1] == operation.success.id
        assert accepted or operation.dispatch
    found = client.get("/_mock/calls", params={"account": one["id"]}).json()["calls"]
    answered = [call["answer"] for call in found if call["direction"] == "in"]  # callbacks come when they are due
    assert answered == sent[::-1]
    assert client.get("/_mock/calls", params={"account": other["id"]}).json()["calls"] == []
    for account in (one, other):
        client.delete(f"/_mock/accounts/{account['id']}")
