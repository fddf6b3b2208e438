"""An OpenAPI 3.1 document to a Contract: the whole, of whose parts the neighbours each read one."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from mockserver.spec.check import check_pointers
from mockserver.spec.contract import Contract, Operation, Scheme
from mockserver.spec.operations import read_operations
from mockserver.spec.reader import Reader
from mockserver.spec.security import read_schemes
from mockserver.spec.source import Source


def read_contract(source: Source, vendor: str) -> tuple[Contract, Reader]:
    """The contract of a document. Its faults are in the reader; with any, the contract is not to be used."""
    reader = Reader(source, vendor)
    if not isinstance(source.value, dict):
        if not reader.faults:
            reader.fault(None, "an OpenAPI document must be a mapping")
        return _empty(source, vendor), reader
    if not str(reader.document.get("openapi", "")).startswith("3.1"):
        reader.fault(reader.document, "openapi must be 3.1.x", "openapi")
    info = reader.mapping(reader.document, "info", required=True)
    block = reader.x_mock(reader.document, "document")
    if "x-mock" not in reader.document:
        reader.fault(reader.document, "x-mock is missing: say with 'account' what a customer owns")
    schemes = read_schemes(reader)
    operations = read_operations(reader, schemes)
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
        document=reader.document,
    )
    check_pointers(reader, contract)
    reader.unread_blocks()
    return contract, reader


def _empty(source: Source, vendor: str) -> Contract:
    return Contract(vendor, "", "", source.file, (), (), (), {}, {}, {}, {})


def _servers(reader: Reader) -> tuple[str, ...]:
    if not reader.document.get("servers"):
        reader.fault(reader.document, "'servers' is missing: name the vendor's hosts")
    urls = []
    for server in reader.items(reader.document, "servers"):
        url = reader.text(server, "url")
        if _is_address(url):
            urls.append(url.rstrip("/"))
        elif url:
            reader.fault(server, "a server needs a full address without variables", "url")
    return tuple(urls)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and "{" not in url
    except ValueError:
        return False


def _claims(operations: Iterable[Operation], schemes: Iterable[Scheme]) -> dict[str, bool]:
    """Each account pointer by whose values accounts are recognised, and whether by digits only."""
    claims = {scheme.accept.claim: False for scheme in schemes}
    for operation in operations:
        for owned in operation.owned:
            claims[owned.claim] = claims.get(owned.claim, False) or owned.digits
    return claims
