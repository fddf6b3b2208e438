"""``mockserver account``: credentials for other processes and containers."""

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import click

from mockserver.cli.common import DEFAULT_URL, Refusal, contract_options, ending_with_findings, known_accounts
from mockserver.exchange.handout import file_texts
from mockserver.server.settings import Settings
from mockserver.server.shapes import account_shape


@click.command()
@click.argument("account_id", metavar="[ID]", default="default")
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "dotenv", "github"]),
    default="json",
    show_default=True,
    help='github is for: >> "$GITHUB_ENV"',
)
@click.option(
    "--files",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Also write the files that vendors hand out, as DIR/<vendor>/<file>.",
)
@click.option("--url", default=DEFAULT_URL, show_default=True, metavar="BASE", help="Where the server is.")
@click.option(
    "--live", is_flag=True, help="Ask the running server at --url (MOCKSERVER_ADMIN_TOKEN), not the fixtures."
)
@contract_options
@ending_with_findings
def account(  # noqa: PLR0913, PLR0917 -- click hands each option over by name
    account_id: str, form: str, files: Path | None, url: str, live: bool, settings: Settings
) -> None:
    """Print an account's URLs, credentials, possessions and tokens."""
    if live:
        shape = _fetch(url, f"accounts/{account_id}", settings)
        declared = {v: _fetch(url, f"contracts/{v}", settings)["x-mock"].get("files", {}) for v in shape["vendors"]}
    else:
        contracts, accounts = known_accounts(settings)
        if account_id not in accounts:
            known = ", ".join(accounts)
            raise Refusal(f"there is no account {account_id!r}; known: {known}; a server's own need --live")
        shape = account_shape(accounts[account_id], contracts, url.rstrip("/"), time.time())
        declared = {contract.vendor: contract.files for contract in contracts}
    written = _write(shape, declared, files) if files else {}
    if form == "json":
        click.echo(json.dumps(shape | ({"files": written} if files else {}), indent=2))
        return
    for name, value in [*variables(shape), *written.items()]:
        click.echo(_dotenv(name, value) if form == "dotenv" else _github(name, value))


def variables(shape: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """An account as environment variables: ``<VENDOR>_URL``, ``<VENDOR>_API_KEY``, ``<VENDOR>_TOKEN_<SCHEME>``."""
    for vendor, part in shape["vendors"].items():
        yield f"{vendor.upper()}_URL", part["url"]
        for name, value in _leaves({**part["credentials"], **part["owned"]}):
            yield f"{vendor}_{name}".upper(), value
        for name, value in part["tokens"].items():
            yield f"{vendor}_token_{name}".upper(), value


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping | list):
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, item in items:
            yield from _leaves(item, f"{name}_{key}" if name else str(key))
    elif value is not None:
        yield name, value if isinstance(value, str) else json.dumps(value)


def _write(shape: Mapping[str, Any], declared: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """Write each vendor's files; returns a variable with the path of each."""
    written = {}
    for vendor, files in declared.items():
        part = shape["vendors"][vendor]
        for name, text in file_texts(files, {**part["credentials"], **part["owned"]}).items():
            file = folder / vendor / name
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, "utf-8")
            except OSError as error:
                raise Refusal(f"cannot write {file}: {error.strerror}") from error
            written[f"{vendor}_{name.replace('.', '_')}_file".upper()] = str(file)
    return written


def _dotenv(name: str, value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("\n", "\\n")
    return f'{name}="{escaped}"'


def _github(name: str, value: str) -> str:
    return f"{name}={value}" if "\n" not in value else f"{name}<<MOCKSERVER_END\n{value}\nMOCKSERVER_END"


def _fetch(url: str, path: str, settings: Settings) -> Any:
    address = f"{url.rstrip('/')}/_mock/{path}"
    if not address.startswith(("http://", "https://")):
        raise Refusal(f"--url must be an http address, not {url!r}")
    headers = {"Authorization": f"Bearer {settings.admin_token}"} if settings.admin_token else {}
    try:
        with urlopen(Request(address, headers=headers), timeout=10) as response:  # noqa: S310 -- http only, see above
            return json.load(response)
    except HTTPError as error:
        detail = json.loads(error.read() or b"{}").get("detail", error.reason)
        raise Refusal(f"{address} answered {error.code}: {detail}") from error
    except (URLError, OSError, ValueError) as error:
        raise Refusal(f"no mockserver answers at {address}: {error}") from error
