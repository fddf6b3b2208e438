"""Reads ``fixtures/<vendor>/<operation>/<case>.yaml``: one exchange each, as its README describes."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from mockserver.authoring.exchange import reply_differences
from mockserver.engine.fixture_case import Replay, Sent, read_case
from mockserver.spec.source import read_yaml

__all__ = ["ROOT", "Replay", "Reply", "Sent", "case_files", "case_id", "complaints", "load_case", "replayed"]
ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Reply:
    """A server's answer; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def case_files() -> list[Path]:
    """Every exchange under ``fixtures/``."""
    return sorted(ROOT.glob("fixtures/*/*/*.yaml"))


def case_id(file: Path) -> str:
    """``vendor/operation/case``."""
    return "/".join(file.with_suffix("").parts[-3:])


@cache
def load_case(file: Path) -> dict[str, Any]:
    """A fixture as written, read once; a fault in it fails the test that reads it."""
    return read_case(read_yaml(str(file), file.read_text("utf-8")))


def complaints(case: Mapping[str, Any], replay: Replay, reply: Reply) -> list[str]:
    """Where a reply is not the one that a fixture shows."""
    expected = replay.value(case["response"])
    assert expected.keys() <= {"status", "headers", "json", "text"}
    found: dict[str, Any] = {"status": reply.status}
    if "json" in expected:
        found["json"] = json.loads(reply.body)
    else:
        expected.setdefault("text", "")
        found["text"] = reply.body.decode()
    if "headers" in expected:
        found["headers"] = {name: reply.headers.get(name.lower()) for name in expected["headers"]}
    expected["answer"], found["answer"] = case["answer"], reply.headers.get("x-mock-answer")
    return list(reply_differences(expected, found))


def is_exact(node: Any) -> bool:
    """Whether a fixture's response leaves no value open."""
    if isinstance(node, dict):
        return node.keys() != {"any"} and all(map(is_exact, node.values()))
    return not isinstance(node, list) or all(map(is_exact, node))


def replayed(send: Callable[[Sent], Reply], replays: Mapping[str, Replay]) -> dict[str, Any]:
    """Every exchange through a server, none with a complaint; all that is fixed of each reply.

    That is the status, the names of the headers, and of responses that leave no value open, the body's bytes.
    """
    fixed = {}
    for file in case_files():
        case, replay = load_case(file), replays[file.parts[-3]]
        reply = send(replay.prepare(case, send))
        assert (file, complaints(case, replay, reply)) == (file, [])
        names = sorted(set(reply.headers) - {"date", "server", "connection"})  # which are the server's
        fixed[case_id(file)] = (reply.status, names, reply.body if is_exact(case["response"]) else None)
    return fixed
