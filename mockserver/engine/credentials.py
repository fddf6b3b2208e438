"""What a request carries to say who it is, not yet verified; signed tokens (RFC 7515, 7519) read and made."""

import base64
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc import jwk, jws
from joserfc.errors import JoseError

from mockserver.spec.functions import digits
from mockserver.spec.pointer import MISSING
from mockserver.spec.security_model import Basic, Equals, Jwt, Scheme

MAX_REMEMBERED = 512  # entries of each memory of heads and credentials
MAX_REMEMBERED_BYTES = 4_096  # a longer head or credential is read anew each time


@dataclass(frozen=True)
class Token:
    """A token's header and claims, not yet verified."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]

    @cached_property
    def times(self) -> Mapping[str, float] | str:
        """``iat``, ``nbf`` and ``exp`` in Unix seconds, those that there are; or the name of one that is no time."""
        times = {name: self.claims[name] for name in ("iat", "nbf", "exp") if name in self.claims}
        for name, value in times.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or value != value:  # noqa: PLR0124 -- NaN
                return name
        return times

    @cached_property
    def good(self) -> tuple[float, float]:
        """The times from which and until which the token says it is good, in Unix seconds."""
        times = self.times if isinstance(self.times, Mapping) else {}
        return max(times.get("iat", -math.inf), times.get("nbf", -math.inf)), times.get("exp", math.inf)


def read_token(text: str) -> Token | None:
    """Header and claims of a compact JWT; None where the text is no such token."""
    try:
        signed = jws.extract_compact(text.encode("ascii"))
        header, claims = signed.headers(), json.loads(signed.payload)
    except (JoseError, ValueError, RecursionError):
        return None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        return None
    return Token(header, claims)


def is_signed_by(text: str, key: str, algorithm: str) -> bool:
    """Whether the token was signed with this key and algorithm. Takes 15 to 60 us."""
    try:
        signed = jws.extract_compact(text.encode("ascii"))
        return jws.validate_compact(signed, _key(key, algorithm), algorithms=[algorithm])
    except (JoseError, ValueError, TypeError, RecursionError):  # TypeError: a header "crit" that lists no names
        return False


class Signer:
    """Signs tokens, and remembers their keys while it lives: the first token of an RSA key takes twice as long."""

    def __init__(self) -> None:
        self._keys: dict[tuple[str, str], jwk.OctKey | jwk.RSAKey] = {}

    def sign(self, header: Mapping[str, Any], claims: Mapping[str, Any], key: str) -> str:
        """A compact JWT; ``header`` names the algorithm. Raises ValueError where the key cannot sign with it."""
        algorithm = header["alg"]
        payload = json.dumps(claims, separators=(",", ":")).encode()
        try:
            if (key, algorithm) not in self._keys:
                self._keys[key, algorithm] = _key(key, algorithm)
            ready = self._keys[key, algorithm]
            return jws.serialize_compact({"typ": "JWT", **header}, payload, ready, algorithms=[algorithm])
        except (JoseError, TypeError, AttributeError) as error:  # the latter two: a key that is no text
            raise ValueError(str(error)) from error


def sign(header: Mapping[str, Any], claims: Mapping[str, Any], key: str) -> str:
    """One token, as a ``Signer`` makes it."""
    return Signer().sign(header, claims, key)


def _key(text: str, algorithm: str) -> jwk.OctKey | jwk.RSAKey:
    if algorithm.startswith("RS"):
        return _rsa_key(text, checked=False)
    if not algorithm.startswith("HS") or not text:
        raise ValueError(f"{algorithm!r} signs nothing with this key")
    secret = text.encode()
    return jwk.OctKey(secret, secret)  # import_key() would warn of a short key, which is the customer's choice


def check_rsa_key(text: str) -> None:
    """Check that a text is a private RSA key in PEM whose numbers belong together. Takes 35 ms. Raises ValueError."""
    _rsa_key(text, checked=True)


def _rsa_key(text: str, *, checked: bool) -> jwk.RSAKey:
    """A private key; unless its numbers are ``checked``, reading it takes 15 us. Raises ValueError, AttributeError."""
    try:
        key = load_pem_private_key(text.encode(), None, unsafe_skip_rsa_key_validation=not checked)
    except (TypeError, UnsupportedAlgorithm) as error:  # a key behind a password, or of an unknown kind
        raise ValueError(str(error)) from error
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("the key is no RSA key")  # noqa: TRY004 -- the text is wrong, not its type
    return jwk.RSAKey(key, key)


Claim = tuple[str, str]  # an account pointer, and the value as text


class Credential(msgspec.Struct, frozen=True, eq=False):
    """A credential as it was sent.

    ``text`` is "" where it is not of its scheme's form, or ``repeated``: given more than once, so that nobody can tell
    which is meant. ``claim`` is the account value that it names, if any. ``digest`` tells its token from others: the
    same 8 bytes in every process, and no secret.
    """

    scheme: Scheme
    text: str
    token: Token | None = None
    claim: Claim | None = None
    digest: bytes = b""
    repeated: bool = False


Credentials = dict[Scheme, Credential]


class CredentialReader:
    """Reads credentials, and remembers the last ones: to read a token takes 10 us."""

    def __init__(self) -> None:
        self._remembered = lru_cache(maxsize=MAX_REMEMBERED)(read_credential)

    def read(self, schemes: tuple[Scheme, ...], data: Mapping[str, Any]) -> Credentials:
        """The credentials that stand in ``data``, the parts of a request, by scheme."""
        carried = {}
        for scheme in schemes:
            part = data.get(scheme.where)
            value = part.get(scheme.key) if isinstance(part, dict) else None
            if value is not None:
                short = isinstance(value, str) and len(value) <= MAX_REMEMBERED_BYTES
                carried[scheme] = self._remembered(scheme, value) if short else read_credential(scheme, value)
        return carried


def read_credential(scheme: Scheme, value: Any) -> Credential:
    """What a value says, standing where the scheme's credential stands."""
    if not isinstance(value, str):
        return Credential(scheme, "")
    if scheme.word:
        kind, _, rest = value.partition(" ")
        value = rest.strip() if kind.lower() == scheme.word.lower() else ""
    if isinstance(scheme.accept, Basic):
        value = _user_and_password(value)
    if not value:
        return Credential(scheme, "")
    if isinstance(scheme.accept, Basic):
        return Credential(scheme, value, None, (scheme.accept.claim, value.partition(":")[0]))
    if isinstance(scheme.accept, Equals):
        return Credential(scheme, value, None, (scheme.accept.claim, value))
    token = read_token(value)
    digest = hashlib.blake2b(value.encode("utf-8", "replace"), digest_size=8).digest()
    return Credential(scheme, value, token, _named_by(token, scheme.accept), digest)


def _user_and_password(text: str) -> str:
    """``user:password`` of HTTP Basic (RFC 7617); "" where the text is not of that form."""
    try:
        pair = base64.b64decode(text, validate=True).decode("utf-8")
    except ValueError:
        return ""
    return pair if ":" in pair else ""


def _named_by(token: Token | None, accept: Jwt) -> Claim | None:
    """The account value that a token names, whether its signature is good or not."""
    if token is None:
        return None
    part = token.claims if accept.find_in == "claim" else token.header
    return claim_of(accept.claim, part.get(accept.find, MISSING), by_digits=False)


def claim_of(pointer: str, value: Any, *, by_digits: bool) -> Claim | None:
    """The claim to an account value; None where the value is neither text nor a number."""
    if isinstance(value, str):
        return pointer, digits(value) if by_digits else value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return pointer, digits(value) if by_digits else str(value)
