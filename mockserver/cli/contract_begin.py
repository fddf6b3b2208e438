"""``mockserver contract import``, ``new`` and ``schema``: a contract to begin with, and its words for an editor."""

import re
import shlex
from pathlib import Path

import click

from mockserver.authoring.importing import Importer, RecipientError
from mockserver.authoring.openapi_file import OpenApiFile, SpecOperation
from mockserver.authoring.reachable import snake
from mockserver.authoring.skeleton import skeleton
from mockserver.authoring.writing import SCHEMA_FILE, contract_text, write_fixtures
from mockserver.cli.common import CommandError, ending_with_findings, program
from mockserver.spec.errors import ContractErrors
from mockserver.spec.load import read_contract
from mockserver.spec.operations import PLAIN_WORD
from mockserver.spec.root_schema import schema_text
from mockserver.spec.source import read_yaml

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command("import")
@click.argument("spec", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--vendor", metavar="NAME", help="The vendor's name. [the file's]")
@click.option(
    "--operation",
    "wanted",
    multiple=True,
    metavar="'POST /path'",
    help="Import this one. Repeatable; without it, list.",
)
@click.option("--recipient", metavar="/body/to", help="Where the first operation has the number that it sends to.")
@click.option("--to", "folder", type=_FOLDER, default=Path(), metavar="DIR", help="Where the files go. [here]")
@ending_with_findings
def import_spec(spec: Path, vendor: str | None, wanted: tuple[str, ...], recipient: str | None, folder: Path) -> None:
    """Begin a contract from SPEC, the vendor's own OpenAPI file (3.0 or 3.1, JSON or YAML).

    Writes NAME.yaml and fixtures/NAME. What the file does not say is marked TODO; what is left out is said.
    """
    source = OpenApiFile(spec)
    endpoints = list(source.endpoints())
    if not endpoints:
        raise CommandError(f"{spec} has no operations: there is no method below its 'paths'")
    if not wanted:
        for endpoint in endpoints:
            click.echo(
                f"{endpoint.name}  {endpoint.node.get('summary') or endpoint.node.get('operationId') or ''}".rstrip()
            )
        count = "1 operation" if len(endpoints) == 1 else f"{len(endpoints)} operations"
        click.echo(f"{count}; choose with --operation {shlex.quote(endpoints[0].name)}", err=True)
        return
    chosen = [_chosen(endpoints, text) for text in dict.fromkeys(wanted)]
    name = _vendor(vendor or snake(spec.stem))
    try:
        imported = Importer(source, name).imported(chosen, _pointer(recipient))
    except RecipientError as error:
        raise CommandError(str(error)) from error
    for note in imported.notes:
        click.echo(f"note: {note}", err=True)
    _write(folder, name, contract_text(imported.document))


def _pointer(recipient: str | None) -> str | None:
    if recipient is not None and not re.match("/(body|query|path|header)(/|$)", recipient):
        raise CommandError(f"--recipient is a place in a request, such as /body/to or /query/to, not {recipient!r}")
    return recipient


def _chosen(endpoints: list[SpecOperation], text: str) -> SpecOperation:
    method, _, path = text.strip().partition(" ")
    for endpoint in endpoints:
        if (endpoint.method, endpoint.path) == (method.lower(), path.strip()) or endpoint.node.get(
            "operationId"
        ) == text:
            return endpoint
    raise CommandError(f"there is no operation {text!r}; without --operation they are listed")


def _vendor(name: str) -> str:
    if not PLAIN_WORD.fullmatch(name):
        raise CommandError(f"a vendor's name is letters, digits and underscores, not {name!r}")
    return name


@click.command()
@click.argument("vendor")
@click.option("--to", "folder", type=_FOLDER, default=Path(), metavar="DIR", help="Where the files go. [here]")
@ending_with_findings
def new(vendor: str, folder: Path) -> None:
    """Begin a contract for VENDOR from nothing: it passes the check, answers, and has its exchanges."""
    _write(folder, _vendor(vendor), skeleton(vendor))


@click.command()
def schema() -> None:
    """Print the JSON Schema of contracts, for editors: save it beside them as contract.schema.json."""
    click.echo(schema_text(), nl=False)


def _write(folder: Path, vendor: str, text: str) -> None:
    """Write a contract, its fixtures and the editors' schema, none over a file; and say how to go on.

    The contract is written last: where something else cannot be, the command can be run again.
    """
    file, fixtures = folder / f"{vendor}.yaml", folder / "fixtures"
    if file.exists():
        raise CommandError(f"{file} is there already")
    contract, reader = read_contract(read_yaml(str(file), text), vendor)
    folder.mkdir(parents=True, exist_ok=True)
    written = [] if reader.errors else write_fixtures(contract, fixtures)
    described = folder / "schema" / SCHEMA_FILE
    if not described.exists():
        described.parent.mkdir(exist_ok=True)
        described.write_text(schema_text(), "utf-8")
    file.write_text(text, "utf-8")
    if reader.errors:
        click.echo(f"note: {file} is written, without fixtures; it has to be mended:", err=True)
        raise ContractErrors(reader.errors)
    click.echo(f"{file}: {text.count('TODO')} TODO, {len(written)} files below {fixtures}")
    command = f"{program()} {{}} --no-builtin --contracts {folder} --fixtures {fixtures}"
    for words in ("contract test", "serve"):
        click.echo(f"  {command.format(words)}")
