"""Whether a request proves who it is."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from mockserver.exchange.account import Account, Owner
from mockserver.exchange.clock import REAL
from mockserver.exchange.credential import Credential, Credentials
from mockserver.exchange.facts import NOTHING, Facts
from mockserver.exchange.problem import Problem
from mockserver.exchange.request import Request
from mockserver.exchange.tokens import Token, is_signed_by
from mockserver.spec.contract import Alternative, Jwt, Scheme
from mockserver.spec.pointer import Pointer

LEEWAY = 5  # seconds that another clock may be ahead
BACKDATED = 6  # seconds that clients date a token back by, at most: 5, and less than one for rounding


class Identity(msgspec.Struct, frozen=True):
    """Who a request was proved to be from, the records its credentials bind, and what was wrong."""

    account: Account | None = None
    records: Mapping[str, Any] = NOTHING
    problems: tuple[Problem, ...] = ()


NOBODY = Identity()


def authenticate(request: Request, facts: Facts) -> Identity:
    """Check the first security alternative whose credentials are all present."""
    alternatives, carried = request.operation.security, request.credentials
    if not alternatives:
        return NOBODY
    for alternative in alternatives:
        if carried.keys() >= alternative.wanted:
            return _check(alternative, carried, facts)
    partly = [alternative for alternative in alternatives if carried.keys() & alternative.wanted]
    lacking = [scheme for scheme in (partly or alternatives)[0].schemes if scheme not in carried]
    return Identity(problems=tuple(_problem(s, "absent", f"{_called(s)} is missing") for s in lacking))


def _check(alternative: Alternative, carried: Credentials, facts: Facts) -> Identity:
    account: Account | None = None
    records: dict[str, Any] = {}
    problems: list[Problem] = []
    for scheme in alternative.schemes:
        credential = carried[scheme]
        owner = facts.owners.get(credential.claim) if credential.claim is not None else None
        problem = _verify(credential, owner, facts)
        if problem is None and account is not None and owner is not None and owner.account is not account:
            problem = _problem(scheme, "signature", f"{_called(scheme)} belongs to another account")
        if problem is not None:
            problems.append(problem)
        elif owner is not None:
            account = owner.account
            records[scheme.binds] = owner.record
    if problems or account is None:
        return Identity(None, NOTHING, tuple(problems))
    return Identity(account, records, _forbidden(alternative, records) if alternative.asks_roles else ())


def _verify(credential: Credential, owner: Owner | None, facts: Facts) -> Problem | None:
    scheme = credential.scheme
    if not credential.text:
        return _problem(scheme, "malformed", f"{_called(scheme)} does not hold a credential")
    if isinstance(scheme.accept, Jwt):
        if credential.token is None:
            return _problem(scheme, "malformed", f"{_called(scheme)} is not a JWT")
        return _verify_token(scheme, scheme.accept, (credential.text, credential.token), owner, facts)
    if owner is None:
        return _problem(scheme, "signature", f"{_called(scheme)} is nobody's")
    return None


def _verify_token(
    scheme: Scheme, accept: Jwt, sent: tuple[str, Token], owner: Owner | None, facts: Facts
) -> Problem | None:
    text, token = sent
    part = token.claims if accept.find_in == "claim" else token.header
    if accept.find not in part:
        return _problem(scheme, "claims", f"the token has no {accept.find_in} {accept.find!r}")
    if owner is None:
        return _problem(scheme, "signature", f"the token's {accept.find!r} is nobody's")
    record = owner.record
    allowed = (record[accept.algorithm],) if accept.algorithm else accept.algorithms
    algorithm: Any = token.header.get("alg")
    if algorithm not in allowed:
        return _problem(scheme, "signature", f"the token's algorithm must be {' or '.join(allowed)}")
    if not is_signed_by(text, record[accept.key], algorithm):
        return _problem(scheme, "signature", "the token's signature does not verify")
    owned = owner.account.vendors[scheme.vendor]
    now = token_time(facts, owner, text, token)
    wrong = _wrong_claim(accept, token.claims, owned) or _wrong_time(accept, token, now)
    return _problem(scheme, *wrong) if wrong else None


def token_time(facts: Facts, owner: Owner, text: str, token: Token) -> float:
    """The time to hold a token's claims against: the account's, less what its clock was off by when it was made.

    A token was made at its ``iat``, else when first seen. Clients round ``iat`` down or date it back by seconds, so
    one that is younger than that and was not seen before counts as made when first seen.
    """
    clock = facts.clock(owner.account) if facts.clocks else REAL
    if clock is REAL:
        return facts.now
    first, iat = facts.first_seen.get(text, facts.now), token.claims.get("iat")
    made = min(first, iat + BACKDATED) if isinstance(iat, int | float) and iat > 0 else first
    return clock.at(facts.now) - clock.shift(made)


_pointer = lru_cache(maxsize=256)(Pointer.parse)  # of contracts, so there are few


def _wrong_claim(accept: Jwt, claims: Mapping[str, Any], owned: Mapping[str, Any]) -> tuple[str, str] | None:
    for name in accept.require:
        if name not in claims:
            return "claims", f"the token has no claim {name!r}"
    for name, allowed in accept.claims:
        texts = [str(_pointer(text).get({"account": owned})) if text.startswith("/") else text for text in allowed]
        value = claims.get(name)
        if isinstance(value, bool) or str(value) not in texts:
            return "claims", f"the token's claim {name!r} is not the account's"
    return None


def _wrong_time(accept: Jwt, token: Token, now: float) -> tuple[str, str] | None:
    times = token.times
    if isinstance(times, str):
        return "claims", f"the token's claim {times!r} is not a time in seconds"
    if times.get("exp", now + 1) <= now:
        return "expired", "the token has expired"
    for name in ("iat", "nbf"):
        if times.get(name, now) > now + LEEWAY:
            return "claims", f"the token's claim {name!r} lies in the future"
    if accept.max_age is not None and times.keys() >= {"iat", "exp"} and times["exp"] > times["iat"] + accept.max_age:
        return "claims", f"the token lives longer than {accept.max_age} s"
    return None


def _forbidden(alternative: Alternative, records: Mapping[str, Any]) -> tuple[Problem, ...]:
    for scheme in alternative.schemes:
        accept = scheme.accept
        if isinstance(accept, Jwt) and accept.roles:
            held = records[scheme.binds].get(accept.roles) or ()
            if not any(roles.issubset(held) for roles in alternative.roles):
                wanted = " or ".join(sorted({" and ".join(sorted(roles)) for roles in alternative.roles}))
                return (Problem("forbidden", scheme.at, "", f"the credential lacks: {wanted}"),)
    return ()


def _called(scheme: Scheme) -> str:
    return f"the {'header' if scheme.where == 'header' else 'parameter'} {scheme.key}"


def _problem(scheme: Scheme, reason: str, message: str) -> Problem:
    return Problem("unauthenticated", scheme.at, reason, message)
