"""Secrets of a call, made unreadable wherever it is shown. Two equal ones stay recognisable as equal."""

import hmac
import re
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import unquote_plus

from mockserver.exchange.account import Account
from mockserver.exchange.bodies import Unreadable, read_json, read_multipart
from mockserver.exchange.call import Call, unpack_headers
from mockserver.exchange.handout import credential_members
from mockserver.exchange.request import read_query
from mockserver.spec.contract import Contract

ALWAYS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
_LONG = 16  # characters from which an account's own credential is looked for anywhere in a call
_START = 7  # characters by which a secret is found; a shorter one is masked only where it stands: "1" is in every text
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*")
_ESCAPES = (  # of URLs, JSON, JSON Pointers: one of them at a time
    re.compile(r"%[0-9A-Fa-f]{2}"),
    re.compile(r"\\(?:u[0-9A-Fa-f]{4}|[^u])"),
    re.compile(r"~[01]"),
)
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


class Needles:
    """Finds secrets in texts, however they are escaped there."""

    def __init__(self, found: Iterable[str] = ()) -> None:
        self._by_start: dict[str, Counter[tuple[str, str]]] = {}
        self.count(found, 1)

    def count(self, found: Iterable[str], change: int) -> None:
        """From now on so many more keep these secrets, or fewer; what nobody keeps is found no more."""
        for secret in set(found):
            for written in {secret, secret.lower(), secret.replace(" ", "+"), secret.encode().decode("latin-1")}:
                start = written[:_START]
                if len(start) < _START:
                    continue
                kept = self._by_start.setdefault(start, Counter())
                kept[written, secret] += change
                if not kept[written, secret]:
                    del kept[written, secret]
                if not kept:
                    del self._by_start[start]

    def spans(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Where secrets stand: from, to, which. One that is cut off by the end of the text counts too."""
        for at in range(len(text) - _START + 1) if self._by_start else ():
            for written, secret in self._by_start.get(text[at : at + _START], ()):
                if text.startswith(written, at) or written.startswith(text[at:]):
                    yield at, min(at + len(written), len(text)), secret


class Masker:
    """Knows from the contracts where credentials stand, and the credentials of the accounts it learned."""

    def __init__(self, contracts: Iterable[Contract]) -> None:
        self._contracts = tuple(contracts)
        schemes = [scheme for contract in self._contracts for scheme in contract.schemes]
        self._headers = ALWAYS | {scheme.key for scheme in schemes if scheme.where == "header"}
        self._fields = frozenset(scheme.key for scheme in schemes if scheme.where == "query")
        self._key = secrets.token_bytes(16)
        self._accounts: frozenset[Account] = frozenset()
        self._known = Needles()

    def learn(self, accounts: tuple[Account, ...]) -> None:
        """Whose credentials to hide in any call: a client may have put them where they say nothing of whose it is."""
        known = frozenset(accounts)
        for account in known ^ self._accounts:
            self._known.count(self._own(account), 1 if account in known else -1)
        self._accounts = known

    def of_call(self, call: Call, account: Account | None) -> tuple[Needles, ...]:
        """All that must not be shown of a call: what it presents, and what accounts keep secret."""
        found = set(self._presented(call))
        found |= {part for text in found for part in _token_parts(text)}
        return self._known, Needles(found.union(self._own(account) if account else ()))

    def hides_header(self, name: str) -> bool:
        """Whether the whole value of this header is a secret."""
        return name.lower() in self._headers

    def hides_field(self, name: str) -> bool:
        """Whether this form field, query parameter or member of a body is a secret."""
        return name in self._fields

    def text(self, text: str, needles: Iterable[Needles]) -> str:
        """A text with every secret in it masked."""
        spans = [span for finder in needles for span in finder.spans(text)]
        spans += [(match.start(), match.end(), match[0]) for match in _JWT.finditer(text)]
        for escape in _ESCAPES:
            if escape.search(text):
                plain, places = _unescaped(text, escape)
                spans += [(places[at], places[end], secret) for f in needles for at, end, secret in f.spans(plain)]
        kept: list[str] = []
        done = 0
        for start, end, secret in sorted(spans, key=lambda span: (span[0], -span[1])):
            if start >= done:
                kept += (text[done:start], self.mask(secret))
            done = max(done, end)
        return "".join((*kept, text[done:]))

    def header(self, value: str) -> str:
        """The value of a hidden header; what kind of credential it is stays readable."""
        kind, _, secret = value.partition(" ")
        if kind.lower() in {"bearer", "basic"} and secret:
            return f"{kind} {self.mask(secret.strip())}"
        return self.mask(value)

    def hides_any(self, call: Call) -> bool:
        """Whether a call carries anything where credentials stand."""
        return any(self._presented(call))

    def query(self, text: str) -> str:
        """A query string or urlencoded form with its secret fields masked where they stand."""
        pairs = [pair.partition("=") for pair in text.split("&")]
        return "&".join(
            f"{name}={self.mask(unquote_plus(value))}"
            if value and self.hides_field(unquote_plus(name))
            else name + equals + value
            for name, equals, value in pairs
        )

    def _presented(self, call: Call) -> Iterator[str]:
        """What stands where credentials stand, whoever's it is, and however the body calls itself."""
        content_type = ""
        for name, value in unpack_headers(call.headers):
            if self.hides_header(name):
                yield from (value, value.partition(" ")[2].strip())
            elif name == "content-type":
                content_type = value
        fields = read_query(call.query)
        try:
            if "multipart" in content_type.lower():
                fields += read_multipart(call.body, content_type.encode("latin-1"))
            elif call.body:
                fields += read_query(call.body)
                fields += _members(read_json(call.body))
        except Unreadable:
            pass
        yield from (value for name, value in fields if self.hides_field(name))

    def _own(self, account: Account) -> Iterator[str]:
        """The account's long credentials, to be hidden wherever a client put them by mistake."""
        for contract in self._contracts:
            for name in credential_members(contract):
                for value in _texts(account.vendors[contract.vendor].get(name)):
                    if len(value) >= _LONG:
                        yield value

    def mask(self, secret: str) -> str:
        """``***`` and eight hex digits that two equal secrets share, by a key of this process."""
        digest = hmac.digest(self._key, secret.encode("utf-8", "surrogatepass"), "sha256")
        return f"***{digest.hex()[:8]}"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(item)


def _members(value: Any) -> Iterator[tuple[str, str]]:
    """The members of all objects in a JSON value that are texts."""
    if isinstance(value, dict):
        yield from ((name, item) for name, item in value.items() if isinstance(item, str))
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _members(item)


def _token_parts(text: str) -> list[str]:
    """A compact JWT can be read from its first two parts alone: those are secrets too."""
    parts = text.split(".")
    return [part for part in parts if len(part) >= _LONG] if len(parts) == 3 else []


def _unescaped(text: str, escape: re.Pattern[str]) -> tuple[str, list[int]]:
    """A text with these escapes read, and where in it each character of that began, and the end."""
    plain: list[str] = []
    places: list[int] = []
    done = 0
    for match in escape.finditer(text):
        plain += (text[done : match.start()], _meaning(match[0]))
        places += range(done, match.start() + 1)
        done = match.end()
    return "".join((*plain, text[done:])), [*places, *range(done, len(text) + 1)]


def _meaning(escape: str) -> str:
    if escape[0] == "~":
        return "~/"[int(escape[1])]
    if escape[0] == "%" or escape[1] == "u":
        return chr(int(escape.lstrip("%\\u"), 16))
    return _CONTROLS.get(escape[1], escape[1])
