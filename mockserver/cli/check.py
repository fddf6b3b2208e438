"""``mockserver check`` and ``contract check``: reads contracts as the server does, and says whether they are right."""

import json
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import click

from mockserver.authoring.exchange_probes import mistakes_in_folders
from mockserver.authoring.trial import read_exchanges, refused_credentials
from mockserver.cli.answers import answers_of, totals
from mockserver.cli.common import accounts_of, contract_options, ending_with_findings
from mockserver.engine.account import AccountData
from mockserver.engine.sources import Sources
from mockserver.server.build import contracts_folder, error_at, files_of
from mockserver.server.settings import Settings
from mockserver.spec.errors import ContractError, ContractErrors
from mockserver.spec.load import contract_files, read_contracts, vendor_of
from mockserver.spec.model import Contract
from mockserver.spec.pointer import join
from mockserver.spec.source import read_yaml
from mockserver.store.kinds import MEMORY


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="Of errors.",
)
@contract_options
@ending_with_findings
def check(files: tuple[Path, ...], form: str, settings: Settings) -> None:
    """Check contracts: one line where all is well, with how many answers have each grade of evidence.

    FILES are checked alone; without any, all contracts that serve would read. Each error is a line
    file:line:column: pointer: message, and the exit code is then 1: first what is wrong, then what is not finished.
    With --fixtures the exchanges there are read, too. `mockserver answers` lists the answers.
    """
    contracts, errors = read_contracts(files or files_of(settings))
    if not errors:
        accounts, errors = _accounts(contracts, settings)
        errors += _fixture_errors(contracts, settings, accounts, all_are_here=not files)
        if accounts is not None and not errors:
            errors = _own_credentials(contracts, settings, accounts)
    errors = sorted(set(errors))
    if errors:
        click.echo(_shown(errors, form))
        sys.exit(1)
    click.echo("[]" if form == "json" else _all_is_well(contracts))


def _accounts(
    contracts: tuple[Contract, ...], settings: Settings
) -> tuple[dict[str, AccountData] | None, list[ContractError]]:
    """The accounts that a server would have, or what is wrong with those that are given."""
    try:
        return accounts_of(settings, contracts), []
    except ContractErrors as found:
        return None, list(found.errors)


def _fixture_errors(
    contracts: tuple[Contract, ...],
    settings: Settings,
    accounts: dict[str, AccountData] | None,
    *,
    all_are_here: bool,
) -> list[ContractError]:
    """What is wrong with the exchanges of the given folders, and with the folders themselves."""
    errors = [e for contract in contracts for e in read_exchanges(contract, settings.fixtures, accounts)[1]]
    by_vendor = {contract.vendor: contract for contract in contracts}
    builtin = frozenset(vendor_of(file) for file in contract_files([contracts_folder()]))
    for folder in settings.fixtures:
        errors += mistakes_in_folders(folder, by_vendor, builtin if all_are_here else None)
    return errors


def _own_credentials(
    contracts: tuple[Contract, ...], settings: Settings, accounts: dict[str, AccountData]
) -> list[ContractError]:
    """An error for each way of proving who one is that a contract offers, and refuses of its own customer."""
    from mockserver.server.application import application_of  # noqa: PLC0415 -- only where nothing else is wrong

    settings = replace(settings, log="off", store=MEMORY, let_through=())
    app = application_of(settings, contracts, Sources.real())
    errors = []
    for contract in contracts:
        data = accounts["default"].vendors[contract.vendor]
        ways = {(way.schemes, way.roles): o for o in reversed(contract.operations) for way in o.security}
        for operation in dict.fromkeys(ways.values()):  # one for each way is enough
            for finding in refused_credentials(app, contract, operation, data):
                pointer = join("paths", operation.path, operation.method.lower())
                errors.append(_at(contract.file, pointer, finding))
    return errors


def _at(file: str, pointer: str, message: str) -> ContractError:
    """An error at a place of a file that was read before."""
    return error_at(read_yaml(file, Path(file).read_text("utf-8")), pointer, message)


def _all_is_well(contracts: Iterable[Contract]) -> str:
    contracts = tuple(contracts)
    listed = answers_of(contracts)
    grades = ", ".join(f"{count} {grade}" for grade, count in totals(listed)["answers"].items() if count)
    noun = "contract" if len(contracts) == 1 else "contracts"
    notes = [f"{contract.file}: note: {note}" for contract in contracts for note in contract.notes]
    return "\n".join([*notes, f"{len(contracts)} {noun}, {len(listed)} answers ({grades or 'none'}). No errors."])


def _shown(errors: list[ContractError], form: str) -> str:
    wrong = [error for error in errors if not error.unfinished]
    unfinished = [error for error in errors if error.unfinished]
    if form == "json":
        members = ("file", "line", "column", "pointer", "message", "unfinished")
        return json.dumps([{name: getattr(error, name) for name in members} for error in errors], indent=1)
    if form == "github":
        return "\n".join(map(_annotation, errors))
    lines = list(map(str, wrong))
    if unfinished:
        lines += [f"Not finished, {len(unfinished)} left:", *map(str, unfinished)]
    return "\n".join(lines)


def _annotation(error: ContractError) -> str:
    """An error as GitHub Actions shows it beside the line."""
    level = "warning" if error.unfinished else "error"
    text = f"{error.pointer or '/'}: {error.message}"
    for character, code in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A")):
        text = text.replace(character, code)
    return f"::{level} file={error.file},line={error.line},col={error.column}::{text}"
