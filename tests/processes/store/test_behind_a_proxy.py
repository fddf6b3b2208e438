"""Several servers behind a proxy: one that is not ready gets no calls, and one that is told to end loses none."""

import contextlib
import http.client
import json
import threading
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

from mockserver.testing import MockServer
from mockserver.testing.account import Account
from tests.balancer import balanced
from tests.cli.running import Serving, serving
from tests.live import PATIENCE
from tests.processes.store.test_replicas import all_calls, port_of, redis_db, until
from tests.redis_server import RedisServer

__all__ = ["redis_db"]
CLIENTS = 6
STEP_CALLS = 200  # between two ends


class Clients:
    """Each call on a connection of its own, as a proxy without connections in reserve makes them; what came of it."""

    def __init__(self, url: str, account: Account) -> None:
        vendor = account.polyai
        self._address, self._path = urlsplit(url).netloc, urlsplit(vendor.url).path
        self._headers = {
            "X-TOKEN-ID": vendor.owned["connectors"][0]["id"],
            "X-PolyAi-Auth-Token": vendor.credentials["api_key"],
            "Content-Type": "application/json",
            "Connection": "close",
        }
        self.answered: list[tuple[str, int]] = []  # the text and the status
        self.unanswered: list[str] = []
        self._over = threading.Event()

    def call(self, text: str) -> None:
        body = json.dumps({"message": text, "user_number": "+14155550123"})
        connection = http.client.HTTPConnection(self._address, timeout=PATIENCE)
        with contextlib.closing(connection):
            try:
                connection.request("POST", f"{self._path}/v1/outbound-sms", body, self._headers)
                response = connection.getresponse()
                response.read()
            except (OSError, http.client.HTTPException) as error:
                self.unanswered.append(f"{text}: {error!r}")
            else:
                self.answered.append((text, response.status))

    @contextlib.contextmanager
    def calling(self) -> Iterator[None]:
        """All of them call until the block ends."""
        threads = [threading.Thread(target=self._call_on, args=(number,)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join()

    def _call_on(self, client: int) -> None:
        number = 0
        while not self._over.is_set():
            number += 1
            self.call(f"{client} {number}")

    def wait_for(self, more: int) -> None:
        """Return when so many more calls were made."""
        least = len(self.answered) + more
        until(lambda: len(self.answered) >= least or bool(self.unanswered))


def status_of(server: Serving) -> tuple[int, str]:
    """What a server says of its readiness."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=PATIENCE)
    with contextlib.closing(connection):
        connection.request("GET", "/_mock/health")
        response = connection.getresponse()
        return response.status, json.loads(response.read())["status"]


def test_one_that_cannot_reach_the_store_gets_no_calls(redis_db: RedisServer) -> None:
    """The others answer all; it gets calls again when it can."""
    redis_db.do("ACL", "SETUSER", "second", "on", ">password", "~*", "&*", "+@all")
    options = ("--port", "0", "--log", "off", "--store", redis_db.url)
    second_url = redis_db.url.replace("://", "://second:password@")
    with (
        serving(*options) as first,
        serving(*options[:-1], second_url) as second,
        balanced([port_of(first), port_of(second)]) as proxy,
    ):
        clients = Clients(proxy.url, MockServer(proxy.url).account())
        redis_db.do("ACL", "SETUSER", "second", "off")
        redis_db.do("CLIENT", "KILL", "USER", "second")
        until(lambda: proxy.ready == {port_of(first)})
        assert status_of(second) == (503, "unavailable")
        for number in range(20):
            clients.call(str(number))
        assert Counter(status for _, status in clients.answered) == {202: 20}
        redis_db.do("ACL", "SETUSER", "second", "on")
        until(lambda: len(proxy.ready) == 2)
        assert status_of(second) == (200, "ready")
        for number in range(20, 40):
            clients.call(str(number))
        assert Counter(status for _, status in clients.answered) == {202: 40}


def test_one_that_is_told_to_end_loses_no_call(redis_db: RedisServer) -> None:
    """Of three, two end one after the other while calls run: each call is answered, and is on record once."""
    options = ("--port", "0", "--log", "off", "--store", redis_db.url, "--drain", "2")
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(serving(*options)) for _ in range(3)]
        proxy = stack.enter_context(balanced([port_of(one) for one in servers]))
        account = MockServer(proxy.url).account()
        clients = Clients(proxy.url, account)
        with clients.calling():
            clients.wait_for(STEP_CALLS)
            for server in servers[:2]:
                server.process.terminate()
                server.process.wait(PATIENCE)
                clients.wait_for(STEP_CALLS)
        listed = all_calls(servers[2].url, account.id)
    assert clients.unanswered == []
    assert {status for _, status in clients.answered} == {202}
    found = Counter(call["request"]["json"]["message"] for call in listed)
    assert found == Counter(text for text, _ in clients.answered)
    assert Counter(call["outcome"] for call in listed)["aborted"] == 0
