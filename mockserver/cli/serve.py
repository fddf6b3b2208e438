"""``mockserver serve``: all vendors on one port."""

import contextlib
import ctypes
import gc
import secrets
import sys
from dataclasses import replace
from typing import Any

import click

from mockserver.cli.common import CommandError, contract_options, ending_with_findings, http_address
from mockserver.server.settings import Settings

M_MMAP_THRESHOLD = -3  # from malloc.h
LARGE_BLOCK_BYTES = 16 * 1024


@click.command()
@click.option("--host", metavar="ADDRESS", help="Where to listen. [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="The port; 0 takes a free one. [default: 8080]")
@contract_options
@click.option("--public-url", metavar="URL", help="How clients reach this server, where a proxy stands between.")
@click.option("--no-explain", is_flag=True, help="Leave the X-Mock-* headers out.")
@click.option("--body-limit", type=click.IntRange(1), metavar="BYTES", help="For operations that set none. [1 MiB]")
@click.option("--journal-calls", type=click.IntRange(1), metavar="N", help="Calls kept per account. [10000]")
@click.option("--journal-bytes", type=click.IntRange(1), metavar="BYTES", help="Kept in all. [64 MiB]")
@click.option("--most-accounts", type=click.IntRange(1), metavar="N", help="Made while serving. [10000]")
@click.option("--most-connections", type=click.IntRange(1), metavar="N", help="Open at once. [2048]")
@click.option("--header-limit", type=click.IntRange(1), metavar="BYTES", help="Of request line and headers. [64 KiB]")
@click.option("--idle-timeout", type=click.IntRange(1), metavar="SECONDS", help="Between requests. [75]")
@click.option("--request-timeout", type=click.IntRange(1), metavar="SECONDS", help="For one to arrive whole. [30]")
@click.option("--until-eof", is_flag=True, hidden=True, help="End when standard input does.")
@ending_with_findings
def serve(settings: Settings, *, until_eof: bool, **options: Any) -> None:
    """Serve all vendors until interrupted."""
    settings = replace(settings, **_chosen(options))
    if settings.public_url is not None:
        settings = replace(settings, public_url=http_address(settings.public_url, "--public-url"))
    new_token = None if settings.is_loopback or settings.admin_token else secrets.token_urlsafe(24)
    settings = replace(settings, admin_token=new_token or settings.admin_token)
    from mockserver.server.application import create_app  # noqa: PLC0415 -- the other commands need no server
    from mockserver.server.sockets import ListenError, listen, open_files_for  # noqa: PLC0415
    from mockserver.server.uvicorn_server import end_with, uvicorn_server  # noqa: PLC0415

    possible = open_files_for(settings.most_connections)
    if possible < settings.most_connections:
        click.echo(f"mockserver: open files (ulimit -Hn) suffice for {possible} connections at once only", err=True)
        settings = replace(settings, most_connections=possible)
    app = create_app(settings)
    try:
        socket = listen(settings.serve_host, settings.serve_port)
    except ListenError as error:
        raise CommandError(f"{error}; choose another --host or --port (0 takes a free one)") from error
    base = settings.public_url or f"http://{_reachable(settings.serve_host)}:{socket.getsockname()[1]}"
    server = uvicorn_server(app, lambda: _begin(app.contracts, base, new_token))
    if until_eof:
        end_with(server, sys.stdin.buffer)
    with contextlib.suppress(KeyboardInterrupt):  # the usual way to stop it
        server.run(sockets=[socket])


def _chosen(options: dict[str, Any]) -> dict[str, Any]:
    """The settings for which there was an option."""
    renamed = {"host": "serve_host", "port": "serve_port"}
    chosen = {renamed.get(name, name): value for name, value in options.items() if value is not None}
    if chosen.pop("no_explain"):
        chosen["explain"] = False
    return chosen


def _reachable(host: str) -> str:
    host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- not listened on
    return f"[{host}]" if ":" in host else host


def _begin(contracts: Any, base: str, new_token: str | None) -> None:
    gc.freeze()  # contracts stay for good, so the collector need not visit them; never done in a user's process
    _give_back_large_blocks()
    _announce(contracts, base, new_token)


def _give_back_large_blocks() -> None:
    """Make glibc return the memory of a large body when it is freed. Otherwise holes stay: 20 MiB after an hour.

    Other C libraries are left as they are.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES)


def _announce(contracts: Any, base: str, new_token: str | None) -> None:
    from mockserver import __version__  # noqa: PLC0415 -- another distribution's package may have none: see package_check.py
    from mockserver.spec.load import root_path  # noqa: PLC0415

    click.echo(f"mockserver {__version__} is ready on {base}")
    if new_token:
        click.echo(f"Control API token (set MOCKSERVER_ADMIN_TOKEN to choose one): {new_token}")
    for contract in contracts:
        url = base + root_path(contract.servers[0])
        click.echo(f"  {contract.vendor:12} {url}   try: mockserver curl {contract.vendor} --url {base}")
    click.echo(f"Credentials: mockserver account default --url {base}   Calls: curl {base}/_mock/calls")
