"""``mockserver contract import``, ``new`` and ``schema``: a contract to begin with, and its words for an editor."""

from pathlib import Path

import click

from mockserver.authoring.importing import Importer
from mockserver.authoring.openapi_file import OpenApiFile, SpecOperation
from mockserver.authoring.reachable import snake
from mockserver.authoring.skeleton import skeleton
from mockserver.authoring.writing import SCHEMA_FILE, contract_text, write_fixtures
from mockserver.cli.common import CommandError, ending_with_findings, program
from mockserver.spec.load import load_contracts
from mockserver.spec.operations import PLAIN_WORD
from mockserver.spec.root_schema import schema_text

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
    if not wanted and len(endpoints) != 1:
        for endpoint in endpoints:
            click.echo(
                f"{endpoint.name}  {endpoint.node.get('summary') or endpoint.node.get('operationId') or ''}".rstrip()
            )
        click.echo(f"{len(endpoints)} operations; choose with --operation 'POST /path'", err=True)
        return
    chosen = [_chosen(endpoints, text) for text in wanted] or endpoints
    imported = Importer(source, _vendor(vendor or snake(spec.stem))).imported(chosen, recipient)
    for note in imported.notes:
        click.echo(f"note: {note}", err=True)
    _write(folder, vendor or snake(spec.stem), contract_text(imported.document))


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
    """Write a contract, its fixtures and the editors' schema, none over a file; and say how to go on."""
    file = folder / f"{vendor}.yaml"
    if file.exists():
        raise CommandError(f"{file} is there already")
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    (contract,) = load_contracts([file])
    fixtures = folder / "fixtures"
    written = [file, *write_fixtures(contract, fixtures)]
    described = folder / "schema" / SCHEMA_FILE
    if not described.exists():
        described.parent.mkdir(exist_ok=True)
        described.write_text(schema_text(), "utf-8")
    click.echo(f"{file}: {text.count('TODO')} TODO, {len(written) - 1} files below {fixtures}")
    command = f"{program()} {{}} --no-builtin --contracts {folder} --fixtures {fixtures}"
    for words in ("contract test", "serve"):
        click.echo(f"  {command.format(words)}")
