"""``mockserver inbound``: a subscriber sends a message to an account of a running server."""

import json

import click

from mockserver.cli.common import CommandError
from mockserver.cli.messages import SERVER, control_of, message_line
from mockserver.testing.client import ControlError


@click.command()
@click.argument("vendor")
@click.argument("text")
@click.option("--from", "sender", required=True, metavar="NUMBER", help="The subscriber's phone.")
@click.option("--to", metavar="NUMBER", help="A number of the account. [its first one]")
@click.option("--account", default="default", show_default=True, help="Whose number.")
@click.option("--url", metavar="BASE", help=SERVER)
@click.option("--json", "as_json", is_flag=True, help="Print what the control API says.")
def inbound(  # noqa: PLR0913 -- click hands each option over by name
    *, vendor: str, text: str, sender: str, to: str | None, account: str, url: str | None, as_json: bool
) -> None:
    """Send TEXT from a subscriber to a number of the account at VENDOR."""
    message = {"account": account, "vendor": vendor, "from": sender, "text": text} | ({} if to is None else {"to": to})
    try:
        received = control_of(url).post("inbound", message)
    except ControlError as error:
        raise CommandError(str(error)) from error
    click.echo(json.dumps(received, indent=1) if as_json else message_line(received))
