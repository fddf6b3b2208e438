"""The command line: serve, check, curl, account. Exit codes: 0 fine, 1 findings, 2 usage."""

import io
import sys
from importlib import import_module

import click

from mockserver.package_check import ForeignPackageError, require_ours

COMMANDS = ("account", "check", "coverage", "curl", "serve")  # each in a module of its own name


class Commands(click.Group):
    """Commands whose modules are imported when they are asked for: ``serve`` needs none of the others, 20 ms."""

    def list_commands(self, _: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"mockserver.cli.{name}"), name)
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="sms-vendor-mockserver", prog_name="mockserver")
def cli() -> None:
    """An offline stand-in for conversational-SMS vendors.

    Every option of serve can also be set as MOCKSERVER_<OPTION> (MOCKSERVER_SERVE_HOST, MOCKSERVER_SERVE_PORT).
    """


def main() -> None:
    """Run the command line."""
    try:
        require_ours()
    except ForeignPackageError as foreign:
        click.echo(f"mockserver: {foreign}", err=True)
        sys.exit(2)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file's name may be no text
    cli(prog_name="mockserver")
