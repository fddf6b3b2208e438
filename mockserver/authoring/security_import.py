"""Security schemes of a vendor's own OpenAPI file, as values that an account has."""

import re
from typing import Any

from mockserver.authoring.openapi_file import Found, Node, OpenApiFile, SpecOperation
from mockserver.authoring.reachable import snake

_WORD = re.compile(r"Authorization:?\s+[\"'`]?(?P<word>[A-Z][A-Za-z]+)\s+[\"'`<{$\[]?\w")
KEY_LENGTH = 32  # characters of a key that is made up


class SecurityImport:
    """Turns schemes into ``accept``, and collects what an account needs for them."""

    def __init__(self, source: OpenApiFile) -> None:
        self.schemes: Node = {}
        self.account: Node = {}
        self.notes: list[str] = []
        self._source = source
        components = source.document.get("components")
        declared = components.get("securitySchemes") if isinstance(components, dict) else None
        self._declared: Node = declared if isinstance(declared, dict) else {}

    def required(self, endpoint: SpecOperation) -> list[Node]:
        """The alternatives of an operation, without roles. Where the file has schemes and asks for none, the first."""
        written = endpoint.node.get("security", self._source.document.get("security"))
        if written is None and self._declared:
            first = next(iter(self._declared))
            self.notes.append(f"{endpoint.name}: 'security' is not written; {first} is asked for")
            written = [{first: []}]
        alternatives: list[Node] = []
        for requirement in written or []:
            if not requirement:
                self.notes.append(f"{endpoint.name}: credentials that may also be left out are asked for")
                continue
            if all(self._usable(name) for name in requirement):
                alternatives.append({snake(name): [] for name in requirement})
        return [one for number, one in enumerate(alternatives) if one not in alternatives[:number]]

    def _usable(self, name: str) -> bool:
        key = snake(name)
        if key in self.schemes:
            return True
        node = self._source.follow(Found(self._declared.get(name), self._source.file)).value
        scheme = self._scheme(name, key, node) if isinstance(node, dict) else None
        if scheme is None:
            self.notes.append(f"the security scheme {name} is left out: only keys, bearer and basic can be checked")
            return False
        self.schemes[key] = scheme
        return True

    def _scheme(self, name: str, key: str, node: Node) -> Node | None:
        kind, form = node.get("type"), str(node.get("scheme", "")).lower()
        if kind == "http" and form == "basic":
            self.account[key] = [{"user": {"new": "token", "length": 12}, "password": {"new": "token", "length": 24}}]
            accept: Any = {"basic": {"user": f"/account/{key}/user", "password": f"/account/{key}/password"}}
            return {"type": "http", "scheme": "basic", "x-mock": {"accept": accept}}
        accept = {"equals": f"/account/{key}"}
        if kind in {"oauth2", "openIdConnect"} or (kind == "http" and form == "bearer"):
            if kind != "http":
                self.notes.append(f"{name}: {kind} is read as one bearer token for each account, without roles")
            self.account[key] = {"new": "token", "length": KEY_LENGTH}
            return {"type": "http", "scheme": "bearer", "x-mock": {"accept": accept}}
        if kind == "apiKey" and node.get("in") in {"header", "query"} and isinstance(node.get("name"), str):
            word = _WORD.search(str(node.get("description", ""))) if node["name"].lower() == "authorization" else None
            if word is not None:
                accept = {"scheme": word["word"], **accept}
            self.account[key] = {"new": "token", "length": KEY_LENGTH}
            return {"type": "apiKey", "in": node["in"], "name": node["name"], "x-mock": {"accept": accept}}
        return None
