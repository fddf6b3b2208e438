"""``mockserver check``: reads contracts as the server does, and says whether they are right."""

from pathlib import Path

import click

from mockserver.cli.answers import answers_of, totals
from mockserver.cli.common import contract_options, ending_with_findings
from mockserver.server.build import contracts_of
from mockserver.server.settings import Settings
from mockserver.spec.load import load_contracts


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, dir_okay=False))
@contract_options
@ending_with_findings
def check(files: tuple[Path, ...], settings: Settings) -> None:
    """Check contracts: one line where all is well, with how many answers have each grade of evidence.

    FILES are checked alone; without any, all contracts that serve would read. Each error is a line
    file:line:column: pointer: message, and the exit code is then 1. `mockserver answers` lists the answers.
    """
    contracts = load_contracts(files) if files else contracts_of(settings)
    listed = answers_of(contracts)
    grades = ", ".join(f"{count} {grade}" for grade, count in totals(listed)["answers"].items() if count)
    noun = "contract" if len(contracts) == 1 else "contracts"
    click.echo(f"{len(contracts)} {noun}, {len(listed)} answers ({grades or 'none'}). No errors.")
