"""All contracts of a server, read together."""

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from mockserver.spec.contract import Contract
from mockserver.spec.faults import ContractError, ContractErrors
from mockserver.spec.openapi import read_contract
from mockserver.spec.source import read


def contract_files(folders: Iterable[Path]) -> list[Path]:
    """The contract files in these folders, by name."""
    return [file for folder in folders for file in sorted(folder.glob("*.yaml"))]


def load_contracts(files: Iterable[Path]) -> tuple[Contract, ...]:
    """Read and check contracts; the file's stem names the vendor.

    Raises ContractErrors with every fault of every file.
    """
    faults: list[ContractError] = []
    contracts: list[Contract] = []
    for file in files:
        name = str(file)
        try:
            text = file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            faults.append(ContractError(name, 1, 1, "", f"cannot be read: {error}"))
            continue
        contract, reader = read_contract(read(name, text), file.stem)
        faults += reader.faults
        if not contract.vendor.isidentifier() or contract.vendor.startswith("_"):
            faults.append(ContractError(name, 1, 1, "", f"the file's name must be a plain word, not {file.stem!r}"))
        contracts.append(contract)
    faults += _collisions(contracts)
    if faults:
        raise ContractErrors(faults)
    return tuple(contracts)


def root_path(url: str) -> str:
    """The path of a server's address, without a slash at its end: "" for a bare host."""
    return urlsplit(url).path.rstrip("/")


def _collisions(contracts: list[Contract]) -> list[ContractError]:
    """Two contracts of one name, or claiming one path at the root."""
    faults: list[ContractError] = []
    names: dict[str, str] = {}
    paths: dict[str, tuple[str, str]] = {}
    for contract in contracts:
        if contract.vendor in names:
            faults.append(
                ContractError(contract.file, 1, 1, "", f"{contract.vendor} is also read from {names[contract.vendor]}")
            )
            continue
        names[contract.vendor] = contract.file
        for path in sorted({root_path(s) + o.path for s in contract.servers for o in contract.operations}):
            shape = "/".join("{}" if part.startswith("{") else part for part in path.split("/"))
            owner, file = paths.setdefault(shape, (contract.vendor, contract.file))
            if owner != contract.vendor:
                message = f"the path {path} is also claimed by {owner} ({file})"
                faults.append(ContractError(contract.file, 1, 1, "/paths", message))
    return faults
