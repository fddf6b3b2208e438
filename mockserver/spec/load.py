"""Contracts from their files. All files are read before any error is raised, so that one run names every error."""

import itertools
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mockserver.spec.callbacks import read_callbacks, read_inbound
from mockserver.spec.check import check_pointers
from mockserver.spec.errors import ContractError, ContractErrors
from mockserver.spec.model import Contract, OperationSpec, VendorPage
from mockserver.spec.operations import PLAIN_WORD, read_operations
from mockserver.spec.reader import Reader
from mockserver.spec.security import read_schemes
from mockserver.spec.security_model import Scheme
from mockserver.spec.shared import join_responses
from mockserver.spec.source import Source, read_text, read_yaml, why_unread


def read_contract(source: Source, vendor: str) -> tuple[Contract, Reader]:
    """The contract of a document, and its reader. If the reader has errors, the contract is not to be used."""
    reader = Reader(source, vendor)
    if not isinstance(source.value, dict):
        if not reader.errors:
            reader.error(None, "an OpenAPI document must be a mapping")
        return _empty(source, vendor), reader
    version = str(reader.document.get("openapi", ""))
    if not version.startswith("3.1"):
        another = version if version.startswith("3.0") else str(reader.document.get("swagger", ""))
        said = f": this is {another}, to be converted first" if another else ""
        reader.error(reader.document, f"openapi must be 3.1.x{said}", "openapi" if version else None)
        if another:  # what else would be said of it is that it is no 3.1
            return _empty(source, vendor), reader
    info = reader.mapping(reader.document, "info", required=True)
    block = reader.x_mock(reader.document, "document")
    if "x-mock" not in reader.document:
        reader.error(reader.document, "x-mock is missing: say with 'account' what a customer owns")
    join_responses(reader, block.get("responses", {}))
    schemes = read_schemes(reader)
    operations = read_operations(reader, schemes, block.get("gates", []), block.get("rules", []))
    contract = Contract(
        vendor=vendor,
        title=reader.text(info, "title"),
        version=str(info.get("version", "")),
        file=source.file,
        servers=_servers(reader),
        operations=tuple(operations),
        schemes=tuple(schemes.values()),
        account=block.get("account", {}),
        files=block.get("files", {}),
        claims=_claims(operations, schemes.values()),
        shared=_shared(operations, schemes.values()),
        known=_known(reader, block, operations),
        pages=tuple(VendorPage(page["url"], page["read"]) for page in block.get("pages", [])),
        document=reader.document,
        callbacks=read_callbacks(reader, operations),
        inbound=read_inbound(reader, block),
    )
    check_pointers(reader, contract)
    reader.unread_blocks()
    return contract, reader


def _empty(source: Source, vendor: str) -> Contract:
    return Contract(vendor, "", "", source.file, (), (), (), {}, {}, {}, frozenset(), {}, (), {})


def _servers(reader: Reader) -> tuple[str, ...]:
    if not reader.document.get("servers"):
        reader.error(reader.document, "'servers' is missing: name the vendor's hosts")
    urls = []
    for server in reader.items(reader.document, "servers"):
        url = reader.text(server, "url")
        if _is_address(url):
            urls.append(url.rstrip("/"))
        elif url:
            reader.error(server, "a server needs a full address without variables", "url")
    return tuple(urls)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and "{" not in url
    except ValueError:
        return False


def _claims(operations: Iterable[OperationSpec], schemes: Iterable[Scheme]) -> dict[str, bool]:
    """The account pointers that identify an account, and whether only the digits of their values are compared."""
    claims = {scheme.accept.claim: False for scheme in schemes}
    for operation in operations:
        for owned in operation.owned:
            if not owned.is_inner:
                claims[owned.claim] = claims.get(owned.claim, False) or owned.digits
    return claims


def _known(reader: Reader, block: Mapping[str, Any], operations: Iterable[OperationSpec]) -> dict[str, dict[str, str]]:
    """By path and method, where a method that is not mocked is documented."""
    mocked = {(operation.method, operation.path) for operation in operations}
    known: dict[str, dict[str, str]] = {}
    for name, where in block.get("known", {}).items():
        method, path = name.split(" ", 1)
        if (method, path) in mocked:
            reader.error(block["known"], f"{name} is mocked: the contract has an operation there", name)
        known.setdefault(path, {})[method] = where
    return known


def _shared(operations: Iterable[OperationSpec], schemes: Iterable[Scheme]) -> frozenset[str]:
    """The account pointers that are only ever looked for in a record which is bound already."""
    owned = [owned for operation in operations for owned in operation.owned]
    alone = {one.claim for one in owned if one.within is None} | {scheme.accept.claim for scheme in schemes}
    return frozenset(one.claim for one in owned if one.within is not None) - alone


def contract_files(folders: Iterable[Path]) -> list[Path]:
    """The contract files of these folders, sorted by name in each."""
    return [file for folder in folders for file in sorted(folder.glob("*.yaml"))]


def load_contracts(files: Iterable[Path]) -> tuple[Contract, ...]:
    """Read and check contracts. The stem of a file's name is the vendor's name.

    Raises ContractErrors with every error of every file.
    """
    errors: list[ContractError] = []
    contracts: list[tuple[Contract, Reader]] = []
    for file in files:
        name = str(file)
        try:
            text = read_text(file)
        except (OSError, UnicodeDecodeError) as error:
            errors.append(ContractError(name, 1, 1, "", f"cannot be read: {why_unread(error)}"))
            continue
        contract, reader = read_contract(read_yaml(name, text), file.stem)
        errors += reader.errors
        if not PLAIN_WORD.fullmatch(contract.vendor):
            errors.append(ContractError(name, 1, 1, "", f"the file's name must be a plain word, not {file.stem!r}"))
        contracts.append((contract, reader))
    errors += _collisions(contracts)
    if errors:
        raise ContractErrors(errors)
    return tuple(contract for contract, _ in contracts)


def root_path(url: str) -> str:
    """The path of a server's address without the last slash: "" if there is only a host."""
    return urlsplit(url).path.rstrip("/")


def _collisions(contracts: list[tuple[Contract, Reader]]) -> list[ContractError]:
    """Errors for contracts of the same name, and for paths that two contracts claim at the root."""
    errors: list[ContractError] = []
    names: dict[str, str] = {}
    paths: dict[str, tuple[str, str, str]] = {}
    for contract, reader in contracts:
        if contract.vendor in names:
            errors.append(
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
                errors.append(ContractError(contract.file, place.line, place.column, place.pointer, message))
    return errors
