"""``mockserver contract``: contracts begun, checked, tried, and held against what they were written from."""

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import click

from mockserver import __version__
from mockserver.cli.check import check
from mockserver.cli.common import CommandError, contract_options, ending_with_findings, find_contract
from mockserver.cli.contract_begin import import_spec, new, schema
from mockserver.cli.contract_test import test
from mockserver.server.build import contracts_of
from mockserver.server.settings import Settings
from mockserver.spec.model import VendorPage

TIMEOUT = 20  # seconds for one page
PAGES_AT_ONCE = 4
CHANGED, GONE = "changed", "gone"  # findings
UNCHANGED, UNTOLD_DATE, UNREACHABLE = "unchanged", "does not say when it changed", "cannot be reached"


@click.group()
def contract() -> None:
    """Begin, check and try contracts."""


for _command in (check, import_spec, new, schema, test):
    contract.add_command(_command)


@contract.command("pages")
@click.option("--online", is_flag=True, help="Ask the vendors' servers which pages have changed since they were read.")
@click.option("--vendor", "vendors", multiple=True, metavar="VENDOR", help="This vendor only. Repeatable.")
@contract_options
@ending_with_findings
def check_pages(online: bool, vendors: tuple[str, ...], settings: Settings) -> None:
    """List the pages that the contracts were written from, and the day on which each was read.

    With --online each page is asked for, and the exit code is 1 where one has changed since or is gone.
    """
    contracts = contracts_of(settings)
    chosen = [find_contract(contracts, name) for name in vendors] or list(contracts)
    pages = [(contract.vendor, page) for contract in chosen for page in contract.pages]
    if not pages:
        raise CommandError("none of these contracts names a page")
    if not online:
        for vendor, page in pages:
            click.echo(f"{vendor}: {page.url} read on {page.read}")
        return
    with ThreadPoolExecutor(PAGES_AT_ONCE) as pool:
        states = list(pool.map(lambda entry: page_state(entry[1]), pages))
    for (vendor, page), (state, detail) in zip(pages, states, strict=True):
        click.echo(f"{vendor}: {page.url} read on {page.read}: {state}{f', {detail}' if detail else ''}")
    if any(state in {CHANGED, GONE} for state, _ in states):
        sys.exit(1)


def page_state(page: VendorPage) -> tuple[str, str]:
    """Whether a page changed since it was read, and what its server says."""
    read = datetime.combine(date.fromisoformat(page.read), time.max, UTC).replace(microsecond=0)
    since = {"If-Modified-Since": format_datetime(read, usegmt=True), "User-Agent": f"mockserver/{__version__}"}
    try:
        with urlopen(Request(page.url, headers=since), timeout=TIMEOUT) as response:  # noqa: S310 -- pages are http
            return _compared(response.headers.get("Last-Modified"), read)
    except HTTPError as error:
        error.close()
        if error.code == HTTPStatus.NOT_MODIFIED:
            return UNCHANGED, ""
        gone = error.code in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
        return GONE if gone else UNREACHABLE, f"status {error.code}"
    except (OSError, HTTPException, ValueError) as error:
        return UNREACHABLE, str(error).partition("\n")[0][:200]


def _compared(last_modified: str | None, read: datetime) -> tuple[str, str]:
    try:
        changed = parsedate_to_datetime(last_modified or "")
    except ValueError:
        return UNTOLD_DATE, ""
    if changed.tzinfo is None:
        changed = changed.replace(tzinfo=UTC)
    return (CHANGED, f"on {changed:%Y-%m-%d}") if changed > read else (UNCHANGED, "")
