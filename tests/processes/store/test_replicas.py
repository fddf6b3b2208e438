"""Several servers with one store are one stand-in, whatever goes wrong between them."""

import contextlib
import http.client
import json
import os
import re
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from mockserver.testing import MockServer
from tests.balancer import balanced
from tests.cli.running import Serving, run, serving, serving_by, surroundings
from tests.live import PATIENCE
from tests.processes.test_shared_server import TESTS, restless
from tests.redis_server import RedisServer, redis_server
from tests.testing.inner import apart, write
from tests.testing.sending import send

pytest_plugins = ["pytester"]

REPLICAS = 3
CLIENTS = 2  # of each replica
STEP_CALLS = 150  # between two troubles
PINNED = 40
SHIFTED = """
import sys
import mockserver.engine.sources as sources
real = sources.real_time
seconds = float(sys.argv.pop(1))
sources.real_time = lambda: real() + seconds
from mockserver.cli import main
sys.argv[0] = "mockserver"
main()
"""


@pytest.fixture
def redis_db(tmp_path: Path) -> Iterator[RedisServer]:
    folder = tmp_path / "redis"
    folder.mkdir()
    with redis_server(folder) as server:
        yield server


@contextlib.contextmanager
def replicas(server: RedisServer, *ahead: float) -> Iterator[list[Serving]]:
    """Servers that share a store, each with a clock that is so many seconds ahead."""
    with contextlib.ExitStack() as stack:
        options = ["--port", "0", "--log", "off", "--store", server.url, "--max-journal-calls", "100000"]
        yield [
            stack.enter_context(
                serving_by([sys.executable, "-c", SHIFTED, str(seconds), "serve", *options], surroundings())
            )
            for seconds in ahead
        ]


def port_of(server: Serving) -> int:
    port = urlsplit(server.url).port
    assert port is not None
    return port


def test_three_servers_for_all(pytester: pytest.Pytester, redis_db: RedisServer) -> None:
    """Each of 400 tests in eight workers has its own account, pins and assertions, while one is reset in a loop."""
    write(pytester, TESTS)
    with replicas(redis_db, *[0.0] * REPLICAS) as servers, balanced([port_of(one) for one in servers]) as proxy:
        server = MockServer(proxy.url)
        with server.account() as quiet, restless(server) as had:
            assert send(quiet.polyai, "kept") == 202
            result = apart(pytester, "-n", "8", "--mockserver-url", proxy.url)
            assert quiet.assert_called_once().request.json["message"] == "kept"
        result.assert_outcomes(passed=400)
        assert set(had) == {1}
        assert len(had) > 1


class Chaos:
    """Clients of several servers, each call with a text of its own; what was answered."""

    def __init__(self, account: Any) -> None:
        vendor = account.polyai
        self._headers = {
            "X-TOKEN-ID": vendor.owned["connectors"][0]["id"],
            "X-PolyAi-Auth-Token": vendor.credentials["api_key"],
            "Content-Type": "application/json",
        }
        self._path = urlsplit(vendor.url).path
        self.answered: dict[str, tuple[str, int]] = {}  # by text the call's id and the status
        self.unavailable = 0
        self.over = threading.Event()

    def call(self, server: Serving, name: str) -> None:
        """Call until the end, or until the server is gone."""
        number, failures = 0, 0
        while not self.over.is_set() and failures < 200:
            connection = http.client.HTTPConnection("127.0.0.1", port_of(server), timeout=PATIENCE)
            with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
                while not self.over.is_set():
                    number += 1
                    self._send(connection, f"{name} {number}")
                    failures = 0
            failures += 1
            time.sleep(0.01)

    def _send(self, connection: http.client.HTTPConnection, text: str) -> None:
        body = json.dumps({"message": text, "user_number": "+14155550123"})
        connection.request("POST", f"{self._path}/v1/outbound-sms", body, self._headers)
        response = connection.getresponse()
        response.read()
        if response.status == 503:
            self.unavailable += 1
            time.sleep(0.01)
        else:
            self.answered[text] = (response.headers["x-mock-call"], response.status)

    def wait_for(self, more: int) -> None:
        """Return when so many more calls were answered."""
        until, end = len(self.answered) + more, time.monotonic() + PATIENCE
        while len(self.answered) < until:
            assert time.monotonic() < end, "the servers answer no more"
            time.sleep(0.01)


@contextlib.contextmanager
def calling(chaos: Chaos, servers: list[Serving]) -> Iterator[None]:
    threads = [
        threading.Thread(target=chaos.call, args=(server, f"{number}-{client}"))
        for number, server in enumerate(servers)
        for client in range(CLIENTS)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        chaos.over.set()
        for thread in threads:
            thread.join()


def test_chaos(redis_db: RedisServer) -> None:
    """The store's functions flushed, the store killed and started, a server killed, clocks apart by five seconds.

    No call that was answered is missing, none is there twice, a pin was used as often as it says, and both servers
    that are left say the same.
    """
    with replicas(redis_db, 0.0, 5.0, -5.0) as servers:
        account = MockServer(servers[0].url).account()
        account.polyai.send_sms.pin(*["rate_limited"] * PINNED)
        chaos = Chaos(account)
        with calling(chaos, servers):
            chaos.wait_for(STEP_CALLS)
            redis_db.do("FUNCTION", "FLUSH")
            chaos.wait_for(STEP_CALLS)
            redis_db.kill()
            while not chaos.unavailable:
                time.sleep(0.01)
            redis_db.start()
            chaos.wait_for(STEP_CALLS)
            os.kill(servers[0].process.pid, signal.SIGKILL)
            chaos.wait_for(STEP_CALLS)
        listed = [all_calls(server.url, account.id) for server in servers[1:]]
    assert [call["id"] for call in listed[0]] == [call["id"] for call in listed[1]]
    found = {call["request"]["json"]["message"]: (call["id"], call["response"]["status"]) for call in listed[0]}
    assert len(found) == len(listed[0]), "a call is there twice"
    assert chaos.answered.items() <= found.items()
    assert Counter(status for _, status in found.values())[429] == PINNED
    times = [datetime.fromisoformat(call["received_at"]) for call in listed[0]][::-1]
    assert max(before - after for before, after in pairwise(times)) < timedelta(seconds=3), "clocks are apart"


def all_calls(url: str, account: str) -> list[dict[str, Any]]:
    """All calls of an account, newest first."""
    calls, cursor = [], ""
    while True:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request("GET", f"/_mock/calls?limit=1000&account={account}{cursor}")
            page = json.loads(connection.getresponse().read())
        assert "calls" in page, page
        calls += page["calls"]
        if page["next"] is None:
            return calls
        cursor = f"&cursor={page['next']}"


def test_state_of_one_server(redis_db: RedisServer, tmp_path: Path) -> None:
    """A file's state would be laid over each server's own memory."""
    (tmp_path / "state.yaml").write_text("accounts: {}")
    refused = run("serve", "--port", "0", "--store", redis_db.url, "--state", tmp_path / "state.yaml")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--state is for one server" in refused.stderr


@contextlib.contextmanager
def workers(server: RedisServer, *options: str) -> Iterator[Serving]:
    """Two workers on one port."""
    with serving("--port", "0", "--log", "off", "--store", server.url, "--workers", "2", *options) as served:
        yield served


def children_of(process: int) -> set[int]:
    """The processes that a process has forked."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            _, parent = state_and_parent(stat)
            found |= {int(stat.parent.name)} if parent == process else set()
    return found


def state_and_parent(stat: Path) -> tuple[str, int]:
    state, parent = stat.read_text().rpartition(")")[2].split()[:2]
    return state, int(parent)


def test_workers(redis_db: RedisServer) -> None:
    """Two processes on one port are one stand-in; one that is killed is replaced; a second server there is refused.

    They end with the process that has started them, however that ends.
    """
    with workers(redis_db) as served:
        first = children_of(served.process.pid)
        assert len(first) == 2
        account = MockServer(served.url).account()
        account.polyai.send_sms.pin(*["rate_limited"] * 5)
        assert Counter(send(account.polyai) for _ in range(40)) == {429: 5, 202: 35}
        account.polyai.send_sms.assert_called(times=40)
        port = str(port_of(served))
        refused = run("serve", "--port", port, "--store", redis_db.url, "--workers", "2")
        assert (refused.returncode, refused.stdout) == (2, "")
        assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in refused.stderr
        time.sleep(1.5)  # what lives less is not replaced
        os.kill(min(first), signal.SIGKILL)
        until(lambda: len(children_of(served.process.pid) - first) == 1)
        assert [send(account.polyai) for _ in range(10)] == [202] * 10
        account.polyai.send_sms.assert_called(times=50)
        assert served.process.stderr is not None
        told = rf"mockserver: worker [12] \(process {min(first)}\) was ended by SIGKILL; another takes its place\n"
        assert re.fullmatch(told, served.process.stderr.readline())
    with workers(redis_db) as served:
        left = children_of(served.process.pid)
        served.process.kill()
        until(lambda: not any(map(is_alive, left)))


def test_contracts_are_watched_by_a_server_alone(redis_db: RedisServer) -> None:
    """With a shared store it is told how to change them."""
    refused = run("serve", "--port", "0", "--watch", "--store", redis_db.url)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "Restart all of them instead: calls, accounts and pins stay in the store" in refused.stderr


WATCHED = """
openapi: 3.1.0
info: {title: Acme, version: "1"}
servers: [{url: "https://api.acme.test"}]
security: [{Key: []}]
x-mock: {account: {key: {new: token, length: 20}}}
components: {securitySchemes: {Key: {type: apiKey, in: header, name: X-Key, x-mock: {accept: {equals: /account/key}}}}}
paths:
  /state:
    get:
      operationId: state
      responses:
        "200":
          description: It is
          content:
            text/plain:
              schema: {type: string}
              examples: {told: {value: FIRST, x-mock: {evidence: {assumed: x}}}}
        "401": {description: No, x-mock: {name: refused, evidence: {assumed: x}}}
      x-mock: {rules: [{problem: any, answer: refused}]}
"""


def test_contracts_that_change_reach_all_workers(redis_db: RedisServer, tmp_path: Path) -> None:
    """None takes them before the others; accounts and calls stay. What is wrong is told, and not taken."""
    file = tmp_path / "acme.yaml"
    file.write_text(WATCHED, "utf-8")
    with workers(redis_db, "--watch", "--contracts", str(tmp_path)) as served:
        account = MockServer(served.url).account()
        acme = account.acme
        url, headers = f"{acme.url}/state", {"X-Key": acme.tokens["Key"]}
        asked: list[str] = []

        def told() -> set[str]:
            """What new connections are told, to both workers most likely; one may be cut while they change."""
            answers = []
            for _ in range(12):
                with contextlib.suppress(requests.ConnectionError):
                    answers.append(requests.get(url, headers=headers, timeout=PATIENCE).text)
            asked.extend(answers)
            return set(answers)

        assert told() == {"FIRST"}
        first = children_of(served.process.pid)
        file.write_text(WATCHED.replace("FIRST", "SECOND"), "utf-8")
        until(lambda: told() == {"SECOND"})
        assert asked == sorted(asked), "one still gave the first answer after the second"
        assert not first & children_of(served.process.pid)
        assert acme.state.call_count >= len(asked)
        file.write_text(WATCHED.replace("get:", "gte:"), "utf-8")
        assert served.process.stderr is not None
        lines = [served.process.stderr.readline() for _ in range(2)]
        assert "contracts are taken as they are on disk now: acme" in lines[0]
        assert "what is on disk is not taken" in lines[1]
        assert told() == {"SECOND"}


def test_a_worker_that_does_not_live(redis_db: RedisServer) -> None:
    """Where one ends at once, another would, too: the server says so, and ends."""
    with workers(redis_db) as served:
        os.kill(min(children_of(served.process.pid)), signal.SIGKILL)
        _, said = served.process.communicate(timeout=PATIENCE)
    assert served.process.returncode == 1
    told = r"mockserver: worker .* was ended by SIGKILL within 1 s of its start, as another would: the server ends\n"
    assert re.fullmatch(told, said)


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def is_alive(process: int) -> bool:
    """Whether a process does something; one that has ended and that nobody has asked for its end does nothing."""
    try:
        return state_and_parent(Path(f"/proc/{process}/stat"))[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--workers", "2"], "--workers needs a store that they share"),
        (["--workers", "2", "--store", "calls.db"], "--workers needs a store that they share"),
        (["--workers", "2", "--store", "redis://h", "--forward-real", "polyai=https://h"], "--forward-real is for one"),
    ],
)
def test_workers_that_cannot_be(options: list[str], told: str) -> None:
    """One line, and exit code 2."""
    refused = run("serve", "--port", "0", *options)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert told in refused.stderr
    assert refused.stderr.count("\n") == 1
