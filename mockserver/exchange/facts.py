"""What the world knows of a request's claims, handed to the decision as one value."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from mockserver.exchange.account import Account, Owner
from mockserver.exchange.budget import Budget, budget_key
from mockserver.exchange.clock import REAL, Clock
from mockserver.exchange.pin import Pin
from mockserver.exchange.request import Request
from mockserver.exchange.tokens import read_token
from mockserver.spec.contract import Equals, Jwt, Scheme
from mockserver.spec.functions import digits
from mockserver.spec.pointer import MISSING

NOTHING: Mapping[str, Any] = MappingProxyType({})
Claim = tuple[str, str]  # an account pointer, and the value as text


class Facts(NamedTuple):
    """Who owns what the request claims, and the real time in Unix seconds.

    By account: the operation's pin, the account's clock, what is left of its rate limit. By token: when it
    was first seen.
    """

    owners: Mapping[Claim, Owner]
    now: float
    pins: Mapping[str, Pin] = NOTHING
    clocks: Mapping[str, Clock] = NOTHING
    budgets: Mapping[str, Budget] = NOTHING
    first_seen: Mapping[str, float] = NOTHING

    def clock(self, account: Account | None) -> Clock:
        """The clock that an account's requests are judged by."""
        return self.clocks.get(account.id, REAL) if account is not None else REAL

    def owner(self, claim: Claim | None) -> Owner | None:
        """Who owns a claimed value, if anyone does."""
        return self.owners.get(claim) if claim is not None else None


class Claims(NamedTuple):
    """What a request claims: credentials first, then owned values, in document order; and its signed tokens.

    ``limit_key`` is what its rate limit counts by.
    """

    credentials: tuple[Claim, ...]
    owned: tuple[Claim, ...]
    tokens: tuple[str, ...] = ()
    limit_key: str = ""


def claims(request: Request, schemes: tuple[Scheme, ...]) -> Claims:
    """List what a request claims to be and to own, whether true or not."""
    data = request.data
    owned = []
    for place in request.operation.owned:
        claim = owned_claim(place.claim, place.at.get(data), by_digits=place.digits)
        if claim is not None:
            owned.append(claim)
    tokens = [text for scheme in schemes if isinstance(scheme.accept, Jwt) and (text := credential(scheme, data))]
    return Claims(credential_claims(schemes, data).credentials, tuple(owned), tuple(tokens), budget_key(request))


def credential_claims(schemes: tuple[Scheme, ...], data: Mapping[str, Any]) -> Claims:
    """The claims of a request's credentials alone."""
    found = [claim for scheme in schemes if (claim := credential_claim(scheme, data)) is not None]
    return Claims(tuple(found), ())


def credential(scheme: Scheme, data: Mapping[str, Any]) -> str | None:
    """The credential a request carries for a scheme; None where it carries none of its form."""
    value = data[scheme.where].get(scheme.key)
    if not isinstance(value, str) or not value:
        return None
    if scheme.bearer:
        kind, _, value = value.partition(" ")
        return value.strip() or None if kind.lower() == "bearer" else None
    return value


def credential_claim(scheme: Scheme, data: Mapping[str, Any]) -> Claim | None:
    """The account value that a credential names."""
    value = credential(scheme, data)
    if value is None:
        return None
    if isinstance(scheme.accept, Equals):
        return scheme.accept.claim, value
    token = read_token(value)
    if token is None:
        return None
    part = token.claims if scheme.accept.find_in == "claim" else token.header
    return owned_claim(scheme.accept.claim, part.get(scheme.accept.find, MISSING), by_digits=False)


def owned_claim(pointer: str, value: Any, *, by_digits: bool) -> Claim | None:
    """The claim that a value makes; None where it is no text or integer."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return pointer, digits(value) if by_digits else str(value)


def named_account(asked: Claims, facts: Facts) -> Account | None:
    """Whose a request is that proves nothing: whom its credentials name, else the first owned value's owner."""
    for claim in (*asked.credentials, *asked.owned):
        owner = facts.owner(claim)
        if owner is not None:
            return owner.account
    return None
