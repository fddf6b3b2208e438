"""One customer of the vendors: credentials and what they own; the unit of isolation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec


@dataclass(frozen=True, slots=True, eq=False)
class Account:
    """``vendors`` holds each vendor's data in the shape of its contract's ``x-mock.account``."""

    id: str
    vendors: Mapping[str, Mapping[str, Any]]


class Owner(msgspec.Struct, frozen=True, eq=False):
    """Whose a claimed value is, and the record that it stands in."""

    account: Account
    record: Any
