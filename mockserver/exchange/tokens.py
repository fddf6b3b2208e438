"""Signed tokens (RFC 7515, 7519): read, verified, made. The library does the cryptography."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from joserfc import jwk, jws
from joserfc.errors import JoseError

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
