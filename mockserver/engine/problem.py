"""What can be wrong with a request. A violation is a value: the contract says what answers it."""

from dataclasses import dataclass
from typing import Any

KINDS = (
    "method",
    "media_type",
    "too_large",
    "unreadable",
    "unauthenticated",
    "forbidden",
    "missing",
    "invalid",
    "unknown",
    "foreign",
    "limited",
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. ``at`` is a JSON Pointer into the request, ``value`` what stands there, if anything."""

    kind: str
    at: str
    reason: str
    message: str
    value: Any = None

    @property
    def entry(self) -> dict[str, Any]:
        """The problem as an entry of the list that answers may show; ``value`` only where something stands there."""
        name = self.at.rpartition("/")[2].replace("~1", "/").replace("~0", "~")
        entry = {"kind": self.kind, "at": self.at, "reason": self.reason, "name": name}
        return {**entry, "value": self.value} if self.value is not None or self.kind == "invalid" else entry
