"""``mockserver run``: a command whose clients, unchanged, reach the vendors on a server of its own."""

import asyncio
import gc
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from mockserver.cli.account import assignments, variables, write_account_files
from mockserver.cli.child import ChildError, ChildProcess, Forwarding, NeverStarted, start
from mockserver.cli.common import CommandError, contract_options, ending_with_findings
from mockserver.cli.gates import FAIL_ON, ExpectedCount, read_expectation, verdicts
from mockserver.cli.namespaces import Inside, Isolated, IsolationError, LocalService, isolate
from mockserver.cli.reports import check_report, write_report
from mockserver.cli.service_relay import read_services, relaying
from mockserver.cli.summary import RunRecord, summary
from mockserver.engine.account import EVERYBODY
from mockserver.server.settings import LOG_FORMS, PREFIX, LogForm, Settings, SettingsError, option
from mockserver.server.trust_files import write_trust_files
from mockserver.spec.model import Contract
from mockserver.testing.calls import AccountCalls
from mockserver.testing.child_environment import ClientTarget, child_variables, isolated_environment
from mockserver.testing.client import Control, ControlError
from mockserver.testing.pin import unused_pins
from mockserver.testing.redirect import NotedHosts

if TYPE_CHECKING:
    from mockserver.server.application import Application

LOOPBACK = "127.0.0.1"
URL, ACCOUNT = f"{PREFIX}URL", f"{PREFIX}ACCOUNT"
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
    with Forwarding() as signals:
        sys.exit(_run(settings, command, RunOptions(**options), signals))


def _run(settings: Settings, command: Sequence[str], options: RunOptions, signals: Forwarding) -> int:
    from mockserver.server.application import create_app  # noqa: PLC0415 -- the other commands need no server
    from mockserver.server.server_thread import serving  # noqa: PLC0415

    for file in options.report:
        check_report(file)
    let_through = options.let_through or settings.let_through
    services = _services(options, let_through)
    own_place = replace(settings, host=LOOPBACK, port=0, public_url=None, tls_files=None)
    try:
        app = create_app(replace(own_place, let_through=let_through, log=options.log))
    except SettingsError as error:
        raise CommandError(str(error)) from error
    expected = [read_expectation(text, app.contracts) for text in options.expect]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="mockserver-")))
        address = _ServerAddress(app, folder, let_through)
        stack.callback(address.close)
        shape = _own_account(app, options.state, f"{LOOPBACK}:{address.port}")
        own = {URL: address.url, ACCOUNT: shape["id"], **_own_variables(app.contracts, shape, options, folder)}
        try:
            isolated = _isolated(command, address.target, own, services, options.isolation)
            gc.enable()
            url = stack.enter_context(serving(app, [address.listening, *(isolated.web if isolated else [])]))
            if isolated is not None:
                stack.callback(isolated.child.give_up)
                stack.enter_context(relaying(services, isolated, NotedHosts(str(address.target.others), ())))
            code = signals.run(lambda: _started(isolated, command, address.target, own))
        except ChildError as error:
            click.echo(f"mockserver: {error}", err=True)
            _without_reports(options.report)
            return error.code
        with signals.interruptible():
            ended = _conclude(Control(url, settings.admin_token), shape, expected, options, address.target)
        return code or ended


class _ServerAddress:
    """Where the server of a run is: a port of this machine, and the files by which clients trust it."""

    def __init__(self, app: "Application", folder: Path, let_through: Sequence[str]) -> None:
        from mockserver.server.sockets import listen  # noqa: PLC0415 -- as above

        (self.listening,) = listen(LOOPBACK, 0)
        self.port: int = self.listening.getsockname()[1]
        self.url = f"http://{LOOPBACK}:{self.port}"
        write_trust_files(folder, app.certificates.identity())
        passed = tuple(host.lower() for host in let_through)
        self.target = ClientTarget(app.certificates.hosts, LOOPBACK, self.port, folder, passed)
        self._app = app

    def close(self) -> None:
        self._app.state.mock.unreachable.close()
        self.listening.close()


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


def _services(options: RunOptions, let_through: Sequence[str]) -> tuple[LocalService, ...]:
    """What ``--with`` names. Raises CommandError, also where an option has no meaning with or without isolation."""
    services = read_services(options.services)
    if options.isolation == "none" and services:
        raise CommandError("--with is for --isolation: without it, the command reaches every local service anyway")
    if options.isolation != "none" and let_through:
        through = f"{option('let_through')} {let_through[0]}"
        raise CommandError(f"{through} is not for --isolation, where nothing leaves; --with lets a service in")
    return services


def _isolated(
    command: Sequence[str],
    target: ClientTarget,
    own: Mapping[str, str],
    services: tuple[LocalService, ...],
    isolation: str,
) -> Isolated | None:
    """The command, waiting in its namespaces; None where it is to run without. Raises ChildError."""
    if isolation == "none":
        return None
    environment = {**isolated_environment(target, os.environ), **own}
    try:
        return isolate(command, environment, Inside(target.hosts, target.port, services, target.ca, target.folder))
    except IsolationError as error:
        if isolation == "require":
            raise ChildError(f"not isolated, and so not run: {error}", NO_ISOLATION) from error
        click.echo(f"mockserver: not isolated: {error}", err=True)
        return None


def _started(
    isolated: Isolated | None, command: Sequence[str], target: ClientTarget, own: Mapping[str, str]
) -> ChildProcess:
    """The running command; one that cannot be run has ended, as it has where it is isolated, and that is said."""
    if isolated is not None:
        isolated.child.begin()
        return isolated.child
    environment = {**os.environ, **child_variables(target, os.environ), **own}
    try:
        return start(command, environment)
    except ChildError as error:
        click.echo(f"mockserver: {error}", err=True)
        return NeverStarted(error.code)


def _own_variables(
    contracts: Iterable[Contract], shape: Mapping[str, Any], options: RunOptions, folder: Path
) -> dict[str, str]:
    """The account's addresses, credentials and files by their usual names, and those of ``--env``."""
    files = {contract.vendor: contract.files for contract in contracts}
    place = (options.files or folder / "files").absolute()  # the command may work in another folder
    own = {**dict(variables(shape)), **write_account_files(shape, files, place)}
    return {**own, **assignments(options.env, shape)}


def _conclude(
    control: Control,
    shape: Mapping[str, Any],
    expected: Sequence[ExpectedCount],
    options: RunOptions,
    target: ClientTarget,
) -> int:
    """Say what came and what is missing, and write the reports; returns the exit code."""
    findings = RunRecord.of(AccountCalls(control, EVERYBODY).all(), _unproxied(target.others), _evicted(control))
    held = verdicts(expected, options.fail_on, findings)
    for line in summary(findings, _unused_pins(control, shape), partial(control.get, "coverage")):
        click.echo(line, err=True)
    for verdict in held:
        if verdict.failure is not None:
            click.echo(f"FAILED: {verdict.gate}: {verdict.failure}", err=True)
    code = int(any(verdict.failure is not None for verdict in held))
    for file in options.report:
        try:
            write_report(file, findings.everything, held, target.hosts)
        except OSError as error:
            click.echo(f"mockserver: --report {file} cannot be written: {error.strerror}", err=True)
            code = code or CommandError.exit_code
    return code


def _without_reports(files: Iterable[Path]) -> None:
    """Of a command that was never started there is none; one of an earlier run would be taken for its."""
    for file in files:
        with suppress(OSError):
            file.unlink()


def _unproxied(file: Path) -> list[str]:
    """Hosts that clients asked for without asking the server, which is their proxy."""
    lines = file.read_text("utf-8", "replace").splitlines() if file.exists() else []
    return ["".join(letter if letter.isprintable() else "?" for letter in line) for line in lines]


def _evicted(control: Control) -> int:
    """How many calls are not kept any more."""
    evicted: int = control.get("calls", account=EVERYBODY, limit="1")["evicted"]
    return evicted


def _unused_pins(control: Control, shape: Mapping[str, Any]) -> list[str]:
    """A line for each pin that no call used; the command may have deleted the account."""
    try:
        return unused_pins(AccountCalls(control, shape["id"]))
    except ControlError as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
        return []
