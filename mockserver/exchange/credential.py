"""What a request carries to say who it is, not yet verified."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from mockserver.exchange.tokens import KEPT, LONGEST, Token, read_token
from mockserver.spec.contract import Equals, Jwt, Scheme
from mockserver.spec.functions import digits
from mockserver.spec.pointer import MISSING

Claim = tuple[str, str]  # an account pointer, and the value as text


class Credential(msgspec.Struct, frozen=True, eq=False):
    """Its text, "" where it is not of its scheme's form; the token in it and the account value it names, if any."""

    scheme: Scheme
    text: str
    token: Token | None = None
    claim: Claim | None = None


Credentials = dict[Scheme, Credential]


def credentials(schemes: tuple[Scheme, ...], data: Mapping[str, Any]) -> Credentials:
    """By scheme what ``data``, the parts of a request, has where credentials stand."""
    found = {}
    for scheme in schemes:
        value = data[scheme.where].get(scheme.key)
        if value is not None:
            short = isinstance(value, str) and len(value) <= LONGEST
            found[scheme] = _remembered(scheme, value) if short else _credential(scheme, value)
    return found


def _credential(scheme: Scheme, value: Any) -> Credential:
    if not isinstance(value, str):
        return Credential(scheme, "")
    if scheme.bearer:
        kind, _, rest = value.partition(" ")
        value = rest.strip() if kind.lower() == "bearer" else ""
    if not value:
        return Credential(scheme, "")
    if isinstance(scheme.accept, Equals):
        return Credential(scheme, value, None, (scheme.accept.claim, value))
    token = read_token(value)
    return Credential(scheme, value, token, _named_by(token, scheme.accept))


_remembered = lru_cache(maxsize=KEPT)(_credential)  # to read a token takes 10 us


def _named_by(token: Token | None, accept: Jwt) -> Claim | None:
    """The account value that a token names, signed or not."""
    if token is None:
        return None
    part = token.claims if accept.find_in == "claim" else token.header
    return claim_of(accept.claim, part.get(accept.find, MISSING), by_digits=False)


def claim_of(pointer: str, value: Any, *, by_digits: bool) -> Claim | None:
    """The claim that a value makes; None where it is no text or number."""
    if isinstance(value, str):
        return pointer, digits(value) if by_digits else value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return pointer, digits(value) if by_digits else str(value)
