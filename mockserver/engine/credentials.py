"""What a request carries to say who it is, not yet verified."""

import base64
import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from mockserver.engine.tokens import Token
from mockserver.spec.functions import digits
from mockserver.spec.pointer import MISSING
from mockserver.spec.security_model import Basic, Equals, Jwt, Scheme

MAX_REMEMBERED = 512  # entries of each memory of heads and credentials
MAX_REMEMBERED_BYTES = 4_096  # a longer head or credential is read anew each time


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
    from mockserver.engine.signing import read_token  # noqa: PLC0415 -- a server is ready before it has met a token

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
