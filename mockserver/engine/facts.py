"""What is known of those whom a request may come from, handed to the decision as one value."""

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import msgspec

from mockserver.engine.account import AccountData, Owner
from mockserver.engine.clock import REAL, Clock, Sight
from mockserver.engine.credentials import Claim
from mockserver.engine.pin import PinState
from mockserver.engine.request import ParsedRequest
from mockserver.spec.pointer import MISSING

MAX_KEY = 200  # characters of a value that requests are counted by; of a longer one a digest tells it from others


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit that is switched on: so many requests in any so many seconds of the account's time."""

    requests: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Budget:
    """What is left of a limit; ``wait`` is the seconds until a request is free again, 0 where one is free."""

    limit: Limit
    remaining: int
    wait: float

    @property
    def retry_after(self) -> int:
        """Whole seconds to wait, at least 1 unless there is nothing to wait for."""
        return max(1, math.ceil(self.wait)) if self.wait > 0 else 0


def budget_key(request: ParsedRequest, owners: Mapping[Claim, Owner], account: str) -> str:
    """The value that an account's request is counted by; "" where its operation counts by account.

    It stands in the request, or in a record of the account that the request names.
    """
    limit = request.operation.rate_limit
    if limit is None or limit.by is None:
        return ""
    is_owned = limit.by.tokens[0] == "owned"
    value = limit.by.get({"owned": _named(request, owners, account)} if is_owned else request.data)
    text = "" if value is MISSING else str(value)
    if len(text) <= MAX_KEY:
        return text
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return f"{text[:MAX_KEY]}…{digest}"


Kept = Mapping[str, Mapping[str, dict[str, Any]]]  # by list and key the records that an account keeps of a vendor


def _named(request: ParsedRequest, owners: Mapping[Claim, Owner], account: str) -> dict[str, Any]:
    """The records of an account that a request names, as they are bound."""
    names = [(c.scheme.binds, c.claim) for c in request.credentials.values() if c.claim is not None]
    names += [(p.place.binds, p.claim) for p in request.owned if p.place.within is None]
    found = [(binds, owners[claim]) for binds, claim in names if claim in owners]
    return {binds: owner.record for binds, owner in found if owner.account.id == account}


NOTHING: Mapping[Any, Any] = MappingProxyType({})


class Facts(msgspec.Struct, frozen=True):
    """Who owns the values of a vendor's accounts, and the real time in Unix seconds.

    By account id: the pins of the operation, oldest first, the clock, what is left of the rate limit, and of an
    account made with a seed that seed and how many ids were drawn. By a token's digest: its first sight,
    where it was verified before. By account id also what it keeps, where the operation reads that.

    They may be a snapshot: ``version`` is that of the accounts, pins, limits and clocks that it was taken of.
    """

    owners: Mapping[Claim, Owner]
    now: float
    pins: Mapping[str, tuple[PinState, ...]] = NOTHING
    clocks: Mapping[str, Clock] = NOTHING
    budgets: Mapping[str, Budget] = NOTHING
    sights: Mapping[bytes, Sight] = NOTHING
    seeds: Mapping[str, tuple[int, int]] = NOTHING
    kept: Mapping[str, Kept] = NOTHING
    version: int = 0

    def time(self, account: AccountData | None) -> float:
        """The account's time in Unix seconds."""
        return self.clock(account).at(self.now) if self.clocks else self.now

    def clock(self, account: AccountData | None) -> Clock:
        """The clock that an account's requests are judged by."""
        return self.clocks.get(account.id, REAL) if account is not None else REAL

    def claimant(self, claims: Iterable[Claim]) -> AccountData | None:
        """The account of a request that proves nothing: the owner of the first value that anybody owns."""
        for claim in claims:
            owner = self.owners.get(claim)
            if owner is not None:
                return owner.account
        return None
