"""Where the operations of a vendor's file are: servers without variables, and paths that a request can have."""

import re
from typing import Any

from mockserver.authoring.openapi_file import Node, OpenApiFile, SpecOperation, entries, members
from mockserver.spec.addresses import OUR_PATH, as_compared, is_ours, root_path, split_http, why_no_path

_VARIABLE = re.compile(r"\{([^{}]+)\}")
_FULL = re.compile(r"(https?://[^/]*)(.*)", re.IGNORECASE)


class AddressImport:
    """The servers of some operations, and the path of each.

    A variable in the path of a server is a parameter of each path: real clients have values of their own there.
    """

    def __init__(self, source: OpenApiFile, vendor: str, notes: list[str]) -> None:
        self.servers: list[Node] = []
        self.parameters: list[Node] = []
        self._prefix = ""
        self._source = source
        self._host = f"https://api.{vendor.replace('_', '-')}.example"
        self._notes = notes

    def read(self, endpoints: list[SpecOperation]) -> None:
        """Take the servers of the first operation: a contract has some that hold for all."""
        written = self._written(endpoints[0])
        for endpoint in endpoints[1:]:
            if self._written(endpoint) != written:
                self._notes.append(f"{endpoint.name}: its own servers are left out for those of {endpoints[0].name}")
        named = [server for server in written if isinstance(server, dict) and isinstance(server.get("url"), str)]
        found = [self._server(server) for server in named]
        usable = [(url, rest, server) for url, rest, server in found if url]
        self._prefix, first = (usable[0][1], usable[0][2]) if usable else ("", {})
        left_out = [server["url"] for _, rest, server in usable if rest != self._prefix]
        if left_out:
            self._notes.append(f"servers with another path are left out: {', '.join(left_out)}")
        urls = [url for url, rest, _ in usable if rest == self._prefix]
        if not urls:
            urls = [self._host]
            self._notes.append(f"no server is named: {urls[0]} stands for it")
        self.servers = [{"url": url} for url in dict.fromkeys(urls)]
        self.parameters = [self._parameter(name, first) for name in dict.fromkeys(_VARIABLE.findall(self._prefix))]

    def path(self, endpoint: SpecOperation) -> str | None:
        """The path of an operation; None, with a note, where no request can have it."""
        sent = re.split("[?#]", endpoint.path, maxsplit=1)[0]
        path = sent if sent.startswith("/") else f"/{sent}"
        whole = as_compared(self._prefix + path)
        why = why_no_path(whole)
        if not why and any(is_ours(root_path(server["url"]) + whole) for server in self.servers):
            why = f"{OUR_PATH} is the mock's own"
        if why:
            self._notes.append(f"{endpoint.name} is left out: no request meets its path: {why}")
            return None
        if path != endpoint.path:
            told = "what tells it from others is not in the path" if sent != endpoint.path else "a path begins with '/'"
            self._notes.append(f"{endpoint.name}: its path is {path} here: {told}")
        return whole

    def _written(self, endpoint: SpecOperation) -> list[Any]:
        holders = (endpoint.node, endpoint.path_item, self._source.document)
        return next((found for holder in holders if (found := entries(holder, "servers"))), [])

    def _server(self, server: Node) -> tuple[str, str, Node]:
        """The address of a server up to the first variable in its path, and the rest of the path; "" for none."""
        url = server["url"].strip()
        full = _FULL.fullmatch(url)
        host, path = (full[1], full[2]) if full else (self._host, f"/{url.strip('/')}")
        if not full:
            self._notes.append(f"the server {url!r} is no full address: {host}{path.rstrip('/')} stands for it")
        for name in _VARIABLE.findall(host):
            value = _default(server, name)
            self._notes.append(f"the server {url}: {name} is always {value!r} here")
            host = host.replace(f"{{{name}}}", value)
        segments = path.rstrip("/").split("/")
        fixed = next((number for number, segment in enumerate(segments) if "{" in segment), len(segments))
        base, rest = host + "/".join(segments[:fixed]), "".join(f"/{segment}" for segment in segments[fixed:])
        if split_http(base) is None:
            self._notes.append(f"the server {url!r} is left out: it is no address that a contract can have")
            return "", "", server
        return base, rest, server

    def _parameter(self, name: str, server: Node) -> Node:
        value = _default(server, name)
        self._notes.append(f"the server's {name} is a parameter of each path, {value!r} in examples")
        allowed = entries(members(members(server, "variables"), name), "enum")
        schema = {"type": "string", **({"enum": allowed} if value in allowed else {})}
        return {"name": name, "in": "path", "required": True, "schema": schema, "example": value}


def _default(server: Node, name: str) -> str:
    return str(members(members(server, "variables"), name).get("default") or name)
