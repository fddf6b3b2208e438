"""The command line: serve, check, curl, account. Exit codes: 0 fine, 1 findings, 2 usage."""

import io
import sys

import click

from mockserver.cli.account import account
from mockserver.cli.check import check
from mockserver.cli.coverage import coverage
from mockserver.cli.curl import curl
from mockserver.cli.serve import serve
from mockserver.ours import ForeignPackage, require_ours


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="sms-vendor-mockserver", prog_name="mockserver")
def cli() -> None:
    """An offline stand-in for conversational-SMS vendors.

    Every option of serve can also be set as MOCKSERVER_<OPTION> (MOCKSERVER_SERVE_HOST, MOCKSERVER_SERVE_PORT).
    """


for command in (serve, check, curl, account, coverage):
    cli.add_command(command)


def main() -> None:
    """Run the command line."""
    try:
        require_ours()
    except ForeignPackage as foreign:
        click.echo(f"mockserver: {foreign}", err=True)
        sys.exit(2)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file's name may be no text
    cli(prog_name="mockserver")
