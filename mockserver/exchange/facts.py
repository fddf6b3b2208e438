"""What the world knows of a request's claims, handed to the decision as one value."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from mockserver.exchange.account import Account, Owner
from mockserver.exchange.budget import Budget
from mockserver.exchange.clock import REAL, Clock
from mockserver.exchange.credential import Claim
from mockserver.exchange.pin import Pin

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Facts(msgspec.Struct, frozen=True):
    """Who owns the values that a vendor's accounts have, and the real time in Unix seconds.

    By account: the operation's pin, the account's clock, what is left of its rate limit. By token: when it
    was first seen.
    """

    owners: Mapping[Claim, Owner]
    now: float
    pins: Mapping[str, Pin] = NOTHING
    clocks: Mapping[str, Clock] = NOTHING
    budgets: Mapping[str, Budget] = NOTHING
    first_seen: Mapping[str, float] = NOTHING

    def time(self, account: Account | None) -> float:
        """The account's time in Unix seconds."""
        return self.clock(account).at(self.now) if self.clocks else self.now

    def clock(self, account: Account | None) -> Clock:
        """The clock that an account's requests are judged by."""
        return self.clocks.get(account.id, REAL) if account is not None else REAL

    def claimant(self, claims: Iterable[Claim]) -> Account | None:
        """Whose a request is that proves nothing: the owner of the first value that anybody owns."""
        for claim in claims:
            owner = self.owners.get(claim)
            if owner is not None:
                return owner.account
        return None
