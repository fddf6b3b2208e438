"""A table of requests, good and bad: what the application sees of each, and what comes back, in any pieces."""

import asyncio
import contextlib
import re
from pathlib import Path
from typing import Any

import pytest

from mockserver.server.settings import Settings
from mockserver.server.uvicorn_server import event_loop
from mockserver.spec.source import read_yaml
from tests.evidence import ROOT
from tests.server.in_loop_server import served
from tests.streams import Client

FILE = ROOT / "tests" / "server" / "wire" / "requests.yaml"
STATUS = re.compile(rb"HTTP/1\.1 ([0-9]{3}) ")
PIECES = [10**6, 7, 1]  # bytes


class Recorder:
    """Answers 200 with no body, and remembers who asked for what."""

    settings = Settings(public_url="http://y")  # whose requests are no other host's

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for state in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{state}.complete"})
            return
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body, more = body + message["body"], message["more_body"]
        target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
        self.asked.append(f"{scope['method']} {target.decode()} {body.decode()}".rstrip())
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})


def table() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = read_yaml(FILE.name, FILE.read_text("utf-8")).value
    return rows


async def talk(port: int, data: bytes, size: int) -> bytes:
    """All that comes back for bytes that are sent in pieces of a size, and are followed by a half-close."""
    client = await Client.connect(port)
    with contextlib.suppress(OSError, RuntimeError):  # it is refused already, and the connection gone
        for at in range(0, len(data), size):
            client.writer.write(data[at : at + size])
            await asyncio.sleep(0)
        client.writer.write_eof()
    found = await client.rest()
    client.close()
    return found


@pytest.mark.parametrize("size", PIECES)
def test_table(size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each row, in one segment, in some, and byte by byte."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    async def test() -> list[str]:
        app, wrong = Recorder(), []
        async with served(app) as (port, _):
            for row in table():
                app.asked.clear()
                found = STATUS.findall(await talk(port, row["sent"].encode("latin-1"), size))
                if ([int(status) for status in found], app.asked) != (row["answers"], row["asked"]):
                    wrong.append(f"{row['about']}: {found} {app.asked}")
        return wrong

    with asyncio.Runner(loop_factory=event_loop) as runner:
        assert runner.run(test()) == []


def test_the_table_is_read() -> None:
    """It has good rows, bad ones, and each once."""
    names = [row["sent"] for row in table()]
    assert len(names) == len(set(names)) > 90
    assert {tuple(row["answers"]) for row in table()} >= {(), (200,), (400,), (200, 200, 400)}
