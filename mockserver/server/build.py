"""From settings to contracts and a store: contracts compiled, built-in accounts and those of a file in place."""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mockserver.engine.account import BUILTIN_ACCOUNTS, other_accounts
from mockserver.engine.sources import Sources
from mockserver.server.certificates import Certificates, TlsIdentity, vendor_hosts
from mockserver.server.settings import Settings, SettingsError
from mockserver.server.system_time import system_time
from mockserver.server.trust_files import write_trust_files
from mockserver.spec.errors import ContractError, ContractErrors
from mockserver.spec.load import NO_DRAFTS, SUFFIXES, contract_files, is_overlay, load_contracts, vendor_of
from mockserver.spec.model import Contract
from mockserver.spec.source import Source, read_text, read_yaml, why_unread
from mockserver.store.accounts import AccountError, Registry
from mockserver.store.kinds import StoreError
from mockserver.store.open_store import open_store
from mockserver.store.parts import StoreParts
from mockserver.store.store import Store

_PACKAGE = Path(__file__).parents[1]


def contracts_folder() -> Path:
    """In a wheel beside the code; in a checkout beside the package."""
    return _first(_PACKAGE / "_contracts", _PACKAGE.parent / "contracts")


def fixtures_folder() -> Path:
    """In a wheel beside the code; in a checkout beside the package."""
    return _first(_PACKAGE / "_fixtures", _PACKAGE.parent / "fixtures")


def _first(packed: Path, checkout: Path) -> Path:
    return packed if packed.is_dir() else checkout


def certificates_of(settings: Settings, contracts: Iterable[Contract]) -> Certificates:
    """The certificates for the contracts' hosts, not made yet; ``settings.tls_files`` is written with them."""

    def say(sentence: str) -> None:
        if settings.log != "off" and sys.stderr is not None:  # the log may not be open yet
            sys.stderr.write(f"mockserver: {sentence}\n")

    def write_files(identity: TlsIdentity) -> None:
        if settings.tls_files is not None:
            write_trust_files(settings.tls_files, identity)

    return Certificates(vendor_hosts(contracts), system_time, say, write_files)


def contracts_of(settings: Settings, drafts: Mapping[Path, Source] = NO_DRAFTS) -> tuple[Contract, ...]:
    """The built-in contracts and those of the given folders, as ``files_of`` has them, and drafts.

    Tests have proven the built-in ones; `mockserver check` and a server that watches them prove them again. Raises
    ContractErrors.
    """
    return load_contracts(files_of(settings), drafts, proven=contracts_folder())


def files_of(settings: Settings) -> list[Path]:
    """The files of the built-in contracts and of the given folders; one of a built-in name takes that one's place.

    Raises ContractErrors.
    """
    missing = [folder for folder in (*settings.contracts, *settings.fixtures) if not folder.is_dir()]
    if missing:
        raise ContractErrors([ContractError(str(f), 1, 1, "", "there is no such folder") for f in missing])
    empty = [folder for folder in settings.contracts if not contract_files([folder])]
    if empty:
        told = f"no contract is here: {', '.join(f'*{suffix}' for suffix in SUFFIXES)}"
        raise ContractErrors([ContractError(str(folder), 1, 1, "", told) for folder in empty])
    own = contract_files(settings.contracts)
    replaced = {vendor_of(file) for file in own if not is_overlay(file)}
    builtin = contract_files([contracts_folder()]) if settings.builtin else []
    return [*(file for file in builtin if vendor_of(file) not in replaced), *own]


def corrections_of(settings: Settings) -> list[str]:
    """A sentence for each file of the user's own that takes a built-in contract's place, or changes it."""
    builtin = {vendor_of(file) for file in contract_files([contracts_folder()])} if settings.builtin else set()
    return [
        f"{vendor_of(file)} is {'changed' if is_overlay(file) else 'replaced'} by {file}"
        for file in contract_files(settings.contracts)
        if vendor_of(file) in builtin
    ]


def store_of(
    settings: Settings, contracts: tuple[Contract, ...], sources: Sources, registry: Registry | None = None
) -> Store:
    """The store of the settings, with the built-in accounts and those of ``settings.accounts``.

    Raises ContractErrors, and SettingsError where the store cannot be opened.
    """
    registry = registry or Registry(contracts)
    fill_registry(registry, settings, contracts)
    parts = StoreParts(
        contracts,
        registry,
        sources,
        settings.max_journal_calls,
        settings.max_journal_bytes,
        settings.max_accounts,
        settings.course_pace,
    )
    try:
        return open_store(settings.store, parts)
    except StoreError as error:
        raise SettingsError(f"store: {error}") from error


def given_values(settings: Settings, contracts: Iterable[Contract]) -> dict[str, dict[str, Any]]:
    """By vendor and built-in account, the values that fixtures give. Raises ContractErrors."""
    found = [_fixture(settings, contract.vendor) for contract in contracts]
    return {vendor: source.value for vendor, source in found if source is not None}


def fill_registry(registry: Registry, settings: Settings, contracts: Iterable[Contract]) -> None:
    """Add the built-in accounts and those of ``settings.accounts``. Raises ContractErrors."""
    contracts = tuple(contracts)
    evidence = [_fixture(settings, contract.vendor) for contract in contracts]
    errors = [error for _, source in evidence if source is not None for error in other_accounts(source)]
    for account_id in BUILTIN_ACCOUNTS:
        vendors = {v: s.value[account_id] for v, s in evidence if s is not None and account_id in s.value}
        files = {v: s for v, s in evidence if s is not None}
        try:
            registry.add(account_id, vendors, lasting=True)
        except AccountError as error:
            error.account = account_id
            raise ContractErrors([*errors, _misfit(contracts, files, error)]) from error
    if errors:
        raise ContractErrors(errors)
    if settings.accounts is not None:
        _add_accounts(registry, settings.accounts)


def misfit(settings: Settings, contracts: Iterable[Contract], error: AccountError) -> ContractError:
    """Why an account cannot be: at what its vendor's file gives, or else at what the contract makes of it."""
    contracts = tuple(contracts)
    found = (_fixture(settings, contract.vendor) for contract in contracts)
    return _misfit(contracts, {vendor: source for vendor, source in found if source is not None}, error)


def _misfit(contracts: Iterable[Contract], files: Mapping[str, Source], error: AccountError) -> ContractError:
    vendor, slash, below = error.pointer.removeprefix("/vendors/").partition("/")
    below = slash + below
    if vendor in files:
        return error_at(files[vendor], f"/{error.account}{below}", str(error))
    for contract in contracts:
        if contract.vendor == vendor and Path(contract.file).is_file():
            source = read_yaml(contract.file, Path(contract.file).read_text("utf-8"))
            return error_at(source, f"/x-mock/account{below}", str(error))
    return error_at(None, f"/{error.account}{below}", str(error))


def _fixture(settings: Settings, vendor: str) -> tuple[str, Source | None]:
    folders = [*settings.fixtures, *([fixtures_folder()] if settings.builtin else [])]
    for folder in folders:
        file = folder / vendor / "accounts.yaml"
        if file.exists():
            return vendor, _mapping(file, dict)
    return vendor, None


def _mapping(file: Path, *kinds: type) -> Source:
    try:
        text = read_text(file)
    except (OSError, UnicodeDecodeError) as error:
        raise ContractErrors([ContractError(str(file), 1, 1, "", f"cannot be read: {why_unread(error)}")]) from error
    source = read_yaml(str(file), text)
    if source.errors:
        raise ContractErrors(source.errors)
    if not isinstance(source.value, kinds):
        raise ContractErrors([ContractError(str(file), 1, 1, "", "must be a mapping")])
    return source


def _add_accounts(registry: Registry, file: Path) -> None:
    """Accounts in the control API's shape: one, or a list of them."""
    source = _mapping(file, dict, list)
    items: list[Any] = source.value if isinstance(source.value, list) else [source.value]
    for number, item in enumerate(items):
        prefix = f"/{number}" if isinstance(source.value, list) else ""
        if not isinstance(item, Mapping) or not item.keys() <= {"id", "vendors"}:
            raise ContractErrors([error_at(source, prefix, "an account is {id, vendors: {vendor: {…}}}")])
        vendors = item.get("vendors", {})
        if not isinstance(item.get("id"), str) or not isinstance(vendors, Mapping):
            raise ContractErrors([error_at(source, prefix, "an account needs an 'id' and a mapping 'vendors'")])
        try:
            registry.add(item["id"], vendors, lasting=True)
        except AccountError as error:
            raise ContractErrors([error_at(source, prefix + error.pointer, str(error))]) from error


def error_at(source: Source | None, pointer: str, message: str) -> ContractError:
    """An error at the deepest place of the pointer that the file shows."""
    if source is None:
        return ContractError("x-mock.account", 1, 1, pointer, message)
    container: Any = source.value
    place = source.place(container)
    for token in pointer.split("/")[1:]:
        key: Any = int(token) if isinstance(container, list) and token.isdigit() else token
        if not isinstance(container, dict | list) or (isinstance(container, dict) and key not in container):
            break
        place = source.place(container, key)
        container = container[key]
    return ContractError(source.file, place.line, place.column, pointer, message)
