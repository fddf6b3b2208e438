"""``mockserver contract test``: contracts tried against what proves them, and against what they promise."""

import sys
from dataclasses import replace
from pathlib import Path

import click

from mockserver.authoring.trial import read_exchanges, try_contract
from mockserver.cli.common import contract_options, ending_with_findings, known_accounts
from mockserver.server.settings import Settings
from mockserver.spec.errors import ContractErrors


@click.command()
@click.option("--vendor", "vendors", multiple=True, metavar="VENDOR", help="This vendor only. Repeatable.")
@contract_options
@ending_with_findings
def test(vendors: tuple[str, ...], settings: Settings) -> None:
    """Replay the exchanges of fixtures, send each contract's own example, credentials and magic numbers.

    Each finding is a line, and the exit code is then 1. Answers that nothing reached are listed.
    """
    from mockserver.server.application import create_app  # noqa: PLC0415 -- the other commands need no server
    from mockserver.server.build import fixtures_folder  # noqa: PLC0415 -- as above

    settings = replace(settings, log="off")
    contracts, accounts = known_accounts(settings)
    app = create_app(settings)
    folders: list[Path] = [*settings.fixtures, *([fixtures_folder()] if settings.builtin else [])]
    failed = False
    for contract in contracts:
        if vendors and contract.vendor not in vendors:
            continue
        exchanges, errors = read_exchanges(contract, folders)
        if errors:
            raise ContractErrors(errors)
        tried = try_contract(app, contract, exchanges, accounts)
        for finding in tried.findings:
            click.echo(finding)
        reached = f"{len(tried.reached - {''})} answers reached"
        click.echo(f"{contract.vendor}: {tried.exchanges} exchanges, {reached}, {len(tried.findings)} findings")
        if tried.unreached:
            click.echo(f"  not reached: {', '.join(tried.unreached)}")
        failed = failed or bool(tried.findings)
    if failed:
        sys.exit(1)
