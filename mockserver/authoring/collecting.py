"""A pytest plugin that makes tests of exchanges: each file of the folders of ``--mockserver-fixtures`` is replayed."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mockserver.authoring.exchange import NO_EXCHANGES, read_exchange
from mockserver.authoring.trial import judged
from mockserver.engine.account import BUILTIN_ACCOUNTS
from mockserver.engine.fixture_case import Replay
from mockserver.engine.sources import Sources
from mockserver.server.application import Application, application_of
from mockserver.server.build import contracts_of
from mockserver.server.settings import Settings
from mockserver.spec.errors import ContractErrors

EXCHANGES = pytest.StashKey["_ExchangeRun"]()
EXCHANGE_DEPTH = 3  # vendor, operation, case


class ExchangeFailure(Exception):  # noqa: N818 -- what a test found, shown without a traceback
    """An answer is not the one that the file shows, or the file is wrong."""


class _ExchangeRun:
    """An application of its own for the exchanges of a run, made when the first one is tried."""

    def __init__(self, config: pytest.Config) -> None:
        self.folders = tuple(Path(folder).resolve() for folder in config.option.mockserver_fixtures)
        contracts = tuple(Path(folder) for folder in config.option.mockserver_contracts or ())
        self._settings = Settings(contracts=contracts, fixtures=self.folders)
        self._made: tuple[Application, dict[str, Any]] | None = None

    def has(self, file: Path) -> bool:
        """Whether a file is an exchange in one of the folders."""
        below = [file.relative_to(folder) for folder in self.folders if file.is_relative_to(folder)]
        is_exchange = file.suffix == ".yaml" and file.name not in NO_EXCHANGES
        return is_exchange and any(len(path.parts) == EXCHANGE_DEPTH for path in below)

    def complaints(self, file: Path) -> list[str]:
        """Where the answer to an exchange is not the one that its file shows. Raises ContractErrors."""
        app, replays = self._application()
        vendor = file.parts[-EXCHANGE_DEPTH]
        contract = next((contract for contract in app.contracts if contract.vendor == vendor), None)
        if contract is None:
            known = ", ".join(contract.vendor for contract in app.contracts)
            return [f"there is no contract of {vendor}: --mockserver-contracts names folders of them; known: {known}"]
        exchange, errors = read_exchange(file, contract)
        if exchange is None:
            return list(map(str, errors))
        for account in BUILTIN_ACCOUNTS:
            asyncio.run(app.store.reset_account(account))  # as if nothing was sent before
        return judged(app, exchange, replays[vendor], set())

    def _application(self) -> tuple[Application, dict[str, Any]]:
        if self._made is None:
            app = application_of(self._settings, contracts_of(self._settings), Sources.real())
            accounts = {account.id: account for account in asyncio.run(app.store.accounts())}
            now = Sources.real().now
            self._made = app, {c.vendor: Replay(c, accounts, now) for c in app.contracts}
        return self._made


def pytest_configure(config: pytest.Config) -> None:
    """The folders are collected with the run, unless single tests are asked for."""
    config.stash[EXCHANGES] = exchanges = _ExchangeRun(config)
    missing = [folder for folder in exchanges.folders if not folder.is_dir()]
    if missing:
        raise pytest.UsageError(f"--mockserver-fixtures: there is no folder {missing[0]}")
    if any("::" in argument for argument in config.args):
        return
    asked = [Path(config.invocation_params.dir, argument).resolve() for argument in config.args]
    further = [folder for folder in exchanges.folders if not any(folder.is_relative_to(path) for path in asked)]
    config.args += [str(folder) for folder in further if str(folder) not in config.args]


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "ExchangeFile | None":
    """A collector for each exchange."""
    if parent.config.stash[EXCHANGES].has(file_path.resolve()):
        return ExchangeFile.from_parent(parent, path=file_path)
    return None


class ExchangeFile(pytest.File):
    """One exchange, which is one test."""

    def collect(self) -> Iterator["ExchangeItem"]:
        vendor, operation, _ = self.path.parts[-EXCHANGE_DEPTH:]
        yield ExchangeItem.from_parent(self, name=f"{vendor}.{operation}/{self.path.stem}")


class ExchangeItem(pytest.Item):
    """Sends what a file shows, and compares."""

    def runtest(self) -> None:
        try:
            found = self.config.stash[EXCHANGES].complaints(self.path.resolve())
        except ContractErrors as errors:
            found = list(map(str, errors.errors))
        if found:
            raise ExchangeFailure("\n".join(found))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The differences, without a traceback."""
        if isinstance(excinfo.value, ExchangeFailure):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, self.name
