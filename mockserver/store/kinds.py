"""Which kind of store a setting names, and why one cannot be used. Settings import it: the standard library only."""

import re
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

MEMORY = "memory"
REMOTE_SCHEMES = ("redis", "rediss", "valkey", "valkeys")
TLS_OPTIONS = ("ssl_ca_certs", "ssl_cert_reqs", "ssl_certfile", "ssl_check_hostname", "ssl_keyfile")
"""What the query of an address may have, where the connection is by TLS."""
StoreKind = Literal["memory", "file", "remote"]


class StoreError(Exception):
    """A store cannot be opened, or is not the one that is asked for; the text is one line for a user."""


class StoreUnavailableError(StoreError):
    """What changes cannot be kept now: nothing is answered that would be forgotten. The text says why."""


def unreadable(where: object, error: Exception) -> StoreError:
    """The error for a user whose store cannot be read."""
    return StoreError(f"{where} cannot be read: {type(error).__name__}: {error}")


def kind_of_store(where: str) -> StoreKind:
    """What a setting names: ``memory``, the address of a server, or a file. Raises StoreError for what is none."""
    if where == MEMORY:
        return "memory"
    scheme, separator, _ = where.partition("://")
    if not separator:
        if not where or "\0" in where or where == ":memory:":
            raise StoreError(f"must be {MEMORY}, a file, or an address like redis://localhost:6379/0")
        return "file"
    if scheme.lower() not in REMOTE_SCHEMES or not _has_host(where):
        raise StoreError(
            f"must be {MEMORY}, a file, or an address with a host: {', '.join(REMOTE_SCHEMES)}://HOST[:PORT][/DB]"
        )
    _check_parts(where)
    return "remote"


def _check_parts(address: str) -> None:
    """Raise StoreError for a path that is no database, and for what nobody reads in the query."""
    parts = urlsplit(address)
    if not re.fullmatch(r"(/[0-9]*)?", parts.path):
        raise StoreError("must have a number for its database, as in redis://localhost:6379/0")
    known = TLS_OPTIONS if parts.scheme in {"rediss", "valkeys"} else ()
    for name, _ in parse_qsl(parts.query, keep_blank_values=True):
        if name not in known:
            options = f"with rediss or valkeys, {', '.join(TLS_OPTIONS)} are"
            raise StoreError(f"must not have {name!r} in its query, which is not read there; {options}")
    if parts.fragment:
        raise StoreError("must have no fragment (#…); write %23 for # in a password")


def _has_host(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
