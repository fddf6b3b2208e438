"""A contract tried: its exchanges replayed, its own credentials and magic numbers sent, and what no call reached."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mockserver.authoring.exchange import ReplayReply, WrittenExchange, complaints, exchange_files, read_exchange
from mockserver.authoring.fuzz import departures, fuzz
from mockserver.engine.account import AccountData, sample
from mockserver.engine.fixture_case import FixtureError, Replay, Sent
from mockserver.engine.recipient import MAGIC
from mockserver.engine.sources import Sources
from mockserver.server.application import Application
from mockserver.spec.errors import ContractError
from mockserver.spec.model import Contract, OperationSpec
from mockserver.spec.places import RequestPlaces
from mockserver.spec.pointer import MISSING, Pointer
from mockserver.testing.in_process import call_asgi

TRIAL_ORIGIN = "http://localhost"


@dataclass(slots=True)
class Tried:
    """What was found of a contract. ``unreached`` are answers that no exchange, sample or magic number got."""

    vendor: str
    exchanges: int = 0
    findings: list[str] = field(default_factory=list)
    reached: set[str] = field(default_factory=set)
    unreached: list[str] = field(default_factory=list)


def send(app: Application, sent: Sent) -> ReplayReply:
    """What an application answers to a request, without a server."""
    status, headers, body = asyncio.run(
        call_asgi(app, sent.method, TRIAL_ORIGIN + sent.url, sent.headers, sent.content)
    )
    return ReplayReply(status, {name.lower(): value for name, value in headers}, body)


def read_exchanges(
    contract: Contract, folders: Iterable[Path], accounts: Mapping[str, AccountData] | None = None
) -> tuple[list[WrittenExchange], list[ContractError]]:
    """The exchanges of a vendor in folders of fixtures, and what is wrong with their files.

    Values that they name of ``accounts`` are looked up where these are given.
    """
    exchanges, errors = [], []
    for folder in folders:
        for file in exchange_files(folder, contract.vendor):
            exchange, wrong = read_exchange(file, contract, accounts)
            errors += wrong
            exchanges += [exchange] if exchange is not None else []
    return exchanges, errors


def try_contract(
    app: Application,
    contract: Contract,
    exchanges: Iterable[WrittenExchange],
    accounts: Mapping[str, AccountData],
    *,
    is_fuzzed: bool = True,
) -> Tried:
    """Replay exchanges of a contract that an application serves, and send what the contract itself promises.

    Where it ``is_fuzzed`` requests that depart from its examples are sent, too.
    """
    tried = Tried(contract.vendor)
    replay = Replay(contract, accounts, Sources.real().now)
    for exchange in exchanges:
        tried.exchanges += 1
        tried.findings += [
            f"{exchange.file}: {complaint}" for complaint in judged(app, exchange, replay, tried.reached)
        ]
    data = accounts["default"].vendors[contract.vendor]
    for operation in contract.operations:
        tried.findings += _samples(app, contract, operation, data, tried.reached)
        tried.findings += refused_credentials(app, contract, operation, data)
    if is_fuzzed:
        for operation in contract.operations:
            tried.findings += _fuzzed(app, contract, operation, data, tried.reached)
    known = [answer.id for o in contract.operations for answer in o.answers.values() if o.spelling == o.name]
    tried.unreached = [answer for answer in dict.fromkeys(known) if answer not in tried.reached]
    return tried


def judged(app: Application, exchange: WrittenExchange, replay: Replay, reached: set[str]) -> list[str]:
    """Where an exchange's answer is not the one that it shows."""
    try:
        reply = send(app, replay.prepare(exchange.case, lambda sent: send(app, sent)))
        told = complaints(exchange.case, replay, reply)
    except FixtureError as error:
        return [str(error)]
    reached.add(reply.headers.get("x-mock-answer", ""))
    return told


def _samples(
    app: Application, contract: Contract, operation: OperationSpec, data: Mapping[str, Any], reached: set[str]
) -> Iterator[str]:
    """What is wrong with the call that `mockserver curl` prints, and with those to magic numbers."""
    if operation.success is None or operation.kept:
        return
    reply = _call(app, contract, operation, data, "")
    answer = reply.headers.get("x-mock-answer", "")
    reached.add(answer)
    if answer not in _accepted(operation):
        why = reply.headers.get("x-mock-problem", "a rule")
        yield f"{operation.id}: its own example is refused: {why} ({answer or reply.status})"
        return
    if operation.recipient is None or operation.recipient.is_several or operation.recipient.at.tokens[0] == "path":
        return
    plus = "" if _is_in_digits(operation, operation.recipient.at) else "+"
    for digits, wanted in operation.magic.items():
        reply = _call(app, contract, operation, data, f"{plus}{MAGIC}{digits}")
        answer = reply.headers.get("x-mock-answer", "")
        reached.add(answer)
        if answer != wanted.id:
            got = f"{operation.id}: {plus}{MAGIC}{digits} gets {answer or reply.status}"
            yield f"{got}, not {wanted.id} {reply.headers.get('x-mock-problem', '')}".rstrip()


def refused_credentials(
    app: Application, contract: Contract, operation: OperationSpec, data: Mapping[str, Any]
) -> Iterator[str]:
    """The ways of proving who one is that the contract offers, and that it refuses of its own customer."""
    for number, alternative in enumerate(operation.security):
        names = " and ".join(scheme.name for scheme in alternative.schemes)
        try:
            reply = _call(app, contract, operation, data, "", number)
        except (LookupError, ValueError) as error:  # of values that a file of accounts gives
            yield f"{operation.id}: the customer's own {names} makes no credential: {error}"
            continue
        problem = reply.headers.get("x-mock-problem", "")
        if problem.startswith(("unauthenticated", "forbidden")):
            yield f"{operation.id}: the customer's own {names} is refused: {problem}"


def _fuzzed(
    app: Application, contract: Contract, operation: OperationSpec, data: Mapping[str, Any], reached: set[str]
) -> Iterator[str]:
    if operation.success is None or operation.spelling != operation.name:
        return
    asyncio.run(app.store.reset_account("default"))  # its limits are used up
    example = sample(operation, data, Sources.real().now())
    places = RequestPlaces(contract.document, [operation])
    requests = departures(operation, example, contract.base_path, places)
    yield from fuzz(operation, requests, lambda sent: send(app, sent), reached)


def _accepted(operation: OperationSpec) -> set[str]:
    return {answer.id for answer in operation.answers.values() if answer.accepted}


def _is_in_digits(operation: OperationSpec, at: Pointer) -> bool:
    """Whether the example's recipient has no plus: a vendor that wants digits only refuses one."""
    examples = (m.example for m in operation.body.media.values()) if operation.body else ()
    values = [at.get({"body": example}) for example in examples if example is not MISSING]
    values += [p.example for p in operation.parameters if (p.where, p.name) == at.tokens]
    return any(isinstance(value, str | int) and str(value).isdigit() for value in values)


def _call(  # noqa: PLR0913, PLR0917 -- who sends what to which application, and how
    app: Application,
    contract: Contract,
    operation: OperationSpec,
    data: Mapping[str, Any],
    to: str,
    alternative: int = 0,
) -> ReplayReply:
    call = sample(operation, data, Sources.real().now(), recipient=to, alternative=alternative)
    body = call.body.encode()
    return send(app, Sent(call.method, contract.base_path + call.path, list(call.headers.items()), body))
