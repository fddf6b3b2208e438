"""Whether a request proves who sends it."""

import hmac
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from mockserver.engine.account import AccountData, Owner
from mockserver.engine.clock import REAL, Clock, Sight
from mockserver.engine.credentials import (
    MAX_REMEMBERED,
    MAX_REMEMBERED_BYTES,
    Credential,
    Credentials,
)
from mockserver.engine.facts import NOTHING, Facts
from mockserver.engine.problem import Problem
from mockserver.engine.request import ParsedRequest
from mockserver.engine.tokens import Token
from mockserver.spec.account_values import values_at
from mockserver.spec.security_model import Alternative, Basic, Jwt, Scheme

LEEWAY = 5  # seconds that a client's clock may be ahead
BACKDATED = 6  # seconds: clients date a token back by at most 5, and round down by less than one


NewSight = tuple[str, bytes, Sight]  # account, digest of the token, sight


class Identity(msgspec.Struct, frozen=True):
    """The account that a request is proved to come from, the records that its credentials bind, and the problems.

    ``sights`` are the tokens that were verified for an account and had not been before, expired ones among them.
    """

    account: AccountData | None = None
    records: Mapping[str, Any] = NOTHING
    problems: tuple[Problem, ...] = ()
    sights: tuple[NewSight, ...] = ()


NOBODY = Identity()


class Authenticator:
    """Proves who a request comes from, and remembers the last tokens: to verify a signature takes 15 to 60 us."""

    def __init__(self) -> None:
        self._remembered = lru_cache(maxsize=MAX_REMEMBERED)(lasting_flaw)

    def authenticate(self, request: ParsedRequest, facts: Facts) -> Identity:
        """Check the first security alternative whose credentials are all present, and then those in its places.

        A header may hold the credential of one scheme or another: each is tried until one is good. Where none is, the
        problems are those of the alternative that came furthest. What stands in another place does not count.
        """
        alternatives, carried = request.operation.security, request.credentials
        if not alternatives:
            return NOBODY
        furthest: Identity | None = None
        places: frozenset[str] = frozenset()
        for alternative in alternatives:
            if carried.keys() >= alternative.wanted and (furthest is None or places & alternative.places):
                identity = self._check(alternative, carried, facts)
                if not identity.problems:
                    return identity
                places = places or alternative.places
                if furthest is None or _stage(identity) > _stage(furthest):
                    furthest = identity
        if furthest is not None:
            return furthest
        partly = [alternative for alternative in alternatives if carried.keys() & alternative.wanted]
        lacking = [scheme for scheme in (partly or alternatives)[0].schemes if scheme not in carried]
        return Identity(problems=tuple(_problem(s, "absent", f"{_called(s)} is missing") for s in lacking))

    def _check(self, alternative: Alternative, carried: Credentials, facts: Facts) -> Identity:
        account: AccountData | None = None
        records: dict[str, Any] = {}
        problems: list[Problem] = []
        sights: tuple[NewSight, ...] = ()
        for scheme in alternative.schemes:
            credential = carried[scheme]
            owner = facts.owners.get(credential.claim) if credential.claim is not None else None
            problem, sight = self._verify(credential, owner, facts)
            if sight is not None and owner is not None:
                sights += ((owner.account.id, credential.digest, sight),)
            if problem is None and account is not None and owner is not None and owner.account.id != account.id:
                problem = _problem(scheme, "signature", f"{_called(scheme)} belongs to another account")
            if problem is not None:
                problems.append(problem)
            elif owner is not None:
                account = owner.account
                records[scheme.binds] = owner.record
        if problems or account is None:
            return Identity(None, NOTHING, tuple(problems), sights)
        return Identity(account, records, _forbidden(alternative, records) if alternative.asks_roles else (), sights)

    def _verify(self, credential: Credential, owner: Owner | None, facts: Facts) -> tuple[Problem | None, Sight | None]:
        """What is wrong with a credential, and the sight of a token that is verified for the first time."""
        token = credential.token
        if owner is None or not credential.text or token is None:
            unowned = owner is None or not credential.text
            return (_unowned(credential) if unowned or owner is None else _without_token(credential, owner)), None
        examine = self._remembered if len(credential.text) <= MAX_REMEMBERED_BYTES else lasting_flaw
        flaw = examine(credential, owner)
        if flaw is not None:
            return _problem(credential.scheme, *flaw), None
        clock, known = facts.clock(owner.account), facts.sights.get(credential.digest)
        sight = known or first_sight(clock, facts.now, token)
        flaw = _flaw_at(token_time(clock, facts.now, sight, token), token)
        return _problem(credential.scheme, *flaw) if flaw else None, sight if known is None else None


_STAGES = ("malformed", "unknown", "signature", "claims", "expired", "")  # reasons, in the order of the checks


def _stage(identity: Identity) -> int:
    """How far the credentials of an alternative came, of several the one that failed first."""
    return min(_STAGES.index(problem.reason) for problem in identity.problems)


def _without_token(credential: Credential, owner: Owner) -> Problem | None:
    """The problem with a credential that names somebody and is no token."""
    accept = credential.scheme.accept
    if not isinstance(accept, Basic):
        return None
    password = credential.text.partition(":")[2]
    if hmac.compare_digest(password.encode(), str(owner.record.get(accept.password)).encode()):
        return None
    return _problem(credential.scheme, "signature", f"the password of {_called(credential.scheme)} is wrong")


def _unowned(credential: Credential) -> Problem:
    """The problem with a credential that names nobody."""
    scheme, token = credential.scheme, credential.token
    if not credential.text:
        flaw = "is given more than once" if credential.repeated else "does not hold a credential"
        return _problem(scheme, "malformed", f"{_called(scheme)} {flaw}")
    if not isinstance(scheme.accept, Jwt):
        return _problem(scheme, "unknown", f"{_called(scheme)} is nobody's")
    if token is None:
        return _problem(scheme, "malformed", f"{_called(scheme)} is not a JWT")
    accept = scheme.accept
    if accept.find not in (token.claims if accept.find_in == "claim" else token.header):
        return _problem(scheme, "claims", f"the token has no {accept.find_in} {accept.find!r}")
    return _problem(scheme, "unknown", f"the token's {accept.find!r} is nobody's")


def lasting_flaw(credential: Credential, owner: Owner) -> tuple[str, str] | None:
    """Reason and message of what is wrong with an owner's token at any time; None where nothing is."""
    accept, token, record = credential.scheme.accept, credential.token, owner.record
    assert isinstance(accept, Jwt)  # noqa: S101 -- else it would hold no token
    assert token is not None  # noqa: S101 -- as above
    allowed = (record[accept.algorithm],) if accept.algorithm else accept.algorithms
    algorithm: Any = token.header.get("alg")
    if algorithm not in allowed:
        return "signature", f"the token's algorithm must be {' or '.join(allowed)}"
    from mockserver.engine.signing import is_signed_by  # noqa: PLC0415 -- a server is ready before it has met a token

    if not is_signed_by(credential.text, record[accept.key], algorithm):
        return "signature", "the token's signature does not verify"
    flaw = _claim_flaw(accept, token.claims, owner.account.vendors[credential.scheme.vendor])
    if flaw is not None:
        return flaw
    times = token.times
    if isinstance(times, str):
        return "claims", f"the token's claim {times!r} is not a time in seconds"
    if accept.max_age is not None and times.keys() >= {"iat", "exp"} and times["exp"] > times["iat"] + accept.max_age:
        return "claims", f"the token lives longer than {accept.max_age} s"
    return None


def first_sight(clock: Clock, real: float, token: Token) -> Sight:
    """The sight of a token that is new: it belongs to the clock that it is nearer to, for as long as it lives.

    A client may keep real time while a test moves the account's clock, or its own clock may be moved alike. A token
    without ``iat`` belongs to the account's clock where it is good by that.
    """
    account = clock.at(real)
    if clock is REAL or account == real:
        return Sight(real, is_own=False)
    made, until = _made(token), token.good[1]
    if made is None:
        return Sight(real, is_own=until > account)
    middle = (account + real) / 2
    return Sight(real, is_own=made > middle if account > real else made < middle)


def token_time(clock: Clock, real: float, sight: Sight, token: Token) -> float:
    """The time to compare a token's claims with: the account's, less the shift of its clock when the token was made.

    A token of the account's own clock is compared as it is written. Another was made at its ``iat``, else when it was
    first seen. Clients round ``iat`` down or date it back by seconds, so a token that is younger than that and was not
    seen before counts as made when first seen.
    """
    if clock is REAL:
        return real
    if sight.is_own:
        return clock.at(real)
    made = _made(token)
    return clock.at(real) - clock.shift(sight.real if made is None else min(sight.real, made + BACKDATED))


def _made(token: Token) -> float | None:
    """When a token says that it was made; None where it does not."""
    iat = token.claims.get("iat")
    return iat if isinstance(iat, int | float) and iat > 0 else None


def _claim_flaw(accept: Jwt, claims: Mapping[str, Any], data: Mapping[str, Any]) -> tuple[str, str] | None:
    for name in accept.require:
        if name not in claims:
            return "claims", f"the token has no claim {name!r}"
    for name, allowed in accept.claims:
        texts = [str(v) for t in allowed for v in ((v for v, _ in values_at(data, t)) if t.startswith("/") else (t,))]
        value = claims.get(name)
        if isinstance(value, bool) or str(value) not in texts:
            return "claims", f"the token's claim {name!r} is not the account's"
    return None


def _flaw_at(now: float, token: Token) -> tuple[str, str] | None:
    since, until = token.good
    if until <= now:
        return "expired", "the token has expired"
    if since > now + LEEWAY:
        name = next(name for name in ("iat", "nbf") if token.claims.get(name, now) > now + LEEWAY)
        return "claims", f"the token's claim {name!r} lies in the future"
    return None


def _forbidden(alternative: Alternative, records: Mapping[str, Any]) -> tuple[Problem, ...]:
    for scheme in alternative.schemes:
        accept = scheme.accept
        if isinstance(accept, Jwt) and accept.roles:
            held = records[scheme.binds].get(accept.roles) or ()
            if not any(roles.issubset(held) for roles in alternative.roles):
                required = " or ".join(sorted({" and ".join(sorted(roles)) for roles in alternative.roles}))
                return (Problem("forbidden", scheme.at, "", f"the credential lacks: {required}"),)
    return ()


_PLACES = {"header": "header", "query": "parameter", "body": "member"}


def _called(scheme: Scheme) -> str:
    return f"the {_PLACES[scheme.where]} {scheme.key}"


def _problem(scheme: Scheme, reason: str, message: str) -> Problem:
    return Problem("unauthenticated", scheme.at, reason, message)
