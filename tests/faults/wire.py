"""A client of bare sockets, and a customer of the test contract whom faults befall."""

import base64
import json
import select
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import requests

from tests.live import PATIENCE, Live

OPERATION = "acme.send_sms"
TICK = 0.02  # seconds between two looks at something that is about to happen


class Reply(NamedTuple):
    """What came, and how it ended: whole (the connection stays), closed, or reset. Raw is all of it."""

    raw: bytes
    ending: str

    @property
    def status(self) -> int:
        """The status of the first line; 0 where there is none."""
        return int(self.raw.split(b" ", 2)[1]) if self.raw.startswith(b"HTTP/1.1 ") else 0

    @property
    def headers(self) -> dict[str, str]:
        """By lower-case name; none where there is no HTTP."""
        lines = self.raw.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:] if self.status else []
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}

    @property
    def body(self) -> bytes:
        """What stands behind the headers; all bytes where there are none."""
        return self.raw.partition(b"\r\n\r\n")[2] if self.status else self.raw


class Wire:
    """One connection."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE)

    def send(self, request: bytes) -> None:
        self._socket.sendall(request)

    def is_silent(self, seconds: float = 0.1) -> bool:
        """Whether nothing at all comes in this time, not even the end."""
        return not select.select([self._socket], [], [], seconds)[0]

    def reply(self, method: str = "POST") -> Reply:
        """The next answer, to its last byte or the connection's end."""
        raw = b""
        while not _is_whole(raw, method):
            try:
                more = self._socket.recv(65536)
            except ConnectionResetError:
                return Reply(raw, "reset")
            if not more:
                return Reply(raw, "closed")
            raw += more
        return Reply(raw, "whole")

    def rest(self) -> bytes:
        """All that comes until the server ends the connection."""
        return b"".join(iter(lambda: self._socket.recv(65536), b""))

    def send_no_more(self) -> None:
        self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._socket.close()


@contextmanager
def connected(port: int) -> Iterator[Wire]:
    """A connection, closed at the end."""
    wire = Wire(port)
    try:
        yield wire
    finally:
        wire.close()


def _is_whole(raw: bytes, method: str) -> bool:
    _, end, body = raw.partition(b"\r\n\r\n")
    reply = Reply(raw, "")
    if not end or not reply.status:
        return False
    return method == "HEAD" or reply.status in {204, 304} or len(body) >= int(reply.headers["content-length"])


@dataclass(frozen=True)
class Customer:
    """An account of a live server of the test contract."""

    server: Live
    id: str
    key: str
    number: str

    @classmethod
    def of(cls, server: Live) -> "Customer":
        """A fresh one."""
        made = requests.post(f"{server.url}/_mock/accounts", timeout=PATIENCE).json()
        acme = made["vendors"]["acme"]
        return cls(server, made["id"], acme["credentials"]["key"], acme["owned"]["lines"][0]["number"])

    def request(self, method: str = "POST", key: str = "", **body: Any) -> bytes:
        """A request that sends a message."""
        content = json.dumps({"from": self.number, "to": "+14155550123", **body}).encode()
        head = [
            f"{method} /base/messages HTTP/1.1",
            "Host: localhost",
            f"X-Key: {key or self.key}",
            "Content-Type: application/json",
            f"Content-Length: {len(content)}",
        ]
        return "\r\n".join([*head, "", ""]).encode("ascii") + content

    def suffer(self, fault: str | Mapping[str, Any], *answers: Any, **pin: Any) -> None:
        """Pin a fault, with these answers if any, and what else a pin may say."""
        written = {"kind": fault} if isinstance(fault, str) else dict(fault)
        body = {"account": self.id, "fault": written, "answers": list(answers), **pin}
        pinned = requests.put(f"{self.server.url}/_mock/pins/{OPERATION}", json=body, timeout=PATIENCE)
        assert pinned.status_code == 200, pinned.text

    def reset(self) -> None:
        """Forget its calls and pins."""
        requests.post(f"{self.server.url}/_mock/accounts/{self.id}/reset", timeout=PATIENCE).raise_for_status()

    def calls(self, *, ended: bool = True) -> list[dict[str, Any]]:
        """All calls, oldest first; ``ended``: once no outcome is open any more."""
        for _ in range(int(PATIENCE / TICK)):
            listed = requests.get(f"{self.server.url}/_mock/calls?account={self.id}", timeout=PATIENCE).json()["calls"]
            if not ended or all(call["outcome"] != "pending" for call in listed):
                return list(reversed(listed))
            time.sleep(TICK)
        raise AssertionError(f"an outcome stays open: {listed}")

    def call(self) -> dict[str, Any]:
        """The newest call, ended."""
        return self.calls()[-1]


def recorded_body(call: Mapping[str, Any], like: bytes = b"") -> bytes:
    """The body of a call's response; of a long one only the beginning is shown, and ``like`` stands for the rest."""
    shown = base64.b64decode(call["response"]["body_base64"] or "")
    is_cut = "/response/body_base64" in call["cut"]
    return shown + like[len(shown) : call["response"]["body_bytes"]] if is_cut else shown


def recorded_headers(call: Mapping[str, Any]) -> dict[str, str]:
    """The headers of a call's response by name."""
    return dict(call["response"]["headers"])
