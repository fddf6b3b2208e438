"""``mockserver drift``: where real vendors depart from the contracts, and what to change then."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mockserver.cli.common import (
    CommandError,
    contract_options,
    ending_with_findings,
    find_contract,
    known_accounts,
)
from mockserver.cli.real_vendors import named_vendors
from mockserver.server.build import fixtures_folder
from mockserver.server.settings import Settings

if TYPE_CHECKING:
    from mockserver.server.application import Application
    from mockserver.server.drift.recording import RealCall

ENOUGH_DIGITS = 8  # of a number that messages may go to


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--against", metavar="VENDOR=URL", help="REAL: send the refused fixtures to https://HOST.")
@click.option("--account", metavar="ID", help="Whose credentials are sent: one of --accounts. [nobody's]")
@click.option("--send", is_flag=True, help="Send the accepted fixtures too: the vendor sends messages, and bills them.")
@click.option("--to", metavar="NUMBER", help="With --send: where all messages go.")
@click.option("--yes", is_flag=True, help="Do not ask before anything is sent.")
@contract_options
@ending_with_findings
def drift(file: Path | None, settings: Settings, against: str | None, **options: Any) -> None:
    """Show where the calls of FILE to real vendors depart from the contracts, a patch for these, and fixtures.

    FILE is what serve --forward-real has recorded; with --against, what comes of it is recorded there. The exit code is
    1 where something departs.
    """
    from mockserver.cli.drift_proposal import proposals  # noqa: PLC0415 -- the server's modules take their time
    from mockserver.cli.drift_report import report  # noqa: PLC0415 -- likewise

    if against is not None:
        calls = asyncio.run(_replay(file, settings, against, options))
    elif file is None:
        raise CommandError("name a FILE of real calls, or a real vendor: --against VENDOR=https://HOST")
    else:
        calls = _recorded(file)
    contracts, accounts = known_accounts(settings)
    for line in (*report(calls), *proposals(calls, contracts, accounts["default"], settings)):
        click.echo(line)
    if any(call.departures for call in calls):
        sys.exit(1)


def _recorded(file: Path) -> "list[RealCall]":
    """The calls of a file. Raises CommandError, OSError."""
    from mockserver.server.drift.recording import RecordingError, read_recording  # noqa: PLC0415 -- as above

    try:
        calls = list(read_recording(file, lambda text: click.echo(text, err=True)))
    except RecordingError as error:
        raise CommandError(str(error)) from error
    if not calls:
        raise CommandError(f"{file} has no call of a real vendor yet")
    return calls


async def _replay(file: Path | None, settings: Settings, against: str, options: dict[str, Any]) -> "list[RealCall]":
    """Send fixtures to a real vendor, once the user has agreed. Raises CommandError."""
    from mockserver.cli.drift_replay import FixtureReplay  # noqa: PLC0415
    from mockserver.engine.fixture_case import FixtureError  # noqa: PLC0415
    from mockserver.server.application import create_app  # noqa: PLC0415 -- as above
    from mockserver.server.drift.recording import RecordingFile  # noqa: PLC0415
    from mockserver.server.drift.upstream import UpstreamError  # noqa: PLC0415

    app = create_app(replace(settings, log="off"))
    ((vendor, upstream),) = named_vendors("--against", [against], app.contracts).items()
    contract = find_contract(app.contracts, vendor)
    customer = None
    if options["account"] is not None:
        customer = await _customer(app, settings, options["account"])
    replay = FixtureReplay(app, contract, customer, _recipient(options))
    try:
        ready, left_out = await replay.sort(_fixture_files(settings, vendor))
    except FixtureError as error:
        raise CommandError(str(error)) from error
    for reason in dict.fromkeys(reason for _, reason in left_out):
        names = [name for name, why in left_out if why == reason]
        click.echo(f"left out, {reason}: {', '.join(names)}", err=True)
    if not ready:
        raise CommandError(f"no fixture of {vendor} can be sent so")
    if not options["yes"] and not _agreed(f"REAL: send {len(ready)} requests to {upstream.origin}?"):
        raise CommandError("nothing was sent")
    recording = None if file is None else RecordingFile(file)
    calls = []
    for case in ready:
        try:
            call = await replay.send(case, upstream)
        except UpstreamError as error:
            raise CommandError(f"{upstream.origin} gave no answer to {case.name}: {error}") from error
        calls.append(call)
        if recording is not None:
            recording.add(call)
    return calls


def _agreed(question: str) -> bool:
    """What the user says; nobody who could say it says no."""
    try:
        return click.confirm(question, err=True)
    except click.Abort:  # its own end would look like findings
        click.echo(err=True)
        return False


def _fixture_files(settings: Settings, vendor: str) -> list[Path]:
    """The fixtures of a vendor, none of which is sent twice: of one name, that of the first folder counts."""
    folders = [folder / vendor for folder in (*settings.fixtures, fixtures_folder())]
    found = {path.relative_to(folder): path for folder in reversed(folders) for path in folder.glob("*/*.yaml")}
    return [found[name] for name in sorted(found)]


async def _customer(app: "Application", settings: Settings, account_id: str) -> Any:
    """An account whose values the user gave. Raises CommandError."""
    from mockserver.server.drift.customers import GivenCustomers  # noqa: PLC0415 -- as above

    if account_id not in GivenCustomers(settings, app.contracts).ids:
        raise CommandError(f"--account {account_id} is none of the --accounts file: a real vendor knows no other")
    return await app.store.account(account_id)


def _recipient(options: dict[str, Any]) -> str | None:
    """Where messages go; None where none may be sent. Raises CommandError."""
    number = options["to"]
    if not options["send"]:
        if number is not None:
            raise CommandError("--to is for --send: without it, nothing is sent to anybody")
        return None
    if options["account"] is None:
        raise CommandError("--send needs a real customer: --accounts FILE --account ID")
    if number is None or sum(character.isdigit() for character in number) < ENOUGH_DIGITS:
        raise CommandError("--send needs --to NUMBER, a number of your own: all messages go there")
    return str(number)
