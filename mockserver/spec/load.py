"""All contracts of a server, read together."""

import itertools
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from mockserver.spec.contract import Contract
from mockserver.spec.faults import ContractError, ContractErrors
from mockserver.spec.openapi import read_contract
from mockserver.spec.reader import Reader
from mockserver.spec.source import read

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*")  # it stands in paths and headers


def contract_files(folders: Iterable[Path]) -> list[Path]:
    """The contract files in these folders, by name."""
    return [file for folder in folders for file in sorted(folder.glob("*.yaml"))]


def load_contracts(files: Iterable[Path]) -> tuple[Contract, ...]:
    """Read and check contracts; the file's stem names the vendor.

    Raises ContractErrors with every fault of every file.
    """
    faults: list[ContractError] = []
    contracts: list[tuple[Contract, Reader]] = []
    for file in files:
        name = str(file)
        try:
            text = file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            faults.append(ContractError(name, 1, 1, "", f"cannot be read: {error}"))
            continue
        contract, reader = read_contract(read(name, text), file.stem)
        faults += reader.faults
        if not _WORD.fullmatch(contract.vendor):
            faults.append(ContractError(name, 1, 1, "", f"the file's name must be a plain word, not {file.stem!r}"))
        contracts.append((contract, reader))
    faults += _collisions(contracts)
    if faults:
        raise ContractErrors(faults)
    return tuple(contract for contract, _ in contracts)


def root_path(url: str) -> str:
    """The path of a server's address, without a slash at its end: "" for a bare host."""
    return urlsplit(url).path.rstrip("/")


def _collisions(contracts: list[tuple[Contract, Reader]]) -> list[ContractError]:
    """Two contracts of one name, or two paths that would be one at the root."""
    faults: list[ContractError] = []
    names: dict[str, str] = {}
    paths: dict[str, tuple[str, str, str]] = {}
    for contract, reader in contracts:
        if contract.vendor in names:
            faults.append(
                ContractError(contract.file, 1, 1, "", f"{contract.vendor} is also read from {names[contract.vendor]}")
            )
            continue
        names[contract.vendor] = contract.file
        own = dict.fromkeys(operation.path for operation in contract.operations)
        for base, path in itertools.product(map(root_path, contract.servers), own):
            claim = (contract.vendor, base + path, contract.file)
            owner, claimed, file = paths.setdefault(re.sub(r"\{[^{}]*\}", "{}", base + path), claim)
            if (owner, claimed) != claim[:2]:
                place = reader.source.place(reader.document["paths"], path)
                message = f"the path {base + path} is also claimed by {owner} ({file})"
                faults.append(ContractError(contract.file, place.line, place.column, place.pointer, message))
    return faults
