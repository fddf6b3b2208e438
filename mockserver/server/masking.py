"""Secrets of a call, made unreadable wherever it is shown. Two equal ones stay recognisable as equal."""

import hmac
import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_plus

from mockserver.engine.account import AccountData, credential_members
from mockserver.engine.bodies import UnreadableError, read_json, read_multipart, read_query
from mockserver.engine.call import RecordedCall, unpack_headers
from mockserver.spec.model import Contract

ALWAYS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
_LONG = 16  # characters from which an account's own credential is looked for anywhere in a call
_START = 7  # characters by which a secret is found; a shorter one is masked only where it stands: "1" is in every text
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*")
_ESCAPES = {  # of URLs, JSON, JSON Pointers by what they begin with: one of them at a time
    "%": re.compile(r"%[0-9A-Fa-f]{2}"),
    "\\": re.compile(r"\\(?:u[0-9A-Fa-f]{4}|[^u])"),
    "~": re.compile(r"~[01]"),
}
_FEW = 8  # starts of secrets that are looked for one by one; more of them at each place of a text
_KEPT = 4096  # texts that are read once, of so many characters at most
_LONGEST = 1024
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}

Span = tuple[int, int, str]  # from, to, which secret
Reading = tuple[str, Sequence[int]]  # a text without escapes, and where each of its characters was


class Needles:
    """Finds secrets in texts, however they are escaped there."""

    def __init__(self, found: Iterable[str] = ()) -> None:
        self._keepers: dict[str, int] = {}
        self._by_start: dict[str, tuple[tuple[str, str], ...]] = {}  # as it is written, and the secret
        self.numbers = 0  # secrets that could be part of a phone number
        self.count(found, 1)

    def count(self, found: Iterable[str], change: int) -> None:
        """From now on so many more keep these secrets, or fewer; what nobody keeps is found no more."""
        for secret in set(found):
            before = self._keepers.pop(secret, 0)
            if before + change:
                self._keepers[secret] = before + change
            if not before:
                self._add(secret)
            elif not before + change:
                self._remove(secret)

    def _add(self, secret: str) -> None:
        self.numbers += _is_number(secret)
        for written in _spellings(secret):
            start = written[:_START]
            self._by_start[start] = (*self._by_start.get(start, ()), (written, secret))

    def _remove(self, secret: str) -> None:
        self.numbers -= _is_number(secret)
        for written in _spellings(secret):
            start = written[:_START]
            kept = tuple(entry for entry in self._by_start.pop(start, ()) if entry[1] != secret)
            if kept:
                self._by_start[start] = kept

    def spans(self, text: str) -> list[Span]:
        """Where secrets stand: from, to, which. One that is cut off by the end of the text counts too."""
        known = self._by_start
        if len(known) > _FEW:
            starts = [at for at in range(len(text) - _START + 1) if text[at : at + _START] in known]
        else:
            starts = [at for start in known if start in text for at in _places(text, start)]
        return [
            (at, min(at + len(written), len(text)), secret)
            for at in starts
            for written, secret in known[text[at : at + _START]]
            if text.startswith(written, at) or written.startswith(text[at:])
        ]


NO_SECRETS = Needles()


class Masker:
    """Knows from the contracts where credentials stand, and the credentials of the accounts it learned."""

    def __init__(self, contracts: Iterable[Contract]) -> None:
        contracts = tuple(contracts)
        schemes = [scheme for contract in contracts for scheme in contract.schemes]
        self._headers = ALWAYS | {scheme.key for scheme in schemes if scheme.where == "header"}
        self._fields = frozenset(scheme.key for scheme in schemes if scheme.where == "query")
        self._members = [(contract.vendor, credential_members(contract)) for contract in contracts]
        self._key = secrets.token_bytes(16)
        self._accounts: set[AccountData] = set()
        self._known = Needles()
        self._remembered = lru_cache(maxsize=_KEPT)(self._read)

    def learn(self, came: Iterable[AccountData], gone: Iterable[AccountData] = ()) -> None:
        """Whose credentials to hide in any call: a client may have put them where they say nothing of whose it is."""
        for account in came:
            self._accounts.add(account)
            self._known.count(self._own(account), 1)
        for account in gone:
            self._accounts.remove(account)
            self._known.count(self._own(account), -1)
        self._remembered.cache_clear()

    def of_call(self, call: RecordedCall, account: AccountData | None) -> Needles:
        """What must not be shown of a call beside what accounts keep secret: all that it presents."""
        found = set(self._presented(call))
        found |= {part for text in found for part in _token_parts(text)}
        if account is not None and account not in self._accounts:
            found.update(self._own(account))
        return Needles(found)

    def masks(self, call: RecordedCall, account: AccountData | None) -> dict[str, str]:
        """How the secrets that a call presents, and the long ones of its account, may be written, and their masks."""
        known = {*self._presented(call), *(self._own(account) if account is not None else ())}
        return {written: self.mask(secret) for secret in known for written in _spellings(secret)}

    def hides_header(self, name: str) -> bool:
        """Whether the whole value of this header is a secret."""
        return name.lower() in self._headers

    def hides_field(self, name: str) -> bool:
        """Whether this form field, query parameter or member of a body is a secret."""
        return name in self._fields

    def text(self, text: str, presented: Needles) -> str:
        """A text with every secret in it masked: those of accounts, those that its call presents."""
        spans, readings = (self._remembered if len(text) <= _LONGEST else self._read)(text)
        found = spans + _found(readings, presented)
        if not found:
            return text
        kept: list[str] = []
        done = 0
        for start, end, secret in sorted(found, key=lambda span: (span[0], -span[1])):
            if start >= done:
                kept += (text[done:start], self.mask(secret))
            done = max(done, end)
        return "".join((*kept, text[done:]))

    def number(self, text: str) -> str:
        """A phone number, which is ``+`` and digits, with the secrets of accounts in it masked; few have such a one."""
        return self.text(text, NO_SECRETS) if self._known.numbers else text

    def _read(self, text: str) -> tuple[list[Span], list[Reading]]:
        """Where secrets of accounts and tokens stand, and how else the text can be read. Most texts come again."""
        readings: list[Reading] = [(text, range(len(text) + 1))]
        readings += [_unescaped(text, escape) for mark, escape in _ESCAPES.items() if mark in text]
        spans = [(match.start(), match.end(), match[0]) for match in _JWT.finditer(text)]
        return spans + _found(readings, self._known), readings

    def header(self, value: str) -> str:
        """The value of a hidden header; what kind of credential it is stays readable."""
        kind, _, secret = value.partition(" ")
        if kind.lower() in {"bearer", "basic"} and secret:
            return f"{kind} {self.mask(secret.strip())}"
        return self.mask(value)

    def hides_any(self, call: RecordedCall) -> bool:
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

    def _presented(self, call: RecordedCall) -> Iterator[str]:
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
        except UnreadableError:
            pass
        yield from (value for name, value in fields if self.hides_field(name))

    def _own(self, account: AccountData) -> Iterator[str]:
        """The account's long credentials, to be hidden wherever a client put them by mistake."""
        for vendor, members in self._members:
            for name in members:
                for value in _texts(account.vendors[vendor].get(name)):
                    if len(value) >= _LONG:
                        yield value

    def mask(self, secret: str) -> str:
        """``***`` and eight hex digits that two equal secrets share, by a key of this process."""
        digest = hmac.digest(self._key, secret.encode("utf-8", "surrogatepass"), "sha256")
        return f"***{digest.hex()[:8]}"


def _is_number(secret: str) -> bool:
    return secret.strip(" +").isdigit()


@lru_cache(maxsize=256)
def _spellings(secret: str) -> list[str]:
    """How a secret may be written, where it is long enough to be looked for."""
    written = {secret, secret.lower(), secret.replace(" ", "+"), secret.encode().decode("latin-1")}
    return [one for one in written if len(one) >= _START]


def _found(readings: list[Reading], needles: Needles) -> list[Span]:
    return [(places[at], places[end], which) for plain, places in readings for at, end, which in needles.spans(plain)]


def _places(text: str, part: str) -> Iterator[int]:
    """Where a part stands in a text, one of them overlapping another or not."""
    at = text.find(part)
    while at >= 0:
        yield at
        at = text.find(part, at + 1)


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


def _unescaped(text: str, escape: re.Pattern[str]) -> Reading:
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
