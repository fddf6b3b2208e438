"""Runs schemathesis over a server: in this process, collecting what it found, or on the command line."""

import base64
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import schemathesis
from schemathesis import engine
from schemathesis.engine import events

from mockserver.engine.account import AccountData, tokens
from mockserver.server.build import contracts_folder
from mockserver.spec.load import contract_files, load_contracts
from mockserver.spec.model import Contract, OperationSpec
from mockserver.spec.security_model import Basic, Scheme
from tests.evidence import ROOT
from tests.fuzz.plain_openapi import METHODS, Node, PlainApi, plain_openapi
from tests.live import PATIENCE

SHARED = Path(__file__).with_name("schemathesis.toml")
PATIENCE_WITH_A_RUN = 5 * PATIENCE  # seconds: a vendor's operations, one after the other, on a busy machine
BAD_DATA = {"unauthenticated", "media_type", "too_large", "unreadable", "missing", "invalid", "unknown"}
OF_A_SPELLING = 10  # examples made up for another spelling of an operation, which reads its parameters alike
# The record that the account uses, where not the first: that channel's user needs no to_phone, as the schema says.
RECORD = {"/account/channels/uuid": 1}


class Finding(NamedTuple):
    """One failed check."""

    operation: str
    check: str
    message: str


@dataclass(slots=True)
class Report:
    """What a run found, and how often each operation accepted and refused, lest nothing was tried."""

    findings: list[Finding] = field(default_factory=list)
    accepted: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    linked: int = 0  # accepted where one operation's answer is the next one's data

    @property
    def checks(self) -> set[str]:
        """The checks that failed."""
        return {finding.check for finding in self.findings}

    def __str__(self) -> str:
        """Of each kind of finding the first."""
        first = {(finding.operation, finding.check): finding for finding in reversed(self.findings)}
        return "\n\n".join(f"{f.operation} {f.check}\n{f.message}" for f in first.values())


class Way(NamedTuple):
    """A vendor, one of the ways in which its customers prove who they are, and where parameters then stand."""

    contract: Contract
    schemes: tuple[Scheme, ...]
    form: bool

    def __str__(self) -> str:
        return "-".join([self.contract.vendor, *(scheme.name for scheme in self.schemes)])


@cache
def ways() -> list[Way]:
    """Every way of every vendor; where there are several, parameters stand in a form in all but the first."""
    found = []
    for contract in load_contracts(contract_files([contracts_folder()])):
        alternatives = {schemes: n for o in contract.operations for n, schemes in enumerate(_alternatives(o))}
        found += [Way(contract, schemes, n > 0) for schemes, n in alternatives.items()]
    return found


def first_way(vendor: str, path: str) -> Way:
    """The way of a vendor by which the operations at a path are asked first."""
    contract = next(way.contract for way in ways() if way.contract.vendor == vendor)
    operation = next(one for one in contract.operations if one.path == path)
    return next(way for way in ways() if way.contract is contract and way.schemes == _alternatives(operation)[0])


def _alternatives(operation: OperationSpec) -> list[tuple[Scheme, ...]]:
    """The ways in which an operation is asked; one way, by nothing, where it wants no credential."""
    return [alternative.schemes for alternative in operation.security] or [()]


def _asked(document: Node, way: Way) -> Node:
    """A description of those operations only that can be asked this way."""
    asked = {(o.path, o.method.lower()) for o in way.contract.operations if way.schemes in _alternatives(o)}
    every = {(o.path, o.method.lower()) for o in way.contract.operations}
    paths = {
        path: {key: member for key, member in item.items() if (path, key) in asked or (path, key) not in every}
        for path, item in document["paths"].items()
        if any((path, key) in asked for key in item)
    }
    return {**document, "paths": paths}


class Trial(NamedTuple):
    """A server in plain HTTP, its description, and the settings of schemathesis with credentials in them."""

    app: Any
    document: Node
    file: Path


def trial(
    app: Any,
    account: AccountData,
    way: Way,
    folder: Path,
    document: Mapping[str, Any] | None = None,
    *,
    examples: int = 10,
) -> Trial:
    """Prepare a server to be tried by an account; ``document`` in place of the contract's own.

    ``examples`` are those of each operation that are made up at random, beside those that schemathesis always tries.
    """
    contract, now = way.contract, time.time()
    document = contract.document if document is None else document
    data = dict(account.vendors[contract.vendor])
    for pointer, number in RECORD.items():
        if pointer in contract.claims:
            data[pointer.split("/")[2]] = data[pointer.split("/")[2]][number:]
    names = tuple(scheme.name for scheme in way.schemes)
    plain = _asked(plain_openapi(contract, document, data, names, now, form=way.form), way)
    rules = [rule for operation in contract.operations for rule in operation.rules if rule.on_problem]
    refusals = {str(rule.answer.means) for rule in rules if rule.kinds is None or rule.kinds & BAD_DATA}
    text = f"{SHARED.read_text('utf-8')}max-examples = {examples}\n"
    text += '\n[checks.positive_data_acceptance]\nexpected-statuses = ["2xx"]\n'
    text += f"\n[checks.negative_data_rejection]\nexpected-statuses = {sorted(refusals)}\n"
    ready = tokens(contract, data, now)
    for scheme in way.schemes:
        text += f"\n[auth.openapi.{scheme.name}]\n{_credential(scheme, ready[scheme.name])}\n"
    for operation in contract.operations:
        if operation.method.lower() in plain["paths"].get(operation.path, {}):
            text += _settings(operation, examples)
    file = folder / "schemathesis.toml"
    file.write_text(text, "utf-8")
    return Trial(PlainApi(app, document), plain, file)


def _settings(operation: OperationSpec, examples: int) -> str:
    """What is said of one operation alone."""
    settings = ""
    if operation.spelling != operation.name:
        settings += f"generation = {{ max-examples = {min(examples, OF_A_SPELLING)} }}\n"
    if operation.kept:  # the ids are of what is not there
        settings += 'warnings = { display = ["missing_auth"], fail-on = true }\n'
        settings += 'checks.positive_data_acceptance.expected-statuses = ["2xx", "404"]\n'
    about = f"\n[[operations]]\ninclude-operation-id = {json.dumps(operation.spelling)}\n"
    return about + settings if settings else ""


def _credential(scheme: Scheme, ready: str) -> str:
    """A credential as the settings of schemathesis have it."""
    if isinstance(scheme.accept, Basic):
        user, _, password = base64.b64decode(ready.removeprefix("Basic ")).decode().partition(":")
        return f"username = {json.dumps(user)}\npassword = {json.dumps(password)}"
    return f"{'bearer' if scheme.bearer else 'api_key'} = {json.dumps(ready)}"


def fuzz(tried: Trial) -> Report:
    """Every phase over every operation of a document."""
    schema = schemathesis.openapi.from_dict(dict(tried.document), config=schemathesis.Config.from_path(tried.file))
    schema.app = tried.app
    schemes = tried.document.get("components", {}).get("securitySchemes", {}).values()
    credentials = {scheme["name"] for scheme in schemes if scheme.get("in") == "query"}

    @schema.hook
    def filter_body(_context: Any, body: Any) -> bool:
        """Leave out forms that are neither good data nor bad.

        A further field of a credential's name proves another sender; no header of a part can have a name with NUL.
        """
        return not (isinstance(body, dict) and (credentials & body.keys() or any("\0" in name for name in body)))

    report = Report()
    for event in engine.from_schema(schema).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            report.findings.append(Finding("", "error", str(event)))
        elif isinstance(event, events.ScenarioFinished):
            _read(report, event.recorder)
    return report


def first_path(tried: Trial) -> Trial:
    """A trial of the first path only, which is enough for what is broken on purpose."""
    return only_path(tried, next(iter(tried.document["paths"])))


def only_path(tried: Trial, path: str) -> Trial:
    """A trial of one path; where it leads to an operation of another, of that one too, which describes its answers."""
    paths = tried.document["paths"]
    blocks = [node.get("x-mock", {}) for method, node in paths[path].items() if method in METHODS]
    targets = {name for block in blocks for name in [*block.get("dispatch", {}).get("to", {}).values()][:1]}
    kept = {
        one: item
        for one, item in paths.items()
        if one == path or targets & {node["operationId"] for method, node in item.items() if method in METHODS}
    }
    return tried._replace(document={**tried.document, "paths": kept})


def assert_faithful(tried: Trial, way: Way) -> None:
    """No check fails in any phase, and every operation has accepted and refused."""
    report = fuzz(tried)
    assert not report.findings, str(report)
    described = {(path, method.upper()) for path, item in tried.document["paths"].items() for method in item}
    meant = [one for one in way.contract.operations if (one.path, one.method) in described]
    names = {f"{operation.method} {operation.path}" for operation in meant}
    by_id = {f"{operation.method} {operation.path}" for operation in meant if operation.kept}
    assert names - by_id - set(report.accepted) == set(), "never accepted"
    assert names - set(report.refused) == set(), "never refused"
    assert set(report.accepted) | set(report.refused) <= names


def _read(report: Report, recorder: Any) -> None:
    for case_id, interaction in recorder.interactions.items():
        if interaction.response is not None:
            of = recorder.cases[case_id].value.operation.label
            accepted = interaction.response.status_code < 400
            (report.accepted if accepted else report.refused)[of] += 1
            report.linked += accepted and recorder.label == "Stateful tests"
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info is not None:
                sent, failure = recorder.interactions[case_id], check.failure_info.failure
                request = f"{sent.request.method} {sent.request.uri} {sent.request.body!r}"
                answer = f"{sent.response.status_code} {sent.response.content!r}" if sent.response else "no response"
                message = f"{failure.title}: {failure.message}\n{request}\n{answer}"
                report.findings.append(Finding(recorder.label, check.name, message))


def command_line(tried: Trial, port: int) -> subprocess.CompletedProcess[str]:
    """``st run`` in the folder of its settings."""
    folder = tried.file.parent
    (folder / "document.json").write_text(json.dumps(tried.document), "utf-8")
    program = [sys.executable, "-m", "schemathesis.cli", "--config-file", tried.file.name, "run", "document.json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [*program, "--url", f"http://127.0.0.1:{port}", "--no-color"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_WITH_A_RUN,
    )
