"""``mockserver check``: reads contracts as the server does, and lists what they document."""

from pathlib import Path

import click

from mockserver.cli.common import contract_options, ending_with_findings
from mockserver.engine.choice import MAGIC
from mockserver.server.build import contracts_of
from mockserver.server.settings import Settings
from mockserver.spec.load import load_contracts
from mockserver.spec.model import Contract, OperationSpec


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, dir_okay=False))
@contract_options
@ending_with_findings
def check(files: tuple[Path, ...], settings: Settings) -> None:
    """Check contracts and list what they document.

    FILES are checked alone; without any, all contracts that serve would read. Each error is a line
    file:line:column: pointer: message, and the exit code is then 1.
    """
    contracts = load_contracts(files) if files else contracts_of(settings)
    for contract in contracts:
        click.echo(f"{contract.vendor}: {contract.title} ({contract.version}), {', '.join(contract.servers)}")
        for operation in contract.operations:
            _operation(contract, operation)
    answers = {a.id: a.evidence for c in contracts for o in c.operations for a in o.answers.values()}
    documented = sum(evidence == "documented" for evidence in answers.values())
    click.echo(f"{len(answers)} answers, {documented} documented, {len(answers) - documented} assumed. No errors.")


def _operation(contract: Contract, operation: OperationSpec) -> None:
    line = f"  {operation.method} {operation.path}   {contract.vendor}.{operation.name}"
    if operation.spelling != operation.name:
        click.echo(f"{line} (spelled {operation.spelling})")
        return
    click.echo(line)
    for answer in operation.answers.values():
        magic = f"+{MAGIC}{answer.magic}" if answer.magic and operation.magic else ""
        why = answer.assumed or answer.source
        click.echo(f"    {answer.status} {answer.name:24} {answer.evidence:10} {magic:13} {why}")
