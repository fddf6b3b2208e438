"""What a signed token says (RFC 7519)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any


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
