"""``mockserver messages`` and ``inbound``: both directions of an account of a running server."""

import json
import re
from collections.abc import Mapping
from typing import Any

import click

from mockserver.cli.common import CommandError, environment_settings, server_url
from mockserver.engine.account import EVERYBODY
from mockserver.server.log import printable
from mockserver.testing.client import Control, ControlError

SERVER = "Where the server is. [MOCKSERVER_PUBLIC_URL, or http://127.0.0.1:8080]"


def control_of(url: str | None) -> Control:
    """The control API of the server that is meant. Raises CommandError."""
    settings = environment_settings()
    try:
        return Control(server_url(url, settings), settings.admin_token)
    except ControlError as error:
        raise CommandError(str(error)) from error


@click.command()
@click.option("--url", metavar="BASE", help=SERVER)
@click.option("--account", metavar="ACCOUNT", help="Whose messages. [all]")
@click.option("--recipient", metavar="NUMBER", help="Messages to this phone.")
@click.option("--phone", metavar="NUMBER", help="Messages to and from this phone.")
@click.option("--vendor", metavar="VENDOR", help="Messages of this vendor.")
@click.option("--direction", type=click.Choice(["inbound", "outbound"]), help="outbound: sent by the application.")
@click.option("--state", metavar="STATE", help="Messages in this state, such as delivered.")
@click.option("--contains", metavar="TEXT", help="Messages with this in their text.")
@click.option("--since", metavar="TIME", help="Messages from this time on, as ISO 8601 has it.")
@click.option("--within", type=click.FloatRange(0, 60), default=0.0, metavar="SECONDS", help="Wait for the first. [0]")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, metavar="N", help="The latest N.")
@click.option("--code", "only_code", is_flag=True, help="Print the one-time code of the latest message that has one.")
@click.option("--pattern", metavar="REGEX", help="What a code is: the first group, or all of it.")
@click.option("--json", "as_json", is_flag=True, help="A JSON object a line: what the control API says of each.")
def messages(  # noqa: PLR0913 -- click hands each option over by name
    url: str | None,
    within: float,
    limit: int,
    pattern: str | None,
    *,
    only_code: bool,
    as_json: bool,
    **filters: str | None,
) -> None:
    """List messages of both directions, the oldest of them first.

    Lists, as of calls, are of all accounts unless --account names one. The exit code is 1 where --code finds none.
    """
    account = filters.pop("account")
    query = {
        **filters,
        "account": EVERYBODY if account is None else account,
        "within": f"{within:g}",
        "limit": str(limit),
    }
    try:
        expression = None if pattern is None else re.compile(pattern)
        found = control_of(url).wait("messages", query, within)
    except (ControlError, re.error) as error:
        raise CommandError(str(error)) from error
    if only_code or expression is not None:
        codes = [code for message in found["messages"] if (code := _code(message, expression)) is not None]
        if not codes:
            raise click.exceptions.Exit(1)
        click.echo(codes[0])
    else:
        if found["evicted"] and not as_json:
            click.echo(f"… {found['evicted']} calls had to make room in the journal", err=True)
        for message in reversed(found["messages"]):
            _print(message, as_json=as_json)


def _print(message: Mapping[str, Any], *, as_json: bool) -> None:
    click.echo(json.dumps(message) if as_json else message_line(message))


def _code(message: Mapping[str, Any], expression: re.Pattern[str] | None) -> str | None:
    if expression is None:
        code: str | None = message["code"]
        return code
    found = expression.search(message["text"] or "")
    return None if found is None else str(found.group(1) if expression.groups else found.group())


def message_line(message: Mapping[str, Any]) -> str:
    """``12:03:07.412 acme default +1202… -> +1415… delivered "Your code is 4711"``."""
    text = "(nobody knows its text)" if message["text"] is None else json.dumps(message["text"], ensure_ascii=False)
    ends = f"{message['from'] or '?'} -> {message['to'] or '?'}"
    whose = f"{message['vendor']} {message['account']}"
    return printable(f"{message['at'][11:23]} {whose} {ends} {message['state']} {text}")


@click.command()
@click.argument("vendor")
@click.argument("text")
@click.option("--from", "sender", required=True, metavar="NUMBER", help="The subscriber's phone.")
@click.option("--to", metavar="NUMBER", help="A number of the account. [its first one]")
@click.option("--account", default="default", show_default=True, help="Whose number.")
@click.option("--url", metavar="BASE", help=SERVER)
@click.option("--json", "as_json", is_flag=True, help="A JSON object in a line: what the control API says.")
def inbound(  # noqa: PLR0913 -- click hands each option over by name
    *, vendor: str, text: str, sender: str, to: str | None, account: str, url: str | None, as_json: bool
) -> None:
    """Send TEXT from a subscriber to a number of the account at VENDOR."""
    message = {"account": account, "vendor": vendor, "from": sender, "text": text} | ({} if to is None else {"to": to})
    try:
        received = control_of(url).post("inbound", message)
    except ControlError as error:
        raise CommandError(str(error)) from error
    _print(received, as_json=as_json)
