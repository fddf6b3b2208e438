"""Exchanges as ``fixtures/`` has them, one a file: their requests, made ready to be sent to a server."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from mockserver.engine.account import SAFE_IN_PATHS, AccountData, credential_for, token_parts
from mockserver.spec.account_values import values_at
from mockserver.spec.forms import FORM, sent_text
from mockserver.spec.model import Contract
from mockserver.spec.pointer import MISSING, Pointer
from mockserver.spec.security_model import Jwt, Scheme
from mockserver.spec.source import Source

FORM_BOUNDARY = "mockserver-boundary"
CASE_MEMBERS = frozenset({"about", "account", "request", "answer", "response"})
CASE_MEMBERS_ALLOWED = CASE_MEMBERS | {"before"}
REQUEST_MEMBERS = frozenset({"method", "path", "path_params", "query", "headers", "json", "form", "multipart", "text"})
TOKEN_MEMBERS = frozenset({"token", "of", "record", "claims", "header", "key", "suffix"})


class FixtureError(ValueError):
    """A fixture that is not as its README describes it, or that needs an account which is not there."""


@dataclass(frozen=True)
class Sent:
    """A fixture's request, ready for any HTTP client."""

    method: str
    url: str
    headers: list[tuple[str, str]]
    content: bytes


class Answered(Protocol):
    """What a server answered."""

    @property
    def status(self) -> int: ...

    @property
    def body(self) -> bytes: ...


def read_case(source: Source) -> dict[str, Any]:
    """A fixture as written. Raises FixtureError."""
    if source.errors:
        raise FixtureError(str(source.errors[0]))
    case: dict[str, Any] = source.value
    _check_members(f"{source.file}: a fixture", case, CASE_MEMBERS_ALLOWED, needs=CASE_MEMBERS)
    return case


def _check_members(what: str, node: Any, known: frozenset[str], needs: frozenset[str] = frozenset()) -> None:
    if not isinstance(node, dict) or not needs <= node.keys() <= known:
        raise FixtureError(f"{what} has the members {', '.join(sorted(known))}")


class Replay:
    """Fills in what a fixture only names: values of accounts, and tokens, made at the time of each request."""

    def __init__(self, contract: Contract, accounts: Mapping[str, AccountData], clock: Callable[[], float]) -> None:
        self._contract = contract
        self._accounts = accounts
        self._clock = clock
        self._now = clock()
        self._before: list[Any] = []

    def value(self, node: Any) -> Any:
        """A node with its references resolved. Raises FixtureError."""
        if isinstance(node, list):
            return [self.value(item) for item in node]
        return self._reference(node) if isinstance(node, dict) else node

    def _reference(self, node: dict[str, Any]) -> Any:
        for name in ("default", "second"):
            if node.keys() == {name} and str(node[name]).startswith("/"):
                return self._owned(name, node[name])
        if "credential" in node and node.keys() <= {"credential", "of"}:
            return self._credential(node)
        if isinstance(node.get("token"), str):
            return self._token(node)
        read = (
            {"join": self._joined, "before": self._answered, "now": self._time}.get("".join(node))
            if len(node) == 1
            else None
        )
        return read(node) if read else {name: self.value(item) for name, item in node.items()}

    def _joined(self, node: Mapping[str, Any]) -> str:
        return "".join(str(self.value(part)) for part in node["join"])

    def _time(self, node: Mapping[str, Any]) -> float:
        after = node["now"]
        return self._now + after if isinstance(after, float) else int(self._now) + int(after)

    def _owned(self, account: str, pointer: str) -> Any:
        found = Pointer.parse(pointer).get(self._data(account))
        if found is MISSING:
            raise FixtureError(f"the account {account} has no {pointer}")
        return found

    def _answered(self, node: Mapping[str, Any]) -> Any:
        found = Pointer.parse(node["before"]).get(self._before)
        if found is MISSING:
            raise FixtureError(f"nothing before has {node['before']}")
        return found

    def _data(self, account: str) -> Mapping[str, Any]:
        if account not in self._accounts:
            raise FixtureError(f"there is no account {account}")
        return self._accounts[account].vendors[self._contract.vendor]

    def _scheme(self, name: Any) -> Scheme:
        scheme = next((scheme for scheme in self._contract.schemes if scheme.name == name), None)
        if scheme is None:
            raise FixtureError(f"there is no security scheme {name!r}")
        return scheme

    def _credential(self, node: Mapping[str, Any]) -> str:
        """What is sent for a scheme, with the word before it."""
        scheme, data = self._scheme(node["credential"]), self._data(node.get("of", "default"))
        value, record = next(iter(values_at(data, scheme.accept.claim)))
        text = credential_for(scheme, data, value, record, self._now)
        return f"{scheme.word} {text}" if scheme.bearer else text

    def _token(self, node: Mapping[str, Any]) -> str:
        _check_members("a token", node, TOKEN_MEMBERS)
        scheme = self._scheme(node["token"])
        if not isinstance(scheme.accept, Jwt):
            raise FixtureError(f"{scheme.name} is no scheme of signed tokens")
        data = self._data(node.get("of", "default"))
        value, record = list(values_at(data, scheme.accept.claim))[node.get("record", 0)]
        header, claims = token_parts(scheme.accept, data, value, record, self._now)
        header, claims = self._laid_over(header, node.get("header")), self._laid_over(claims, node.get("claims"))
        key = record[scheme.accept.key] if node.get("key") != "wrong" else _wrong_key(header["alg"])
        from mockserver.engine.signing import sign  # noqa: PLC0415 -- few cases sign a token

        return sign(header, claims, key) + str(node.get("suffix", ""))

    def _laid_over(self, base: dict[str, Any], changes: Mapping[str, Any] | None) -> dict[str, Any]:
        merged = {**base, **self.value(dict(changes or {}))}
        return {name: value for name, value in merged.items() if value is not None}

    def prepare(self, case: Mapping[str, Any], send: Callable[[Sent], Answered]) -> Sent:
        """The fixture's request as bytes, after what it wants to be sent before. Raises FixtureError."""
        self._before = []
        for node in case.get("before", ()):
            reply = send(self._request(node))
            if reply.status >= 400:
                raise FixtureError(f"what is to be sent before got {reply.status}")
            self._before.append(json.loads(reply.body or b"null"))
        return self.request(case)

    def request(self, case: Mapping[str, Any]) -> Sent:
        """The fixture's request as bytes. Raises FixtureError."""
        return self._request(case["request"])

    def _request(self, node: Mapping[str, Any]) -> Sent:
        self._now = self._clock()  # not once for all: a token of seconds would expire while a busy machine replays
        _check_members("a request", node, REQUEST_MEMBERS)
        path = quote(node["path"], safe=f"{SAFE_IN_PATHS}?#[]")
        for name, value in node.get("path_params", {}).items():
            path = path.replace("{" + quote(name, safe=SAFE_IN_PATHS) + "}", quote(str(self.value(value)), safe=""))
        query = self._pairs(node.get("query"))
        url = path + (f"?{urlencode(query, doseq=True)}" if query else "")
        headers = [(name, str(self.value(value))) for name, value in node.get("headers", {}).items()]
        content, media_type = self._content(node)
        if media_type and not any(name.lower() == "content-type" for name, _ in headers):
            headers.append(("Content-Type", media_type))
        return Sent(node["method"], url, headers, content)

    def _pairs(self, node: Any) -> list[tuple[str, Any]]:
        items = node.items() if isinstance(node, dict) else node or []
        found = [(name, self.value(value)) for name, value in items]
        return [(name, list(map(sent_text, v)) if isinstance(v, list) else sent_text(v)) for name, v in found]

    def _content(self, node: Mapping[str, Any]) -> tuple[bytes, str]:
        if "json" in node:
            return json.dumps(self.value(node["json"])).encode(), "application/json"
        if "form" in node:
            return urlencode(self._pairs(node["form"]), doseq=True).encode(), FORM
        if "multipart" in node:
            parts = [
                f'--{FORM_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                for name, value in self._pairs(node["multipart"])
            ]
            return f"{''.join(parts)}--{FORM_BOUNDARY}--\r\n".encode(), f"multipart/form-data; boundary={FORM_BOUNDARY}"
        return str(self.value(node.get("text", ""))).encode(), ""


def _wrong_key(algorithm: str) -> str:
    if algorithm.startswith("RS"):
        from joserfc import jwk  # noqa: PLC0415 -- a key costs 50 ms; few cases need one

        return jwk.RSAKey.generate_key(2048).as_pem(private=True).decode("ascii")
    return "not-the-key-that-this-application-was-given"
