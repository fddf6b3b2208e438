"""The public shapes of the control API. Members may be added, never renamed."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from mockserver.engine.account import AccountData, credential_members, tokens
from mockserver.engine.bodies import UnreadableError, duplicate_keys, read_form, read_json, read_multipart
from mockserver.engine.call import RecordedCall, unpack_headers, unpack_problems
from mockserver.engine.clock import Clock
from mockserver.engine.facts import Budget
from mockserver.engine.response import timestamp
from mockserver.server.masking import Masker, Needles
from mockserver.spec.evidence import spelled
from mockserver.spec.load import root_path
from mockserver.spec.model import Contract


def account_shape(account: AccountData, contracts: tuple[Contract, ...], origin: str, now: float) -> dict[str, Any]:
    """``{id, vendors: {<vendor>: {url, credentials, owned, tokens}}}``; ``origin`` is the server's address."""
    vendors = {}
    for contract in contracts:
        data = account.vendors[contract.vendor]
        members = credential_members(contract)
        vendors[contract.vendor] = {
            "url": origin + root_path(contract.servers[0]),
            "credentials": {name: value for name, value in data.items() if name in members},
            "owned": {name: value for name, value in data.items() if name not in members},
            "tokens": tokens(contract, data, now),
        }
    return {"id": account.id, "vendors": vendors}


def call_shape(call: RecordedCall, account: AccountData | None, masker: Masker) -> dict[str, Any]:
    """A call in its public shape, decoded and masked."""
    show = Shown(masker, masker.of_call(call, account))
    return {
        "id": call.id,
        "account": call.account or None,
        "vendor": call.vendor or None,
        "operation": call.operation or None,
        "answer": call.answer or None,
        "accepted": bool(call.accepted),
        "evidence": call.evidence or None,
        "evidence_parts": spelled(call.label.parts) if call.label.parts else None,
        "evidence_reasons": json.loads(call.label.reasons or "{}"),
        "chosen_by": call.chosen_by or None,
        "rule": call.rule or None,
        "pin": call.pin or None,
        "recipient": show.text(call.recipient) or None,
        "problems": show.value(unpack_problems(call.problems)),
        "request": {
            "method": call.method,
            "path": show.text(call.path),
            "path_params": show.value(json.loads(call.path_params or "{}")),
            "query": show.query(call.query.decode("latin-1")),
            "headers": show.headers(call.headers),
            "form": show.form(_form(call)),
            "json": show.value(_json(call)),
            "body_base64": show.base64(call.body),
        },
        "response": {
            "status": call.status,
            "headers": show.headers(call.response_headers),
            "json": show.value(_parsed(call.response_body)),
            "body_base64": show.base64(call.response_body),
            "fault": call.fault or None,
        },
        "outcome": call.outcome,
        "received_at": moment_text(call.received_at),
        "duration_ms": round(call.duration_ms, 3),
        "notes": _notes(call, show),
    }


def clock_shape(clock: Clock, real: float) -> dict[str, Any]:
    """``{now, offset, frozen}``: an account's time, and by how many seconds it is ahead of real time."""
    now = clock.at(real)
    return {"now": timestamp(now), "offset": round(now - real, 3), "frozen": clock.is_frozen}


def budget_shape(operation: str, by: str, budget: Budget) -> dict[str, Any]:
    """``{operation, by, requests, seconds, remaining, wait}``; ``by`` is the value counted by, None for the account."""
    return {
        "operation": operation,
        "by": by or None,
        "requests": budget.limit.requests,
        "seconds": budget.limit.seconds,
        "remaining": budget.remaining,
        "wait": round(max(budget.wait, 0.0), 3),
    }


def moment_text(seconds: float) -> str:
    """Unix seconds as an ISO 8601 time in UTC, to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def moment(text: str) -> float:
    """The Unix seconds of an ISO 8601 time; without a zone it is UTC. Raises ValueError."""
    parsed = datetime.fromisoformat(text)
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


class Shown:
    """Shows values with every secret in them masked."""

    def __init__(self, masker: Masker, presented: Needles) -> None:
        self._masker = masker
        self._presented = presented

    def text(self, text: str) -> str:
        return self._masker.text(text, self._presented)

    def value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(name): self._member(name, item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.value(item) for item in value]
        return value

    def _member(self, name: str, value: Any) -> Any:
        hidden = isinstance(value, str) and self._masker.hides_field(name)
        return self._masker.mask(value) if hidden else self.value(value)

    def headers(self, packed: bytes) -> list[list[str]]:
        return [[self.text(name), self._header(name, value)] for name, value in unpack_headers(packed)]

    def _header(self, name: str, value: str) -> str:
        return self._masker.header(value) if self._masker.hides_header(name) else self.text(value)

    def query(self, text: str) -> str:
        return self.text(self._masker.query(text))

    def form(self, pairs: list[list[str]] | None) -> list[list[str]] | None:
        if pairs is None:
            return None
        return [[self.text(name), self._member(name, value)] for name, value in pairs]

    def base64(self, raw: bytes) -> str | None:
        if not raw:
            return None
        masked = self.query(raw.decode("utf-8", "surrogateescape"))
        return base64.b64encode(masked.encode("utf-8", "surrogateescape")).decode("ascii")


def _json(call: RecordedCall) -> Any:
    return _parsed(call.body) if call.reads in {"json", ""} else None


def _parsed(raw: bytes) -> Any:
    try:
        return read_json(raw) if raw else None
    except UnreadableError:
        return None


def _notes(call: RecordedCall, show: "Shown") -> list[str]:
    """What a reader of a call should know beside its problems: an answer that is not the contract's, repeated keys."""
    notes: list[str] = json.loads(call.notes or "[]")
    duplicates = duplicate_keys(call.body) if call.reads == "json" else []
    return notes + [f"duplicate key {name!r}: the last counts" for name in show.value(duplicates)]


def _form(call: RecordedCall) -> list[list[str]] | None:
    """The fields of a form as pairs; None if the body is no form."""
    try:
        if call.reads == "form":
            return [list(pair) for pair in read_form(call.body)]
        if call.reads == "multipart":
            content_type = dict(unpack_headers(call.headers)).get("content-type", "")
            return [list(pair) for pair in read_multipart(call.body, content_type.encode("latin-1"))]
    except UnreadableError:
        return None
    return None
