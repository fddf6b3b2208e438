"""Documented paths as Starlette routes: at the root, under ``/{vendor}``, and at the vendor's own host.

A list of routes is asked one after another; an index of the same routes answers in one look.
"""

import difflib
import re
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from starlette.routing import BaseRoute, Match, Router
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from mockserver.spec.addresses import OUR_PATH, PATH_CHARACTERS, PATH_PARAMETER, root_path
from mockserver.spec.model import Contract, OperationSpec
from mockserver.spec.shared_paths import paths_of_several

CONTROL = OUR_PATH
BELONGS_ELSEWHERE = "mockserver.belongs_elsewhere"  # a scope's member: the vendor's host that has the path
MAX_HOST_HEADERS = 256  # remembered
MAX_HOST_LENGTH = 300  # bytes; a name in the DNS has 253 at most

PATH_AS_SENT = "mockserver.path"  # in a scope: the path that came, and as routes read it
_UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"  # RFC 3986, 2.3
_NEEDLESS = {form % ord(character): character for form in ("%%%02X", "%%%02x") for character in _UNRESERVED}
_NEEDLESS_ESCAPE = re.compile("%(?:2[DEde]|3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa]|5[Ff]|7[Ee])")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The operations of one path by method, and who answers a method that is none of them.

    ``known`` are methods of the path that a vendor documents and nobody answers here. A path may have those only.
    """

    operations: dict[str, OperationSpec]
    known: dict[str, "KnownMethod"]
    otherwise: OperationSpec | None
    allow: bytes


@dataclass(frozen=True, slots=True)
class KnownMethod:
    """A method that a vendor documents and nobody answers here: its name, and where it is documented."""

    vendor: str
    name: str
    where: str


Responder = Callable[[Endpoint, dict[str, str], Scope, Receive, Send], Coroutine[Any, Any, None]]
UnknownPath = Callable[[list[str], Scope, Receive, Send], Awaitable[None]]  # given the nearest operations


class VendorRoute(BaseRoute):
    """One spelling of one documented path. It takes every method: a wrong one gets the contract's answer.

    ``path`` is the whole template. ``host`` is the only host that has it; without one, all but ``other_hosts`` do.
    ``vendor`` is the vendor below whose name the path stands, as in ``/{vendor}/path``.
    """

    def __init__(  # noqa: PLR0913 -- what tells a spelling from the others
        self,
        path: str,
        endpoint: Endpoint,
        answer: Responder,
        *,
        host: str | None = None,
        other_hosts: frozenset[str] = frozenset(),
        vendor: str | None = None,
    ) -> None:
        self.path = path
        self.endpoint = endpoint
        self.answer = answer
        self.host = host
        self.other_hosts = other_hosts
        self.vendor = vendor
        self.names = tuple(PATH_PARAMETER.findall(path))

    @property
    def has_whole_parameters(self) -> bool:
        """Whether each parameter is a segment of its own."""
        return all("{" not in segment or PATH_PARAMETER.fullmatch(segment) for segment in self.path.split("/"))

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What the path matches; a group for each parameter."""
        parts = PATH_PARAMETER.split(self.path)
        return re.compile(
            "".join("([^/]+)" if number % 2 else re.escape(_as_sent(part)) for number, part in enumerate(parts))
        )

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """A full match, or none. A path without parameters is compared decoded, one with parameters as it came.

        An escaped slash is part of a segment, so no path without parameters has it.
        """
        if scope["type"] != "http" or not self._is_at(_hostname(_host_header(scope))):
            return Match.NONE, {}
        if self.names:
            match = self.pattern.fullmatch(_raw_path(scope))
            values = None if match is None else match.groups()
        else:
            values = () if scope["path"] == self.path and not _has_escaped_slash(scope) else None
        if values is None:
            return Match.NONE, {}
        return Match.FULL, {"endpoint": self.endpoint, "path_params": self.parameters(values)}

    def parameters(self, values: Sequence[str]) -> dict[str, str]:
        """Parameters by name, decoded from their percent-encoded ``values``."""
        return dict(zip(self.names, map(unquote, values), strict=True)) if values else {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that matches."""
        await self.answer(self.endpoint, scope["path_params"], scope, receive, send)

    def _is_at(self, host: str) -> bool:
        return host not in self.other_hosts if self.host is None else host == self.host

    def __repr__(self) -> str:
        otherwise = self.endpoint.otherwise
        return f"VendorRoute({self.host or ''}{self.path} {'known' if otherwise is None else otherwise.id})"


def _as_sent(part: str) -> str:
    """A part of a path as clients send it: what is not ASCII is percent-encoded."""
    return part if part.isascii() else quote(part, safe=f"{PATH_CHARACTERS}%")


def vendor_routes(contracts: Iterable[Contract], answer: Responder) -> list[VendorRoute]:
    """The routes of all paths, by host, at the root, by vendor; of two that fit a request the first is right.

    A vendor's own host has that vendor's paths only. A path that several vendors have is not at the root.
    """
    contracts = tuple(contracts)
    hosts: dict[str, list[Contract]] = {}
    vendors: dict[str, list[Contract]] = {}
    for contract in contracts:
        vendors.setdefault(contract.vendor, []).append(contract)
        for host in {urlsplit(server).hostname for server in contract.servers} - {None}:
            hosts.setdefault(str(host), []).append(contract)  # two vendors may share one
    others = frozenset(hosts)
    routes: list[VendorRoute] = []
    for host, its_contracts in sorted(hosts.items()):
        endpoints = _endpoints(its_contracts)
        routes += _in_order(VendorRoute(path, endpoint, answer, host=host) for path, endpoint in endpoints)
    unclear = paths_of_several(contract for contract in contracts if contract.shares_paths)
    endpoints = ((p, e) for p, e in _endpoints(contracts) if re.sub(r"\{[^{}]*\}", "{}", p) not in unclear)
    routes += _in_order(VendorRoute(path, endpoint, answer, other_hosts=others) for path, endpoint in endpoints)
    for vendor, its_contracts in vendors.items():
        routes += _in_order(
            VendorRoute(f"/{vendor}{path}", endpoint, answer, other_hosts=others, vendor=vendor)
            for path, endpoint in _endpoints(its_contracts)
        )
    return routes


def _endpoints(contracts: Iterable[Contract]) -> Iterator[tuple[str, Endpoint]]:
    """Each path with its endpoint, in the order of the contracts."""
    paths: dict[str, tuple[dict[str, OperationSpec], dict[str, KnownMethod]]] = {}
    for contract in contracts:
        for base in dict.fromkeys(map(root_path, contract.servers)):
            for operation in contract.operations:
                paths.setdefault(base + operation.path, ({}, {}))[0][operation.method] = operation
            for path, methods in contract.known.items():
                known = {m: KnownMethod(contract.vendor, f"{m} {path}", where) for m, where in methods.items()}
                paths.setdefault(base + path, ({}, {}))[1].update(known)
    for path, (operations, documented) in paths.items():
        originals = [o for o in operations.values() if o.spelling == o.name]
        allow = ", ".join(sorted({*operations, *documented})).encode("ascii")
        yield path, Endpoint(operations, documented, next(iter([*originals, *operations.values()]), None), allow)


def _in_order(routes: Iterable[VendorRoute]) -> list[VendorRoute]:
    """Fixed paths first, then those whose parameters are whole segments, a segment's name before a parameter there.

    Of two paths that differ in their parameters' names only, the later contract's goes first.
    """
    listed = list(routes)
    fixed = [route for route in listed if not route.names]
    whole = [route for route in reversed(listed) if route.names and route.has_whole_parameters]
    parts = [route for route in listed if not route.has_whole_parameters]
    return [*fixed, *sorted(whole, key=lambda route: ["{" in part for part in route.path.split("/")]), *parts]


NumberedRoute = tuple[int, VendorRoute]  # a route and its position in the list
FoundRoute = tuple[NumberedRoute, Sequence[str]]  # of a request; its parameters' values, percent-encoded


@dataclass(slots=True)
class _Node:
    """Where a path can go on from here: by a segment of this name, by any other, or not at all."""

    named: dict[str, "_Node"] = field(default_factory=dict)
    other: "_Node | None" = None
    entry: NumberedRoute | None = None

    def grow(self, entry: NumberedRoute) -> None:
        """Add a path whose parameters are whole segments."""
        node = self
        for segment in entry[1].path.split("/")[1:]:
            if PATH_PARAMETER.fullmatch(segment):
                node.other = node.other or _Node()
                node = node.other
            else:
                node = node.named.setdefault(segment, _Node())
        node.entry = node.entry or entry

    def find(self, segments: list[str], values: tuple[str, ...] = ()) -> FoundRoute | None:
        """The entry of a path; a segment that has a name goes before one that is a parameter."""
        if not segments:
            return (self.entry, values) if self.entry is not None else None
        first, rest = segments[0], segments[1:]
        named = self.named.get(first)
        found = named.find(rest, values) if named is not None else None
        if found is None and self.other is not None and first:
            return self.other.find(rest, (*values, first))
        return found


@dataclass(slots=True)
class _Paths:
    """Routes by path: without parameters, with whole segments as parameters, and with parts of segments.

    However many there are of the first two, a look takes the same time.
    """

    fixed: dict[str, NumberedRoute] = field(default_factory=dict)
    tree: _Node = field(default_factory=_Node)
    max_slashes: int = 0  # of the paths in the tree; a path that has more is not there
    partial: list[NumberedRoute] = field(default_factory=list)

    def add(self, position: int, route: VendorRoute) -> None:
        if not route.names:
            self.fixed.setdefault(route.path, (position, route))
        elif route.has_whole_parameters:
            self.tree.grow((position, route))
            self.max_slashes = max(self.max_slashes, route.path.count("/"))
        else:
            self.partial.append((position, route))

    def find(self, scope: Scope) -> FoundRoute | None:
        entry = self.fixed.get(scope["path"])
        if entry is not None and not _has_escaped_slash(scope):
            return entry, ()
        path = _raw_path(scope)
        if path.startswith("/") and path.count("/") <= self.max_slashes:
            found = self.tree.find(path.split("/")[1:])
            if found is not None:
                return found
        for entry in self.partial:
            match = entry[1].pattern.fullmatch(path)
            if match is not None:
                return entry, match.groups()
        return None


class _Index:
    """The vendors' routes of a list, by host and path: those before the first that is neither a vendor's nor ours."""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self.length = len(routes)  # of the list
        self._root = _Paths()
        self._vendors: dict[str, _Paths] = {}
        self._hosts: dict[str, _Paths] = {}
        self._by_header: dict[bytes, _Paths] = {}  # reading a Host header takes longer than remembering it
        for position, route in enumerate(routes):
            if isinstance(route, VendorRoute):
                self._paths_of(route).add(position, route)
            elif not getattr(route, "path", "").startswith(CONTROL):
                break

    def _paths_of(self, route: VendorRoute) -> _Paths:
        for host in route.other_hosts:
            self._hosts.setdefault(host, _Paths())
        if route.host is not None:
            return self._hosts.setdefault(route.host, _Paths())
        return self._root if route.vendor is None else self._vendors.setdefault(route.vendor, _Paths())

    def is_host_of_vendor(self, scope: Scope) -> bool:
        """Whether a request is to a vendor's own host."""
        return _hostname(_host_header(scope)) in self._hosts

    def other_vendor(self, scope: Scope) -> str | None:
        """Whose host has the path of a request that is to another vendor's; None where nobody's has."""
        own = _hostname(_host_header(scope))
        if own not in self._hosts:
            return None
        return next((host for host, paths in self._hosts.items() if host != own and paths.find(scope)), None)

    def find(self, scope: Scope) -> FoundRoute | None:
        header = _host_header(scope)
        paths = self._by_header.get(header)
        if paths is None:
            paths = self._hosts.get(_hostname(header), self._root)
            if len(header) <= MAX_HOST_LENGTH:
                if len(self._by_header) >= MAX_HOST_HEADERS:
                    self._by_header.clear()
                self._by_header[header] = paths
        entry = paths.fixed.get(scope["path"])  # as in find, at less cost: most paths are fixed
        if entry is not None and b"%" not in (scope.get("raw_path") or b""):
            return entry, ()
        found = paths.find(scope)
        if found is not None or paths is not self._root:
            return found
        vendor = self._vendors.get(scope["path"][1:].partition("/")[0])
        return None if vendor is None else vendor.find(scope)


class VendorRouter(Router):
    """Starlette's router, which finds a vendor's route by an index instead of asking each.

    What is added to ``routes``, or taken from it, counts from the next request on. ``pages`` are what GET gets where no
    route has the path, but not from a vendor's own host.
    """

    def __init__(
        self,
        routes: Sequence[BaseRoute],
        unknown_path: UnknownPath,
        pages: Mapping[str, ASGIApp],
        lifespan: Lifespan[Any],
    ) -> None:
        super().__init__(routes, redirect_slashes=False, default=self._no_route, lifespan=lifespan)
        self._unknown_path = unknown_path
        self._pages = pages
        self._index = _Index(self.routes)

    def replace(self, old: Sequence[BaseRoute], new: Sequence[BaseRoute], unknown_path: UnknownPath) -> None:
        """Have other routes in the place of old ones, from the next request on; those of the user's own stay."""
        own = [route for route in self.routes if route not in old]
        self._unknown_path = unknown_path
        self.routes[:] = [*new, *own]
        self._index = _Index(self.routes)

    def find(self, scope: Scope) -> tuple[VendorRoute, dict[str, str]] | None:
        """A vendor's route and its parameters. None: whether another route fits, only asking them all can tell."""
        if scope["path"].startswith(CONTROL):
            return None
        found, routes = self._index.find(scope), self.routes
        if found is not None:
            (position, route), values = found
            if position < len(routes) and routes[position] is route:
                return route, route.parameters(values) if values else {}
        elif len(routes) == self._index.length:
            return None
        self._index = _Index(routes)
        return self.find(scope)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self.find(scope) if scope["type"] == "http" else None
        if found is None:
            await super().__call__(scope, receive, send)
            return
        route, parameters = found
        scope.update(endpoint=route.endpoint, path_params=parameters)
        await route.handle(scope, receive, send)

    async def _no_route(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Tell the client that nothing is here: no vendor speaks WebSocket, and none has this path."""
        if scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
        elif (
            scope["path"] in self._pages
            and scope["method"] in {"GET", "HEAD"}
            and not self._index.is_host_of_vendor(scope)
        ):
            await self._pages[scope["path"]](scope, receive, send)
        else:
            elsewhere = self._index.other_vendor(scope)
            if elsewhere is not None:
                scope[BELONGS_ELSEWHERE] = elsewhere
            await self._unknown_path(self.nearest(scope["path"]), scope, receive, send)

    def nearest(self, path: str) -> list[str]:
        """At most three operations whose paths look most like this one: ``POST /path (vendor.operation)``."""
        endpoints = {
            route.path: route.endpoint
            for route in self.routes
            if isinstance(route, VendorRoute) and route.host is None and route.vendor is None
            if route.endpoint.operations
        }
        near = difflib.get_close_matches(path[:200], list(endpoints), n=3, cutoff=0.0)
        return [_description(known, endpoints[known].operations) for known in near]


def _description(path: str, operations: Mapping[str, OperationSpec]) -> str:
    return f"{', '.join(sorted(operations))} {path} ({next(iter(operations.values())).id})"


def _host_header(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == b"host":
            header: bytes = value
            return header
    return b""


def _hostname(header: bytes) -> str:
    """A ``Host`` header without its port."""
    return header.decode("latin-1").partition(":")[0].lower()


def _raw_path(scope: Scope) -> str:
    """The path as it came, percent-encoded; a server that does not keep it has it encoded again.

    What need not be escaped is not: ``%2D`` and ``-`` are the same (RFC 3986, 6.2.2.2). It is worked out once for all
    routes that a request is held against.
    """
    raw: bytes | None = scope.get("raw_path")
    came = raw or scope["path"]
    known: tuple[bytes | str, str] | None = scope.get(PATH_AS_SENT)
    if known is None or known[0] is not came:
        known = scope[PATH_AS_SENT] = (came, _normalized(raw) if raw else quote(came, safe=PATH_CHARACTERS))
    return known[1]


def _normalized(raw: bytes) -> str:
    path = raw.decode("latin-1")
    path = path.partition("?")[0] if "?" in path else path  # the TestClient of Starlette 0.40 leaves the query there
    return _NEEDLESS_ESCAPE.sub(lambda escape: _NEEDLESS[escape[0]], path) if "%" in path else path


def _has_escaped_slash(scope: Scope) -> bool:
    raw: bytes = scope.get("raw_path") or b""
    return b"%" in raw and b"%2f" in raw.partition(b"?")[0].lower()
