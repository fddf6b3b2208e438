"""Reads ``fixtures/<vendor>/<operation>/<case>.yaml``: one exchange each, as its README describes."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import jsonschema

from mockserver.engine.account import AccountData, token_parts
from mockserver.engine.credentials import sign
from mockserver.spec.account_values import values_at
from mockserver.spec.model import Contract
from mockserver.spec.pointer import MISSING, Pointer
from mockserver.spec.security_model import Jwt
from mockserver.spec.source import read_yaml

ROOT = Path(__file__).parents[1]
BOUNDARY = "mockserver-boundary"


@dataclass(frozen=True)
class Sent:
    """A fixture's request, ready for any HTTP client."""

    method: str
    url: str
    headers: list[tuple[str, str]]
    content: bytes


@dataclass(frozen=True)
class Reply:
    """A server's answer; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def case_files() -> list[Path]:
    """Every exchange under ``fixtures/``."""
    return sorted(ROOT.glob("fixtures/*/*/*.yaml"))


def case_id(file: Path) -> str:
    """``vendor/operation/case``."""
    return "/".join(file.with_suffix("").parts[-3:])


@cache
def load_case(file: Path) -> dict[str, Any]:
    """A fixture as written, read once; a fault in it fails the test that reads it."""
    source = read_yaml(str(file), file.read_text("utf-8"))
    assert not source.errors, source.errors
    case: dict[str, Any] = source.value
    known = {"about", "account", "request", "answer", "response"}
    assert case.keys() - {"before"} == known, f"{file}: {sorted(case)}"
    return case


class Replay:
    """Fills in what a fixture only names: values of accounts, and tokens, made at the time of each request."""

    def __init__(self, contract: Contract, accounts: Mapping[str, AccountData], clock: Callable[[], float]) -> None:
        self._contract = contract
        self._accounts = accounts
        self._clock = clock
        self._now = clock()
        self._before: list[Any] = []

    def value(self, node: Any) -> Any:
        """A node with its references resolved."""
        if isinstance(node, list):
            return [self.value(item) for item in node]
        return self._reference(node) if isinstance(node, dict) else node

    def _reference(self, node: dict[str, Any]) -> Any:
        for name in ("default", "second"):
            if node.keys() == {name} and str(node[name]).startswith("/"):
                return self._owned(name, node[name])
        if node.keys() == {"join"}:
            return "".join(str(self.value(part)) for part in node["join"])
        if node.keys() == {"before"}:
            found = Pointer.parse(node["before"]).get(self._before)
            assert found is not MISSING, f"nothing before has {node['before']}"
            return found
        if isinstance(node.get("token"), str):
            return self._token(node)
        if node.keys() == {"now"}:
            return self._now + node["now"] if isinstance(node["now"], float) else int(self._now) + node["now"]
        return {name: self.value(item) for name, item in node.items()}

    def _owned(self, account: str, pointer: str) -> Any:
        found = Pointer.parse(pointer).get(self._accounts[account].vendors[self._contract.vendor])
        assert found is not MISSING, f"{account} has no {pointer}"
        return found

    def _token(self, node: Mapping[str, Any]) -> str:
        known = {"token", "of", "record", "claims", "header", "key", "suffix"}
        assert node.keys() <= known, sorted(node)
        scheme = next(scheme for scheme in self._contract.schemes if scheme.name == node["token"])
        assert isinstance(scheme.accept, Jwt)
        data = self._accounts[node.get("of", "default")].vendors[self._contract.vendor]
        value, record = list(values_at(data, scheme.accept.claim))[node.get("record", 0)]
        header, claims = token_parts(scheme.accept, data, value, record, self._now)
        header, claims = self._laid_over(header, node.get("header")), self._laid_over(claims, node.get("claims"))
        key = record[scheme.accept.key] if node.get("key") != "wrong" else _wrong_key(header["alg"])
        return sign(header, claims, key) + str(node.get("suffix", ""))

    def _laid_over(self, base: dict[str, Any], changes: Mapping[str, Any] | None) -> dict[str, Any]:
        merged = {**base, **self.value(dict(changes or {}))}
        return {name: value for name, value in merged.items() if value is not None}

    def prepare(self, case: Mapping[str, Any], send: Callable[[Sent], Reply]) -> Sent:
        """The fixture's request as bytes, after what it wants to be sent before: each of that must be accepted."""
        self._before = []
        for node in case.get("before", ()):
            reply = send(self._request(node))
            assert reply.status < 400, f"{node} got {reply.status}"
            self._before.append(json.loads(reply.body or b"null"))
        return self.request(case)

    def request(self, case: Mapping[str, Any]) -> Sent:
        """The fixture's request as bytes."""
        return self._request(case["request"])

    def _request(self, node: Mapping[str, Any]) -> Sent:
        self._now = self._clock()  # not once for all: a token of seconds would expire while a busy machine replays
        known = {"method", "path", "path_params", "query", "headers", "json", "form", "multipart", "text"}
        assert node.keys() <= known, sorted(node)
        path = node["path"]
        for name, value in node.get("path_params", {}).items():
            path = path.replace("{" + name + "}", quote(str(self.value(value)), safe=""))
        query = self._pairs(node.get("query"))
        url = path + (f"?{urlencode(query)}" if query else "")
        headers = [(name, str(self.value(value))) for name, value in node.get("headers", {}).items()]
        content, media_type = self._content(node)
        if media_type and not any(name.lower() == "content-type" for name, _ in headers):
            headers.append(("Content-Type", media_type))
        return Sent(node["method"], url, headers, content)

    def _pairs(self, node: Any) -> list[tuple[str, str]]:
        items = node.items() if isinstance(node, dict) else node or []
        return [(name, str(self.value(value))) for name, value in items]

    def _content(self, node: Mapping[str, Any]) -> tuple[bytes, str]:
        if "json" in node:
            return json.dumps(self.value(node["json"])).encode(), "application/json"
        if "form" in node:
            return urlencode(self._pairs(node["form"])).encode(), "application/x-www-form-urlencoded"
        if "multipart" in node:
            parts = [
                f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                for name, value in self._pairs(node["multipart"])
            ]
            return f"{''.join(parts)}--{BOUNDARY}--\r\n".encode(), f"multipart/form-data; boundary={BOUNDARY}"
        return str(self.value(node.get("text", ""))).encode(), ""


def complaints(case: Mapping[str, Any], replay: Replay, reply: Reply) -> list[str]:
    """Where a reply is not the one that a fixture shows."""
    expected = replay.value(case["response"])
    assert expected.keys() <= {"status", "headers", "json", "text"}
    found: dict[str, Any] = {"status": reply.status}
    if "json" in expected:
        found["json"] = json.loads(reply.body)
    else:
        expected.setdefault("text", "")
        found["text"] = reply.body.decode()
    if "headers" in expected:
        found["headers"] = {name: reply.headers.get(name.lower()) for name in expected["headers"]}
    expected["answer"], found["answer"] = case["answer"], reply.headers.get("x-mock-answer")
    return list(differences(expected, found))


def is_exact(node: Any) -> bool:
    """Whether a fixture's response leaves no value open."""
    if isinstance(node, dict):
        return node.keys() != {"any"} and all(map(is_exact, node.values()))
    return not isinstance(node, list) or all(map(is_exact, node))


def replayed(send: Callable[[Sent], Reply], replays: Mapping[str, Replay]) -> dict[str, Any]:
    """Every exchange through a server, none with a complaint; all that is fixed of each reply.

    That is the status, the names of the headers, and of responses that leave no value open, the body's bytes.
    """
    fixed = {}
    for file in case_files():
        case, replay = load_case(file), replays[file.parts[-3]]
        reply = send(replay.prepare(case, send))
        assert complaints(case, replay, reply) == [], file
        names = sorted(set(reply.headers) - {"date", "server", "connection"})  # which are the server's
        fixed[case_id(file)] = (reply.status, names, reply.body if is_exact(case["response"]) else None)
    return fixed


def differences(expected: Any, found: Any, at: str = "") -> Iterator[str]:
    """Where ``found`` is not what a fixture expects; ``{any: schema}`` is any value that fits the schema."""
    if isinstance(expected, dict) and expected.keys() == {"any"}:
        for error in jsonschema.Draft202012Validator(expected["any"]).iter_errors(found):
            yield f"{at}: {error.message}"
    elif isinstance(expected, dict) and isinstance(found, dict):
        for name in sorted(expected.keys() | found.keys()):
            yield from differences(expected.get(name, MISSING), found.get(name, MISSING), f"{at}/{name}")
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for index, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from differences(one, other, f"{at}/{index}")
    elif type(expected) is not type(found) or expected != found:
        yield f"{at}: expected {expected!r}, found {found!r}"


def _wrong_key(algorithm: str) -> str:
    if algorithm.startswith("RS"):
        from joserfc import jwk  # noqa: PLC0415 -- a key costs 50 ms; few cases need one

        return jwk.RSAKey.generate_key(2048).as_pem(private=True).decode("ascii")
    return "not-the-key-that-this-application-was-given"
