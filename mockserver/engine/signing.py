"""Signed tokens, read, verified and made (RFC 7515, 7519). To import this takes long: whoever needs it does so late."""

import json
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc import jwk, jws
from joserfc.errors import JoseError

from mockserver.engine.tokens import Token


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
