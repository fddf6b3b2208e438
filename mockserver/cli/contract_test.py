"""``mockserver contract test``: contracts tried against what proves them, and against what they promise."""

import sys
from dataclasses import replace
from pathlib import Path

import click

from mockserver.authoring.trial import read_exchanges, try_contract
from mockserver.cli.common import accounts_of, contract_options, ending_with_findings
from mockserver.engine.sources import Sources
from mockserver.server.settings import Settings
from mockserver.spec.errors import ContractErrors
from mockserver.spec.load import load_contracts
from mockserver.store.kinds import MEMORY

FIXTURES_BESIDE = "fixtures"  # the folder beside a contract that `contract new` and `contract import` write to


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--vendor", "vendors", multiple=True, metavar="VENDOR", help="This vendor only. Repeatable.")
@click.option("--fuzz/--no-fuzz", "is_fuzzed", default=True, help="Whether requests are made up, too. [they are]")
@contract_options
@ending_with_findings
def test(files: tuple[Path, ...], vendors: tuple[str, ...], is_fuzzed: bool, settings: Settings) -> None:
    """Replay the exchanges of fixtures, send each contract's own example, credentials and magic numbers.

    FILES are tried alone, with the fixtures beside them unless --fixtures names others; without any, all contracts that
    serve would read. Requests that depart from the examples must get answers that the contract means, too. Each finding
    is a line, and the exit code is then 1. Answers that nothing reached are listed.
    """
    from mockserver.server.application import application_of  # noqa: PLC0415 -- the other commands need no server
    from mockserver.server.build import contracts_of, fixtures_folder  # noqa: PLC0415 -- as above

    settings = replace(settings, log="off", store=MEMORY)
    if files:
        beside = tuple(f for f in dict.fromkeys(file.parent / FIXTURES_BESIDE for file in files) if f.is_dir())
        settings = replace(settings, builtin=False, fixtures=settings.fixtures or beside)
    contracts = load_contracts(files) if files else contracts_of(settings)
    accounts = accounts_of(settings, contracts)
    app = application_of(settings, contracts, Sources.real())
    folders: list[Path] = [*settings.fixtures, *([fixtures_folder()] if settings.builtin else [])]
    failed = False
    for contract in contracts:
        if vendors and contract.vendor not in vendors:
            continue
        exchanges, errors = read_exchanges(contract, folders, accounts)
        if errors:
            raise ContractErrors(errors)
        tried = try_contract(app, contract, exchanges, accounts, is_fuzzed=is_fuzzed)
        for finding in tried.findings:
            click.echo(finding)
        reached = f"{len(tried.reached - {''})} answers reached"
        click.echo(f"{contract.vendor}: {tried.exchanges} exchanges, {reached}, {len(tried.findings)} findings")
        if tried.unreached:
            click.echo(f"  not reached: {', '.join(tried.unreached)}")
        failed = failed or bool(tried.findings)
    if failed:
        sys.exit(1)
