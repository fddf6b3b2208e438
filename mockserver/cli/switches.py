"""``mockserver account pin`` and ``account reset``: what a test switches on for an account of a running server."""

import json
from typing import Any

import click

from mockserver.cli.common import CommandError
from mockserver.cli.messages import SERVER, control_of
from mockserver.testing.client import ControlError, segment


@click.command()
@click.argument("operation")
@click.argument("answers", nargs=-1, metavar="[ANSWER]...")
@click.option("--account", "account_id", default="default", show_default=True, help="Whose calls.")
@click.option("--where", metavar="JSON", help='Only calls like this: {"json": {"to": "+14155550123"}}.')
@click.option("--fault", metavar="KIND|JSON", help='Trouble on the way: reset, {"kind": "delay", "seconds": 2}.')
@click.option("--always", is_flag=True, help="Go on with the last answer; a fault strikes each time.")
@click.option(
    "--list", "as_list", is_flag=True, help="Show the account's pins for OPERATION instead, the oldest first."
)
@click.option("--remove", is_flag=True, help="Remove the account's pins for OPERATION instead.")
@click.option("--url", metavar="BASE", help=SERVER)
@click.option("--json", "as_json", is_flag=True, help="A JSON object a line: what the control API says of each pin.")
def pin(  # noqa: PLR0913 -- click hands each option over by name
    *,
    operation: str,
    answers: tuple[str, ...],
    account_id: str,
    where: str | None,
    fault: str | None,
    always: bool,
    as_list: bool,
    remove: bool,
    url: str | None,
    as_json: bool,
) -> None:
    """Answer the next calls of OPERATION with these ANSWERs, in order.

    OPERATION is VENDOR.OPERATION, VENDOR.* or *. An answer named rules is what the contract's rules say.
    """
    if (as_list or remove) and (answers or fault):
        raise CommandError("--list and --remove take no ANSWER and no --fault")
    if not (as_list or remove or answers or fault):
        raise CommandError("name an ANSWER or a --fault")
    body: dict[str, Any] = {"account": account_id}
    body |= {"answers": list(answers)} if answers else {}
    body |= {"where": _object("--where", where)} if where else {}
    if fault:
        body["fault"] = _object("--fault", fault) if fault.startswith("{") else {"kind": fault}
        body["fault"] |= {"times": None} if always else {}
    elif always:
        body["then"] = "last"
    try:
        control = control_of(url)
        if remove:
            control.delete("pins", account=account_id, operation=operation)
            return
        if as_list:
            pins = control.get("pins", account=account_id, operation=operation)["pins"]
        else:
            pins = [control.put(f"pins/{segment(operation)}", body)]
    except ControlError as error:
        raise CommandError(str(error)) from error
    for one in pins:
        click.echo(json.dumps(one) if as_json else _pin_line(one))
        for warning in one.get("warnings", ()):
            click.echo(f"Warning: {warning}", err=True)


def _object(option: str, text: str) -> dict[str, Any]:
    """A JSON object. Raises CommandError."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise CommandError(f"{option} is a JSON object: {error}") from error
    if not isinstance(value, dict):
        raise CommandError(f"{option} is a JSON object, not {text}")
    return value


def _pin_line(one: dict[str, Any]) -> str:
    """``p-1a2b3c4d5e6f acme.send_sms throttled, then sent: 2 left, used 0``."""
    what = ", then ".join(answer if isinstance(answer, str) else str(answer["status"]) for answer in one["answers"])
    fault = f"fault {one['fault']['kind']}" if one["fault"] else ""
    left = "for ever" if one["left"] is None or one["then"] == "last" else f"{one['left']} left"
    return f"{one['id']} {one['operation']} {' and '.join(filter(None, (what, fault)))}: {left}, used {one['used']}"


@click.command()
@click.argument("account_id", metavar="[ID]", default="default")
@click.option("--switches", is_flag=True, help="Only what is switched on: pins, faults, limits, the clock. Calls stay.")
@click.option("--url", metavar="BASE", help=SERVER)
@click.option("--json", "as_json", is_flag=True, help="A JSON object in a line: the account as it is now.")
def reset(account_id: str, url: str | None, *, switches: bool, as_json: bool) -> None:
    """Forget what an account did: its calls, messages, pins, limits and clock. Its credentials stay."""
    path = f"accounts/{segment(account_id)}"
    try:
        control = control_of(url)
        if switches:
            control.delete(f"{path}/switches")
        else:
            control.post(f"{path}/reset")
        if as_json:
            click.echo(json.dumps(control.get(path)))
    except ControlError as error:
        raise CommandError(str(error)) from error
