"""Contracts from their files. All files are read before any error is raised, so that one run names every error."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from mockserver.spec.callbacks import read_callbacks, read_inbound
from mockserver.spec.errors import ContractError, ContractErrors
from mockserver.spec.model import Contract, OperationSpec, VendorPage
from mockserver.spec.openapi30 import NOTE, read_as_31
from mockserver.spec.operations import PLAIN_WORD, read_operations
from mockserver.spec.overlay import apply_overlay, blamed
from mockserver.spec.reader import Reader
from mockserver.spec.security import read_schemes
from mockserver.spec.security_model import Scheme
from mockserver.spec.shared import METHODS, join_responses
from mockserver.spec.shared_paths import shared_paths
from mockserver.spec.source import Source, check_regular, read_text, read_yaml, why_unread

NO_DRAFTS: Mapping[Path, Source] = MappingProxyType({})
SUFFIXES = (".yaml", ".yml", ".json")  # of contracts
OVERLAY = ".overlay"  # stands before the suffix of a file that changes the contract of its name


def read_contract(
    source: Source, vendor: str, *, is_draft: bool = False, is_proven: bool = False
) -> tuple[Contract, Reader]:
    """The contract of a document, and its reader. If the reader has errors, the contract is not to be used.

    Of a draft, what is unfinished is no error, and no answer claims any evidence. Of one that is proven, what an author
    may have mistaken is not looked for: that takes a quarter of the time.
    """
    reader = Reader(source, vendor, is_draft=is_draft, is_proven=is_proven)
    if not isinstance(source.value, dict):
        if not reader.errors:
            reader.error(None, "an OpenAPI document must be a mapping")
        return _empty(source, vendor), reader
    version = str(reader.document.get("openapi", ""))
    notes: tuple[str, ...] = ()
    if version.startswith("3.0"):
        read_as_31(reader.document)
        version, notes = "3.1", (NOTE,)
    if not version.startswith("3.1"):
        another = version or str(reader.document.get("swagger", ""))
        said = f", or 3.0.x: this is {another}" if another else ", or 3.0.x"
        reader.error(reader.document, f"openapi must be 3.1.x{said}", "openapi" if version else None)
        if another:  # what else would be said of it is that it is none of these
            return _empty(source, vendor), reader
    if _is_raw(reader) and not is_draft:
        told = "a raw OpenAPI document, without x-mock: `mockserver contract import` makes a contract of it"
        reader.unfinished(reader.document, told)
        return _empty(source, vendor), reader
    block = reader.x_mock(reader.document, "document")
    if "x-mock" not in reader.document:
        reader.unfinished(reader.document, "x-mock is missing: say with 'account' what a customer owns")
    join_responses(reader, block.get("responses", {}))
    if not is_proven:
        from mockserver.spec import proof  # noqa: PLC0415 -- ten modules that a proven contract spares

        proof.prove_keys(reader)
    info = reader.mapping(reader.document, "info", required=True)
    schemes = read_schemes(reader)
    operations = read_operations(reader, schemes, block.get("gates", []), block.get("rules", []))
    contract = Contract(
        vendor=vendor,
        title=reader.text(info, "title") if isinstance(reader.document.get("info"), dict) else "",
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
        notes=notes,
    )
    if not is_proven:
        contract = replace(contract, notes=(*notes, *proof.prove(reader, contract)))
    return contract, reader


def _is_raw(reader: Reader) -> bool:
    """Whether a document says nothing in our words, neither at its top nor at an operation."""
    nodes: list[Any] = [reader.document]
    paths = reader.document.get("paths")
    for item in paths.values() if isinstance(paths, dict) else ():
        nodes += [item[method] for method in METHODS if method in item] if isinstance(item, dict) else []
    return "paths" in reader.document and not any(isinstance(node, dict) and "x-mock" in node for node in nodes)


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
            reader.error(server, "a server needs a full address without variables, in ASCII", "url")
    return tuple(urls)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in {"http", "https"}
            and bool(parts.hostname)
            and parts.port != 0
            and "{" not in url
            and url.isascii()
        )
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


def vendor_of(file: Path) -> str:
    """The vendor whose contract a file is, or changes: the stem of its name."""
    return file.stem.removesuffix(OVERLAY)


def is_overlay(file: Path) -> bool:
    """Whether a file changes the contract of its name instead of being one."""
    return file.stem.endswith(OVERLAY)


def contract_files(folders: Iterable[Path]) -> list[Path]:
    """The contract files of these folders, overlays among them, sorted by name in each.

    A folder may hold other JSON files, accounts for instance: without its first word a JSON file is no contract.
    """
    files = (file for folder in folders for file in sorted(folder.glob("*")) if file.suffix in SUFFIXES)
    return [file for file in files if file.suffix != ".json" or _is_contract(file)]


def _is_contract(file: Path) -> bool:
    try:
        check_regular(file)
        text = file.read_bytes()
    except OSError:
        return True  # whoever reads it says why it cannot be read
    return b'"openapi"' in text or b'"overlay"' in text


def load_contracts(
    files: Iterable[Path], drafts: Mapping[Path, Source] = NO_DRAFTS, proven: Path | None = None
) -> tuple[Contract, ...]:
    """Read and check contracts. The stem of a file's name is the vendor's name; an overlay changes its contract.

    Those of the folder ``proven`` have been checked before, unless an overlay changes them. Raises ContractErrors with
    every error of every file.
    """
    contracts, errors = read_contracts(files, drafts, proven)
    if errors:
        raise ContractErrors(errors)
    return contracts


def read_contracts(
    files: Iterable[Path], drafts: Mapping[Path, Source] = NO_DRAFTS, proven: Path | None = None
) -> tuple[tuple[Contract, ...], list[ContractError]]:
    """The contracts of files, and every error in them. ``drafts`` are files that are read as such.

    What is in the folder ``proven`` needs no proof.
    """
    errors: list[ContractError] = []
    contracts: list[tuple[Contract, Reader]] = []
    files = list(files)
    overlays = [file for file in files if is_overlay(file)]
    for file in [*(file for file in files if not is_overlay(file)), *drafts]:
        changing = tuple(overlay for overlay in overlays if vendor_of(overlay) == file.stem)
        found, wrong = read_file(file, changing, drafts.get(file), is_proven=file.parent == proven)
        errors += wrong
        contracts += found
    vendors = {contract.vendor for contract, _ in contracts}
    for overlay in overlays:
        if vendor_of(overlay) not in vendors:
            known = ", ".join(sorted(vendors)) or "none"
            message = f"there is no contract {vendor_of(overlay)!r} that it could change; there are: {known}"
            errors.append(ContractError(str(overlay), 1, 1, "", message))
    errors += _same_names(contracts)
    shared, clashes = shared_paths(contracts)
    errors += clashes
    return tuple(replace(c, shares_paths=True) if c.vendor in shared else c for c, _ in contracts), errors


def read_file(
    file: Path, overlays: Iterable[Path] = (), draft: Source | None = None, *, is_proven: bool = False
) -> tuple[list[tuple[Contract, Reader]], list[ContractError]]:
    """The contract of one file, changed by these overlays, with its reader, and every error in them.

    There is no contract where the file cannot be read. A file that is a draft has been read already. One that is proven
    is no longer where an overlay changes it.
    """
    errors: list[ContractError] = []
    source = draft or _source(file, errors)
    if source is None:
        return [], errors
    for overlay in overlays:
        changes = _source(overlay, errors)
        if changes is not None:
            errors += apply_overlay(source, changes)
    is_proven = is_proven and not source.changes
    contract, reader = read_contract(source, file.stem, is_draft=draft is not None, is_proven=is_proven)
    if source.changes and reader.errors:
        before = _source(file, [])
        without = read_contract(before, file.stem)[1].errors if before is not None else []
        reader.errors = blamed(source, reader.errors, without)
    errors += reader.errors
    if not PLAIN_WORD.fullmatch(contract.vendor):
        message = f"the file's name must be a plain word, not {file.stem!r}"
        errors.append(ContractError(str(file), 1, 1, "", message))
    return [(contract, reader)], errors


def _source(file: Path, errors: list[ContractError]) -> Source | None:
    try:
        return read_yaml(str(file), read_text(file))
    except (OSError, UnicodeDecodeError) as error:
        errors.append(ContractError(str(file), 1, 1, "", f"cannot be read: {why_unread(error)}"))
        return None


def _same_names(contracts: list[tuple[Contract, Reader]]) -> list[ContractError]:
    names: dict[str, str] = {}
    errors = []
    for contract, _ in contracts:
        if names.setdefault(contract.vendor, contract.file) != contract.file:
            message = f"{contract.vendor} is also read from {names[contract.vendor]}"
            errors.append(ContractError(contract.file, 1, 1, "", message))
    return errors
