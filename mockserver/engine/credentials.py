"""What a request carries to say who it is, not yet verified; signed tokens (RFC 7515, 7519) read and made."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import msgspec
from joserfc import jwk, jws
from joserfc.errors import JoseError

from mockserver.spec.functions import digits
from mockserver.spec.model import Equals, Jwt, Scheme
from mockserver.spec.pointer import MISSING

KEPT = 512  # of what is remembered about tokens and headers, each no longer than
LONGEST = 4_096  # bytes


@dataclass(frozen=True)
class Token:
    """A token's two halves, not yet verified."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]

    @cached_property
    def times(self) -> Mapping[str, float] | str:
        """The times it names, in Unix seconds; the name of one that is no time, where there is such."""
        found = {name: self.claims[name] for name in ("iat", "nbf", "exp") if name in self.claims}
        for name, value in found.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or value != value:  # noqa: PLR0124 -- NaN
                return name
        return found

    @cached_property
    def good(self) -> tuple[float, float]:
        """From when, and until when, it says that it is good."""
        times = self.times if isinstance(self.times, Mapping) else {}
        return max(times.get("iat", -math.inf), times.get("nbf", -math.inf)), times.get("exp", math.inf)


def read_token(text: str) -> Token | None:
    """Header and claims of a compact JWT, or None where it is not one."""
    try:
        signed = jws.extract_compact(text.encode("ascii"))
        header, claims = signed.headers(), json.loads(signed.payload)
    except (JoseError, ValueError, RecursionError):
        return None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        return None
    return Token(header, claims)


def is_signed_by(text: str, key: str, algorithm: str) -> bool:
    """Whether this key made this token's signature; takes 15 to 40 us."""
    try:
        signed = jws.extract_compact(text.encode("ascii"))
        return jws.validate_compact(signed, _key(key, algorithm), algorithms=[algorithm])
    except (JoseError, ValueError, TypeError):  # TypeError: a header "crit" that lists no names
        return False


def sign(header: Mapping[str, Any], claims: Mapping[str, Any], key: str) -> str:
    """A compact JWT; ``header`` names the algorithm. Raises ValueError where the key cannot sign so."""
    algorithm = header["alg"]
    payload = json.dumps(claims, separators=(",", ":")).encode()
    try:
        return jws.serialize_compact({"typ": "JWT", **header}, payload, _key(key, algorithm), algorithms=[algorithm])
    except (JoseError, TypeError, AttributeError) as error:  # the latter two: a key that is no text
        raise ValueError(str(error)) from error


def _key(text: str, algorithm: str) -> jwk.OctKey | jwk.RSAKey:
    if algorithm.startswith("RS"):
        return _rsa_key(text)
    if not algorithm.startswith("HS") or not text:
        raise ValueError(f"{algorithm!r} signs nothing with this key")
    secret = text.encode()
    return jwk.OctKey(secret, secret)  # import_key() would warn of a short one: it is the customer's choice


@lru_cache(maxsize=256)
def _rsa_key(text: str) -> jwk.RSAKey:
    return jwk.RSAKey.import_key(text)  # 35 ms: it looks whether the primes are


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
