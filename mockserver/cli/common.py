"""What several commands share: settings from options, contracts, accounts, and how a command ends on an error."""

import functools
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from mockserver.engine.account import AccountData
from mockserver.server.build import contracts_of, fill_registry
from mockserver.server.settings import Settings, SettingsError, from_environment, option, variable
from mockserver.spec.addresses import has_password
from mockserver.spec.errors import ContractErrors
from mockserver.spec.model import Contract
from mockserver.store.accounts import Registry


class CommandError(click.ClickException):
    """A user's mistake. The command ends with one line and exit code 2."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        click.echo(f"mockserver: {self.message}", err=True, file=file)


def contract_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for contracts and accounts. The command receives them as ``settings``."""

    @click.option(
        "--contracts",
        multiple=True,
        metavar="DIR",
        type=click.Path(path_type=Path),
        help="A folder of contracts beside the built-in ones. Repeatable.",
    )
    @click.option(
        "--fixtures",
        multiple=True,
        metavar="DIR",
        type=click.Path(path_type=Path),
        help="A folder with <vendor>/accounts.yaml. Repeatable.",
    )
    @click.option("--builtin/--no-builtin", default=None, help="Whether the built-in contracts are there. [they are]")
    @click.option(
        "--accounts",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="Further accounts, in the control API's shape.",
    )
    @functools.wraps(command)
    def with_settings(
        contracts: tuple[Path, ...],
        fixtures: tuple[Path, ...],
        builtin: bool | None,
        accounts: Path | None,
        **rest: Any,
    ) -> Any:
        settings = environment_settings()
        chosen: dict[str, Any] = {"contracts": contracts or None, "fixtures": fixtures or None}
        chosen |= {"builtin": builtin, "accounts": accounts}
        return command(settings=with_chosen(settings, chosen), **rest)

    return with_settings


def with_chosen(settings: Settings, chosen: Mapping[str, Any]) -> Settings:
    """The settings, those replaced for which there was an option. Raises CommandError for one that cannot be used."""
    try:
        return replace(settings, **{name: value for name, value in chosen.items() if value not in {None, ()}})
    except SettingsError as error:
        setting, _, rest = str(error).partition(" ")
        raise CommandError(f"{option(setting)} {rest}") from error


def environment_settings() -> Settings:
    """Settings from MOCKSERVER_*. Raises CommandError for an invalid one."""
    try:
        return from_environment()
    except SettingsError as error:
        raise CommandError(str(error)) from error


def ending_with_findings(command: Callable[..., Any]) -> Callable[..., Any]:
    """End the command with exit code 1 and a line for each error of a contract or account file; a bad path with 2."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except ContractErrors as errors:
            for error in errors.errors:
                click.echo(str(error))
            sys.exit(1)
        except OSError as error:
            if error.filename is None:
                raise
            raise CommandError(f"cannot use {error.filename}: {error.strerror}") from error

    return run


def http_address(url: str, option: str) -> str:
    """The address without the last slash. Raises CommandError if it is not an http address, or not ASCII."""
    if has_password(url):
        raise CommandError(f"{option} must be an http address without user and password")
    if not url.startswith(("http://", "https://")):
        raise CommandError(f"{option} must be an http address, not {url!r}")
    if not url.isascii():  # it stands in headers, which have no other letters
        raise CommandError(f"{option} must be ASCII, its host as xn--… and its path percent-encoded, not {url!r}")
    return url.rstrip("/")


def server_url(url: str | None, settings: Settings) -> str:
    """Where the server is: ``--url``, else the public address that the settings give, else this machine.

    Raises CommandError for what is no http address.
    """
    if url is None and settings.public_url:
        return http_address(settings.public_url, variable("public_url"))
    return http_address(url or f"http://127.0.0.1:{settings.port}", "--url")


def program() -> str:
    """How a shell runs this program again: as its user wrote it, or by the name that is found on PATH."""
    path = Path(sys.argv[0])
    if path.name == "__main__.py":
        return shlex.join([sys.executable, "-m", "mockserver"])
    found = shutil.which(path.name)
    if path.is_absolute() and found is not None and Path(found).samefile(path):
        return path.name
    return shlex.quote(sys.argv[0])


def known_accounts(settings: Settings) -> tuple[tuple[Contract, ...], dict[str, AccountData]]:
    """The contracts and the accounts with which a server with these settings starts."""
    contracts = contracts_of(settings)
    return contracts, accounts_of(settings, contracts)


def accounts_of(settings: Settings, contracts: tuple[Contract, ...]) -> dict[str, AccountData]:
    """The accounts with which a server with these settings and contracts starts."""
    registry = Registry(contracts)
    fill_registry(registry, settings, contracts)
    return dict(registry.accounts)


def find_contract(contracts: tuple[Contract, ...], vendor: str) -> Contract:
    """The contract of a vendor. Raises CommandError, which names the known ones, if there is none."""
    for contract in contracts:
        if contract.vendor == vendor:
            return contract
    known = ", ".join(contract.vendor for contract in contracts) or "none"
    raise CommandError(f"there is no vendor {vendor!r}; known: {known}")
