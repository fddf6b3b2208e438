"""How many requests an account may still make, as its vendor's contract limits them."""

import math
from dataclasses import dataclass

from mockserver.exchange.request import Request
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


def budget_key(request: Request) -> str:
    """By what a request's operation counts: a value of the request, or "" for the account."""
    limit = request.operation.rate_limit
    if limit is None or limit.by is None:
        return ""
    value = limit.by.get(request.data)
    return "" if value is MISSING else str(value)
