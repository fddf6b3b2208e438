"""The command line. Exit codes: 0 for success, 1 for findings, 2 for a user's mistake, 130 for Ctrl+C."""

import contextlib
import gc
import io
import os
import sys
from importlib import import_module
from typing import Any, NoReturn

import click

from mockserver.package_check import ForeignPackageError, require_ours

COMMANDS = (  # each is in the module of its name, but for those of MODULES
    "account", "answers", "ca", "calls", "check", "contract", "coverage", "curl", "drift", "hosts", "inbound",
    "messages", "run", "serve",
)  # fmt: skip
INTERRUPTED = 128 + 2  # as a shell has it for SIGINT
MODULES = {"inbound": "messages"}


class Commands(click.Group):
    """Imports a command's module when the command is used: ``serve`` starts 20 ms sooner without the others."""

    def list_commands(self, _: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"mockserver.cli.{MODULES.get(name, name)}"), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:  # click's own end of it would look like findings
            sys.exit(INTERRUPTED)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="sms-vendor-mockserver", prog_name="mockserver")
def cli() -> None:
    """An offline stand-in for conversational-SMS vendors.

    Every option of serve can also be set as MOCKSERVER_<OPTION>, but --host as MOCKSERVER_SERVE_HOST, --port as
    MOCKSERVER_SERVE_PORT and --callback-to as MOCKSERVER_CALLBACK_HOSTS. --forward-real and --real-calls have no
    variable.
    """


def main() -> None:
    """Run the command line."""
    gc.disable()  # what is imported and read stays; a server switches it on once it is ready
    try:
        require_ours()
    except ForeignPackageError as foreign:
        _end_with(str(foreign))
    if sys.stdout is None:
        _end_with("standard output is closed")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file's name may not be valid text
    try:
        try:
            cli(prog_name="mockserver")
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # whoever read it has seen enough
        _drop_output()
        sys.exit(1)
    except OSError as error:
        _drop_output()
        _end_with(f"cannot write: {error.strerror or error}" if error.filename is None else str(error))


def _end_with(message: str) -> NoReturn:
    """End with a user's mistake."""
    click.echo(f"mockserver: {message}", err=True)
    sys.exit(2)


def _drop_output() -> None:
    """Have what is left of the output go nowhere: Python writes it when it ends, and would complain again."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
