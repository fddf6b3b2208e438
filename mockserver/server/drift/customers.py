"""Which customers' values a user has given, and which this server made up: those mean nothing to a real vendor."""

import base64
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mockserver.engine.account import Owner
from mockserver.engine.credentials import Claim
from mockserver.engine.request import ParsedRequest
from mockserver.server.settings import Settings
from mockserver.spec.model import Contract
from mockserver.spec.pointer import Pointer, join
from mockserver.spec.security_model import Basic, Jwt
from mockserver.spec.source import read_text, read_yaml
from mockserver.store.accounts import claimed

MIN_OWNED = 4  # characters of a value that is looked for


class GivenCustomers:
    """The values that stand in the file of ``--accounts``, which a server has read before."""

    def __init__(self, settings: Settings, contracts: Iterable[Contract]) -> None:
        self.ids: set[str] = set()
        self.credentials: list[str] = []  # as they may be written anywhere
        self.owned: dict[str, dict[str, str]] = {}  # by vendor the values that are no secrets, and a pointer of each
        self._claims: dict[str, set[Claim]] = {}
        self._members: dict[tuple[str, str], set[str]] = {}
        by_vendor = {contract.vendor: contract for contract in contracts}
        for account in _accounts(settings):
            self.ids.add(account["id"])
            for vendor, values in (account.get("vendors") or {}).items():
                found = list(claimed(by_vendor[vendor], values))
                given = {claim for claim, _, _ in found}
                self.credentials += credentials_of(by_vendor[vendor], found)
                usual = {text for text, _ in _texts(by_vendor[vendor].account, "")}
                own = {text: at for text, at in _texts(values, "") if len(text) >= MIN_OWNED and text not in usual}
                self.owned[vendor] = own | self.owned.get(vendor, {})
                self._claims.setdefault(vendor, set()).update(given)
                self._members[account["id"], vendor] = set(values)

    def has_made_up(self, request: ParsedRequest, owners: Mapping[Claim, Owner]) -> bool:
        """Whether a credential of the request is one that this server made up."""
        claims = [credential.claim for credential in request.credentials.values() if credential.claim is not None]
        return self.any_made_up(request.operation.vendor, claims, owners)

    def any_made_up(self, vendor: str, claims: Iterable[Claim], owners: Mapping[Claim, Owner]) -> bool:
        """Whether an account has one of these values of a vendor that the user did not give."""
        given = self._claims.get(vendor, set())
        return any(claim in owners and claim not in given for claim in claims)

    def knows(self, request: ParsedRequest, owners: Mapping[Claim, Owner]) -> bool:
        """Whether the user gave all by which this request is judged: who sends it, and what they own."""
        given = self._claims.get(request.operation.vendor, set())
        named = [credential.claim for credential in request.credentials.values()]
        senders = {owners[claim].account.id for claim in named if claim in given and claim in owners}
        if len(senders) != 1 or len(named) > len([claim for claim in named if claim in given]):
            return False
        members = self._members[senders.pop(), request.operation.vendor]
        return all(Pointer.parse(owned.claim).tokens[1] in members for owned in request.operation.owned)


def credentials_of(contract: Contract, found: Iterable[tuple[Claim, str, Any]]) -> Iterator[str]:
    """The secrets of an account at a vendor: what is presented as it is, passwords, and what tokens are signed with."""
    for (pointer, value), _, record in found:
        for accept in (scheme.accept for scheme in contract.schemes if scheme.accept.claim == pointer):
            if isinstance(accept, Basic):
                yield record[accept.password]
                yield base64.b64encode(f"{value}:{record[accept.password]}".encode()).decode("ascii")
            else:
                yield record[accept.key] if isinstance(accept, Jwt) else value


def _texts(value: Any, at: str) -> Iterator[tuple[str, str]]:
    """Each text in an account's data, and its pointer; the first place of a text is the last to come."""
    if isinstance(value, Mapping | list):
        entries = value.items() if isinstance(value, Mapping) else enumerate(value)
        for name, item in reversed(list(entries)):
            yield from _texts(item, at + join(name))
    elif isinstance(value, str):
        yield value, at


def _accounts(settings: Settings) -> list[dict[str, Any]]:
    if settings.accounts is None:
        return []
    value = read_yaml(str(settings.accounts), read_text(settings.accounts)).value
    return value if isinstance(value, list) else [value]
