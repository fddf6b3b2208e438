"""Paths that several contracts have: their hosts tell them apart, or else the later one is wrong."""

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from mockserver.spec.addresses import root_path
from mockserver.spec.errors import ContractError
from mockserver.spec.model import Contract
from mockserver.spec.reader import Reader


def shared_paths(contracts: Iterable[tuple[Contract, Reader]]) -> tuple[set[str], list[ContractError]]:
    """The vendors that have a path of another, which their hosts tell apart; an error where they do not."""
    shared: set[str] = set()
    errors: list[ContractError] = []
    paths: dict[str, list[tuple[Contract, str]]] = {}
    for contract, reader in contracts:
        for whole, path, template in _whole_paths(contract):
            for other, claimed in paths.setdefault(template, []):
                if other.vendor != contract.vendor and not _hosts_of(other) & _hosts_of(contract):
                    shared |= {other.vendor, contract.vendor}
                elif (other.file, claimed) != (contract.file, whole):
                    message = f"the path {whole} is also claimed by {other.vendor} ({other.file})"
                    errors.append(reader.source.error_at(reader.document["paths"], path, message))
                    break
            else:
                paths[template].append((contract, whole))
    return shared, errors


def _whole_paths(contract: Contract) -> Iterator[tuple[str, str, str]]:
    """The paths of a contract: whole, as it writes them, and whole without the names of parameters."""
    own = dict.fromkeys(operation.path for operation in contract.operations)
    for base, path in itertools.product(dict.fromkeys(map(root_path, contract.servers)), own):
        yield base + path, path, re.sub(r"\{[^{}]*\}", "{}", base + path)


def paths_of_several(contracts: Iterable[Contract]) -> frozenset[str]:
    """The paths, without the names of parameters, that several contracts have."""
    count = Counter(path for contract in contracts for path in {template for _, _, template in _whole_paths(contract)})
    return frozenset(path for path, vendors in count.items() if vendors > 1)


def _hosts_of(contract: Contract) -> frozenset[str]:
    """The hosts of a contract's servers."""
    return frozenset(urlsplit(server).hostname or "" for server in contract.servers)
