"""``mockserver curl``: a ready call to a vendor."""

from urllib.parse import quote

import click

from mockserver.cli.common import (
    CommandError,
    contract_options,
    ending_with_findings,
    find_contract,
    known_accounts,
    server_url,
)
from mockserver.cli.server_answers import is_no_answer, is_server_meant, server_answer
from mockserver.engine.sources import Sources
from mockserver.server.curl_command import sample_command
from mockserver.server.settings import Settings


@click.command()
@click.argument("vendor")
@click.option("--url", metavar="BASE", help="Where the server is. [MOCKSERVER_PUBLIC_URL, or http://127.0.0.1:8080]")
@click.option("--account", "account_id", default="default", show_default=True, help="Who calls.")
@contract_options
@ending_with_findings
def curl(vendor: str, url: str | None, account_id: str, settings: Settings) -> None:
    """Print a curl command that sends an SMS through VENDOR, its tokens freshly signed.

    The running server says it; where none answers, or files are named, it comes from the files.
    """
    base, silence = server_url(url, settings), ""
    if is_server_meant(settings):
        path = f"/_mock/accounts/{quote(account_id, safe='')}/curl/{quote(vendor, safe='')}"
        try:
            answer = server_answer(base + path, settings)
        except CommandError as error:
            if not is_no_answer(error, url):
                raise
            silence = str(error) if url is not None else ""
        else:
            if answer.startswith("curl "):  # another program may listen there
                click.echo(answer, nl=False)
                return
    contracts, accounts = known_accounts(settings)
    if silence and vendor not in {contract.vendor for contract in contracts}:
        raise CommandError(f"{silence}; and the files here have no vendor {vendor!r}")
    contract = find_contract(contracts, vendor)
    if account_id not in accounts:
        raise CommandError(f"there is no account {account_id!r}; known: {', '.join(accounts)}")
    click.echo(sample_command(contract, accounts[account_id], Sources.real().now(), base))
