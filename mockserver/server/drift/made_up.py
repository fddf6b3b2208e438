"""Whether a request has a credential that this server made up: by its place, or by its value, wherever that stands."""

import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import unquote, unquote_plus

from mockserver.engine.account import AccountData, Owner
from mockserver.engine.call import unpack_headers
from mockserver.engine.coding import content_of
from mockserver.engine.credentials import Claim, read_credential
from mockserver.engine.engine import Engine
from mockserver.engine.request import Arrival
from mockserver.server.checkpoint import TimeShare
from mockserver.server.control.requests import State
from mockserver.server.drift.customers import GivenCustomers, credentials_of
from mockserver.server.masking import MIN_QUOTED
from mockserver.spec.security_model import Jwt, Scheme
from mockserver.store.accounts import claimed

PIECE_CHARACTERS = 8 * 1024  # characters that are searched before others get their turn
MIN_EMBEDDED = 16  # characters of a value that counts within a longer word too: "1000001" is in many a number
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_JSON_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
_ESCAPED_CONTROLS = {"n": "\n", "r": "\r", "t": "\t"}


class MadeUp:
    """The credentials of a server's accounts that no user gave it."""

    def __init__(self, mock: State, engine: Engine, customers: GivenCustomers) -> None:
        self._mock = mock
        self._engine = engine
        self._customers = customers
        self._accounts: tuple[AccountData, ...] = ()
        self._values: dict[AccountData, frozenset[str]] = {}
        self._by_end: dict[str, set[str]] = {}

    async def is_in(self, arrival: Arrival, target: str) -> bool:
        """Whether a request has one anywhere; ``target`` is its path and query as they came."""
        for vendor, claims in self._engine.claims(arrival):
            if self._customers.any_made_up(vendor, claims, await self._mock.store.owners(vendor)):
                return True
        self._learn(await self._mock.store.accounts())
        share = TimeShare()
        for text in _readings(_texts(arrival, target)):
            if await self._has_value(text, share) or await self._has_token(text, share):
                return True
        return False

    def _learn(self, accounts: tuple[AccountData, ...]) -> None:
        """Have the values at hand of the accounts that there are now."""
        if accounts == self._accounts:
            return
        self._values = {account: self._values.get(account) or self._values_of(account) for account in accounts}
        self._accounts, self._by_end = accounts, {}
        for value in frozenset().union(*self._values.values()):
            self._by_end.setdefault(value[-MIN_QUOTED:], set()).add(value)

    def _values_of(self, account: AccountData) -> frozenset[str]:
        """What is looked for of an account; of a key that has lines, the longest one."""
        given = set(self._customers.credentials)
        found = {
            value
            for contract in self._mock.contracts
            if contract.vendor in account.vendors
            for value in credentials_of(contract, claimed(contract, account.vendors[contract.vendor]))
            if value not in given
        }
        lines = (max(value.splitlines(), key=len, default="") for value in found)
        return frozenset(line for line in lines if len(line) >= MIN_QUOTED)

    async def _has_value(self, text: str, share: TimeShare) -> bool:
        for start in range(0, len(text), PIECE_CHARACTERS):
            piece = text[start : start + PIECE_CHARACTERS + MIN_QUOTED - 1]
            ends = {piece[at : at + MIN_QUOTED] for at in range(len(piece) - MIN_QUOTED + 1)}
            if any(_stands(value, text) for end in ends & self._by_end.keys() for value in self._by_end[end]):
                return True
            await share.checkpoint()
        return False

    async def _has_token(self, text: str, share: TimeShare) -> bool:
        """Whether a signed token names one of whom the server made up."""
        schemes = [scheme for contract in self._mock.contracts for scheme in contract.schemes]
        signed = [scheme for scheme in schemes if isinstance(scheme.accept, Jwt)]
        owners = {scheme.vendor: await self._mock.store.owners(scheme.vendor) for scheme in signed}
        for token in _JWT.finditer(text):
            if any(self._names_made_up(token[0], scheme, owners[scheme.vendor]) for scheme in signed):
                return True
            await share.checkpoint()
        return False

    def _names_made_up(self, token: str, scheme: Scheme, owners: Mapping[Claim, Owner]) -> bool:
        claim = read_credential(scheme, f"{scheme.word} {token}" if scheme.word else token).claim
        return claim is not None and self._customers.any_made_up(scheme.vendor, [claim], owners)


def _texts(arrival: Arrival, target: str) -> Iterator[str]:
    yield target
    yield from (text for header in unpack_headers(arrival.headers) for text in header)
    yield content_of(arrival).decode("utf-8", "replace")


def _readings(texts: Iterable[str]) -> Iterator[str]:
    """Each text as it is, and as it is read where it is percent-encoded, a form or JSON."""
    for text in texts:
        spellings = {text, unquote(text), unquote_plus(text)}
        yield from spellings | {_JSON_ESCAPE.sub(_unescaped, spelling) for spelling in spellings}


def _unescaped(escape: re.Match[str]) -> str:
    return chr(int(escape[1], 16)) if escape[1] else _ESCAPED_CONTROLS.get(escape[2], escape[2])


def _stands(value: str, text: str) -> bool:
    """Whether a text has a value; a short one, as a word of its own."""
    if len(value) >= MIN_EMBEDDED or value not in text:
        return value in text
    return re.search(rf"(?<![A-Za-z0-9]){re.escape(value)}(?![A-Za-z0-9])", text) is not None
