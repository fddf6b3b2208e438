"""The real vendors that a command's user types out: ``VENDOR=https://…``. Nothing is sent to one that is not."""

from collections.abc import Iterable
from importlib.util import find_spec
from typing import TYPE_CHECKING

from mockserver.cli.common import CommandError, find_contract
from mockserver.spec.model import Contract

if TYPE_CHECKING:
    from mockserver.server.drift.upstream import Upstream

EXTRA = "sms-vendor-mockserver[real]"
CLIENT = "httpcore2"


def named_vendors(option: str, texts: Iterable[str], contracts: tuple[Contract, ...]) -> "dict[str, Upstream]":
    """By vendor where it is, of texts such as ``acme=https://api.acme.example``. Raises CommandError."""
    found = {}
    for text in texts:
        vendor, equals, url = text.partition("=")
        if not equals:
            raise CommandError(f"{option} is VENDOR=https://HOST, both typed out, not {text!r}")
        find_contract(contracts, vendor)
        if vendor in found:
            raise CommandError(f"{option} names {vendor} twice")
        found[vendor] = upstream(option, url)
    return found


def upstream(option: str, url: str) -> "Upstream":
    """The real vendor at an address. Raises CommandError."""
    if find_spec(CLIENT) is None:
        raise CommandError(f"{option} needs {CLIENT}: pip install '{EXTRA}'")
    from mockserver.server.drift.upstream import Origin, Upstream  # noqa: PLC0415 -- needs an extra

    origin = Origin.read(url)
    if origin is None:
        raise CommandError(f"{option} takes https://HOST[:PORT], http for this machine alone, not {url!r}")
    return Upstream(origin)
