"""Fixtures replayed at a real vendor: those that can send nothing, and others only where the user says so."""

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from mockserver.engine.account import AccountData, credential_members
from mockserver.engine.call import pack_headers
from mockserver.engine.facts import Facts
from mockserver.engine.fixture_case import FixtureError, Replay, Sent, read_case
from mockserver.engine.problem import Problem
from mockserver.engine.recipient import is_magic, recipient_of
from mockserver.engine.request import Arrival, ParsedRequest
from mockserver.server.application import Application
from mockserver.server.drift.comparison import Comparer
from mockserver.server.drift.recording import RealCall
from mockserver.server.drift.upstream import Upstream
from mockserver.spec.functions import digits
from mockserver.spec.model import Contract, Recipient
from mockserver.spec.pointer import Pointer
from mockserver.spec.source import read_text, read_yaml

NEEDS_CUSTOMER = "a real customer's credentials are needed: --accounts FILE --account ID"
NEEDS_SEND = "a message may be sent: --send"
NEEDS_NUMBER = "it is about the recipient, and might reach whoever has that number"
MOCKS_OWN = "only a mock does what it asks for"
SENDS_NOTHING = frozenset({"missing", "unreadable"})  # kinds of problem that leave a vendor nothing to send
UNPROVEN = frozenset({"absent", "malformed", "unknown", "signature"})  # reasons that let no vendor accept a credential
HOLDERS = {  # by the root of a pointer the members of a fixture's request in which its value may stand
    "body": ("json", "form", "multipart"),
    "query": ("query", "form", "multipart"),
    "header": ("headers",),
    "path": ("path_params",),
}


@dataclass(frozen=True, slots=True)
class ReadyCase:
    """A fixture that may be sent: its request, as it is written on the wire and as the mock reads it."""

    name: str
    sent: Sent
    request: ParsedRequest
    facts: Facts


class FixtureReplay:
    """The fixtures of one contract; ``customer`` is whose values they get, None where nobody's credentials are sent.

    ``to`` is the number that messages go to, None where none may be sent.
    """

    def __init__(self, app: Application, contract: Contract, customer: AccountData | None, to: str | None) -> None:
        self._mock = app.state.mock
        self._router = app.router
        self._contract = contract
        self._customer = customer
        self._to = to
        self._comparer = Comparer(self._mock)

    async def sort(self, files: Iterable[Path]) -> tuple[list[ReadyCase], list[tuple[str, str]]]:
        """The cases to be sent; and the others, each with why it is left out. Raises FixtureError, OSError."""
        ready, left_out = [], []
        for file in files:
            name, case = "/".join(file.with_suffix("").parts[-2:]), read_case(read_yaml(str(file), read_text(file)))
            try:
                found = await self._read(name, case)
            except FixtureError as error:
                found = str(error)
            if isinstance(found, str):
                left_out.append((name, found))
            else:
                ready.append(found)
        return ready, left_out

    async def send(self, case: ReadyCase, upstream: Upstream) -> RealCall:
        """Send a request to the real vendor, and hold the answer against the contract. Raises UpstreamError."""
        sent = case.sent
        received = await upstream.send(sent.method, sent.url.encode("ascii"), _raw(sent.headers), sent.content)
        compared = self._comparer.compare(case.request, case.facts, received, str(upstream.origin))
        return await self._comparer.as_recorded(compared)

    async def _read(self, name: str, case: Mapping[str, Any]) -> ReadyCase | str:
        """A case, or why it is not sent. Raises FixtureError."""
        if self._customer is None and self._names_customer(case["request"]):
            return NEEDS_CUSTOMER
        ready = await self._ready(name, case)
        if ready is None:
            return MOCKS_OWN
        problems = self._comparer.problems(ready.request, ready.facts)
        is_harmless = any(_sends_nothing(problem) for problem in problems)
        recipient = ready.request.operation.recipient
        if self._to is None:
            return ready if is_harmless else NEEDS_SEND
        if recipient is None:
            return ready
        redirected = _redirected(case, recipient, self._to)
        if redirected is None or any(recipient.at.covers(Pointer.parse(problem.at)) for problem in problems):
            return ready if is_harmless else NEEDS_NUMBER
        return await self._ready(ready.name, redirected) or MOCKS_OWN

    def _names_customer(self, node: Any) -> bool:
        """Whether a request has a credential of one of the accounts."""
        if isinstance(node, list):
            return any(map(self._names_customer, node))
        if not isinstance(node, dict):
            return False
        if "token" in node:
            return True
        if node.keys() in ({"default"}, {"second"}):
            tokens = Pointer.parse(str(next(iter(node.values())))).tokens
            return bool(tokens) and tokens[0] in credential_members(self._contract)
        return any(map(self._names_customer, node.values()))

    async def _ready(self, name: str, case: Mapping[str, Any]) -> ReadyCase | None:
        """A case as the mock reads it; None where it asks for what only a mock does. Raises FixtureError."""
        if case.get("before"):
            return None  # its request is about what the mock answered before
        customer = self._customer or await self._mock.store.account("default")
        sent = Replay(self._contract, {"default": customer}, self._mock.sources.now).request(case)
        path, _, query = sent.url.partition("?")
        headers = pack_headers([(name.lower(), value) for name, value in _raw(sent.headers)])
        plain = unquote(path)
        found = self._router.find({"type": "http", "path": plain, "raw_path": path.encode("ascii"), "headers": []})
        if found is None or sent.method in found[0].endpoint.known:
            return None
        endpoint, parameters = found[0].endpoint, found[1]
        operation = endpoint.operations.get(sent.method) or endpoint.otherwise
        arrival = Arrival(sent.method, plain, parameters, query.encode("ascii"), headers, sent.content, 0)
        request = None if operation is None else self._comparer.parse(operation, arrival)
        if request is None or request.known or request.head.prefer:
            return None
        if is_magic(recipient_of(request.operation.recipient, request.data)):
            return None
        return ReadyCase(name, sent, request, await self._mock.store.facts(request))


def _raw(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]


def _sends_nothing(problem: Problem) -> bool:
    """Whether no vendor can send a message for a request with this problem."""
    return problem.kind in SENDS_NOTHING or (problem.kind == "unauthenticated" and problem.reason in UNPROVEN)


def _redirected(case: Mapping[str, Any], recipient: Recipient, number: str) -> dict[str, Any] | None:
    """The case with another recipient; None where its request has none in the usual place."""
    changed = copy.deepcopy(dict(case))
    places = [at for at in (*recipient.override, recipient.at) if _put(changed["request"], at, number)]
    return changed if places else None


def _put(request: dict[str, Any], at: Pointer, number: str) -> bool:
    """Put a number where a fixture's request has one, written alike; whether it has one."""
    root, name = at.tokens[0], at.tokens[-1]
    if len(at.tokens) != 2:
        return False
    found = False
    for member in HOLDERS[root]:
        holder = request.get(member)
        if isinstance(holder, dict) and name in holder:
            holder[name], found = _alike(holder[name], number), True
        elif isinstance(holder, list) and member != "json":
            found |= any(pair[0] == name for pair in holder)
            request[member] = [[key, _alike(old, number) if key == name else old] for key, old in holder]
    return found


def _alike(written: Any, number: str) -> Any:
    """A number as another one is written."""
    if isinstance(written, list):
        return [_alike(written[0], number)] if written else [number]
    if isinstance(written, int):
        return int(digits(number))
    return f"+{digits(number)}" if str(written).startswith("+") else digits(number)
