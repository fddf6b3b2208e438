"""Paths to operations: at the root, under ``/{vendor}``, and by the vendor's own host."""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from mockserver.spec.load import root_path
from mockserver.spec.model import Contract, OperationSpec

_PARAMETER = re.compile(r"\{[^{}]+\}")
MOST_SEGMENTS = 100  # of a path; more is nobody's


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The operations of one path by method, and who answers a method that is none of them."""

    operations: dict[str, OperationSpec]
    otherwise: OperationSpec
    allow: bytes


@dataclass(slots=True)
class _Node:
    """Where a path can go on from here: by a segment of this name, by any other, or not at all."""

    named: dict[str, "_Node"] = field(default_factory=dict)
    other: "_Node | None" = None
    endpoint: Endpoint | None = None
    names: tuple[str, ...] = ()

    def grow(self, path: str, endpoint: Endpoint) -> None:
        """Add a path whose parameters are whole segments."""
        node, names = self, []
        for segment in path.split("/")[1:]:
            if _PARAMETER.fullmatch(segment):
                names.append(segment[1:-1])
                node.other = node.other or _Node()
                node = node.other
            else:
                node = node.named.setdefault(segment, _Node())
        node.endpoint, node.names = endpoint, tuple(names)

    def find(self, segments: list[str], values: tuple[str, ...] = ()) -> tuple["_Node", tuple[str, ...]] | None:
        """The node of a path and its parameters; a segment that has a name goes before one that is a parameter."""
        if not segments:
            return (self, values) if self.endpoint is not None else None
        first, rest = segments[0], segments[1:]
        named = self.named.get(first)
        found = named.find(rest, values) if named is not None else None
        if found is None and self.other is not None and first:
            return self.other.find(rest, (*values, first))
        return found


@dataclass(slots=True)
class _Paths:
    """Paths of some contracts: without parameters, with whole segments as parameters, and with parts of segments.

    However many there are of the first two, a look takes the same time.
    """

    fixed: dict[str, dict[str, OperationSpec]] = field(default_factory=dict)
    shaped: dict[str, dict[str, OperationSpec]] = field(default_factory=dict)
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    tree: _Node = field(default_factory=_Node)
    patterns: list[tuple[re.Pattern[str], tuple[str, ...], Endpoint]] = field(default_factory=list)

    def add(self, contract: Contract) -> None:
        for base in dict.fromkeys(map(root_path, contract.servers)):
            for operation in contract.operations:
                table = self.shaped if "{" in operation.path else self.fixed
                table.setdefault(base + operation.path, {})[operation.method] = operation

    def compile(self) -> None:
        self.endpoints = {path: _endpoint(operations) for path, operations in self.fixed.items()}
        for path, operations in self.shaped.items():
            if all("{" not in segment or _PARAMETER.fullmatch(segment) for segment in path.split("/")):
                self.tree.grow(path, _endpoint(operations))
            else:
                self.patterns.append((*_pattern(path), _endpoint(operations)))

    def find(self, path: str, raw_path: bytes) -> tuple[Endpoint, dict[str, str]] | None:
        endpoint = self.endpoints.get(path)
        if endpoint is not None:
            return endpoint, {}
        text = raw_path.decode("latin-1")
        rooted = text.startswith("/") and text.count("/") <= MOST_SEGMENTS
        found = self.tree.find(text.split("/")[1:]) if rooted else None
        if found is not None and found[0].endpoint is not None:
            return found[0].endpoint, dict(zip(found[0].names, map(unquote, found[1]), strict=True))
        for pattern, names, endpoint in self.patterns:
            match = pattern.fullmatch(text)
            if match is not None:
                return endpoint, dict(zip(names, map(unquote, match.groups()), strict=True))
        return None


class Router:
    """Finds the endpoint of a request. A path that fits none is never dressed as a vendor's."""

    def __init__(self, contracts: Iterable[Contract]) -> None:
        self._root = _Paths()
        self._vendors: dict[str, _Paths] = {}
        self._hosts: dict[str, _Paths] = {}
        for contract in contracts:
            self._vendors.setdefault(contract.vendor, _Paths()).add(contract)
            self._root.add(contract)
            for host in {urlsplit(server).hostname for server in contract.servers} - {None}:
                self._hosts.setdefault(str(host), _Paths()).add(contract)  # two vendors may share one
        for paths in (self._root, *self._vendors.values(), *self._hosts.values()):
            paths.compile()

    def find(self, host: bytes, path: str, raw_path: bytes) -> tuple[Endpoint, dict[str, str]] | None:
        """The endpoint and its path parameters; ``raw_path`` is still percent-encoded."""
        by_host = self._hosts.get(_hostname(host))
        if by_host is not None:
            return by_host.find(path, raw_path)
        endpoint = self._root.endpoints.get(path)
        if endpoint is not None:
            return endpoint, {}
        found = self._root.find(path, raw_path)
        if found is not None:
            return found
        vendor = path[1:].partition("/")[0]
        prefixed = self._vendors.get(vendor)
        if prefixed is None:
            return None
        return prefixed.find(path[len(vendor) + 1 :], raw_path[len(vendor) + 1 :])

    def nearest(self, path: str) -> list[str]:
        """At most three operations whose paths look most like this one: ``POST /path (vendor.operation)``."""
        paths = {**self._root.fixed, **self._root.shaped}
        near = difflib.get_close_matches(path[:200], list(paths), n=3, cutoff=0.0)
        return [f"{', '.join(sorted(paths[known]))} {known} ({next(iter(paths[known].values())).id})" for known in near]


@lru_cache(maxsize=256)
def _hostname(host: bytes) -> str:
    """A ``Host`` header without its port."""
    return host.decode("latin-1").partition(":")[0].lower()


def _endpoint(operations: dict[str, OperationSpec]) -> Endpoint:
    originals = [o for o in operations.values() if o.spelling == o.name]
    allow = ", ".join(sorted(operations)).encode("ascii")
    return Endpoint(operations, (originals or list(operations.values()))[0], allow)


def _pattern(path: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    """``/sms/{id}/send`` as a pattern, and the names of its groups."""
    parts = re.split(r"\{([^{}]+)\}", path)
    text = "".join("([^/]+)" if number % 2 else re.escape(part) for number, part in enumerate(parts))
    return re.compile(text), tuple(parts[1::2])
