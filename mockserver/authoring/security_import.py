"""Security schemes of a vendor's own OpenAPI file, as values that an account has."""

import re
from collections.abc import Iterable
from typing import Any

from mockserver.authoring.openapi_file import HEADER_TOKEN, Found, Node, OpenApiFile, SpecOperation, members
from mockserver.authoring.reachable import snake
from mockserver.spec.pointer import Pointer

_WORD = re.compile(r"Authorization:?\s+[\"'`]?(?P<word>[A-Z][A-Za-z]+)\s+[\"'`<{$\[]?\w")
_HEX = re.compile(
    r"\^?(?P<prefix>[A-Za-z0-9_-]*)\[(?=[^\]]*a-f)(?:0-9|a-f|A-F|\\d){2,3}\]\{(?P<length>[0-9]{1,3})\}\$?"
)
_SIGNED = re.compile(r"signature|sigv4|hmac|digest", re.IGNORECASE)
KEY_LENGTH = 32  # characters of a key that is made up
KEY_LENGTHS = (8, 256)  # that a key can have
CREDENTIAL_FIELDS = {
    "apikey",
    "apisecret",
    "apitoken",
    "authkey",
    "authtoken",
    "accesstoken",
    "accesskey",
    "secretkey",
    "password",
}
USER_FIELDS = {"username", "login"}  # beside one of the others
ACCOUNT_PARAMETERS = {
    "accountsid",
    "accountid",
    "authid",
    "username",
}  # parameters of a path that name the user of HTTP Basic


class SecurityImport:
    """TimeShare schemes into ``accept``, and collects what an account needs for them."""

    def __init__(self, source: OpenApiFile) -> None:
        self.schemes: Node = {}
        self.account: Node = {}
        self.notes: list[str] = []
        self._source = source
        self._declared = members(source.document.get("components"), "securitySchemes")

    def required(self, endpoint: SpecOperation) -> list[Node]:
        """The alternatives of an operation, without roles. Where the file has schemes and asks for none, the first."""
        written = endpoint.node.get("security", self._source.document.get("security"))
        if written is None and self._declared:
            first = next(iter(self._declared))
            self.notes.append(f"{endpoint.name}: 'security' is not written; {first} is asked for")
            written = [{first: []}]
        alternatives: list[Node] = []
        for requirement in written if isinstance(written, list) else ():
            if not requirement or not isinstance(requirement, dict):
                self.notes.append(f"{endpoint.name}: credentials that may also be left out are asked for")
            elif all(self._usable(name) for name in requirement):
                alternatives.append({snake(name): [] for name in requirement})
        return [one for number, one in enumerate(alternatives) if one not in alternatives[:number]]

    def in_fields(self, endpoint: SpecOperation, fields: Iterable[tuple[Pointer, Node]]) -> list[Node]:
        """The alternative of an operation that declares none, where fields of its requests are credentials."""
        named = {re.sub("[^a-z]", "", at.tokens[-1].lower()): (at, schema) for at, schema in fields}
        credentials = [named[name] for name in named if name in CREDENTIAL_FIELDS]
        credentials = [*(named[name] for name in named if name in USER_FIELDS), *credentials] if credentials else []
        for at, schema in credentials:
            where, name = at.tokens
            key = snake(name)
            block = {"accept": {"equals": f"/account/{key}"}, **({"at": str(at)} if where == "body" else {})}
            self.schemes[key] = {"type": "apiKey", "in": "query", "name": name, "x-mock": block}
            self.account[key] = new_value(schema)
        if credentials:
            places = ", ".join(str(at) for at, _ in credentials)
            self.notes.append(f"{endpoint.name}: TODO no scheme is asked for; {places} are taken for credentials")
        return [{snake(at.tokens[1]): [] for at, _ in credentials}] if credentials else []

    def own(self, endpoint: SpecOperation, node: Node) -> None:
        """Have a parameter of the path that names an account be the user of HTTP Basic, as the vendor's clients do."""
        names = (name for one in node["security"] for name in one if self.schemes[name].get("scheme") == "basic")
        basic = next(names, "")
        for parameter in node.get("parameters", []) if basic else ():
            if parameter["in"] == "path" and re.sub("[^a-z]", "", parameter["name"].lower()) in ACCOUNT_PARAMETERS:
                parameter["x-mock"] = {"owned": f"/account/{basic}/user"}
                self.account[basic][0]["user"] = new_value(parameter["schema"], default=12)
                meaning = "taken for the user's name of HTTP Basic: another's is refused"
                self.notes.append(f"{endpoint.name}: TODO {parameter['name']} is {meaning}")

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
        if kind in ("oauth2", "openIdConnect") or (kind == "http" and form == "bearer"):
            if kind != "http":
                self.notes.append(f"{name}: {kind} is read as one bearer token for each account, without roles")
            self.account[key] = {"new": "token", "length": KEY_LENGTH}
            return {"type": "http", "scheme": "bearer", "x-mock": {"accept": accept}}
        if kind == "apiKey" and node.get("in") in ("header", "query") and usable_name(node):
            description = " ".join(
                str(value) for word, value in node.items() if word == "description" or word.startswith("x-")
            )
            if _SIGNED.search(f"{name} {description}"):
                self.notes.append(
                    f"{name}: TODO a signature of each request is read as one fixed key: none is verified"
                )
            word = _WORD.search(description) if node["name"].lower() == "authorization" else None
            if word is not None:
                accept = {"scheme": word["word"], **accept}
            self.account[key] = {"new": "token", "length": KEY_LENGTH}
            return {"type": "apiKey", "in": node["in"], "name": node["name"], "x-mock": {"accept": accept}}
        return None


def usable_name(scheme: Node) -> bool:
    """Whether a request can have a header, or a field of its query, of a scheme's name."""
    name = scheme.get("name")
    is_text = isinstance(name, str) and bool(name)
    return is_text and (scheme["in"] == "query" or HEADER_TOKEN.fullmatch(str(name)) is not None)


def new_value(schema: Node, default: int = KEY_LENGTH) -> Node:
    """What makes up a value of an account that fits a schema, as far as its length and a usual pattern tell."""
    pattern, least, most = (schema.get(word) for word in ("pattern", "minLength", "maxLength"))
    match = _HEX.fullmatch(str(pattern or ""))
    if match is not None and KEY_LENGTHS[0] <= int(match["length"]) <= KEY_LENGTHS[1]:
        prefix = {"prefix": match["prefix"]} if match["prefix"] else {}
        return {"new": "hex", **prefix, "length": int(match["length"])}
    length = min(max(default, int(least or 0)), int(most if most is not None else KEY_LENGTHS[1]))
    return {"new": "token", "length": min(max(length, KEY_LENGTHS[0]), KEY_LENGTHS[1])}
