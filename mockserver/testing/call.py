"""A recorded call as a test reads it."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from mockserver.testing.names import Public, Values, unknown_key


class Headers(Mapping[str, str]):
    """Headers by name, in upper or lower case. A repeated header has its last value."""

    def __init__(self, pairs: list[list[str]]) -> None:
        self._values = {name.lower(): value for name, value in pairs}

    def __getitem__(self, name: str) -> str:
        try:
            return self._values[name.lower()]
        except KeyError:
            raise KeyError(unknown_key("headers", name, self)) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return repr(self._values)


@dataclass(frozen=True)
class CallProblem(Public):
    """One thing wrong with a request: ``missing`` at ``/body/text``."""

    kind: str
    at: str
    reason: str
    message: str

    def __str__(self) -> str:
        return " ".join(word for word in (self.kind, self.reason, self.at) if word)


@dataclass(frozen=True)
class Request(Public):
    """What a client sent, with secrets masked. ``json`` and ``form`` are None if the body is neither."""

    method: str
    path: str
    path_params: Mapping[str, str]
    query: Mapping[str, str]
    headers: Headers
    json: Any
    form: Mapping[str, str] | None
    body: bytes


@dataclass(frozen=True)
class Response(Public):
    """What the client was sent. ``fault`` is the kind of injected trouble, if there was any."""

    status: int
    headers: Headers
    json: Any
    body: bytes
    fault: str | None


@dataclass(frozen=True, repr=False)
class Call(Public):
    """A recorded request with its response. ``data`` is the whole call as the control API shows it."""

    data: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.data["id"])

    @property
    def vendor(self) -> str | None:
        return self._text("vendor")

    @property
    def operation(self) -> str | None:
        """``vendor.operation``; None if no contract has the path."""
        return self._text("operation")

    @property
    def answer(self) -> str | None:
        """``vendor.operation/answer``."""
        return self._text("answer")

    @property
    def direction(self) -> str:
        """``in``: a client called a vendor; ``out``: a vendor's callback to the client."""
        return str(self.data["direction"])

    @property
    def message(self) -> Mapping[str, str | None] | None:
        """``{from, to, text}`` of the message that it sent, or that a callback tells of; None if there is none."""
        message: Mapping[str, str | None] | None = self.data["message"]
        return None if message is None else Values(message, "message")

    @property
    def url(self) -> str | None:
        """Where a callback went; None for a call of a client."""
        return self._text("url")

    @property
    def attempt(self) -> int | None:
        """Which attempt at a callback it was, from 1; None for a call of a client."""
        attempt: int | None = self.data["attempt"]
        return attempt

    @property
    def outcome(self) -> str:
        """``sent``, ``aborted``, ``pending``; of a callback also ``withheld`` and ``abandoned``."""
        return str(self.data["outcome"])

    @property
    def accepted(self) -> bool:
        return bool(self.data["accepted"])

    @property
    def evidence(self) -> str | None:
        """The grade of the least known part that counts: recorded, page, vendor, sibling, assumed, or off-contract."""
        return self._text("evidence")

    @property
    def evidence_parts(self) -> dict[str, str | None]:
        """The grade of each part: status, headers, shape, text, trigger, request. Empty for no answer of a contract."""
        return dict(self.data["evidence_parts"] or {})

    @property
    def evidence_reasons(self) -> dict[str, str]:
        """Where each part was seen, or why it is assumed."""
        return dict(self.data["evidence_reasons"])

    @property
    def chosen_by(self) -> str | None:
        """Why this answer: ``prefer``, ``pin``, ``rule``, ``magic``, ``default`` or ``known``."""
        return self._text("chosen_by")

    @property
    def rule(self) -> str | None:
        """File and line of the rule that chose the answer, as ``acme.yaml:41``."""
        return self._text("rule")

    @property
    def recipient(self) -> str | None:
        return self._text("recipient")

    @property
    def problems(self) -> tuple[CallProblem, ...]:
        return tuple(CallProblem(p["kind"], p["at"], p["reason"], p["message"]) for p in self.data["problems"])

    @property
    def received_at(self) -> datetime:
        return datetime.fromisoformat(self.data["received_at"])

    @property
    def request(self) -> Request:
        raw = self.data["request"]
        return Request(
            method=raw["method"],
            path=raw["path"],
            path_params=Values(raw["path_params"], "path_params"),
            query=Values(dict(parse_qsl(raw["query"], keep_blank_values=True)), "query"),
            headers=Headers(raw["headers"]),
            json=raw["json"],
            form=None if raw["form"] is None else Values(dict(raw["form"]), "form"),
            body=base64.b64decode(raw["body_base64"] or ""),
        )

    @property
    def response(self) -> Response:
        raw = self.data["response"]
        body = base64.b64decode(raw["body_base64"] or "")
        return Response(raw["status"], Headers(raw["headers"]), raw["json"], body, raw["fault"])

    def _text(self, name: str) -> str | None:
        value: str | None = self.data[name]
        return value

    def __hash__(self) -> int:
        return hash(self.id)

    def __str__(self) -> str:
        """One line: time, answer, status, why it was chosen, problems."""
        raw = self.data
        name = raw["answer"] or raw["operation"] or f"{raw['request']['method']} {raw['request']['path']}"
        words = [f"{self.received_at:%H:%M:%S.%f}"[:-3], name, str(raw["response"]["status"]), raw["chosen_by"] or "-"]
        return " ".join([*words, "; ".join(map(str, self.problems))]).rstrip()

    def __repr__(self) -> str:
        return f"<Call {self.id} {self}>"
