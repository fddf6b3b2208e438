"""Contracts and fixtures that change on disk while they are served: checked again, and taken if they are right.

A look asks each file's time and size twice a second. That costs less than a millisecond, needs no other package, and
works on every file system, of containers and of networks too, where notices from the system do not come.
"""

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mockserver.server.build import contracts_folder, files_of, fixtures_folder, given_values, misfit
from mockserver.server.control.requests import Watched
from mockserver.server.live_registry import Given
from mockserver.server.settings import Settings
from mockserver.spec.errors import ContractErrors
from mockserver.spec.load import SUFFIXES, load_contracts, vendor_of
from mockserver.spec.model import Contract
from mockserver.spec.source import Source, check_regular
from mockserver.store.accounts import AccountError

LOOK_SECONDS = 0.5  # between two looks
QUIET_SECONDS = 0.1  # without a change, before files are read: an editor may write in parts

ReadDraft = Callable[[Path], tuple[Path, Source]]
Stamps = Mapping[str, tuple[int, int]]  # by file, its time and size
Swap = Callable[[tuple[Contract, ...], Given, set[str]], None]


class FileWatch:
    """Watches the files of one server: ``swap`` takes what they are now, ``say`` is told what a user should know."""

    def __init__(
        self,
        settings: Settings,
        contracts: tuple[Contract, ...],
        drafts: Iterable[Path],
        read_draft: ReadDraft,
        watched: Watched,
    ) -> None:
        self.state = watched
        self.state.is_on = True
        self._settings = settings
        self._drafts = tuple(drafts)
        self._read_draft = read_draft
        self._served = {contract.vendor: contract for contract in contracts}
        self._given: Given = given_values(settings, contracts)
        self._digests = self._digests_now()
        self._seen = self._stamps()

    async def run(self, swap: Swap, say: Callable[[str], None]) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look(swap, say)

    async def look(self, swap: Swap, say: Callable[[str], None]) -> None:
        """Take what has changed since the last look, once nothing changes any more."""
        stamps = await asyncio.to_thread(self._stamps)
        if stamps == self._seen:
            return
        while stamps != self._seen:
            self._seen = stamps
            await asyncio.sleep(QUIET_SECONDS)
            stamps = await asyncio.to_thread(self._stamps)
        try:
            contracts, given, digests = await asyncio.to_thread(self._read)
            regiven = {c.vendor for c in contracts if given.get(c.vendor) != self._given.get(c.vendor)}
            swap(contracts, given, regiven)
        except ContractErrors as errors:
            self._refuse("; ".join(map(str, errors.errors)), say)
            return
        except AccountError as error:
            self._refuse(str(misfit(self._settings, contracts, error)), say)
            return
        changed = [c.vendor for c in contracts if self._served.get(c.vendor) is not c or c.vendor in regiven]
        gone = self._served.keys() - {contract.vendor for contract in contracts}
        self._served = {contract.vendor: contract for contract in contracts}
        self._digests, self._given = digests, given
        self.state.swaps += 1
        self.state.error = ""
        told = [*changed, *(f"{vendor}, which is gone" for vendor in sorted(gone))]
        say(f"contracts are taken as they are on disk now: {', '.join(told) or 'nothing is different'}")

    def _refuse(self, error: str, say: Callable[[str], None]) -> None:
        """Keep what is served, and say why, once."""
        if error != self.state.error:
            say(f"what is on disk is not taken, and the contracts before it are served: {error}")
        self.state.error = error

    def _read(self) -> tuple[tuple[Contract, ...], Given, dict[str, bytes]]:
        """All contracts as they are on disk; the same objects where nothing is different. Raises ContractErrors."""
        digests = self._digests_now()
        drafts = dict(map(self._read_draft, self._drafts))
        read = load_contracts(files_of(self._settings), drafts)
        contracts = tuple(self._same_or(contract, digests) for contract in read)
        return contracts, given_values(self._settings, contracts), digests

    def _same_or(self, contract: Contract, digests: Mapping[str, bytes]) -> Contract:
        served = self._served.get(contract.vendor)
        is_same = served is not None and self._digests.get(contract.vendor) == digests.get(contract.vendor)
        if served is None or not is_same:
            return contract
        alike = served.shares_paths == contract.shares_paths
        return served if alike else replace(served, shares_paths=contract.shares_paths)

    def _digests_now(self) -> dict[str, bytes]:
        """By vendor, a digest of its files."""
        hashes: dict[str, Any] = {}
        for file in (*_contract_files(self._settings), *self._drafts):
            try:
                check_regular(file)
                content = file.read_bytes()
            except OSError:
                continue  # whoever reads it says why it cannot be read
            hashes.setdefault(vendor_of(file), hashlib.blake2b(digest_size=16)).update(
                b"%s\0%s" % (bytes(file), content)
            )
        return {vendor: made.digest() for vendor, made in hashes.items()}

    def _stamps(self) -> Stamps:
        """The time and size of each file that is read."""
        found = {}
        for file in (*_contract_files(self._settings), *_account_files(self._settings), *self._drafts):
            try:
                status = file.stat()
            except OSError:
                continue  # it is gone, or not there yet
            found[str(file)] = (status.st_mtime_ns, status.st_size)
        return found


def _contract_files(settings: Settings) -> list[Path]:
    folders = [*settings.contracts, *([contracts_folder()] if settings.builtin else [])]
    return [file for folder in folders for file in sorted(folder.glob("*")) if file.suffix in SUFFIXES]


def _account_files(settings: Settings) -> list[Path]:
    folders = [*settings.fixtures, *([fixtures_folder()] if settings.builtin else [])]
    return [file for folder in folders for file in sorted(folder.glob("*/accounts.yaml"))]
