"""``mockserver account``: an account's credentials for other processes and containers; ``pin``, ``reset``."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
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
from mockserver.cli.schemathesis import settings_file
from mockserver.cli.server_answers import NoServerError, is_no_answer, is_server_meant, server_answer
from mockserver.cli.switches import pin, reset
from mockserver.engine.sources import Sources
from mockserver.server.build import contracts_of
from mockserver.server.serialize import account_shape
from mockserver.server.settings import Settings
from mockserver.spec.account_values import file_texts
from mockserver.testing.account_path import filled, value_in, variable_text
from mockserver.testing.files import write_files


class AccountCommands(click.Group):
    """``account ID`` shows the account, as ``account show ID`` does."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in {"-h", "--help"}):
            args = ["show", *args]
        return super().parse_args(ctx, args)


@click.group(cls=AccountCommands, commands={"pin": pin, "reset": reset})
def account() -> None:
    """Print an account's values for other processes, which is show; or change what is switched on for it.

    An ID alone, or no command, means show.
    """


@account.command()
@click.argument("account_id", metavar="[ID]", default="default")
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "dotenv", "github", "schemathesis"]),
    default="json",
    show_default=True,
    help='github is for: >> "$GITHUB_ENV"; schemathesis for: st --config-file, with --vendor',
)
@click.option("--vendor", metavar="VENDOR", help="Print this vendor's part alone.")
@click.option(
    "--files",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Also write the files that vendors hand out, as DIR/<vendor>/<file>.",
)
@click.option("--url", metavar="BASE", help="Where the server is. [MOCKSERVER_PUBLIC_URL, or http://127.0.0.1:8080]")
@click.option(
    "--env", multiple=True, metavar="NAME=TEXT", help="A variable more: KEY={VENDOR.credentials.api_key}. Repeatable."
)
@click.option("--all", "whole", is_flag=True, help="In variables: also what a vendor refuses, as a key without a role.")
@click.option("--live", is_flag=True, help="Ask the running server (MOCKSERVER_ADMIN_TOKEN) and nothing else.")
@contract_options
@ending_with_findings
def show(  # noqa: PLR0913, PLR0917 -- click hands each option over by name
    account_id: str,
    form: str,
    vendor: str | None,
    files: Path | None,
    url: str | None,
    env: tuple[str, ...],
    whole: bool,
    live: bool,
    settings: Settings,
) -> None:
    """Print an account's URLs, credentials, possessions and tokens.

    The running server says them; where none answers, or files are named, they come from the files.
    """
    if form == "schemathesis" and vendor is None:
        raise CommandError("--format schemathesis is for one vendor: add --vendor VENDOR")
    base = server_url(url, settings)
    try:
        is_asked = live or is_server_meant(settings)
        shape, declared = (
            _served(base, account_id, settings, files=files is not None)
            if is_asked
            else _read(base, account_id, settings)
        )
    except CommandError as error:
        if live or not is_no_answer(error, url):
            raise
        shape, declared = _read(base, account_id, settings)
    assigned = assignments(env, shape)
    if vendor is not None:
        shape, declared = _only(vendor, shape), {name: files for name, files in declared.items() if name == vendor}
    written = write_account_files(shape, declared, files) if files else {}
    if form == "json":
        click.echo(json.dumps(shape | ({"files": written} if files else {}), indent=2))
        return
    if form == "schemathesis":
        contract = find_contract(contracts_of(settings), str(vendor))
        part = shape["vendors"][vendor]
        click.echo(settings_file(contract, {**part["credentials"], **part["owned"]}, part["tokens"]), nl=False)
        return
    for name, value in [*variables(shape, whole=whole), *written.items(), *assigned.items()]:
        click.echo(_dotenv(name, value) if form == "dotenv" else _github(name, value))


def _only(vendor: str, shape: Mapping[str, Any]) -> dict[str, Any]:
    """An account with one vendor. Raises CommandError if it has no such one."""
    if vendor not in shape["vendors"]:
        raise CommandError(f"there is no vendor {vendor!r}; known: {', '.join(shape['vendors']) or 'none'}")
    return {**shape, "vendors": {vendor: shape["vendors"][vendor]}}


def variables(shape: Mapping[str, Any], *, whole: bool = False) -> Iterator[tuple[str, str]]:
    """An account's environment variables: ``<VENDOR>_URL``, ``<VENDOR>_API_KEY``, ``<VENDOR>_TOKEN_<SCHEME>``.

    Of each list the first record is the one that every operation accepts. The others are only there for the ``whole``.
    """
    for vendor, part in shape["vendors"].items():
        yield _variable(vendor, "url"), part["url"]
        for name, value in _leaves({**part["credentials"], **part["owned"]}, "", whole=whole):
            yield _variable(vendor, name), value
        for name, value in part["tokens"].items():
            if whole or name.rpartition("_")[0] not in part["tokens"]:  # Jwt_2 is signed for the second record
                yield _variable(vendor, "token", name), value


def assignments(texts: Iterable[str], shape: Mapping[str, Any]) -> dict[str, str]:
    """The variables of ``--env``: ``NAME=TEXT``, each ``{path}`` in it a value of the account. Raises CommandError."""
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise CommandError(f"--env is NAME=TEXT, not {text!r}")
        try:
            found[name] = filled(value, lambda path: value_in(shape, path))
        except LookupError as error:
            raise CommandError(f"--env {name}: {error.args[0]}") from error
    return found


def _variable(*words: str) -> str:
    return re.sub("[^A-Z0-9]", "_", "_".join(words).upper())


def _leaves(value: Any, name: str, *, whole: bool) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping | list):
        items = list(value.items() if isinstance(value, Mapping) else enumerate(value))
        for key, item in items if whole or isinstance(value, Mapping) else items[:1]:
            yield from _leaves(item, f"{name}_{key}" if name else str(key), whole=whole)
    elif value is not None:
        yield name, variable_text(value)


def write_account_files(shape: Mapping[str, Any], declared: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """Write each vendor's files. Returns their paths by environment variable."""
    written: dict[str, str] = {}
    for vendor, files in declared.items():
        part = shape["vendors"][vendor]
        texts = file_texts(files, {**part["credentials"], **part["owned"]})
        if (folder / vendor).resolve().parent != folder.resolve():  # the server sent a name such as ../x
            raise CommandError(f"{vendor} is not below {folder}")
        try:
            paths = write_files(folder / vendor, texts)
        except ValueError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"cannot write {error.filename}: {error.strerror}") from error
        written |= {_variable(vendor, name, "file"): str(file) for name, file in paths.items()}
    return written


def _dotenv(name: str, value: str) -> str:
    """An assignment that shells and dotenv libraries read alike. The lines of a PEM block stay lines."""
    if "'" not in value and "\\" not in value:
        return f"{name}='{value}'"
    escaped = re.sub(r'([\\"$`])', r"\\\1", value)
    return f'{name}="{escaped}"'


def _github(name: str, value: str) -> str:
    if "\n" not in value:
        return f"{name}={value}"
    end = "MOCKSERVER_END"
    while end in value:
        end += "_"
    return f"{name}<<{end}\n{value}\n{end}"


def _fetch(base: str, kind: str, name: str, member: str, settings: Settings) -> Any:
    """A JSON object from a running server. Raises CommandError if it lacks ``member``."""
    address = f"{base}/_mock/{kind}/{quote(name, safe='', errors='replace')}"
    try:
        shape = json.loads(server_answer(address, settings))
    except ValueError as error:
        raise NoServerError(f"no mockserver answers at {address}: {error}") from error
    if not isinstance(shape, dict) or member not in shape:
        raise NoServerError(f"no mockserver answers at {address}: its answer has no {member!r}")
    return shape


def _served(base: str, account_id: str, settings: Settings, *, files: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """An account as a running server has it, and the files of its vendors if needed. Raises CommandError."""
    shape = _fetch(base, "accounts", account_id, "vendors", settings)
    vendors = shape["vendors"] if files else ()
    return shape, {v: _fetch(base, "contracts", v, "x-mock", settings)["x-mock"].get("files", {}) for v in vendors}


def _read(base: str, account_id: str, settings: Settings) -> tuple[dict[str, Any], dict[str, Any]]:
    """The same from the files that a server with these settings would read. Raises CommandError."""
    contracts, accounts = known_accounts(settings)
    if account_id not in accounts:
        known = ", ".join(accounts)
        raise CommandError(f"there is no account {account_id!r}; known: {known}; a server's own need --live")
    shape = account_shape(accounts[account_id], contracts, base, Sources.real().now())
    return shape, {contract.vendor: contract.files for contract in contracts}
