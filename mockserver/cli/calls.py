"""``mockserver calls``: the recorded calls of a running server."""

import json
from collections.abc import Mapping
from typing import Any

import click

from mockserver.cli.common import CommandError
from mockserver.cli.messages import SERVER, control_of
from mockserver.server.log import printable
from mockserver.spec.wording import shortened
from mockserver.testing.client import Control, ControlError

EXPORT_FORMATS = ("har", "curl", "text", "pytest")
LISTED_KINDS = ("accepted", "refused", "unclaimed", "unknown", "pinned", "fault", "callback")
MAX_TEXT_IN_LINE = 60  # characters of a message in a line


@click.command()
@click.argument("call_id", metavar="[ID]", required=False)
@click.option("--url", metavar="BASE", help=SERVER)
@click.option("--account", metavar="ACCOUNT", help="Whose calls; unclaimed: those of nobody. [all]")
@click.option("--vendor", metavar="VENDOR", help="Calls to this vendor.")
@click.option("--operation", metavar="OPERATION", help="Calls of this operation, as VENDOR.OPERATION.")
@click.option("--answer", metavar="ANSWER", help="Calls that got this answer.")
@click.option("--refused", is_flag=True, help="Calls that were not accepted.")
@click.option(
    "--kind", type=click.Choice(LISTED_KINDS), help="What became of them; unknown: no operation has the path."
)
@click.option("--grep", metavar="TEXT", help="Calls with this text in what was sent or answered.")
@click.option("--limit", type=click.IntRange(1, 1000), metavar="N", help="The latest N. [20; of a format, all]")
@click.option("--follow", is_flag=True, help="Go on with the calls that come, until Ctrl+C.")
@click.option(
    "--json", "as_json", is_flag=True, help="A JSON object a line: calls in short, or with ID the whole call."
)
@click.option("--format", "form", type=click.Choice(EXPORT_FORMATS), help="Export the calls.")
def calls(  # noqa: PLR0913 -- click hands each option over by name
    *,
    call_id: str | None,
    url: str | None,
    refused: bool,
    grep: str | None,
    limit: int | None,
    follow: bool,
    as_json: bool,
    form: str | None,
    **filters: str | None,
) -> None:
    """List recorded calls, the oldest of them first, or show the one with ID.

    Lists, as of messages, are of all accounts unless --account names one. --format writes what other programs read.
    """
    asked = {**filters, "accepted": "false" if refused else None, "contains": grep}
    if form is not None and (follow or as_json):
        raise CommandError("--format stands alone, without --follow and --json")
    if call_id is not None and (follow or any(asked.values())):
        raise CommandError("with ID there is nothing to follow or to choose")
    try:
        control = control_of(url)
        if call_id is not None:
            _show_one(control, call_id, form or ("json" if as_json else "text"))
        elif form is not None:
            given = {**asked, "format": form, "limit": None if limit is None else str(limit)}
            click.echo(control.text("calls", **given), nl=False)
        else:
            _list(control, asked, limit or 20, follow=follow, as_json=as_json)
    except ControlError as error:
        raise CommandError(str(error)) from error


def _show_one(control: Control, call_id: str, form: str) -> None:
    path = f"calls/{call_id}"
    if form == "json":
        click.echo(json.dumps(control.get(path)))
    else:
        click.echo(control.text(path, format=form), nl=False)


def _list(control: Control, asked: Mapping[str, str | None], limit: int, *, follow: bool, as_json: bool) -> None:
    events = control.events("events", **asked) if follow else iter(())
    if follow:
        next(events)  # from here on no call is missed
    page = control.get("calls", **asked, format="summary", limit=str(limit))
    if page["evicted"] and not as_json:
        click.echo(f"… {page['evicted']} calls had to make room in the journal", err=True)
    for call in reversed(page["calls"]):
        _print(call, as_json=as_json)
    shown = {call["id"] for call in page["calls"] if call["outcome"] != "pending"}
    for kind, data in events:
        for call in data["calls"] if kind == "calls" else ():
            if call["id"] not in shown and call["outcome"] != "pending":
                _print(call, as_json=as_json)
        if kind == "calls" and data["skipped"]:
            click.echo(f"… {data['skipped']} calls came too fast to be shown", err=True)
        elif kind in {"reset", "dropped"}:
            click.echo(f"… {data['why']}", err=True)
    if follow:
        click.echo("… the server sends no more calls", err=True)


def _print(call: Mapping[str, Any], *, as_json: bool) -> None:
    click.echo(json.dumps(call) if as_json else call_line(call))


def call_line(call: Mapping[str, Any]) -> str:
    """``12:03:07.412 acme.send_sms/sent 202 default +14155550123 "Your code is 4711"``: a call in short."""
    became = call["answer"] or call["operation"] or f"{call['method']} {call['path']} (no operation)"
    words = [call["received_at"][11:23], became, str(call["status"] or "-"), call["account"] or "unclaimed"]
    words += [word for word in (call["recipient"], call["fault"] and f"fault {call['fault']}") if word]
    if call["chosen_by"] in {"pin", "prefer", "magic"}:
        words.append(f"(by {call['chosen_by']})")
    if call["problem"] is not None:
        words.append(call["problem"])
    elif call["text"] is not None:
        text = shortened(call["text"], MAX_TEXT_IN_LINE)
        words.append(json.dumps(text, ensure_ascii=False))
    return printable(f"{' '.join(words)} [{call['id']}]")
