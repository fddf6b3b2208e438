"""``mockserver coverage``: merges the coverage of test runs and holds it against gates."""

import json
import sys
from pathlib import Path

import click

from mockserver.cli.common import CommandError, ending_with_findings
from mockserver.coverage.document import CoverageError, merge_documents, read_document
from mockserver.coverage.report import Selection, failures, render_report, score
from mockserver.spec.evidence import THRESHOLDS
from mockserver.spec.source import read_text, why_unread


@click.group()
def coverage() -> None:
    """Which of the documented answers an application was tested against."""


def _text(file: Path) -> str:
    try:
        return read_text(file)
    except UnicodeDecodeError as error:
        raise CoverageError(f"{file} cannot be read: {why_unread(error)}") from error


@coverage.command("merge")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write all as one.")
@click.option("--vendor", "vendors", multiple=True, metavar="VENDOR", help="Count this vendor only. Repeatable.")
@click.option("--evidence", type=click.Choice(THRESHOLDS), help="Count answers of this grade or better only.")
@click.option("--exclude", multiple=True, metavar="PATTERN", help="Leave answers out: '*/server_error'. Repeatable.")
@click.option("--require", multiple=True, metavar="ANSWER", help="vendor.operation/answer must be met. Repeatable.")
@click.option("--fail-under", type=click.FloatRange(0, 100), metavar="PERCENT", help="The least that is enough.")
@click.option("--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text", show_default=True)
@ending_with_findings
def merge_files(  # noqa: PLR0913, PLR0917 -- click hands each option over by name
    files: tuple[Path, ...],
    output: Path | None,
    vendors: tuple[str, ...],
    evidence: str | None,
    exclude: tuple[str, ...],
    require: tuple[str, ...],
    fail_under: float | None,
    form: str,
) -> None:
    """Merge FILES of --mockserver-cov-json or GET /_mock/coverage.

    The exit code is 1 where --require or --fail-under is not met, and 2 where FILES are of different contracts.
    """
    try:
        document = merge_documents({str(file): read_document(_text(file), str(file)) for file in files})
        counted = score(document, Selection(vendors, evidence, exclude))
        failed = failures(document, counted, require, fail_under)
    except CoverageError as error:
        raise CommandError(str(error)) from error
    if not counted.rows:
        raise CommandError("no answer is left to be counted; loosen --vendor, --evidence or --exclude")
    if output is not None:
        output.write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    click.echo(render_report(form, document, counted, failed))
    if failed:
        sys.exit(1)
