"""What is known of a request's claims, handed to the decision as one value."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import msgspec

from mockserver.engine.account import AccountData, Owner
from mockserver.engine.clock import REAL, Clock
from mockserver.engine.credentials import Claim
from mockserver.engine.pin import PinState
from mockserver.engine.request import ParsedRequest
from mockserver.spec.pointer import MISSING


@dataclass(frozen=True, slots=True)
class Limit:
    """A switched-on limit: so many requests in any so many seconds of the account's time."""

    requests: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Budget:
    """What is left of a limit; ``wait``: seconds until a request is free again, 0 where one is."""

    limit: Limit
    remaining: int
    wait: float

    @property
    def retry_after(self) -> int:
        """Whole seconds to wait, at least 1 where there is anything to wait for."""
        return max(1, math.ceil(self.wait)) if self.wait > 0 else 0


def budget_key(request: ParsedRequest) -> str:
    """By what a request's operation counts: a value of the request, or "" for the account."""
    limit = request.operation.rate_limit
    if limit is None or limit.by is None:
        return ""
    value = limit.by.get(request.data)
    return "" if value is MISSING else str(value)


NOTHING: Mapping[str, Any] = MappingProxyType({})


class Facts(msgspec.Struct, frozen=True):
    """Who owns the values that a vendor's accounts have, and the real time in Unix seconds.

    By account: the operation's pin, the account's clock, what is left of its rate limit. By token: when it
    was first seen.
    """

    owners: Mapping[Claim, Owner]
    now: float
    pins: Mapping[str, PinState] = NOTHING
    clocks: Mapping[str, Clock] = NOTHING
    budgets: Mapping[str, Budget] = NOTHING
    first_seen: Mapping[str, float] = NOTHING

    def time(self, account: AccountData | None) -> float:
        """The account's time in Unix seconds."""
        return self.clock(account).at(self.now) if self.clocks else self.now

    def clock(self, account: AccountData | None) -> Clock:
        """The clock that an account's requests are judged by."""
        return self.clocks.get(account.id, REAL) if account is not None else REAL

    def claimant(self, claims: Iterable[Claim]) -> AccountData | None:
        """Whose a request is that proves nothing: the owner of the first value that anybody owns."""
        for claim in claims:
            owner = self.owners.get(claim)
            if owner is not None:
                return owner.account
        return None
