"""A contract that only tests know, two customers of it, and requests to it, without a server."""

import json
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints

from mockserver.engine.account import AccountData
from mockserver.engine.authentication import Authenticator, Identity
from mockserver.engine.call import Label, RecordedCall, pack_headers
from mockserver.engine.choice import Choice, choose
from mockserver.engine.credentials import CredentialReader
from mockserver.engine.engine import Decision, Engine
from mockserver.engine.facts import Facts
from mockserver.engine.problem import Problem
from mockserver.engine.request import Arrival, ParsedRequest, RequestParser
from mockserver.engine.sources import Sources
from mockserver.spec.load import load_contracts
from mockserver.spec.model import Contract, OperationSpec
from mockserver.spec.security_model import Jwt
from mockserver.store.accounts import Registry

NOW = 1_800_000_000.0
ACME = Path(__file__).with_name("acme.yaml")
JSON = {"content-type": "application/json"}


@cache
def acme() -> Contract:
    """The contract; compiled once."""
    return load_contracts([ACME])[0]


def operation(spelling: str) -> OperationSpec:
    """One of its operations."""
    return next(o for o in acme().operations if o.spelling == spelling)


def arrive(
    to: str,
    *,
    method: str = "",
    headers: dict[str, str] | None = None,
    query: str = "",
    body: Any = b"",
    params: dict[str, str] | None = None,
    oversize: int = 0,
) -> Arrival:
    """What came off the wire; a body that is not bytes is sent as JSON."""
    one = operation(to)
    sent = dict(headers or {})
    if not isinstance(body, bytes):
        body, sent = json.dumps(body).encode(), {**JSON, **sent}
    packed = pack_headers([(name.encode("latin-1"), value.encode("latin-1")) for name, value in sent.items()])
    return Arrival(method or one.method, one.path, params or {}, query.encode(), packed, body, oversize)


def parse(operation: OperationSpec, arrival: Arrival) -> ParsedRequest:
    """An arrival, read by a parser that remembers nothing."""
    return RequestParser(CredentialReader()).parse(operation, arrival)


def authenticate(request: ParsedRequest, facts: Facts) -> Identity:
    """Who a request comes from, told by an authenticator that remembers nothing."""
    return Authenticator().authenticate(request, facts)


def request(to: str, **arrival: Any) -> ParsedRequest:
    """A request, read."""
    return parse(operation(to), arrive(to, **arrival))


def problems(found: ParsedRequest) -> list[tuple[str, str, str]]:
    """What is wrong with it: kind, place, reason."""
    return [(problem.kind, problem.at, problem.reason) for problem in found.problems]


def chosen(to: str, *found: Problem, view: Any = None, recipient: str = "", prefer: str = "") -> Choice:
    """The choice of an operation for these problems."""
    choice = choose(operation(to), found, view or {}, recipient, prefer=prefer, pinned=None)
    assert choice is not None
    return choice


def answer_of(choice: Choice) -> str:
    """The name of the answer, which is one of the contract's."""
    return getattr(choice.answer, "name", "")


class Bench:
    """Two accounts, and what the world knows of them."""

    def __init__(self) -> None:
        self.registry = Registry((acme(),))
        self.one: AccountData = self.registry.add("one", {})
        self.two: AccountData = self.registry.add("two", {})
        self.engine = Engine((acme(),), fixed_sources())

    @property
    def mine(self) -> Any:
        """What the first account owns."""
        return self.one.vendors["acme"]

    @property
    def theirs(self) -> Any:
        """What the second one owns."""
        return self.two.vendors["acme"]

    def facts(self, now: float = NOW) -> Facts:
        """All owners, at a time."""
        return Facts(self.registry.owners["acme"], now, {})

    def decide(self, found: ParsedRequest) -> Decision:
        """The decision on a request."""
        return self.engine.decide(found, self.facts())


def fixed_sources() -> Sources:
    """The same time and the same ids in every run."""
    return Sources(lambda: NOW, lambda: "a-uuid", lambda: 7)


def recorded(**changes: Any) -> RecordedCall:
    """A call with these parts, those of its label among them, all others empty."""
    label = Label(**{name: changes.pop(name) for name in Label.__struct_fields__ if name in changes})
    blank: dict[type, Any] = {str: "", bytes: b"", int: 0, float: 0.0}
    parts = {name: blank[kind] for name, kind in get_type_hints(RecordedCall).items() if name != "label"}
    return RecordedCall(**{**parts, "label": label, **changes})


def jwt_of(scheme: str) -> Jwt:
    """What a security scheme accepts."""
    accept = next(one.accept for one in acme().schemes if one.name == scheme)
    assert isinstance(accept, Jwt)
    return accept
