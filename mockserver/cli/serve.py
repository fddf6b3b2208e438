"""``mockserver serve``: all vendors on one port."""

import asyncio
import contextlib
import ctypes
import gc
import os
import random
import secrets
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from io import RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from mockserver.cli.common import (
    CommandError,
    contract_options,
    ending_with_findings,
    program,
    with_chosen,
)
from mockserver.cli.real_vendors import named_vendors
from mockserver.engine.sources import Sources, own_chance
from mockserver.server.settings import (
    ANOTHER_PRODUCTS,
    LOG_FORMS,
    MAX_PACE,
    RENAMED,
    Settings,
    SettingsError,
    option,
    variable,
)
from mockserver.spec.model import Contract
from mockserver.store.kinds import kind_of_store

if TYPE_CHECKING:
    from mockserver.server.application import Application
    from mockserver.spec.source import Source

M_MMAP_THRESHOLD = -3  # from malloc.h
LARGE_BLOCK_BYTES = 16 * 1024
TYPED_OUT = ("forward_real", "real_calls")  # options without a variable


def _refuse_former(_: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        raise CommandError(f"{parameter.opts[0]} is now {option(RENAMED[str(parameter.name)])}")


def former_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of former names, which say what they are called now."""
    for name in RENAMED:
        command = click.option(option(name), hidden=True, expose_value=False, callback=_refuse_former)(command)
    return command


@click.command()
@click.option("--host", metavar="ADDRESS", help="Where to listen. [127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="The port; 0 takes a free one. [8080]")
@contract_options
@click.option("--public-url", metavar="URL", help="How clients reach this server, where a proxy stands between.")
@click.option(
    "--allow-origin", multiple=True, metavar="ORIGIN", help="Whose pages may use the control API. Repeatable. [none]"
)
@click.option("--explain/--no-explain", default=None, help="Whether answers have X-Mock-* headers. [they have]")
@click.option("--log", type=click.Choice(LOG_FORMS), help="A line for each call, to standard error. [text]")
@click.option("--max-accounts", type=click.IntRange(1), metavar="N", help="Made while serving. [10000]")
@click.option("--max-connections", type=click.IntRange(1), metavar="N", help="Open at once. [2048]")
@click.option("--max-journal-calls", type=click.IntRange(1), metavar="N", help="Kept for each account. [10000]")
@click.option("--max-journal-bytes", type=click.IntRange(1), metavar="BYTES", help="Kept in all. [64 MiB]")
@click.option("--max-body", type=click.IntRange(1), metavar="BYTES", help="Where an operation sets no limit. [1 MiB]")
@click.option("--max-head", type=click.IntRange(1), metavar="BYTES", help="Of request line and headers. [64 KiB]")
@click.option("--idle-timeout", type=click.IntRange(1), metavar="SECONDS", help="Between requests. [75]")
@click.option("--request-timeout", type=click.IntRange(1), metavar="SECONDS", help="For one to arrive whole. [30]")
@click.option(
    "--drain",
    type=click.IntRange(0, 3600),
    metavar="SECONDS",
    help="At SIGTERM, answer calls for so long still, and tell a proxy to send no more. [0]",
)
@click.option("--let-through", multiple=True, metavar="HOST", help="Pass a client on to this real host. Repeatable.")
@click.option("--tls-files", metavar="DIR", type=click.Path(path_type=Path), help="Write what clients trust there.")
@click.option(
    "--store", metavar="FILE|URL", help="Where calls and accounts are kept: a file, redis://HOST, or memory. [memory]"
)
@click.option(
    "--state",
    envvar=variable("state"),
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="From the start on: {accounts: {ID: {vendors: …, pins: …, limits: …, clock: …}}}.",
)
@click.option(
    "--callback-to",
    "callback_hosts",
    multiple=True,
    metavar="HOST",
    help="A host beside this machine that callbacks may go to. Repeatable.",
)
@click.option(
    "--course-pace",
    type=click.FloatRange(0, MAX_PACE),
    metavar="SECONDS",
    help="What a second of a message's course takes, unless its account's clock was set. [0.05]",
)
@click.option(
    "--forward-real",
    multiple=True,
    metavar="VENDOR=URL",
    help="REAL: pass this vendor's calls on to https://HOST, and tell what departs from its contract. Repeatable.",
)
@click.option(
    "--real-calls",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    default="real-calls.jsonl",
    show_default=True,
    help="Where those calls are recorded, secrets masked, for mockserver drift.",
)
@click.option(
    "--draft",
    "drafts",
    envvar=variable("draft"),
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Serve an unfinished contract, or a vendor's raw OpenAPI file, too. Repeatable.",
)
@click.option(
    "--workers",
    envvar=variable("workers"),
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="N",
    help="Processes that serve; more than one need a shared --store.",
)
@click.option(
    "--watch",
    envvar=variable("watch"),
    is_flag=True,
    help="Take contracts and fixtures as they change on disk, without a restart.",
)
@click.option("--until-eof", is_flag=True, hidden=True, help="End when standard input does.")
@former_options
@ending_with_findings
def serve(  # noqa: PLR0913 -- click hands each option over by name
    settings: Settings,
    *,
    state: Path | None,
    workers: int,
    until_eof: bool,
    forward_real: tuple[str, ...],
    real_calls: Path,
    drafts: tuple[Path, ...],
    watch: bool,
    **options: Any,
) -> None:
    """Serve all vendors until interrupted."""
    options["callback_hosts"] = options["callback_hosts"] or None
    settings = _settings(settings, options)
    new_token = None if settings.is_loopback or settings.admin_token else secrets.token_urlsafe(24)
    settings = replace(settings, admin_token=new_token or settings.admin_token)
    from mockserver.server.application import create_app  # noqa: PLC0415 -- the other commands need no server
    from mockserver.server.sockets import ListenError, open_files_for  # noqa: PLC0415
    from mockserver.server.workers import listen_for_workers  # noqa: PLC0415

    possible = open_files_for(settings.max_connections)
    if possible < settings.max_connections:
        click.echo(f"mockserver: open files (ulimit -Hn) suffice for {possible} connections at once only", err=True)
        settings = replace(settings, max_connections=possible)
    _check_workers(workers, settings, forward_real, until_eof=until_eof)
    chance = own_chance()
    try:
        app = create_app(settings, Sources.real(chance=chance), _read(drafts))
    except SettingsError as error:  # one that the contracts forbid
        raise CommandError(str(error)) from error
    if watch:
        _watch(app, drafts, forward_real, workers)
    if state is not None:
        set_state(app, state)
    real = pass_on(app, forward_real, real_calls)
    try:
        all_sockets = listen_for_workers(settings.host, settings.port, workers)
    except ListenError as error:
        raise CommandError(f"{error}; choose another --host or --port (0 takes a free one)") from error
    address = f"http://{_reachable(settings.host)}:{all_sockets[0][0].getsockname()[1]}"
    announce = partial(_announce, app.contracts, settings, address, new_token, real)
    if workers == 1:
        _run(app, all_sockets[0], partial(_begin, announce), end=sys.stdin.buffer if until_eof else None)
    else:
        sys.exit(_run_workers(app, all_sockets, chance, announce, drafts if watch else None))


def _read(drafts: tuple[Path, ...]) -> dict[Path, "Source"]:
    """Contracts that are not finished, by their files."""
    if not drafts:
        return {}
    from mockserver.authoring.draft import read_draft  # noqa: PLC0415 -- few servers have a draft

    return dict(map(read_draft, drafts))


def _watch(app: "Application", drafts: tuple[Path, ...], forward_real: tuple[str, ...], workers: int) -> None:
    """Have a single process watch its files. Raises CommandError where others would not learn of what changes there."""
    from mockserver.authoring.draft import read_draft  # noqa: PLC0415 -- few servers watch files

    if forward_real:
        raise CommandError("--watch and --forward-real: a vendor whose calls are passed on cannot change meanwhile")
    if kind_of_store(app.settings.store) == "remote" and workers == 1:
        raise CommandError(
            "--watch is for a server that has its store to itself, or for its --workers: servers that share one would "
            "take new contracts one after the other. Restart all of them instead: calls, accounts and pins stay in the "
            "store"
        )
    if workers == 1:
        app.watch(drafts, read_draft)


def _check_workers(workers: int, settings: Settings, forward_real: tuple[str, ...], *, until_eof: bool) -> None:
    """Raise CommandError where several processes cannot do what one is asked for."""
    if workers == 1:
        return
    if not hasattr(os, "fork"):
        raise CommandError("--workers needs a system whose processes can fork; leave it out here")
    if kind_of_store(settings.store) != "remote":
        raise CommandError(
            "--workers needs a store that they share, or each would know of some calls only: --store redis://HOST"
        )
    for option_name, is_given in (("--forward-real", forward_real), ("--until-eof", until_eof)):
        if is_given:
            raise CommandError(f"{option_name} is for one worker; leave out --workers")


def _run_workers(
    app: "Application",
    sockets: list[list[Any]],
    chance: random.Random,
    announce: Callable[[], None],
    watched_drafts: tuple[Path, ...] | None,
) -> int:
    """Serve in processes of their own, until interrupted; returns the exit code.

    Files are watched where there are ``watched_drafts``, be they none.
    """
    from mockserver.server.workers import Serve, Workers  # noqa: PLC0415 -- as above

    def serving(app: "Application") -> Serve:
        def serve_in_worker(own: list[Any], tell_ready: Callable[[], None], life: RawIOBase) -> None:
            chance.seed(secrets.randbits(128))  # lest all draw the same ids
            _run(app, own, partial(_begin, tell_ready), end=life)

        app.certificates.identity()  # one for all
        gc.freeze()
        return serve_in_worker

    look = None if watched_drafts is None else _renewing(app, watched_drafts, chance)

    def look_again() -> Serve | None:
        renewed = look() if look is not None else None
        return None if renewed is None else serving(renewed)

    return Workers(sockets, serving(app), look_again if look is not None else None).run(announce)


def _renewing(
    app: "Application", drafts: tuple[Path, ...], chance: random.Random
) -> "Callable[[], Application | None]":
    """Looks for contracts that have changed on disk; gives an application of them."""
    from mockserver.authoring.draft import read_draft  # noqa: PLC0415 -- few servers watch files
    from mockserver.server.application import application_of  # noqa: PLC0415 -- as above
    from mockserver.server.renewal import Renewal  # noqa: PLC0415
    from mockserver.server.workers import tell  # noqa: PLC0415

    def make(contracts: tuple[Contract, ...]) -> "Application":
        return application_of(app.settings, contracts, Sources.real(chance=chance))

    return Renewal(app, drafts, read_draft, make, tell).look


def _run(
    app: "Application", sockets: list[Any], announce: Callable[[], None], *, end: BinaryIO | RawIOBase | None
) -> None:
    """Serve until interrupted, or until a stream ends.

    Raises OSError where the files for clients, or the announcement, cannot be written.
    """
    from mockserver.server.uvicorn_server import end_with, load_soon, uvicorn_server  # noqa: PLC0415 -- as above

    unsaid: list[OSError] = []

    def begin() -> None:
        load_soon("mockserver.engine.signing")
        try:
            announce()
        except OSError as error:  # nobody would learn where it is
            unsaid.append(error)
            server.should_exit = True

    try:
        server = uvicorn_server(app, begin)
    except OSError:  # the files for clients cannot be written
        for listening in sockets:
            listening.close()
        raise
    if end is not None:
        end_with(server, end)
    with contextlib.suppress(KeyboardInterrupt):  # the usual way to stop it
        server.run(sockets)
    if unsaid:
        raise unsaid[0]


def pass_on(app: "Application", forward_real: tuple[str, ...], file: Path) -> list[str]:
    """Have an application pass the calls of these vendors on; returns what is to be said of it. Raises CommandError."""
    if not forward_real:
        return []
    upstreams = named_vendors("--forward-real", forward_real, app.contracts)
    from mockserver.server.drift import forwarding, recording  # noqa: PLC0415 -- they need an extra

    forwarding.forward_real(app, upstreams, recording.RecordingFile(file))
    real = [f"REAL: calls to {vendor} go to {upstream.origin}" for vendor, upstream in upstreams.items()]
    return [*real, f"REAL: they are recorded in {file}, secrets masked; read it with: {program()} drift {file}"]


def set_state(app: "Application", file: Path) -> None:
    """Have an application do what a file says before it serves. Raises CommandError."""
    from mockserver.server.state_file import StateFile, StateFileError, apply_state  # noqa: PLC0415 -- as above

    if kind_of_store(app.settings.store) == "remote":
        raise CommandError("--state is for one server; with a shared store, use --accounts and the control API")
    try:
        asyncio.run(apply_state(app, StateFile(file)))
    except StateFileError as error:
        raise CommandError(f"--state: {error}") from error


def _settings(settings: Settings, options: dict[str, Any]) -> Settings:
    """The environment's settings with those of the options; a log unless it is switched off."""
    for name in filter(os.environ.get, map(variable, TYPED_OUT)):
        raise CommandError(f"{name} is not read: no variable has calls leave this machine; write the option out")
    ignored = [name for name in ANOTHER_PRODUCTS if os.environ.get(name)]
    if ignored:
        ours = " and ".join(variable(ANOTHER_PRODUCTS[name]) for name in ignored)
        click.echo(f"mockserver: {' and '.join(ignored)} not read, another product's; ours: {ours}", err=True)
    if not os.environ.get(variable("log")):
        settings = replace(settings, log="text")
    settings = with_chosen(settings, options)
    if settings.public_url is not None:
        settings = replace(settings, public_url=settings.public_url.rstrip("/"))
    return settings


def _reachable(host: str) -> str:
    host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- not listened on
    return f"[{host}]" if ":" in host else host


def _begin(announce: Callable[[], None]) -> None:
    gc.freeze()  # contracts stay for good, so the collector need not visit them; never done in a user's process
    gc.enable()
    _give_back_large_blocks()
    announce()


def _give_back_large_blocks() -> None:
    """Make glibc return the memory of a large body when it is freed. Otherwise holes stay: 20 MiB after an hour.

    Other C libraries are left as they are.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES)


def _announce(
    contracts: Iterable[Contract], settings: Settings, address: str, new_token: str | None, real: list[str]
) -> None:
    """Say where everything is, in commands that work as they are printed; ``real`` is what reaches real vendors."""
    from mockserver import __version__  # noqa: PLC0415 -- another distribution's package may have none: see package_check.py
    from mockserver.server.build import corrections_of  # noqa: PLC0415 -- as above

    base, name = settings.public_url or address, program()
    click.echo(f"mockserver {__version__} is ready on {base}")
    if base != address:
        click.echo(f"It listens on {address}")
    if new_token:
        click.echo(f"Control API token (set {variable('admin_token')} to choose one): {new_token}")
        click.echo(f"In a shell, before the commands below: export {variable('admin_token')}={new_token}")
    for contract in contracts:
        url = base + contract.base_path
        click.echo(f"  {contract.vendor:12} {url}   try: {name} curl {contract.vendor} --url {base}")
    for line in (*corrections_of(settings), *real):
        click.echo(line)
    calls = f"curl {address if settings.is_loopback else base}/_mock/calls"
    if not settings.is_loopback:
        calls += f' -H "Authorization: Bearer ${variable("admin_token")}"'
    click.echo(f"Credentials: {name} account default --url {base}   Calls: {calls}")
