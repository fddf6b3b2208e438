"""``mockserver run``: a command whose clients, unchanged, reach the vendors on a server of its own."""

import asyncio
import gc
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from mockserver.cli.account import assignments, variables, write_account_files
from mockserver.cli.child import ChildError, ChildProcess, exit_code, start
from mockserver.cli.common import CommandError, contract_options, ending_with_findings
from mockserver.cli.gates import FAIL_ON, ExpectedCount, read_expectation, verdicts
from mockserver.cli.namespaces import Inside, Isolated, IsolationError, LocalService, isolate
from mockserver.cli.reports import check_report, write_report
from mockserver.cli.service_relay import relaying
from mockserver.cli.summary import RunRecord, summary
from mockserver.server.settings import LOG_FORMS, PREFIX, LogForm, Settings, SettingsError
from mockserver.server.trust_files import write_trust_files
from mockserver.spec.model import Contract
from mockserver.testing.account import Account, Made
from mockserver.testing.calls import AccountCalls
from mockserver.testing.child_environment import WAY_VARIABLES, ClientTarget, child_variables, trust_variables
from mockserver.testing.client import Control, ControlError
from mockserver.testing.server import serving

if TYPE_CHECKING:
    from mockserver.server.application import Application

LOOPBACK = "127.0.0.1"
URL, ACCOUNT = f"{PREFIX}URL", f"{PREFIX}ACCOUNT"
EVERYBODY = "*"  # all accounts
ISOLATION = ("none", "auto", "require")
NO_ISOLATION = 125  # the exit code of what was to run another command and could not


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the options of a run say beside its settings."""

    env: tuple[str, ...]
    files: Path | None
    state: Path | None
    expect: tuple[str, ...]
    fail_on: tuple[str, ...]
    report: tuple[Path, ...]
    let_through: tuple[str, ...]
    isolation: str
    services: tuple[str, ...]
    log: LogForm


def _file(**options: Any) -> Any:
    return click.Path(path_type=Path, **options)


@click.command(context_settings={"allow_interspersed_args": False})  # what follows the command's name is the command's
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option(
    "--env", multiple=True, metavar="NAME=TEXT", help="Set too: KEY={VENDOR.credentials.api_key}. Repeatable."
)
@click.option(
    "--files", type=_file(file_okay=False), metavar="DIR", help="For the files that vendors hand out. [gone at the end]"
)
@click.option(
    "--state", type=_file(dir_okay=False), metavar="FILE", help="Pins, limits and the clock from the start on."
)
@click.option(
    "--expect", multiple=True, metavar="OPERATION=N", help="Fail unless accepted so often; N+: or more. Repeatable."
)
@click.option("--fail-on", multiple=True, type=click.Choice(FAIL_ON), help="Fail where there is one. Repeatable.")
@click.option(
    "--report",
    multiple=True,
    type=_file(dir_okay=False),
    metavar="FILE",
    help="calls.har, calls.json or junit.xml. Repeatable.",
)
@click.option("--let-through", multiple=True, metavar="HOST", help="Pass a client on to this real host. Repeatable.")
@click.option(
    "--isolation",
    type=click.Choice(ISOLATION),
    default="none",
    help="In namespaces that nothing leaves (Linux). [none]",
)
@click.option(
    "--with",
    "services",
    multiple=True,
    metavar="HOST:PORT",
    help="With isolation: a service it may reach. Repeatable.",
)
@click.option("--log", type=click.Choice(LOG_FORMS), default="off", help="A line for each call as it comes. [off]")
@contract_options
@ending_with_findings
def run(settings: Settings, command: tuple[str, ...], **options: Any) -> None:
    """Run COMMAND with a server and an account of its own; its clients reach the vendors by their own addresses.

    Proxies, certificates, hooks for Node and Python, and the account's credentials are in its environment. The exit
    code is the command's, or 1 where that is 0 and --expect or --fail-on is not met.
    """
    sys.exit(_run(settings, command, RunOptions(**options)))


def _run(settings: Settings, command: Sequence[str], options: RunOptions) -> int:
    from mockserver.server.application import create_app  # noqa: PLC0415 -- the other commands need no server
    from mockserver.server.sockets import listen  # noqa: PLC0415

    for file in options.report:
        check_report(file)
    own_place = replace(settings, host=LOOPBACK, port=0, public_url=None, tls_files=None)
    let_through = options.let_through or settings.let_through
    try:
        app = create_app(replace(own_place, let_through=let_through, log=options.log))
    except SettingsError as error:
        raise CommandError(str(error)) from error
    expected = [read_expectation(text, app.contracts) for text in options.expect]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="mockserver-")))
        (listening,) = listen(LOOPBACK, 0)
        stack.enter_context(listening)
        stack.callback(app.state.mock.unreachable.close)
        port = listening.getsockname()[1]
        shape = _own_account(app, options.state, f"{LOOPBACK}:{port}")
        own = {
            URL: f"http://{LOOPBACK}:{port}",
            ACCOUNT: shape["id"],
            **_own_variables(app.contracts, shape, options, folder),
        }
        target = _target(app, port, folder)
        try:
            isolated = _isolated(command, target, own, options)
            web, services = (isolated.web, isolated.services) if isolated is not None else ([], [])
            gc.enable()
            url = stack.enter_context(serving(app, [listening, *web]))
            stack.enter_context(relaying(_services(options)[: len(services)], services))
            code = exit_code(lambda: _started(isolated, command, target, own))
        except ChildError as error:
            click.echo(f"mockserver: {error}", err=True)
            return error.code
        failed = _conclude(Control(url, settings.admin_token), shape, expected, options, target.hosts)
        return code or int(failed)


def _own_account(app: "Application", state: Path | None, host: str) -> dict[str, Any]:
    """The run's own account, as the server at ``host`` shows it; ``state`` may have values of it, and more to do.

    Raises CommandError.
    """
    from mockserver.server.state_file import (  # noqa: PLC0415 -- as above
        ControlRequest,
        StateFile,
        StateFileError,
        apply_state,
        ask,
        demand,
    )

    try:
        file = None if state is None else StateFile(state)
        if file is None:
            return asyncio.run(ask(app, ControlRequest("POST", "accounts", {}), host))[1]
        wish = ControlRequest("POST", "accounts", {"vendors": file.own_values})
        shape = asyncio.run(demand(app, file, wish, host))
        asyncio.run(apply_state(app, file, shape["id"]))
    except StateFileError as error:
        raise CommandError(f"--state: {error}") from error
    return shape


def _isolated(
    command: Sequence[str], target: ClientTarget, own: Mapping[str, str], options: RunOptions
) -> Isolated | None:
    """The command, waiting in its namespaces; None where it is to run without. Raises ChildError."""
    services = _services(options)
    if options.isolation == "none":
        if services:
            raise CommandError("--with is for --isolation: without it, the command reaches every local service anyway")
        return None
    before = {name: value for name, value in os.environ.items() if name not in WAY_VARIABLES}
    environment = {**before, **trust_variables(target, before), **own}
    try:
        return isolate(command, environment, Inside(target.hosts, target.port, services, target.ca, target.folder))
    except IsolationError as error:
        if options.isolation == "require":
            raise ChildError(f"not isolated, and so not run: {error}", NO_ISOLATION) from error
        click.echo(f"mockserver: not isolated: {error}", err=True)
        return None


def _started(
    isolated: Isolated | None, command: Sequence[str], target: ClientTarget, own: Mapping[str, str]
) -> ChildProcess:
    """The running command. Raises ChildError."""
    if isolated is None:
        return start(command, {**os.environ, **child_variables(target, os.environ), **own})
    isolated.child.begin()
    return isolated.child


def _services(options: RunOptions) -> tuple[LocalService, ...]:
    """What ``--with`` names. Raises CommandError."""
    services = []
    for text in options.services:
        host, _, port = text.rpartition(":")
        if not host or not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
            raise CommandError(f"--with is HOST:PORT, as localhost:5432, not {text!r}")
        services.append(LocalService(host, int(port)))
    return tuple(services)


def _target(app: "Application", port: int, folder: Path) -> ClientTarget:
    """Where clients are led, with the files by which they trust what is there."""
    write_trust_files(folder, app.certificates.identity())
    return ClientTarget(app.certificates.hosts, LOOPBACK, port, folder)


def _own_variables(
    contracts: Iterable[Contract], shape: Mapping[str, Any], options: RunOptions, folder: Path
) -> dict[str, str]:
    """The account's addresses, credentials and files by their usual names, and those of ``--env``."""
    files = {contract.vendor: contract.files for contract in contracts}
    own = {**dict(variables(shape)), **write_account_files(shape, files, options.files or folder / "files")}
    return {**own, **assignments(options.env, shape)}


def _conclude(
    control: Control,
    shape: Mapping[str, Any],
    expected: Sequence[ExpectedCount],
    options: RunOptions,
    hosts: tuple[str, ...],
) -> bool:
    """Say what came and what is missing, and write the reports; returns whether a gate failed."""
    findings = RunRecord.of(AccountCalls(control, EVERYBODY).all(), _evicted(control))
    held = verdicts(expected, options.fail_on, findings)
    for line in summary(findings, _unused_pins(control, shape), control.get("coverage")):
        click.echo(line, err=True)
    for verdict in held:
        if verdict.failure is not None:
            click.echo(f"FAILED: {verdict.gate}: {verdict.failure}", err=True)
    for file in options.report:
        write_report(file, findings.everything, held, hosts)
    return any(verdict.failure is not None for verdict in held)


def _evicted(control: Control) -> int:
    """How many calls are not kept any more."""
    evicted: int = control.get("calls", account=EVERYBODY, limit="1")["evicted"]
    return evicted


def _unused_pins(control: Control, shape: Mapping[str, Any]) -> list[str]:
    """A line for each pin that no call used; the command may have deleted the account."""
    try:
        return Account(Made(AccountCalls(control, shape["id"]), shape, {})).unused_pins()
    except ControlError as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
        return []
