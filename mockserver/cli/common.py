"""What several commands share: settings from options, contracts, one account, clear endings."""

import functools
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from mockserver.engine.account import AccountData
from mockserver.server.build import contracts_of, fill_registry
from mockserver.server.settings import Settings, SettingsError, from_environment
from mockserver.spec.errors import ContractErrors
from mockserver.spec.model import Contract
from mockserver.store.accounts import Registry

DEFAULT_URL = "http://127.0.0.1:8080"


class CommandError(click.ClickException):
    """A user's mistake, told in one line; exit code 2."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        click.echo(f"mockserver: {self.message}", err=True, file=file)


def contract_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which contracts and accounts there are; they arrive as ``settings``."""

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
    @click.option("--no-builtin", is_flag=True, help="Leave the built-in contracts out.")
    @click.option(
        "--accounts",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="Further accounts, in the control API's shape.",
    )
    @functools.wraps(command)
    def with_settings(
        contracts: tuple[Path, ...], fixtures: tuple[Path, ...], no_builtin: bool, accounts: Path | None, **rest: Any
    ) -> Any:
        settings = environment_settings()
        given: dict[str, Any] = {}
        if contracts:
            given["contracts"] = contracts
        if fixtures:
            given["fixtures"] = fixtures
        if no_builtin:
            given["builtin"] = False
        if accounts:
            given["accounts"] = accounts
        return command(settings=replace(settings, **given), **rest)

    return with_settings


def environment_settings() -> Settings:
    """Settings from MOCKSERVER_*; a bad one ends the command."""
    try:
        return from_environment()
    except SettingsError as error:
        raise CommandError(str(error)) from error


def ending_with_findings(command: Callable[..., Any]) -> Callable[..., Any]:
    """Let errors of contracts and account files end a command with exit code 1, a line each; a bad path with 2."""

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
    """The address without a slash at its end; a usage error where it is none."""
    if not url.startswith(("http://", "https://")):
        raise CommandError(f"{option} must be an http address, not {url!r}")
    return url.rstrip("/")


def known_accounts(settings: Settings) -> tuple[tuple[Contract, ...], dict[str, AccountData]]:
    """The contracts, and the accounts that a server with these settings starts with."""
    contracts = contracts_of(settings)
    registry = Registry(contracts)
    fill_registry(registry, settings, contracts)
    return contracts, dict(registry.accounts)


def find_contract(contracts: tuple[Contract, ...], vendor: str) -> Contract:
    """The contract of a vendor; a usage error names the known ones."""
    for contract in contracts:
        if contract.vendor == vendor:
            return contract
    known = ", ".join(contract.vendor for contract in contracts) or "none"
    raise CommandError(f"there is no vendor {vendor!r}; known: {known}")
