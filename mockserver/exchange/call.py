"""One exchange as recorded."""

import json
from typing import Any, NamedTuple

from mockserver.exchange.problem import Problem


class Call(NamedTuple):
    """One exchange, flat: only str, bytes and numbers. What shows it decodes it; the journal packs it."""

    id: str
    account: str
    vendor: str
    operation: str
    answer: str
    evidence: str
    accepted: int
    chosen_by: str
    recipient: str
    problems: str
    method: str
    path: str
    path_params: str
    query: bytes
    headers: bytes
    reads: str
    body: bytes
    status: int
    response_headers: bytes
    response_body: bytes
    fault: str
    outcome: str
    received_at: float
    duration_ms: float
    notes: str


def pack_headers(headers: list[tuple[bytes, bytes]]) -> bytes:
    """Headers as one bytes value, as they stand on the wire."""
    return b"\r\n".join([name + b": " + value for name, value in headers])


def unpack_headers(packed: bytes) -> list[list[str]]:
    """``[[name, value], …]`` of packed headers."""
    lines = packed.decode("latin-1").split("\r\n") if packed else []
    return [list(line.split(": ", 1)) for line in lines]


def pack_params(params: dict[str, str]) -> str:
    """Path parameters as JSON text; "" where there is none."""
    return json.dumps(params) if params else ""


def unpack_params(packed: str) -> dict[str, str]:
    """Path parameters by name."""
    params: dict[str, str] = json.loads(packed or "{}")
    return params


def pack_problems(problems: tuple[Problem, ...]) -> str:
    """Problems as JSON text; "" where there is none."""
    if not problems:
        return ""
    return json.dumps([[p.kind, p.at, p.reason, p.message] for p in problems])


def unpack_problems(packed: str) -> list[dict[str, Any]]:
    """``[{kind, at, reason, message}, …]`` of packed problems."""
    names = ("kind", "at", "reason", "message")
    return [dict(zip(names, problem, strict=True)) for problem in json.loads(packed or "[]")]
