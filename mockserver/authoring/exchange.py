"""Exchanges that prove a contract: read from fixture files, filled with an account's values, and judged."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from mockserver.engine.account import AccountData, credential_for, token_parts
from mockserver.engine.credentials import sign
from mockserver.spec.account_values import values_at
from mockserver.spec.errors import ContractError
from mockserver.spec.model import Contract
from mockserver.spec.pointer import MISSING, Pointer
from mockserver.spec.security_model import Jwt
from mockserver.spec.source import Source, read_text, read_yaml, why_unread

EXCHANGE_BOUNDARY = "mockserver-boundary"
ACCOUNTS = "accounts.yaml"
NO_EXCHANGES = frozenset({ACCOUNTS, "page.yaml", "texts.yaml"})
EXCHANGE_WORDS = {"about", "account", "request", "answer", "response"}
EXCHANGE_REQUEST_WORDS = {"method", "path", "path_params", "query", "headers", "json", "form", "multipart", "text"}
RESPONSE_MEMBERS = {"status", "headers", "json", "text"}
EXCHANGE_TOKEN_WORDS = {"token", "of", "record", "claims", "header", "key", "suffix"}
ACCOUNTS_NAMED = ("default", "second")
WRONG_KEY = "not-the-key-that-this-application-was-given"


class ExchangeError(Exception):
    """An exchange that cannot be sent: it names what is not there."""


@dataclass(frozen=True)
class ExchangeRequest:
    """A request, ready for any HTTP client."""

    method: str
    url: str
    headers: list[tuple[str, str]]
    content: bytes


@dataclass(frozen=True)
class ReplayReply:
    """A server's answer; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, eq=False)
class WrittenExchange:
    """One exchange as it is written, and the vendor whose folder it is in."""

    file: Path
    vendor: str
    case: Mapping[str, Any]

    @property
    def name(self) -> str:
        """``vendor/operation/case``."""
        return "/".join(self.file.with_suffix("").parts[-3:])


def exchange_files(folder: Path, vendor: str) -> list[Path]:
    """The files of a vendor's exchanges."""
    return sorted(file for file in (folder / vendor).glob("*/*.yaml") if file.name not in NO_EXCHANGES)


def read_exchange(file: Path, contract: Contract) -> tuple[WrittenExchange | None, list[ContractError]]:
    """An exchange, and what is wrong with its file; None where it cannot be used."""
    try:
        source = read_yaml(str(file), read_text(file))
    except (OSError, UnicodeDecodeError) as error:
        return None, [ContractError(str(file), 1, 1, "", f"cannot be read: {why_unread(error)}")]
    errors = list(source.errors) or list(_mistakes(source, contract))
    return (None if errors else WrittenExchange(file, contract.vendor, source.value)), errors


def _mistakes(source: Source, contract: Contract) -> Iterator[ContractError]:
    case = source.value
    if not isinstance(case, dict):
        yield _error(source, case, None, "an exchange is {about, account, request, answer, response}")
        return
    for name in sorted(EXCHANGE_WORDS - case.keys()):
        yield _error(source, case, None, f"{name!r} is missing")
    yield from _strangers(source, case, EXCHANGE_WORDS)
    for name, known in (("request", EXCHANGE_REQUEST_WORDS), ("response", RESPONSE_MEMBERS)):
        node = case.get(name, {})
        if isinstance(node, dict):
            yield from _strangers(source, node, known)
        else:
            yield _error(source, case, name, "must be a mapping")
    request = case.get("request")
    if isinstance(request, dict) and not {"method", "path"} <= request.keys():
        yield _error(source, case, "request", "a request has 'method' and 'path'")
    if case.get("account", "default") not in {*ACCOUNTS_NAMED, None}:
        yield _error(source, case, "account", f"is not known here; known: {', '.join(ACCOUNTS_NAMED)}")
    known_answers = [answer.id for operation in contract.operations for answer in operation.answers.values()]
    if "answer" in case and case["answer"] not in known_answers:
        listed = ", ".join(dict.fromkeys(known_answers))
        yield _error(source, case, "answer", f"the contract has no answer {case['answer']!r}; it has: {listed}")


def _strangers(source: Source, node: dict[str, Any], known: set[str]) -> Iterator[ContractError]:
    for name in node:
        if name not in known:
            yield _error(source, node, name, f"{name!r} is not known here; known: {', '.join(sorted(known))}")


def _error(source: Source, container: Any, key: Any, message: str) -> ContractError:
    place = source.place(container, key)
    return ContractError(source.file, place.line, place.column, place.pointer, message)


class ExchangeReplay:
    """Fills in what an exchange only names: values of accounts, and credentials, made at the time of each request."""

    def __init__(self, contract: Contract, accounts: Mapping[str, AccountData], clock: Callable[[], float]) -> None:
        self._contract = contract
        self._accounts = accounts
        self._clock = clock
        self._now = clock()

    def value(self, node: Any) -> Any:
        """A node with its references resolved. Raises ExchangeError."""
        if isinstance(node, list):
            return [self.value(item) for item in node]
        return self._reference(node) if isinstance(node, dict) else node

    def _reference(self, node: dict[str, Any]) -> Any:
        for name in ACCOUNTS_NAMED:
            if node.keys() == {name} and str(node[name]).startswith("/"):
                return self._owned(name, node[name])
        if node.keys() == {"join"}:
            return "".join(str(self.value(part)) for part in node["join"])
        if "credential" in node and node.keys() <= {"credential", "of"}:
            return self._credential(node)
        if "token" in node and node.keys() <= EXCHANGE_TOKEN_WORDS:
            return self._token(node)
        if node.keys() == {"now"}:
            return self._now + node["now"] if isinstance(node["now"], float) else int(self._now) + node["now"]
        return {name: self.value(item) for name, item in node.items()}

    def _data(self, account: str) -> Mapping[str, Any]:
        if account not in self._accounts:
            raise ExchangeError(f"there is no account {account!r}")
        return self._accounts[account].vendors[self._contract.vendor]

    def _owned(self, account: str, pointer: str) -> Any:
        found = Pointer.parse(pointer).get(self._data(account))
        if found is MISSING:
            raise ExchangeError(f"{account} has no {pointer}")
        return found

    def _scheme(self, name: Any) -> Any:
        scheme = next((scheme for scheme in self._contract.schemes if scheme.name == name), None)
        if scheme is None:
            raise ExchangeError(f"there is no security scheme {name!r}")
        return scheme

    def _credential(self, node: Mapping[str, Any]) -> str:
        """What is sent for a scheme, with the word before it."""
        scheme, data = self._scheme(node["credential"]), self._data(node.get("of", "default"))
        value, record = next(iter(values_at(data, scheme.accept.claim)))
        text = credential_for(scheme, data, value, record, self._now)
        return f"{scheme.word} {text}" if scheme.bearer else text

    def _token(self, node: Mapping[str, Any]) -> str:
        scheme, data = self._scheme(node["token"]), self._data(node.get("of", "default"))
        if not isinstance(scheme.accept, Jwt):
            raise ExchangeError(f"{scheme.name} is no scheme of signed tokens")
        value, record = list(values_at(data, scheme.accept.claim))[node.get("record", 0)]
        header, claims = token_parts(scheme.accept, data, value, record, self._now)
        header, claims = self._laid_over(header, node.get("header")), self._laid_over(claims, node.get("claims"))
        key = record[scheme.accept.key] if node.get("key") != "wrong" else _wrong_key(header["alg"])
        return sign(header, claims, key) + str(node.get("suffix", ""))

    def _laid_over(self, base: dict[str, Any], changes: Mapping[str, Any] | None) -> dict[str, Any]:
        merged = {**base, **self.value(dict(changes or {}))}
        return {name: value for name, value in merged.items() if value is not None}

    def request(self, case: Mapping[str, Any]) -> ExchangeRequest:
        """The request of an exchange as bytes. Raises ExchangeError."""
        self._now = self._clock()
        node = case["request"]
        path = node["path"]
        for name, value in node.get("path_params", {}).items():
            path = path.replace("{" + name + "}", quote(str(self.value(value)), safe=""))
        query = self._pairs(node.get("query"))
        url = path + (f"?{urlencode(query, doseq=True)}" if query else "")
        headers = [(name, str(self.value(value))) for name, value in node.get("headers", {}).items()]
        content, media_type = self._content(node)
        if media_type and not any(name.lower() == "content-type" for name, _ in headers):
            headers.append(("Content-Type", media_type))
        return ExchangeRequest(node["method"], url, headers, content)

    def _pairs(self, node: Any) -> list[tuple[str, Any]]:
        items = node.items() if isinstance(node, dict) else node or []
        found = [(name, self.value(value)) for name, value in items]
        return [(name, list(map(_text, v)) if isinstance(v, list) else _text(v)) for name, v in found]

    def _content(self, node: Mapping[str, Any]) -> tuple[bytes, str]:
        if "json" in node:
            return json.dumps(self.value(node["json"])).encode(), "application/json"
        if "form" in node:
            return urlencode(self._pairs(node["form"]), doseq=True).encode(), "application/x-www-form-urlencoded"
        if "multipart" in node:
            parts = [
                f'--{EXCHANGE_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                for name, value in self._pairs(node["multipart"])
            ]
            return (
                f"{''.join(parts)}--{EXCHANGE_BOUNDARY}--\r\n".encode(),
                f"multipart/form-data; boundary={EXCHANGE_BOUNDARY}",
            )
        return str(self.value(node.get("text", ""))).encode(), ""


def _wrong_key(algorithm: str) -> str:
    if not algorithm.startswith("RS"):
        return WRONG_KEY
    from joserfc import jwk  # noqa: PLC0415 -- a key costs 50 ms; few exchanges need one

    return jwk.RSAKey.generate_key(2048).as_pem(private=True).decode("ascii")


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def complaints(case: Mapping[str, Any], replay: ExchangeReplay, reply: ReplayReply) -> list[str]:
    """Where a reply is not the one that an exchange shows. Raises ExchangeError."""
    expected = replay.value(case["response"])
    found: dict[str, Any] = {"status": reply.status}
    if "json" in expected:
        try:
            found["json"] = json.loads(reply.body)
        except ValueError:
            found["json"] = reply.body.decode("utf-8", "replace")
    elif "text" in expected or reply.body:
        expected = {"text": "", **expected}
        found["text"] = reply.body.decode("utf-8", "replace")
    if "headers" in expected:
        found["headers"] = {name: reply.headers.get(name.lower()) for name in expected["headers"]}
    expected["answer"], found["answer"] = case["answer"], reply.headers.get("x-mock-answer")
    told = list(differences(expected, found))
    if told and (problem := reply.headers.get("x-mock-problem")):
        told.append(f"it was refused for: {problem} ({reply.headers.get('x-mock-rule', 'no rule')})")
    return told


def differences(expected: Any, found: Any, at: str = "") -> Iterator[str]:
    """Where ``found`` is not what is expected; ``{any: schema}`` is any value that fits the schema."""
    if isinstance(expected, dict) and expected.keys() == {"any"}:
        from jsonschema import Draft202012Validator  # noqa: PLC0415 -- takes 45 ms

        for error in Draft202012Validator(expected["any"]).iter_errors(found):
            yield f"{at}: {error.message}"
    elif isinstance(expected, dict) and isinstance(found, dict):
        for name in sorted(expected.keys() | found.keys()):
            yield from differences(expected.get(name, MISSING), found.get(name, MISSING), f"{at}/{name}")
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for index, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from differences(one, other, f"{at}/{index}")
    elif type(expected) is not type(found) or expected != found:
        yield f"{at}: expected {_shown(expected)}, found {_shown(found)}"


def _shown(value: Any) -> str:
    return "nothing" if value is MISSING else json.dumps(value, ensure_ascii=False)[:200]
